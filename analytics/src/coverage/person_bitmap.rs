//! Which slices each person belongs to: one row of 64-bit words per person.

use crate::roll::Key;

/// Words of a row before its bits: the two halves of the pseudonym, then the last meeting and the number of attendances.
pub(super) const HEADER_WORDS: usize = 3;

/// Rows of four words are aligned to this, so that none lies across two cache lines.
const ROW_BYTES: usize = 32;

/// A row per person: the header, then a bit per slice. With up to 64 slices a row is half a cache line, so that an attendance costs one
/// memory access.
#[derive(Debug)]
pub(super) struct PersonBitmap {
    words: Vec<u64>,
    /// Index of the first word of the first row.
    first: usize,
    stride: usize,
}

impl PersonBitmap {
    pub(super) fn new(slices: usize, people: &[Key]) -> Self {
        let stride = HEADER_WORDS + slices.div_ceil(64);
        let mut words = vec![0; people.len() * stride + ROW_BYTES / size_of::<u64>()];
        let first = words.as_ptr().align_offset(ROW_BYTES).min(words.len() - people.len() * stride);
        words.truncate(first + people.len() * stride);
        for (row, key) in words[first..].chunks_exact_mut(stride).zip(people) {
            (row[0], row[1]) = *key;
        }
        Self { words, first, stride }
    }

    pub(super) fn push(&mut self, key: Key) {
        self.words.extend([key.0, key.1]);
        self.words.resize(self.words.len() - 2 + self.stride, 0);
    }

    pub(super) fn row(&mut self, person: u32) -> &mut [u64] {
        &mut self.words[self.first + person as usize * self.stride..][..self.stride]
    }

    pub(super) fn rows(&self) -> std::slice::ChunksExact<'_, u64> {
        self.words[self.first..].chunks_exact(self.stride)
    }
}
