//! Estimates of a coverage, compared with half-samples that are counted by sets.

use std::collections::BTreeSet;

use qamtu_analytics::{
    coverage::{Coverage, Estimate},
    estimate::{
        HalfSample, Observed, ObservedGroup, estimates,
        half_samples::{HALF_SAMPLES, masks},
    },
};

use crate::world::{World, after};

struct TestMeeting {
    unit: &'static str,
    week: &'static str,
    people: BTreeSet<u64>,
}

/// Meetings of two units and two weeks, each with some of sixty people; every third meeting has only been counted.
fn meetings() -> Vec<TestMeeting> {
    let meeting = |number: u64| TestMeeting {
        unit: if number.is_multiple_of(2) { "A" } else { "B" },
        week: if number < 12 { "2026-W08" } else { "2026-W09" },
        people: (1..=60).filter(|person| (person * person + number * 7) % 11 < 3 + person % 3).collect(),
    };
    (0..24).map(meeting).collect()
}

fn world(meetings: &[TestMeeting]) -> World {
    let mut world = World::new();
    world.roll = (1..=60).map(|person| (person, if person <= 40 { "A-1" } else { "B-1" })).collect();
    world.roll.push((61, "A-2"));
    for (number, meeting) in meetings.iter().enumerate() {
        let (id, day) = (format!("m{number:02}"), if meeting.week == "2026-W08" { "2026-02-18" } else { "2026-02-25" });
        world.held(&id, World::place_of(meeting.unit, "R", &["YOUTH"], &format!("{day}T10:00:00Z")));
        match number % 3 {
            0 => world.heads(&id, &[meeting.people.len() as u32], None),
            _ => world.strong(&id, meeting.people.iter().copied()),
        }
    }
    world
}

/// What the estimate of some meetings is computed from, counted by sets.
fn group(meetings: &[TestMeeting], voters: u64, bounds: (u64, u64), is_in: impl Fn(&TestMeeting) -> bool) -> ObservedGroup {
    let listed: Vec<&TestMeeting> = meetings.iter().enumerate().filter(|(number, _)| number % 3 != 0).map(|(_, meeting)| meeting).collect();
    // Strata are numbered in the order of the meetings.
    let mut seen: Vec<&str> = Vec::new();
    let mut strata = Vec::new();
    for meeting in &listed {
        if !seen.contains(&meeting.unit) {
            seen.push(meeting.unit);
        }
        strata.extend(seen.iter().position(|unit| *unit == meeting.unit));
    }
    let masks = masks(&strata);
    let sample = |drawn: &dyn Fn(u64) -> bool| {
        let own: Vec<&BTreeSet<u64>> = listed
            .iter()
            .zip(&masks)
            .filter(|(meeting, mask)| is_in(meeting) && drawn(**mask))
            .map(|(meeting, _)| &meeting.people)
            .collect();
        let people: BTreeSet<u64> = own.iter().flat_map(|people| people.iter().copied()).collect();
        HalfSample { contacts: own.iter().map(|people| people.len() as u64).sum(), reached: people.len() as u64 }
    };
    let all = sample(&|_| true);
    let counted = meetings.iter().enumerate().filter(|(number, meeting)| number % 3 == 0 && is_in(meeting));
    let unidentified: usize = counted.map(|(_, meeting)| meeting.people.len()).sum();
    let observed = Observed { voters, contacts: all.contacts, reached: all.reached, unidentified: unidentified as f64, bounds };
    ObservedGroup { observed, half_samples: (0..HALF_SAMPLES).map(|number| sample(&|mask| mask >> number & 1 == 1)).collect() }
}

#[test]
fn estimates_of_a_coverage_follow_from_half_samples_of_its_meetings() {
    let meetings = meetings();
    let Coverage { region, units, weeks, .. } = world(&meetings).coverage(after());
    let bounds = |reach: &qamtu_analytics::coverage::Reach| (reach.lower, reach.upper);
    let whole = group(&meetings, 220, bounds(&region.figures.audience.reach), |_| true);
    assert_eq!(vec![region.estimate], estimates(&[whole]));
    assert!(matches!(region.estimate, Estimate::Estimated { .. }), "{:?}", region.estimate);
    let of_units: Vec<ObservedGroup> = units
        .iter()
        .zip([140, 80])
        .map(|(unit, voters)| group(&meetings, voters, bounds(&unit.figures.audience.reach), |meeting| meeting.unit == unit.unit.as_str()))
        .collect();
    assert_eq!(units.iter().map(|unit| unit.estimate).collect::<Vec<_>>(), estimates(&of_units));
    let weeks: Vec<_> = weeks.into_iter().filter(|week| week.figures.fulfilment.held > 0).collect();
    let of_weeks: Vec<ObservedGroup> =
        weeks.iter().map(|week| group(&meetings, 220, bounds(&week.figures.audience.reach), |meeting| meeting.week == week.week)).collect();
    assert_eq!(weeks.iter().map(|week| week.estimate).collect::<Vec<_>>(), estimates(&of_weeks));
}

#[test]
fn a_meeting_that_nobody_counted_leaves_no_exact_number() {
    let mut world = World::new();
    world.held("m", World::place(crate::world::MONDAY));
    world.strong("m", [1, 2, 3]);
    assert_eq!(world.coverage(after()).region.estimate, Estimate::Exact);
    world.held("n", World::place(crate::world::MONDAY));
    assert_eq!(world.coverage(after()).region.estimate, Estimate::NotApplicable);
    world.heads("n", &[100], None);
    assert_eq!(world.coverage(after()).region.estimate, Estimate::FewIdentified);
}
