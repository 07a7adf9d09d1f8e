//! Bytes to [`Submission`]: what a client sends, a CloudEvent in structured mode.
//!
//! Guarantees: every attribute is of its type, the payload is one JSON tree without ambiguity; anything else is refused with the
//! pointer of the place, and a refusal never repeats what was sent, only names of fields and codes. Everything is in its one spelling
//! ([`spelling`]). A submission may carry raw
//! identifiers, an event never does: what turns one into the other is [`crate::pseudonym`] and [`crate::admit`].

use std::{borrow::Cow, str::FromStr};

use jiff::Timestamp;
use qamtu_schemas::{
    decode,
    event::{EventType, TypeError},
    id::{BatchId, CampaignId, EventId},
    instant::parse_instant,
    text::Text,
};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::rejection::{Reason, Rejection};

mod flaw;
pub mod json;
pub mod spelling;

pub use flaw::{body as body_flaw, flaw, is_plain};
use json::Json;

/// What a client sent, attributes checked one by one.
#[derive(Debug, Clone)]
pub struct Submission<'a> {
    /// Made by the client, kept through every retry.
    pub id: EventId,
    /// Type and version of the payload.
    pub kind: EventType,
    /// Which form, import or phone sent it.
    pub source: Text,
    /// When it happened.
    pub time: Timestamp,
    /// When a device wrote it down.
    pub recordedtime: Option<Timestamp>,
    /// The simulated clock of a synthetic campaign.
    pub receivedtime: Option<Timestamp>,
    /// The campaign.
    pub campaign: CampaignId,
    /// The import it came with.
    pub batch: Option<BatchId>,
    /// The payload; may hold raw identifiers.
    pub data: Json<'a>,
}

/// Reads one submission.
pub fn read(bytes: &[u8]) -> Result<Submission<'_>, Rejection> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Rejection::new(Reason::InvalidUtf8, format!("byte {} begins no UTF-8 character; send UTF-8", error.valid_up_to()))
    })?;
    let wire: Wire<'_> = serde_json::from_str(text).map_err(|error| wire_flaw(text, &error))?;
    let id = wire.id.as_ref().and_then(|id| id.0.parse().ok());
    typed(wire).map_err(|rejection| rejection.about(id))
}

/// A string of the envelope, borrowed where it holds no escape.
#[derive(Debug)]
struct Word<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Word<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(json::Words).map(Word)
    }
}

/// The attributes as they stand in the JSON; `null` is absent, as CloudEvents says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire<'a> {
    #[serde(borrow)]
    specversion: Option<Word<'a>>,
    #[serde(borrow)]
    id: Option<Word<'a>>,
    #[serde(borrow, rename = "type")]
    kind: Option<Word<'a>>,
    #[serde(borrow)]
    source: Option<Word<'a>>,
    #[serde(borrow)]
    time: Option<Word<'a>>,
    #[serde(borrow)]
    recordedtime: Option<Word<'a>>,
    #[serde(borrow)]
    receivedtime: Option<Word<'a>>,
    #[serde(borrow)]
    campaign: Option<Word<'a>>,
    #[serde(borrow)]
    batch: Option<Word<'a>>,
    #[serde(borrow)]
    bodyhash: Option<Word<'a>>,
    #[serde(borrow)]
    datacontenttype: Option<Word<'a>>,
    // Tracing extensions carry no fact: read, so that they are tolerated, and dropped.
    #[serde(borrow, rename = "traceparent")]
    _traceparent: Option<Word<'a>>,
    #[serde(borrow, rename = "tracestate")]
    _tracestate: Option<Word<'a>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

