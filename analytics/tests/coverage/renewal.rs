//! A facts store on disk gives the figures that reading everything gives, whatever happened since it was saved.

use jiff::ToSpan;
use proptest::{
    prelude::*,
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use qamtu_analytics::{
    compute::{self, FactsSource},
    facts_store::StoreFolder,
};

use crate::{
    history::{Change, History, any_change},
    warehouse::TestWarehouse,
};

/// Reads through the facts store in a folder.
fn through(warehouse: &TestWarehouse, dir: &tempfile::TempDir) -> FactsSource {
    FactsSource { dir: Some(dir.path().to_owned()), saves: true, ..warehouse.source() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_store_gives_the_figures_that_reading_everything_gives() {
    const CASES: usize = 5;
    const STEPS: usize = 12;
    let warehouse = TestWarehouse::start().await;
    let mut runner = TestRunner::deterministic();
    let any_history = prop::collection::vec(prop::collection::vec(any_change(), 0..8), STEPS);
    let mut reached = 0;
    for case in 0..CASES {
        let dir = tempfile::tempdir().expect("a folder");
        let mut history = History::start(&warehouse).await;
        for changes in any_history.new_tree(&mut runner).expect("a history").current() {
            history.now += 24.hours();
            for change in &changes {
                history.add(change).await;
            }
            let selection = history.selection();
            let renewed = compute::coverage(&through(&warehouse, &dir), selection.clone()).await.expect("a coverage");
            let read = compute::coverage(&warehouse.source(), selection).await.expect("a coverage");
            assert_eq!(renewed, read, "history {case} at {} after {changes:?}", history.now);
            reached += renewed.region.figures.audience.reach.reached;
        }
    }
    assert!(reached > 100, "{reached}");
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_reach_the_meetings_that_they_do_not_name() {
    let (warehouse, dir) = (TestWarehouse::start().await, tempfile::tempdir().expect("a folder"));
    let mut history = History::start(&warehouse).await;
    history.add(&Change::Hold { meeting: 2, day: 0, for_staff: true }).await;
    for (meeting, person, import) in [(1, 1, None), (1, 2, Some(0)), (2, 8, None), (2, 1, None)] {
        history.add(&Change::Attend { meeting, person, strong: true, import }).await;
    }
    // People, and their attendances.
    for (change, reached) in [
        (Change::Heads { meeting: 1, people: 9 }, (3, 4)),
        (Change::Withdraw { person: 1, late: false, import: Some(1) }, (2, 2)),
        (Change::Reverse { import: 1 }, (3, 4)),
        (Change::Reverse { import: 0 }, (2, 3)),
        (Change::Reveal { revealing: true }, (1, 1)),
        (Change::Reveal { revealing: false }, (2, 3)),
        (Change::Withdraw { person: 8, late: true, import: None }, (1, 2)),
        (Change::Consent { person: 8 }, (2, 3)),
        (Change::Enrol { people: vec![1, 7] }, (2, 3)),
    ] {
        history.now += 1.hours();
        history.add(&change).await;
        let renewed = compute::coverage(&through(&warehouse, &dir), history.selection()).await.expect("a coverage");
        let audience = &renewed.region.figures.audience;
        assert_eq!((audience.reach.reached, audience.contacts), reached, "{change:?}");
        assert_eq!(renewed, compute::coverage(&warehouse.source(), history.selection()).await.expect("a coverage"), "{change:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_changed_meetings_are_read_again_unless_the_log_is_another_or_the_folder_is_deleted() {
    let (warehouse, dir) = (TestWarehouse::start().await, tempfile::tempdir().expect("a folder"));
    let mut history = History::start(&warehouse).await;
    history.add(&Change::Hold { meeting: 1, day: 0, for_staff: false }).await;
    history.add(&Change::Hold { meeting: 2, day: 0, for_staff: false }).await;
    for (meeting, person) in [(1, 1), (1, 2), (2, 8)] {
        history.add(&Change::Attend { meeting, person, strong: true, import: None }).await;
    }
    let reached = async |history: &History<'_>| {
        let coverage = compute::coverage(&through(&warehouse, &dir), history.selection()).await.expect("a coverage");
        coverage.region.figures.audience.reach.reached
    };
    assert_eq!(reached(&history).await, 3);
    // Rows that disappear from the warehouse are missed only where meetings are read again.
    warehouse.admin.query("TRUNCATE TABLE attendance").execute().await.expect("an empty table");
    history.now += 1.hours();
    assert_eq!(reached(&history).await, 3);
    history.add(&Change::Attend { meeting: 2, person: 9, strong: true, import: None }).await;
    assert_eq!(reached(&history).await, 3, "people 1 and 2 of the first meeting, and 9 of the second");
    let other = history.selection();
    history.now -= 30.minutes();
    assert_eq!(reached(&history).await, 0, "an earlier instant is read from the warehouse");
    assert_eq!(StoreFolder::new(dir.path(), &other.campaign).open().map(|saved| saved.selection()), Some(other), "and is not saved");
    history.now += 1.hours();
    assert_eq!(reached(&history).await, 3);
    // Another log, with another record where the store ends.
    let end = "ALTER TABLE log UPDATE received = received + toIntervalSecond(1) WHERE topic = 'events' SETTINGS mutations_sync = 1";
    warehouse.admin.query(end).execute().await.expect("another log");
    history.now += 1.hours();
    assert_eq!(reached(&history).await, 1);
    warehouse.admin.query("TRUNCATE TABLE attendance").execute().await.expect("an empty table");
    assert_eq!(reached(&history).await, 1);
    std::fs::remove_dir_all(dir.path().join("facts-test")).expect("no folder");
    assert_eq!(reached(&history).await, 0);
}
