//! How evenly a campaign reaches, by hand and as `qamtu-analytics equity` prints it.

use qamtu_analytics::equity::equity;
use serde_json::{Value, json};

use crate::{
    program::analytics_output_in,
    warehouse::TestWarehouse,
    world::{MONDAY, World, after},
};

/// In A three meetings in A-1 and one in A-2, in B none in a known precinct. Reached are 1 to 4 in A-1 (90 voters) and 6 in A-2 (50); B-1 has 80.
fn world() -> World {
    let mut world = World::new();
    for (id, unit, precinct, people) in [
        ("a", "A", Some("A-1"), 1..=3),
        ("b", "A", Some("A-1"), 2..=4),
        ("c", "A", Some("A-1"), 1..=1),
        ("d", "A", Some("A-2"), 6..=6),
        ("e", "B", None, 1..=1),
    ] {
        let mut place = World::place_of(unit, "R", &["YOUTH"], MONDAY);
        if let Some(precinct) = precinct {
            place["precinct"] = json!(precinct);
        }
        world.held(id, place);
        world.strong(id, people);
    }
    world
}

#[test]
fn reach_is_compared_between_units_and_precincts() {
    let found = equity(&world().coverage(after()));
    let [of_b, of_a] = &found.units[..] else { panic!("two units") };
    assert_eq!((of_b.unit.as_str(), of_b.coverage_percent, of_b.held, of_b.effective_precincts), ("B", Some(0.0), 1, 0.0));
    assert_eq!((of_a.voters, of_a.reached, of_a.precincts, of_a.precincts_with_meeting), (Some(140), 5, 2, 2));
    assert!((of_a.effective_precincts - 1.6).abs() < 1e-9, "16 / 10 of 3 and 1 meetings");
    assert!((found.gap_points.expect("two units") - 500.0 / 140.0).abs() < 1e-9);
    assert_eq!((found.precincts, found.precincts_without_meeting, found.precincts_without_reach), (3, 1, 1));
    // 100 of 220 voters are to be reached.
    assert!((found.target_percent.expect("a target") - 100.0 / 2.2).abs() < 1e-9 && found.units_at_target == Some(0));
    // Shares of voters 80, 50, 90 of 220; of those reached 0, 1, 4 of 5.
    let area = 80.0 / 220.0 * 0.0 + 50.0 / 220.0 * (0.0 + 0.2) + 90.0 / 220.0 * (0.2 + 1.0);
    assert!((found.gini.expect("somebody") - (1.0 - area)).abs() < 1e-9);
    let nobody = equity(&World::new().coverage(after()));
    assert_eq!((nobody.gini, nobody.precincts_without_reach), (None, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_equity_of_a_snapshot_is_printed_in_three_languages_and_as_json() {
    let warehouse = TestWarehouse::start().await;
    warehouse.store(&world()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let run = |arguments: &[&str]| analytics_output_in(&folder.path().join("snapshots"), &warehouse.config, arguments);
    let none = run(&["equity", "--campaign", "test"]).expect_err("no snapshot yet");
    assert!(none.contains("has no snapshot: run compute first"), "{none}");
    run(&["compute", "--campaign", "test", "--as-of", "2026-03-16T07:00:00Z"]).expect("a snapshot");
    for (language, told) in [
        ("en", "Precincts: 3; without a meeting: 1; where nobody was reached: 1."),
        ("ru", "Участков: 3; без встреч: 1; где никто не охвачен: 1."),
        ("kk", "Учаскелер: 3; кездесу өтпегені: 1; ешкім қамтылмағаны: 1."),
    ] {
        let text = run(&["equity", "--campaign", "test", "--language", language]).expect("a text");
        assert!(text.contains(told), "{text}");
    }
    let document: Value = serde_json::from_str(&run(&["equity", "--campaign", "test", "--format", "json"]).expect("JSON")).expect("JSON");
    assert_eq!((&document["equity"]["units"][0]["unit"], &document["equity"]["precincts"]), (&json!("B"), &json!(3)));
}
