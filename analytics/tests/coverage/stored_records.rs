//! Which stored records count: the figures that analytics reads through the views of a real warehouse are those of the campaign in memory.

use qamtu_analytics::{AnalyticsError, SnapshotStore, compute, compute::compute};
use serde_json::{Value, json};

use crate::{
    warehouse::{NEXT, RollVersion, TestWarehouse, attendance_id, attendance_row, client, events, expected, fact, world},
    world::{Residence, World, after, key},
};

#[tokio::test(flavor = "multi_thread")]
async fn the_figures_of_a_warehouse_are_those_of_its_records() {
    let (warehouse, world) = (TestWarehouse::start().await, world());
    warehouse.store(&world).await;
    let coverage = warehouse.coverage().await;
    assert_eq!(coverage, expected(&world));
    assert_eq!(coverage.region.figures.audience.reach.reached, 4);
    let bytes = |coverage| serde_json::to_vec(coverage).expect("bytes");
    assert_eq!(bytes(&coverage), bytes(&warehouse.coverage().await));
}

/// What may be stated, as kind and place of the residence and whether the person is an adult, and what it amounts to.
const STATEMENTS: [((&str, &str, &str), Residence); 11] = [
    (("precinct", "A-2", "yes"), Residence::Precinct("A-2")),
    (("unit", "B", "yes"), Residence::Unit("B")),
    // The campaign has neither this precinct nor this unit.
    (("precinct", "X-9", "yes"), Residence::Outside),
    (("unit", "X", "yes"), Residence::Outside),
    (("precinct", "A-1", "unknown"), Residence::Unstated),
    (("outside", "", "yes"), Residence::Outside),
    (("unit", "A", "unknown"), Residence::Unstated),
    (("precinct", "A-1", "no"), Residence::Outside),
    (("precinct", "X-9", "unknown"), Residence::Outside),
    (("unknown", "", "yes"), Residence::Unstated),
    (("unknown", "", "no"), Residence::Outside),
];

