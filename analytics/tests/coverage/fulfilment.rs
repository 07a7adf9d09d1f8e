//! Fulfilment of the plan, as worked out by hand: every meeting counts in one state, at the place and day of its plan or its report.

use qamtu_analytics::coverage::Fulfilment;
use serde_json::json;

use crate::world::{World, after, at};

fn plan(world: &World) -> Fulfilment {
    world.coverage(after()).region.figures.fulfilment
}

#[test]
fn every_state_of_a_meeting_has_its_figure() {
    let mut world = World::new();
    let place = || World::place("2026-02-20T10:00:00Z");
    // Planned and held.
    world.planned("a", place());
    world.held("a", place());
    // Planned, never reported.
    world.planned("b", place());
    // Planned and cancelled; somebody came all the same.
    world.planned("c", place());
    world.cancelled("c");
    world.strong("c", [1]);
    // Held without a plan.
    world.held("d", place());
    // Moved, then held.
    let plan_of_e = world.planned("e", place());
    world.event("meeting.rescheduled", json!({"meeting": "e", "supersedes": [plan_of_e], "starts": "2026-02-27T10:00:00Z"}));
    world.held("e", World::place("2026-02-27T10:00:00Z"));
    // Planned lawfully, held on the day of silence, 14 March.
    world.planned("f", place());
    world.held("f", World::place("2026-03-14T05:00:00Z"));
    world.strong("f", [2]);
    // Planned on the day of silence, not reported: not due.
    world.planned("g", World::place("2026-03-14T05:00:00Z"));
    // A headcount of a meeting that nobody planned or reported.
    world.heads("h", &[30], None);
    // Cancelled without a plan: known, and nothing else.
    world.cancelled("i");
    // Two reports side by side.
    world.held("j", place());
    world.held("j", place());
    let expected = Fulfilment {
        planned: 6,      // a b c e f g
        due: 4,          // a b e f: c is cancelled, g unlawful
        held: 5,         // a d e f j
        held_planned: 2, // a e: f was held on an unlawful day
        held_extra: 2,   // d j
        unlawful: 1,     // f
        cancelled: 1,    // c
        moved: 1,        // e
        missing: 1,      // b
        on_time: 3,      // a e f: received at the start
        late: 0,
        within_72_hours: 3,
        pending: 1,   // h
        contested: 1, // j
        nobody_eligible: 0,
    };
    assert_eq!(plan(&world), expected);
    let coverage = world.coverage(after());
    assert_eq!((coverage.counts.meetings_planned, coverage.counts.meetings_known), (6, 10));
    // The audience of an unlawful meeting counts, that of a cancelled one is pending.
    assert_eq!((coverage.region.figures.audience.identified, coverage.region.attendance_without_report), (1, 1));
}

#[test]
fn a_meeting_is_due_from_its_local_day_on() {
    let mut world = World::new();
    // 20 February 23:30 in Turkistan.
    world.planned("a", World::place("2026-02-20T18:30:00Z"));
    // Local midnight between 19 and 20 February is 19:00 UTC.
    let due = |as_of: &str| {
        let fulfilment = world.coverage(at(as_of)).region.figures.fulfilment;
        (fulfilment.due, fulfilment.missing)
    };
    assert_eq!(due("2026-02-19T18:59:59Z"), (0, 0));
    assert_eq!(due("2026-02-19T19:00:00Z"), (1, 1));
}

#[test]
fn lawful_days_are_local_days() {
    let mut world = World::new();
    // 13 March 23:59:59 and 14 March 00:00 in Turkistan; 13 February 00:00, the first lawful moment, and a second before.
    for (meeting, starts) in
        [("a", "2026-03-13T18:59:59Z"), ("b", "2026-03-13T19:00:00Z"), ("c", "2026-02-12T19:00:00Z"), ("d", "2026-02-12T18:59:59Z")]
    {
        world.planned(meeting, World::place(starts));
        world.held(meeting, World::place(starts));
    }
    let plan = plan(&world);
    assert_eq!((plan.due, plan.held, plan.held_planned, plan.unlawful, plan.missing), (2, 4, 2, 2, 0));
}

#[test]
fn no_more_of_a_plan_is_fulfilled_than_is_due() {
    let mut world = World::new();
    // Held two weeks before its time.
    world.planned("a", World::place("2026-03-02T10:00:00Z"));
    world.held("a", World::place("2026-02-16T10:00:00Z"));
    // Planned in unit A, held in unit B.
    world.planned("b", World::place("2026-02-16T10:00:00Z"));
    world.held("b", World::place_of("B", "CA", &["YOUTH"], "2026-02-16T10:00:00Z"));
    let fulfilled = |as_of: &str| {
        let coverage = world.coverage(at(as_of));
        let all = std::iter::once(&coverage.region.figures).chain(coverage.units.iter().map(|unit| &unit.figures));
        all.map(|figures| (figures.fulfilment.due, figures.fulfilment.held, figures.fulfilment.held_planned)).collect::<Vec<_>>()
    };
    // The region, A and B: fulfilment is attributed to the unit of the plan.
    assert_eq!(fulfilled("2026-02-20T10:00:00Z"), [(1, 2, 1), (1, 1, 1), (0, 1, 0)]);
    assert_eq!(fulfilled("2026-03-02T10:00:00Z"), [(2, 2, 2), (2, 1, 2), (0, 1, 0)]);
}

