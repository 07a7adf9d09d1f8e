//! Bytes to [`Event`]: CloudEvents binary mode (as in the log) and structured mode (as in files and examples).
//!
//! Guarantees: an event of any released version decodes to the latest payload through its upcasters, for ever; anything else is
//! a [`DecodeError`] that names the place. Tracing extensions are dropped. Nothing here panics on any input.

use std::str::FromStr;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    envelope::Envelope,
    event::{Data, Event, EventType, Kind, TypeError, audience::HeadcountReportedV1},
};

mod check;
mod upcast;

pub use check::Flaw;

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
    #[error("{pointer}: {reason}")]
    Payload {
        /// JSON pointer (RFC 6901) into the event.
        pointer: String,
        /// What is wrong.
        reason: String,
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
}

/// Decodes a record of the log: CloudEvents binary mode, attributes in `ce_*` headers, JSON data as the value.
pub fn decode<'a>(headers: impl IntoIterator<Item = (&'a str, &'a [u8])>, value: Option<&[u8]>) -> Result<Event, DecodeError> {
    let value = value.ok_or(DecodeError::Empty)?;
    let envelope = attributes(headers)?;
    let data = payload(envelope.kind, value, "/data")?;
    finish(envelope, data)
}

/// Decodes an event in CloudEvents structured mode, as [`crate::encode::structured`] writes it.
pub fn decode_structured(bytes: &[u8]) -> Result<Event, DecodeError> {
    let mut fields: std::collections::BTreeMap<String, Box<RawValue>> = read(bytes, "")?;
    let data = fields.remove("data").ok_or(DecodeError::Missing("data"))?;
    let attributes: Vec<(String, String)> = fields
        .into_iter()
        .map(|(name, raw)| match serde_json::from_str::<String>(raw.get()) {
            Ok(text) => Ok((name, text)),
            Err(_) => Err(DecodeError::Attribute { name, reason: "must be a string".to_owned() }),
        })
        .collect::<Result<_, _>>()?;
    let prefixed: Vec<(String, &str)> = attributes.iter().map(|(name, text)| (format!("ce_{name}"), text.as_str())).collect();
    decode(prefixed.iter().map(|(name, text)| (name.as_str(), text.as_bytes())), Some(data.get().as_bytes()))
}

/// Decodes and checks a payload of any released version; pointers in errors begin with `prefix`.
pub fn payload(kind: EventType, bytes: &[u8], prefix: &str) -> Result<Data, DecodeError> {
    let data = match (kind.kind, kind.version) {
        (Kind::HeadcountReported, 1) => upcast::headcount_reported(read::<HeadcountReportedV1>(bytes, prefix)?),
        (kind, _) => {
            let mut json = serde_json::Deserializer::from_slice(bytes);
            let mut track = serde_path_to_error::Track::new();
            let data = Data::read_latest(kind, serde_path_to_error::Deserializer::new(&mut json, &mut track))
                .map_err(|error| flaw(prefix, &track.path(), &error))?;
            json.end().map_err(|error| DecodeError::Payload { pointer: prefix.to_owned(), reason: error.to_string() })?;
            data
        }
    };
    check::check(&data).map_err(|flaw| flaw.under(prefix))?;
    Ok(data)
}

/// Reads typed JSON; errors carry the JSON pointer of the place.
pub fn read<'de, T: Deserialize<'de>>(bytes: &'de [u8], prefix: &str) -> Result<T, DecodeError> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let mut track = serde_path_to_error::Track::new();
    let value = T::deserialize(serde_path_to_error::Deserializer::new(&mut json, &mut track))
        .map_err(|error| flaw(prefix, &track.path(), &error))?;
    json.end().map_err(|error| DecodeError::Payload { pointer: prefix.to_owned(), reason: error.to_string() })?;
    Ok(value)
}

fn flaw(prefix: &str, path: &serde_path_to_error::Path, error: &serde_json::Error) -> DecodeError {
    DecodeError::Payload { pointer: format!("{prefix}{}", pointer(path)), reason: crate::text::redact(&error.to_string()) }
}

/// RFC 6901 form of a path.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", escape(key)),
            Segment::Enum { variant } => format!("/{}", escape(variant)),
            Segment::Unknown => String::new(),
        })
        .collect()
}

