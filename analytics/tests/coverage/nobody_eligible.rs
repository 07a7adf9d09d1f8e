//! Meetings where nobody was eligible, by hand: held, counted separately, and never reached.

use qamtu_analytics::figures::Method;
use serde_json::json;

use crate::world::{MONDAY, World, after};

/// A headcount that says that nobody of them is a voter; gives its id.
fn heads_of_nobody(world: &mut World, meeting: &str, people: u32) -> String {
    let counts = json!([{"counter": "1", "people": people}]);
    world.event("headcount.reported", json!({"meeting": meeting, "counts": counts, "nobody_eligible": true}))
}

/// At `voters` 1, 2 and seven who were only counted; at `pupils` thirty, and a sheet with 3 and 4.
fn world() -> World {
    let mut world = World::new();
    for meeting in ["voters", "pupils"] {
        world.planned(meeting, World::place(MONDAY));
        world.held(meeting, World::place(MONDAY));
    }
    world.strong("voters", [1, 2]);
    world.heads("voters", &[9], Some(4));
    world.strong("pupils", [3, 4]);
    world.weak("pupils", [70]);
    world
}

#[test]
fn a_meeting_with_nobody_eligible_is_held_and_adds_nobody() {
    let mut world = world();
    heads_of_nobody(&mut world, "pupils", 30);
    let coverage = world.coverage(after());
    let figures = &coverage.region.figures;
    let plan = &figures.fulfilment;
    assert_eq!((plan.held, plan.held_planned, plan.missing, plan.nobody_eligible), (2, 2, 0, 1));
    let audience = &figures.audience;
    assert_eq!((audience.gross, audience.identified, audience.weak, audience.contacts, audience.unidentified), (9, 2, 0, 2, 7));
    assert_eq!((audience.headcount_meetings, audience.uncounted_meetings), (2, 0));
    assert_eq!((audience.reach.reached, audience.reach.lower, audience.reach.upper), (2, 4, 9));
    let [of_a, _] = &coverage.units[..] else { panic!("two units") };
    assert_eq!((of_a.figures.fulfilment.nobody_eligible, of_a.residents.reach.upper), (1, 9));
}

#[test]
fn pupils_alone_leave_the_reach_at_zero_and_exact() {
    let mut world = World::new();
    world.held("pupils", World::place(MONDAY));
    heads_of_nobody(&mut world, "pupils", 30);
    let figures = world.coverage(after()).region.figures;
    assert_eq!((figures.fulfilment.held, figures.fulfilment.nobody_eligible), (1, 1));
    let reach = &figures.audience.reach;
    assert_eq!((figures.audience.gross, reach.reached, reach.lower, reach.upper, reach.method), (0, 0, 0, 0, Method::Exact));
}

#[test]
fn a_recount_can_say_that_some_were_eligible_after_all() {
    let mut world = world();
    let wrong = heads_of_nobody(&mut world, "pupils", 30);
    let counts = json!([{"counter": "1", "people": 30}]);
    world.event("headcount.recounted", json!({"meeting": "pupils", "supersedes": [wrong], "counts": counts, "eligible_minimum": 2}));
    let figures = world.coverage(after()).region.figures;
    assert_eq!((figures.fulfilment.nobody_eligible, figures.audience.gross), (0, 39));
    assert_eq!((figures.audience.reach.reached, figures.audience.reach.upper), (4, 4 + 7 + 28));
}
