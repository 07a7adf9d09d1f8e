//! Bytes to [`Submission`]: what a client sends, a CloudEvent in structured mode.
//!
//! Guarantees: every attribute is of its type, the payload is one JSON tree without ambiguity; anything else is refused with the
//! pointer of the place, and a refusal never repeats what was sent, only names of fields and codes. Everything is in its one spelling
//! ([`spelling`]). A submission may carry raw
//! identifiers, an event never does: what turns one into the other is [`crate::pseudonym`] and [`crate::admit`].

use std::{borrow::Cow, str::FromStr};

use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use qamtu_schemas::{
    DecodeError,
    decode::{self, Mismatch},
    event::EventType,
    id::{CampaignId, EventId, ImportId},
    instant::parse_instant,
    text::Text,
};

use crate::rejection::{Detail, Reason, Rejection};

pub mod binary;
mod flaw;
pub mod json;
pub mod spelling;
mod wire;

pub use flaw::{flaw, is_plain, unreadable};
use json::Json;
use wire::{Wire, Word};

/// What some programs write at the start of a text; JSON has no use for it.
const BYTE_ORDER_MARK: char = '\u{FEFF}';

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
    pub import: Option<ImportId>,
    /// The payload; may hold raw identifiers.
    pub data: Json<'a>,
}

/// Reads one submission.
pub fn read(bytes: &[u8]) -> Result<Submission<'_>, Rejection> {
    let text = text_of(bytes)?;
    let wire: Wire<'_> = serde_json::from_str(text).map_err(|_| wire_flaw(text))?;
    let id = wire.id.as_ref().and_then(|id| id.0.parse().ok());
    typed(wire).map_err(|rejection| rejection.about(id))
}

/// Bytes as text; a byte order mark at the start is passed over.
pub fn text_of(bytes: &[u8]) -> Result<&str, Rejection> {
    let text =
        std::str::from_utf8(bytes).map_err(|error| Rejection::new(Reason::InvalidUtf8, Detail::Utf8 { byte: error.valid_up_to() }))?;
    Ok(text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text))
}

fn typed(wire: Wire<'_>) -> Result<Submission<'_>, Rejection> {
    if need("specversion", wire.specversion)?.0 != "1.0" {
        return Err(Rejection::new(Reason::InvalidAttribute, Detail::SpecVersion).at("/specversion"));
    }
    let id = parsed("id", &need("id", wire.id)?)?;
    if wire.bodyhash.is_some() {
        return Err(Rejection::new(Reason::ForbiddenAttribute, Detail::ServerHashes).at("/bodyhash"));
    }
    if wire.datacontenttype.is_some_and(|kind| !is_json(&kind.0)) {
        return Err(Rejection::new(Reason::InvalidAttribute, Detail::DataIsJson).at("/datacontenttype"));
    }
    let kind: EventType = need("type", wire.kind)?.0.parse().map_err(|error| flaw::type_flaw(&error))?;
    let source = need("source", wire.source)?;
    let source = spelling::composed(&source.0).map_or(source.0, Cow::Owned);
    let source = Text::new(&source).map_err(|error| flaw::attribute("source", error))?;
    let time = instant("time", &need("time", wire.time)?)?;
    let recordedtime = wire.recordedtime.map(|time| instant("recordedtime", &time)).transpose()?;
    let receivedtime = wire.receivedtime.map(|time| instant("receivedtime", &time)).transpose()?;
    let campaign = parsed("campaign", &need("campaign", wire.campaign)?)?;
    let import = wire.import.map(|import| parsed("import", &import)).transpose()?;
    let mut data = match (wire.data, wire.data_base64) {
        (Some(data), None) => payload(data.get())?,
        (None, Some(encoded)) => unpacked(&encoded)?,
        (Some(_), Some(_)) => return Err(Rejection::new(Reason::InvalidAttribute, Detail::DataOnce).at("/data_base64")),
        (None, None) => return Err(missing("data")),
    };
    spelling::normalise(&mut data);
    Ok(Submission { id, kind, source, time, recordedtime, receivedtime, campaign, import, data })
}

/// Does a media type name JSON, as the JSON format of CloudEvents says: `*/json` or `*/*+json`?
pub fn is_json(media_type: &str) -> bool {
    let name = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    name.split_once('/').is_some_and(|(_, subtype)| subtype == "json" || subtype.ends_with("+json"))
}

fn payload(text: &str) -> Result<Json<'_>, Rejection> {
    serde_json::from_str(text).map_err(|_| data_flaw(text))
}

