//! Person counts as they may leave this crate: shown, or withheld.
//!
//! Guarantees: a [`Cell`] is made by the rules below and those of [`crate::published`] alone, so no page, table or file can print a person
//! count that the rules withhold. A count `x` with `0 < x < k` is withheld; in a table whose parts add up to a total, more parts are withheld until the total
//! leaves each of them as many possible values as a small count has: at least `k - 1`. `k` is 10, for analysts 5.
//!
//! Zero is shown. It tells that nobody of a slice was there, which mostly follows from there having been no meeting; it is about no
//! person; and "nobody yet" must not look like "a few". Since zeros are shown, a withheld count is known to be at least 1, and the rules
//! reckon with that. Meetings, and people counted as heads in a room, are no person counts: a meeting is public. A gross attendance that
//! comes from lists of people is one.

use crate::access::{Reader, Role};

/// A person count that may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell(Option<u64>);

impl Cell {
    /// A count that is not shown.
    pub const WITHHELD: Self = Self(None);

    /// A count that the rules let through.
    pub(crate) fn open(count: u64) -> Self {
        Self(Some(count))
    }

    /// A count that the rules let through, unless they withhold it.
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

    /// The smallest count that is shown.
    pub fn people(self) -> u64 {
        self.0
    }

    /// Heads beyond lists of people from which on their sum leaves as many possible values to the people as a small count has: twice the
    /// threshold, since whoever came to two meetings is in the sum twice.
    pub(crate) fn min_heads(self) -> u64 {
        2 * self.0
    }

    /// Whether a count may be seen: nobody, or enough people.
    pub fn allows(self, count: u64) -> bool {
        count == 0 || count >= self.0
    }

    /// A count that stands alone.
    pub fn cell(self, count: u64) -> Cell {
        Cell(self.allows(count).then_some(count))
    }

    /// A part of a count that is published too, so that the remainder can be read off: shown if the part, the remainder and the whole may
    /// be seen.
    pub fn cell_of_part(self, part: u64, whole: u64, published: Cell) -> Cell {
        let split = self.allows(part) && self.allows(whole.saturating_sub(part));
        Cell(split.then_some(part)).if_all_shown(&[published])
    }

    /// Parts that add up to a total.
    ///
    /// With one small part withheld, the total would give it away; so the smallest others follow it until the withheld parts, each known
    /// to be at least 1, leave room for `k` values. If the total is withheld itself, parts are held back as well, lest they give it away.
    /// If there is no such choice, the whole table is withheld, zeros too. A total that is small itself needs none of this: it is
    /// withheld, and all its parts are small.
    pub fn suppress_parts(self, parts: &[u64], total: Cell) -> Vec<Cell> {
        let mut hidden: Vec<bool> = parts.iter().map(|part| !self.allows(*part)).collect();
        let threatened = total.0.is_none() || hidden.contains(&true);
        if threatened && parts.iter().sum::<u64>() >= self.0 {
            self.suppress_more(parts, &mut hidden);
        }
        parts.iter().zip(hidden).map(|(part, hidden)| Cell((!hidden).then_some(*part))).collect()
    }

    fn suppress_more(self, parts: &[u64], hidden: &mut [bool]) {
        while self.possible_values(parts, hidden) < self.0 {
            let next = (0..parts.len()).filter(|place| !hidden[*place] && parts[*place] > 0).min_by_key(|place| (parts[*place], *place));
            match next {
                Some(place) => hidden[place] = true,
                None => return hidden.fill(true),
            }
        }
    }

    /// Whether the withheld parts of a known total cover each other: two or more of them are people, and each has room enough.
    pub(crate) fn protects(self, parts: &[u64], hidden: &[bool]) -> bool {
        let people = parts.iter().zip(hidden).filter(|(part, hidden)| **hidden && **part > 0).count();
        people > 1 && self.possible_values(parts, hidden) >= self.0
    }

    /// How many values each withheld part might have: what the total leaves once every other withheld part is at least 1.
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
    fn a_small_part_takes_the_smallest_other_with_it() {
        assert_eq!(family(&[40, 3, 0, 25], 68), [Some(40), None, Some(0), None]);
        assert_eq!(family(&[40, 30], 70), [Some(40), Some(30)]);
    }

    #[test]
    fn many_ones_are_no_cover_for_each_other() {
        // Ten withheld parts of at least 1 that sum to 10 would each be 1, so the whole table is withheld, the zero too.
        assert_eq!(family(&[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0], 10), [None; 11]);
        // Beside a part of ten they have room.
        assert_eq!(family(&[1, 1, 10, 50], 62), [None, None, None, Some(50)]);
    }

    #[test]
    fn a_small_total_hides_with_its_parts() {
        assert_eq!(family(&[4, 0, 3], 7), [None, Some(0), None]);
        assert_eq!(family(&[0, 0], 0), [Some(0), Some(0)]);
    }

    #[test]
    fn parts_do_not_give_a_withheld_total_away() {
        assert_eq!(K.suppress_parts(&[20, 30], Cell::WITHHELD).into_iter().map(Cell::shown).collect::<Vec<_>>(), [None, Some(30)]);
    }

    #[test]
    fn a_part_and_what_it_leaves_are_both_protected() {
        assert_eq!(K.cell_of_part(95, 100, K.cell(100)), Cell::WITHHELD);
        assert_eq!(K.cell_of_part(100, 100, K.cell(100)).shown(), Some(100));
        assert_eq!(K.cell_of_part(60, 100, Cell::WITHHELD), Cell::WITHHELD);
    }
}
