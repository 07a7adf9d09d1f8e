//! CloudEvents binary mode over HTTP: attributes in `ce-*` headers, data as the body. It becomes structured mode, so that everything
//! behind it knows one form and every error points into the same places.
//!
//! Guarantees: header values are read as the HTTP binding says (double quotes, then percent-encoded UTF-8). The body is one JSON value
//! before it is put into the envelope, so that it cannot bring attributes of its own.

use std::{borrow::Cow, collections::BTreeMap};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode;
use qamtu_schemas::decode::{Mismatch, is_attribute_name};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{flaw, text_of};
use crate::rejection::{Detail, Reason, Rejection};

const PREFIX: &str = "ce-";

/// Do the headers hold attributes?
pub fn has_attributes(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| name.as_str().starts_with(PREFIX))
}

/// Attributes by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributes(BTreeMap<String, String>);

impl Attributes {
    /// Reads the `ce-*` headers.
    pub fn read(headers: &HeaderMap) -> Result<Self, Rejection> {
        let mut attributes = BTreeMap::new();
        for (name, value) in headers.iter().filter_map(|(name, value)| Some((attribute(name)?, value))) {
            let pointer = || format!("/{}", flaw::quiet(name));
            if !is_attribute_name(name) {
                return Err(Rejection::new(Reason::UnknownAttribute, Detail::AttributeName).at(pointer()));
            }
            let Some(value) = decoded(value) else {
                return Err(Rejection::new(Reason::InvalidAttribute, Detail::AttributeEncoding).at(pointer()));
            };
            if attributes.insert(name.to_owned(), value).is_some() {
                return Err(Rejection::new(Reason::DuplicateField, Detail::GivenTwice).at(pointer()));
            }
        }
        // The binding gives the media type a header of its own, which was looked at before.
        attributes.remove("datacontenttype");
        Ok(Self(attributes))
    }

    /// The event in structured mode, with this body as its data.
    pub fn structured(&self, body: &[u8]) -> Result<Vec<u8>, Rejection> {
        #[derive(Serialize)]
        struct Structured<'a> {
            #[serde(flatten)]
            attributes: &'a BTreeMap<String, String>,
            data: &'a RawValue,
        }
        let text = text_of(body)?;
        let data = serde_json::from_str(text).map_err(|_| flaw::unreadable(Mismatch::syntax(body)).at("/data"))?;
        // INVARIANT: strings and a JSON value are always JSON.
        Ok(serde_json::to_vec(&Structured { attributes: &self.0, data }).expect("strings are JSON"))
    }
}

fn attribute(name: &HeaderName) -> Option<&str> {
    name.as_str().strip_prefix(PREFIX)
}

/// The value of a header as text; none if it is no UTF-8.
fn decoded(value: &HeaderValue) -> Option<String> {
    let bytes = value.as_bytes().trim_ascii();
    let bytes =
        bytes.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).map_or(Cow::Borrowed(bytes), |quoted| unquoted(quoted).into());
    percent_decode(&bytes).decode_utf8().ok().map(Cow::into_owned)
}

/// The content of a quoted string (RFC 9110): a backslash takes the next character as it is.
fn unquoted(quoted: &[u8]) -> Vec<u8> {
    let mut bytes = quoted.iter();
    let mut out = Vec::with_capacity(quoted.len());
    while let Some(byte) = bytes.next() {
        out.push(if *byte == b'\\' { *bytes.next().unwrap_or(byte) } else { *byte });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn header_values_are_read_as_the_binding_says() {
        for (sent, read) in
            [("a%20b", "a b"), ("%D2%9A", "Қ"), ("%d2%9a", "Қ"), ("\"a \\\"b\\\"\"", "a \"b\""), (" x ", "x"), ("50%", "50%")]
        {
            assert_eq!(decoded(&HeaderValue::from_static(sent)).as_deref(), Some(read), "{sent}");
        }
        assert_eq!(decoded(&HeaderValue::from_static("%C0%A0")), None, "an overlong form");
    }

    #[test]
    fn a_body_brings_no_attributes_of_its_own() {
        let attributes = Attributes::read(&headers(&[("ce-id", "1"), ("ce-specversion", "1.0"), ("accept", "*/*")])).unwrap();
        assert_eq!(attributes.structured(b" {\"meeting\":\"m\"} ").unwrap(), br#"{"id":"1","specversion":"1.0","data":{"meeting":"m"}}"#);
        for body in [&b"{},\"campaign\":\"other\""[..], b"1}", b"", b"{", b"\xff"] {
            assert!(attributes.structured(body).is_err(), "{body:?}");
        }
    }

    #[test]
    fn wrong_headers_are_named() {
        let refused = |pairs: &[(&'static str, &'static str)]| {
            let rejection = Attributes::read(&headers(pairs)).unwrap_err();
            (rejection.reason, rejection.pointer.unwrap_or_default())
        };
        assert_eq!(refused(&[("ce-recorded-time", "x")]), (Reason::UnknownAttribute, "/recorded-time".to_owned()));
        assert_eq!(refused(&[("ce-source", "%C0%A0")]), (Reason::InvalidAttribute, "/source".to_owned()));
        let mut twice = headers(&[("ce-id", "1")]);
        twice.append("ce-id", HeaderValue::from_static("2"));
        assert_eq!(Attributes::read(&twice).unwrap_err().reason, Reason::DuplicateField);
    }
}
