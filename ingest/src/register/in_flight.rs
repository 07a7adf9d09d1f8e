//! The ids of events that are being appended, or are appended and not yet in the register's file; and a Bloom filter over the file.
//!
//! Guarantees: every acknowledged id is in memory or in the file at any moment. The file is read only for ids that the filter may
//! contain. An id stays reserved for its body until the append succeeds or fails; if the result is unknown, until the log is read back.
//! Memory: one entry per id that is not folded yet, about two bytes per id in the file.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use qamtu_log::{LogError, NextOffset, Partition, Position};
use qamtu_schemas::id::EventId;

use super::{
    bloom::ScalableBloomFilter,
    claims::Claim,
    fold_batch::{FoldBatch, RegisterRow},
    identity::{Comparison, EventIdentity},
};

/// Result of looking for an event without reading the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InFlightLookup {
    /// The event is being appended, or is appended and not folded yet.
    Found(EventIdentity),
    /// The Bloom filter says that the file may contain the event.
    MaybeInFile,
    /// Neither memory nor file contain the event.
    Absent,
}

/// Unfolded ids and the Bloom filter, behind one lock.
#[derive(Debug)]
pub struct InFlightIds(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    ids: HashMap<EventId, InFlightId>,
    /// Number of ids in [`IdState::Unresolved`].
    unresolved: usize,
    filter: ScalableBloomFilter,
    /// The next offset of each partition that the file holds.
    folded: HashMap<Partition, u64>,
}

