//! Chooses the anomalies before events are emitted: of meetings, of reporting delays, and of lines of attendance sheets.
//!
//! A [`GeneratedMeeting`] holds the final facts. An anomaly decides by which events they are reported (a wrong report and its correction),
//! or changes the final facts (a clock an hour ahead, a date after the last lawful day). Each meeting has at most one.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::{
    World, audience,
    meeting::{Anomaly, Delay, GeneratedLine, GeneratedMeeting, LineAnomaly, MeetingOutcome, StatedResidence},
    people::Attendee,
    rng::SeededRng,
};

mod assignment;
mod lines;
mod stray_sheets;

use assignment::Assignment;

/// One of so many ordinary headcounts says that nobody was a voter.
const INELIGIBLE_EVERY: usize = 60;

/// The import files, each as indexes of the meetings whose sheets it contains.
pub(super) struct Imports {
    /// Files that are imported once.
    pub accepted: Vec<Vec<usize>>,
    /// The file that is imported with an error, reversed, and imported again.
    pub reversed: Vec<usize>,
}

/// Chooses all anomalies, first those that fit few meetings.
pub(super) fn decide(world: &mut World<'_>, meetings: &mut Vec<GeneratedMeeting>, rng: &mut SeededRng) -> Imports {
    lines::decide(world, meetings, rng);
    stray_sheets::add(world, meetings, rng);
    let mut order: Vec<usize> = (0..meetings.len()).filter(|index| meetings[*index].outcome == MeetingOutcome::Held).collect();
    rng.shuffle(&mut order);
    delays(world, meetings, &order, rng);
    overfill_precinct(world, meetings, &order, rng);
    let mut assignment = Assignment { world, order: &order, meetings };
    assignment.rare();
    assignment.by_share();
    let having = |wanted: Anomaly, meetings: &[GeneratedMeeting]| -> Vec<usize> {
        order.iter().copied().filter(|index| meetings[*index].anomaly == wanted).collect()
    };
    let copied = having(Anomaly::CopiedSheet, meetings);
    copy_sheet(meetings, &copied);
    make_revealing(world, meetings, rng);
    let silence = having(Anomaly::DatedOnSilenceDay, meetings);
    for (number, index) in silence.into_iter().enumerate() {
        let starts = meetings[index].report.starts + SignedDuration::from_hours(24);
        // The first one at local midnight, which is still a lawful day in UTC.
        meetings[index].report.starts = if number == 0 { world.clock.at(world.clock.day(starts), 0) } else { starts };
    }
    meetings.iter_mut().for_each(|meeting| change_facts(world, meeting));
    let imports = Imports { accepted: imports(meetings, rng), reversed: having(Anomaly::ReversedImport, meetings) };
    make_ineligible(meetings);
    imports
}

/// Changes the final facts of a meeting as its anomaly requires.
fn change_facts(world: &World<'_>, meeting: &mut GeneratedMeeting) {
    let midnight = world.clock.at(world.clock.day(meeting.report.starts), 0);
    match meeting.anomaly {
        Anomaly::DateOnly => meeting.report.starts = midnight,
        Anomaly::HeldEarly => meeting.report.starts = meeting.plan.as_ref().map_or(meeting.report.starts, |plan| plan.starts),
        Anomaly::MovedToUnlawfulDay => meeting.moves.push(world.clock.at(world.campaign.calendar.silence, 16)),
        Anomaly::OtherUnit { .. } => {
            meeting.report.unit = (meeting.report.unit + 1) % world.campaign.units.len();
            meeting.report.precinct = None;
            meeting.report.venue = None;
        }
        Anomaly::StaleTimeZone => meeting.report.starts -= SignedDuration::from_hours(1),
        Anomaly::StaleTimeZoneAtMidnight => meeting.report.starts = midnight - SignedDuration::from_hours(1),
        Anomaly::Uncounted => {
            meeting.lines.clear();
            meeting.headcount = None;
        }
        Anomaly::NotHeld => meeting.outcome = MeetingOutcome::Cancelled,
        _ => {}
    }
}