/// The payload of an event whose library takes every payload for bytes.
fn unpacked(encoded: &Word<'_>) -> Result<Json<'static>, Rejection> {
    let wrong = || Rejection::new(Reason::InvalidAttribute, Detail::Base64).at("/data_base64");
    let bytes = BASE64_STANDARD.decode(encoded.0.as_bytes()).map_err(|_| wrong())?;
    let text = std::str::from_utf8(&bytes).map_err(|_| wrong())?;
    payload(text).map(Json::into_owned)
}

fn missing(name: &'static str) -> Rejection {
    Rejection::new(Reason::MissingAttribute, Detail::AttributeMissing { name }).at(format!("/{name}"))
}

fn need<T>(name: &'static str, value: Option<T>) -> Result<T, Rejection> {
    value.ok_or_else(|| missing(name))
}

/// An attribute whose errors come from the contract: they say what must be, never what was sent.
fn parsed<T: FromStr<Err: Into<Mismatch>>>(name: &str, word: &Word<'_>) -> Result<T, Rejection> {
    word.0.parse().map_err(|error: T::Err| flaw::attribute(name, error))
}

/// As every reader of the log reads it: an instant that they would refuse must not get in.
fn instant(name: &str, word: &Word<'_>) -> Result<Timestamp, Rejection> {
    parse_instant(&word.0).map_err(|error| flaw::attribute(name, error))
}

/// What is wrong with the envelope: read again, slowly, to learn the place and the type of the error.
fn wire_flaw(text: &str) -> Rejection {
    match decode::read::<Wire<'_>>(text.as_bytes(), "") {
        Err(DecodeError::Payload { pointer, mismatch: Mismatch::Value(_) }) if pointer.is_empty() => {
            Rejection::new(Reason::InvalidJson, Detail::OneObject)
        }
        Err(DecodeError::Payload { mismatch: mismatch @ Mismatch::Syntax(_), .. }) => unreadable(mismatch),
        Err(error) => flaw(error, Reason::UnknownAttribute, Reason::InvalidAttribute),
        Ok(_) => unreadable(Mismatch::syntax(text.as_bytes())),
    }
}

fn data_flaw(text: &str) -> Rejection {
    match decode::read::<Json<'_>>(text.as_bytes(), "/data") {
        Err(DecodeError::Payload { mismatch: mismatch @ Mismatch::Syntax(_), .. }) => unreadable(mismatch).at("/data"),
        Err(error) => flaw(error, Reason::UnknownField, Reason::InvalidPayload),
        Ok(_) => unreadable(Mismatch::syntax(text.as_bytes())).at("/data"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"specversion":"1.0","id":"018f6b1e-7a4c-7d1b-9a51-0c2f4f6e8a10","type":"qamtu.meeting.cancelled.v1","source":"form",
        "time":"2026-02-13T15:00:00+05:00","campaign":"c","traceparent":"00-1","import":null,"data":{"meeting":"m"}}"#;

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
        assert_eq!(submission.import, None);
    }

    #[test]
    fn a_payload_of_bytes_and_a_byte_order_mark_are_read_like_any_other() {
        let good = format!("{:?}", read(GOOD.as_bytes()).unwrap());
        let marked = format!("\u{FEFF}{GOOD}");
        assert_eq!(format!("{:?}", read(marked.as_bytes()).unwrap()), good);
        let encoded = GOOD.replace(r#""data":{"meeting":"m"}"#, r#""data_base64":"eyJtZWV0aW5nIjoibSJ9""#);
        assert_eq!(format!("{:?}", read(encoded.as_bytes()).unwrap()), good);
        let place = |code: &'static str, pointer: &str| (code, pointer.to_owned());
        assert_eq!(refusal(r#""data":{"#, r#""data_base64":"e30=","data":{"#), place("invalid-attribute", "/data_base64"));
        assert_eq!(refusal(r#""data":{"meeting":"m"}"#, r#""data_base64":"?""#), place("invalid-attribute", "/data_base64"));
        assert_eq!(refusal(r#""data":{"meeting":"m"}"#, r#""data_base64":"e30""#), place("invalid-attribute", "/data_base64"));
    }

    #[test]
    fn media_types_of_json_are_told_apart_from_others() {
        for json in ["application/json", "application/json; charset=utf-8", "text/json", "application/vnd.kz+JSON"] {
            assert!(is_json(json), "{json}");
        }
        for other in ["", "json", "text/plain", "application/x-ndjson", "application/jsonx"] {
            assert!(!is_json(other), "{other}");
        }
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
        assert_eq!(refusal("traceparent", "recordedTime"), place("unknown-attribute", "/recordedTime"));
        assert_eq!(refusal(r#""traceparent":"00-1""#, r#""subject":{}"#), place("invalid-attribute", "/subject"));
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
