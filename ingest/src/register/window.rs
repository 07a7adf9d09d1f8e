//! The ids of events that are being appended, or were appended and are not folded into the file yet; and a sieve over those that are.
//!
//! Guarantees: every id that was ever acknowledged is in the window or in the file, at any moment; the file is asked only for an id
//! that the sieve may hold, so that a fresh id costs no disk. Memory: the window holds what the fold is behind, the sieve about two
//! bytes per id in the file.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use fastbloom::BloomFilter;
use qamtu_log::{NextOffset, Partition, Position};
use qamtu_schemas::id::{BodyHash, EventId};

use super::store::{Batch, Registered};

/// What the window knows of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Nothing: it is now reserved.
    New,
    /// The same body stands in the log.
    Same,
    /// Another body has it.
    Other,
    /// The file may hold it.
    Perhaps,
}

/// The window and the sieve.
#[derive(Debug)]
pub struct Window(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    held: HashMap<EventId, Held>,
    sieve: Sieve,
    folded: HashMap<Partition, u64>,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    hash: BodyHash,
    stored: bool,
}

impl Window {
    /// An empty window beside a file that is true for these positions and holds so many ids.
    pub fn new(positions: Vec<NextOffset>, ids: usize) -> Self {
        let folded = positions.into_iter().map(|next| (next.partition, next.offset)).collect();
        Self(Mutex::new(Inner { held: HashMap::new(), sieve: Sieve::new(ids), folded }))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks for an id and reserves it if it is new. Of two requests with one body at one time both may append: the log then
    /// holds the event twice, every view once.
    pub fn claim(&self, id: EventId, hash: BodyHash) -> Seen {
        let mut inner = self.inner();
        if !inner.held.contains_key(&id) && inner.sieve.may_hold(id) {
            return Seen::Perhaps;
        }
        inner.reserve(id, hash)
    }

    /// Reserves an id that the file does not hold.
    pub fn reserve(&self, id: EventId, hash: BodyHash) -> Seen {
        self.inner().reserve(id, hash)
    }

    /// Gives back ids that were reserved and not stored.
    pub fn release(&self, ids: &[(EventId, BodyHash)]) {
        if ids.is_empty() {
            return;
        }
        let mut inner = self.inner();
        for (id, _) in ids {
            if inner.held.get(id).is_some_and(|held| !held.stored) {
                inner.held.remove(id);
            }
        }
    }

    /// Reserved ids now stand in the log; one position each, in the same order.
    pub fn settle(&self, ids: &[(EventId, BodyHash)], positions: &[Position]) {
        let mut inner = self.inner();
        for ((id, hash), position) in ids.iter().zip(positions) {
            // The fold may already have passed it: then nobody would come to take it out again.
            if inner.folded.get(&position.partition).is_some_and(|next| *next > position.offset) {
                inner.held.remove(id);
            } else {
                inner.held.insert(*id, Held { hash: *hash, stored: true });
            }
        }
    }

    /// These events stand in the log, whoever appended them.
    pub fn hold(&self, rows: &[Registered]) {
        let mut inner = self.inner();
        for row in rows {
            inner.held.entry(row.id).or_insert(Held { hash: row.hash, stored: true }).stored = true;
        }
    }

    /// The file now holds this batch.
    pub fn fold(&self, batch: &Batch) {
        let mut inner = self.inner();
        for row in &batch.ids {
            inner.sieve.insert(row.id);
            inner.held.remove(&row.id);
        }
        for next in &batch.next {
            inner.folded.insert(next.partition.clone(), next.offset);
        }
    }

    /// The file holds this id.
    pub fn fold_one(&self, id: EventId) {
        self.inner().sieve.insert(id);
    }

    /// Ids held.
    pub fn len(&self) -> usize {
        self.inner().held.len()
    }

    /// The next offsets that the file is true for.
    pub fn positions(&self) -> Vec<NextOffset> {
        self.inner().folded.iter().map(|(partition, offset)| partition.next_offset(*offset)).collect()
    }

    /// Forgets the file's side; what is being appended stays.
    pub fn clear(&self) {
        let mut inner = self.inner();
        inner.sieve = Sieve::new(0);
        inner.folded.clear();
    }
}

impl Inner {
    fn reserve(&mut self, id: EventId, hash: BodyHash) -> Seen {
        match self.held.get(&id) {
            None => {
                self.held.insert(id, Held { hash, stored: false });
                Seen::New
            }
            Some(held) if held.hash != hash => Seen::Other,
            Some(held) if held.stored => Seen::Same,
            Some(_) => Seen::New,
        }
    }
}

/// A Bloom filter that grows by adding a larger one.
#[derive(Debug)]
struct Sieve {
    filters: Vec<BloomFilter>,
    room: usize,
    size: usize,
}

impl Sieve {
    /// Ids of the first filter: 4 MB.
    const FIRST: usize = 2_000_000;
    /// Share of fresh ids for which the file is asked in vain.
    const FALSE_POSITIVES: f64 = 0.001;

