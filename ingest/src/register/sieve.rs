//! A sieve over the ids in the register's file, so that a fresh id costs no disk.
//!
//! Guarantees: an id that was put in is never missed; of the others one in a thousand passes and is looked up in vain. Memory: about
//! two bytes per id.

use fastbloom::BloomFilter;
use qamtu_schemas::id::EventId;

/// A Bloom filter that grows by adding a larger one.
#[derive(Debug)]
pub(super) struct Sieve {
    filters: Vec<BloomFilter>,
    room: usize,
    size: usize,
}

impl Sieve {
    /// Ids of the first filter: 4 MB.
    const FIRST: usize = 2_000_000;
    /// Share of fresh ids for which the file is asked in vain.
    const FALSE_POSITIVES: f64 = 0.001;

    pub(super) fn new(ids: usize) -> Self {
        let mut sieve = Self { filters: Vec::new(), room: 0, size: Self::FIRST.max(ids) };
        sieve.grow();
        sieve
    }

    fn grow(&mut self) {
        self.filters.push(BloomFilter::with_false_pos(Self::FALSE_POSITIVES).expected_items(self.size));
        self.room = self.size;
        self.size *= 2;
    }

    pub(super) fn may_hold(&self, id: EventId) -> bool {
        self.filters.iter().any(|filter| filter.contains(id.0.as_bytes()))
    }

    pub(super) fn insert(&mut self, id: EventId) {
        if self.room == 0 {
            self.grow();
        }
        self.room -= 1;
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
    fn the_sieve_grows_and_forgets_nothing() {
        let id = |n: u128| EventId(Uuid::from_u128(n));
        let mut sieve = Sieve::new(0);
        sieve.room = 3;
        (0..10).for_each(|n| sieve.insert(id(n)));
        assert!(sieve.filters.len() == 2 && (0..10).all(|n| sieve.may_hold(id(n))));
    }
}
