//! The result of decoding a record: an event, or an invalid record with its reason.
//!
//! Both become exactly one row of the log copy, so no record disappears silently.

use qamtu_schemas::{
    DecodeError, Event, EventType,
    id::{BodyHash, CampaignId, EventId},
};

/// A decoded record.
#[derive(Debug, Clone, PartialEq)]
pub enum DecodeResult {
    /// The record is a valid event.
    Event {
        /// The event, upcast to the latest version.
        event: Box<Event>,
        /// The event in structured mode, as stored in the tables.
        body: String,
    },
    /// The record is not a valid event; it is stored with status `rejected`.
    Rejected(InvalidRecord),
}

/// Why a record is not a valid event, and the parts of it that may be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct InvalidRecord {
    /// Reason of the rejection.
    pub reason: InvalidReason,
    /// Event id, if the record has a valid one.
    pub event_id: Option<EventId>,
    /// Type and version, if they are known.
    pub kind: Option<EventType>,
    /// Campaign, if the record has a valid one.
    pub campaign: Option<CampaignId>,
    /// First 16 bytes of the SHA-256 of the redacted value.
    pub hash: BodyHash,
    /// Stored body as JSON: excerpt of the redacted value, size of the value, SHA-256 of the redacted value, error.
    pub body: String,
}

/// Why a record is not a valid event. A closed list: metric label and column `reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidReason {
    /// Label of a decode error of the contract.
    Contract(&'static str),
    /// The payload was decoded, but is not UTF-8.
    NotText,
}

impl InvalidReason {
    /// Value of the metric label and of the column `reason`.
    pub const fn label(self) -> &'static str {
        match self {
            InvalidReason::Contract(label) => label,
            InvalidReason::NotText => "not-text",
        }
    }
}

impl From<&DecodeError> for InvalidReason {
    fn from(error: &DecodeError) -> Self {
        InvalidReason::Contract(error.label())
    }
}
