//! Draws all meetings: plan, moves, outcome and final report.
//!
//! Every unit has exactly its planned meetings and a few outside the plan. [`super::audience`] adds who attended; [`super::stream`] emits
//! the events.

use std::ops::Range;

use jiff::{SignedDuration, Timestamp, civil::Date, civil::Weekday};
use qamtu_schemas::event::PrecinctKind;

use super::{
    World,
    meeting::{Anomaly, Delay, GeneratedDetails, GeneratedMeeting, MeetingOutcome},
    rng::SeededRng,
};

/// Shares of planned meetings that are cancelled, moved, never reported; and of additional meetings outside the plan.
const CANCELLED: f64 = 0.06;
const MOVED: f64 = 0.09;
const UNREPORTED: f64 = 0.02;
const EXTRA: f64 = 0.03;
/// Share of precincts without a planned meeting.
const WITHOUT_MEETING: f64 = 0.034;
/// Maximum number of meetings of one member.
const WORKLOAD_MAX: u32 = 25;

pub(super) fn draw(world: &World<'_>, rng: &mut SeededRng) -> Vec<GeneratedMeeting> {
    let days = day_weights(world);
    let mut planner = Planner { world, days, workload: vec![0; world.people.members.len()] };
    let without_meeting = without_meeting(world, rng);
    let mut meetings = Vec::new();
    let mut extras = 0.0;
    for unit in 0..world.campaign.units.len() {
        let planned = world.campaign.units[unit].synthetic.map_or(0, |size| size.meetings);
        let mut open: Vec<usize> = world.roll.units[unit].clone().filter(|precinct| !without_meeting.contains(precinct)).collect();
        rng.shuffle(&mut open);
        for number in 1..=planned {
            // Every open precinct once, then random ones.
            let precinct = open.get(number as usize - 1).copied().unwrap_or_else(|| *rng.pick(&open));
            let details = planner.details(precinct, rng);
            meetings.push(planner.meeting(format!("{}-{number:04}", world.campaign.units[unit].code), details, true, rng));
        }
        extras += f64::from(planned) * EXTRA;
        for number in 1..=extras as u32 {
            let details = planner.details(*rng.pick(&open), rng);
            meetings.push(planner.meeting(format!("{}-X{number:03}", world.campaign.units[unit].code), details, false, rng));
        }
        extras = extras.fract();
    }
    decide_outcomes(world, &mut meetings, rng);
    meetings
}

/// Chooses the precincts without a planned meeting, special ones first.
fn without_meeting(world: &World<'_>, rng: &mut SeededRng) -> Vec<usize> {
    let mut order: Vec<usize> = (0..world.roll.precincts.len()).collect();
    rng.shuffle(&mut order);
    order.sort_by_key(|index| world.roll.precincts[*index].kind == PrecinctKind::Ordinary);
    order.truncate((world.roll.precincts.len() as f64 * WITHOUT_MEETING) as usize);
    // Every unit needs at least one precinct with meetings.
    for unit in &world.roll.units {
        if order.iter().filter(|index| unit.contains(index)).count() == unit.len() {
            order.retain(|index| *index != unit.start);
        }
    }
    order
}

/// Weight of each campaign day: low in the first week, high in the last; lower on weekends and holidays.
fn day_weights(world: &World<'_>) -> Vec<(Date, f64)> {
    let last = world.campaign.calendar.closes;
    let days: Vec<Date> = world.scenario.first_meeting.series(jiff::Span::new().days(1)).take_while(|day| *day <= last).collect();
    let factor = |day: &Date| {
        let weekday = match day.weekday() {
            Weekday::Saturday => 0.6,
            Weekday::Sunday => 0.35,
            _ => 1.0,
        };
        if world.scenario.quiet_days.contains(day) { 0.2 * weekday } else { weekday }
    };
    let week = 7.min(days.len() / 3);
    let parts: [(Range<usize>, f64); 3] = [(0..week, 0.15), (week..days.len() - week, 0.53), (days.len() - week..days.len(), 0.32)];
    parts
        .into_iter()
        .flat_map(|(range, share)| {
            let days = &days[range];
            let sum: f64 = days.iter().map(factor).sum();
            days.iter().map(move |day| (*day, share * factor(day) / sum))
        })
        .collect()
}

struct Planner<'a> {
    world: &'a World<'a>,
    days: Vec<(Date, f64)>,
    workload: Vec<u32>,
}

