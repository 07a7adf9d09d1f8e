//! Text that people wrote, and names in the three languages.
//!
//! Guarantees: a [`Text`] is at most 500 characters, has no control characters and holds no national id.
//! Typed identifiers are not text and are checked by their own patterns.

use std::{fmt, ops::Deref};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

/// Longest text, in characters.
pub const TEXT_MAX_CHARS: usize = 500;

/// Digits of an individual identification number.
const NATIONAL_ID_DIGITS: usize = 12;

/// Why a text is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Longer than [`TEXT_MAX_CHARS`].
    #[error("text is longer than {TEXT_MAX_CHARS} characters")]
    TooLong,
    /// A control character, other than none at all.
    #[error("text holds a control character; send plain text")]
    Control,
    /// A run of twelve digits with no digit beside it.
    #[error("text holds a run of 12 digits, which may be a national id; remove it")]
    NationalId,
}

/// Free text: short, printable, and free of national ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Text(Box<str>);

impl Text {
    /// Checks and takes a text.
    pub fn new(text: &str) -> Result<Self, TextError> {
        if text.chars().nth(TEXT_MAX_CHARS).is_some() {
            return Err(TextError::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(TextError::Control);
        }
        if holds_national_id(text) {
            return Err(TextError::NationalId);
        }
        Ok(Self(text.into()))
    }
}

impl Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Text::new(&text).map_err(de::Error::custom)
    }
}

impl JsonSchema for Text {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Text".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "maxLength": TEXT_MAX_CHARS})
    }
}

/// A name in Kazakh, Russian and English.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// Kazakh, Cyrillic.
    pub kk: Text,
    /// Russian.
    pub ru: Text,
    /// English.
    pub en: Text,
}

/// The value of a decimal digit, in ASCII and in the full-width and Arabic forms that keyboards and scanners produce.
fn digit(c: char) -> bool {
    c.is_ascii_digit()
        || ('\u{FF10}'..='\u{FF19}').contains(&c)
        || ('\u{0660}'..='\u{0669}').contains(&c)
        || ('\u{06F0}'..='\u{06F9}').contains(&c)
}

/// Characters that people and forms put between the digits of one number.
fn joiner(c: char) -> bool {
    matches!(c, ' ' | '\u{00A0}' | '\u{202F}' | '\u{2009}' | '-' | '\u{200B}' | '\u{200C}' | '\u{200D}' | '\u{2060}' | '\u{FEFF}')
}

/// Does the text hold exactly twelve digits in a row, written together or in groups with single spaces or hyphens between them?
/// A longer or shorter number is none; the check digit is not asked, since a mistyped id is somebody's id too.
pub fn holds_national_id(text: &str) -> bool {
    find_national_id(text).is_some()
}

/// Byte range of the first possible national id.
fn find_national_id(text: &str) -> Option<(usize, usize)> {
    let mut run: Option<(usize, usize, usize)> = None; // start, end, digits
    let mut joined = false;
    let mut word = false;
    for (at, c) in text.char_indices().chain(std::iter::once((text.len(), '\n'))) {
        if digit(c) {
            let end = at + c.len_utf8();
            run = match run {
                Some((start, _, digits)) => Some((start, end, digits + 1)),
                None if word => None,
                None => Some((at, end, 1)),
            };
            joined = false;
        } else if run.is_some() && joiner(c) && !joined {
            joined = true;
        } else {
            if let Some((start, end, NATIONAL_ID_DIGITS)) = run
                && (joined || !c.is_alphanumeric())
            {
                return Some((start, end));
            }
            run = None;
            joined = false;
        }
        word = c.is_alphabetic() || (word && digit(c) && run.is_none());
    }
    None
}

/// The text with every possible national id replaced by `[id]`.
pub fn redact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((start, end)) = find_national_id(rest) {
        out.push_str(&rest[..start]);
        out.push_str("[id]");
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twelve_digits_are_found_at_token_boundaries_only() {
        for held in [
            "850615101233",
            "ИИН 850615101233.",
            "8506 1510 1233",
            "850615-101233",
            "８５０６１５１０１２３３",
            "x:850615101233,",
            "(850615101233)",
        ] {
            assert!(holds_national_id(held), "{held}");
        }
        for free in ["85061510123", "8506151012330", "a850615101233", "850615101233b", "2026-02-13 15:00", "тел. 8 701 123 45 67", ""] {
            assert!(!holds_national_id(free), "{free}");
        }
    }

    #[test]
    fn redaction_leaves_the_rest_and_is_idempotent() {
        let once = redact("Қазығұрт: 850615101233 және 9912 3110 7771, 17 адам");
        assert_eq!(once, "Қазығұрт: [id] және [id], 17 адам");
        assert_eq!(redact(&once), once);
    }
}
