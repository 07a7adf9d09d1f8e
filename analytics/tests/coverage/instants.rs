//! Figures of a past instant are those of the records received by then, and so are the anomalies among them.

use qamtu_analytics::{compute, snapshot_identity::Selection};
use serde_json::{Value, json};

use crate::{
    warehouse::{TestWarehouse, attendance_id, attendance_row, events, expected, fact, world},
    world::{World, at, key},
};

/// Adds events that were received at this instant, and returns their places.
fn received(world: &mut World, instant: &str, add: impl FnOnce(&mut World)) -> std::ops::Range<usize> {
    let first = world.events.len();
    add(world);
    world.events[first..].iter_mut().for_each(|event| event["receivedtime"] = instant.into());
    first..world.events.len()
}

/// One more person at m1.
fn latecomer(world: &mut World, received: &str) -> Value {
    world.strong("m1", [7]);
    let mut row = attendance_row(99, &world.attendances[world.attendances.len() - 1]);
    row["received"] = received.into();
    row
}

fn consent_id(number: u64) -> String {
    format!("00000000-0000-4000-8006-{number:012x}")
}

fn consent(number: u64, person: u64, columns: Value) -> Value {
    let mut row = fact(&consent_id(number), events(0, 4_000 + number), columns);
    let (hi, lo) = key(person);
    (row["person_hi"], row["person_lo"]) = (hi.into(), lo.into());
    row
}

#[tokio::test(flavor = "multi_thread")]
async fn records_received_later_change_nothing_at_an_earlier_instant() {
    let (warehouse, mut world) = (TestWarehouse::start().await, world());
    warehouse.store(&world).await;
    let then = async || {
        let past = Selection { as_of: at("2026-02-28T00:00:00Z"), ..warehouse.selection().await };
        compute::coverage(&warehouse.source(), past).await.expect("a coverage")
    };
    let before = then().await;
    assert_eq!(before.region.figures.audience.reach.reached, 4);
    let (import, later) = ("00000000-0000-4000-8002-000000000007", "2026-03-01 00:00:00");
    // A person more at m1, and three events that take somebody away: m1 has the people 1, 2 and 6, the attendances 5 to 7 of the campaign.
    let new = received(&mut world, "2026-03-01T00:00:00Z", |world| {
        world.event("attendance.retracted", json!({"meeting": "m1", "retracts": [attendance_id(5)]}));
        world.event("import.reversed", json!({"import": import}));
    });
    warehouse.insert_events(world.events[new].iter().zip([events(0, 3_000), events(0, 3_001)])).await;
    let imported = format!(
        "ALTER TABLE attendance UPDATE import = toUUID('{import}') WHERE event_id = toUUID('{}') SETTINGS mutations_sync = 1",
        attendance_id(7)
    );
    warehouse.admin.query(&imported).execute().await.expect("an import");
    warehouse.insert("attendance", [latecomer(&mut world, later)]).await;
    // The withdrawal of person 9 was answered at once; without the answer it would stand.
    let consents = [
        consent(1, 2, json!({"received": later, "kind": "withdrawn"})),
        consent(2, 9, json!({"received": later, "kind": "withdrawn"})),
        consent(3, 9, json!({"received": later, "kind": "given", "supersedes": [consent_id(2)]})),
    ];
    warehouse.insert("consents", consents).await;
    assert_eq!(then().await, before);
    // Later the new one counts, the one whose attendance was retracted is still at m3, and the two others are gone.
    let now = warehouse.coverage().await.region.figures.audience;
    assert_eq!((now.reach.reached, now.contacts), (before.region.figures.audience.reach.reached - 2 + 1, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn anomalies_are_counted_as_of_the_instant_and_change_no_figure() {
    let (warehouse, mut world) = (TestWarehouse::start().await, world());
    let unknown = "00000000-0000-4000-8005-00000000ffff";
    let starts = "2026-03-02T10:00:00Z";
    // A report of a meeting that begins after the instant.
    world.held("m6", World::place("2026-03-20T10:00:00Z"));
    // A move that has an effect, one of an unknown plan, and a retraction of an attendance that is received only later.
    let plan = world.planned("m5", World::place("2026-02-24T10:00:00Z"));
    world.event("meeting.rescheduled", json!({"meeting": "m5", "supersedes": [plan], "starts": starts}));
    world.event("meeting.rescheduled", json!({"meeting": "m5", "supersedes": [unknown], "starts": starts}));
    world.event("attendance.retracted", json!({"meeting": "m1", "retracts": [attendance_id(99)]}));
    for meeting in ["TRK-1", "trk-1", "TRK-2"] {
        world.cancelled(meeting);
    }
    warehouse.store(&world).await;
    let mut wanted = expected(&world);
    // A consent that has an effect, and one that answers no withdrawal.
    let consents = [
        consent(1, 9, json!({"kind": "withdrawn"})),
        consent(2, 9, json!({"kind": "given", "supersedes": [consent_id(1)]})),
        consent(3, 9, json!({"kind": "given", "supersedes": [unknown]})),
    ];
    wanted.counts.events += consents.len() as u64;
    warehouse.insert("consents", consents).await;
    // After the instant: one more reference without effect, and one more meeting that looks like another.
    let new = received(&mut world, "2026-04-01T00:00:00Z", |world| {
        world.event("attendance.retracted", json!({"meeting": "m1", "retracts": [unknown]}));
        world.cancelled("trk-2");
    });
    warehouse.insert_events(world.events[new].iter().zip([events(0, 3_000), events(0, 3_001)])).await;
    warehouse.insert("attendance", [latecomer(&mut world, "2026-04-01 00:00:00")]).await;
    (wanted.quality.dangling_references, wanted.quality.lookalike_meetings, wanted.quality.premature_reports) = (3, 2, 1);
    assert_eq!(warehouse.coverage().await, wanted);
}