    fn new(ids: usize) -> Self {
        let mut sieve = Self { filters: Vec::new(), room: 0, size: Self::FIRST.max(ids) };
        sieve.grow();
        sieve
    }

    fn grow(&mut self) {
        self.filters.push(BloomFilter::with_false_pos(Self::FALSE_POSITIVES).expected_items(self.size));
        self.room = self.size;
        self.size *= 2;
    }

    fn may_hold(&self, id: EventId) -> bool {
        self.filters.iter().any(|filter| filter.contains(id.0.as_bytes()))
    }

    fn insert(&mut self, id: EventId) {
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
    use qamtu_log::Partition;
    use uuid::Uuid;

    use super::*;

    fn id(n: u128) -> EventId {
        EventId(Uuid::from_u128(n))
    }

    const ONE: BodyHash = BodyHash([1; 16]);
    const TWO: BodyHash = BodyHash([2; 16]);

    fn at(offset: u64) -> Position {
        Position { partition: Partition::new("events", 0), offset }
    }

    fn folded(n: u128, next: u64) -> Batch {
        let row = Registered { id: id(n), hash: ONE, received_us: 0 };
        Batch { ids: vec![row], facts: Vec::new(), next: vec![Partition::new("events", 0).next_offset(next)] }
    }

    #[test]
    fn an_id_is_reserved_then_stored_then_left_to_the_file() {
        let window = Window::new(Vec::new(), 0);
        assert_eq!(window.claim(id(1), ONE), Seen::New);
        assert_eq!(window.claim(id(1), TWO), Seen::Other);
        window.settle(&[(id(1), ONE)], &[at(0)]);
        assert_eq!(window.claim(id(1), ONE), Seen::Same);
        assert_eq!(window.claim(id(1), TWO), Seen::Other);
        window.fold(&folded(1, 1));
        assert_eq!((window.len(), window.claim(id(1), ONE)), (0, Seen::Perhaps));
    }

    #[test]
    fn what_is_given_back_is_new_again_and_what_is_stored_is_not_given_back() {
        let window = Window::new(Vec::new(), 0);
        assert_eq!(window.claim(id(1), ONE), Seen::New);
        window.release(&[(id(1), ONE)]);
        assert_eq!(window.claim(id(1), TWO), Seen::New);
        window.settle(&[(id(1), TWO)], &[at(0)]);
        window.release(&[(id(1), TWO)]);
        assert_eq!(window.claim(id(1), TWO), Seen::Same);
    }

    #[test]
    fn an_event_that_was_folded_before_it_was_settled_is_not_held_for_ever() {
        let window = Window::new(Vec::new(), 0);
        assert_eq!(window.claim(id(1), ONE), Seen::New);
        window.fold(&folded(1, 1));
        window.settle(&[(id(1), ONE)], &[at(0)]);
        assert_eq!(window.len(), 0);
    }

    #[test]
    fn the_sieve_grows_and_forgets_nothing() {
        let mut sieve = Sieve::new(0);
        sieve.room = 3;
        (0..10).for_each(|n| sieve.insert(id(n)));
        assert!(sieve.filters.len() == 2 && (0..10).all(|n| sieve.may_hold(id(n))));
    }
}