/// RFC 6901 escapes; a key is cut where it is longer than any of ours, and never shows a national id.
fn escape(key: &str) -> String {
    let cut: String = key.chars().take(64).collect();
    crate::text::redact(&cut).replace('~', "~0").replace('/', "~1")
}

fn attributes<'a>(headers: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<Envelope, DecodeError> {
    let mut found = Found::default();
    for (name, value) in headers {
        let Some(name) = name.strip_prefix("ce_") else { continue };
        let text =
            std::str::from_utf8(value).map_err(|_| DecodeError::Attribute { name: name.to_owned(), reason: "is not UTF-8".to_owned() })?;
        found.take(name, text)?;
    }
    found.envelope()
}

fn parse<T: FromStr>(name: &'static str, text: Option<&str>) -> Result<Option<T>, DecodeError>
where
    T::Err: std::fmt::Display,
{
    text.map(|text| {
        text.parse()
            .map_err(|error: T::Err| DecodeError::Attribute { name: name.to_owned(), reason: crate::text::redact(&error.to_string()) })
    })
    .transpose()
}

fn need<T>(name: &'static str, value: Option<T>) -> Result<T, DecodeError> {
    value.ok_or(DecodeError::Missing(name))
}

/// The attributes as found, before they are checked.
#[derive(Default)]
struct Found<'a> {
    specversion: Option<&'a str>,
    id: Option<&'a str>,
    kind: Option<&'a str>,
    source: Option<&'a str>,
    time: Option<&'a str>,
    recordedtime: Option<&'a str>,
    receivedtime: Option<&'a str>,
    campaign: Option<&'a str>,
    batch: Option<&'a str>,
    bodyhash: Option<&'a str>,
}

impl<'a> Found<'a> {
    fn take(&mut self, name: &str, text: &'a str) -> Result<(), DecodeError> {
        let slot = match name {
            "specversion" => &mut self.specversion,
            "id" => &mut self.id,
            "type" => &mut self.kind,
            "source" => &mut self.source,
            "time" => &mut self.time,
            "recordedtime" => &mut self.recordedtime,
            "receivedtime" => &mut self.receivedtime,
            "campaign" => &mut self.campaign,
            "batch" => &mut self.batch,
            "bodyhash" => &mut self.bodyhash,
            // Tracing extensions and the media type carry no fact.
            "traceparent" | "tracestate" | "datacontenttype" => return Ok(()),
            other => {
                let name: String = crate::text::redact(&other.chars().take(40).collect::<String>());
                return Err(DecodeError::Attribute { name, reason: "is unknown".to_owned() });
            }
        };
        *slot = Some(text);
        Ok(())
    }

    fn envelope(self) -> Result<Envelope, DecodeError> {
        if need("specversion", self.specversion)? != "1.0" {
            return Err(DecodeError::Attribute { name: "specversion".to_owned(), reason: "must be 1.0".to_owned() });
        }
        let kind = need("type", self.kind)?.parse().map_err(DecodeError::Type)?;
        let source = need("source", self.source)?;
        let source = crate::text::Text::new(source)
            .map_err(|error| DecodeError::Attribute { name: "source".to_owned(), reason: error.to_string() })?;
        Ok(Envelope {
            id: need("id", parse("id", self.id)?)?,
            kind,
            source,
            time: need("time", parse("time", self.time)?)?,
            recordedtime: parse("recordedtime", self.recordedtime)?,
            receivedtime: need("receivedtime", parse("receivedtime", self.receivedtime)?)?,
            campaign: need("campaign", parse("campaign", self.campaign)?)?,
            batch: parse("batch", self.batch)?,
            bodyhash: need("bodyhash", parse("bodyhash", self.bodyhash)?)?,
        })
    }
}

fn finish(envelope: Envelope, data: Data) -> Result<Event, DecodeError> {
    if let Data::CampaignConfigured(configured) = &data
        && configured.campaign != envelope.campaign
    {
        return Err(DecodeError::Payload { pointer: "/data/campaign".to_owned(), reason: "must equal the campaign attribute".to_owned() });
    }
    Ok(Event { envelope, data })
}
