//! Parses a [`Submission`]: a CloudEvent in structured mode, as a client sent it.
//!
//! Guarantees: attributes are typed and the payload is unambiguous JSON; anything else is refused with a JSON pointer to the fault. Refusals
//! show only field names and codes of what was sent. Values are normalized ([`normalization`]). A submission may contain raw identifiers,
//! an event never does: [`crate::pseudonym`] and [`crate::validation`] turn one into the other.

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

use crate::rejection::{Detail, ProblemCode, Rejection};

pub mod binary;
mod decode_error;
mod envelope;
pub mod json;
pub mod normalization;

pub use decode_error::{decode_rejection, is_safe_to_show, syntax_rejection};
use envelope::{JsonString, RawEnvelope};
use json::Json;

/// Some programs write it at the start of a text; JSON does not allow it.
const BYTE_ORDER_MARK: char = '\u{FEFF}';

/// A parsed event as a client sent it.
#[derive(Debug, Clone)]
pub struct Submission<'a> {
    /// UUID made by the client, the same in every retry.
    pub id: EventId,
    /// Type and version of the payload.
    pub kind: EventType,
    /// The form, file or phone that sent the event.
    pub source: Text,
    /// When the event happened.
    pub time: Timestamp,
    /// When a device recorded the event.
    pub recordedtime: Option<Timestamp>,
    /// Simulated time of receipt, in synthetic campaigns only.
    pub receivedtime: Option<Timestamp>,
    /// Code of the campaign.
    pub campaign: CampaignId,
    /// The import that contains the event.
    pub import: Option<ImportId>,
    /// The payload, which may contain raw identifiers.
    pub data: Json<'a>,
}

/// Parses one submission from JSON.
pub fn read(bytes: &[u8]) -> Result<Submission<'_>, Rejection> {
    let text = text_of(bytes)?;
    let envelope: RawEnvelope<'_> = serde_json::from_str(text).map_err(|_| envelope_rejection(text))?;
    let id = envelope.id.as_ref().and_then(|id| id.0.parse().ok());
    parse_envelope(envelope).map_err(|rejection| rejection.about(id))
}

/// Decodes UTF-8; skips a byte order mark at the start.
pub fn text_of(bytes: &[u8]) -> Result<&str, Rejection> {
    let text =
        std::str::from_utf8(bytes).map_err(|error| Rejection::new(ProblemCode::InvalidUtf8, Detail::Utf8 { byte: error.valid_up_to() }))?;
    Ok(text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text))
}

fn parse_envelope(envelope: RawEnvelope<'_>) -> Result<Submission<'_>, Rejection> {
    if required("specversion", envelope.specversion)?.0 != "1.0" {
        return Err(Rejection::new(ProblemCode::InvalidAttribute, Detail::SpecVersion).at("/specversion"));
    }
    let id = parse_attribute("id", &required("id", envelope.id)?)?;
    if envelope.bodyhash.is_some() {
        return Err(Rejection::new(ProblemCode::ForbiddenAttribute, Detail::ServerHashes).at("/bodyhash"));
    }
    if envelope.datacontenttype.is_some_and(|kind| !is_json(&kind.0)) {
        return Err(Rejection::new(ProblemCode::InvalidAttribute, Detail::DataIsJson).at("/datacontenttype"));
    }
    let kind: EventType = required("type", envelope.kind)?.0.parse().map_err(|error| decode_error::type_rejection(&error))?;
    let source = required("source", envelope.source)?;
    let source = normalization::to_nfc(&source.0).map_or(source.0, Cow::Owned);
    let source = Text::new(&source).map_err(|error| decode_error::attribute_rejection("source", error))?;
    let time = parse_time("time", &required("time", envelope.time)?)?;
    let recordedtime = envelope.recordedtime.map(|time| parse_time("recordedtime", &time)).transpose()?;
    let receivedtime = envelope.receivedtime.map(|time| parse_time("receivedtime", &time)).transpose()?;
    let campaign = parse_attribute("campaign", &required("campaign", envelope.campaign)?)?;
    let import = envelope.import.map(|import| parse_attribute("import", &import)).transpose()?;
    let mut data = match (envelope.data, envelope.data_base64) {
        (Some(data), None) => parse_payload(data.get())?,
        (None, Some(encoded)) => decode_base64(&encoded)?,
        (Some(_), Some(_)) => return Err(Rejection::new(ProblemCode::InvalidAttribute, Detail::DataOnce).at("/data_base64")),
        (None, None) => return Err(missing_attribute("data")),
    };
    normalization::normalize(&mut data);
    Ok(Submission { id, kind, source, time, recordedtime, receivedtime, campaign, import, data })
}

/// Whether a media type is JSON by the rule of CloudEvents: `*/json` or `*/*+json`.
pub fn is_json(media_type: &str) -> bool {
    let name = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    name.split_once('/').is_some_and(|(_, subtype)| subtype == "json" || subtype.ends_with("+json"))
}

fn parse_payload(text: &str) -> Result<Json<'_>, Rejection> {
    serde_json::from_str(text).map_err(|_| payload_rejection(text))
}

