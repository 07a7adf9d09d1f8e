//! Emits reference data: precincts and their counts, members, venues, and the survey at the end.
//!
//! All data that meetings refer to arrives before the first meeting. Later revisions correct wrong values.

use jiff::{SignedDuration, Timestamp};
use qamtu_schemas::{
    event::{MemberJoined, PrecinctCounted, PrecinctKind, SurveyReported, VenueDescribed},
    id::VenueId,
};

use super::{
    emitter::{EventEmitter, text},
    rng::SeededRng,
    roll::GeneratedRoll,
};
use crate::campaign::Campaign;

/// A place where meetings are held.
#[derive(Debug, Clone)]
pub(super) struct Venue {
    pub id: VenueId,
    pub precinct: usize,
    name: String,
    capacity: u32,
}

/// Number of counts of the last date that are first sent wrong.
const MISCOUNTED: usize = 5;

/// Draws about one venue for every three ordinary precincts.
pub(super) fn venues(campaign: &Campaign, roll: &GeneratedRoll, rng: &mut SeededRng) -> Vec<Venue> {
    let mut venues = Vec::new();
    for (precinct, definition) in roll.precincts.iter().enumerate() {
        if definition.kind == PrecinctKind::Special || !rng.chance(0.34) {
            continue;
        }
        let place_name = campaign.units[definition.unit].names.kk.split_whitespace().next().unwrap_or_default().to_uppercase();
        let name = format!("{place_name} МӘДЕНИЕТ ҮЙІ {}", definition.number);
        // Half a percent of the names were decoded with a wrong code page.
        let name = if venues.len() % 200 == 7 { legacy(&name) } else { name };
        // INVARIANT: a letter, a hyphen and a number are a valid code.
        let id = format!("V-{:03}", venues.len() + 1).parse().expect("a venue id");
        venues.push(Venue { id, precinct, name, capacity: 50 * rng.between(1, 16) as u32 });
    }
    venues
}

/// A Kazakh name of an old code page, decoded with another one.
fn legacy(name: &str) -> String {
    const AS_READ: [(char, char); 7] = [('Ә', 'Ј'), ('Ғ', 'Є'), ('Қ', 'Ќ'), ('Ң', 'Ѕ'), ('Ө', 'Ґ'), ('Ұ', 'Ў'), ('Ү', 'Ї')];
    name.chars().map(|c| AS_READ.iter().find(|(right, _)| *right == c).map_or(c, |(_, wrong)| *wrong)).collect()
}

/// Emits the campaign file, the first counts, members and venues; later the other counts; at the end a survey.
pub(super) fn emit(emitter: &mut EventEmitter<'_>) {
    let world = emitter.world;
    emitter.add_submissions(world.campaign.submissions(Some(world.clock.begins)));
    for (date, day) in world.scenario.counts.iter().enumerate() {
        // Everything refers to precincts, so the first counts come at the beginning.
        let at = if date == 0 { world.clock.begins } else { world.clock.at(*day, 6) } + SignedDuration::from_mins(1);
        counts(emitter, date, at);
    }
    members(emitter);
    describe_venues(emitter);
    survey(emitter);
}

fn members(emitter: &mut EventEmitter<'_>) {
    let world = emitter.world;
    for (index, member) in world.people.members.iter().enumerate() {
        let at = world.clock.begins + SignedDuration::from_secs(1_800 + index as i64);
        let joined = |revision, named| MemberJoined {
            member: member.id.clone(),
            revision,
            coalition: world.campaign.coalitions[member.coalition].id.clone(),
            party: member.party.clone(),
            name: Some(text(named)),
        };
        let name = format!("SYNTHETIC {:03}", index + 1);
        // A second revision corrects the spelling of a few names.
        if index % 100 == 50 {
            emitter.send(emitter.metadata("registry", at, at), joined(1, "SYNTETIC"));
            let later = at + SignedDuration::from_hours(50);
            emitter.send(emitter.metadata("registry", later, later), joined(2, &name));
        } else {
            emitter.send(emitter.metadata("registry", at, at), joined(1, &name));
        }
    }
}

fn describe_venues(emitter: &mut EventEmitter<'_>) {
    let world = emitter.world;
    for (index, venue) in world.venues.iter().enumerate() {
        let at = world.clock.begins + SignedDuration::from_secs(2_400 + index as i64);
        let precinct = &world.roll.precincts[venue.precinct];
        let described = VenueDescribed {
            venue: venue.id.clone(),
            revision: 1,
            unit: world.campaign.units[precinct.unit].code.clone(),
            precinct: Some(precinct.id.clone()),
            name: text(&venue.name),
            capacity: Some(venue.capacity),
        };
        emitter.send(emitter.metadata("registry", at, at), described);
    }
}

fn counts(emitter: &mut EventEmitter<'_>, date: usize, at: Timestamp) {
    let world = emitter.world;
    let last = date + 1 == world.scenario.counts.len();
    for (index, precinct) in world.roll.precincts.iter().enumerate() {
        let counted = |revision, voters| PrecinctCounted {
            precinct: precinct.id.clone(),
            unit: world.campaign.units[precinct.unit].code.clone(),
            number: precinct.number,
            kind: precinct.kind,
            as_of: world.scenario.counts[date],
            revision,
            voters,
            source: text("SYNTHETIC"),
        };
        let at = at + SignedDuration::from_secs(index as i64);
        let wrong = last && index % world.roll.precincts.len().div_ceil(MISCOUNTED).max(1) == 3;
        if wrong {
            emitter.send(emitter.metadata("registry", at, at), counted(1, precinct.counts[date] / 2 + 1_000));
            let later = at + SignedDuration::from_hours(3);
            emitter.send(emitter.metadata("registry", later, later), counted(2, precinct.counts[date]));
        } else {
            emitter.send(emitter.metadata("registry", at, at), counted(1, precinct.counts[date]));
        }
    }
}

/// The last submission of the stream.
fn survey(emitter: &mut EventEmitter<'_>) {
    // INVARIANT: a constant code.
    let survey = "after-vote".parse().expect("a survey id");
    let reported = SurveyReported { survey, unit: None, asked: 1_200, reached: 118, method: text("SYNTHETIC random households") };
    let at = emitter.world.clock.ends;
    let metadata = emitter.metadata("survey", at, at);
    emitter.send(metadata, reported);
}
