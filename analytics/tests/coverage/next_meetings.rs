//! Where to meet next, worked out by hand, and as `qamtu-analytics next-meetings` prints it.

use qamtu_analytics::next_meetings::{NextMeetings, Reason, next_meetings};
use serde_json::{Value, json};

use crate::{
    program::analytics_output,
    warehouse::TestWarehouse,
    world::{MONDAY, World, at},
};

const AS_OF: &str = "2026-03-01T07:00:00Z";

fn place(unit: &str, precinct: &str, starts: &str) -> Value {
    let mut place = World::place_of(unit, "R", &["YOUTH"], starts);
    place["precinct"] = json!(precinct);
    place
}

/// Everybody of A-1 and of the small roll of A-2 came to meetings of forty in A-1. Nobody of B-1 did. A plan remains in each precinct.
fn world() -> World {
    let mut world = World::new();
    let home = |person| match person {
        1..=80 => "A-1",
        81..=85 => "A-2",
        _ => "B-1",
    };
    world.roll = (1..=160).map(|person| (person, home(person))).collect();
    for (number, first) in [(0, 1), (1, 21), (2, 46), (3, 1)] {
        let id = format!("held{number}");
        world.planned(&id, place("A", "A-1", MONDAY));
        world.held(&id, place("A", "A-1", MONDAY));
        world.strong(&id, first..first + 40);
    }
    for (id, unit, precinct, starts) in [
        ("next-a", "A", "A-1", "2026-03-05T10:00:00Z"),
        ("next-b", "B", "B-1", "2026-03-06T10:00:00Z"),
        ("next-c", "A", "A-2", "2026-03-07T10:00:00Z"),
        ("past", "B", "B-1", "2026-02-20T10:00:00Z"),
        ("unlawful", "B", "B-1", "2026-03-14T10:00:00Z"),
        ("cancelled", "B", "B-1", "2026-03-06T10:00:00Z"),
    ] {
        world.planned(id, place(unit, precinct, starts));
    }
    world.cancelled("cancelled");
    world
}

fn next(world: &World, as_of: &str) -> NextMeetings {
    next_meetings(&world.store(at(as_of), usize::MAX), 10).expect("a ranking")
}

#[test]
fn meetings_come_first_where_nobody_was_reached() {
    let found = next(&world(), AS_OF);
    assert_eq!(found.remaining, 3, "the past, unlawful and cancelled ones do not remain");
    let ranked: Vec<(usize, &str)> = found.planned.iter().map(|meeting| (meeting.rank, meeting.meeting.as_str())).collect();
    assert_eq!(ranked, [(1, "next-b"), (2, "next-c"), (3, "next-a")]);
    let [of_b, of_c, of_a] = &found.planned[..] else { panic!("three meetings") };
    // Four of five plans that were due were held, and few of those who came were from another precinct.
    assert_eq!((of_b.people, of_b.reason), (40, Reason::NoMeetingYet { voters: 80 }));
    assert_eq!(of_c.reason, Reason::NoMeetingYet { voters: 50 });
    assert!(matches!(of_a.reason, Reason::WellReached { reached: 80, voters: 90 }), "{:?}", of_a.reason);
    assert!(of_b.new_voters >= of_c.new_voters && of_c.new_voters > of_a.new_voters, "{found:?}");
    assert!((15..=35).contains(&of_b.new_voters) && of_a.new_voters < 10, "{found:?}");
    let sum: u64 = found.planned.iter().map(|meeting| meeting.new_voters).sum();
    assert!(sum.abs_diff(found.expected_new_voters) <= 2);
    assert_eq!(found.proposals[0].precinct, "B-1");
    let of_c = found.proposals.iter().find(|proposal| proposal.precinct == "A-2").expect("a proposal for A-2").new_voters;
    assert!(of_c < found.planned[1].new_voters, "the planned meeting there comes before");
    assert!(found.proposals.iter().all(|proposal| proposal.category == "YOUTH"));
}