#[test]
fn a_plan_counts_where_it_was_planned_and_a_report_where_it_was_held() {
    let mut world = World::new();
    world.planned("m1", World::place_of("A", "CA", &["YOUTH"], "2026-02-16T10:00:00Z"));
    world.held("m1", World::place_of("B", "R", &["STAFF", "ELDER"], "2026-02-24T10:00:00Z"));
    let coverage = world.coverage(after());
    let units: Vec<(u64, u64, u64)> = coverage
        .units
        .iter()
        .map(|unit| &unit.figures.fulfilment)
        .map(|fulfilment| (fulfilment.planned, fulfilment.held, fulfilment.missing))
        .collect();
    assert_eq!(units, [(1, 0, 0), (0, 1, 0)]);
    let coalitions: Vec<(&str, u64, u64)> = coverage
        .coalitions
        .iter()
        .map(|coalition| (coalition.coalition.as_str(), coalition.figures.fulfilment.planned, coalition.figures.fulfilment.held))
        .collect();
    assert_eq!(coalitions, [("CA", 1, 0), ("R", 0, 1)]);
    let categories: Vec<(&str, u64, u64)> = coverage
        .categories
        .iter()
        .map(|category| (category.category.as_str(), category.figures.fulfilment.planned, category.figures.fulfilment.held))
        .collect();
    assert_eq!(categories, [("ELDER", 0, 1), ("STAFF", 0, 1), ("YOUTH", 1, 0)]);
    let weeks: Vec<(&str, u64, u64)> =
        coverage.weeks.iter().map(|week| (week.week.as_str(), week.figures.fulfilment.planned, week.figures.fulfilment.held)).collect();
    assert_eq!(weeks, [("2026-W08", 1, 0), ("2026-W09", 0, 1)]);
}

#[test]
fn a_move_moves_the_plan_to_another_week() {
    let mut world = World::new();
    let plan = world.planned("m1", World::place("2026-02-16T10:00:00Z"));
    world.event("meeting.rescheduled", json!({"meeting": "m1", "supersedes": [plan], "starts": "2026-03-02T10:00:00Z"}));
    let coverage = world.coverage(at("2026-02-20T00:00:00Z"));
    assert_eq!(coverage.weeks.iter().map(|week| week.week.as_str()).collect::<Vec<_>>(), ["2026-W10"]);
    assert_eq!((coverage.region.figures.fulfilment.due, coverage.region.figures.fulfilment.moved), (0, 1));
}

#[test]
fn a_meeting_corrected_away_is_cancelled() {
    let mut world = World::new();
    world.planned("m1", World::place("2026-02-16T10:00:00Z"));
    let held = world.held("m1", World::place("2026-02-16T10:00:00Z"));
    world.strong("m1", [1, 2]);
    world.event("meeting.corrected", json!({"meeting": "m1", "supersedes": [held]}));
    let coverage = world.coverage(after());
    let plan = &coverage.region.figures.fulfilment;
    assert_eq!((plan.held, plan.cancelled, plan.due, plan.missing), (0, 1, 0, 0));
    assert_eq!((coverage.region.figures.audience.gross, coverage.region.attendance_without_report), (0, 2));
}

#[test]
fn a_meeting_that_begins_after_the_as_of_instant_is_never_counted() {
    let mut world = World::new();
    let place = || World::place("2026-02-20T10:00:00Z");
    world.planned("a", place());
    world.held("a", place());
    world.strong("a", [1, 2]);
    world.heads("a", &[9], None);
    // Without a plan.
    world.held("b", place());
    let figures = |as_of: &str| {
        let coverage = world.coverage(at(as_of));
        let premature = world.facts(at(as_of)).meetings.rows().iter().filter(|meeting| meeting.premature).count();
        let (plan, audience) = (coverage.region.figures.fulfilment, coverage.region.figures.audience);
        let counted = (plan.held, plan.held_planned, plan.held_extra, audience.gross, audience.reach.reached);
        (counted, (plan.missing, plan.pending, coverage.region.attendance_without_report), premature)
    };
    assert_eq!(figures("2026-02-20T09:59:59.999999Z"), ((0, 0, 0, 0, 0), (1, 0, 2), 2));
    assert_eq!(figures("2026-02-20T10:00:00Z"), ((2, 1, 1, 9, 2), (0, 0, 0), 0));
}

#[test]
fn a_report_is_on_time_if_the_first_one_came_within_a_day_of_the_start() {
    let mut world = World::new();
    let starts = "2026-02-20T10:00:00Z";
    let place = || World::place(starts);
    for (meeting, received) in [
        ("a", "2026-02-21T10:00:00Z"),
        ("b", "2026-02-21T10:00:01Z"),
        ("c", "2026-02-23T10:00:00Z"),
        ("d", "2026-02-23T10:00:01Z"),
        // Before it begins.
        ("e", "2026-02-19T10:00:00Z"),
    ] {
        world.planned(meeting, place());
        world.held(meeting, place());
        world.receive_last(received);
    }
    // The first report counts, even if a late one corrects it.
    world.planned("f", place());
    let first = world.held("f", place());
    world.receive_last("2026-02-20T12:00:00Z");
    world.event("meeting.corrected", json!({"meeting": "f", "supersedes": [first], "report": place()}));
    world.receive_last("2026-03-01T12:00:00Z");
    // The start of the report counts, not that of the plan.
    world.planned("g", World::place("2026-02-16T10:00:00Z"));
    world.held("g", place());
    world.receive_last("2026-02-20T12:00:00Z");
    // Without a plan, and cancelled: not due.
    world.held("h", place());
    world.planned("i", place());
    world.cancelled("i");
    // Never reported.
    world.planned("j", place());
    let plan = plan(&world);
    assert_eq!((plan.due, plan.on_time, plan.late, plan.within_72_hours, plan.missing), (8, 4, 3, 6, 1));
}
