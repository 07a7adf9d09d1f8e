//! Meetings whose attendances are ignored: the audience reveals sensitive data of everybody in it, or nobody in it was eligible.

use qamtu_schemas::id::CategoryCode;

use crate::facts::{Facts, meetings::InternedMeeting};

/// Which interned categories reveal belief, origin or health of the people in the audience.
#[derive(Debug)]
pub(super) struct RevealingAudiences {
    revealing: Vec<bool>,
}

impl RevealingAudiences {
    pub(super) fn of(facts: &Facts) -> Self {
        let configured = || facts.reference.campaign().into_iter().flat_map(|campaign| &campaign.categories);
        let is_revealing = |code: &CategoryCode| configured().any(|category| category.revealing && category.code == *code);
        Self { revealing: facts.meetings.categories.keys().iter().map(is_revealing).collect() }
    }

    /// Whether a meeting has such an audience. A valid plan or report for a revealing one is enough.
    pub(super) fn includes(&self, meeting: &InternedMeeting) -> bool {
        meeting.nobody_eligible() || meeting.audiences.iter().any(|category| self.revealing[*category as usize])
    }
}
