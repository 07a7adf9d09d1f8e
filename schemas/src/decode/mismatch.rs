//! Why a JSON value is not the payload it should be, as a value that programs can match on.
//!
//! Guarantees: every error that serde or this crate raises while a payload is read becomes one variant with its parameters; nobody has
//! to read an English sentence to find out what happened. The text of an error ([`fmt::Display`]) is for logs. Nothing here repeats a
//! value that was sent, only names of fields.

use std::fmt;

use serde::de::{Error, Expected, IgnoredAny, Unexpected};

use super::{place::shown, rule::Rule};
use crate::{id::IdError, instant::InstantError, text::TextError};

/// Why a JSON value does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch {
    /// The bytes are no JSON.
    Syntax(SyntaxError),
    /// A value of another kind or beyond the range; none: the reader did not say what it wanted.
    Value(Option<Wanted>),
    /// A field that does not exist, and those that do.
    UnknownField {
        /// Its name, redacted.
        name: String,
        /// The fields that exist.
        known: &'static [&'static str],
    },
    /// A field that is needed.
    MissingField(&'static str),
    /// A field that is given twice.
    DuplicateField(String),
    /// An identifier that breaks its pattern.
    Id(IdError),
    /// A text that is refused.
    Text(TextError),
    /// A date or an instant that is refused.
    Instant(InstantError),
    /// A rule of the contract.
    Rule(Rule),
    /// Anything else; redacted.
    Other(String),
}

/// What a reader wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Text in quotes.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A whole number from 0 to this.
    Whole(u32),
    /// A list.
    List,
    /// A list of so many items.
    Items(usize),
    /// An object.
    Object,
    /// One of these words.
    Choice(&'static [&'static str]),
}

/// Why bytes are no JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyntaxError {
    /// The text ends before the value does.
    Ended,
    /// Something is wrong at this place, counted from 1 within the bytes that were read.
    At {
        /// Line.
        line: usize,
        /// Byte in the line.
        column: usize,
    },
    /// Nested deeper than any event.
    TooDeep,
    /// A number, an escape or a byte that JSON does not allow.
    Value,
}

/// The error of a reader that finds a field twice; carries the name through serde's untyped `custom`.
#[derive(Debug, Clone, Copy)]
pub struct Duplicate<'a>(pub &'a str);

const DUPLICATE: &str = "the field stands twice: ";

impl fmt::Display for Duplicate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{DUPLICATE}{}", self.0)
    }
}

/// Errors of the contract's own types, which serde passes on as text.
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
    /// Says what is wrong with bytes that no JSON reader takes.
    pub fn syntax(bytes: &[u8]) -> Self {
        Self::Syntax(match serde_json::from_slice::<IgnoredAny>(bytes) {
            Err(error) if error.is_eof() => SyntaxError::Ended,
            Err(error) => SyntaxError::At { line: error.line(), column: error.column() },
            Ok(_) if depth(bytes) > DEPTH_MAX => SyntaxError::TooDeep,
            Ok(_) => SyntaxError::Value,
        })
    }

    /// The same with what the reader wanted, where that is not known yet.
    pub(super) fn wanting(self, wanted: Option<Wanted>) -> Self {
        if self == Self::Value(None) { Self::Value(wanted) } else { self }
    }
}

/// How deep the JSON reader goes.
const DEPTH_MAX: usize = 127;

/// How deep brackets are nested, strings left out.
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
            return Self::DuplicateField(shown(name, 64));
        }
        // Compared with the very sentences of this crate, made from the same values; those of a library are never looked at.
        let id = IDS.into_iter().find(|error| known(error)).map(Self::Id);
        let text_error = || TEXTS.into_iter().find(|error| known(error)).map(Self::Text);
        let instant = || INSTANTS.into_iter().find(|error| known(error)).map(Self::Instant);
        let rule = || Rule::ALL.iter().find(|rule| text == rule.text()).map(|rule| Self::Rule(*rule));
        id.or_else(text_error).or_else(instant).or_else(rule).unwrap_or_else(|| Self::Other(shown(&text, 300)))
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
        Self::Value(Some(Wanted::Choice(known)))
    }
    fn unknown_field(name: &str, known: &'static [&'static str]) -> Self {
        Self::UnknownField { name: shown(name, 64), known }
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
            Self::Syntax(SyntaxError::Value) => f.write_str("the JSON holds a number, an escape or a byte that is not allowed"),
            Self::Value(None) => f.write_str("another value is expected"),
            Self::Value(Some(wanted)) => write!(f, "{wanted} is expected"),
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

impl fmt::Display for Wanted {
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
