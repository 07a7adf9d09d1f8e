//! Precincts where no meeting can be held: named with the reason, in every denominator, and neither expected nor proposed as a place.

use qamtu_analytics::{
    SnapshotStore,
    access::{Reader, Role, Scope},
    coverage::Coverage,
    forecast::forecast,
    locale::Language,
    next_meetings::{NextMeetings, next_meetings},
    published::Published,
    statement::{Statement, TrustRow},
};
use qamtu_schemas::event::UnreachableReason;
use serde_json::{Value, json};

use crate::{
    program::analytics_output,
    warehouse::TestWarehouse,
    world::{MONDAY, World, after, at},
};

const AS_OF: &str = "2026-03-01T07:00:00Z";

fn place(unit: &str, precinct: &str, starts: &str) -> Value {
    let mut place = World::place_of(unit, "R", &["YOUTH"], starts);
    place["precinct"] = json!(precinct);
    place
}

fn report(world: &mut World, precinct: &str, revision: u32, unreachable: Value) {
    let mut data = json!({"precinct": precinct, "revision": revision});
    if !unreachable.is_null() {
        data["unreachable"] = unreachable;
    }
    world.event("access.reported", data);
}

fn since(day: &str, reason: &str) -> Value {
    json!({"since": day, "reason": reason})
}

/// Meetings in A-1; one of A-1 and one of B-1 remain. A person of B-1 came to A-1.
fn world() -> World {
    let mut world = World::new();
    let home = |person| match person {
        1..=80 => "A-1",
        81 => "A-2",
        _ => "B-1",
    };
    world.roll = (1..=160).map(|person| (person, home(person))).collect();
    for (number, first) in [(0, 1), (1, 21), (2, 41)] {
        let id = format!("held{number}");
        world.planned(&id, place("A", "A-1", MONDAY));
        world.held(&id, place("A", "A-1", MONDAY));
        world.strong(&id, first..first + 40);
    }
    world.strong("held0", [82]);
    world.planned("next-a", place("A", "A-1", "2026-03-05T10:00:00Z"));
    world.planned("next-b", place("B", "B-1", "2026-03-06T10:00:00Z"));
    world
}

fn named(coverage: &Coverage) -> Vec<(&str, UnreachableReason)> {
    coverage.unreachable.iter().map(|precinct| (precinct.precinct.as_str(), precinct.reason)).collect()
}

#[test]
fn a_precinct_is_unreachable_from_its_day_until_it_is_reachable_again() {
    let mut world = world();
    let before = world.coverage(after());
    assert_eq!(named(&before), []);
    report(&mut world, "B-1", 1, since("2026-03-02", "road"));
    report(&mut world, "A-2", 4, since("2026-02-20", "absence"));
    report(&mut world, "A-2", 3, Value::Null);
    report(&mut world, "Z-9", 1, since("2026-02-20", "other"));
    let [absence, road, other] = [UnreachableReason::Absence, UnreachableReason::Road, UnreachableReason::Other];
    // On the first of March the road is still passable.
    assert_eq!(named(&world.coverage(at(AS_OF))), [("A-2", absence), ("Z-9", other)]);
    let after_all = world.coverage(after());
    assert_eq!(named(&after_all), [("A-2", absence), ("B-1", road), ("Z-9", other)]);
    let [a2, b1, z9] = &after_all.unreachable[..] else { panic!("three precincts") };
    assert_eq!((a2.voters, a2.unit.as_ref().map(|unit| unit.as_str())), (Some(50), Some("A")));
    assert_eq!((b1.voters, b1.since.to_string().as_str()), (Some(80), "2026-03-02"));
    assert_eq!((z9.voters, z9.unit.as_ref()), (None, None), "nobody counted its voters");
    // No figure is another one: neither denominators nor reach, also of the person of B-1 who came to A-1.
    let figures = |coverage: &Coverage| {
        let mut coverage = coverage.clone();
        coverage.unreachable.clear();
        coverage.counts.events = 0;
        coverage
    };
    assert_eq!(figures(&after_all), figures(&before));
    assert_eq!(before.precincts.iter().find(|precinct| precinct.precinct.as_str() == "B-1").map(|b1| b1.residents.reach.reached), Some(1));
    // A count that comes later is in no denominator yet.
    let counted =
        json!({"precinct": "Z-9", "unit": "B", "number": 9, "as_of": "2026-04-01", "revision": 1, "voters": 70, "source": "test"});
    world.event("precinct.counted", counted);
    let z9 = world.coverage(after()).unreachable.pop().expect("a precinct");
    assert_eq!((z9.voters, z9.number, z9.unit.as_ref().map(|unit| unit.as_str())), (None, Some(9), Some("B")));
    report(&mut world, "A-2", 5, Value::Null);
    assert_eq!(named(&world.coverage(after())), [("B-1", road), ("Z-9", other)]);
}

