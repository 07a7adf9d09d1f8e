//! Events of a small campaign with the anomalies of a large one: duplicates, conflicts, retractions, reversals, withdrawals.

use std::borrow::Cow;

use bytes::Bytes;
use jiff::Timestamp;
use qamtu_log::{Entry, Partition, Record};
use qamtu_schemas::{
    Data, Event, encode,
    encode::canonical,
    event::{
        AttendanceRecorded, AttendanceRetracted, ConsentWithdrawn, Count, HeadcountReported, ImportReversed, Person, PrecinctEnrolled,
        PseudonymStrength, Residence, RollEntry, Sex,
    },
    id::{EventId, ImportId, MeetingId, Pseudonym},
    testing::{TestEnvelope, strategies::CAMPAIGN},
    text::Text,
};
use uuid::Uuid;

/// Start of the campaign, microseconds since 1970.
const START: i64 = 1_770_944_400_000_000;

pub fn meeting(n: u32) -> MeetingId {
    format!("TRK-2026-{n:04}").parse().unwrap()
}

pub fn person(n: u32) -> Person {
    Person { id: Pseudonym((u128::from(n) << 64 | 0xfeed).to_be_bytes()), strength: PseudonymStrength::Strong }
}

/// An event with this id, received `micros` microseconds after the start of the campaign.
pub fn event(id: u128, micros: i64, import: Option<u128>, data: impl Into<Data>) -> Event {
    let received = Timestamp::from_microsecond(START + micros).unwrap();
    let stamp = TestEnvelope {
        id: EventId(Uuid::from_u128(id)),
        campaign: CAMPAIGN.parse().unwrap(),
        source: Text::new("/tests").unwrap(),
        time: received,
        recordedtime: None,
        receivedtime: received,
        import: import.map(|import| ImportId(Uuid::from_u128(import))),
    };
    stamp.event(data.into()).unwrap()
}

/// Person `who` at meeting `n`.
pub fn attendance(n: u32, who: u32) -> AttendanceRecorded {
    let consent = "2026-02-a".parse().unwrap();
    AttendanceRecorded {
        meeting: meeting(n),
        attendee: person(who),
        consent,
        residence: Residence::Unknown,
        adult: Some(true),
        sheet: None,
    }
}

/// `events` events, the same for the same seed: mostly attendances, with every anomaly that still decodes.
pub fn campaign(seed: u128, events: u32) -> Vec<Event> {
    let id = |n: u32| seed << 64 | u128::from(n) << 8 | 1;
    (0..events)
        .map(|n| {
            let (place, who, at) = (n % 40, n.wrapping_mul(2_654_435_761) % 5_000, i64::from(n) * 1_000);
            match n % 50 {
                7 => event(
                    id(n),
                    at,
                    None,
                    HeadcountReported {
                        meeting: meeting(place),
                        counts: vec![Count { counter: "1".parse().unwrap(), people: n % 300 }],
                        eligible_minimum: None,
                        nobody_eligible: false,
                    },
                ),
                13 => event(
                    id(n),
                    at,
                    None,
                    AttendanceRetracted {
                        meeting: meeting((n - 3) % 40),
                        retracts: vec![EventId(Uuid::from_u128(id(n - 3)))],
                        reason: None,
                    },
                ),
                19 => event(id(n), at, None, ConsentWithdrawn { person: person(who) }),
                23 => event(id(n), at, None, ImportReversed { import: ImportId(Uuid::from_u128(u128::from(n))), reason: None }),
                // A duplicate, and other bodies for a known id: received earlier, and later.
                29 => event(id(n - 1), at - 1_000, None, attendance((n - 1) % 40, (n - 1).wrapping_mul(2_654_435_761) % 5_000)),
                31 => event(id(n - 1), at - 5_000, None, attendance((n - 1) % 40, who)),
                37 => event(id(n - 1), at, None, attendance((n - 1) % 40, who)),
                43 => event(
                    id(n),
                    at,
                    None,
                    PrecinctEnrolled {
                        precinct: format!("TRK-{place:03}").parse().unwrap(),
                        version: n,
                        strength: PseudonymStrength::Strong,
                        voters: roll(n),
                    },
                ),
                _ => event(id(n), at, (n % 5 == 0).then_some(u128::from(n / 100 * 100 + 23)), attendance(place, who)),
            }
        })
        .collect()
}

/// The same with one event per id, so that no row is collapsed.
pub fn distinct(seed: u128, events: u32) -> Vec<Event> {
    let mut ids = std::collections::BTreeSet::new();
    campaign(seed, events).into_iter().filter(|event| ids.insert(event.envelope.id)).collect()
}

fn roll(n: u32) -> Vec<RollEntry> {
    (0..n % 30).map(|voter| RollEntry(person(n * 100 + voter).id, 1980, Sex::Unknown)).collect()
}

/// The log entry that ingest appends for an event.
pub fn entry(event: &Event) -> Entry {
    let value = canonical(&event.data).unwrap();
    let encoded = encode(&event.envelope, &event.data, value);
    Entry {
        topic: encoded.topic.name().into(),
        key: encoded.key.into(),
        headers: encoded.headers.into_iter().map(|(name, value)| (Cow::Borrowed(name), value.into())).collect(),
        value: encoded.value.into(),
    }
}

pub fn entries(events: &[Event]) -> Vec<Entry> {
    events.iter().map(entry).collect()
}

/// The record of an event at an offset of a partition.
pub fn record(partition: &Partition, offset: u64, event: &Event) -> Record {
    let entry = entry(event);
    raw(partition, offset, entry.headers, Some(entry.value))
}

pub fn raw(partition: &Partition, offset: u64, headers: Vec<(Cow<'static, str>, Bytes)>, value: Option<Bytes>) -> Record {
    let appended_ms = START / 1000 + offset as i64;
    Record { partition: partition.clone(), offset, skipped: 0, appended_ms, key: None, headers, value }
}

/// Consecutive records of these events, from offset 0.
pub fn records(partition: &Partition, events: &[Event]) -> Vec<Record> {
    events.iter().zip(0..).map(|(event, offset)| record(partition, offset, event)).collect()
}
