//! Determines the form of a body from the request headers.
//!
//! Guarantees: CloudEvents structured, batched and binary mode are distinguished as the HTTP binding says; the usual media types of JSON
//! and of JSON lines are accepted.

use axum::http::{HeaderMap, header};

use crate::{
    rejection::{Detail, ProblemCode, Rejection},
    submission::{self, binary},
};

/// The form of a request body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// One event in structured mode.
    One,
    /// The data of one event in binary mode, with attributes in headers.
    Binary,
    /// A JSON array of events.
    Batch,
    /// One event or an array, depending on the first character.
    Json,
    /// One event per line.
    Lines,
}

/// Media types that programs use for JSON lines.
const LINES: [&str; 7] = [
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/x-jsonl",
    "application/jsonlines",
    "application/x-jsonlines",
    "application/x-ldjson",
];

impl Form {
    /// The form by `Content-Type` and `ce-*` headers.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Rejection> {
        let media_type = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
        match media_type.split(';').next().unwrap_or_default().trim() {
            "application/cloudevents+json" => Ok(Form::One),
            "application/cloudevents-batch+json" => Ok(Form::Batch),
            name if LINES.contains(&name) => Ok(Form::Lines),
            name if binary::has_attributes(headers) && (name.is_empty() || submission::is_json(name)) => Ok(Form::Binary),
            "application/json" | "text/json" => Ok(Form::Json),
            _ => Err(Rejection::new(ProblemCode::UnsupportedMediaType, Detail::MediaTypes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn media_types_determine_the_form() {
        let form = |media_type: &'static str, attributes: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
            if attributes {
                headers.insert("ce-specversion", HeaderValue::from_static("1.0"));
            }
            Form::of(&headers).ok()
        };
        for (media_type, plain, with_attributes) in [
            ("application/cloudevents+json; charset=UTF-8", Some(Form::One), Some(Form::One)),
            ("application/cloudevents-batch+json", Some(Form::Batch), Some(Form::Batch)),
            ("application/json", Some(Form::Json), Some(Form::Binary)),
            ("Application/JSON;charset=utf-8", Some(Form::Json), Some(Form::Binary)),
            ("application/vnd.example+json", None, Some(Form::Binary)),
            ("application/ndjson", Some(Form::Lines), Some(Form::Lines)),
            ("application/jsonl", Some(Form::Lines), Some(Form::Lines)),
            ("application/x-jsonlines", Some(Form::Lines), Some(Form::Lines)),
            ("application/x-www-form-urlencoded", None, None),
            ("text/plain", None, None),
            ("", None, Some(Form::Binary)),
        ] {
            assert_eq!((form(media_type, false), form(media_type, true)), (plain, with_attributes), "{media_type}");
        }
    }
}
