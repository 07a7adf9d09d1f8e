//! Cell suppression: person counts as they may leave this crate, shown or withheld.
//!
//! Guarantees: only the rules below and those of [`crate::published`] make a [`Cell`], so no page, table or file can print a person count
//! that the rules withhold. A count `x` with `0 < x < k` is withheld (primary suppression). In a table whose parts add up to a total,
//! further parts are withheld (complementary suppression) until each withheld part has at least `k - 1` possible values. `k` is 10, for
//! analysts 5.
//!
//! Zero is shown: it mostly means that no meeting was held, it concerns no person, and "nobody yet" must not look like "a few". Since
//! zeros are shown, a withheld count is known to be at least 1; the rules take that into account. The number of meetings and headcounts
//! are public and no person counts. A gross attendance that comes from lists of people is a person count.

use crate::access::{Reader, Role};

/// A person count that was checked against the rules: shown or withheld.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell(Option<u64>);

impl Cell {
    /// A count that is not shown.
    pub const WITHHELD: Self = Self(None);

    /// A count that the rules show.
    pub(crate) fn open(count: u64) -> Self {
        Self(Some(count))
    }

    /// A count that is shown unless the rules withhold it.
    pub(crate) fn unless(withheld: bool, count: u64) -> Self {
        Self((!withheld).then_some(count))
    }

    /// The count, unless withheld.
    pub fn shown(self) -> Option<u64> {
        self.0
    }

    /// The sum of cells: withheld if one of them is.
    pub fn sum(cells: impl IntoIterator<Item = Self>) -> Self {
        Self(cells.into_iter().try_fold(0, |sum, cell| cell.0.map(|count| sum + count)))
    }

    /// This cell, if all of the others are shown too.
    pub fn if_all_shown(self, others: &[Self]) -> Self {
        if others.iter().all(|other| other.0.is_some()) { self } else { Self::WITHHELD }
    }
}

/// The smallest count of people that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold(u64);

impl Threshold {
    /// The threshold for a reader; none for a role that sees no figures.
    pub fn of(reader: &Reader) -> Option<Self> {
        match reader.role {
            Role::Analyst => Some(Self(5)),
            Role::Leader => Some(Self(10)),
            Role::Operator | Role::Public => None,
        }
    }

    /// The thresholds of all roles, up to this one.
    pub(crate) fn up_to_this(self) -> impl Iterator<Item = Self> {
        [Self(5), Self(10)].into_iter().filter(move |other| other.0 <= self.0)
    }

    /// The smallest count that is shown.
    pub fn people(self) -> u64 {
        self.0
    }

    /// If headcounts exceed the lists by at least so many, gross attendance does not disclose the length of the lists. Twice the threshold,
    /// since a person at two meetings is counted twice.
    pub(crate) fn min_beyond_lists(self) -> u64 {
        2 * self.0
    }

    /// A multiple of it.
    pub(crate) fn times(self, times: u64) -> Self {
        Self(self.0 * times)
    }

    /// Whether a count may be shown: zero, or not below the threshold.
    pub fn allows(self, count: u64) -> bool {
        count == 0 || count >= self.0
    }

    /// A count that is part of no sum.
    pub fn cell(self, count: u64) -> Cell {
        Cell(self.allows(count).then_some(count))
    }

    /// A part of a published count, from which the remainder follows by subtraction: shown if part, remainder and whole may be shown.
    pub fn cell_of_part(self, part: u64, whole: u64, published: Cell) -> Cell {
        let split = self.allows(part) && self.allows(whole.saturating_sub(part));
        Cell(split.then_some(part)).if_all_shown(&[published])
    }

    /// Suppresses parts that add up to a total.
    ///
    /// A single withheld part follows from the total; so the smallest other parts are withheld, too, until each withheld part, known to be
    /// at least 1, has `k` possible values. If the total is withheld, parts are suppressed as well, so that they do not disclose it. If no
    /// such choice exists, the whole table is withheld, zeros included. A small total needs none of this: all its parts are small.
    pub fn suppress_parts(self, parts: &[u64], total: Cell) -> Vec<Cell> {
        let mut hidden: Vec<bool> = parts.iter().map(|part| !self.allows(*part)).collect();
        self.suppress_line(parts, total.0.is_none(), &mut hidden);
        parts.iter().zip(hidden).map(|(part, hidden)| Cell((!hidden).then_some(*part))).collect()
    }

