//! Why two snapshots differ: by hand, on random histories of a real warehouse, and as `qamtu-analytics` prints it.

use std::collections::{BTreeMap, BTreeSet};

use qamtu_analytics::{
    Coverage,
    difference::{Cause, Difference, ExplainedFigures, State, difference},
    facts_store::FactsStore,
};
use serde_json::Value;

use crate::{
    program::analytics_output_in,
    warehouse::TestWarehouse,
    world::{World, at},
};

const EARLIER: &str = "2026-02-23T07:00:00Z";
const LATER: &str = "2026-03-02T07:00:00Z";

fn held(world: &mut World, meeting: &str, starts: &str, people: impl IntoIterator<Item = u64>) {
    world.planned(meeting, World::place(starts));
    world.held(meeting, World::place(starts));
    world.strong(meeting, people);
}

/// At the earlier instant two meetings are reported.
fn earlier() -> World {
    let mut world = World::new();
    held(&mut world, "a", "2026-02-16T10:00:00Z", [1, 2, 3]);
    held(&mut world, "b", "2026-02-18T10:00:00Z", [3, 4]);
    world.planned("late", World::place("2026-02-20T10:00:00Z"));
    world
}

/// Since then `b` has another list, a meeting of the earlier week was reported, a new one was held, and 5 is no longer on the roll.
fn later() -> World {
    let mut world = earlier();
    world.attendances.retain(|attendance| attendance.meeting != "b");
    world.strong("b", [3, 4, 6]);
    world.held("late", World::place("2026-02-20T10:00:00Z"));
    world.strong("late", [6, 7]);
    held(&mut world, "new", "2026-02-27T10:00:00Z", [1, 7, 8]);
    world.roll.retain(|(person, _)| *person != 2);
    world
}

fn explain(earlier: &FactsStore, later: &FactsStore, changed: Option<&[&str]>) -> Difference {
    let [before, after] = [earlier, later].map(|store| Coverage::of(store).expect("a coverage"));
    let changed: Option<BTreeSet<_>> = changed.map(|ids| ids.iter().map(|id| id.parse().expect("an id")).collect());
    let state = |coverage, store| State { coverage, store };
    difference(&state(&before, earlier), &state(&after, later), changed.as_ref()).expect("a difference")
}

/// The parts of every row add up to its change.
fn assert_complete(found: &Difference) {
    for row in std::iter::once(&found.region).chain(&found.units) {
        for at in 0..4 {
            let parts: i64 = row.parts.values().map(|part| part.values()[at]).sum();
            assert_eq!(row.before.values()[at] + parts, row.after.values()[at], "{row:?}");
        }
    }
}

#[test]
fn a_change_is_explained_by_its_causes() {
    let (before, after) = (earlier().store(at(EARLIER), usize::MAX), later().store(at(LATER), usize::MAX));
    let found = explain(&before, &after, Some(&["b", "late", "new"]));
    assert_complete(&found);
    let figures = |held, gross, contacts, reached| ExplainedFigures { held, gross, contacts, reached };
    assert_eq!((found.region.before, found.region.after), (figures(2, 5, 5, 4), figures(4, 11, 10, 6)));
    let expected = BTreeMap::from([
        // 8 is new; 1 and 7 came before.
        (Cause::NewMeetings, figures(1, 3, 3, 1)),
        // 7 is new; 6 is on the corrected list of `b`.
        (Cause::LateReports, figures(1, 2, 2, 1)),
        // 6 was added to `b`.
        (Cause::Corrections, figures(0, 1, 1, 1)),
        // 2, who came to `a`, is no voter any more.
        (Cause::Roll, figures(0, 0, -1, -1)),
        (Cause::Definition, figures(0, 0, 0, 0)),
    ]);
    assert_eq!(found.region.parts, expected);
    assert_eq!(found.units.iter().map(|row| row.unit.as_deref()).collect::<Vec<_>>(), [Some("A"), Some("B")]);
    assert_eq!(found.units[0].parts, expected, "all meetings are in A");
    // Without knowing what changed, all meetings that both have count as corrected.
    let unknown = explain(&before, &after, None);
    assert_complete(&unknown);
    assert_eq!((unknown.region.parts[&Cause::Roll], unknown.unchanged_are_known), (figures(0, 0, 0, 0), false));
    assert_eq!(unknown.region.parts[&Cause::NewMeetings], expected[&Cause::NewMeetings]);
    // Nothing changed.
    let same = explain(&before, &before, Some(&[]));
    assert!(same.region.parts.values().all(|part| *part == ExplainedFigures::default()), "{same:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_are_listed_and_their_difference_is_printed() {
    let warehouse = TestWarehouse::start().await;
    let mut world = earlier();
    held(&mut world, "new", "2026-02-27T10:00:00Z", [1, 7, 8]);
    warehouse.store(&world).await;
    let folder = tempfile::tempdir().expect("a folder");
    let run = |arguments: &[&str]| analytics_output_in(&folder.path().join("snapshots"), &warehouse.config, arguments).expect("an output");
    for as_of in [EARLIER, LATER] {
        run(&["compute", "--campaign", "test", "--as-of", as_of]);
    }
    let listed: Value = serde_json::from_str(&run(&["snapshots", "--campaign", "test", "--format", "json"])).expect("JSON");
    let snapshot = |at: usize| listed["snapshots"][at]["snapshot"].as_str().expect("an id").to_owned();
    assert_eq!((&listed["snapshots"][0]["as_of"], &listed["snapshots"][1]["held"]), (&LATER.into(), &2.into()));
    assert!(run(&["snapshots", "--campaign", "test"]).contains(&snapshot(1)));
    let (later, earlier) = (snapshot(0), snapshot(1));
    for (language, told) in [
        ("en", ["new meetings", "late reports", "Registered voters: 220 before, 220 after."]),
        ("ru", ["новые встречи", "поздние отчёты", "Зарегистрированных избирателей: было 220, стало 220."]),
        ("kk", ["жаңа кездесулер", "кешіккен есептер", "Тіркелген сайлаушылар: бұрын 220, енді 220."]),
    ] {
        let text = run(&["diff", "--campaign", "test", &earlier, &later, "--language", language]);
        assert!(told.iter().all(|told| text.contains(told)) && text.contains("+1"), "{text}");
    }
    let document: Value = serde_json::from_str(&run(&["diff", "--campaign", "test", &earlier, "--format", "json"])).expect("JSON");
    let region = &document["difference"]["region"];
    assert_eq!(
        (&region["before"]["held"], &region["after"]["held"], &region["parts"]["new_meetings"]["held"]),
        (&2.into(), &3.into(), &1.into())
    );
    for (arguments, told) in
        [([&later, &earlier], "name the earlier one first"), ([&"a".repeat(24), &later], "`qamtu-analytics snapshots` lists")]
    {
        let refused = analytics_output_in(
            &folder.path().join("snapshots"),
            &warehouse.config,
            &["diff", "--campaign", "test", arguments[0], arguments[1]],
        );
        assert!(refused.as_ref().is_err_and(|error| error.contains(told)), "{refused:?}");
    }
}
