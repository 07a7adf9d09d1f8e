//! Hashes of an event, which tell a duplicate from a conflict, and its subject.
//!
//! Guarantees: the hashes are computed from the log entry alone, so they are equal before the append and after the entry is read back.
//! [`EventIdentity::public`] does not depend on the person that an event names, so a comparison with it does not reveal who attended. The
//! hashes are internal to the register; a new format of its file may change them.

use std::fmt;

use jiff::Timestamp;
use qamtu_log::Record;
use qamtu_schemas::{
    Encoded, Envelope, Kind,
    event::EventType,
    id::{BodyHash, EventId},
};
use serde::{
    Deserializer as _,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::pseudonym;

/// The attributes that the client sets, in the order in which they are hashed. Id and body hash are compared separately.
const ATTRIBUTES: [&str; 6] = ["ce_type", "ce_source", "ce_time", "ce_recordedtime", "ce_campaign", "ce_import"];

/// What the register compares of events with the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventIdentity {
    /// Id of the event.
    pub id: EventId,
    /// Hash of the whole body.
    pub hash: BodyHash,
    /// Hash of the body without the person that it names; the first bytes of `hash` if it names nobody.
    pub public: u64,
    /// Hash of type and subject, see [`about`].
    pub about: u64,
    /// `receivedtime` in microseconds since 1970: of two bodies with one id the one received earlier wins.
    pub received_us: i64,
}

/// The parts of a log entry that are hashed.
struct Content<'c, H> {
    /// Returns the value of a header, empty if it is absent.
    header: H,
    key: &'c [u8],
    value: &'c [u8],
}

/// Result of comparing two events with the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Both have the same body.
    Same,
    /// The bodies differ only in the person that they name.
    OtherPerson,
    /// The bodies differ in something else.
    Different,
}

impl EventIdentity {
    /// The identity of an event before it is appended.
    pub fn of_encoded(envelope: &Envelope, encoded: &Encoded) -> Self {
        let header = |wanted: &str| encoded.headers.iter().find(|(name, _)| *name == wanted).map_or(&[][..], |(_, value)| value.as_bytes());
        let content = Content { header, key: encoded.key.as_bytes(), value: &encoded.value };
        Self::new(envelope.id, envelope.bodyhash, envelope.kind.kind, envelope.receivedtime, &content)
    }

    /// The identity and type of a record's event; `None` if it is no event. Parses the payload only of types that name people.
    pub fn of_record(record: &Record) -> Option<(Self, Kind)> {
        let header = |wanted: &str| record.headers.iter().find(|(name, _)| name == wanted).map_or(&[][..], |(_, value)| value.as_ref());
        let text = |wanted: &str| std::str::from_utf8(header(wanted)).ok();
        let kind = text("ce_type")?.parse::<EventType>().ok()?.kind;
        let (id, hash, received) =
            (text("ce_id")?.parse().ok()?, text("ce_bodyhash")?.parse().ok()?, text("ce_receivedtime")?.parse().ok()?);
        let (key, value) = (record.key.as_deref().unwrap_or_default(), record.value.as_deref().unwrap_or_default());
        Some((Self::new(id, hash, kind, received, &Content { header, key, value }), kind))
    }

    fn new<'c>(id: EventId, hash: BodyHash, kind: Kind, received: Timestamp, content: &Content<'c, impl Fn(&str) -> &'c [u8]>) -> Self {
        let public = pseudonym::person_field(kind).and_then(|person| {
            let mut all = Vec::with_capacity(512);
            ATTRIBUTES.iter().for_each(|name| hash_part(&mut all, (content.header)(name)));
            fields_without(content.value, person, &mut all).ok().map(|()| first_8_bytes(&Sha256::digest(&all)))
        });
        // A payload that cannot be parsed was written by another producer: the whole hash is compared.
        let public = public.unwrap_or_else(|| first_8_bytes(&hash.0));
        Self { id, hash, public, about: about(kind, content.key), received_us: received.as_microsecond() }
    }

    /// Compares an event that was sent with this one, which has the same id.
    pub fn compare(&self, sent: &EventIdentity) -> Comparison {
        match (self.hash == sent.hash, self.public == sent.public) {
            (true, _) => Comparison::Same,
            (false, true) => Comparison::OtherPerson,
            (false, false) => Comparison::Different,
        }
    }
}

