//! Which slices each person belongs to: one row of 64-bit words per person.
//!
//! A row has the two halves of the pseudonym, a word with the last meeting (upper 32 bits, its number plus one) and the number of counted
//! attendances (lower 32 bits), and a bit per slice. With up to 64 slices a row is half a cache line, so that an attendance costs one memory
//! access.

use crate::roll::PersonKey;

const HI: usize = 0;
const LO: usize = 1;
/// The word with the last meeting and the number of attendances.
const ATTENDANCE: usize = 2;
/// Words of a row before its bits.
const HEADER_WORDS: usize = 3;

/// Rows of four words are aligned to this, so that none lies across two cache lines.
const ROW_BYTES: usize = 32;

/// A row per person, indexed by person number.
#[derive(Debug)]
pub(super) struct PersonBitmap {
    words: Vec<u64>,
    /// Index of the first word of the first row.
    first: usize,
    words_per_row: usize,
}

impl PersonBitmap {
    pub(super) fn new(slices: usize, people: &[PersonKey]) -> Self {
        let words_per_row = HEADER_WORDS + slices.div_ceil(64);
        let mut words = vec![0; people.len() * words_per_row + ROW_BYTES / size_of::<u64>()];
        let first = words.as_ptr().align_offset(ROW_BYTES).min(words.len() - people.len() * words_per_row);
        words.truncate(first + people.len() * words_per_row);
        for (row, key) in words[first..].chunks_exact_mut(words_per_row).zip(people) {
            (row[HI], row[LO]) = (key.hi, key.lo);
        }
        Self { words, first, words_per_row }
    }

    /// Adds a row without attendances.
    pub(super) fn push(&mut self, key: PersonKey) {
        self.words.extend([key.hi, key.lo]);
        self.words.resize(self.words.len() - 2 + self.words_per_row, 0);
    }

    pub(super) fn row_mut(&mut self, person: u32) -> PersonRowMut<'_> {
        PersonRowMut(&mut self.words[self.first + person as usize * self.words_per_row..][..self.words_per_row])
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = PersonRow<'_>> {
        self.words[self.first..].chunks_exact(self.words_per_row).map(PersonRow)
    }
}

/// The bits that an attendance of one meeting sets in a row.
#[derive(Debug, Default)]
pub(super) struct SliceMask {
    words: Vec<MaskWord>,
}

#[derive(Debug)]
struct MaskWord {
    index: usize,
    bits: u64,
}

impl SliceMask {
    /// Replaces the mask by one of these slices, which are ascending.
    pub(super) fn set(&mut self, slices: &[usize]) {
        self.words.clear();
        for slice in slices {
            let (index, bit) = (HEADER_WORDS + slice / 64, 1 << (slice % 64));
            match self.words.last_mut() {
                Some(word) if word.index == index => word.bits |= bit,
                _ => self.words.push(MaskWord { index, bits: bit }),
            }
        }
    }
}

/// A row to which attendances are added.
pub(super) struct PersonRowMut<'a>(&'a mut [u64]);

impl PersonRowMut<'_> {
    /// Compares both halves without a branch between them.
    pub(super) fn has_key(&self, key: PersonKey) -> bool {
        (self.0[HI] == key.hi) & (self.0[LO] == key.lo)
    }

    /// Records an attendance; false if the person's attendance of this meeting was recorded before. The number of attendances grows only if
    /// the meeting is counted.
    pub(super) fn attend(&mut self, meeting: u32, is_counted: bool, mask: &SliceMask) -> bool {
        let last_meeting = u64::from(meeting) + 1;
        if self.0[ATTENDANCE] >> 32 == last_meeting {
            return false;
        }
        let attendances = self.0[ATTENDANCE] & u64::from(u32::MAX);
        self.0[ATTENDANCE] = last_meeting << 32 | (attendances + u64::from(is_counted));
        for word in &mask.words {
            self.0[word.index] |= word.bits;
        }
        true
    }
}

/// A row once all attendances are added.
#[derive(Clone, Copy)]
pub(super) struct PersonRow<'a>(&'a [u64]);

impl<'a> PersonRow<'a> {
    /// Number of counted attendances.
    pub(super) fn attendances(self) -> u32 {
        self.0[ATTENDANCE] as u32
    }

    /// The slices that the person belongs to, ascending.
    pub(super) fn slices(self) -> impl Iterator<Item = usize> + use<'a> {
        self.0[HEADER_WORDS..].iter().enumerate().flat_map(|(word, bits)| {
            let mut bits = *bits;
            std::iter::from_fn(move || {
                let bit = (bits != 0).then(|| bits.trailing_zeros() as usize)?;
                bits &= bits - 1;
                Some(word * 64 + bit)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_counts_each_meeting_once_and_collects_its_slices() {
        let (first, second) = (PersonKey { hi: 7, lo: 8 }, PersonKey { hi: 9, lo: 9 });
        let mut bitmap = PersonBitmap::new(130, &[first]);
        bitmap.push(second);
        let mut mask = SliceMask::default();
        mask.set(&[0, 63, 64]);
        assert!(bitmap.row_mut(1).has_key(second) && !bitmap.row_mut(1).has_key(first));
        assert!(bitmap.row_mut(1).attend(0, true, &mask));
        assert!(!bitmap.row_mut(1).attend(0, true, &mask), "the same meeting");
        mask.set(&[]);
        assert!(bitmap.row_mut(1).attend(1, false, &mask), "a meeting that is not counted");
        mask.set(&[64, 129]);
        assert!(bitmap.row_mut(1).attend(2, true, &mask));
        let rows: Vec<(u32, Vec<usize>)> = bitmap.rows().map(|row| (row.attendances(), row.slices().collect())).collect();
        assert_eq!(rows, [(0, vec![]), (2, vec![0, 63, 64, 129])]);
    }
}