#[test]
fn headcounts_count_as_reached_and_nothing_is_left_after_the_last_day() {
    let mut counted = world();
    counted.held("heads", place("B", "B-1", MONDAY));
    counted.heads("heads", &[60], None);
    let (before, after) = (next(&world(), AS_OF), next(&counted, AS_OF));
    let of_b = |found: &NextMeetings| found.planned.iter().find(|meeting| meeting.unit == "B").expect("the meeting of B").new_voters;
    assert!(of_b(&after) < of_b(&before), "{after:?}");
    let over = next(&world(), "2026-03-16T07:00:00Z");
    assert!(over.planned.is_empty() && over.proposals.is_empty() && over.remaining == 0);
    let nothing = next(&World::new(), AS_OF);
    assert!(nothing.planned.is_empty() && nothing.proposals.is_empty() && nothing.learned_from == 0);
}

#[test]
fn nobody_is_promised_more_new_voters_than_people_come() {
    // The young come for the first time, workers to the same meeting again and again.
    let mut world = World::new();
    world.roll = (1..=160).map(|person| (person, if person <= 80 { "A-1" } else { "A-2" })).collect();
    world.roll.push((161, "B-1"));
    for number in 0..6 {
        let id = format!("held{number}");
        let mut held = place("A", "A-1", MONDAY);
        held["category"] = json!(if number < 2 { "YOUTH" } else { "STAFF" });
        world.held(&id, held);
        let first = if number < 2 { 1 + 40 * number } else { 1 };
        world.strong(&id, first..first + 40);
    }
    let found = next(&world, AS_OF);
    let of_a2 = found.proposals.iter().find(|proposal| proposal.precinct == "A-2").expect("a proposal for A-2");
    assert_eq!((of_a2.category.as_str(), of_a2.people), ("YOUTH", 40));
    assert!(found.proposals.iter().all(|proposal| proposal.new_voters <= proposal.people), "{found:?}");
}

#[test]
fn plans_of_today_are_not_failures_and_cancelled_ones_are() {
    let mut world = World::new();
    world.roll = (1..=160).map(|person| (person, if person <= 80 { "A-1" } else { "B-1" })).collect();
    world.roll.push((161, "A-2"));
    for number in 0..6 {
        let id = format!("held{number}");
        world.planned(&id, place("A", "A-1", MONDAY));
        world.held(&id, place("A", "A-1", MONDAY));
        world.strong(&id, 1..=40);
    }
    world.planned("later", place("B", "B-1", "2026-03-01T15:00:00Z"));
    world.planned("next", place("B", "B-1", "2026-03-06T10:00:00Z"));
    let of_next = |world: &World| {
        let found = next(world, AS_OF);
        found.planned.iter().find(|meeting| meeting.meeting.as_str() == "later").expect("the meeting of today").new_voters
    };
    let before = of_next(&world);
    for number in 0..6 {
        world.planned(&format!("more{number}"), place("A", "A-1", "2026-03-01T15:00:00Z"));
    }
    assert_eq!(of_next(&world), before, "meetings of today may still be held");
    for number in 0..12 {
        world.planned(&format!("off{number}"), place("A", "A-1", MONDAY));
        world.cancelled(&format!("off{number}"));
    }
    assert!(of_next(&world) < before, "{} {before}", of_next(&world));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ranking_is_printed_in_three_languages_and_as_json() {
    let warehouse = TestWarehouse::start().await;
    warehouse.store(&world()).await;
    let print = |arguments: &[&str]| {
        let command = ["next-meetings", "--campaign", "test", "--as-of", AS_OF, "--top", "1"];
        analytics_output(&warehouse.config, &[&command, arguments].concat()).expect("a ranking")
    };
    for (language, summary, reason) in [
        ("en", "3 planned meetings remain.", "No meeting has been held in this precinct yet. It has 80 registered voters."),
        ("ru", "Остались 3 запланированные встречи.", "На этом участке встреч ещё не было; зарегистрированных избирателей здесь 80."),
        ("kk", "Жоспарланған 3 кездесу қалды.", "Бұл учаскеде әлі кездесу өтпеген; мұнда 80 сайлаушы тіркелген."),
    ] {
        let text = print(&["--language", language]);
        assert!(text.contains(summary) && text.contains(reason) && text.contains("next-b"), "{text}");
    }
    let document: Value = serde_json::from_str(&print(&["--format", "json"])).expect("JSON");
    assert_eq!(document["next_meetings"]["planned"][0]["reason"], json!({"code": "no_meeting_yet", "voters": 80}));
    assert_eq!(document["next_meetings"]["remaining"], 3);
}
