//! An event: its CloudEvents 1.0 attributes and its payload.
//!
//! Three times: `time` is when it happened, `recordedtime` when a device wrote it down, `receivedtime` when ingest took it.
//! Lateness is judged by `receivedtime` alone; folds read none of them, except to choose between two bodies of one id.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    event::{Data, EventType},
    id::{BodyHash, CampaignId, EventId, ImportId},
    instant::{given_instant, instant},
    text::Text,
};

/// An event as stored and as read: attributes and a payload of the latest version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The CloudEvents attributes; `kind.version` is the version that was stored.
    pub envelope: Envelope,
    /// The payload, upcast to the latest version.
    pub data: Data,
}

/// Attributes of an event as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// Made by the client, kept through every retry.
    pub id: EventId,
    /// Name and version of the payload.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// Which form, import or phone sent it.
    pub source: Text,
    /// When it happened.
    #[serde(deserialize_with = "instant")]
    pub time: Timestamp,
    /// When a device wrote it down.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given_instant")]
    #[schemars(with = "Timestamp")]
    pub recordedtime: Option<Timestamp>,
    /// When ingest took it, in whole microseconds.
    #[serde(deserialize_with = "instant")]
    pub receivedtime: Timestamp,
    /// The campaign it belongs to.
    pub campaign: CampaignId,
    /// The import it came with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ImportId")]
    pub import: Option<ImportId>,
    /// Hash of what the client sent, identifiers already replaced.
    pub bodyhash: BodyHash,
}

impl Envelope {
    /// Order of precedence between events of one id: the earliest received wins, ties by body.
    pub fn precedence(&self) -> (Timestamp, BodyHash) {
        (self.receivedtime, self.bodyhash)
    }
}