impl Planner<'_> {
    fn meeting(&self, id: String, details: GeneratedDetails, is_planned: bool, rng: &mut SeededRng) -> GeneratedMeeting {
        let mut report = details.clone();
        report.expected = None;
        report.starts += SignedDuration::from_mins(5 * rng.between(-1, 5));
        let mut plan = details;
        if rng.chance(0.1) {
            plan.precinct = None;
            plan.venue = None;
        }
        // INVARIANT: a unit's code, a hyphen and a number are a valid code.
        let id = id.parse().expect("a meeting id");
        GeneratedMeeting {
            id,
            plan: is_planned.then_some(plan),
            moves: Vec::new(),
            outcome: MeetingOutcome::Held,
            report,
            headcount: None,
            lines: Vec::new(),
            anomaly: Anomaly::None,
            delay: Delay::Day,
            is_imported: false,
        }
    }

    /// The details of a meeting in a precinct.
    fn details(&mut self, precinct: usize, rng: &mut SeededRng) -> GeneratedDetails {
        let world = self.world;
        let unit = world.roll.precincts[precinct].unit;
        let format = rng.weighted(world.scenario.formats.iter().map(|format| f64::from(format.share)));
        let style = &world.scenario.formats[format];
        let index_of = |code| world.campaign.categories.iter().position(|category| category.code == code);
        let category = index_of(rng.pick(&style.categories).clone()).unwrap_or(0);
        let secondary =
            rng.chance(0.25).then(|| index_of(rng.pick(&style.categories).clone())).flatten().filter(|other| *other != category);
        let language = {
            let chosen = rng.weighted(world.scenario.language_shares.values().map(|share| f64::from(*share)));
            let code = world.scenario.language_shares.keys().nth(chosen);
            world.campaign.languages.iter().position(|language| Some(&language.code) == code).unwrap_or(0)
        };
        let here: Vec<usize> = (0..world.venues.len()).filter(|venue| world.venues[*venue].precinct == precinct).collect();
        let venue = (!here.is_empty() && rng.chance(0.6)).then(|| *rng.pick(&here));
        let coalition = self.coalition(unit, rng);
        let members = self.members(coalition, rng);
        let starts = self.starts(style.precincts, rng);
        let expected = Some((style.median / 5.0).round() as u32 * 5);
        GeneratedDetails {
            unit,
            precinct: Some(precinct),
            venue,
            coalition,
            members,
            category,
            secondary,
            format,
            language,
            starts,
            expected,
        }
    }

    /// The unit's coalition, or, with the probability of its share of members, that of the whole region.
    fn coalition(&self, unit: usize, rng: &mut SeededRng) -> usize {
        let campaign = self.world.campaign;
        let regional = campaign.coalitions.iter().position(|coalition| coalition.unit.is_none());
        let share = f64::from(self.world.scenario.regional_members) / self.world.people.members.len() as f64;
        let local = campaign.coalitions.iter().position(|coalition| coalition.unit.as_ref() == Some(&campaign.units[unit].code));
        if rng.chance(share) { regional.or(local) } else { local }.unwrap_or(0)
    }

    fn members(&mut self, coalition: usize, rng: &mut SeededRng) -> Vec<usize> {
        let mut chosen: Vec<usize> = Vec::new();
        for _ in 0..=rng.weighted([0.6, 0.3, 0.1].into_iter()) {
            let weights = self.world.people.members.iter().enumerate().map(|(index, member)| {
                let free = self.workload[index] < WORKLOAD_MAX && !chosen.contains(&index);
                if member.coalition == coalition && free { member.workload } else { 0.0 }
            });
            let member = rng.weighted(weights);
            if self.world.people.members[member].coalition == coalition && !chosen.contains(&member) {
                self.workload[member] += 1;
                chosen.push(member);
            }
        }
        chosen
    }

    /// Draws the start: meetings of neighbours in the evening, all others before lunch or in the afternoon.
    fn starts(&self, precincts: u32, rng: &mut SeededRng) -> Timestamp {
        let (day, _) = self.days[rng.weighted(self.days.iter().map(|(_, weight)| *weight))];
        let evening = (1..=2).contains(&precincts);
        let morning = !evening && day > self.world.scenario.first_meeting && rng.chance(0.5);
        let (first, last) = if evening {
            (17, 18)
        } else if morning {
            (10, 11)
        } else {
            (15, 17)
        };
        self.world.clock.at(day, rng.between(first, last) as i8) + SignedDuration::from_mins(15 * rng.between(0, 3))
    }
}

/// Chooses which planned meetings are moved, cancelled or never reported.
fn decide_outcomes(world: &World<'_>, meetings: &mut [GeneratedMeeting], rng: &mut SeededRng) {
    let mut in_precinct = vec![0_u32; world.roll.precincts.len()];
    meetings.iter().filter_map(|meeting| meeting.report.precinct).for_each(|precinct| in_precinct[precinct] += 1);
    let mut order: Vec<usize> = (0..meetings.len()).filter(|index| meetings[*index].plan.is_some()).collect();
    let planned = order.len() as f64;
    rng.shuffle(&mut order);
    let moved: Vec<usize> = order.iter().rev().copied().take((planned * MOVED).round() as usize).collect();
    for index in moved {
        reschedule(world, &mut meetings[index], rng);
    }
    // Members who never report come first. The only meeting of a precinct is always held.
    order.sort_by_key(|index| !meetings[*index].report.members.first().is_some_and(|member| world.people.members[*member].silent));
    let mut left = [
        (MeetingOutcome::Unreported, (planned * UNREPORTED).round() as u32),
        (MeetingOutcome::Cancelled, (planned * CANCELLED).round() as u32),
    ];
    for index in order {
        let precinct = meetings[index].report.precinct.unwrap_or(0);
        let Some((outcome, number)) = left.iter_mut().find(|(_, number)| *number > 0) else { break };
        if in_precinct[precinct] > 1 {
            in_precinct[precinct] -= 1;
            *number -= 1;
            meetings[index].outcome = *outcome;
        }
    }
}

fn reschedule(world: &World<'_>, meeting: &mut GeneratedMeeting, rng: &mut SeededRng) {
    let Some(mut starts) = meeting.plan.as_ref().map(|plan| plan.starts) else { return };
    let late = meeting.report.starts.duration_since(starts);
    for _ in 0..=usize::from(rng.chance(0.15)) {
        let later = starts + SignedDuration::from_hours(24 * rng.between(1, 4));
        let lawful = world.clock.day(later) <= world.campaign.calendar.closes;
        starts = if lawful { later } else { starts + SignedDuration::from_mins(30) };
        meeting.moves.push(starts);
    }
    meeting.report.starts = starts + late;
}
