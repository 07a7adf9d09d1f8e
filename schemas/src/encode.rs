//! Encodes an [`Event`](crate::Event): topic, key, headers and value for the log, or one JSON object for files.
//!
//! Guarantees: the value in the log is the RFC 8785 form of the payload as it was sent (in its own version, persons replaced by
//! pseudonyms, UUIDs, instants and texts normalised), so the same submission always gives the same bytes; an encoded event decodes
//! to the same event.

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{
    envelope::Envelope,
    event::{Data, EventType},
    id::{BodyHash, CampaignId, EventId, ImportId},
    text::Text,
    topic::{self, Topic},
};

/// An encoded event, ready to append to the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// Topic to append to.
    pub topic: Topic,
    /// Record key, which decides the partition.
    pub key: String,
    /// CloudEvents attributes as binary-mode headers.
    pub headers: Vec<(&'static str, String)>,
    /// Payload in the canonical form of RFC 8785.
    pub value: Vec<u8>,
}

/// Serializes a value in the canonical form of RFC 8785.
pub fn canonical<T: Serialize>(value: &T) -> serde_json::Result<Vec<u8>> {
    serde_json_canonicalizer::to_vec(value)
}

/// Encodes an event; `value` is the canonical payload of version `envelope.kind.version`, of which `data` is the latest form.
pub fn encode(envelope: &Envelope, data: &Data, value: Vec<u8>) -> Encoded {
    let mut headers = vec![
        ("content-type", "application/json".to_owned()),
        ("ce_specversion", "1.0".to_owned()),
        ("ce_id", envelope.id.to_string()),
        ("ce_type", envelope.kind.to_string()),
        ("ce_source", envelope.source.to_string()),
        ("ce_time", envelope.time.to_string()),
        ("ce_receivedtime", envelope.receivedtime.to_string()),
        ("ce_campaign", envelope.campaign.to_string()),
        ("ce_bodyhash", envelope.bodyhash.to_string()),
    ];
    headers.extend(envelope.recordedtime.map(|time| ("ce_recordedtime", time.to_string())));
    headers.extend(envelope.import.map(|import| ("ce_import", import.to_string())));
    Encoded { topic: Topic::of(data), key: topic::key(&envelope.campaign, data), headers, value }
}

/// Encodes an event as one JSON object in CloudEvents structured mode; `value` is the stored payload.
pub fn structured(envelope: &Envelope, value: &[u8]) -> serde_json::Result<Vec<u8>> {
    #[derive(Serialize)]
    struct Structured<'a> {
        specversion: &'static str,
        #[serde(flatten)]
        envelope: &'a Envelope,
        data: &'a serde_json::value::RawValue,
    }
    let data = serde_json::from_slice(value)?;
    serde_json::to_vec(&Structured { specversion: "1.0", envelope, data })
}

/// The attributes that the client chooses, as opposed to those that ingest adds.
#[derive(Debug, Clone, Copy)]
pub struct ClientAttributes<'a> {
    /// Id that the client chose.
    pub id: EventId,
    /// Type with the version that was sent.
    pub kind: EventType,
    /// Which form, import or phone sends it.
    pub source: &'a Text,
    /// When the reported fact happened.
    pub time: jiff::Timestamp,
    /// When a device recorded it, if it did.
    pub recordedtime: Option<jiff::Timestamp>,
    /// Campaign the event belongs to.
    pub campaign: &'a CampaignId,
    /// Import the event came with, if any.
    pub import: Option<ImportId>,
}

/// Hash of a submission: the client's attributes (instants as numbers, not as text) and the canonical payload with pseudonyms, as
/// a hash over a raw identifier could be reversed by trying all identifiers.
pub fn body_hash(sent: &ClientAttributes<'_>, canonical_payload: &[u8]) -> BodyHash {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    part(sent.id.0.as_bytes());
    part(sent.kind.to_string().as_bytes());
    part(sent.source.as_bytes());
    part(&sent.time.as_nanosecond().to_be_bytes());
    part(&sent.recordedtime.map_or(i128::MIN, |time| time.as_nanosecond()).to_be_bytes());
    part(sent.campaign.as_str().as_bytes());
    part(sent.import.map_or([0; 16], |import| *import.0.as_bytes()).as_slice());
    part(canonical_payload);
    let digest = hash.finalize();
    let mut short = [0; 16];
    short.copy_from_slice(&digest[..16]);
    BodyHash(short)
}
