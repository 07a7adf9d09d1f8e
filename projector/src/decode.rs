//! Decodes a record. Pure; never panics, whatever the input.
//!
//! An invalid value is stored only redacted: its structure and field names stay, every other letter and digit is replaced, so that no
//! national id, phone number or name reaches a table. The stored hash is that of the redacted text: a hash of the value itself could be
//! searched for the few possible ids. The offset identifies the record.

use qamtu_log::Record;
use qamtu_schemas::{encode, id::BodyHash};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::decode_result::{DecodeResult, InvalidReason, InvalidRecord};

/// Maximum bytes of the excerpt of a rejected value.
pub const EXCERPT_MAX_BYTES: usize = 512;

/// Decodes a record to an event, or says why it is invalid.
pub fn decode(record: &Record) -> DecodeResult {
    let headers = record.headers.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
    let event = match qamtu_schemas::decode(headers, record.value.as_deref()) {
        Ok(event) => event,
        Err(error) => return reject(record, InvalidReason::from(&error), &error.to_string()),
    };
    let body = encode::structured(&event.envelope, record.value.as_deref().unwrap_or_default())
        .and_then(|body| String::from_utf8(body).map_err(serde::ser::Error::custom));
    match body {
        Ok(body) => DecodeResult::Event { event: Box::new(event), body },
        Err(error) => reject(record, InvalidReason::NotText, &format!("the payload cannot be stored as text: {error}")),
    }
}

/// Stored body of an invalid record: the start of its redacted value, the size of the value, the hash of all of it, and the error.
#[derive(Serialize)]
struct InvalidRecordBody<'a> {
    excerpt: &'a str,
    bytes: usize,
    sha256: String,
    detail: &'a str,
}

fn reject(record: &Record, reason: InvalidReason, detail: &str) -> DecodeResult {
    let value = record.value.as_deref().unwrap_or_default();
    let redacted = redact(&String::from_utf8_lossy(value));
    let digest = Sha256::digest(&redacted);
    let mut hash = [0; 16];
    hash.copy_from_slice(&digest[..16]);
    let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let shown = InvalidRecordBody { excerpt: excerpt(&redacted), bytes: value.len(), sha256, detail: &redact_message(detail) };
    DecodeResult::Rejected(InvalidRecord {
        reason,
        event_id: header(record, "ce_id"),
        kind: header(record, "ce_type"),
        campaign: header(record, "ce_campaign"),
        hash: BodyHash(hash),
        // INVARIANT: a struct of strings and a number is always JSON.
        body: serde_json::to_string(&shown).expect("strings are JSON"),
    })
}

