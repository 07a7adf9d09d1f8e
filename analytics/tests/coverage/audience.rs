//! The people at one meeting and at several, as worked out by hand: lists and headcounts give bounds, and a person counts once.

use qamtu_analytics::{
    AnalyticsError,
    coverage::{Audience, Method},
    facts_store::{AttendanceRun, FactsStore},
};

use crate::world::{MONDAY, World, after};

fn audience(world: &World) -> Audience {
    world.coverage(after()).region.figures.audience
}

#[test]
fn a_person_recorded_twice_at_a_meeting_counts_once() {
    let mut world = World::new();
    world.held("m1", World::place(MONDAY));
    world.strong("m1", [1, 2, 1, 50, 1, 50]);
    world.weak("m1", [70, 70]);
    let audience = audience(&world);
    // Strong: 1, 2 and 50; on the roll: 1 and 2; weak: 70.
    assert_eq!((audience.identified, audience.contacts, audience.outside, audience.weak), (3, 2, 1, 1));
    // k = 3 + 1 = 4, no headcount: gross = max(0, 4) = 4, unidentified = max(0, 4) - 3 = 1.
    assert_eq!((audience.gross, audience.unidentified), (4, 1));
    assert_eq!((audience.headcount_meetings, audience.identified_meetings), (0, 1));
    // lower = 2, upper = min(220, 2 + 1) = 3.
    let reach = audience.reach;
    assert_eq!((reach.reached, reach.lower, reach.upper, reach.method), (2, 2, 3, Method::Bounds));
}

#[test]
fn everyone_identified_is_exact() {
    let mut world = World::new();
    world.held("m1", World::place(MONDAY));
    world.strong("m1", [1, 2, 3]);
    world.heads("m1", &[3], None);
    let reach = audience(&world).reach;
    // unidentified = max(3, 3) - 3 = 0: lower = reached = upper = 3.
    assert_eq!((reach.reached, reach.lower, reach.upper, reach.method), (3, 3, 3, Method::Exact));
}

#[test]
fn a_headcount_alone_bounds_reach() {
    let mut world = World::new();
    world.held("m1", World::place(MONDAY));
    world.heads("m1", &[40], Some(25));
    world.held("m2", World::place(MONDAY));
    world.heads("m2", &[30], Some(10));
    let audience = audience(&world);
    // gross = 40 + 30, unidentified the same; nobody is identified.
    assert_eq!((audience.gross, audience.unidentified, audience.identified), (70, 70, 0));
    assert_eq!((audience.headcount_meetings, audience.identified_meetings), (2, 0));
    // lower = max(0, 25, 10) = 25: the two rooms may hold the same people. upper = min(220, 0 + 70) = 70.
    assert_eq!((audience.reach.reached, audience.reach.lower, audience.reach.upper), (0, 25, 70));
}

#[test]
fn a_headcount_includes_the_identified() {
    let mut world = World::new();
    world.held("m1", World::place(MONDAY));
    world.strong("m1", [1, 2, 50]);
    world.weak("m1", [70]);
    world.heads("m1", &[10], Some(6));
    let audience = audience(&world);
    // k = 3 + 1 = 4; gross = max(10, 4) = 10; unidentified = max(10, 4) - 3 = 7.
    assert_eq!((audience.gross, audience.unidentified), (10, 7));
    // minimum = min(6, 2 + 7) = 6; lower = max(2, 6) = 6; upper = min(220, 2 + 7) = 9.
    assert_eq!((audience.reach.lower, audience.reach.upper), (6, 9));
}

#[test]
fn a_headcount_below_the_list_is_a_miscount() {
    let mut world = World::new();
    world.held("m1", World::place(MONDAY));
    world.strong("m1", [1, 2, 3, 4]);
    world.weak("m1", [70]);
    world.heads("m1", &[3], None);
    let audience = audience(&world);
    // k = 5: gross = max(3, 5) = 5, unidentified = max(3, 5) - 4 = 1.
    assert_eq!((audience.gross, audience.unidentified, audience.reach.upper), (5, 1, 5));
}

#[test]
fn of_two_counters_the_lower_is_gross_and_the_higher_bounds() {
    let mut world = World::new();
    world.held("m1", World::place(MONDAY));
    world.strong("m1", [1]);
    world.heads("m1", &[52, 47], None);
    let audience = audience(&world);
    // gross = max(47, 1), unidentified = max(52, 1) - 1.
    assert_eq!((audience.gross, audience.unidentified, audience.reach.upper), (47, 51, 52));
}

#[test]
fn a_minimum_that_known_outsiders_contradict_is_capped() {
    let mut world = World::new();
    world.held("m1", World::place(MONDAY));
    world.strong("m1", [1, 50, 51, 52]);
    world.heads("m1", &[5], Some(5));
    let reach = audience(&world).reach;
    // Three of five in the room are known to be no voters: minimum = min(5, e + unidentified) = min(5, 1 + 1) = 2.
    assert_eq!((reach.reached, reach.lower, reach.upper), (1, 2, 2));
}