#[derive(Debug, Clone, Copy)]
struct InFlightId {
    identity: EventIdentity,
    /// Number of requests that have reserved the id and have no result yet.
    requests: u32,
    state: IdState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IdState {
    /// Not known to be in the log.
    Reserved,
    /// An append failed without a definite result: other bodies are refused until the log is read back.
    Unresolved,
    /// The log has acknowledged the append.
    Acknowledged,
    /// Read from the log; the value is `receivedtime` in microseconds since 1970.
    Read(i64),
}

/// Most unresolved ids in memory. During a longer failure of the log, further ones are released instead.
const UNRESOLVED_MAX: usize = 100_000;

impl InFlightIds {
    /// No ids in flight, given the positions of the file and the number of ids in it.
    pub fn new(positions: Vec<NextOffset>, ids: usize) -> Self {
        let folded = positions.into_iter().map(|next| (next.partition, next.offset)).collect();
        Self(Mutex::new(Inner { ids: HashMap::new(), unresolved: 0, filter: ScalableBloomFilter::new(ids), folded }))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Claims an id and reserves it if it is fresh; `None` if the file has to be read first. Two requests with the same body at the same
    /// time may both append: the log then holds the event twice, and every view shows it once.
    pub fn claim(&self, sent: &EventIdentity) -> Option<Claim> {
        let mut inner = self.inner();
        let must_read_file = !inner.ids.contains_key(&sent.id) && inner.filter.may_contain(sent.id);
        (!must_read_file).then(|| inner.reserve(sent))
    }

    /// Claims an id that the file does not contain.
    pub fn reserve(&self, sent: &EventIdentity) -> Claim {
        self.inner().reserve(sent)
    }

    /// Looks for an event without reading the file.
    pub fn find(&self, id: EventId) -> InFlightLookup {
        let inner = self.inner();
        match inner.ids.get(&id) {
            Some(known) => InFlightLookup::Found(known.identity),
            None if inner.filter.may_contain(id) => InFlightLookup::MaybeInFile,
            None => InFlightLookup::Absent,
        }
    }

    /// Releases ids that were reserved and never appended.
    pub fn release(&self, claimed: &[EventIdentity]) {
        if claimed.is_empty() {
            return;
        }
        let mut inner = self.inner();
        claimed.iter().for_each(|event| inner.release(event.id, false));
    }

    /// Records the results of an append: one per claimed id, in the same order.
    pub fn settle(&self, claimed: &[EventIdentity], results: &[Result<Position, LogError>]) {
        let mut inner = self.inner();
        for (event, result) in claimed.iter().zip(results) {
            match result {
                Ok(position) => inner.acknowledge(event, position),
                Err(error) => inner.release(event.id, !error.was_not_stored()),
            }
        }
    }

    /// Records events that were read from the log, whoever appended them. Of two bodies with one id the one received first wins, as in
    /// the file.
    pub fn record_read(&self, rows: &[RegisterRow]) {
        let mut inner = self.inner();
        for row in rows {
            let event = row.identity;
            let known = inner.ids.entry(event.id).or_insert(InFlightId { identity: event, requests: 0, state: IdState::Reserved });
            let before = known.state;
            if !matches!(before, IdState::Read(received) if (received, known.identity.hash) <= (row.received_us, event.hash)) {
                (known.identity, known.state) = (event, IdState::Read(row.received_us));
            }
            inner.unresolved -= usize::from(before == IdState::Unresolved);
        }
    }

    /// Moves the ids of a batch from memory to the filter, once the file contains them.
    pub fn fold(&self, batch: &FoldBatch) {
        let mut inner = self.inner();
        for row in &batch.ids {
            inner.filter.insert(row.identity.id);
            inner.remove(row.identity.id);
        }
        for next in &batch.next {
            inner.folded.insert(next.partition.clone(), next.offset);
        }
    }

    /// Adds an id of the file to the filter.
    pub fn add_to_filter(&self, id: EventId) {
        self.inner().filter.insert(id);
    }

    /// Number of ids that are being appended, or are appended and not folded yet.
    pub fn unfolded(&self) -> usize {
        let inner = self.inner();
        inner.ids.len() - inner.unresolved
    }

    /// The next offset of each partition that the file holds.
    pub fn positions(&self) -> Vec<NextOffset> {
        self.inner().folded.iter().map(|(partition, offset)| partition.next_offset(*offset)).collect()
    }

    /// Forgets what the file contained; ids in flight stay.
    pub fn clear(&self) {
        let mut inner = self.inner();
        inner.filter = ScalableBloomFilter::new(0);
        inner.folded.clear();
    }
}

impl Inner {
    fn reserve(&mut self, sent: &EventIdentity) -> Claim {
        let Some(known) = self.ids.get_mut(&sent.id) else {
            self.ids.insert(sent.id, InFlightId { identity: *sent, requests: 1, state: IdState::Reserved });
            return Claim::Fresh;
        };
        match (known.identity.compare(sent), known.state) {
            (Comparison::Different, _) => Claim::Conflict,
            // Also for another person: the log then holds both bodies, as if two processes had received them.
            (_, IdState::Reserved | IdState::Unresolved) => {
                known.requests += 1;
                Claim::Fresh
            }
            (Comparison::Same, _) => Claim::Duplicate,
            (Comparison::OtherPerson, _) => Claim::OtherPerson,
        }
    }

    /// Ends the reservation of one request; `unresolved`: the event may be in the log all the same.
    fn release(&mut self, id: EventId, unresolved: bool) {
        let Some(known) = self.ids.get_mut(&id) else { return };
        known.requests = known.requests.saturating_sub(1);
        if known.state != IdState::Reserved {
            return;
        }
        if unresolved && self.unresolved < UNRESOLVED_MAX {
            known.state = IdState::Unresolved;
            self.unresolved += 1;
        } else if known.requests == 0 {
            self.ids.remove(&id);
        }
    }

    fn acknowledge(&mut self, event: &EventIdentity, position: &Position) {
        // If the fold has already passed this offset, it will not remove the id again.
        if self.folded.get(&position.partition).is_some_and(|next| *next > position.offset) {
            self.remove(event.id);
            return;
        }
        let known = self.ids.entry(event.id).or_insert(InFlightId { identity: *event, requests: 1, state: IdState::Reserved });
        known.requests = known.requests.saturating_sub(1);
        self.unresolved -= usize::from(known.state == IdState::Unresolved);
        if !matches!(known.state, IdState::Read(_)) {
            known.state = IdState::Acknowledged;
        }
    }

    fn remove(&mut self, id: EventId) {
        let removed = self.ids.remove(&id);
        self.unresolved -= usize::from(removed.is_some_and(|known| known.state == IdState::Unresolved));
    }
}

#[cfg(test)]
mod tests;