/// Stores a campaign of which these precincts have a roll, and in which people state everything that may be stated.
async fn assert_people_count_as_they_state(precincts_with_roll: &[&str]) {
    let (warehouse, mut world) = (TestWarehouse::start().await, world());
    world.roll.retain(|(_, precinct)| precincts_with_roll.contains(precinct));
    world.state(STATEMENTS.into_iter().cycle().map(|(_, residence)| residence));
    warehouse.store(&World { attendances: Vec::new(), ..world.clone() }).await;
    let stated = STATEMENTS.iter().cycle().zip(&world.attendances).zip(0..);
    let rows = stated.map(|(((columns, _), attendance), number)| {
        let mut row = attendance_row(number, attendance);
        (row["residence_kind"], row["residence"], row["adult"]) = (columns.0.into(), columns.1.into(), columns.2.into());
        row
    });
    warehouse.insert("attendance", rows).await;
    let coverage = warehouse.coverage().await;
    assert_eq!(coverage, expected(&world));
    assert!(coverage.region.figures.audience.reach.reached > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_roll_people_count_as_they_state() {
    assert_people_count_as_they_state(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_roll_of_one_precinct_people_count_as_they_state() {
    assert_people_count_as_they_state(&["B-1"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn records_at_or_above_the_offsets_and_of_another_campaign_do_not_count() {
    let (warehouse, world) = (TestWarehouse::start().await, world());
    warehouse.store(&world).await;
    let before = warehouse.coverage().await;
    let mut more = world.clone();
    more.held("m9", World::place("2026-02-24T10:00:00Z"));
    warehouse.insert_events([(&more.events[world.events.len()], events(0, NEXT))]).await;
    more.strong("m1", [3, 3, 3]);
    let mut rows: Vec<Value> = more
        .attendances
        .iter()
        .zip(0..)
        .skip(world.attendances.len())
        .map(|(attendance, number)| attendance_row(number, attendance))
        .collect();
    // At the offset, in a partition without an offset, and of another campaign.
    for (row, (campaign, partition, offset)) in rows.iter_mut().zip([("test", 1, NEXT), ("test", 2, 0), ("other", 0, 900)]) {
        (row["campaign"], row["partition"], row["offset"]) = (campaign.into(), partition.into(), offset.into());
    }
    warehouse.insert("attendance", rows).await;
    // A version that is not known yet hides nothing, and an older one is hidden.
    warehouse.enrol(RollVersion { precinct: "A-1", version: 2, strength: "strong", offset: NEXT }, &[77]).await;
    warehouse.enrol(RollVersion { precinct: "A-1", version: 0, strength: "strong", offset: 100 }, &[78]).await;
    // A weak roll is none.
    warehouse.enrol(RollVersion { precinct: "A-9", version: 1, strength: "weak", offset: 101 }, &[79]).await;
    assert_eq!(warehouse.coverage().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_a_reversed_import_change_no_figure() {
    let (warehouse, mut world) = (TestWarehouse::start().await, world());
    warehouse.store(&world).await;
    let before = warehouse.coverage().await;
    let import = "00000000-0000-4000-8002-000000000001";
    world.event("import.reversed", json!({"import": import}));
    world.held("m9", World::place("2026-02-24T10:00:00Z"));
    let [.., reversal, held] = &mut world.events[..] else { panic!("two events") };
    held["import"] = import.into();
    warehouse.insert_events([(&*reversal, events(0, 2_000)), (&*held, events(0, 2_001))]).await;
    let (hi, lo) = key(3);
    let attendance = json!({"type": "qamtu.attendance.recorded.v1", "meeting_id": "m1", "person_hi": hi, "person_lo": lo, "strength": "strong",
        "import": import});
    warehouse.insert("attendance", [fact(&attendance_id(99), events(0, 2_002), attendance)]).await;
    let mut after = warehouse.coverage().await;
    after.counts.events -= 3;
    assert_eq!(after, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_meeting_that_is_split_over_arrow_batches_counts_once() {
    let (warehouse, mut world) = (TestWarehouse::start().await, World::new());
    world.roll = (1..=40_000).map(|person| (person, ["A-1", "A-2", "B-1"][(person % 3) as usize])).collect();
    for number in 0..25 {
        let meeting = format!("m{number:02}");
        world.held(&meeting, World::place("2026-02-24T10:00:00Z"));
        world.strong(&meeting, (0..9_000).map(|seat| 1 + (seat * 7 + number * 1009) % 50_000));
    }
    warehouse.store(&world).await;
    let coverage = warehouse.coverage().await;
    assert_eq!(coverage, expected(&world));
    assert_eq!(coverage.region.figures.audience.identified, 225_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_or_a_body_of_another_shape_is_an_error_that_names_it() {
    let warehouse = TestWarehouse::start().await;
    warehouse.store(&world()).await;
    let selection = warehouse.selection().await;
    let view = "CREATE OR REPLACE VIEW v_attendance_events DEFINER = CURRENT_USER SQL SECURITY DEFINER AS SELECT * EXCEPT person_lo FROM attendance";
    warehouse.admin.query(view).execute().await.expect("a view with a column less");
    let refused = compute::coverage(&warehouse.source(), selection.clone()).await;
    assert!(matches!(refused, Err(AnalyticsError::Warehouse { what: "attendance", .. })), "{refused:?}");
    let columns = json!({"meeting_id": "m9", "body": "{}"});
    warehouse.insert("meeting_events", [fact("00000000-0000-4000-8009-000000000001", events(0, 2_000), columns)]).await;
    let refused = warehouse.reader.facts(selection, |_| None).await;
    assert!(matches!(refused, Err(AnalyticsError::Event { view: "v_meeting_events", .. })), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_login_of_analytics_reads_views_and_changes_nothing() {
    let warehouse = TestWarehouse::start().await;
    warehouse.store(&world()).await;
    let reader = client(&warehouse.config);
    let voters = async |from: &str| reader.query(&format!("SELECT count() FROM {from}")).fetch_one::<u64>().await;
    assert_eq!(voters("v_roll").await.expect("a view"), 10);
    assert!(voters("roll").await.is_err());
    assert!(reader.query("TRUNCATE TABLE roll").execute().await.is_err());
    assert_eq!(voters("v_roll").await.expect("a view"), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_that_the_warehouse_lacks_is_refused() {
    let warehouse = TestWarehouse::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut snapshots = SnapshotStore::open(folder.path()).expect("snapshots");
    let refused = compute(&warehouse.source(), &mut snapshots, &"test".parse().expect("a campaign"), Some(after())).await;
    assert!(matches!(refused, Err(AnalyticsError::UnknownCampaign { known, .. }) if known.is_empty()));
}
