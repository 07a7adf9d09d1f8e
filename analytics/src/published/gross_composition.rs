//! Components of a gross attendance, and whether it discloses how many people are on lists.

use crate::{cell::Threshold, coverage::MeetingFigures};

/// Components of the gross attendance of some meetings.
#[derive(Debug, Clone, Copy)]
pub(super) struct GrossComposition {
    /// Headcounts in excess of the lists.
    beyond_lists: u64,
    /// Attendances of eligible people, outsiders, people of unknown eligibility, and weakly identified people.
    pub(super) people: [u64; 4],
    /// Different people among the eligible.
    reached: u64,
}

impl GrossComposition {
    pub(super) fn of(row: &MeetingFigures) -> Self {
        let exact = &row.audience;
        Self {
            beyond_lists: exact.beyond_lists(),
            people: [exact.contacts, exact.outside, exact.unstated, exact.weak],
            reached: exact.reach.reached,
        }
    }

    /// The components without those of a part of the meetings.
    pub(super) fn without(self, part: Self) -> Self {
        let mut people = self.people;
        people.iter_mut().zip(part.people).for_each(|(all, part)| *all = all.saturating_sub(part));
        Self {
            beyond_lists: self.beyond_lists.saturating_sub(part.beyond_lists),
            people,
            reached: self.reached.saturating_sub(part.reached),
        }
    }

    /// Whether the gross attendance discloses the length of the lists, see [`reveals_list_length`].
    pub(super) fn reveals_list_length(self, threshold: Threshold) -> bool {
        self.beyond_lists < threshold.min_beyond_lists()
    }

    /// Upper bound of the further people of a kind, given the gross attendance and the reach.
    pub(super) fn uncertainty(self, kind: usize) -> u64 {
        let known = if kind == 0 { 0 } else { self.reached };
        (self.people.iter().sum::<u64>() + self.beyond_lists).saturating_sub(known + self.people[kind])
    }

    pub(super) fn is_empty(self) -> bool {
        self.people == [0; 4]
    }
}

/// Whether the gross attendance discloses how many people are on lists, exactly or with fewer possible values than a small count has. It is
/// at least the length of the lists, so only a headcount that exceeds the lists by enough hides it. The presence of a headcount does not,
/// since a list may be as long.
pub(super) fn reveals_list_length(row: &MeetingFigures, threshold: Threshold) -> bool {
    GrossComposition::of(row).reveals_list_length(threshold)
}
