//! Errors of JSON and of the contract, in the words of a refusal.
//!
//! Guarantees: what a client sent is not repeated. Names of fields and short codes are shown, so that a typing error can be found;
//! texts, numbers and anything with many digits are not, since they may be a person's.

use qamtu_schemas::{DecodeError, event::TypeError, id::IdError, text::TextError};

use crate::rejection::{Reason, Rejection};

/// Most digits in a name that is shown.
const SHOWN_DIGITS_MAX: usize = 6;

/// A refusal of a value that does not fit; `unknown` and `other` are the reasons for unknown names and for all the rest.
pub fn flaw(error: DecodeError, unknown: Reason, other: Reason) -> Rejection {
    match error {
        DecodeError::Payload { pointer, reason } => {
            let why = classify(&reason, unknown, other);
            Rejection::new(why, quiet(&reason)).at(quiet_pointer(&pointer))
        }
        DecodeError::Type(TypeError::Unknown(_)) => Rejection::new(Reason::UnknownType, "there is no such event type").at("/type"),
        DecodeError::Type(TypeError::Version { .. }) => Rejection::new(Reason::UnknownVersion, "there is no such version").at("/type"),
        DecodeError::Empty | DecodeError::Missing(_) | DecodeError::Attribute { .. } => Rejection::new(other, quiet(&error.to_string())),
    }
}

/// A refusal of bytes that are no JSON.
pub(super) fn syntax(error: &serde_json::Error) -> Rejection {
    let text = error.to_string();
    if text.starts_with("recursion limit exceeded") {
        return Rejection::new(Reason::TooDeep, "no event is nested deeper than a few levels");
    }
    if error.is_eof() {
        return Rejection::new(Reason::InvalidJson, format!("the JSON ends too early: {text}"));
    }
    Rejection::new(Reason::InvalidJson, quoted_hidden(&text))
}

/// A refusal of a whole body that is no JSON.
pub fn body(error: &serde_json::Error) -> Rejection {
    if error.is_data() { Rejection::new(Reason::InvalidJson, quiet(&error.to_string())).at("") } else { syntax(error).at("") }
}

/// Does an error of the contract say that twelve digits were found?
pub(super) fn names_national_id(message: &str) -> bool {
    let typed = IdError::NationalId { what: "" }.to_string();
    message.contains(&TextError::NationalId.to_string()) || message.contains(typed.trim())
}

/// May a name be shown: short, ASCII, few digits?
pub fn is_plain(name: &str) -> bool {
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    !name.is_empty()
        && name.len() <= 60
        && digits <= SHOWN_DIGITS_MAX
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}

fn classify(message: &str, unknown: Reason, other: Reason) -> Reason {
    let starts = |prefix: &str| message.starts_with(prefix);
    if starts("unknown field") {
        unknown
    } else if starts("missing field") {
        Reason::MissingField
    } else if starts("duplicate field") {
        Reason::DuplicateField
    } else if starts("recursion limit") {
        Reason::TooDeep
    } else if names_national_id(message) {
        Reason::NationalId
    } else {
        other
    }
}

/// The message without the values that were sent and without positions in a form that the client never saw.
fn quiet(message: &str) -> String {
    let message = match message.rfind(" at line ") {
        Some(at) => &message[..at],
        None => message,
    };
    if let Some(rest) = message.strip_prefix("invalid type: ") {
        let (found, wanted) = rest.rsplit_once(", expected ").unwrap_or((rest, "another type"));
        let found = found.split([' ', '`', '"']).next().unwrap_or_default();
        return format!("{wanted} is expected here, not a value of type {found}");
    }
    if let Some((_, wanted)) = message.strip_prefix("invalid value: ").and_then(|rest| rest.rsplit_once(", expected ")) {
        return format!("{wanted} is expected here");
    }
    for what in ["unknown field `", "unknown variant `", "duplicate field `"] {
        let Some(rest) = message.strip_prefix(what) else { continue };
        let (name, then) = rest.rsplit_once("`, expected ").map_or((rest.trim_end_matches('`'), None), |(name, then)| (name, Some(then)));
        // The names that are expected are quoted in the same way: only the first one was sent.
        let name = name.split('`').next().unwrap_or_default();
        let name = if is_plain(name) { format!(" {name}") } else { String::new() };
        let expected = then.map(|then| format!(", expected {}", then.replace('`', ""))).unwrap_or_default();
        return format!("{}{name}{expected}", what.trim_end_matches([' ', '`']));
    }
    quoted_hidden(message)
}

/// The message with everything between double quotes left out.
fn quoted_hidden(message: &str) -> String {
    let parts = message.split('"').enumerate();
    parts.map(|(at, part)| if at % 2 == 0 { part } else { "\"…\"" }).collect()
}

/// The pointer with keys that may be a person's left out; indices and our own names stay.
fn quiet_pointer(pointer: &str) -> String {
    let mut out = String::with_capacity(pointer.len());
    for segment in pointer.split('/').skip(1) {
        out.push('/');
        out.push_str(if is_plain(segment) { segment } else { "…" });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_not_repeated_and_names_are() {
        for (message, shown) in [
            (
                "invalid type: string \"Ainur, expected b\", expected u32 at line 1 column 9",
                "u32 is expected here, not a value of type string",
            ),
            ("invalid value: integer `77011234567`, expected u32", "u32 is expected here"),
            ("unknown field `headcont`, expected `meeting` or `counts`", "unknown field headcont, expected meeting or counts"),
            ("unknown field `77011234567`, expected `meeting`", "unknown field, expected meeting"),
            ("unknown variant `x y`, expected one of `city`, `district`", "unknown variant, expected one of city, district"),
            ("duplicate field `meeting`", "duplicate field meeting"),
            ("failed to parse \"8 701 123 45 67\" as a timestamp", "failed to parse \"…\" as a timestamp"),
            ("missing field `report` at line 1 column 2", "missing field `report`"),
        ] {
            assert_eq!(quiet(message), shown);
        }
        assert_eq!(quiet_pointer("/data/+77011234567/3"), "/data/…/3");
    }
}
