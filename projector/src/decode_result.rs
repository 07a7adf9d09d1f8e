//! DecodeResult: what becomes of a record. It is an event, or it is rejected for a named reason; it is never dropped.
//!
//! Both fates give exactly one row of the log copy, so offsets stay without a gap and nothing vanishes in silence.

use qamtu_schemas::{
    DecodeError, Event, EventType,
    id::{BodyHash, CampaignId, EventId},
};

/// What became of a record.
#[derive(Debug, Clone, PartialEq)]
pub enum DecodeResult {
    /// It is an event.
    Event {
        /// The event, upcast to the latest version.
        event: Box<Event>,
        /// The event in structured mode, as stored.
        body: String,
    },
    /// It is none.
    Rejected(InvalidRecord),
}

/// Why a record is no event, and what may be shown of it.
#[derive(Debug, Clone, PartialEq)]
pub struct InvalidRecord {
    /// The reason.
    pub reason: InvalidReason,
    /// Event id, where the record states a valid one.
    pub event_id: Option<EventId>,
    /// Type and version, where the record states a known one.
    pub kind: Option<EventType>,
    /// Campaign, where the record states a valid one.
    pub campaign: Option<CampaignId>,
    /// First half of the SHA-256 of the redacted value.
    pub hash: BodyHash,
    /// What may be shown, as JSON: an excerpt of the redacted value, the size of the value, the SHA-256 of the redacted one, what is wrong.
    pub body: String,
}

/// Why a record is no event. A closed list: label of a metric, word in the log copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidReason {
    /// The contract says why.
    Contract(&'static str),
    /// The payload was read, but cannot be written as text.
    NotText,
}

impl InvalidReason {
    /// The word for it.
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