fn typed(wire: Wire<'_>) -> Result<Submission<'_>, Rejection> {
    if need("specversion", wire.specversion)?.0 != "1.0" {
        return Err(Rejection::new(Reason::InvalidAttribute, "specversion must be 1.0").at("/specversion"));
    }
    let id = parsed("id", &need("id", wire.id)?)?;
    if wire.bodyhash.is_some() {
        return Err(Rejection::new(Reason::ForbiddenAttribute, "leave bodyhash out: the server computes it").at("/bodyhash"));
    }
    if wire.datacontenttype.is_some_and(|kind| kind.0.split(';').next().map(str::trim) != Some("application/json")) {
        return Err(Rejection::new(Reason::InvalidAttribute, "datacontenttype must be application/json or absent").at("/datacontenttype"));
    }
    let kind = need("type", wire.kind)?.0.parse().map_err(|error| type_flaw(&error))?;
    let source = need("source", wire.source)?;
    let source = spelling::composed(&source.0).map_or(source.0, Cow::Owned);
    let source = Text::new(&source).map_err(|error| attribute("source", &error.to_string()))?;
    let time = instant("time", &need("time", wire.time)?)?;
    let recordedtime = wire.recordedtime.map(|time| instant("recordedtime", &time)).transpose()?;
    let receivedtime = wire.receivedtime.map(|time| instant("receivedtime", &time)).transpose()?;
    let campaign = parsed("campaign", &need("campaign", wire.campaign)?)?;
    let batch = wire.batch.map(|batch| parsed("batch", &batch)).transpose()?;
    let data = wire.data.ok_or_else(|| missing("data"))?.get();
    let mut data = serde_json::from_str(data).map_err(|error| data_flaw(data, &error))?;
    spelling::normalise(&mut data);
    Ok(Submission { id, kind, source, time, recordedtime, receivedtime, campaign, batch, data })
}

fn missing(name: &str) -> Rejection {
    Rejection::new(Reason::MissingAttribute, format!("{name} is missing")).at(format!("/{name}"))
}

fn need<T>(name: &str, value: Option<T>) -> Result<T, Rejection> {
    value.ok_or_else(|| missing(name))
}

fn attribute(name: &str, message: &str) -> Rejection {
    let reason = if flaw::names_national_id(message) { Reason::NationalId } else { Reason::InvalidAttribute };
    Rejection::new(reason, format!("{name}: {message}")).at(format!("/{name}"))
}

/// An attribute whose errors come from the contract: they say what must be, never what was sent.
fn parsed<T: FromStr<Err: std::fmt::Display>>(name: &str, word: &Word<'_>) -> Result<T, Rejection> {
    word.0.parse().map_err(|error: T::Err| attribute(name, &error.to_string()))
}

/// As every reader of the log reads it: an instant that they would refuse must not get in.
fn instant(name: &str, word: &Word<'_>) -> Result<Timestamp, Rejection> {
    parse_instant(&word.0).map_err(|error| attribute(name, &error.to_string()))
}

fn type_flaw(error: &TypeError) -> Rejection {
    let (reason, detail) = match error {
        TypeError::Unknown(name) if flaw::is_plain(name) => (Reason::UnknownType, format!("there is no event type {name}")),
        TypeError::Unknown(_) => (Reason::UnknownType, "there is no such event type; types look like qamtu.meeting.held.v1".to_owned()),
        TypeError::Version { kind, latest, .. } => (Reason::UnknownVersion, format!("{kind} has versions v1 to v{latest}")),
    };
    Rejection::new(reason, detail).at("/type")
}

/// What is wrong with the envelope: read again, slowly, to learn the place.
fn wire_flaw(text: &str, error: &serde_json::Error) -> Rejection {
    match decode::read::<Wire<'_>>(text.as_bytes(), "") {
        Err(slow) if error.is_data() && slow.pointer().is_empty() => Rejection::new(Reason::InvalidJson, "an event is one JSON object"),
        Err(slow) if error.is_data() => flaw(slow, Reason::UnknownAttribute, Reason::InvalidAttribute),
        _ => flaw::syntax(error),
    }
}

fn data_flaw(text: &str, error: &serde_json::Error) -> Rejection {
    match decode::read::<Json<'_>>(text.as_bytes(), "/data") {
        Err(slow) if error.is_data() => flaw(slow, Reason::UnknownField, Reason::InvalidPayload),
        _ => flaw::syntax(error).at("/data"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"specversion":"1.0","id":"018f6b1e-7a4c-7d1b-9a51-0c2f4f6e8a10","type":"qamtu.meeting.cancelled.v1","source":"form",
        "time":"2026-02-13T15:00:00+05:00","campaign":"c","traceparent":"00-1","batch":null,"data":{"meeting":"m"}}"#;

    fn refusal(from: &str, to: &str) -> (&'static str, String) {
        let text = GOOD.replace(from, to);
        assert_ne!(text, GOOD);
        let rejection = read(text.as_bytes()).unwrap_err();
        (rejection.reason.code(), rejection.pointer.unwrap_or_default())
    }

    #[test]
    fn a_good_submission_is_read_with_its_times_as_instants() {
        let submission = read(GOOD.as_bytes()).unwrap();
        assert_eq!(submission.time, "2026-02-13T10:00:00Z".parse().unwrap());
        assert_eq!(submission.batch, None);
    }

    #[test]
    fn each_wrong_attribute_is_named() {
        let place = |code: &'static str, pointer: &str| (code, pointer.to_owned());
        assert_eq!(refusal(r#""campaign":"c","#, ""), place("missing-attribute", "/campaign"));
        assert_eq!(refusal("qamtu.meeting.cancelled.v1", "qamtu.meeting.burnt.v1"), place("unknown-type", "/type"));
        assert_eq!(refusal("cancelled.v1", "cancelled.v7"), place("unknown-version", "/type"));
        assert_eq!(refusal("018f6b1e-7a4c-7d1b-9a51-0c2f4f6e8a10", "17"), place("invalid-attribute", "/id"));
        assert_eq!(refusal("2026-02-13T15:00:00+05:00", "yesterday"), place("invalid-attribute", "/time"));
        assert_eq!(refusal(r#""source":"form""#, r#""source":"850615101233""#), place("national-id", "/source"));
        assert_eq!(refusal(r#""source":"form""#, r#""source":5"#), place("invalid-attribute", "/source"));
        assert_eq!(refusal("traceparent", "subject"), place("unknown-attribute", "/subject"));
        assert_eq!(refusal("traceparent", "source"), place("duplicate-field", "/source"));
        assert_eq!(refusal("traceparent", "bodyhash"), place("forbidden-attribute", "/bodyhash"));
        assert_eq!(refusal(r#"{"meeting":"m"}"#, "null"), place("missing-attribute", "/data"));
        assert_eq!(refusal(r#"{"meeting":"m"}"#, r#"{"meeting":"m","meeting":"m"}"#), place("duplicate-field", "/data/meeting"));
        assert_eq!(refusal(r#"{"meeting":"m"}"#, r#"{"n":1.5}"#), place("invalid-payload", "/data/n"));
        assert_eq!(refusal(r#"{"meeting":"m"}}"#, r#"{"meeting":"m"}"#), place("invalid-json", ""));
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        assert_eq!(refusal(r#"{"meeting":"m"}"#, &deep), place("too-deep", "/data"));
    }
}
