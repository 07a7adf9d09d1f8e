//! Decodes an [`Event`]: CloudEvents binary mode (as in the log) and structured mode (as in files and examples).
//!
//! Guarantees: an event of any released version always decodes to the latest payload through its upcasters; anything else is a
//! [`DecodeError`] with a JSON pointer and without national ids. What decodes also validates against its JSON Schema, except for
//! dropped attributes (see [`attributes`]). No input causes a panic.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{
    envelope::{Envelope, Event},
    event::{Data, EventType, Kind, TypeError, attendance::HeadcountReportedV1},
};

mod attributes;
mod check;
mod mismatch;
mod pointer;
mod rule;
mod strict;
mod upcast;

use attributes::{RawAttributes, attribute_error};
use strict::{ErrorSlot, Strict};

pub use attributes::is_attribute_name;
pub use check::RuleViolation;
pub use mismatch::{Duplicate, ExpectedValue, Mismatch, SyntaxError};
pub use rule::Rule;

/// Why bytes are not a valid event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The record has no value, as a Kafka tombstone.
    #[error("the record has no value")]
    Empty,
    /// A CloudEvents attribute is missing.
    #[error("attribute {0} is missing")]
    Missing(&'static str),
    /// A CloudEvents attribute is invalid.
    #[error("attribute {name}: {reason}")]
    Attribute {
        /// Attribute name, redacted and truncated.
        name: String,
        /// What is wrong with its value.
        reason: String,
    },
    /// An unknown type, or a version that this program does not know.
    #[error("attribute type: {0}")]
    Type(TypeError),
    /// The value is not JSON, or not a payload of this type.
    #[error("{}: {mismatch}", if pointer.is_empty() { "the event" } else { pointer })]
    Payload {
        /// JSON pointer (RFC 6901) into the event; empty for the event as a whole.
        pointer: String,
        /// What is wrong at this place.
        mismatch: Mismatch,
    },
}

impl DecodeError {
    /// One of a fixed set of labels for metrics and for the reason column of the log copy.
    pub const fn label(&self) -> &'static str {
        match self {
            DecodeError::Empty => "empty",
            DecodeError::Missing(_) => "missing-attribute",
            DecodeError::Attribute { .. } => "invalid-attribute",
            DecodeError::Type(TypeError::Unknown(_)) => "unknown-type",
            DecodeError::Type(TypeError::Version { .. }) => "unknown-version",
            DecodeError::Payload { .. } => "invalid-payload",
        }
    }
    /// JSON pointer (RFC 6901) into the event in structured mode; empty for the event as a whole.
    pub fn pointer(&self) -> Cow<'_, str> {
        match self {
            DecodeError::Empty => "".into(),
            DecodeError::Missing(name) => format!("/{name}").into(),
            DecodeError::Attribute { name, .. } => format!("/{}", pointer::escape(name)).into(),
            DecodeError::Type(_) => "/type".into(),
            DecodeError::Payload { pointer, .. } => pointer.into(),
        }
    }
}

/// Decodes a record of the log: CloudEvents binary mode, attributes in `ce_*` headers, JSON data as the value.
pub fn decode<'a>(headers: impl IntoIterator<Item = (&'a str, &'a [u8])>, value: Option<&[u8]>) -> Result<Event, DecodeError> {
    let value = value.ok_or(DecodeError::Empty)?;
    let mut attributes = RawAttributes::default();
    for (name, value) in headers {
        let Some(name) = name.strip_prefix("ce_") else { continue };
        attributes.take(name, || std::str::from_utf8(value).map_err(|_| attribute_error(name, "is not UTF-8")))?;
    }
    event(attributes, value)
}

