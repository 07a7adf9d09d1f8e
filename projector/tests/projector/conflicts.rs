//! Bodies of one id, meeting and kind of fact are one event, of which the earliest received counts. Otherwise they are several events.

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
        // One id with two people of one meeting: one attendance, and so with withdrawals.
        event(1, 20, None, attendance(1, 11)),
        event(1, 10, None, attendance(1, 1)),
        event(6, 20, None, ConsentWithdrawn { person: person(4) }),
        event(6, 10, None, ConsentWithdrawn { person: person(6) }),
        event(7, 10, None, attendance(2, 4)),
        event(8, 10, None, attendance(2, 6)),
        // One id at two meetings: two attendances.
        event(2, 20, None, attendance(2, 2)),
        event(2, 10, None, attendance(1, 2)),
        // An attendance, and a withdrawal of another person with the same id: both count.
        event(3, 10, None, attendance(1, 3)),
        event(3, 20, None, ConsentWithdrawn { person: person(5) }),
        event(4, 10, None, attendance(2, 5)),
        // An attendance of an import, and the reversal of that import with the same id: both count.
        event(5, 10, Some(IMPORT), attendance(1, 7)),
        event(5, 20, None, reversed),
    ];
    events.extend((100..600_u32).map(|n| event(u128::from(n), 10, None, attendance(n, n))));
    events
}

async fn assert_events(fixture: &ProjectorFixture) {
    let few = "SELECT right(meeting_id, 1), right(toString(event_id), 2), person_hi FROM v_attendance WHERE person_hi < 100 ORDER BY 1, 2";
    assert_eq!(fixture.query(few).await, "1\t01\t1\n1\t02\t2\n1\t03\t3\n2\t02\t2\n2\t07\t4\n");
    assert_eq!(fixture.query("SELECT count() FROM v_attendance").await, "505\n");
    let counts = "SELECT type, count() FROM v_events GROUP BY type ORDER BY type";
    let expected = "qamtu.attendance.recorded.v1\t508\nqamtu.consent.withdrawn.v1\t2\nqamtu.import.reversed.v1\t1\n";
    assert_eq!(fixture.query(counts).await, expected);
    let conflicts = "SELECT right(toString(event_id), 2), bodies FROM v_conflicts ORDER BY 1";
    assert_eq!(fixture.query(conflicts).await, "01\t2\n02\t2\n03\t2\n05\t2\n06\t2\n");
}

#[test]
fn an_id_counts_once_for_each_meeting_and_kind_of_fact() {
    run(async {
        let fixture = ProjectorFixture::new(LogKind::Embedded).unwrap();
        let warehouse = fixture.warehouse().await;
        let records = records(&Partition::new("events", 0), &events());
        // Later bodies are written first, and some records twice.
        for range in [&records[3..], &records[..4], &records[..200]] {
            warehouse.write(&batch(range).seal()).await.unwrap();
        }
        assert_events(&fixture).await;
        for table in qamtu_projector::rows::Table::ALL {
            fixture.query(&format!("OPTIMIZE TABLE {} FINAL", table.name())).await;
        }
        assert_events(&fixture).await;
        // The row of a later event is missed although an earlier event of another meeting has its id.
        assert_eq!(fixture.query("SELECT * FROM v_missing_facts").await, "");
        fixture.query("ALTER TABLE attendance DELETE WHERE offset = 6 SETTINGS mutations_sync = 2").await;
        assert_eq!(fixture.query("SELECT offset FROM v_missing_facts").await, "6\n");
    });
}
