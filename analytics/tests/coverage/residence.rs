//! Without a whole roll, people count where they say they live. What a statement amounts to is proven in `stored_records.rs`.

use qamtu_analytics::coverage::Method;

use crate::world::{
    MONDAY,
    Residence::{Outside, Precinct, Unit, Unstated},
    World, after,
};

#[test]
fn without_a_roll_people_say_where_they_live() {
    let mut world = World::new();
    world.roll.clear();
    world.held("m1", World::place(MONDAY));
    world.held("m2", World::place(MONDAY));
    world.strong("m1", [1, 2, 3, 4, 5, 6]);
    world.strong("m2", [1, 2, 3, 6]);
    let residences = [
        // m1: adult residents of and unit B, two who are not eligible, and one who states nothing.
        Precinct("A-2"),
        Precinct("A-1"),
        Unit("B"),
        Outside,
        Outside,
        Unstated,
        // m2: 1 now states A-1, 2 only unit A, 3 nothing, 6 precinct B-1.
        Precinct("A-1"),
        Unit("A"),
        Unstated,
        Precinct("B-1"),
    ];
    world.state(residences);
    let coverage = world.coverage(after());
    let audience = &coverage.region.figures.audience;
    // Eligible: 1, 2, 3 at m1; 1, 2, 6 at m2. Outside: 4 and 5 at m1.
    assert_eq!((audience.identified, audience.contacts, audience.outside, audience.reach.reached), (8, 6, 2, 4));
    // Of 6 at m1 and 3 at m2 nothing is known, so they may be voters: unidentified = (6 - 5) + (4 - 3); upper = min(220, 4 + 2).
    assert_eq!((audience.gross, audience.unidentified, audience.reach.upper, audience.reach.method), (10, 2, 6, Method::Bounds));
    // 1 lives in A-1, the lower of two; 2 in A-1, the more precise; 3 in unit B; 6 in B-1.
    let reached: Vec<(&str, u64)> =
        coverage.precincts.iter().map(|precinct| (precinct.precinct.as_str(), precinct.residents.reach.reached)).collect();
    assert_eq!(reached, [("A-1", 2), ("A-2", 0), ("B-1", 1)]);
    let units: Vec<(u64, u64)> = coverage.units.iter().map(|unit| (unit.residents.reach.reached, unit.residents.contacts)).collect();
    // Unit A: 1 and 2, twice each. Unit B: 3 once as a resident, 6 once.
    assert_eq!(units, [(2, 4), (2, 2)]);
    assert_eq!(coverage.region.frequencies, [2, 2, 0, 0, 0]);
}

#[test]
fn people_who_may_be_voters_widen_the_bounds() {
    let mut world = World::new();
    world.roll.clear();
    world.held("m1", World::place(MONDAY));
    world.strong("m1", [1, 2, 3, 4, 5, 6, 7, 7, 8, 8]);
    let residences = [
        // An adult of A-1, two who may be eligible, two who are not, and one more who may be.
        Precinct("A-1"),
        Unstated,
        Unstated,
        Outside,
        Outside,
        Unstated,
        // 7 is recorded twice, once from outside; 8 once as an adult of unit B.
        Unstated,
        Outside,
        Unstated,
        Unit("B"),
    ];
    world.state(residences);
    let audience = world.coverage(after()).region.figures.audience;
    // Eligible: 1 and 8. Outside: 4, 5 and 7. Unknown: 2, 3 and 6.
    assert_eq!((audience.identified, audience.contacts, audience.outside, audience.unidentified), (5, 2, 3, 3));
    // Eight people: gross = 8; the truth lies between 2 and 2 + 3.
    assert_eq!((audience.gross, audience.reach.lower, audience.reach.upper), (8, 2, 5));
    // The unknown are on the list, and in no other count.
    assert_eq!((audience.unstated, audience.listed(), audience.beyond_lists()), (3, 8, 0));
}

#[test]
fn a_partial_roll_decides_nothing() {
    let mut world = World::new();
    world.roll.retain(|(_, home)| *home == "B-1");
    world.held("m1", World::place(MONDAY));
    world.strong("m1", [1, 2, 8, 9]);
    world.state([Precinct("A-1"), Unstated, Precinct("A-2"), Outside]);
    let coverage = world.coverage(after());
    assert_eq!((coverage.counts.roll_voters, coverage.counts.roll_precincts, coverage.counts.precincts_without_roll), (3, 1, 2));
    // As they state: 1 and 8 eligible, 9 outside, 2 unknown, though 8 and 9 are on the roll of B-1.
    let audience = &coverage.region.figures.audience;
    assert_eq!((audience.identified, audience.contacts, audience.outside, audience.unidentified), (3, 2, 1, 1));
    let reached: Vec<u64> = coverage.precincts.iter().map(|precinct| precinct.residents.reach.reached).collect();
    assert_eq!(reached, [1, 1, 0]);
    // The same people with the whole roll.
    world.roll = World::new().roll;
    let coverage = world.coverage(after());
    assert_eq!((coverage.region.figures.audience.contacts, coverage.counts.precincts_without_roll), (4, 0));
}
