//! Typed deserialization errors: why a JSON value does not match the expected type.
//!
//! Guarantees: every error of serde or this crate while a payload is read becomes one variant with its parameters, so that no caller has
//! to parse error messages. The text of an error ([`fmt::Display`]) is for logs. Errors contain no values that were sent, only field
//! names.

use std::fmt;

use serde::de::{Error, Expected, IgnoredAny, Unexpected};

use super::rule::Rule;
use crate::{
    id::IdError,
    instant::InstantError,
    text::{TextError, excerpt},
};

/// Why a JSON value does not match the expected type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch {
    /// The bytes are not valid JSON.
    Syntax(SyntaxError),
    /// A value of another type or out of range; none: the expected value is not known.
    Value(Option<ExpectedValue>),
    /// A field that does not exist.
    UnknownField {
        /// Its name, redacted and truncated.
        name: String,
        /// The fields that exist.
        known: &'static [&'static str],
    },
    /// A required field is missing.
    MissingField(&'static str),
    /// A field occurs twice.
    DuplicateField(String),
    /// An identifier does not match its pattern.
    Id(IdError),
    /// A text is not valid.
    Text(TextError),
    /// A date or an instant is not valid.
    Instant(InstantError),
    /// A rule of the contract is violated.
    Rule(Rule),
    /// Any other message of serde, redacted.
    Other(String),
}

/// The value that a deserializer expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedValue {
    /// A JSON string.
    Text,
    /// A boolean: `true` or `false`.
    Boolean,
    /// A whole number from 0 to this maximum.
    Whole(u32),
    /// An array of any length.
    List,
    /// An array with this number of items.
    Items(usize),
    /// A JSON object.
    Object,
    /// One of these variant names.
    Choice(&'static [&'static str]),
}

/// Why bytes are not valid JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyntaxError {
    /// The text ends before the value does.
    Ended,
    /// A syntax error at this position, counted from 1.
    At {
        /// Line number within the bytes.
        line: usize,
        /// Byte position in the line.
        column: usize,
    },
    /// Nested deeper than the JSON parser allows.
    TooDeep,
    /// A number, an escape or a byte that JSON does not allow.
    Value,
}

/// Error message of a visitor that finds a duplicate field; passes the name through serde's untyped `custom`.
#[derive(Debug, Clone, Copy)]
pub struct Duplicate<'a>(pub &'a str);

const DUPLICATE: &str = "the field occurs twice: ";

impl fmt::Display for Duplicate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{DUPLICATE}{}", self.0)
    }
}

/// Errors of the contract's own types, which serde passes on as messages.
const IDS: [IdError; 5] = [
    IdError::Code { what: "" },
    IdError::NationalId { what: "" },
    IdError::Uuid { what: "" },
    IdError::Letters { what: "" },
    IdError::Kato,
];
const TEXTS: [TextError; 4] = [TextError::Blank, TextError::TooLong, TextError::Control, TextError::NationalId];
const INSTANTS: [InstantError; 3] = [InstantError::Instant, InstantError::Date, InstantError::Year];

impl Mismatch {
    /// Finds the syntax error in bytes that are not valid JSON.
    pub fn syntax(bytes: &[u8]) -> Self {
        Self::Syntax(match serde_json::from_slice::<IgnoredAny>(bytes) {
            Err(error) if error.is_eof() => SyntaxError::Ended,
            Err(error) => SyntaxError::At { line: error.line(), column: error.column() },
            Ok(_) if depth(bytes) > DEPTH_MAX => SyntaxError::TooDeep,
            Ok(_) => SyntaxError::Value,
        })
    }

    /// Adds the expected value to [`Self::Value`] if it has none.
    pub(super) fn with_expected(self, expected: Option<ExpectedValue>) -> Self {
        if self == Self::Value(None) { Self::Value(expected) } else { self }
    }
}

/// Maximum nesting depth of the JSON parser.
const DEPTH_MAX: usize = 127;

/// Nesting depth of brackets, ignoring strings.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

