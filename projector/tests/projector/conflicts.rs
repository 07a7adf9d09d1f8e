//! One id is one event, even if its bodies name several meetings or types: the earliest received wins in every view.

use qamtu_log::Partition;
use qamtu_schemas::{
    Event,
    event::{ConsentWithdrawn, ImportReversed},
    id::ImportId,
};
use uuid::Uuid;

use crate::{
    events::{attendance, event, person, records},
    fixture::{LogKind, ProjectorFixture, batch, run},
};

const IMPORT: u128 = 77;

fn events() -> Vec<Event> {
    let reversed = ImportReversed { import: ImportId(Uuid::from_u128(IMPORT)), reason: None };
    let mut events = vec![
        // One id at two meetings.
        event(1, 20, None, attendance(2, 1)),
        event(1, 10, None, attendance(1, 1)),
        // An attendance, and a later withdrawal with the same id, which has no effect.
        event(2, 20, None, ConsentWithdrawn { person: person(2) }),
        event(2, 10, None, attendance(1, 2)),
        // A withdrawal, and a later attendance with the same id; the person's other attendance is withdrawn.
        event(3, 10, None, ConsentWithdrawn { person: person(3) }),
        event(3, 20, None, attendance(1, 3)),
        event(4, 10, None, attendance(2, 3)),
        // An attendance of an import, and a later reversal of that import with the same id.
        event(5, 10, Some(IMPORT), attendance(1, 5)),
        event(5, 20, None, reversed),
    ];
    events.extend((100..600_u32).map(|n| event(u128::from(n), 10, None, attendance(n, n))));
    events
}

async fn assert_the_earliest_hold(fixture: &ProjectorFixture) {
    let few = "SELECT meeting_id, right(toString(event_id), 2) FROM v_attendance WHERE person_hi < 100 ORDER BY 2";
    assert_eq!(fixture.query(few).await, "TRK-2026-0001\t01\nTRK-2026-0001\t02\nTRK-2026-0001\t05\n");
    assert_eq!(fixture.query("SELECT count() FROM v_attendance").await, "503\n");
    let counts = "SELECT type, count() FROM v_events GROUP BY type ORDER BY type";
    assert_eq!(fixture.query(counts).await, "qamtu.attendance.recorded.v1\t504\nqamtu.consent.withdrawn.v1\t1\n");
    assert_eq!(fixture.query("SELECT count() FROM v_events").await, "505\n");
    assert_eq!(fixture.query("SELECT count() FROM v_reference_events").await, "0\n");
    let conflicts = "SELECT right(toString(event_id), 2), bodies FROM v_conflicts ORDER BY 1";
    assert_eq!(fixture.query(conflicts).await, "01\t2\n02\t2\n03\t2\n05\t2\n");
}

#[test]
fn an_id_counts_once_whatever_its_bodies_name() {
    run(async {
        let fixture = ProjectorFixture::new(LogKind::Embedded).unwrap();
        let warehouse = fixture.warehouse().await;
        let records = records(&Partition::new("events", 0), &events());
        // Later bodies are written first, and some records twice.
        for range in [&records[3..], &records[..4], &records[..200]] {
            warehouse.write(&batch(range).seal()).await.unwrap();
        }
        assert_the_earliest_hold(&fixture).await;
        for table in qamtu_projector::rows::Table::ALL {
            fixture.query(&format!("OPTIMIZE TABLE {} FINAL", table.name())).await;
        }
        assert_the_earliest_hold(&fixture).await;
    });
}
