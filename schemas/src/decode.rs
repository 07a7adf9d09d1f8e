//! Bytes to [`Event`]: CloudEvents binary mode (as in the log) and structured mode (as in files and examples).
//!
//! Guarantees: an event of any released version decodes to the latest payload through its upcasters, for ever; anything else is
//! a [`DecodeError`] that names the place and shows no national id. What decodes also validates against its JSON Schema, apart from
//! the attributes that are dropped (see [`attributes`]). Nothing here panics on any input.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{
    envelope::{Envelope, Event},
    event::{Data, EventType, Kind, TypeError, audience::HeadcountReportedV1},
};

mod attributes;
mod check;
mod mismatch;
mod place;
mod rule;
mod strict;
mod upcast;

use attributes::{Found, wrong};
use strict::{Slot, Strict};

pub use attributes::is_attribute_name;
pub use check::Flaw;
pub use mismatch::{Duplicate, Mismatch, SyntaxError, Wanted};
pub use rule::Rule;

/// Why bytes are no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A record without a value.
    #[error("the record has no value")]
    Empty,
    /// A CloudEvents attribute is missing.
    #[error("attribute {0} is missing")]
    Missing(&'static str),
    /// A CloudEvents attribute is wrong.
    #[error("attribute {name}: {reason}")]
    Attribute {
        /// Which one.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// An unknown type, or a version from the future.
    #[error("attribute type: {0}")]
    Type(TypeError),
    /// No JSON, or not the payload of this type.
    #[error("{}: {mismatch}", if pointer.is_empty() { "the event" } else { pointer })]
    Payload {
        /// JSON pointer (RFC 6901) into the event; empty for the event as a whole.
        pointer: String,
        /// What is wrong.
        mismatch: Mismatch,
    },
}

impl DecodeError {
    /// Closed label for metrics and for the reason column of the log copy.
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
            DecodeError::Attribute { name, .. } => format!("/{}", place::escape(name)).into(),
            DecodeError::Type(_) => "/type".into(),
            DecodeError::Payload { pointer, .. } => pointer.into(),
        }
    }
}

/// Decodes a record of the log: CloudEvents binary mode, attributes in `ce_*` headers, JSON data as the value.
pub fn decode<'a>(headers: impl IntoIterator<Item = (&'a str, &'a [u8])>, value: Option<&[u8]>) -> Result<Event, DecodeError> {
    let value = value.ok_or(DecodeError::Empty)?;
    let mut found = Found::default();
    for (name, value) in headers {
        let Some(name) = name.strip_prefix("ce_") else { continue };
        found.take(name, || std::str::from_utf8(value).map_err(|_| wrong(name, "is not UTF-8")))?;
    }
    event(found, value)
}

/// Decodes an event in CloudEvents structured mode, as [`crate::encode::structured`] writes it.
pub fn decode_structured(bytes: &[u8]) -> Result<Event, DecodeError> {
    let Fields(fields) = read(bytes, "")?;
    let mut data = None;
    let mut texts = Vec::with_capacity(fields.len());
    for (name, raw) in fields {
        if name != "data" {
            if raw.get().starts_with(['{', '[']) {
                return Err(wrong(&name, "must be a string, a whole number, true or false"));
            }
            texts.push((name, serde_json::from_str::<Cow<'_, str>>(raw.get()).ok()));
        } else if data.replace(raw).is_some() {
            return Err(wrong("data", "is given twice"));
        }
    }
    let mut found = Found::default();
    for (name, text) in &texts {
        found.take(name, || text.as_deref().ok_or_else(|| wrong(name, "must be a string")))?;
    }
    event(found, data.ok_or(DecodeError::Missing("data"))?.get().as_bytes())
}

/// The fields of an event in structured mode, in their order, repeated ones included.
struct Fields<'de>(Vec<(Cow<'de, str>, &'de RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Fields<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an event: one JSON object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        from.deserialize_map(Read)
    }
}

/// Decodes and checks a payload of any released version; pointers in errors begin with `prefix`.
pub fn payload(kind: EventType, bytes: &[u8], prefix: &str) -> Result<Data, DecodeError> {
    let data = match (kind.kind, kind.version) {
        (Kind::HeadcountReported, 1) => {
            let old: HeadcountReportedV1 = read(bytes, prefix)?;
            check::headcount_reported_v1(&old).map_err(|flaw| flaw.under(prefix))?;
            upcast::headcount_reported(old)
        }
        (kind, _) => read_with(bytes, prefix, Latest(kind))?,
    };
    check::check(&data).map_err(|flaw| flaw.under(prefix))?;
    Ok(data)
}

/// Reads typed JSON; errors carry the JSON pointer of the place. Stricter than serde: a struct is an object and never an array, a
/// plain choice is a string and never an object.
pub fn read<'de, T: Deserialize<'de>>(bytes: &'de [u8], prefix: &str) -> Result<T, DecodeError> {
    read_with(bytes, prefix, PhantomData::<T>)
}

/// The latest payload of a type.
struct Latest(Kind);

impl<'de> DeserializeSeed<'de> for Latest {
    type Value = Data;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Data, D::Error> {
        Data::read_latest(self.0, from)
    }
}

fn read_with<'de, S: DeserializeSeed<'de>>(bytes: &'de [u8], prefix: &str, seed: S) -> Result<S::Value, DecodeError> {
    let (mut json, mut track, slot) = (serde_json::Deserializer::from_slice(bytes), serde_path_to_error::Track::new(), Slot::default());
    let read = seed.deserialize(Strict::new(serde_path_to_error::Deserializer::new(&mut json, &mut track), &slot));
    let read = read.and_then(|value| json.end().map(|()| value).map_err(|_| Mismatch::syntax(bytes)));
    read.map_err(|mismatch| match mismatch {
        Mismatch::Syntax(_) => place::error(prefix, &track.path(), Mismatch::syntax(bytes)),
        mismatch => place::error(prefix, &track.path(), mismatch),
    })
}

fn event(found: Found<'_>, value: &[u8]) -> Result<Event, DecodeError> {
    let envelope: Envelope = found.envelope()?;
    let data = payload(envelope.kind, value, "/data")?;
    if let Data::CampaignConfigured(configured) = &data
        && configured.campaign != envelope.campaign
    {
        return Err(DecodeError::Payload { pointer: "/data/campaign".to_owned(), mismatch: Mismatch::Rule(Rule::OtherCampaign) });
    }
    Ok(Event { envelope, data })
}
