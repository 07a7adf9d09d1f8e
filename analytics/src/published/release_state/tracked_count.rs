//! Counts of one column in successive states, and the rule for showing them one after another.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cell::Threshold;

/// The counts of one column of a table, by row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CountColumn {
    /// Whether they add up to a shown total, so that the sum of the withheld ones is known.
    pub(super) has_total: bool,
    pub(super) rows: BTreeMap<String, TrackedCount>,
}

/// A count, and what readers know of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TrackedCount {
    #[serde(alias = "truth")]
    pub(super) exact: u64,
    /// Whether it is shown in this state, or follows from what is.
    #[serde(alias = "open")]
    pub(super) is_shown: bool,
    /// Whether it counts people; headcounts do not.
    #[serde(alias = "people")]
    pub(super) is_person_count: bool,
    /// Its value in the last state that showed it.
    #[serde(alias = "shown")]
    pub(super) last_shown: Option<u64>,
    /// Headcounts in excess of the lists in it: if they change by enough, a change of the count discloses nothing about the lists.
    #[serde(default, alias = "extra", alias = "heads_beyond_lists")]
    pub(super) beyond_lists: u64,
    /// `beyond_lists` in the last state that showed the count; none in states that were stored before it was recorded.
    #[serde(default, alias = "shown_extra", alias = "last_shown_heads")]
    pub(super) last_shown_beyond_lists: Option<u64>,
}

/// A missing row: known to be zero.
const ABSENT: TrackedCount = TrackedCount {
    exact: 0,
    is_shown: true,
    is_person_count: true,
    last_shown: Some(0),
    beyond_lists: 0,
    last_shown_beyond_lists: Some(0),
};

impl TrackedCount {
    /// A count of people without headcounts, in a state that is not yet compared with another.
    pub(super) fn of_people(exact: u64, is_shown: bool) -> Self {
        Self { exact, is_shown, is_person_count: true, last_shown: None, beyond_lists: 0, last_shown_beyond_lists: None }
    }

    /// Records what readers know once this state is shown after `last`.
    pub(super) fn show_after(&mut self, last: Option<&Self>) {
        (self.last_shown, self.last_shown_beyond_lists) = match last {
            _ if self.is_shown => (Some(self.exact), Some(self.beyond_lists)),
            Some(last) => (last.last_shown, last.last_shown_beyond_lists),
            None => (None, None),
        };
    }
}

impl CountColumn {
    fn row(&self, name: &str) -> &TrackedCount {
        self.rows.get(name).unwrap_or(&ABSENT)
    }

    /// Adds the rows of the last state that this one lacks, as zeros.
    pub(super) fn add_rows_of(&mut self, last: &Self) {
        for row in last.rows.keys() {
            self.rows.entry(row.clone()).or_insert(ABSENT);
        }
    }

    /// Records what readers know once this state is shown after `last`.
    pub(super) fn show_after(&mut self, last: &Self) {
        for (row, count) in &mut self.rows {
            count.show_after(Some(last.row(row)));
        }
    }

    /// Whether these counts may be shown after the last ones, which have the same rows or fewer.
    pub(super) fn may_follow(&self, last: &Self, threshold: Threshold) -> bool {
        let is_safe = |(row, count): (&String, &TrackedCount)| {
            let last = last.row(row);
            let is_person_count = count.is_person_count || last.is_person_count;
            let beyond_lists_changed =
                last.last_shown_beyond_lists.is_some_and(|shown| shown.abs_diff(count.beyond_lists) >= threshold.min_beyond_lists());
            let needs_check = count.is_shown && is_person_count && !beyond_lists_changed;
            !needs_check || last.last_shown.is_none_or(|shown| threshold.allows(shown.abs_diff(count.exact)))
        };
        self.rows.iter().all(is_safe) && (!(self.has_total && last.has_total) || self.withheld_part_is_safe(last, threshold))
    }

    /// Whether the withheld remainder of a known total, now or before, changed by enough people; or has the same rows and did not change;
    /// or is zero.
    fn withheld_part_is_safe(&self, last: &Self, threshold: Threshold) -> bool {
        let is_same = self.rows.iter().all(|(row, count)| count.is_shown == last.row(row).is_shown);
        let is_enough = |is_withheld: &dyn Fn(&str, &TrackedCount) -> bool| {
            let rows = || {
                let withheld = self.rows.iter().filter(|(row, count)| is_withheld(row, count));
                withheld.map(|(row, count)| (last.row(row).exact, count.exact))
            };
            let people: u64 = rows().map(|(before, now)| before + now).sum();
            let changed: u64 = rows().map(|(before, now)| before.abs_diff(now)).sum();
            people == 0 || changed >= threshold.people() || (changed == 0 && is_same)
        };
        is_enough(&|_, count| !count.is_shown) && is_enough(&|row, _| !last.row(row).is_shown)
    }
}
