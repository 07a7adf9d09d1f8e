//! Doubtful reports, by hand and as `qamtu-analytics plausibility` prints them.

use qamtu_analytics::plausibility::{Doubt, Heaping, MeetingTotals, Plausibility, plausibility};
use serde_json::{Value, json};

use crate::{
    program::analytics_output,
    warehouse::TestWarehouse,
    world::{World, after},
};

fn place(unit: &str, members: &[&str], starts: &str) -> Value {
    let mut place = World::place_of(unit, "R", &["YOUTH"], starts);
    place["members"] = json!(members);
    place
}

/// Sixty voters, a hall for thirty in A-2, and meetings that are nothing special.
fn world() -> World {
    let mut world = World::new();
    world.roll = (1..=60).map(|person| (person, if person <= 40 { "A-1" } else { "B-1" })).collect();
    world.roll.push((61, "A-2"));
    world.event(
        "venue.described",
        json!({"venue": "V1", "revision": 1, "unit": "A", "precinct": "A-2", "name": "Мәдениет үйі", "capacity": 30}),
    );
    world.held("a", place("A", &["M1"], "2026-02-16T10:00:00Z"));
    world.strong("a", 1..=20);
    world.held("b", place("A", &["M1"], "2026-02-17T10:00:00Z"));
    world.strong("b", 15..=40);
    world
}

fn found(world: &World) -> Plausibility {
    plausibility(&world.store(after(), usize::MAX)).expect("a result")
}

/// The doubts of a meeting.
fn doubts<'a>(found: &'a Plausibility, meeting: &str) -> &'a [Doubt] {
    found.meetings.iter().find(|doubtful| doubtful.meeting.as_str() == meeting).map_or(&[], |doubtful| &doubtful.doubts)
}

#[test]
fn nothing_is_doubtful_about_ordinary_meetings() {
    let found = found(&world());
    let totals = MeetingTotals { held: 2, gross: 46, contacts: 46, reached: 40 };
    assert_eq!(found, Plausibility { meetings: Vec::new(), heaping: Vec::new(), all: totals, without_doubtful: totals });
}

#[test]
fn a_copied_list_is_found_and_figures_are_counted_without_it() {
    let mut world = world();
    // The list of `a` with another person, and a third one with half of it.
    world.held("copy", place("A", &[], "2026-02-18T10:00:00Z"));
    world.strong("copy", (1..=19).chain([50]));
    world.held("half", place("A", &[], "2026-02-19T10:00:00Z"));
    world.strong("half", (1..=10).chain(45..=55));
    let found = found(&world);
    let copied = |other: &str| [Doubt::CopiedList { other: other.parse().expect("an id"), common: 19, percent: 90 }];
    assert_eq!((doubts(&found, "a"), doubts(&found, "copy")), (&copied("copy")[..], &copied("a")[..]));
    assert_eq!(found.meetings.len(), 2);
    // `b` and `half`: 15 to 40, 1 to 10 and 45 to 55.
    assert_eq!(found.all, MeetingTotals { held: 4, gross: 87, contacts: 87, reached: 51 });
    assert_eq!(found.without_doubtful, MeetingTotals { held: 2, gross: 47, contacts: 47, reached: 47 });
}

#[test]
fn more_people_than_a_venue_or_a_precinct_has_are_doubtful() {
    let mut world = world();
    let mut hall = place("A", &[], "2026-02-18T10:00:00Z");
    (hall["venue"], hall["precinct"]) = (json!("V1"), json!("A-2"));
    for (id, people) in [("full", 30), ("over", 31), ("crowd", 51)] {
        world.held(id, hall.clone());
        world.heads(id, &[people], None);
    }
    let found = found(&world);
    assert_eq!(doubts(&found, "full"), []);
    assert_eq!(doubts(&found, "over"), [Doubt::OverCapacity { people: 31, capacity: 30 }]);
    assert_eq!(doubts(&found, "crowd"), [Doubt::OverCapacity { people: 51, capacity: 30 }, Doubt::OverPrecinct { people: 51, voters: 50 }]);
    assert_eq!((found.all.gross, found.without_doubtful.gross), (46 + 112, 46 + 30));
}