impl Error for Mismatch {
    fn custom<T: fmt::Display>(message: T) -> Self {
        let text = message.to_string();
        let known = |error: &dyn fmt::Display| text.ends_with(error.to_string().trim_start());
        if let Some(name) = text.strip_prefix(DUPLICATE) {
            return Self::DuplicateField(excerpt(name, 64));
        }
        // Compares only with messages of this crate, generated from the same values, never with those of a library.
        let id = IDS.into_iter().find(|error| known(error)).map(Self::Id);
        let text_error = || TEXTS.into_iter().find(|error| known(error)).map(Self::Text);
        let instant = || INSTANTS.into_iter().find(|error| known(error)).map(Self::Instant);
        let rule = || Rule::ALL.iter().find(|rule| text == rule.text()).map(|rule| Self::Rule(*rule));
        id.or_else(text_error).or_else(instant).or_else(rule).unwrap_or_else(|| Self::Other(excerpt(&text, 300)))
    }
    fn invalid_type(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self::Value(None)
    }
    fn invalid_value(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self::Value(None)
    }
    fn invalid_length(_: usize, _: &dyn Expected) -> Self {
        Self::Value(None)
    }
    fn unknown_variant(_: &str, known: &'static [&'static str]) -> Self {
        Self::Value(Some(ExpectedValue::Choice(known)))
    }
    fn unknown_field(name: &str, known: &'static [&'static str]) -> Self {
        Self::UnknownField { name: excerpt(name, 64), known }
    }
    fn missing_field(name: &'static str) -> Self {
        Self::MissingField(name)
    }
    fn duplicate_field(name: &'static str) -> Self {
        Self::DuplicateField(name.to_owned())
    }
}

impl std::error::Error for Mismatch {}

impl From<IdError> for Mismatch {
    fn from(error: IdError) -> Self {
        Self::Id(error)
    }
}

impl From<TextError> for Mismatch {
    fn from(error: TextError) -> Self {
        Self::Text(error)
    }
}

impl From<InstantError> for Mismatch {
    fn from(error: InstantError) -> Self {
        Self::Instant(error)
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(SyntaxError::Ended) => f.write_str("the JSON ends too early"),
            Self::Syntax(SyntaxError::At { line, column }) => write!(f, "no JSON at line {line} column {column}"),
            Self::Syntax(SyntaxError::TooDeep) => f.write_str("the JSON is nested too deeply"),
            Self::Syntax(SyntaxError::Value) => f.write_str("the JSON contains a number, an escape or a byte that is not allowed"),
            Self::Value(None) => f.write_str("another value is expected"),
            Self::Value(Some(expected)) => write!(f, "{expected} is expected"),
            Self::UnknownField { name, known } => write!(f, "unknown field `{name}`, expected one of {}", known.join(", ")),
            Self::MissingField(name) => write!(f, "missing field `{name}`"),
            Self::DuplicateField(name) => write!(f, "duplicate field `{name}`"),
            Self::Id(error) => error.fmt(f),
            Self::Text(error) => error.fmt(f),
            Self::Instant(error) => error.fmt(f),
            Self::Rule(rule) => rule.fmt(f),
            Self::Other(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for ExpectedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("a string"),
            Self::Boolean => f.write_str("true or false"),
            Self::Whole(most) => write!(f, "a whole number from 0 to {most}"),
            Self::List => f.write_str("a list"),
            Self::Items(items) => write!(f, "a list of {items} items"),
            Self::Object => f.write_str("an object"),
            Self::Choice(words) => write!(f, "one of {}", words.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_of_the_contract_comes_through_serde_as_itself() {
        for error in IDS {
            assert_eq!(Mismatch::custom(&error), Mismatch::Id(error));
        }
        assert_eq!(Mismatch::custom(IdError::Uuid { what: "import" }), Mismatch::Id(IdError::Uuid { what: "" }));
        for error in TEXTS {
            assert_eq!(Mismatch::custom(&error), Mismatch::Text(error));
        }
        for error in INSTANTS {
            assert_eq!(Mismatch::custom(error), Mismatch::Instant(error));
        }
        for rule in Rule::ALL {
            assert_eq!(Mismatch::custom(rule), Mismatch::Rule(*rule));
        }
        assert_eq!(Mismatch::custom(Duplicate("a b")), Mismatch::DuplicateField("a b".to_owned()));
    }

    #[test]
    fn what_is_no_json_is_told_apart() {
        let syntax = |text: &str| Mismatch::syntax(text.as_bytes());
        assert_eq!(syntax("{\"a\":"), Mismatch::Syntax(SyntaxError::Ended));
        assert_eq!(syntax("{\n\"a\" 1}"), Mismatch::Syntax(SyntaxError::At { line: 2, column: 5 }));
        assert_eq!(syntax(&format!("{}{}", "[".repeat(128), "]".repeat(128))), Mismatch::Syntax(SyntaxError::TooDeep));
        assert_eq!(syntax("\"\\ud800\""), Mismatch::Syntax(SyntaxError::Value));
        assert_eq!(syntax("\"[[\\\"[[\""), Mismatch::Syntax(SyntaxError::Value));
    }
}
