//! Decode: Record -> Fate. Pure; no input makes it panic.
//!
//! What cannot be decoded is shown only as an excerpt in which every digit is hidden, so that neither a national id nor a phone
//! number of a broken submission reaches a table.

use qamtu_log::Record;
use qamtu_schemas::{encode, id::BodyHash};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::fate::{Fate, Reason, Rejection};

/// Most bytes of a rejected value that are shown.
pub const EXCERPT_MAX_BYTES: usize = 512;

/// Decides the fate of a record.
pub fn decode(record: &Record) -> Fate {
    let headers = record.headers.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
    let event = match qamtu_schemas::decode(headers, record.value.as_deref()) {
        Ok(event) => event,
        Err(error) => return reject(record, Reason::from(&error), &error.to_string()),
    };
    let body = encode::structured(&event.envelope, record.value.as_deref().unwrap_or_default()).ok().map(String::from_utf8);
    match body {
        Some(Ok(body)) => Fate::Event { event: Box::new(event), body },
        _ => reject(record, Reason::NotText, "the payload is no text"),
    }
}

/// What is shown of a rejected record.
#[derive(Serialize)]
struct Shown<'a> {
    excerpt: &'a str,
    bytes: usize,
    sha256: String,
    detail: &'a str,
}

fn reject(record: &Record, reason: Reason, detail: &str) -> Fate {
    let value = record.value.as_deref().unwrap_or_default();
    let digest = Sha256::digest(value);
    let mut hash = [0; 16];
    hash.copy_from_slice(&digest[..16]);
    let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let shown = Shown { excerpt: &excerpt(value), bytes: value.len(), sha256, detail: &hide_digits(detail) };
    Fate::Rejected(Rejection {
        reason,
        event_id: header(record, "ce_id"),
        kind: header(record, "ce_type"),
        campaign: header(record, "ce_campaign"),
        hash: BodyHash(hash),
        // INVARIANT: a struct of strings and a number is always JSON.
        body: serde_json::to_string(&shown).expect("strings are JSON"),
    })
}

/// A header that is a valid value of its type; what is not valid is not repeated.
fn header<T: std::str::FromStr>(record: &Record, name: &str) -> Option<T> {
    let (_, value) = record.headers.iter().rev().find(|(found, _)| found == name)?;
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// The beginning of a value as text.
fn excerpt(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(&value[..value.len().min(EXCERPT_MAX_BYTES)]);
    let mut shown = hide_digits(&text);
    let end = (0..=EXCERPT_MAX_BYTES.min(shown.len())).rev().find(|end| shown.is_char_boundary(*end)).unwrap_or(0);
    shown.truncate(end);
    shown
}

/// The text with `#` for every digit of any script and a space for control characters.
fn hide_digits(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            c if c.is_numeric() => '#',
            c if c.is_control() => ' ',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn digits_of_every_script_are_hidden() {
        let ids = "850615101233 8506 1510 1233 ８５０６１５１０１２３３ ٨٥٠٦١٥١٠١٢٣٣ +7 701 123 45 67";
        assert_eq!(excerpt(format!("{{\"iin\":\"{ids}\"}}").as_bytes()).chars().filter(|c| c.is_numeric()).count(), 0);
    }

    proptest! {
        #[test]
        fn an_excerpt_is_short_and_shows_no_digit(value: Vec<u8>) {
            let shown = excerpt(&value);
            prop_assert!(shown.len() <= EXCERPT_MAX_BYTES);
            prop_assert!(!shown.chars().any(|c| c.is_numeric() || c.is_control()));
        }
    }
}