/// Parses a header; an invalid value is never stored.
fn header<T: std::str::FromStr>(record: &Record, name: &str) -> Option<T> {
    let (_, value) = record.headers.iter().rev().find(|(found, _)| found == name)?;
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// Cuts a redacted value to [`EXCERPT_MAX_BYTES`].
fn excerpt(redacted: &str) -> &str {
    redacted.get(..EXCERPT_MAX_BYTES).unwrap_or(redacted)
}

/// Masks every letter and digit, in and outside of strings, except in field names. The result is ASCII for any input.
fn redact(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('"') {
        let (outside, from) = rest.split_at(start);
        let (string, after) = from.split_at(string_end(from));
        shown.extend(outside.chars().map(mask));
        let content = string.strip_prefix('"').and_then(|string| string.strip_suffix('"'));
        if content.is_some_and(is_name) && after.trim_start().starts_with(':') {
            shown.push_str(string);
        } else {
            shown.extend(string.chars().map(mask));
        }
        rest = after;
    }
    shown.extend(rest.chars().map(mask));
    shown
}

/// Removes from an error message what it quotes of the record: strings in double quotes, and in backticks whatever is not a field name.
fn redact_message(detail: &str) -> String {
    let mut shown = String::with_capacity(detail.len());
    let mut rest = detail;
    while let Some(start) = rest.find(['"', '`']) {
        let (outside, from) = rest.split_at(start);
        let name = from.strip_prefix('`').and_then(|from| from.split_once('`')).map(|(name, _)| name);
        let (quoted, after) = from.split_at(name.map_or_else(|| string_end(from), |name| name.len() + 2));
        shown.extend(outside.chars().map(mask_message));
        if name.is_some_and(is_name) {
            shown.push_str(quoted);
        } else {
            shown.extend(quoted.chars().map(mask));
        }
        rest = after;
    }
    shown.extend(rest.chars().map(mask_message));
    shown
}

/// End of the JSON string at the start of a text, quotes included; the length of the text if the string is not closed.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Whether this is a field name of the contract. Pseudonyms also consist of lower-case letters, but are longer.
fn is_name(text: &str) -> bool {
    text.len() < 32 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// Keeps ASCII punctuation, replaces blanks and control characters by a space and anything else by `#`.
fn mask(c: char) -> char {
    match c {
        c if c.is_ascii_punctuation() => c,
        c if c.is_control() || c.is_whitespace() => ' ',
        _ => '#',
    }
}

/// Like [`mask`], but keeps ASCII letters, of which error messages consist.
fn mask_message(c: char) -> char {
    if c.is_ascii_alphabetic() { c } else { mask(c) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use qamtu_log::Partition;

    use super::*;

    fn rejected(value: &str) -> InvalidRecord {
        let value = Some(value.to_owned().into());
        let partition = Partition::new("events", 0);
        let record = Record { partition, offset: 0, skipped: 0, appended_ms: 0, key: None, headers: Vec::new(), value };
        match decode(&record) {
            DecodeResult::Rejected(invalid) => invalid,
            DecodeResult::Event { .. } => panic!("{record:?} has no attributes"),
        }
    }

    #[test]
    fn digits_of_every_script_are_masked() {
        let ids = "850615101233 8506 1510 1233 ８５０６１５１０１２３３ ٨٥٠٦١٥١٠١٢٣٣ +7 701 123 45 67";
        assert_eq!(redact(&format!("{{\"iin\":\"{ids}\"}}")).chars().filter(|c| c.is_numeric()).count(), 0);
    }

    #[test]
    fn structure_and_names_of_fields_are_shown_and_nothing_else() {
        for (value, shown) in [
            (
                r#"{"meeting": "M1", "attendee": {"name": "Иван", "n2": -1.5e3}}"#,
                r######"{"meeting": "##", "attendee": {"name": "####", "##": -#.###}}"######,
            ),
            (r#"{"name":"a \" \\","Ivan":true}"#, r######"{"name":"# \" \\","####":####}"######),
            ("Иванов Иван 850615101233", "###### #### ############"),
            (r#"{"name":"Ив"#, r######"{"name":"##"######),
            ("\u{fffd}\u{a0}e\u{301}\n", "# ## "),
        ] {
            assert_eq!(redact(value), shown);
        }
    }

    #[test]
    fn an_error_message_quotes_nothing_of_the_record() {
        for (detail, shown) in [
            ("/data/sex: unknown variant `Иванов`, expected `f` or `m`", "/data/sex: unknown variant `######`, expected `f` or `m`"),
            (
                r#"/data: invalid type: string "ivan \" x", expected u32"#,
                r######"/data: invalid type: string "#### \" #", expected u##"######,
            ),
            ("expected `,` or `}` at line 1 column 14", "expected `,` or `}` at line # column ##"),
            ("an open ` and Иванов", "an open ` ### ######"),
        ] {
            assert_eq!(redact_message(detail), shown);
        }
    }

    #[test]
    fn the_hash_does_not_depend_on_masked_characters() {
        let (one, other) = (rejected(r#"{"iin":"850615101233"}"#), rejected(r#"{"iin":"900101300017"}"#));
        assert_eq!(one, other);
        assert_ne!(one.hash, rejected(r#"{"phone":"850615101233"}"#).hash);
        assert!(!rejected(r#"{"name":"Иванов"}"#).body.contains("Иванов"));
    }

    proptest! {
        #[test]
        fn an_excerpt_is_short_and_shows_no_digit(value: Vec<u8>) {
            let redacted = redact(&String::from_utf8_lossy(&value));
            prop_assert!(redacted.is_ascii());
            prop_assert!(excerpt(&redacted).len() <= EXCERPT_MAX_BYTES);
            prop_assert!(!redacted.chars().any(|c| c.is_numeric() || c.is_control()));
        }
    }
}
