//! Refusals: problem code, detail, and JSON pointer to the fault.
//!
//! Guarantees: codes ([`ProblemCode`]) and details ([`Detail`]) are closed lists with texts in three languages. No refusal shows a possible
//! national id, whatever the client sent. [`crate::response`] turns refusals into HTTP responses.

use qamtu_schemas::{id::EventId, text::redact};

pub mod detail;
pub mod problem_code;

pub use detail::{Detail, Pointers};
pub use problem_code::{Language, ProblemCode};

/// Most failures, and most warnings, that one response lists.
pub const LISTED_MAX: usize = 100;

/// Longest detail, in characters.
const DETAIL_MAX_CHARS: usize = 400;

/// Why a request or a submission is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The rule that is violated.
    pub code: ProblemCode,
    /// What exactly is wrong and how to correct it.
    pub detail: Detail,
    /// JSON pointer (RFC 6901) to the fault; `None` if it concerns the request as a whole.
    pub pointer: Option<String>,
    /// Id of the event, where it could be read.
    pub id: Option<EventId>,
    /// Line of a stream, from 1.
    pub line: Option<u64>,
}

impl Rejection {
    /// A refusal of the whole request or submission.
    pub fn new(code: ProblemCode, detail: Detail) -> Self {
        Self { code, detail, pointer: None, id: None, line: None }
    }

    /// The detail as a client reads it, free of possible national ids.
    pub fn text(&self, language: Language) -> String {
        // Redact before truncating: a truncated number would not be recognised.
        redact(&self.detail.message(language)).chars().take(DETAIL_MAX_CHARS).collect()
    }

    /// JSON pointers to the fields where reference data differs from the known data of its revision.
    pub fn differs(&self) -> &[String] {
        if let Detail::RaiseRevision { pointers, .. } = &self.detail { &pointers.0 } else { &[] }
    }

    /// Sets the JSON pointer to the fault.
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = Some(pointer.into());
        self
    }

    /// Sets the id of the event, unless it is set already.
    pub fn about(mut self, id: Option<EventId>) -> Self {
        self.id = self.id.or(id);
        self
    }

    /// Prepends `prefix` to the JSON pointer, for a value inside a larger document.
    pub fn within(mut self, prefix: &str) -> Self {
        self.pointer = Some(format!("{prefix}{}", self.pointer.unwrap_or_default()));
        self
    }

    /// Sets the line of a stream, from 1.
    pub fn on_line(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }
}

/// A finding about an accepted event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Warning {
    /// Neither plan nor report of the meeting is known yet: the event is pending until one arrives.
    UnknownMeeting,
    /// Reference data of another content is known under the same or a higher revision; within a revision the higher event id wins.
    UnraisedRevision,
    /// The event that this one replaces or takes back is not known yet: it has no effect until that one arrives.
    UnknownReference(EventId),
    /// The event that this one replaces or takes back is about another meeting: it has no effect on it.
    ForeignReference(EventId),
    /// The event that this one replaces or takes back is of a type that it cannot replace.
    IneffectiveReference(EventId),
}

impl Warning {
    /// Code in responses and metrics.
    pub const fn code(self) -> &'static str {
        match self {
            Warning::UnknownMeeting => "unknown-meeting",
            Warning::UnraisedRevision => "revision-not-raised",
            Warning::UnknownReference(_) => "unknown-reference",
            Warning::ForeignReference(_) => "foreign-reference",
            Warning::IneffectiveReference(_) => "ineffective-reference",
        }
    }

    /// The referenced event, for a warning about a reference.
    pub const fn reference(self) -> Option<EventId> {
        match self {
            Warning::UnknownMeeting | Warning::UnraisedRevision => None,
            Warning::UnknownReference(id) | Warning::ForeignReference(id) | Warning::IneffectiveReference(id) => Some(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_detail_shows_a_possible_national_id() {
        for (name, shown) in [("850615101233", "[id]"), ("8506 1510 1233", "[id]")] {
            let refusal = Rejection::new(ProblemCode::InvalidPayload, Detail::TypeNamed { name: name.to_owned() });
            for language in [Language::En, Language::Ru, Language::Kk] {
                let text = refusal.text(language);
                assert!(text.contains(shown) && !text.contains("8506"), "{text}");
            }
        }
    }
}
