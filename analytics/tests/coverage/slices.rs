//! Reach by unit, precinct, coalition, category and week: never a sum of reaches.

use qamtu_analytics::{Coverage, Summary, coverage::Method};
use serde_json::json;

use crate::world::{Residence, World, after, at};

/// Three meetings: m1 in A by CA for the young, m2 in B by R for staff and the young, m3 in B by CA for staff; in three weeks.
fn world() -> World {
    let mut world = World::new();
    world.held("m1", World::place_of("A", "CA", &["YOUTH"], "2026-02-16T10:00:00Z"));
    world.held("m2", World::place_of("B", "R", &["STAFF", "YOUTH", "STAFF"], "2026-02-24T10:00:00Z"));
    world.held("m3", World::place_of("B", "CA", &["STAFF"], "2026-03-03T10:00:00Z"));
    world.strong("m1", [1, 2, 6]);
    world.strong("m2", [1, 8, 9]);
    world.strong("m3", [1, 2, 9, 50]);
    world.heads("m3", &[14], None);
    world
}

fn reached(coverage: &Coverage) -> u64 {
    coverage.region.figures.audience.reach.reached
}

#[test]
fn a_person_at_meetings_in_two_units_counts_in_both_and_once_in_the_region() {
    let coverage = world().coverage(after());
    // A: 1 2 6. B: 1 8 9 and 1 2 9, so 1 2 8 9. Region: 1 2 6 8 9.
    assert_eq!(coverage.units.iter().map(|unit| unit.figures.audience.reach.reached).collect::<Vec<_>>(), [3, 4]);
    assert_eq!(reached(&coverage), 5);
    assert_eq!(coverage.units.iter().map(|unit| unit.figures.audience.contacts).collect::<Vec<_>>(), [3, 6]);
}

#[test]
fn a_unit_is_compared_to_its_voters_and_capped_by_the_region() {
    let coverage = world().coverage(after());
    let reach = &coverage.units[1].figures.audience.reach;
    // B: unidentified = max(14, 4) - 4 = 10; upper = min(220, 4 + 10) = 14; compared to B-1's 80 voters.
    assert_eq!((reach.lower, reach.upper, reach.denominator.voters), (4, 14, 80));
    assert_eq!((reach.method, coverage.units[0].figures.audience.reach.method), (Method::Bounds, Method::Exact));
}

#[test]
fn residents_count_at_home_wherever_they_attended() {
    let coverage = world().coverage(after());
    let precincts: Vec<(&str, u64, u64, u64)> = coverage
        .precincts
        .iter()
        .map(|precinct| (precinct.precinct.as_str(), precinct.residents.reach.reached, precinct.residents.contacts, precinct.meetings))
        .collect();
    // 1 three times, 2 twice. A-2: 6 once. B-1: 8 once, 9 twice.
    assert_eq!(precincts, [("A-1", 2, 5, 0), ("A-2", 1, 1, 0), ("B-1", 2, 3, 0)]);
    let units: Vec<(u64, u64)> = coverage.units.iter().map(|unit| (unit.residents.reach.reached, unit.residents.contacts)).collect();
    assert_eq!(units, [(3, 6), (2, 3)]);
    // Anyone not identified may live there: upper = min(50, 1 + 10) = 11.
    let reach = &coverage.precincts[1].residents.reach;
    assert_eq!((reach.lower, reach.upper, reach.denominator.voters), (1, 11, 50));
    assert_eq!((coverage.precincts_reached(), coverage.precincts_without_meeting()), (3, 3));
}

#[test]
fn a_precinct_has_a_meeting_when_a_counted_report_names_it() {
    let mut world = world();
    let mut place = World::place("2026-02-16T10:00:00Z");
    place["precinct"] = json!("A-2");
    world.held("m4", place.clone());
    world.held("m5", place.clone());
    place["precinct"] = json!("B-1");
    world.planned("m6", place);
    let coverage = world.coverage(after());
    assert_eq!(coverage.precincts.iter().map(|precinct| precinct.meetings).collect::<Vec<_>>(), [0, 2, 0]);
    assert_eq!(coverage.precincts_without_meeting(), 2);
}