/// 18 % are reported more than a day late, 4 % more than a week (of meetings early enough), 0.5 % after the vote.
fn delays(world: &World<'_>, meetings: &mut [GeneratedMeeting], order: &[usize], rng: &mut SeededRng) {
    let mut order = order.to_vec();
    rng.shuffle(&mut order);
    let vote = world.clock.at(world.campaign.calendar.vote, 0);
    for (delay, share) in [(Delay::AfterVote, 0.005), (Delay::Weeks, 0.035), (Delay::Week, 0.14)] {
        let early =
            |meeting: &GeneratedMeeting| delay != Delay::Weeks || meeting.report.starts + SignedDuration::from_hours(10 * 24) < vote;
        let free = |index: &usize| meetings[*index].delay == Delay::Day && early(&meetings[*index]);
        let number = (order.len() as f64 * share).round() as usize;
        let chosen: Vec<usize> = order.iter().copied().filter(free).take(number).collect();
        chosen.into_iter().for_each(|index| meetings[index].delay = delay);
    }
}

/// Puts all voters of the undercounted precinct on one sheet, and twenty people off the roll who state it as their residence, so that
/// more people are reached than registered.
fn overfill_precinct(world: &World<'_>, meetings: &mut [GeneratedMeeting], order: &[usize], rng: &mut SeededRng) {
    let Some(precinct) = world.roll.undercounted else { return };
    let target = &world.roll.precincts[precinct];
    let Some(index) = order.iter().find(|index| meetings[**index].report.unit == target.unit && meetings[**index].lines.len() > 20) else {
        return;
    };
    let off_roll: Vec<u32> = (0..40).filter_map(|_| world.people.draw_off_roll(|_| true, rng)).take(20).collect();
    for person in target.voters.clone().chain(off_roll) {
        let attendee = Attendee::Strong(person);
        if meetings[*index].lines.iter().all(|line| line.attendee != attendee) {
            let residence = StatedResidence::Precinct(precinct);
            meetings[*index].lines.push(GeneratedLine { attendee, residence, adult: Some(true), anomaly: LineAnomaly::None });
        }
    }
    meetings[*index].anomaly = Anomaly::MoreReachedThanCounted;
}

/// Gives reports a revealing category that the plan lacks, in every other one as the second category; adds headcounts.
fn make_revealing(world: &World<'_>, meetings: &mut [GeneratedMeeting], rng: &mut SeededRng) {
    let Some(revealing) = world.campaign.categories.iter().position(|category| category.revealing) else { return };
    let late = meetings.iter_mut().filter(|meeting| matches!(meeting.anomaly, Anomaly::RevealedLate { .. }));
    for (number, meeting) in late.enumerate() {
        match meeting.anomaly {
            // The report in force has no revealing category.
            Anomaly::RevealedLate { contested: true } => {}
            _ if number.is_multiple_of(2) => meeting.report.category = revealing,
            _ => meeting.report.secondary = Some(revealing),
        }
        let named = meeting.lines.len() as u32;
        meeting.headcount.get_or_insert_with(|| audience::count_heads(named, true, rng));
    }
}

/// Says of a few ordinary meetings with a headcount that nobody in the room was a voter. Draws nothing, so no other draw changes.
fn make_ineligible(meetings: &mut [GeneratedMeeting]) {
    let is_ordinary = |meeting: &&mut GeneratedMeeting| meeting.anomaly == Anomaly::None && meeting.outcome == MeetingOutcome::Held;
    let headcounts = meetings.iter_mut().filter(is_ordinary).filter_map(|meeting| meeting.headcount.as_mut());
    for headcount in headcounts.filter(|headcount| !headcount.old_form).step_by(INELIGIBLE_EVERY) {
        headcount.nobody_eligible = true;
        headcount.eligible_minimum = None;
    }
}

/// Gives the first of the meetings' sheets to all of them.
fn copy_sheet(meetings: &mut [GeneratedMeeting], copied: &[usize]) {
    if let Some((first, others)) = copied.split_first() {
        let lines = meetings[*first].lines.clone();
        others.iter().for_each(|index| meetings[*index].lines.clone_from(&lines));
    }
}

/// Chooses sheets that are uploaded as files: those of 16 % of the held meetings without an anomaly, up to four of one unit per file.
fn imports(meetings: &mut [GeneratedMeeting], rng: &mut SeededRng) -> Vec<Vec<usize>> {
    let mut by_unit: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, meeting) in meetings.iter_mut().enumerate() {
        let fits = meeting.anomaly == Anomaly::None && meeting.outcome == MeetingOutcome::Held && !meeting.lines.is_empty();
        if fits && rng.chance(0.16) {
            meeting.is_imported = true;
            by_unit.entry(meeting.report.unit).or_default().push(index);
        }
    }
    by_unit.into_values().flat_map(|indexes| indexes.chunks(4).map(<[usize]>::to_vec).collect::<Vec<_>>()).collect()
}