/// Hash of an event's type and subject (the log key). The key of a consent event contains a person, so only its campaign is hashed: a
/// comparison then reveals nothing about the person.
pub fn about(kind: Kind, key: &[u8]) -> u64 {
    let subject = match kind {
        Kind::ConsentGiven | Kind::ConsentWithdrawn => key.split(|byte| *byte == b'/').next().unwrap_or_default(),
        _ => key,
    };
    let mut all = Vec::with_capacity(128);
    hash_part(&mut all, kind.name().as_bytes());
    hash_part(&mut all, subject);
    first_8_bytes(&Sha256::digest(&all))
}

/// Appends a part with its length, so that different parts never give the same input of the hash.
fn hash_part(all: &mut Vec<u8>, bytes: &[u8]) {
    all.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
    all.extend_from_slice(bytes);
}

fn first_8_bytes(hash: &[u8]) -> u64 {
    hash.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Appends every field of a JSON object except one. Values are hashed as stored, in canonical form.
fn fields_without(value: &[u8], field: &str, all: &mut Vec<u8>) -> serde_json::Result<()> {
    struct OtherFields<'a>(&'a str, &'a mut Vec<u8>);
    impl<'de> Visitor<'de> for OtherFields<'_> {
        type Value = ();
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a payload")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            while let Some((name, value)) = map.next_entry::<&str, &RawValue>()? {
                if name != self.0 {
                    hash_part(self.1, name.as_bytes());
                    hash_part(self.1, value.get().as_bytes());
                }
            }
            Ok(())
        }
    }
    serde_json::Deserializer::from_slice(value).deserialize_map(OtherFields(field, all))
}

#[cfg(test)]
mod tests {
    use qamtu_log::Partition;
    use qamtu_schemas::{Topic, testing};

    use super::*;

    fn attendance(person: &str, residence: &str, source: &str, hash: u8) -> EventIdentity {
        let value = format!(r#"{{"attendee":{{"id":"{person}"}},"meeting":"m","residence":"{residence}"}}"#);
        let headers = vec![("ce_type", "qamtu.attendance.recorded.v1".to_owned()), ("ce_source", source.to_owned())];
        let encoded = Encoded { topic: Topic::Events, key: "c/m".to_owned(), headers, value: value.into_bytes() };
        let example = testing::examples().unwrap().remove(0);
        let envelope = qamtu_schemas::decode::decode_structured(&example.bytes).unwrap().envelope;
        let envelope = Envelope { kind: EventType::latest(Kind::AttendanceRecorded), bodyhash: BodyHash([hash; 16]), ..envelope };
        EventIdentity::of_encoded(&envelope, &encoded)
    }

    #[test]
    fn bodies_are_compared_without_the_person() {
        let first = attendance("a", "unknown", "s", 1);
        assert_eq!(first.compare(&first), Comparison::Same);
        assert_eq!(first.compare(&attendance("b", "unknown", "s", 2)), Comparison::OtherPerson);
        assert_eq!(first.compare(&attendance("a", "outside", "s", 3)), Comparison::Different);
        assert_eq!(first.compare(&attendance("b", "outside", "s", 3)), Comparison::Different);
        assert_eq!(first.compare(&attendance("a", "unknown", "t", 4)), Comparison::Different);
    }

    #[test]
    fn the_subject_of_consent_is_its_campaign_and_not_a_person() {
        assert_eq!(about(Kind::ConsentWithdrawn, b"c/one"), about(Kind::ConsentWithdrawn, b"c/other"));
        assert_ne!(about(Kind::ConsentWithdrawn, b"c/one"), about(Kind::ConsentWithdrawn, b"d/one"));
        assert_ne!(about(Kind::MeetingHeld, b"c/one"), about(Kind::MeetingHeld, b"c/other"));
        assert_ne!(about(Kind::MeetingHeld, b"c/one"), about(Kind::MeetingPlanned, b"c/one"));
    }

    #[test]
    fn an_event_has_the_same_identity_before_the_append_and_after_the_reading() {
        for example in testing::examples().unwrap() {
            let event = qamtu_schemas::decode::decode_structured(&example.bytes).unwrap();
            let value = qamtu_schemas::encode::canonical(&event.data).unwrap();
            let encoded = qamtu_schemas::encode::encode(&event.envelope, &event.data, value);
            let before = EventIdentity::of_encoded(&event.envelope, &encoded);
            let entry = crate::log_append::entry(encoded);
            let partition = Partition::new(entry.topic.to_string(), 0);
            let (key, value) = (Some(entry.key), Some(entry.value));
            let record = Record { partition, offset: 0, skipped: 0, appended_ms: 0, key, headers: entry.headers, value };
            assert_eq!(EventIdentity::of_record(&record), Some((before, event.data.kind())));
        }
    }
}