/// Parses `data_base64`, which some client libraries send instead of `data`.
fn decode_base64(encoded: &JsonString<'_>) -> Result<Json<'static>, Rejection> {
    let invalid = || Rejection::new(ProblemCode::InvalidAttribute, Detail::Base64).at("/data_base64");
    let bytes = BASE64_STANDARD.decode(encoded.0.as_bytes()).map_err(|_| invalid())?;
    let text = std::str::from_utf8(&bytes).map_err(|_| invalid())?;
    parse_payload(text).map(Json::into_owned)
}

fn missing_attribute(name: &'static str) -> Rejection {
    Rejection::new(ProblemCode::MissingAttribute, Detail::AttributeMissing { name }).at(format!("/{name}"))
}

fn required<T>(name: &'static str, value: Option<T>) -> Result<T, Rejection> {
    value.ok_or_else(|| missing_attribute(name))
}

/// Parses an attribute with the parser of the contract.
fn parse_attribute<T: FromStr<Err: Into<Mismatch>>>(name: &str, value: &JsonString<'_>) -> Result<T, Rejection> {
    value.0.parse().map_err(|error: T::Err| decode_error::attribute_rejection(name, error))
}

/// Parses a time with the parser that readers of the log use, so that they can read every stored time.
fn parse_time(name: &str, value: &JsonString<'_>) -> Result<Timestamp, Rejection> {
    parse_instant(&value.0).map_err(|error| decode_error::attribute_rejection(name, error))
}

/// The refusal of an invalid envelope: parses it again with a slower reader that reports pointer and type of the error.
fn envelope_rejection(text: &str) -> Rejection {
    match decode::read::<RawEnvelope<'_>>(text.as_bytes(), "") {
        Err(DecodeError::Payload { pointer, mismatch: Mismatch::Value(_) }) if pointer.is_empty() => {
            Rejection::new(ProblemCode::InvalidJson, Detail::OneObject)
        }
        Err(DecodeError::Payload { mismatch: mismatch @ Mismatch::Syntax(_), .. }) => syntax_rejection(mismatch),
        Err(error) => decode_rejection(error, ProblemCode::UnknownAttribute, ProblemCode::InvalidAttribute),
        Ok(_) => syntax_rejection(Mismatch::syntax(text.as_bytes())),
    }
}

fn payload_rejection(text: &str) -> Rejection {
    match decode::read::<Json<'_>>(text.as_bytes(), "/data") {
        Err(DecodeError::Payload { mismatch: mismatch @ Mismatch::Syntax(_), .. }) => syntax_rejection(mismatch).at("/data"),
        Err(error) => decode_rejection(error, ProblemCode::UnknownField, ProblemCode::InvalidPayload),
        Ok(_) => syntax_rejection(Mismatch::syntax(text.as_bytes())).at("/data"),
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
        (rejection.code.as_str(), rejection.pointer.unwrap_or_default())
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
        let at = |code: &'static str, pointer: &str| (code, pointer.to_owned());
        assert_eq!(refusal(r#""data":{"#, r#""data_base64":"e30=","data":{"#), at("invalid-attribute", "/data_base64"));
        assert_eq!(refusal(r#""data":{"meeting":"m"}"#, r#""data_base64":"?""#), at("invalid-attribute", "/data_base64"));
        assert_eq!(refusal(r#""data":{"meeting":"m"}"#, r#""data_base64":"e30""#), at("invalid-attribute", "/data_base64"));
    }

    #[test]
    fn media_types_of_json_are_recognised() {
        for json in ["application/json", "application/json; charset=utf-8", "text/json", "application/vnd.kz+JSON"] {
            assert!(is_json(json), "{json}");
        }
        for other in ["", "json", "text/plain", "application/x-ndjson", "application/jsonx"] {
            assert!(!is_json(other), "{other}");
        }
    }

    #[test]
    fn each_wrong_attribute_is_named() {
        let at = |code: &'static str, pointer: &str| (code, pointer.to_owned());
        assert_eq!(refusal(r#""campaign":"c","#, ""), at("missing-attribute", "/campaign"));
        assert_eq!(refusal("qamtu.meeting.cancelled.v1", "qamtu.meeting.burnt.v1"), at("unknown-type", "/type"));
        assert_eq!(refusal("cancelled.v1", "cancelled.v7"), at("unknown-version", "/type"));
        assert_eq!(refusal("018f6b1e-7a4c-7d1b-9a51-0c2f4f6e8a10", "17"), at("invalid-attribute", "/id"));
        assert_eq!(refusal("2026-02-13T15:00:00+05:00", "yesterday"), at("invalid-attribute", "/time"));
        assert_eq!(refusal(r#""source":"form""#, r#""source":"850615101233""#), at("national-id", "/source"));
        assert_eq!(refusal(r#""source":"form""#, r#""source":5"#), at("invalid-attribute", "/source"));
        assert_eq!(refusal("traceparent", "recordedTime"), at("unknown-attribute", "/recordedTime"));
        assert_eq!(refusal(r#""traceparent":"00-1""#, r#""subject":{}"#), at("invalid-attribute", "/subject"));
        assert_eq!(refusal("traceparent", "source"), at("duplicate-field", "/source"));
        assert_eq!(refusal("traceparent", "bodyhash"), at("forbidden-attribute", "/bodyhash"));
        assert_eq!(refusal(r#"{"meeting":"m"}"#, "null"), at("missing-attribute", "/data"));
        assert_eq!(refusal(r#"{"meeting":"m"}"#, r#"{"meeting":"m","meeting":"m"}"#), at("duplicate-field", "/data/meeting"));
        assert_eq!(refusal(r#"{"meeting":"m"}"#, r#"{"n":1.5}"#), at("invalid-payload", "/data/n"));
        assert_eq!(refusal(r#"{"meeting":"m"}}"#, r#"{"meeting":"m"}"#), at("invalid-json", ""));
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        assert_eq!(refusal(r#"{"meeting":"m"}"#, &deep), at("too-deep", "/data"));
    }
}