fn row(world: &World, scope: Scope, language: Language) -> Option<TrustRow> {
    let folder = tempfile::tempdir().expect("a folder");
    let (snapshot, _) = SnapshotStore::open(folder.path()).expect("snapshots").save(world.coverage(after())).expect("kept");
    let reader = Reader { scope, ..Reader::of_region(Role::Leader) };
    let published = Published::new(&snapshot, &reader).expect("a reader of figures");
    let label = ["Precincts where no meeting", "Участки, где встречу", "Кездесу өткізуге болмайтын"];
    let rows = Statement::new(&published, language).trust.rows;
    rows.into_iter().find(|row| label.iter().any(|label| row.label.starts_with(label)))
}

#[test]
fn readers_are_told_where_no_meeting_can_be_held_and_why() {
    let mut world = world();
    assert_eq!(row(&world, Scope::Region, Language::En), None);
    report(&mut world, "B-1", 1, since("2026-03-02", "road"));
    report(&mut world, "A-2", 1, since("2026-02-20", "absence"));
    for (language, detail) in [
        (
            Language::En,
            "The 130 voters registered there stay in the number that percentages are taken of. B, precinct no. 1: no passable road, since March 2; \
             A, precinct no. 1: residents are elsewhere for a time, since February 20",
        ),
        (
            Language::Ru,
            "130 зарегистрированных там избирателей по-прежнему входят в число, от которого считаются доли. B, участок № 1: нет проезда, \
             со 2 марта; A, участок № 1: жители временно в отъезде, с 20 февраля",
        ),
        (
            Language::Kk,
            "Онда тіркелген 130 сайлаушы үлестер есептелетін жалпы санда қала береді. B, № 1 учаске: жол жүруге жарамсыз, 2 наурыздан бері; \
             A, № 1 учаске: тұрғындар уақытша басқа жерде, 20 ақпаннан бері",
        ),
    ] {
        let row = row(&world, Scope::Region, language).expect("a row");
        assert_eq!((row.figure.text.as_str(), row.detail.replace('\u{a0}', " ").as_str(), row.act), ("2", detail, false));
    }
    let of_a = row(&world, Scope::Units(["A".parse().expect("a unit")].into()), Language::En).expect("a row");
    assert!(of_a.figure.text == "1" && of_a.detail.contains("50 voters") && !of_a.detail.contains("road"), "{of_a:?}");
    for number in 0..5 {
        report(&mut world, &format!("Z-{number}"), 1, since("2026-02-20", "other"));
    }
    let mut long_ago = world.clone();
    report(&mut long_ago, "B-1", 7, since("2025-03-02", "venue"));
    let row_of = |language| row(&long_ago, Scope::Region, language).expect("a row").detail.replace('\u{a0}', " ");
    assert!(row_of(Language::En).contains("no place for a meeting, since March 2, 2025"), "{}", row_of(Language::En));
    assert!(row_of(Language::Ru).contains("нет места для встречи, со 2 марта 2025 г."));
    assert!(row_of(Language::Kk).contains("кездесу өтетін орын жоқ, 2025 жылғы 2 наурыздан бері"));
    let many = row(&world, Scope::Region, Language::En).expect("a row");
    assert!(many.figure.text == "7" && many.detail.ends_with("; and 2 more"), "{many:?}");
}

