//! CloudEvents binary mode over HTTP: attributes in `ce-*` headers, data as the body. It is converted to structured mode, so that the rest
//! of the service handles one form only, and JSON pointers in errors are the same.
//!
//! Guarantees: header values are decoded as the HTTP binding says (double quotes, then percent-encoded UTF-8). The body is checked to be
//! one JSON value before it is inserted into the envelope, so that it cannot inject attributes.

use std::{borrow::Cow, collections::BTreeMap};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode;
use qamtu_schemas::decode::{Mismatch, is_attribute_name};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{decode_error, text_of};
use crate::rejection::{Detail, ProblemCode, Rejection};

const PREFIX: &str = "ce-";

/// Whether any header is a CloudEvents attribute.
pub fn has_attributes(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| name.as_str().starts_with(PREFIX))
}

/// Attribute values by attribute name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributes(BTreeMap<String, String>);

impl Attributes {
    /// Reads the attributes from the `ce-*` headers.
    pub fn read(headers: &HeaderMap) -> Result<Self, Rejection> {
        let mut attributes = BTreeMap::new();
        for (name, value) in headers.iter().filter_map(|(name, value)| Some((attribute_name(name)?, value))) {
            let pointer = || format!("/{}", decode_error::name_or_placeholder(name));
            if !is_attribute_name(name) {
                return Err(Rejection::new(ProblemCode::UnknownAttribute, Detail::AttributeName).at(pointer()));
            }
            let Some(value) = decode_value(value) else {
                return Err(Rejection::new(ProblemCode::InvalidAttribute, Detail::AttributeEncoding).at(pointer()));
            };
            if attributes.insert(name.to_owned(), value).is_some() {
                return Err(Rejection::new(ProblemCode::DuplicateField, Detail::GivenTwice).at(pointer()));
            }
        }
        // In binary mode `Content-Type` is `datacontenttype`; it was checked before.
        attributes.remove("datacontenttype");
        Ok(Self(attributes))
    }

    /// The event in structured mode, with this body as its data.
    pub fn structured(&self, body: &[u8]) -> Result<Vec<u8>, Rejection> {
        #[derive(Serialize)]
        struct StructuredEvent<'a> {
            #[serde(flatten)]
            attributes: &'a BTreeMap<String, String>,
            data: &'a RawValue,
        }
        let text = text_of(body)?;
        let data = serde_json::from_str(text).map_err(|_| decode_error::syntax_rejection(Mismatch::syntax(body)).at("/data"))?;
        // INVARIANT: strings and a JSON value are always JSON.
        Ok(serde_json::to_vec(&StructuredEvent { attributes: &self.0, data }).expect("strings are JSON"))
    }
}

fn attribute_name(name: &HeaderName) -> Option<&str> {
    name.as_str().strip_prefix(PREFIX)
}

/// Decodes a header value; `None` if it is not UTF-8.
fn decode_value(value: &HeaderValue) -> Option<String> {
    let bytes = value.as_bytes().trim_ascii();
    let bytes =
        bytes.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).map_or(Cow::Borrowed(bytes), |quoted| unquote(quoted).into());
    percent_decode(&bytes).decode_utf8().ok().map(Cow::into_owned)
}

/// The content of a quoted string (RFC 9110): a backslash escapes the next character.
fn unquote(quoted: &[u8]) -> Vec<u8> {
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
    fn header_values_are_decoded_as_the_binding_says() {
        for (sent, read) in
            [("a%20b", "a b"), ("%D2%9A", "Қ"), ("%d2%9a", "Қ"), ("\"a \\\"b\\\"\"", "a \"b\""), (" x ", "x"), ("50%", "50%")]
        {
            assert_eq!(decode_value(&HeaderValue::from_static(sent)).as_deref(), Some(read), "{sent}");
        }
        assert_eq!(decode_value(&HeaderValue::from_static("%C0%A0")), None, "an overlong form");
    }

    #[test]
    fn a_body_cannot_inject_attributes() {
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
            (rejection.code, rejection.pointer.unwrap_or_default())
        };
        assert_eq!(refused(&[("ce-recorded-time", "x")]), (ProblemCode::UnknownAttribute, "/recorded-time".to_owned()));
        assert_eq!(refused(&[("ce-source", "%C0%A0")]), (ProblemCode::InvalidAttribute, "/source".to_owned()));
        let mut twice = headers(&[("ce-id", "1")]);
        twice.append("ce-id", HeaderValue::from_static("2"));
        assert_eq!(Attributes::read(&twice).unwrap_err().code, ProblemCode::DuplicateField);
    }
}