    fn suppress_line(self, parts: &[u64], is_total_hidden: bool, hidden: &mut [bool]) {
        let is_enough = |hidden: &[bool]| self.possible_values(parts, hidden) >= self.0;
        self.suppress_until(parts, is_total_hidden, hidden, is_enough);
    }

    /// The same for a line of a table whose rows are in several lines: each hidden part is protected by another one. Whoever hides parts for another
    /// reason passes them as hidden.
    pub(crate) fn suppress_crossing_line(self, parts: &[u64], is_total_hidden: bool, hidden: &mut [bool]) {
        self.suppress_until(parts, is_total_hidden, hidden, |hidden| self.protects(parts, hidden));
    }

    /// Hides the smallest parts, if any is hidden or the total is, until that is enough; all parts, if it never is.
    fn suppress_until(self, parts: &[u64], is_total_hidden: bool, hidden: &mut [bool], is_enough: impl Fn(&[bool]) -> bool) {
        if !(is_total_hidden || hidden.contains(&true)) || parts.iter().sum::<u64>() < self.0 {
            return;
        }
        while !is_enough(hidden) {
            let next = (0..parts.len()).filter(|place| !hidden[*place] && parts[*place] > 0).min_by_key(|place| (parts[*place], *place));
            match next {
                Some(place) => hidden[place] = true,
                None => return hidden.fill(true),
            }
        }
    }

    /// Whether the withheld parts of a known total protect each other: at least two are not zero, and each has enough possible values.
    pub(crate) fn protects(self, parts: &[u64], hidden: &[bool]) -> bool {
        let people = parts.iter().zip(hidden).filter(|(part, hidden)| **hidden && **part > 0).count();
        people > 1 && self.possible_values(parts, hidden) >= self.0
    }

    /// Number of values that each withheld part may have, given that every other withheld part is at least 1.
    fn possible_values(self, parts: &[u64], hidden: &[bool]) -> u64 {
        let withheld = || parts.iter().zip(hidden).filter(|(_, hidden)| **hidden).map(|(part, _)| *part);
        match withheld().count() as u64 {
            0 => 0,
            count => withheld().sum::<u64>() + 1 - count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const K: Threshold = Threshold(10);

    fn family(parts: &[u64], total: u64) -> Vec<Option<u64>> {
        K.suppress_parts(parts, K.cell(total)).into_iter().map(Cell::shown).collect()
    }

    #[test]
    fn a_small_part_is_withheld_with_the_smallest_other_one() {
        assert_eq!(family(&[40, 3, 0, 25], 68), [Some(40), None, Some(0), None]);
        assert_eq!(family(&[40, 30], 70), [Some(40), Some(30)]);
    }

    #[test]
    fn many_ones_do_not_protect_each_other() {
        // Ten withheld parts of at least 1 that sum to 10 would each be 1, so the whole table is withheld, the zero too.
        assert_eq!(family(&[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0], 10), [None; 11]);
        // Beside a part of ten each has enough possible values.
        assert_eq!(family(&[1, 1, 10, 50], 62), [None, None, None, Some(50)]);
    }

    #[test]
    fn a_small_total_is_withheld_with_its_parts() {
        assert_eq!(family(&[4, 0, 3], 7), [None, Some(0), None]);
        assert_eq!(family(&[0, 0], 0), [Some(0), Some(0)]);
    }

    #[test]
    fn parts_do_not_disclose_a_withheld_total() {
        assert_eq!(K.suppress_parts(&[20, 30], Cell::WITHHELD).into_iter().map(Cell::shown).collect::<Vec<_>>(), [None, Some(30)]);
    }

    #[test]
    fn a_part_and_its_remainder_are_both_protected() {
        assert_eq!(K.cell_of_part(95, 100, K.cell(100)), Cell::WITHHELD);
        assert_eq!(K.cell_of_part(100, 100, K.cell(100)).shown(), Some(100));
        assert_eq!(K.cell_of_part(60, 100, Cell::WITHHELD), Cell::WITHHELD);
    }
}
