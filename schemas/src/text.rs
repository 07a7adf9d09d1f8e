//! Free text, and names in three languages.
//!
//! Guarantees: a [`Text`] has 1 to 500 characters, is not blank, and contains no control character and no national id.
//! Typed identifiers are no [`Text`]; they have patterns of their own.

use std::{fmt, ops::Deref, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

mod from_str;
mod national_id;

pub(crate) use from_str::deserialize_from_str;
pub use national_id::{contains_national_id, redact};

/// Maximum length of a text in characters.
pub const TEXT_MAX_CHARS: usize = 500;

/// Why a text is not a valid [`Text`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Empty, or white space only.
    #[error("text is blank; leave the field out or write something")]
    Blank,
    /// Longer than [`TEXT_MAX_CHARS`].
    #[error("text is longer than {TEXT_MAX_CHARS} characters")]
    TooLong,
    /// A control character, such as a line break, or one that changes the writing direction.
    #[error("text holds a control character; send plain text")]
    Control,
    /// Twelve digits, see [`contains_national_id`].
    #[error("text holds 12 digits that may be a national id; remove them")]
    NationalId,
}

/// Free text: short, printable, without national ids. The default is empty, a placeholder that no event may contain.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Text(Box<str>);

impl Text {
    /// Validates and copies a text.
    pub fn new(text: &str) -> Result<Self, TextError> {
        if text.chars().nth(TEXT_MAX_CHARS).is_some() {
            return Err(TextError::TooLong);
        }
        if text.trim().is_empty() {
            return Err(TextError::Blank);
        }
        if text.chars().any(is_control_or_separator) {
            return Err(TextError::Control);
        }
        if contains_national_id(text) {
            return Err(TextError::NationalId);
        }
        Ok(Self(text.into()))
    }
}

/// The first characters of a text that a client sent, national ids redacted.
pub(crate) fn excerpt(text: &str, chars: usize) -> String {
    redact(text).chars().take(chars).collect()
}

/// Control characters, line and paragraph separators, and overrides of the writing direction.
fn is_control_or_separator(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

impl FromStr for Text {
    type Err = TextError;
    fn from_str(text: &str) -> Result<Self, TextError> {
        Text::new(text)
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
        deserialize_from_str(deserializer)
    }
}

impl JsonSchema for Text {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Text".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "minLength": 1, "maxLength": TEXT_MAX_CHARS})
    }
}

/// A name in Kazakh, Russian and English.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// Kazakh, in Cyrillic script.
    pub kk: Text,
    /// Russian, in Cyrillic script.
    pub ru: Text,
    /// English, in Latin script.
    pub en: Text,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_short_visible_and_plain() {
        assert_eq!(Text::new("Ә ғ қ ң ө ұ ү һ і").unwrap().deref(), "Ә ғ қ ң ө ұ ү һ і");
        assert_eq!(Text::new(&"һ".repeat(500)).unwrap().chars().count(), 500);
        assert_eq!(Text::new(&"һ".repeat(501)), Err(TextError::TooLong));
        assert_eq!(Text::new(" \u{00A0}"), Err(TextError::Blank));
        for text in ["екі\nжол", "\u{202E}терс", "\u{2028}"] {
            assert!(matches!(Text::new(text), Err(TextError::Control | TextError::Blank)), "{text:?}");
        }
        assert_eq!(Text::new("ЖСН 850615101233"), Err(TextError::NationalId));
    }
}
