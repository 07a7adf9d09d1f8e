//! Chooses the anomalies before events are emitted: of meetings, of reporting delays, and of lines of attendance sheets.
//!
//! A [`Meeting`] holds the final facts. An anomaly decides by which events they are reported (a wrong report and its correction), or
//! changes the final facts (a clock an hour ahead, a date after the last lawful day). Each meeting has at most one.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::{
    World, audience, iin,
    meeting::{Anomaly, CorrectionPattern, Delay, Line, LineAnomaly, Meeting, MeetingOutcome, StatedResidence},
    people::{Attendee, People},
    rng::SeededRng,
    roll::Roll,
};
use crate::submission::Iin;

/// Sheets under unknown meeting ids.
const STRAY_SHEETS: u32 = 12;
/// Meetings with revealing audiences from which names are sent, which ingest refuses.
const REFUSED_NAMES: usize = 6;
/// Meetings whose names arrive before it is known that their audience is revealing.
const REVEALED_LATE: usize = 6;
/// Meetings without a report whose sheet arrives nevertheless.
const SHEETS_WITHOUT_REPORT: usize = 5;

/// Chooses all anomalies, first those that fit few meetings. Returns the meetings whose sheets share an import file; the last file is
/// reversed.
pub(super) fn decide(world: &mut World<'_>, meetings: &mut Vec<Meeting>, rng: &mut SeededRng) -> Vec<Vec<usize>> {
    line_anomalies(world, meetings, rng);
    stray_sheets(world, meetings, rng);
    let mut order: Vec<usize> = (0..meetings.len()).filter(|index| meetings[*index].outcome == MeetingOutcome::Held).collect();
    rng.shuffle(&mut order);
    delays(world, meetings, &order, rng);
    overfill_precinct(world, meetings, &order, rng);
    let mut anomalies = Assignment { order: &order, held: order.len() as f64, meetings };
    let copied = anomalies.assign(3, Anomaly::CopiedSheet, |meeting| (20..80).contains(&meeting.lines.len()));
    let reversed = anomalies.assign(3, Anomaly::ReversedImport, |meeting| meeting.lines.len() > 10 && meeting.headcount.is_none());
    let last = world.campaign.calendar.closes;
    let silence = anomalies.assign(2, Anomaly::DatedOnSilenceDay, |meeting| {
        meeting.plan.is_some() && world.clock.day(meeting.report.starts) == last && meeting.moves.is_empty()
    });
    anomalies.assign(REFUSED_NAMES, Anomaly::RefusedNames, |meeting| meeting.plan.is_some() && audience::revealing(world, &meeting.report));
    let sound = |meeting: &Meeting| meeting.lines.iter().all(|line| line.anomaly == LineAnomaly::None);
    let unrevealing = |meeting: &Meeting| !audience::revealing(world, &meeting.report);
    let has_sound_sheet = |meeting: &Meeting| meeting.plan.is_some() && !meeting.lines.is_empty() && sound(meeting) && unrevealing(meeting);
    if world.campaign.categories.iter().any(|category| category.revealing) {
        anomalies.assign(REVEALED_LATE, Anomaly::RevealedLate { contested: false }, has_sound_sheet);
        anomalies.assign(REVEALED_LATE / 2, Anomaly::RevealedLate { contested: true }, has_sound_sheet);
    }
    // Mondays first: local midnight belongs to the previous week in UTC.
    let first = world.scenario.first_meeting;
    let after_first_day = |meeting: &Meeting| world.clock.day(meeting.report.starts) > first;
    anomalies.assign(2, Anomaly::DateOnly, |meeting| {
        after_first_day(meeting) && world.clock.day(meeting.report.starts).weekday() == jiff::civil::Weekday::Monday
    });
    if world.campaign.units.len() > 1 {
        for contested in [false, true] {
            anomalies.assign(4, Anomaly::OtherUnit { contested }, |meeting| meeting.plan.is_some() && !meeting.lines.is_empty());
        }
    }
    anomalies.assign(6, Anomaly::HeldEarly, |meeting| {
        let planned = meeting.plan.as_ref().map(|plan| world.clock.day(plan.starts));
        planned < meeting.planned_start().map(|starts| world.clock.day(starts))
    });
    // Not on the first day, since the shifted start would lie before the reference data.
    anomalies.by_share(after_first_day);
    copy_sheet(meetings, &copied);
    make_revealing(world, meetings, rng);
    for (number, index) in silence.into_iter().enumerate() {
        let starts = meetings[index].report.starts + SignedDuration::from_hours(24);
        // The first one at local midnight, which is still a lawful day in UTC.
        meetings[index].report.starts = if number == 0 { world.clock.at(world.clock.day(starts), 0) } else { starts };
    }
    for meeting in meetings.iter_mut() {
        match meeting.anomaly {
            Anomaly::DateOnly => meeting.report.starts = world.clock.at(world.clock.day(meeting.report.starts), 0),
            Anomaly::HeldEarly => meeting.report.starts = meeting.plan.as_ref().map_or(meeting.report.starts, |plan| plan.starts),
            Anomaly::MovedToUnlawfulDay => {
                let silence = world.campaign.calendar.silence;
                meeting.moves.push(world.clock.at(silence, 16));
            }
            Anomaly::OtherUnit { .. } => {
                meeting.report.unit = (meeting.report.unit + 1) % world.campaign.units.len();
                meeting.report.precinct = None;
                meeting.report.venue = None;
            }
            Anomaly::StaleTimeZone => meeting.report.starts -= SignedDuration::from_hours(1),
            Anomaly::StaleTimeZoneAtMidnight => {
                meeting.report.starts = world.clock.at(world.clock.day(meeting.report.starts), 0) - SignedDuration::from_hours(1);
            }
            Anomaly::Uncounted => {
                meeting.lines.clear();
                meeting.headcount = None;
            }
            Anomaly::NotHeld => meeting.outcome = MeetingOutcome::Cancelled,
            _ => {}
        }
    }
    let mut imports = imports(meetings, rng);
    imports.push(reversed);
    imports
}