fn next(world: &World) -> NextMeetings {
    next_meetings(&world.store(at(AS_OF), usize::MAX), 10).expect("a ranking")
}

#[test]
fn no_meeting_is_expected_or_proposed_where_none_can_be_held() {
    let mut world = world();
    let before = next(&world);
    let proposed = |found: &NextMeetings| found.proposals.iter().any(|proposal| proposal.precinct == "B-1");
    assert!(before.remaining == 2 && before.unreachable.is_empty() && proposed(&before));
    let expected = |world: &World| forecast(&world.store(at(AS_OF), usize::MAX)).expect("a forecast");
    assert_eq!((expected(&world).remaining, expected(&world).unreachable), (2, 0));
    // From the day after the meeting on: it can still be held, but no further one is proposed.
    report(&mut world, "B-1", 1, since("2026-03-07", "disaster"));
    assert_eq!((next(&world).remaining, expected(&world).unreachable), (2, 0));
    assert!(!proposed(&next(&world)));
    report(&mut world, "B-1", 2, since("2026-02-20", "disaster"));
    let found = next(&world);
    assert!(found.remaining == 1 && !proposed(&found), "{found:?}");
    let [plan] = &found.unreachable[..] else { panic!("one plan") };
    assert_eq!((plan.meeting.as_str(), plan.precinct.as_deref(), plan.reason), ("next-b", Some("B-1"), UnreachableReason::Disaster));
    // Once its start has passed, no late report of it is expected.
    let later = |world: &World| forecast(&world.store(at("2026-03-06T12:00:00Z"), usize::MAX)).expect("a forecast").missing;
    let mut reachable = world.clone();
    report(&mut reachable, "B-1", 9, Value::Null);
    assert_eq!((later(&world), later(&reachable)), (1, 2));
    assert!(found.expected_new_voters < before.expected_new_voters);
    assert_eq!((expected(&world).remaining, expected(&world).unreachable), (1, 1));
    report(&mut world, "B-1", 3, Value::Null);
    assert_eq!(next(&world), before);
    // The plan names a venue alone, which is in the precinct.
    world.event("venue.described", json!({"venue": "V-1", "revision": 1, "unit": "B", "precinct": "B-1", "name": "Hall"}));
    let mut plan = World::place_of("B", "R", &["YOUTH"], "2026-03-07T10:00:00Z");
    plan["venue"] = json!("V-1");
    world.planned("in-hall", plan);
    assert_eq!(next(&world).unreachable, []);
    report(&mut world, "B-1", 4, since("2026-02-20", "road"));
    let meetings: Vec<String> = next(&world).unreachable.iter().map(|plan| plan.meeting.to_string()).collect();
    assert_eq!(meetings, ["in-hall", "next-b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_that_cannot_be_held_are_printed_in_three_languages() {
    let warehouse = TestWarehouse::start().await;
    let mut world = world();
    report(&mut world, "B-1", 1, since("2026-02-20", "absence"));
    warehouse.store(&world).await;
    for (language, list, reason, forecast) in [
        ("en", "Planned where no meeting can be held; move or cancel them:", "residents are elsewhere for a time", "can be held: 1;"),
        ("ru", "Запланированы там, где встречу провести нельзя", "жители временно в отъезде", "провести нельзя: 1;"),
        ("kk", "Кездесу өткізуге болмайтын жерге жоспарланған", "тұрғындар уақытша басқа жерде", "тағы 1 кездесу жоспарланған"),
    ] {
        let print = |command: &str| {
            let arguments = [command, "--campaign", "test", "--as-of", AS_OF, "--language", language];
            analytics_output(&warehouse.config, &arguments).expect("a text")
        };
        let next = print("next-meetings");
        assert!([list, reason, "next-b", "2026-03-06"].iter().all(|text| next.contains(text)), "{next}");
        let expected = print("forecast");
        assert!(expected.contains(forecast), "{expected}");
    }
}
