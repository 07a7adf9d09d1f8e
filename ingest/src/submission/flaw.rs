//! Errors of JSON and of the contract as refusals.
//!
//! Guarantees: every error is matched on by its type; what a client sent is not repeated. Names of fields and short codes are shown, so
//! that a typing error can be found; texts, numbers and anything with many digits are not, since they may be a person's.

use qamtu_schemas::{
    DecodeError,
    decode::{Mismatch, Rule, SyntaxError, Wanted},
    event::TypeError,
    id::IdError,
    instant::InstantError,
    text::{TEXT_MAX_CHARS, TextError},
};

use crate::rejection::{Detail, Reason, Rejection};

/// Most digits in a name that is shown.
const SHOWN_DIGITS_MAX: usize = 6;

/// A refusal of a value that does not fit; `unknown` and `other` are the reasons for unknown names and for all the rest.
pub fn flaw(error: DecodeError, unknown: Reason, other: Reason) -> Rejection {
    match error {
        DecodeError::Payload { pointer, mismatch } => mismatched(mismatch, unknown, other).at(quiet_pointer(&pointer)),
        DecodeError::Type(error) => type_flaw(&error),
        DecodeError::Missing(name) => Rejection::new(Reason::MissingAttribute, Detail::AttributeMissing { name }).at(format!("/{name}")),
        DecodeError::Empty | DecodeError::Attribute { .. } => Rejection::new(other, Detail::WriteOther),
    }
}

/// A refusal of bytes that are no JSON.
pub fn unreadable(mismatch: Mismatch) -> Rejection {
    mismatched(mismatch, Reason::InvalidJson, Reason::InvalidJson)
}

/// A refusal of an attribute.
pub(super) fn attribute(name: &str, mismatch: impl Into<Mismatch>) -> Rejection {
    mismatched(mismatch.into(), Reason::UnknownAttribute, Reason::InvalidAttribute).at(format!("/{name}"))
}

pub(super) fn type_flaw(error: &TypeError) -> Rejection {
    let (reason, detail) = match error {
        TypeError::Unknown(name) if is_plain(name) => (Reason::UnknownType, Detail::TypeNamed { name: name.clone() }),
        TypeError::Unknown(_) => (Reason::UnknownType, Detail::TypeUnknown),
        TypeError::Version { kind, latest, .. } => (Reason::UnknownVersion, Detail::TypeVersions { kind, latest: *latest }),
    };
    Rejection::new(reason, detail).at("/type")
}

fn mismatched(mismatch: Mismatch, unknown: Reason, other: Reason) -> Rejection {
    let (reason, detail) = match mismatch {
        Mismatch::Syntax(SyntaxError::Ended) => (Reason::InvalidJson, Detail::JsonEnded),
        Mismatch::Syntax(SyntaxError::At { line, column }) => (Reason::InvalidJson, Detail::JsonSyntax { line, column }),
        Mismatch::Syntax(SyntaxError::TooDeep) => (Reason::TooDeep, Detail::JsonDeep),
        Mismatch::Syntax(SyntaxError::Value) => (Reason::InvalidJson, Detail::JsonValue),
        Mismatch::UnknownField { known: [], .. } => (unknown, Detail::AttributeName),
        Mismatch::UnknownField { known, .. } => (unknown, Detail::FieldUnknown { known: known.join(", ") }),
        Mismatch::MissingField(name) => (Reason::MissingField, Detail::FieldMissing { name }),
        Mismatch::DuplicateField(_) => (Reason::DuplicateField, Detail::GivenTwice),
        Mismatch::Value(wanted) => (other, value(wanted)),
        Mismatch::Id(IdError::NationalId { .. }) => (Reason::NationalId, Detail::CodeNationalId),
        Mismatch::Text(TextError::NationalId) => (Reason::NationalId, Detail::TextNationalId),
        Mismatch::Id(error) => (other, id(&error)),
        Mismatch::Text(error) => (other, text(&error)),
        Mismatch::Instant(error) => (other, instant(error)),
        Mismatch::Rule(broken) => (other, rule(broken)),
        Mismatch::Other(_) => (other, Detail::WriteOther),
    };
    Rejection::new(reason, detail)
}