struct Assignment<'a> {
    order: &'a [usize],
    held: f64,
    meetings: &'a mut Vec<Meeting>,
}

impl Assignment<'_> {
    /// Gives an anomaly to the first `number` meetings that pass the filter and have none.
    fn assign(&mut self, number: usize, anomaly: Anomaly, filter: impl Fn(&Meeting) -> bool) -> Vec<usize> {
        let free = |index: &usize| self.meetings[*index].anomaly == Anomaly::None && filter(&self.meetings[*index]);
        let chosen: Vec<usize> = self.order.iter().copied().filter(free).take(number).collect();
        chosen.iter().for_each(|index| self.meetings[*index].anomaly = anomaly);
        chosen
    }

    /// Anomalies by their share of held meetings. Corrections are 5 %; of them 15 % are corrected twice and 10 % arrive before the original.
    fn by_share(&mut self, after_first_day: impl Fn(&Meeting) -> bool + Copy) {
        let held = self.held;
        let count = |share: f64| (held * share).round() as usize;
        let planned = |meeting: &Meeting| meeting.plan.is_some();
        let unmoved = |meeting: &Meeting| meeting.plan.is_some() && meeting.moves.is_empty();
        let sheet = |meeting: &Meeting| !meeting.lines.is_empty();
        let headcount = |meeting: &Meeting| meeting.headcount.is_some();
        for (pattern, part) in [(CorrectionPattern::Twice, 0.15), (CorrectionPattern::Early, 0.1), (CorrectionPattern::Once, 0.75)] {
            let [dates, units, recounts] = [0.02 * part, 0.01 * part, 0.02 * part].map(count);
            self.assign(dates, Anomaly::WrongDate(pattern), |_| true);
            self.assign(units, Anomaly::WrongUnit(pattern), |_| true);
            self.assign(recounts, Anomaly::WrongHeadcount(pattern), headcount);
        }
        let [few, one, half, tenth] = [0.0025, 0.01, 0.005, 0.1].map(count);
        let midnights = half / 3;
        self.assign(few, Anomaly::NotHeld, |meeting| planned(meeting) && sheet(meeting));
        self.assign(few, Anomaly::CancelledYetHeld, planned);
        self.assign(few, Anomaly::CancellationCorrected, planned);
        self.assign(one, Anomaly::TwoReports, |_| true);
        self.assign(one, Anomaly::TwoHeadcounts, headcount);
        self.assign(one, Anomaly::Rekeyed, sheet);
        self.assign(midnights, Anomaly::StaleTimeZoneAtMidnight, after_first_day);
        self.assign(half - midnights, Anomaly::StaleTimeZone, |_| true);
        self.assign(few, Anomaly::Uncounted, |_| true);
        self.assign(one, Anomaly::MisspeltUnit, |_| true);
        self.assign(one, Anomaly::LatePlan, |meeting| unmoved(meeting) && sheet(meeting));
        self.assign(few, Anomaly::Replanned { early: true }, unmoved);
        self.assign(2 * one - few, Anomaly::Replanned { early: false }, unmoved);
        self.assign(few, Anomaly::TwoPlans, unmoved);
        self.assign(few, Anomaly::MovedToUnlawfulDay, unmoved);
        self.assign(few, Anomaly::DateOnly, after_first_day);
        self.assign(tenth, Anomaly::SheetFirst, sheet);
    }
}

