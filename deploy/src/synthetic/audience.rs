//! Draws the audience of each meeting and its evidence: a sheet with names, a headcount, or both.
//!
//! People live near the venue, attend with an individual propensity and often bring somebody of their household. Some are from another
//! unit, from outside the region, or under age. A revealing audience has a headcount only.

use std::{collections::HashSet, ops::Range};

use super::{
    World,
    meeting::{GeneratedDetails, GeneratedHeadcount, GeneratedLine, GeneratedMeeting, LineAnomaly, MeetingOutcome, StatedResidence},
    people::{Attendee, OffRollReason, PHONES},
    rng::SeededRng,
};

/// Shares of meetings with a complete and with a partial sheet; the others have a headcount only.
const COMPLETE_SHEET: f64 = 0.62;
const PARTIAL_SHEET: f64 = 0.08;
/// Number of people who attend many meetings.
const ACTIVISTS: usize = 200;
/// Probability of bringing somebody of one's household.
const BROUGHT_ALONG: f64 = 0.3;

/// Draws sheet and headcount of all meetings that are held.
pub(super) fn fill(world: &World<'_>, meetings: &mut [GeneratedMeeting], rng: &mut SeededRng) {
    let sizes = sizes(world, meetings, rng);
    let held = meetings.iter_mut().filter(|meeting| meeting.outcome == MeetingOutcome::Held);
    for (meeting, people) in held.zip(sizes) {
        let (named, counted) = evidence(world, meeting, people, rng);
        meeting.lines = sheet(world, meeting, named, rng);
        if counted {
            let exact = named == people;
            meeting.headcount = Some(count_heads(if exact { meeting.lines.len() as u32 } else { people }, exact, rng));
        }
    }
    activists(world, meetings, rng);
}

/// Number of people at each held meeting. Drawn by format, then scaled to the expected total, so that a few large meetings more do not
/// change the size of the campaign between seeds.
fn sizes(world: &World<'_>, meetings: &[GeneratedMeeting], rng: &mut SeededRng) -> Vec<u32> {
    let held: Vec<&GeneratedMeeting> = meetings.iter().filter(|meeting| meeting.outcome == MeetingOutcome::Held).collect();
    let style = |meeting: &GeneratedMeeting| &world.scenario.formats[meeting.report.format];
    let drawn: Vec<f64> = held.iter().map(|meeting| rng.log_normal(style(meeting).median, style(meeting).sigma)).collect();
    let formats = &world.scenario.formats;
    let shares: f64 = formats.iter().map(|format| f64::from(format.share)).sum();
    let people: f64 =
        formats.iter().map(|format| f64::from(format.share) * format.median * (format.sigma * format.sigma / 2.0).exp()).sum();
    let scale = people / shares * drawn.len() as f64 / drawn.iter().sum::<f64>();
    let fit = |(meeting, drawn): (&&GeneratedMeeting, &f64)| {
        let catchment = catchment(world, meeting);
        ((drawn * scale) as u32).clamp(5, 1_500).min((catchment.end - catchment.start) / 2)
    };
    held.iter().zip(&drawn).map(fit).collect()
}

/// The voters who may attend: of the meeting's precinct and its neighbours, or of the whole unit.
pub(super) fn catchment(world: &World<'_>, meeting: &GeneratedMeeting) -> Range<u32> {
    let wanted = world.scenario.formats[meeting.report.format].precincts as usize;
    let unit = &world.roll.units[meeting.report.unit];
    let Some(precinct) = meeting.report.precinct.filter(|_| 0 < wanted && wanted < unit.len()) else {
        return world.roll.voters_of(meeting.report.unit);
    };
    let first = precinct.saturating_sub(wanted / 2).clamp(unit.start, unit.end - wanted);
    world.roll.precincts[first].voters.start..world.roll.precincts[first + wanted - 1].voters.end
}

/// Whether attendance would reveal belief, origin or health.
pub(super) fn revealing(world: &World<'_>, details: &GeneratedDetails) -> bool {
    std::iter::once(details.category).chain(details.secondary).any(|category| world.campaign.categories[category].revealing)
}

/// Number of people on the sheet, and whether there is a headcount. Small meetings more often have a headcount only.
fn evidence(world: &World<'_>, meeting: &GeneratedMeeting, people: u32, rng: &mut SeededRng) -> (u32, bool) {
    if revealing(world, &meeting.report) {
        return (0, true);
    }
    let median = world.scenario.formats[meeting.report.format].median;
    // Large meetings get more sheets, since revealing audiences have none.
    let whole = COMPLETE_SHEET * if f64::from(people) < median { 0.98 } else { 1.26 };
    let drawn = rng.uniform();
    if drawn < whole {
        (people, rng.chance(0.45))
    } else if drawn < whole + PARTIAL_SHEET {
        ((f64::from(people) * (0.4 + 0.4 * rng.uniform())) as u32, true)
    } else {
        (0, true)
    }
}

fn sheet(world: &World<'_>, meeting: &GeneratedMeeting, people: u32, rng: &mut SeededRng) -> Vec<GeneratedLine> {
    let catchment = catchment(world, meeting);
    let mut seen = HashSet::with_capacity(people as usize);
    let mut lines = Vec::with_capacity(people as usize);
    let mut tries = people * 40;
    while lines.len() < people as usize && tries > 0 {
        tries -= 1;
        let attendee = draw_attendee(world, meeting, &catchment, rng);
        if seen.insert(attendee) {
            lines.push(sheet_line(world, attendee, meeting.report.unit, rng));
        }
        if let Attendee::Strong(voter) = attendee
            && world.people.off_roll_reason(voter).is_none()
            && lines.len() < people as usize
            && rng.chance(BROUGHT_ALONG)
        {
            let household = world.roll.household(voter);
            let other = Attendee::Strong(rng.between(household.start.into(), i64::from(household.end) - 1) as u32);
            if seen.insert(other) {
                lines.push(sheet_line(world, other, meeting.report.unit, rng));
            }
        }
    }
    lines
}

