//! Views that list questionable records: references without effect, and similar meeting ids. Events that cancel attendances show their
//! receive time, so that an earlier state can be queried.

use qamtu_log::Partition;
use qamtu_schemas::{
    Data, Event,
    event::{AttendanceRecorded, AttendanceRetracted, ConsentGiven, ConsentWithdrawn, MeetingCancelled, MeetingCorrected},
    id::EventId,
};
use uuid::Uuid;

use crate::{
    events::{attendance, event, meeting, person, records},
    fixture::{LogKind, ProjectorFixture, batch, run},
};

fn ids(numbers: &[u128]) -> Vec<EventId> {
    numbers.iter().map(|number| EventId(Uuid::from_u128(*number))).collect()
}

async fn fixture_with(events: &[Event]) -> ProjectorFixture {
    let fixture = ProjectorFixture::new(LogKind::Embedded).unwrap();
    let warehouse = fixture.warehouse().await;
    let records = records(&Partition::new("events", 0), events);
    // Half of the records twice, as after a crash.
    for range in [&records[..], &records[..records.len() / 2]] {
        warehouse.write(&batch(range).seal()).await.unwrap();
    }
    fixture
}

#[test]
fn references_without_effect_are_listed() {
    run(async {
        let cancelled = |number| MeetingCancelled { meeting: meeting(number), reason: None };
        let correction =
            |number, named: &[u128]| MeetingCorrected { meeting: meeting(number), supersedes: ids(named), report: None, reason: None };
        let retraction = |named: &[u128]| AttendanceRetracted { meeting: meeting(1), retracts: ids(named), reason: None };
        let consent =
            |who, named: &[u128]| ConsentGiven { person: person(who), notice: "2026-02-a".parse().unwrap(), supersedes: ids(named) };
        let fixture = fixture_with(&[
            event(1, 10, None, cancelled(1)),
            event(2, 10, None, attendance(1, 1)),
            event(3, 10, None, attendance(2, 1)),
            event(4, 10, None, ConsentWithdrawn { person: person(1) }),
            // References that have an effect.
            event(11, 20, None, correction(1, &[1])),
            event(12, 20, None, retraction(&[2])),
            event(13, 20, None, consent(1, &[4])),
            // To another meeting, to nothing, to an attendance; to an attendance of another meeting, a cancellation, another person's
            // withdrawal.
            event(21, 30, None, correction(2, &[1])),
            event(22, 30, None, correction(1, &[11, 99])),
            event(23, 30, None, correction(1, &[2])),
            event(24, 30, None, retraction(&[3, 1])),
            event(25, 30, None, consent(2, &[4])),
        ])
        .await;
        let listed = "SELECT toUInt128(event_id), toUInt128(named) FROM v_dangling_references ORDER BY 1, 2";
        assert_eq!(fixture.query(listed).await, "21\t1\n22\t99\n23\t2\n24\t1\n24\t3\n25\t4\n");
        // Receive time of the named event: 10 and 20 microseconds after the start of the campaign.
        let resolved = "SELECT toUInt128(event_id), toUnixTimestamp64Micro(assumeNotNull(resolved)) - 1770944400000000 FROM v_references \
                        WHERE resolved IS NOT NULL ORDER BY 1";
        assert_eq!(fixture.query(resolved).await, "11\t10\n12\t10\n13\t10\n22\t20\n");
    });
}

#[test]
fn similar_meeting_ids_are_listed() {
    run(async {
        let at = |number: u128, id: &str| {
            let data = AttendanceRecorded { meeting: id.parse().unwrap(), ..attendance(1, 1) };
            event(number, number as i64, None, Data::from(data))
        };
        let cancelled = event(7, 7, None, MeetingCancelled { meeting: "trk_1".parse().unwrap(), reason: None });
        let fixture =
            fixture_with(&[at(1, "TRK-1"), at(2, "TRK-1"), at(3, "trk-1"), at(4, "TRK-2"), at(5, "KEN-O1"), at(6, "KEN-01"), cancelled])
                .await;
        let listed = "SELECT meeting_id, looks_like FROM v_lookalike_meetings ORDER BY 1";
        assert_eq!(fixture.query(listed).await, "KEN-01\tKEN-01\nKEN-O1\tKEN-01\nTRK-1\tTRK-1\ntrk-1\tTRK-1\ntrk_1\tTRK-1\n");
    });
}