/// 18 % are reported more than a day late, 4 % more than a week (of meetings early enough), 0.5 % after the vote.
fn delays(world: &World<'_>, meetings: &mut [Meeting], order: &[usize], rng: &mut SeededRng) {
    let mut order = order.to_vec();
    rng.shuffle(&mut order);
    let vote = world.clock.at(world.campaign.calendar.vote, 0);
    for (delay, share) in [(Delay::AfterVote, 0.005), (Delay::Weeks, 0.035), (Delay::Week, 0.14)] {
        let early = |meeting: &Meeting| delay != Delay::Weeks || meeting.report.starts + SignedDuration::from_hours(10 * 24) < vote;
        let free = |index: &usize| meetings[*index].delay == Delay::Day && early(&meetings[*index]);
        let number = (order.len() as f64 * share).round() as usize;
        let chosen: Vec<usize> = order.iter().copied().filter(free).take(number).collect();
        chosen.into_iter().for_each(|index| meetings[index].delay = delay);
    }
}

/// Anomalies of sheet lines: 1.2 % wrong digits, 0.4 % transposed digits, 1 % unknown units, 1 % retracted.
fn line_anomalies(world: &mut World<'_>, meetings: &mut [Meeting], rng: &mut SeededRng) {
    let voter_index = VoterIndex::of(&world.roll);
    for meeting in meetings.iter_mut() {
        let mut mistaken = Vec::new();
        for line in &mut meeting.lines {
            match rng.weighted([0.012, 0.004, 0.01, 0.01, 0.964].into_iter()) {
                0 => line.anomaly = mistyped(&world.people, &world.roll, line.attendee, rng),
                1 => transposed(world, &voter_index, line, rng),
                2 if matches!(line.residence, StatedResidence::Unit(_) | StatedResidence::Precinct(_)) => {
                    line.anomaly = LineAnomaly::MisspeltUnit
                }
                3 => mistaken.push(line.residence),
                _ => {}
            }
        }
        let catchment = world.roll.voters_of(meeting.report.unit);
        for _ in mistaken {
            let attendee = Attendee::Strong(world.roll.draw_voter(&catchment, rng));
            if meeting.lines.iter().all(|line| line.attendee != attendee) {
                let line = Line { anomaly: LineAnomaly::Retracted, ..audience::sheet_line(world, attendee, meeting.report.unit, rng) };
                meeting.lines.push(line);
            }
        }
    }
}

/// A national id with one wrong digit and therefore a wrong check digit.
fn mistyped(people: &People, roll: &Roll, attendee: Attendee, rng: &mut SeededRng) -> LineAnomaly {
    let Attendee::Strong(person) = attendee else { return LineAnomaly::None };
    let number = people.iin(person, roll).0;
    let typed = (0..100).map(|_| {
        let power = 10_u64.pow(rng.below(12) as u32);
        let digit = number / power % 10;
        number - digit * power + (digit + rng.between(1, 9).unsigned_abs()) % 10 * power
    });
    let bad = typed.map(Iin).find(|iin| !iin::is_valid(*iin));
    bad.map_or(LineAnomaly::None, |typed| LineAnomaly::Mistyped { typed, corrected: rng.chance(0.7) })
}

/// Swaps two neighbouring digits. If the check digit is still valid, another person is recorded, or an id that nobody has.
fn transposed(world: &mut World<'_>, voter_index: &VoterIndex, line: &mut Line, rng: &mut SeededRng) {
    let Attendee::Strong(person) = line.attendee else { return };
    let number = world.people.iin(person, &world.roll).0;
    let power = 10_u64.pow(rng.below(11) as u32);
    let (low, high) = (number / power % 10, number / power / 10 % 10);
    if low == high {
        return;
    }
    let typed = Iin(number - low * power - high * power * 10 + high * power + low * power * 10);
    if iin::is_valid(typed) {
        let known = voter_index.voter(typed).or_else(|| world.people.find_off_roll(typed));
        line.attendee = Attendee::Strong(known.unwrap_or_else(|| world.people.add_mistyped(typed)));
    } else {
        line.anomaly = LineAnomaly::Mistyped { typed, corrected: rng.chance(0.7) };
    }
}

struct VoterIndex(Vec<(Iin, u32)>);

impl VoterIndex {
    fn of(roll: &Roll) -> Self {
        let mut all: Vec<(Iin, u32)> = roll.iins().iter().copied().zip(0..).collect();
        all.sort_unstable();
        Self(all)
    }
    fn voter(&self, iin: Iin) -> Option<u32> {
        self.0.binary_search_by_key(&iin, |(iin, _)| *iin).ok().map(|index| self.0[index].1)
    }
}