#[test]
fn coalitions_compare_to_their_unit_or_the_region() {
    let coverage = world().coverage(after());
    let coalitions: Vec<(&str, Option<&str>, u64, u64)> = coverage
        .coalitions
        .iter()
        .map(|coalition| {
            let reach = &coalition.figures.audience.reach;
            (coalition.coalition.as_str(), coalition.unit.as_ref().map(|unit| unit.as_str()), reach.reached, reach.denominator.voters)
        })
        .collect();
    // CA held m1 and m3: 1 2 6 and 1 2 9. R held m2: 1 8 9. Unit A has 90 + 50 voters.
    assert_eq!(coalitions, [("CA", Some("A"), 4, 140), ("R", None, 3, 220)]);
}

#[test]
fn categories_overlap_and_name_a_meeting_once() {
    let coverage = world().coverage(after());
    let categories: Vec<(&str, u64, u64, u64)> = coverage
        .categories
        .iter()
        .map(|category| {
            let audience = &category.figures.audience;
            (category.category.as_str(), category.figures.fulfilment.held, audience.contacts, audience.reach.reached)
        })
        .collect();
    // YOUTH: m1 and m2, 1 2 6 8 9. STAFF: m2 and m3, 1 2 8 9.
    assert_eq!(categories, [("ELDER", 0, 0, 0), ("STAFF", 2, 6, 4), ("YOUTH", 2, 6, 5)]);
}

#[test]
fn weeks_add_up_first_contacts_and_not_reaches() {
    let coverage = world().coverage(after());
    let weeks: Vec<(&str, u64, u64, u64)> = coverage
        .weeks
        .iter()
        .map(|week| (week.week.as_str(), week.figures.audience.reach.reached, week.first_reached, week.reached_to_date))
        .collect();
    // W08: 1 2 6 are new. W09: 1 8 9, of them 8 9 new. W10: 1 2 9, nobody new.
    assert_eq!(weeks, [("2026-W08", 3, 3, 3), ("2026-W09", 3, 2, 5), ("2026-W10", 3, 0, 5)]);
    assert_eq!(coverage.weeks[0].monday, jiff::civil::date(2026, 2, 16));
}

#[test]
fn weeks_begin_at_local_midnight_on_monday() {
    let mut world = World::new();
    // Monday 23 February begins at 19:00 UTC of the 22nd.
    world.held("m1", World::place("2026-02-22T18:59:59Z"));
    world.held("m2", World::place("2026-02-22T19:00:00Z"));
    let coverage = world.coverage(after());
    let weeks: Vec<(&str, u64)> = coverage.weeks.iter().map(|week| (week.week.as_str(), week.figures.fulfilment.held)).collect();
    assert_eq!(weeks, [("2026-W08", 1), ("2026-W09", 1)]);
}

#[test]
fn the_denominator_is_the_count_that_is_true_on_the_local_day() {
    let world = world();
    let voters = |as_of: &str| {
        let coverage = world.coverage(at(as_of));
        let denominator = coverage.region.figures.audience.reach.denominator;
        (coverage.counts.voters, coverage.counts.precincts, denominator.voters, denominator.date)
    };
    let day = |month, day| Some(jiff::civil::date(2026, month, day));
    // 22 February begins at 19:00 UTC of the 21st: A-1 falls from 100 to 90.
    assert_eq!(voters("2026-02-21T18:59:59Z"), (Some(230), 3, 230, day(1, 2)));
    assert_eq!(voters("2026-02-21T19:00:00Z"), (Some(220), 3, 220, day(2, 22)));
    // On New Year's Day A-2 had no count yet.
    assert_eq!(voters("2026-01-01T00:00:00Z"), (Some(180), 2, 180, day(1, 1)));
}

#[test]
fn a_precinct_that_moved_lies_in_the_unit_of_the_day() {
    let mut world = world();
    // From 1 March on A-2, where 6 lives, belongs to B.
    world.event(
        "precinct.counted",
        json!({"precinct": "A-2", "unit": "B", "number": 1, "as_of": "2026-03-01", "revision": 1, "voters": 50, "source": "test"}),
    );
    let units = |as_of: &str| {
        let coverage = world.coverage(at(as_of));
        let residents = coverage.units.iter().map(|unit| (unit.residents.reach.denominator.voters, unit.residents.reach.reached));
        (residents.collect::<Vec<_>>(), coverage.precincts[1].unit.as_ref().map(ToString::to_string))
    };
    // 90 + 50 voters and 1 2 6 in A, 80 and 8 9 in B; then 90 and 1 2, 80 + 50 and 6 8 9.
    assert_eq!(units("2026-02-28T00:00:00Z"), (vec![(140, 3), (80, 2)], Some("A".to_owned())));
    assert_eq!(units("2026-03-16T00:00:00Z"), (vec![(90, 2), (130, 3)], Some("B".to_owned())));
}

