//! Converts JSON errors and contract errors to refusals.
//!
//! Guarantees: errors are matched by type, not by text. A refusal shows field names and short codes, so that a typing error can be found,
//! but no texts, numbers or anything with many digits, since these may identify a person.

use qamtu_schemas::{
    DecodeError,
    decode::{ExpectedValue, Mismatch, Rule, SyntaxError},
    event::TypeError,
    id::IdError,
    instant::InstantError,
    text::{TEXT_MAX_CHARS, TextError},
};

use crate::rejection::{Detail, ProblemCode, Rejection};

/// Most digits in a name that a refusal shows.
const SHOWN_DIGITS_MAX: usize = 6;

/// The refusal for a contract error, with code `unknown` for unknown names and `other` where the error has no code of its own.
pub fn decode_rejection(error: DecodeError, unknown: ProblemCode, other: ProblemCode) -> Rejection {
    match error {
        DecodeError::Payload { pointer, mismatch } => mismatch_rejection(mismatch, unknown, other).at(redact_pointer(&pointer)),
        DecodeError::Type(error) => type_rejection(&error),
        DecodeError::Missing(name) => {
            Rejection::new(ProblemCode::MissingAttribute, Detail::AttributeMissing { name }).at(format!("/{name}"))
        }
        DecodeError::Empty | DecodeError::Attribute { .. } => Rejection::new(other, Detail::WriteOther),
    }
}

/// The refusal of bytes that are not JSON.
pub fn syntax_rejection(mismatch: Mismatch) -> Rejection {
    mismatch_rejection(mismatch, ProblemCode::InvalidJson, ProblemCode::InvalidJson)
}

/// The refusal of an attribute value.
pub(super) fn attribute_rejection(name: &str, mismatch: impl Into<Mismatch>) -> Rejection {
    mismatch_rejection(mismatch.into(), ProblemCode::UnknownAttribute, ProblemCode::InvalidAttribute).at(format!("/{name}"))
}

pub(super) fn type_rejection(error: &TypeError) -> Rejection {
    let (code, detail) = match error {
        TypeError::Unknown(name) if is_safe_to_show(name) => (ProblemCode::UnknownType, Detail::TypeNamed { name: name.clone() }),
        TypeError::Unknown(_) => (ProblemCode::UnknownType, Detail::TypeUnknown),
        TypeError::Version { kind, latest, .. } => (ProblemCode::UnknownVersion, Detail::TypeVersions { kind, latest: *latest }),
    };
    Rejection::new(code, detail).at("/type")
}

fn mismatch_rejection(mismatch: Mismatch, unknown: ProblemCode, other: ProblemCode) -> Rejection {
    let (code, detail) = match mismatch {
        Mismatch::Syntax(SyntaxError::Ended) => (ProblemCode::InvalidJson, Detail::JsonEnded),
        Mismatch::Syntax(SyntaxError::At { line, column }) => (ProblemCode::InvalidJson, Detail::JsonSyntax { line, column }),
        Mismatch::Syntax(SyntaxError::TooDeep) => (ProblemCode::TooDeep, Detail::JsonDeep),
        Mismatch::Syntax(SyntaxError::Value) => (ProblemCode::InvalidJson, Detail::JsonValue),
        Mismatch::UnknownField { known: [], .. } => (unknown, Detail::AttributeName),
        Mismatch::UnknownField { known, .. } => (unknown, Detail::FieldUnknown { known: known.join(", ") }),
        Mismatch::MissingField(name) => (ProblemCode::MissingField, Detail::FieldMissing { name }),
        Mismatch::DuplicateField(_) => (ProblemCode::DuplicateField, Detail::GivenTwice),
        Mismatch::Value(wanted) => (other, value(wanted)),
        Mismatch::Id(IdError::NationalId { .. }) => (ProblemCode::NationalId, Detail::CodeNationalId),
        Mismatch::Text(TextError::NationalId) => (ProblemCode::NationalId, Detail::TextNationalId),
        Mismatch::Id(error) => (other, id(&error)),
        Mismatch::Text(error) => (other, text(&error)),
        Mismatch::Instant(error) => (other, instant(error)),
        Mismatch::Rule(violated) => (other, rule(violated)),
        Mismatch::Other(_) => (other, Detail::WriteOther),
    };
    Rejection::new(code, detail)
}

fn value(wanted: Option<ExpectedValue>) -> Detail {
    match wanted {
        Some(ExpectedValue::Text) => Detail::WriteText,
        Some(ExpectedValue::Boolean) => Detail::WriteBoolean,
        Some(ExpectedValue::Whole(most)) => Detail::WriteWhole { most },
        Some(ExpectedValue::List) => Detail::WriteList,
        Some(ExpectedValue::Items(items)) => Detail::WriteItems { items },
        Some(ExpectedValue::Object) => Detail::WriteObject,
        Some(ExpectedValue::Choice(choices)) => Detail::WriteChoice { choices: choices.join(", ") },
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
        Rule::NobodyEligible => Detail::NobodyEligible,
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

/// Whether a name may be shown in a refusal: short, ASCII, few digits.
pub fn is_safe_to_show(name: &str) -> bool {
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    !name.is_empty()
        && name.len() <= 60
        && digits <= SHOWN_DIGITS_MAX
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}

/// The name, or `…` if it may identify a person.
pub(super) fn name_or_placeholder(name: &str) -> &str {
    if is_safe_to_show(name) { name } else { "…" }
}

/// The JSON pointer with keys that may identify a person replaced by `…`.
fn redact_pointer(pointer: &str) -> String {
    pointer.split('/').skip(1).flat_map(|segment| ["/", name_or_placeholder(segment)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_show_field_names_and_no_personal_numbers() {
        assert_eq!(redact_pointer("/data/+77011234567/3"), "/data/…/3");
        assert_eq!(redact_pointer("/data/counts/0/people"), "/data/counts/0/people");
        assert_eq!(redact_pointer(""), "");
    }
}