/// Adds sheets with unknown meeting ids, and sheets of meetings without a report.
fn stray_sheets(world: &World<'_>, meetings: &mut Vec<Meeting>, rng: &mut SeededRng) {
    let silent = |meeting: &Meeting| meeting.outcome == MeetingOutcome::Unreported && !audience::revealing(world, &meeting.report);
    let silent: Vec<usize> = (0..meetings.len()).filter(|index| silent(&meetings[*index])).collect();
    for index in silent.into_iter().take(SHEETS_WITHOUT_REPORT) {
        let lines = local_lines(world, &meetings[index], rng);
        meetings[index].lines = lines;
        meetings[index].anomaly = Anomaly::StraySheet;
    }
    for number in 0..STRAY_SHEETS {
        let like = &meetings[rng.below(meetings.len())];
        let mut stray = like.clone();
        // INVARIANT: a unit's code, a hyphen and a number are a valid code.
        stray.id = format!("{}-{}", world.campaign.units[like.report.unit].code, 9_001 + number).parse().expect("a meeting id");
        stray.lines = local_lines(world, like, rng);
        stray.moves.clear();
        stray.plan = None;
        stray.outcome = MeetingOutcome::Unreported;
        stray.headcount = rng.chance(0.5).then(|| audience::count_heads(stray.lines.len() as u32, true, rng));
        stray.anomaly = Anomaly::StraySheet;
        meetings.push(stray);
    }
}

fn local_lines(world: &World<'_>, meeting: &Meeting, rng: &mut SeededRng) -> Vec<Line> {
    let among = world.roll.voters_of(meeting.report.unit);
    let mut people: Vec<u32> = (0..rng.between(5, 15)).map(|_| world.roll.draw_voter(&among, rng)).collect();
    people.sort_unstable();
    people.dedup();
    people.into_iter().map(|voter| audience::sheet_line(world, Attendee::Strong(voter), meeting.report.unit, rng)).collect()
}

/// Puts all voters of the undercounted precinct on one sheet, and twenty people off the roll who state it as their residence, so that
/// more people are reached than registered.
fn overfill_precinct(world: &World<'_>, meetings: &mut [Meeting], order: &[usize], rng: &mut SeededRng) {
    let Some(precinct) = world.roll.undercounted else { return };
    let target = &world.roll.precincts[precinct];
    let Some(index) = order.iter().find(|index| meetings[**index].report.unit == target.unit && meetings[**index].lines.len() > 20) else {
        return;
    };
    let off_roll: Vec<u32> = (0..40).filter_map(|_| world.people.draw_off_roll(|_| true, rng)).take(20).collect();
    for person in target.voters.clone().chain(off_roll) {
        let attendee = Attendee::Strong(person);
        if meetings[*index].lines.iter().all(|line| line.attendee != attendee) {
            let line = Line { attendee, residence: StatedResidence::Precinct(precinct), adult: Some(true), anomaly: LineAnomaly::None };
            meetings[*index].lines.push(line);
        }
    }
    meetings[*index].anomaly = Anomaly::MoreReachedThanCounted;
}

/// Gives reports a revealing category that the plan lacks, in every other one as the second category; adds headcounts.
fn make_revealing(world: &World<'_>, meetings: &mut [Meeting], rng: &mut SeededRng) {
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

fn copy_sheet(meetings: &mut [Meeting], copied: &[usize]) {
    if let Some((first, others)) = copied.split_first() {
        let lines = meetings[*first].lines.clone();
        others.iter().for_each(|index| meetings[*index].lines.clone_from(&lines));
    }
}

/// Chooses sheets that are uploaded as files: those of 16 % of the held meetings without an anomaly, up to four of one unit per file.
fn imports(meetings: &mut [Meeting], rng: &mut SeededRng) -> Vec<Vec<usize>> {
    let mut by_unit: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, meeting) in meetings.iter().enumerate() {
        if meeting.anomaly == Anomaly::None && meeting.outcome == MeetingOutcome::Held && !meeting.lines.is_empty() && rng.chance(0.16) {
            by_unit.entry(meeting.report.unit).or_default().push(index);
        }
    }
    let imports: Vec<Vec<usize>> =
        by_unit.into_values().flat_map(|indexes| indexes.chunks(4).map(<[usize]>::to_vec).collect::<Vec<_>>()).collect();
    for (number, import) in imports.iter().enumerate() {
        import.iter().for_each(|index| meetings[*index].import = Some(number));
    }
    imports
}
