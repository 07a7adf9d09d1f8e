//! A refusal: what is wrong, where, and how to correct it.
//!
//! Guarantees: the reasons are a closed list ([`Reason`]), each with a label, a status and a title in three languages, and so are the
//! details ([`Detail`]); no refusal shows a possible national id, whatever the client sent. Refusals become answers in
//! [`crate::answer`].

use qamtu_schemas::{id::EventId, text::redact};

pub mod detail;
pub mod reason;

pub use detail::{Detail, Places};
pub use reason::{Language, Reason};

/// Longest detail, in characters.
const DETAIL_MAX_CHARS: usize = 400;

/// Why something was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Which rule.
    pub reason: Reason,
    /// What exactly and how to correct it.
    pub detail: Detail,
    /// JSON pointer (RFC 6901) into what was sent; none where the request as a whole is meant.
    pub pointer: Option<String>,
    /// The event, where its id could be read.
    pub id: Option<EventId>,
    /// Line of a stream, from 1.
    pub line: Option<u64>,
}

impl Rejection {
    /// A refusal of the whole request or submission.
    pub fn new(reason: Reason, detail: Detail) -> Self {
        Self { reason, detail, pointer: None, id: None, line: None }
    }

    /// The detail as a client reads it, free of possible national ids.
    pub fn text(&self, language: Language) -> String {
        // Never the other way round: a number that was cut is not recognised.
        redact(&self.detail.message(language)).chars().take(DETAIL_MAX_CHARS).collect()
    }

    /// Where reference data differs from what is known under its revision.
    pub fn differs(&self) -> &[String] {
        if let Detail::RaiseRevision { places, .. } = &self.detail { &places.0 } else { &[] }
    }

    /// The refusal with the place it is about.
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = Some(pointer.into());
        self
    }

    /// The refusal with the event it is about.
    pub fn about(mut self, id: Option<EventId>) -> Self {
        self.id = self.id.or(id);
        self
    }

    /// The refusal of an element of a batch: its pointer begins with the element's index.
    pub fn in_element(mut self, index: u64) -> Self {
        self.pointer = Some(format!("/{index}{}", self.pointer.unwrap_or_default()));
        self
    }

    /// The refusal of a line of a stream.
    pub fn on_line(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }
}

/// What is taken but worth saying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Warning {
    /// Neither plan nor report of the meeting is known yet: the event is pending until one arrives.
    UnknownMeeting,
    /// Reference data of another content is known under the same or a higher revision: of one revision the higher event id holds.
    UnraisedRevision,
    /// The event that this one replaces or takes back is not known yet: it has no effect until that one arrives.
    UnknownReference(EventId),
    /// The event that this one replaces or takes back is about another meeting: it has no effect on it.
    ForeignReference(EventId),
    /// The event that this one replaces or takes back is of a type that it cannot replace.
    IneffectiveReference(EventId),
}

impl Warning {
    /// Closed label for answers and metrics.
    pub const fn code(self) -> &'static str {
        match self {
            Warning::UnknownMeeting => "unknown-meeting",
            Warning::UnraisedRevision => "revision-not-raised",
            Warning::UnknownReference(_) => "unknown-reference",
            Warning::ForeignReference(_) => "foreign-reference",
            Warning::IneffectiveReference(_) => "ineffective-reference",
        }
    }

    /// The event that a warning about a reference is about.
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
            let refusal = Rejection::new(Reason::InvalidPayload, Detail::TypeNamed { name: name.to_owned() });
            for language in [Language::En, Language::Ru, Language::Kk] {
                let text = refusal.text(language);
                assert!(text.contains(shown) && !text.contains("8506"), "{text}");
            }
        }
    }
}
