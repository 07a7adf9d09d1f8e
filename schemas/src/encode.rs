//! [`Event`](crate::Event) to bytes: topic, key, headers and value for the log, or one JSON object for files.
//!
//! Guarantees: the value in the log is the RFC 8785 form of the payload as it was sent (in its own version, persons replaced by
//! pseudonyms, and with one spelling of UUIDs, instants and texts), so the same submission always gives the same bytes; encoding and decoding give the same event.

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{
    envelope::Envelope,
    event::{Data, EventType},
    id::{BodyHash, CampaignId, EventId, ImportId},
    text::Text,
    topic::{self, Topic},
};

/// What goes into the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// Where to.
    pub topic: Topic,
    /// Decides the partition.
    pub key: String,
    /// CloudEvents attributes, binary mode.
    pub headers: Vec<(&'static str, String)>,
    /// RFC 8785 JSON.
    pub value: Vec<u8>,
}

/// RFC 8785 form of any JSON value.
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

/// One JSON object in CloudEvents structured mode; `value` is the payload as stored.
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

/// The attributes that a client decides.
#[derive(Debug, Clone, Copy)]
pub struct Sent<'a> {
    /// Event id.
    pub id: EventId,
    /// Type and version as sent.
    pub kind: EventType,
    /// Source.
    pub source: &'a Text,
    /// When it happened.
    pub time: jiff::Timestamp,
    /// When a device wrote it down.
    pub recordedtime: Option<jiff::Timestamp>,
    /// Campaign.
    pub campaign: &'a CampaignId,
    /// Import.
    pub import: Option<ImportId>,
}

/// Hash of what a client sent: the attributes it decides (instants as instants, not as spelled) and the canonical payload with
/// identifiers already replaced, since a hash over a raw identifier could be searched.
pub fn body_hash(sent: &Sent<'_>, canonical_payload: &[u8]) -> BodyHash {
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
