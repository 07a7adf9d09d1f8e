//! What is counted of the log: events, rejected records and conflicts below the offsets, and the newest record, which is the default
//! as-of instant of a simulated clock.

use jiff::Timestamp;
use qamtu_analytics::{
    SnapshotStore,
    compute::{self, compute},
    facts::{CampaignRecords, Receipts, RecordCounts},
};
use serde_json::json;

use crate::{
    program::computes,
    warehouse::{NEXT, TestWarehouse, attendance_id, attendance_row, events, expected, record, roll, world},
    world::{World, after, at},
};

/// The newest record in [`store_log_copy`] that counts.
const NEWEST: &str = "2026-02-25T11:30:00.25Z";

/// Records of which some are above the offsets, of another campaign, or of the roll, and so do not count. Offsets are read up to the first
/// missing record.
async fn store_log_copy(warehouse: &TestWarehouse) {
    let (later, no_offset) = ("2026-03-01 00:00:00", 2);
    let received = [
        (roll(0, 30), json!({"received": "2026-02-27 00:00:00"})),
        (events(0, 31), json!({"received": later, "campaign": "other"})),
        (events(1, NEXT + 1), json!({"received": later})),
        (events(no_offset, 1), json!({"received": later})),
        (events(1, 32), json!({"received": "2026-02-25 11:30:00.25"})),
        (events(0, 33), json!({"received": "2026-02-24 10:00:00.000001"})),
    ];
    // Two that count, one above the offsets, and one of a partition that is not complete.
    let rejected = [events(0, 40), roll(0, 41), events(1, NEXT + 2), roll(1, 1)];
    let rejected = rejected.map(|position| (position, json!({"campaign": "", "status": "rejected"})));
    let body = |position, event: u8, hash: &str, campaign: &str| {
        let id = format!("00000000-0000-4000-8003-{event:012x}");
        (position, json!({"campaign": campaign, "event_id": id, "bodyhash": hash}))
    };
    let (one, other) = ("bbbbbbbbbbbbbbbb", "cccccccccccccccc");
    let conflicts = [
        body(events(0, 50), 1, one, "test"),
        body(events(1, 51), 1, other, "test"),
        body(events(0, 52), 2, one, "other"),
        body(events(1, 53), 2, other, "other"),
        // A body that is not known yet conflicts with nothing, and neither does a repetition.
        body(events(0, 54), 3, one, "test"),
        body(events(1, NEXT + 3), 3, other, "test"),
        body(events(0, 55), 4, one, "test"),
        body(events(1, 56), 4, one, "test"),
    ];
    let records = received.into_iter().chain(rejected).chain(conflicts);
    warehouse.insert("log", records.map(|(position, columns)| record(position, columns))).await;
}

/// A campaign with events at the offsets, of another campaign, and of a partition that is not complete; returns what counts of it.
async fn store_campaign(warehouse: &TestWarehouse) -> World {
    let mut world = world();
    // An attendance that is taken back is an event and nothing else.
    world.event("attendance.retracted", json!({"meeting": "m1", "retracts": [attendance_id(99)]}));
    warehouse.store(&world).await;
    let mut more = world.clone();
    more.strong("m1", [7]);
    warehouse.insert("attendance", [attendance_row(99, &more.attendances[world.attendances.len()])]).await;
    for _ in 0..4 {
        more.heads("m1", &[30], None);
    }
    let mut added = more.events.split_off(world.events.len());
    added[3]["campaign"] = "other".into();
    warehouse.insert_events(added.iter().zip([events(1, NEXT - 1), events(1, NEXT), events(2, 1), events(0, 900)])).await;
    world.events.push(added.swap_remove(0));
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn only_records_of_the_campaign_below_the_offsets_are_totalled() {
    let warehouse = TestWarehouse::start().await;
    let world = store_campaign(&warehouse).await;
    store_log_copy(&warehouse).await;
    let selection = warehouse.selection().await;
    let facts = warehouse.reader.facts(selection.clone(), |_| None).await.expect("facts");
    assert_eq!(facts.record_counts, RecordCounts { events: world.events.len() as u64, rejected: 5, conflicts: 1 });
    let newest = Some(at(NEWEST));
    assert_eq!(facts.quality.newest_record, newest);
    let records = warehouse.reader.campaign_records(&selection.campaign, Some(selection.offsets.clone()), Timestamp::now()).await;
    let receipts = Receipts { newest, newest_past: newest };
    // Nothing is known to be complete of two partitions.
    let offsets = selection.offsets.into_iter().filter(|offset| offset.next > 0).collect();
    assert_eq!(records.expect("records"), CampaignRecords { offsets, receipts });
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_another_campaign_move_nothing() {
    let warehouse = TestWarehouse::start().await;
    warehouse.store(&world()).await;
    let select = async || {
        let campaign = "test".parse().expect("a campaign");
        compute::select(&warehouse.reader, &campaign, Some(after()), Timestamp::now()).await.expect("a selection")
    };
    let add = async |position, campaign: &str, status: &str| {
        let row = record(position, json!({"campaign": campaign, "status": status, "received": "2026-02-20 00:00:00"}));
        warehouse.insert("log", [row]).await;
    };
    let first = select().await;
    add(events(0, NEXT), "other", "event").await;
    add(roll(0, NEXT), "other", "event").await;
    assert_eq!(select().await, first);
    // Nobody knows whose event a rejected record would have been.
    add(events(0, NEXT + 1), "", "rejected").await;
    let second = select().await;
    assert!(second != first && first.is_within(&second));
    add(events(1, NEXT), "test", "event").await;
    let third = select().await;
    assert!(third != second && second.is_within(&third));
    assert_eq!(third.offsets.iter().map(|offset| offset.next - NEXT).collect::<Vec<_>>(), [2, 1, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_is_as_of_the_newest_record_and_the_program_computes_the_same_one() {
    let warehouse = TestWarehouse::start().await;
    let world = store_campaign(&warehouse).await;
    store_log_copy(&warehouse).await;
    let campaign = "test".parse().expect("a campaign");
    let folder = tempfile::tempdir().expect("a folder");
    let mut snapshots = SnapshotStore::open(folder.path()).expect("snapshots");
    let first = compute(&warehouse.source(), &mut snapshots, &campaign, None).await.expect("a snapshot");
    assert_eq!(first.coverage.identity.as_of, at(NEWEST));
    // The attendance that was taken back is counted as an event.
    assert_eq!(first.coverage.counts.events, expected(&world).counts.events + 1);
    assert_eq!(first.coverage.counts.meetings_known, expected(&world).counts.meetings_known);
    assert_eq!(compute(&warehouse.source(), &mut snapshots, &campaign, None).await.expect("a snapshot"), first);
    let later = compute(&warehouse.source(), &mut snapshots, &campaign, Some(after())).await.expect("a snapshot");
    assert_eq!(later.coverage.region, expected(&world).region);
    computes(&warehouse.config, &later);
    assert_eq!(snapshots.latest(&campaign, Timestamp::now()).expect("read"), Some(later));
}
