//! A scalable Bloom filter over the ids in the register's file, so that a fresh id costs no disk access.
//!
//! Guarantees: no false negatives; one fresh id in a thousand is a false positive and is looked up in the file. Memory: about two bytes
//! per id.

use fastbloom::BloomFilter;
use qamtu_schemas::id::EventId;

/// A Bloom filter that grows by adding another one of twice the size.
#[derive(Debug)]
pub(super) struct ScalableBloomFilter {
    filters: Vec<BloomFilter>,
    /// Ids that the last filter can still take.
    remaining: usize,
    /// Ids that the next filter will take.
    next_size: usize,
}

impl ScalableBloomFilter {
    /// Ids of the first filter, which takes 4 MB.
    const FIRST_SIZE: usize = 2_000_000;
    const FALSE_POSITIVE_RATE: f64 = 0.001;

    pub(super) fn new(ids: usize) -> Self {
        let mut filter = Self { filters: Vec::new(), remaining: 0, next_size: Self::FIRST_SIZE.max(ids) };
        filter.grow();
        filter
    }

    fn grow(&mut self) {
        self.filters.push(BloomFilter::with_false_pos(Self::FALSE_POSITIVE_RATE).expected_items(self.next_size));
        self.remaining = self.next_size;
        self.next_size *= 2;
    }

    pub(super) fn may_contain(&self, id: EventId) -> bool {
        self.filters.iter().any(|filter| filter.contains(id.0.as_bytes()))
    }

    pub(super) fn insert(&mut self, id: EventId) {
        if self.remaining == 0 {
            self.grow();
        }
        self.remaining -= 1;
        if let Some(filter) = self.filters.last_mut() {
            filter.insert(id.0.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn the_filter_grows_without_false_negatives() {
        let id = |n: u128| EventId(Uuid::from_u128(n));
        let mut filter = ScalableBloomFilter::new(0);
        filter.remaining = 3;
        (0..10).for_each(|n| filter.insert(id(n)));
        assert!(filter.filters.len() == 2 && (0..10).all(|n| filter.may_contain(id(n))));
    }
}
