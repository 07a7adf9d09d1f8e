//! Text that people wrote, and names in the three languages.
//!
//! Guarantees: a [`Text`] is 1 to 500 characters, is not blank, has no control characters and holds no national id.
//! Typed identifiers are not text and are checked by their own patterns.

use std::{fmt, ops::Deref, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

mod national_id;
mod parsed;

pub use national_id::{holds_national_id, redact};
pub(crate) use parsed::parsed;

/// Longest text, in characters.
pub const TEXT_MAX_CHARS: usize = 500;

/// Why a text is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing but spaces.
    #[error("text is blank; leave the field out or write something")]
    Blank,
    /// Longer than [`TEXT_MAX_CHARS`].
    #[error("text is longer than {TEXT_MAX_CHARS} characters")]
    TooLong,
    /// A control character, such as a line break, or one that turns the direction of the text beside it.
    #[error("text holds a control character; send plain text")]
    Control,
    /// Twelve digits, see [`holds_national_id`].
    #[error("text holds 12 digits that may be a national id; remove them")]
    NationalId,
}

/// Free text: short, printable, and free of national ids. The default is the empty text, which no event may carry: a place holder.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Text(Box<str>);

impl Text {
    /// Checks and takes a text.
    pub fn new(text: &str) -> Result<Self, TextError> {
        if text.chars().nth(TEXT_MAX_CHARS).is_some() {
            return Err(TextError::TooLong);
        }
        if text.trim().is_empty() {
            return Err(TextError::Blank);
        }
        if text.chars().any(controls) {
            return Err(TextError::Control);
        }
        if holds_national_id(text) {
            return Err(TextError::NationalId);
        }
        Ok(Self(text.into()))
    }
}

/// Control characters, line and paragraph separators, and the overrides that make a text read otherwise than it is stored.
fn controls(c: char) -> bool {
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
        parsed(deserializer)
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
    /// Kazakh, Cyrillic.
    pub kk: Text,
    /// Russian.
    pub ru: Text,
    /// English.
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