fn value(wanted: Option<Wanted>) -> Detail {
    match wanted {
        Some(Wanted::Text) => Detail::WriteText,
        Some(Wanted::Boolean) => Detail::WriteBoolean,
        Some(Wanted::Whole(most)) => Detail::WriteWhole { most },
        Some(Wanted::List) => Detail::WriteList,
        Some(Wanted::Items(items)) => Detail::WriteItems { items },
        Some(Wanted::Object) => Detail::WriteObject,
        Some(Wanted::Choice(words)) => Detail::WriteChoice { words: words.join(", ") },
        None => Detail::WriteOther,
    }
}

fn id(error: &IdError) -> Detail {
    match error {
        IdError::Code { .. } => Detail::Code,
        IdError::NationalId { .. } => Detail::CodeNationalId,
        IdError::Uuid { .. } => Detail::Uuid,
        IdError::Kato => Detail::Kato,
        IdError::Letters { .. } => Detail::Letters,
    }
}

fn text(error: &TextError) -> Detail {
    match error {
        TextError::Blank => Detail::TextBlank,
        TextError::TooLong => Detail::TextLong { most: TEXT_MAX_CHARS },
        TextError::Control => Detail::TextControl,
        TextError::NationalId => Detail::TextNationalId,
    }
}

fn instant(error: InstantError) -> Detail {
    match error {
        InstantError::Instant => Detail::Instant,
        InstantError::Date => Detail::Date,
        InstantError::Year => Detail::Years,
        InstantError::Zone => Detail::TimeZone,
    }
}

fn rule(rule: Rule) -> Detail {
    match rule {
        Rule::PeopleMax => Detail::PeopleMax,
        Rule::QuestionCount => Detail::QuestionCount,
        Rule::EventsRequired => Detail::EventsRequired,
        Rule::EventsMax => Detail::EventsMax,
        Rule::MembersMax => Detail::MembersMax,
        Rule::CategoriesMax => Detail::CategoriesMax,
        Rule::SheetLineMin => Detail::LineMin,
        Rule::RollMax => Detail::RollMax,
        Rule::BirthBand => Detail::BirthBand,
        Rule::OneOrTwoCounts => Detail::OneOrTwoCounts,
        Rule::OtherCounter => Detail::OtherCounter,
        Rule::EligibleMax => Detail::EligibleMax,
        Rule::ReachedMax => Detail::ReachedMax,
        Rule::ClosesBeforeOpens => Detail::ClosesBeforeOpens,
        Rule::SilenceBeforeCloses => Detail::SilenceBeforeCloses,
        Rule::VoteBeforeSilence => Detail::VoteBeforeSilence,
        Rule::TimeZone => Detail::TimeZone,
        Rule::OtherCampaign => Detail::OtherCampaign,
        Rule::OneChoice | Rule::PlainChoice => Detail::WriteOther,
        Rule::NumberFraction => Detail::WholeNumbers,
        Rule::NumberSize => Detail::NumberMax,
    }
}

/// May a name be shown: short, ASCII, few digits?
pub fn is_plain(name: &str) -> bool {
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    !name.is_empty()
        && name.len() <= 60
        && digits <= SHOWN_DIGITS_MAX
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}

/// A name, or a sign in its place where it may be a person's.
pub(super) fn quiet(name: &str) -> &str {
    if is_plain(name) { name } else { "…" }
}

/// The pointer with keys that may be a person's left out; indices and our own names stay.
fn quiet_pointer(pointer: &str) -> String {
    pointer.split('/').skip(1).flat_map(|segment| ["/", quiet(segment)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_show_our_names_and_nobodys_numbers() {
        assert_eq!(quiet_pointer("/data/+77011234567/3"), "/data/…/3");
        assert_eq!(quiet_pointer("/data/counts/0/people"), "/data/counts/0/people");
        assert_eq!(quiet_pointer(""), "");
    }
}
