//! A meeting whose audience reveals something about its people counts by heads alone.

use serde_json::json;

use crate::world::{MONDAY, World, after};

#[test]
fn a_revealing_audience_counts_by_heads_alone() {
    let mut world = World::new();
    let of = |categories: &[&str]| World::place_of("A", "CA", categories, MONDAY);
    // Of m1 and m2 the first audience reveals, of m3 the plan's, of m4 the second.
    world.held("m1", World::place(MONDAY));
    world.strong("m1", [1, 2, 50]);
    world.weak("m1", [70]);
    world.heads("m1", &[9, 7], Some(3));
    world.planned("m2", World::place(MONDAY));
    world.strong("m2", [3]);
    world.planned("m3", World::place(MONDAY));
    world.held("m3", of(&["STAFF"]));
    world.strong("m3", [4]);
    world.held("m4", of(&["STAFF", "YOUTH"]));
    world.strong("m4", [5]);
    let region = world.coverage(after()).region;
    assert_eq!((region.figures.audience.reach.reached, region.figures.audience.weak, region.attendance_without_report), (4, 1, 1));
    // Only later it is said that to be among the young reveals.
    let mut configured = world.events[0]["data"].clone();
    configured["revision"] = 2.into();
    configured["categories"][2]["revealing"] = true.into();
    world.event("campaign.configured", configured);
    let region = world.coverage(after()).region;
    let audience = &region.figures.audience;
    assert_eq!(
        (audience.reach.reached, audience.identified, audience.weak, audience.outside, region.attendance_without_report),
        (0, 0, 0, 0, 0)
    );
    // m1: gross = 7, unidentified = 9, minimum = min(3, 0 + 9). Nobody counted heads at m3 and m4.
    assert_eq!((audience.gross, audience.unidentified, audience.uncounted_meetings), (7, 9, 2));
    assert_eq!((audience.reach.lower, audience.reach.upper, region.frequencies), (3, 9, [0; 5]));
}

#[test]
fn one_revealing_report_of_two_makes_a_meeting_heads_only() {
    let mut world = World::new();
    let mut configured = world.events[0]["data"].clone();
    configured["revision"] = 2.into();
    configured["categories"][2]["revealing"] = true.into();
    world.event("campaign.configured", configured);
    let of = |categories: &[&str]| World::place_of("A", "CA", categories, MONDAY);
    // The later id takes precedence and says that the audience does not reveal anything.
    world.held("m1", of(&["YOUTH"]));
    world.held("m1", of(&["STAFF"]));
    world.strong("m1", [1, 2]);
    // Here the contested report is the plan's rival, and here a correction has settled it.
    world.planned("m2", of(&["STAFF", "YOUTH"]));
    world.planned("m2", of(&["STAFF"]));
    world.held("m2", of(&["STAFF"]));
    world.strong("m2", [3]);
    let wrong = world.held("m3", of(&["YOUTH"]));
    world.event("meeting.corrected", json!({"meeting": "m3", "supersedes": [wrong], "report": of(&["STAFF"])}));
    world.strong("m3", [4]);
    let region = world.coverage(after()).region;
    assert_eq!((region.figures.fulfilment.held, region.figures.fulfilment.contested), (3, 1));
    assert_eq!((region.figures.audience.identified, region.figures.audience.reach.reached, region.attendance_without_report), (1, 1, 0));
}
