//! Estimates under other assumptions and beside other estimators, by hand and as `qamtu-analytics estimates` prints them.

use qamtu_analytics::{
    coverage::EstimateSettings,
    estimate::Estimate,
    estimate_comparison::{EstimatedGroup, compare_estimates},
};
use serde_json::Value;

use crate::{
    program::analytics_output,
    warehouse::TestWarehouse,
    world::{MONDAY, World, after},
};

/// In A (140 voters) ten people at one meeting, of whom 1 to 4 are identified, and two at another one; in B (80) three.
fn world() -> World {
    let mut world = World::new();
    for (id, unit, people) in [("a", "A", 1..=4), ("b", "A", 3..=4), ("c", "B", 8..=10)] {
        world.held(id, World::place_of(unit, "R", &["YOUTH"], MONDAY));
        world.strong(id, people);
    }
    world.heads("a", &[10], None);
    world
}

#[test]
fn comparisons_follow_their_formulas() {
    let store = world().store(after(), usize::MAX);
    let found = compare_estimates(&store, EstimateSettings::default()).expect("estimates");
    // Everybody identified is a voter, so the six others are taken for voters as well.
    assert_eq!((found.eligible_share, found.min_identified_percent), (1.0, 30.0));
    let row = |group, key: &str| found.rows.iter().find(|row| row.group == group && row.key == key).expect("a row");
    let of_a: f64 = 140.0 * (1.0 - (1.0 - 10.0 / 140.0) * (1.0 - 2.0 / 140.0));
    let a = row(EstimatedGroup::Unit, "A");
    assert_eq!((a.voters, a.reached, a.random_duplication, a.same_ratio), (Some(140), 4, Some(of_a.round() as u64), Some(8)));
    let region = row(EstimatedGroup::Region, "");
    assert_eq!((region.reached, region.random_duplication), (7, Some((of_a.round() + 3.0) as u64)));
    assert_eq!(region.same_ratio, Some((15.0 * 7.0 / 9.0_f64).round() as u64));
    let week = row(EstimatedGroup::Week, "2026-W08");
    let of_week: f64 = 220.0 * (1.0 - (1.0 - 10.0 / 220.0) * (1.0 - 2.0 / 220.0) * (1.0 - 3.0 / 220.0));
    assert_eq!(week.random_duplication, Some(of_week.round() as u64));
    // With half of the six voters, three attendances of voters fewer.
    let half = EstimateSettings { eligible_share: Some(0.5), ..EstimateSettings::default() };
    let found = compare_estimates(&store, half).expect("estimates");
    let a = found.rows.iter().find(|row| row.key == "A").expect("a row");
    assert_eq!(a.same_ratio, Some(6), "(4 + 2 + 3) * 4 / 6");
}

#[test]
fn the_smallest_identified_share_decides_whether_there_is_an_estimate() {
    let store = world().store(after(), usize::MAX);
    let of_a = |min_identified: f64| {
        let found = compare_estimates(&store, EstimateSettings { min_identified, ..EstimateSettings::default() }).expect("estimates");
        found.rows.iter().find(|row| row.key == "A").expect("a row").estimate
    };
    // Half of the attendances in A are identified.
    assert_eq!(of_a(50.1), Estimate::FewIdentified);
    assert_ne!(of_a(50.0), Estimate::FewIdentified);
    // With the default, estimates are those of the published figures.
    let found = compare_estimates(&store, EstimateSettings::default()).expect("estimates");
    let coverage = world().coverage(after());
    assert_eq!(found.rows[0].estimate, coverage.region.estimate);
    assert_eq!(of_a(30.0), coverage.units[0].estimate);
}

#[tokio::test(flavor = "multi_thread")]
async fn estimates_are_printed_in_three_languages_and_as_json() {
    let warehouse = TestWarehouse::start().await;
    warehouse.store(&world()).await;
    let run = |arguments: &[&str]| {
        analytics_output(&warehouse.config, &[&["estimates", "--campaign", "test", "--as-of", "2026-03-16T07:00:00Z"], arguments].concat())
    };
    for (language, told) in [("en", "for comparison only"), ("ru", "только для сравнения"), ("kk", "тек салыстыру үшін")]
    {
        let text = run(&["--language", language]).expect("a text");
        assert!(text.contains(told) && text.contains("2026-W08"), "{text}");
    }
    let document: Value = serde_json::from_str(&run(&["--format", "json", "--eligible-share", "50"]).expect("JSON")).expect("JSON");
    assert_eq!(document["estimates"]["eligible_share"], 0.5);
    assert_eq!(document["estimates"]["rows"][1]["same_ratio"], 6);
    let refused = run(&["--eligible-share", "0"]).expect_err("no share");
    assert!(refused.0 == Some(64) && refused.1.contains("write a percentage from 1 to 100"), "{refused:?}");
}