/// Decodes an event in CloudEvents structured mode, as [`crate::encode::structured`] writes it.
pub fn decode_structured(bytes: &[u8]) -> Result<Event, DecodeError> {
    let StructuredFields(fields) = read(bytes, "")?;
    let mut data = None;
    let mut texts = Vec::with_capacity(fields.len());
    for (name, raw) in fields {
        if name != "data" {
            if raw.get().starts_with(['{', '[']) {
                return Err(attribute_error(&name, "must be a string, a whole number, true or false"));
            }
            texts.push((name, serde_json::from_str::<Cow<'_, str>>(raw.get()).ok()));
        } else if data.replace(raw).is_some() {
            return Err(attribute_error("data", "is given twice"));
        }
    }
    let mut attributes = RawAttributes::default();
    for (name, text) in &texts {
        attributes.take(name, || text.as_deref().ok_or_else(|| attribute_error(name, "must be a string")))?;
    }
    event(attributes, data.ok_or(DecodeError::Missing("data"))?.get().as_bytes())
}

/// The fields of an event in structured mode, in their order, repeated ones included.
struct StructuredFields<'de>(Vec<(Cow<'de, str>, &'de RawValue)>);

impl<'de> Deserialize<'de> for StructuredFields<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = StructuredFields<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an event: one JSON object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<StructuredFields<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(StructuredFields(fields))
            }
        }
        from.deserialize_map(Read)
    }
}

/// Decodes and validates a payload of any released version; JSON pointers in errors begin with `prefix`.
pub fn payload(kind: EventType, bytes: &[u8], prefix: &str) -> Result<Data, DecodeError> {
    let data = match (kind.kind, kind.version) {
        (Kind::HeadcountReported, 1) => {
            let old: HeadcountReportedV1 = read(bytes, prefix)?;
            check::headcount_reported_v1(&old).map_err(|violation| violation.into_error(prefix))?;
            upcast::headcount_reported(old)
        }
        (kind, _) => read_with(bytes, prefix, LatestPayload(kind))?,
    };
    check::check(&data).map_err(|violation| violation.into_error(prefix))?;
    Ok(data)
}

/// Deserializes JSON; errors have a JSON pointer. Stricter than serde: a struct is an object and never an array, a unit variant is a
/// string and never an object.
pub fn read<'de, T: Deserialize<'de>>(bytes: &'de [u8], prefix: &str) -> Result<T, DecodeError> {
    read_with(bytes, prefix, PhantomData::<T>)
}

/// Seed that deserializes the latest payload of a type.
struct LatestPayload(Kind);

impl<'de> DeserializeSeed<'de> for LatestPayload {
    type Value = Data;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Data, D::Error> {
        Data::read_latest(self.0, from)
    }
}

fn read_with<'de, S: DeserializeSeed<'de>>(bytes: &'de [u8], prefix: &str, seed: S) -> Result<S::Value, DecodeError> {
    let (mut json, mut track, slot) =
        (serde_json::Deserializer::from_slice(bytes), serde_path_to_error::Track::new(), ErrorSlot::default());
    let read = seed.deserialize(Strict::new(serde_path_to_error::Deserializer::new(&mut json, &mut track), &slot));
    let read = read.and_then(|value| json.end().map(|()| value).map_err(|_| Mismatch::syntax(bytes)));
    read.map_err(|mismatch| match mismatch {
        Mismatch::Syntax(_) => pointer::payload_error(prefix, &track.path(), Mismatch::syntax(bytes)),
        mismatch => pointer::payload_error(prefix, &track.path(), mismatch),
    })
}

fn event(attributes: RawAttributes<'_>, value: &[u8]) -> Result<Event, DecodeError> {
    let envelope: Envelope = attributes.envelope()?;
    let data = payload(envelope.kind, value, "/data")?;
    if let Data::CampaignConfigured(configured) = &data
        && configured.campaign != envelope.campaign
    {
        return Err(DecodeError::Payload { pointer: "/data/campaign".to_owned(), mismatch: Mismatch::Rule(Rule::OtherCampaign) });
    }
    Ok(Event { envelope, data })
}