#[test]
fn residents_of_a_precinct_that_nobody_counted_are_compared_to_nothing() {
    let mut world = World::new();
    world.roll.push((90, "X-9"));
    world.held("m1", World::place("2026-02-16T10:00:00Z"));
    world.strong("m1", [90, 1]);
    let coverage = world.coverage(after());
    let last = coverage.precincts.last().expect("precincts");
    assert_eq!((last.precinct.as_str(), last.unit.as_ref(), last.residents.reach.reached), ("X-9", None, 1));
    assert!(!last.residents.reach.over && !last.residents.reach.denominator.is_known());
    assert_eq!(coverage.precincts_over(), 0);
    assert_eq!((coverage.precincts_reached(), coverage.counts.precincts, coverage.counts.roll_precincts), (2, 3, 4));
    // X-9 is not among the precincts that lack a meeting, since it is none of the denominator's.
    assert_eq!(coverage.precincts_without_meeting(), 3);
}

#[test]
fn codes_that_the_reference_data_lacks_are_kept() {
    let mut world = World::new();
    world.held("m1", World::place_of("Z", "CZ", &["OTHER"], "2026-02-16T10:00:00Z"));
    world.strong("m1", [1]);
    let coverage = world.coverage(after());
    let unit = coverage.units.last().expect("units");
    assert_eq!((unit.unit.as_str(), unit.names.as_ref(), unit.figures.audience.reach.reached), ("Z", None, 1));
    // Nobody counted its voters, so nobody can say that more of them came than there are.
    assert!(!unit.figures.audience.reach.over && !unit.figures.audience.reach.denominator.is_known());
    assert_eq!(coverage.coalitions.len(), 3);
    assert_eq!(coverage.categories.iter().filter(|category| category.names.is_none()).count(), 1);
}

#[test]
fn the_ceiling_is_reach_if_nobody_came_twice() {
    let world = world();
    // 10 planned meetings, 3 + 3 + 14 = 20 people at 3 meetings: 10 * 20 / 3 = 66 (rounded down) of 220.
    assert_eq!(world.coverage(after()).region.ceiling, Some(66));
    assert_eq!(World::new().coverage(after()).region.ceiling, None);
    // A meeting that nobody counted says nothing about how many come on average.
    let mut uncounted = self::world();
    uncounted.held("m4", World::place("2026-03-04T10:00:00Z"));
    assert_eq!(uncounted.coverage(after()).region.ceiling, Some(66));
    let mut large = world;
    large.heads("m1", &[5000], None);
    // More than everyone: all 220.
    assert_eq!(large.coverage(after()).region.ceiling, Some(220));
}

#[test]
fn without_a_precinct_count_the_voters_are_unknown_and_nothing_is_capped_by_zero() {
    let mut world = World::new();
    world.events.retain(|event| event["type"] != "qamtu.precinct.counted.v1");
    world.roll.clear();
    world.held("m1", World::place("2026-02-16T10:00:00Z"));
    world.strong("m1", [1]);
    world.state([Residence::Unit("A")]);
    world.heads("m1", &[40], None);
    let coverage = world.coverage(after());
    let reach = &coverage.region.figures.audience.reach;
    assert_eq!((reach.reached, reach.upper, reach.over, coverage.region.ceiling), (1, 40, false, None));
    let figures = serde_json::to_value(Summary::from(&coverage)).expect("figures");
    assert!(figures["counts"]["voters"].is_null() && figures["units"][0]["voters"].is_null(), "{figures}");
}

#[test]
fn a_campaign_without_anything_has_figures() {
    let coverage = World::new().coverage(after());
    assert_eq!(reached(&coverage), 0);
    assert_eq!(coverage.region.figures.audience.reach.method, Method::Exact);
    assert_eq!((coverage.units.len(), coverage.precincts.len(), coverage.weeks.len()), (2, 3, 0));
    assert_eq!((coverage.counts.units, coverage.counts.coalitions, coverage.counts.roll_voters), (2, 2, 10));
}

#[test]
fn figures_show_what_was_computed() {
    let mut world = world();
    world.planned("m9", World::place("2026-03-10T10:00:00Z"));
    let figures = serde_json::to_value(Summary::from(&world.coverage(after()))).expect("figures");
    insta::assert_json_snapshot!("figures", figures);
}