fn draw_attendee(world: &World<'_>, meeting: &GeneratedMeeting, catchment: &Range<u32>, rng: &mut SeededRng) -> Attendee {
    let unit = meeting.report.unit;
    let stranger = |wanted: fn(OffRollReason, usize, &World<'_>) -> bool, rng: &mut SeededRng| {
        world.people.draw_off_roll(|kind| wanted(kind, unit, world), rng).map(Attendee::Strong)
    };
    let attendee = match rng.weighted([0.03, 0.03, 0.01, 0.005, 0.0015, 0.02, 0.9035].into_iter()) {
        0 => Some(Attendee::Weak(rng.below(PHONES as usize) as u32)),
        1 => stranger(|kind, _, _| kind == OffRollReason::Minor, rng),
        2 => stranger(|kind, _, _| kind == OffRollReason::OutsideRegion, rng),
        3 => stranger(|kind, _, _| kind == OffRollReason::Unregistered, rng),
        4 => stranger(|kind, unit, world| matches!(kind, OffRollReason::MovedAway(from) if world.roll.units[unit].contains(&from)), rng),
        5 if world.roll.units.len() > 1 => {
            let others: Vec<usize> = (0..world.roll.units.len()).filter(|other| *other != unit).collect();
            let other = world.roll.voters_of(*rng.pick(&others));
            Some(Attendee::Strong(world.roll.draw_voter(&other, rng)))
        }
        _ => None,
    };
    attendee.unwrap_or_else(|| Attendee::Strong(world.roll.draw_voter(catchment, rng)))
}

/// Draws the sheet line of an attendee of a meeting in a unit.
pub(super) fn sheet_line(world: &World<'_>, attendee: Attendee, unit: usize, rng: &mut SeededRng) -> GeneratedLine {
    let stated = rng.weighted([0.5, 0.3, 0.2].into_iter());
    let of_precinct = |precinct: usize| match stated {
        0 => StatedResidence::Precinct(precinct),
        1 => StatedResidence::Unit(world.roll.precincts[precinct].unit),
        _ => StatedResidence::Unknown,
    };
    let asked = rng.chance(0.9);
    let (residence, adult) = match attendee {
        Attendee::Weak(_) => (if stated == 2 { StatedResidence::Unknown } else { StatedResidence::Unit(unit) }, asked.then_some(true)),
        Attendee::Strong(person) => match world.people.off_roll_reason(person) {
            None => (of_precinct(world.roll.precinct_of(person)), asked.then_some(true)),
            Some(OffRollReason::OutsideRegion) => (StatedResidence::OutsideRegion, asked.then_some(true)),
            Some(OffRollReason::Unregistered) => (StatedResidence::Unknown, asked.then_some(true)),
            Some(OffRollReason::Minor) => (StatedResidence::Unit(unit), Some(false)),
            Some(OffRollReason::MovedAway(precinct)) => (of_precinct(precinct), asked.then_some(true)),
        },
    };
    GeneratedLine { attendee, residence, adult, anomaly: LineAnomaly::None }
}

/// Draws a headcount: nearly exact with a complete sheet, otherwise slightly too high and often rounded.
pub(super) fn count_heads(people: u32, exact: bool, rng: &mut SeededRng) -> GeneratedHeadcount {
    let one = |rng: &mut SeededRng| {
        let guess = if exact {
            f64::from(people) * if rng.chance(0.7) { 1.0 } else { rng.log_normal(1.0, 0.03) }
        } else {
            f64::from(people) * rng.log_normal(1.083, 0.15)
        };
        let step = match guess as u32 {
            0..40 => 5.0,
            40..120 => 10.0,
            120..400 => 50.0,
            _ => 100.0,
        };
        let heaped = if !exact && rng.chance(0.6) { (guess / step).round() * step } else { guess.round() };
        heaped.max(1.0) as u32
    };
    let first = one(rng);
    let old_form = rng.chance(0.1);
    let second = (!old_form && rng.chance(0.25)).then(|| one(rng));
    let low = second.map_or(first, |second| first.min(second));
    let eligible_minimum = (!old_form && low >= 10 && rng.chance(0.4)).then(|| low * 6 / 10);
    GeneratedHeadcount { first, second, eligible_minimum, nobody_eligible: false, old_form }
}

/// Adds people who attend six to twelve meetings of their own unit.
fn activists(world: &World<'_>, meetings: &mut [GeneratedMeeting], rng: &mut SeededRng) {
    let mut by_unit: Vec<Vec<usize>> = vec![Vec::new(); world.roll.units.len()];
    for (index, meeting) in meetings.iter().enumerate().filter(|(_, meeting)| !meeting.lines.is_empty()) {
        by_unit[meeting.report.unit].push(index);
    }
    let voters = world.roll.number_of_voters() as f64;
    for (unit, of_unit) in by_unit.iter_mut().enumerate() {
        let range = world.roll.voters_of(unit);
        let number = (ACTIVISTS as f64 * f64::from(range.end - range.start) / voters).round() as usize;
        for _ in 0..number {
            let attendee = Attendee::Strong(world.roll.draw_voter(&range, rng));
            let times = rng.between(6, 12) as usize;
            rng.shuffle(of_unit);
            for index in of_unit.iter().take(times) {
                if meetings[*index].lines.iter().all(|line| line.attendee != attendee) {
                    let line = sheet_line(world, attendee, unit, rng);
                    meetings[*index].lines.push(line);
                }
            }
        }
    }
}