#[test]
fn weak_identification_never_enters_exact_reach() {
    let mut world = World::new();
    world.held("m1", World::place(MONDAY));
    // Person 1 is on the roll, but signs by phone.
    world.weak("m1", [1, 2]);
    let audience = audience(&world);
    assert_eq!((audience.weak, audience.identified, audience.reach.reached, audience.reach.upper), (2, 0, 0, 2));
}

#[test]
fn frequency_counts_meetings_and_not_rows() {
    let mut world = World::new();
    for meeting in ["m1", "m2", "m3", "m4", "m5", "m6"] {
        world.held(meeting, World::place(MONDAY));
        world.strong(meeting, [1, 1]);
    }
    world.strong("m1", [2, 3, 4, 5, 50]);
    world.strong("m2", [2, 3, 4, 5]);
    world.strong("m3", [3, 4, 5]);
    world.strong("m4", [4]);
    let region = world.coverage(after()).region;
    // Attendance: 1 six times, 2 twice, 3 three times, 4 four times, 5 three times; 50 is outside.
    assert_eq!(region.frequencies, [0, 1, 2, 1, 1]);
    // Contacts: 6 + 2 + 3 + 4 + 3 = 18 by 5 people.
    assert_eq!((region.figures.audience.contacts, region.figures.audience.reach.reached), (18, 5));
}

#[test]
fn more_reached_than_registered_is_flagged_and_not_clipped() {
    let mut world = World::new();
    // Forty more people than A-2 has voters live there.
    world.roll.retain(|(_, home)| *home != "A-2");
    world.roll.extend((100..190).map(|person| (person, "A-2")));
    world.held("m1", World::place(MONDAY));
    world.strong("m1", 100..190);
    world.heads("m1", &[100], None);
    let coverage = world.coverage(after());
    let precinct = &coverage.precincts[1];
    // 90 of 50 voters: reached = lower = upper = 90, since only what is uncertain is capped.
    let reach = &precinct.residents.reach;
    assert_eq!((reach.denominator.voters, reach.reached, reach.lower, reach.upper, reach.over), (50, 90, 90, 90, true));
    // The region is below its 220: upper = min(220, 90 + 10) = 100.
    let reach = &coverage.region.figures.audience.reach;
    assert_eq!((reach.reached, reach.upper, reach.over), (90, 100, false));
}

#[test]
fn attendance_of_a_meeting_that_is_not_held_is_pending() {
    let mut world = World::new();
    world.planned("planned", World::place(MONDAY));
    world.strong("planned", [1, 2, 2]);
    world.planned("cancelled", World::place(MONDAY));
    world.cancelled("cancelled");
    world.strong("cancelled", [3]);
    world.weak("cancelled", [70, 70]);
    world.strong("unheard-of", [4, 50, 50]);
    let coverage = world.coverage(after());
    // 2 people + 1 and 1 weak + 2, one of them outside.
    assert_eq!(coverage.region.attendance_without_report, 6);
    let audience = coverage.region.figures.audience;
    assert_eq!((audience.gross, audience.identified, audience.weak, audience.reach.reached), (0, 0, 0, 0));
    assert_eq!(coverage.region.frequencies, [0; 5]);
    assert_eq!((coverage.region.figures.fulfilment.pending, coverage.counts.meetings_known), (1, 3));
}

#[test]
fn a_held_meeting_that_nobody_counted_leaves_the_upper_bound_incomplete() {
    let mut world = World::new();
    world.held("m1", World::place(MONDAY));
    world.strong("m1", [1, 2]);
    world.held("m2", World::place_of("B", "R", &["STAFF"], MONDAY));
    let coverage = world.coverage(after());
    let audience = &coverage.region.figures.audience;
    assert_eq!((audience.uncounted_meetings, audience.unidentified, audience.reach.lower, audience.reach.upper), (1, 0, 2, 2));
    assert_eq!(audience.reach.method, Method::Bounds);
    // Nobody is missing from the room in A, but residents of A may have been in B.
    let unit = &coverage.units[0];
    assert_eq!((unit.figures.audience.uncounted_meetings, unit.figures.audience.reach.method), (0, Method::Exact));
    assert_eq!(unit.residents.reach.method, Method::Bounds);
    // A headcount of nobody is a count.
    world.heads("m2", &[0], None);
    let audience = self::audience(&world);
    assert_eq!((audience.uncounted_meetings, audience.reach.method), (0, Method::Exact));
}

#[test]
fn attendance_that_is_not_in_the_order_of_meetings_is_refused() {
    let mut world = World::new();
    world.held("m1", World::place(MONDAY));
    world.held("m2", World::place(MONDAY));
    let run = |meeting| AttendanceRun { meeting, hi: &[1], lo: &[1], strength: &[1], is_counted: &[], residences: &[] };
    for again in ["a-new-one", "m1", "m3"] {
        let refused = FactsStore::new(world.facts(after()), |collector| {
            for meeting in ["a-new-one", "m1", "m2", "m3", "m4"] {
                collector.add_run(run(meeting)).expect("a new meeting");
            }
            collector.add_run(run(again))
        });
        assert!(matches!(&refused, Err(AnalyticsError::AttendanceUnordered(meeting)) if meeting == again), "{refused:?}");
    }
}