#[test]
fn a_member_cannot_be_in_two_units_within_an_hour() {
    let mut world = world();
    world.held("here", place("A", &["M2", "M3"], "2026-02-18T10:00:00Z"));
    world.held("there", place("B", &["M3"], "2026-02-18T10:59:00Z"));
    world.held("after", place("A", &["M3"], "2026-02-18T11:59:00Z"));
    world.held("same-unit", place("A", &["M2"], "2026-02-18T10:30:00Z"));
    let found = found(&world);
    let travel = |other: &str| [Doubt::ImpossibleTravel { member: "M3".to_owned(), other: other.parse().expect("an id"), minutes: 59 }];
    assert_eq!((doubts(&found, "here"), doubts(&found, "there")), (&travel("there")[..], &travel("here")[..]));
    assert_eq!(found.meetings.len(), 2, "an hour is enough, and so is one unit: {found:?}");
}

#[test]
fn late_reports_and_bursts_are_listed_and_do_not_put_numbers_in_doubt() {
    let mut world = world();
    for (id, received) in [("week", "2026-02-25T10:00:00Z"), ("less", "2026-02-25T09:59:59Z")] {
        world.held(id, place("A", &[], "2026-02-18T10:00:00Z"));
        world.receive_last(received);
    }
    for number in 0..11 {
        world.held(&format!("burst{number:02}"), World::place("2026-02-20T10:00:00Z"));
        // Ten within ten minutes, and another one later.
        world.receive_last(&format!("2026-02-20T12:{:02}:00Z", if number < 10 { number } else { 40 }));
    }
    let found = found(&world);
    assert_eq!((doubts(&found, "week"), doubts(&found, "less")), (&[Doubt::LateReport { days: 7 }][..], &[][..]));
    assert_eq!(
        (doubts(&found, "burst00"), doubts(&found, "burst09"), doubts(&found, "burst10")),
        (&[Doubt::Burst { reports: 10 }][..], &[Doubt::Burst { reports: 10 }][..], &[][..])
    );
    assert_eq!((found.meetings.len(), found.all), (11, found.without_doubtful));
}

#[test]
fn headcounts_that_are_round_too_often_are_found_by_coalition() {
    let mut world = world();
    for number in 0..40 {
        let (guessed, counted) = (format!("g{number:02}"), format!("k{number:02}"));
        world.held(&guessed, World::place_of("A", "CA", &["YOUTH"], "2026-02-18T10:00:00Z"));
        world.heads(&guessed, &[if number % 2 == 0 { 20 } else { 23 }], None);
        world.held(&counted, World::place_of("A", "R", &["YOUTH"], "2026-02-18T10:00:00Z"));
        world.heads(&counted, &[20 + number % 10], None);
    }
    assert_eq!(found(&world).heaping, [Heaping { coalition: "CA".to_owned(), headcounts: 40, round: 20 }]);
}

#[tokio::test(flavor = "multi_thread")]
async fn doubts_are_printed_in_three_languages_and_as_json() {
    let warehouse = TestWarehouse::start().await;
    let mut world = world();
    world.held("copy", place("A", &[], "2026-02-18T10:00:00Z"));
    world.strong("copy", 1..=20);
    warehouse.store(&world).await;
    let print = |arguments: &[&str]| {
        analytics_output(
            &warehouse.config,
            &[&["plausibility", "--campaign", "test", "--as-of", "2026-03-16T07:00:00Z"], arguments].concat(),
        )
        .expect("a list")
    };
    for (language, told) in [
        ("en", "The list has nearly the same voters as that of copy: 20 in common, 100%."),
        ("ru", "В списке почти те же избиратели, что у copy: общих 20, 100 %."),
        ("kk", "Тізімдегі сайлаушылар copy тізіміндегілермен бірдей дерлік: ортағы 20, 100 %."),
    ] {
        let text = print(&["--language", language]);
        assert!(text.contains(told), "{text}");
    }
    let document: Value = serde_json::from_str(&print(&["--format", "json"])).expect("JSON");
    assert_eq!(
        document["plausibility"]["meetings"][0]["doubts"][0],
        json!({"kind": "copied_list", "other": "copy", "common": 20, "percent": 100})
    );
    assert_eq!(document["plausibility"]["without_doubtful"]["held"], 1);
}
