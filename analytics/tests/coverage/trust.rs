//! What a reader is told about the figures: the age of the data, its anomalies, the extent of the roll, and what nobody counted.

use qamtu_analytics::{
    Coverage, SnapshotStore,
    access::{Reader, Role},
    coverage::Quality,
    locale::Language,
    published::Published,
    statement::{Statement, TrustRow},
};

use serde_json::json;

use crate::{
    snapshots::world,
    world::{World, after, at},
};

fn statement(coverage: Coverage, language: Language) -> Statement {
    let folder = tempfile::tempdir().expect("a folder");
    let (snapshot, _) = SnapshotStore::open(folder.path()).expect("snapshots").save(coverage).expect("kept");
    let published = Published::new(&snapshot, &Reader::of_region(Role::Leader)).expect("a reader of figures");
    Statement::new(&published, language)
}

#[test]
fn readers_are_told_the_age_of_the_data_and_its_anomalies() {
    let mut coverage = world().coverage(after());
    let plain = statement(coverage.clone(), Language::En).trust.rows;
    assert_eq!(statement(coverage.clone(), Language::En).quiet, None);
    // Ten quiet days before 16 March, noon in Turkistan.
    coverage.quality = Quality {
        newest_record: Some(at("2026-03-06T07:00:00Z")),
        dangling_references: 3,
        lookalike_meetings: 2,
        clock_ahead: 1,
        premature_reports: 4,
    };
    for (language, date, age) in [
        (Language::En, "March 6, 2026", "Received 10 days before the date of these figures"),
        (Language::Ru, "6 марта 2026\u{a0}г.", "Получена за 10 дней до даты этих цифр"),
        (Language::Kk, "2026\u{a0}жылғы 6 наурыз", "Осы сандар берілген күннен 10 күн бұрын түскен"),
    ] {
        let rows = statement(coverage.clone(), language).trust.rows;
        assert!(statement(coverage.clone(), language).quiet.is_some_and(|notice| notice.contains("10")));
        assert_eq!(rows.len(), plain.len() + 5);
        let newest = rows.iter().find(|row| row.detail == age).unwrap_or_else(|| panic!("{rows:#?}"));
        assert_eq!((newest.figure.text.replace('\u{a0}', " "), newest.act), (date.replace('\u{a0}', " "), true));
        for count in ["3", "2", "1", "4"] {
            assert!(rows.iter().any(|row| row.figure.text == count && row.act && !plain.contains(row)), "{count} in {language}");
        }
    }
    coverage.quality = Quality { newest_record: Some(at("2026-03-16T06:00:00Z")), ..Quality::default() };
    assert_eq!(statement(coverage.clone(), Language::En).quiet, None);
    let rows = statement(coverage, Language::En).trust.rows;
    let newest = rows.iter().find(|row| row.label == "Newest record").expect("a row");
    assert!(newest.detail == "Received on the date of these figures" && !newest.act);
}

#[test]
fn readers_are_told_which_precincts_lack_a_roll_and_what_nobody_counted() {
    let said = |world: &World, label: &str| -> Option<TrustRow> {
        statement(world.coverage(after()), Language::En).trust.rows.into_iter().find(|row| row.label == label)
    };
    let (roll, uncounted) = ("Precincts with a voter roll", "Held, but nobody was counted");
    let mut world = world();
    assert_eq!([roll, uncounted].map(|label| said(&world, label)), [None, None]);
    world.held("m2", World::place("2026-02-16T10:00:00Z"));
    world.roll.retain(|(_, home)| *home == "B-1");
    let row = said(&world, roll).expect("a row about the roll");
    assert!(row.figure.text == "1" && row.detail.starts_with("Of 3 precincts") && row.act, "{row:?}");
    let row = said(&world, uncounted).expect("a row about uncounted meetings");
    assert!(row.figure.text == "1" && row.act, "{row:?}");
    // A campaign without any roll is no half-done one.
    world.roll.clear();
    assert_eq!(said(&world, roll), None);
}

#[test]
fn readers_are_told_at_how_many_meetings_nobody_was_eligible() {
    let mut world = world();
    let labels = [
        (Language::En, "Held, with nobody eligible"),
        (Language::Ru, "Проведены, но избирателей не было"),
        (Language::Kk, "Өтті, бірақ сайлаушы болмаған"),
    ];
    let said = |world: &World, (language, label): (Language, &str)| {
        statement(world.coverage(after()), language).trust.rows.into_iter().find(|row| row.label == label)
    };
    assert_eq!(labels.map(|label| said(&world, label)), [None, None, None]);
    world.held("pupils", World::place("2026-02-16T10:00:00Z"));
    let counts = json!([{"counter": "1", "people": 30}]);
    world.event("headcount.reported", json!({"meeting": "pupils", "counts": counts, "nobody_eligible": true}));
    for label in labels {
        let row = said(&world, label).expect("a row");
        assert!(row.figure.text == "1" && !row.act && !row.detail.is_empty(), "{row:?}");
    }
}
