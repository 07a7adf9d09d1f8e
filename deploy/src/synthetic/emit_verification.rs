//! Emits what others found: recounts of headcounts that said too much, surveys, and precincts where no meeting can be held.
//!
//! All come after all other submissions were drawn, from a random stream of their own, so no other draw changes. A recount gives the
//! final headcount of its meeting, so no final fact changes either.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use qamtu_schemas::{
    Data,
    event::{AccessReported, HeadcountRecounted, HeadcountReported, SurveyReported, Unreachable, UnreachableReason},
    id::{EventId, MeetingId},
};

use super::{
    emitter::{EventEmitter, ExpectedOutcome, hours, text},
    meeting::{Anomaly, GeneratedMeeting, MeetingOutcome},
};
use crate::submission::{Payload, Submission};

/// Share of the meetings with an ordinary headcount that are recounted.
const RECOUNTED: f64 = 0.03;
/// Units with a survey of their own.
const SURVEYED_UNITS: usize = 4;

/// Emits recounts, then surveys, then access to precincts; draws from the emitter's current random stream.
pub(super) fn emit(emitter: &mut EventEmitter<'_>, meetings: &[GeneratedMeeting]) {
    recounts(emitter, meetings);
    surveys(emitter);
    access(emitter, meetings);
}

/// Makes some reports say more than was counted, and emits the recounts that replace them.
fn recounts(emitter: &mut EventEmitter<'_>, meetings: &[GeneratedMeeting]) {
    let ordinary = |meeting: &&GeneratedMeeting| meeting.anomaly == Anomaly::None && meeting.outcome == MeetingOutcome::Held;
    let ordinary: BTreeSet<&MeetingId> = meetings.iter().filter(ordinary).map(|meeting| &meeting.id).collect();
    let mut found: BTreeMap<EventId, (Submission, HeadcountReported)> = BTreeMap::new();
    for sent in emitter.sent.iter().filter(|sent| sent.expected == ExpectedOutcome::Accepted) {
        if let Some(heads) = headcount(&sent.submission.data).filter(|heads| ordinary.contains(&heads.meeting)) {
            found.insert(sent.submission.id, (sent.submission.clone(), heads.clone()));
        }
    }
    let mut exaggerated: BTreeMap<EventId, HeadcountReported> = BTreeMap::new();
    for (id, (submission, right)) in found {
        if !emitter.rng.chance(RECOUNTED) {
            continue;
        }
        // Every other recount finds the number that was reported.
        let percent = if emitter.rng.chance(0.5) { 0 } else { emitter.rng.between(4, 25) as u32 };
        let mut wrong = right.clone();
        wrong.counts.iter_mut().for_each(|count| count.people += count.people * percent / 100);
        exaggerated.insert(id, wrong);
        recount(emitter, &submission, right);
    }
    for sent in &mut emitter.sent {
        if let Some(wrong) = exaggerated.get(&sent.submission.id) {
            sent.submission.data = wrong.clone().into();
        }
    }
}

fn headcount(payload: &Payload) -> Option<&HeadcountReported> {
    match payload {
        Payload::Plain(data) => match &**data {
            Data::HeadcountReported(heads) => Some(heads),
            _ => None,
        },
        _ => None,
    }
}

/// Emits the recount of a report, from one to five days later and before the end of the stream.
fn recount(emitter: &mut EventEmitter<'_>, report: &Submission, right: HeadcountReported) {
    let last = emitter.world.clock.ends - hours(1);
    let reported = report.receivedtime.unwrap_or(report.time);
    let received = (reported + hours(emitter.rng.between(24, 120))).min(last);
    let metadata = emitter.metadata("observer", report.time, received);
    let HeadcountReported { meeting, counts, eligible_minimum, nobody_eligible } = right;
    let supersedes = vec![report.id];
    emitter.send(metadata, HeadcountRecounted { meeting, supersedes, counts, eligible_minimum, nobody_eligible, reason: None });
}

/// Emits a survey of the region and some of units; the first unit's is reported again with another result.
fn surveys(emitter: &mut EventEmitter<'_>) {
    let world = emitter.world;
    let at = world.clock.begins + SignedDuration::from_hours(15 * 24);
    // INVARIANT: the codes of units are letters.
    let named = |name: String| name.parse().expect("a survey id");
    let attended = emitter.rng.between(40, 90) as u32;
    let region = SurveyReported {
        survey: named("week-2".to_owned()),
        unit: None,
        asked: 1_200,
        reached: attended,
        method: text("SYNTHETIC random households"),
    };
    emitter.send(emitter.metadata("survey", at, at), region);
    for (number, unit) in world.campaign.units.iter().take(SURVEYED_UNITS).enumerate() {
        let at = at + hours(24 * number as i64);
        let attended = emitter.rng.between(5, 30) as u32;
        let result = |reached| SurveyReported {
            survey: named(format!("lot-{}", unit.code)),
            unit: Some(unit.code.clone()),
            asked: 200,
            reached,
            method: text("SYNTHETIC random walk"),
        };
        emitter.send(emitter.metadata("survey", at, at), result(attended));
        if number == 0 {
            emitter.send(emitter.metadata("survey", at, at + hours(20)), result(attended + 2));
        }
    }
}

/// Emits that no meeting can be held in some precincts without one. The last of them can be reached again nine days later.
fn access(emitter: &mut EventEmitter<'_>, meetings: &[GeneratedMeeting]) {
    let world = emitter.world;
    let details = meetings.iter().flat_map(|meeting| meeting.plan.iter().chain([&meeting.report]));
    let with_meeting: BTreeSet<usize> = details.filter_map(|details| details.precinct).collect();
    let without: Vec<usize> = (0..world.roll.precincts.len()).filter(|precinct| !with_meeting.contains(precinct)).collect();
    let reasons = [UnreachableReason::Disaster, UnreachableReason::Road, UnreachableReason::Absence, UnreachableReason::Quarantine];
    for (number, reason) in reasons.into_iter().enumerate() {
        let Some(precinct) = without.get(number * without.len() / reasons.len()) else { continue };
        let precinct = &world.roll.precincts[*precinct].id;
        let at = world.clock.begins + hours(24 * (8 + number as i64));
        let access = |revision, unreachable| AccessReported { precinct: precinct.clone(), revision, unreachable };
        let unreachable = Unreachable { since: world.clock.day(at), reason, note: Some(text("SYNTHETIC")) };
        emitter.send(emitter.metadata("registry", at, at), access(1, Some(unreachable)));
        if number + 1 == reasons.len() {
            let later = at + hours(9 * 24);
            emitter.send(emitter.metadata("registry", later, later), access(2, None));
        }
    }
}
