//! The ids of events that are being appended, or are appended and not yet in the register's file; and a Bloom filter over the file.
//!
//! Guarantees: every acknowledged id is in memory or in the file at any moment. The file is read only for ids that the filter may
//! contain. An id stays reserved for its body until the append succeeds or fails; if the result is unknown, until the log was read to its
//! end some time later ([`super::follow`]). Memory: one entry per id that is not in the file yet, about two bytes per id in the file.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use qamtu_log::{LogError, NextOffset, Partition, Position};
use qamtu_schemas::id::EventId;

use super::{
    bloom::ScalableBloomFilter,
    claims::Claim,
    event_identity::{Comparison, EventIdentity},
    update::{RegisterRow, RegisterUpdate},
};

/// Result of looking for an event without reading the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InFlightLookup {
    /// The event is being appended, or is appended and not in the file yet.
    Found(EventIdentity),
    /// The Bloom filter says that the file may contain the event.
    MaybeInFile,
    /// Neither memory nor file contain the event.
    Absent,
}

/// Unwritten ids and the Bloom filter, behind one lock.
#[derive(Debug)]
pub struct InFlightIds(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    ids: HashMap<EventId, InFlightId>,
    /// Number of ids in [`IdState::Unresolved`].
    unresolved: usize,
    /// Number of appends without a definite result so far.
    failures: u64,
    filter: ScalableBloomFilter,
    /// The next offset of each partition that the file holds.
    written: HashMap<Partition, u64>,
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
    /// The append with this number failed without a definite result: the event may be in the log.
    Unresolved(u64),
    /// The log has acknowledged the append.
    Acknowledged,
    /// Read from the log.
    Read,
}

impl IdState {
    fn is_unresolved(self) -> bool {
        matches!(self, Self::Unresolved(_))
    }
}

/// Most unresolved ids in memory. During a longer failure of the log, further ones are released instead.
const UNRESOLVED_MAX: usize = 100_000;

impl InFlightIds {
    /// No ids in flight, given the positions of the file and the number of ids in it.
    pub fn new(positions: Vec<NextOffset>, ids: usize) -> Self {
        let written = positions.into_iter().map(|next| (next.partition, next.offset)).collect();
        Self(Mutex::new(Inner { ids: HashMap::new(), unresolved: 0, failures: 0, filter: ScalableBloomFilter::new(ids), written }))
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
        inner.failures += u64::from(results.iter().any(|result| result.as_ref().is_err_and(|error| !error.was_not_stored())));
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
            let is_first = (known.identity.received_us, known.identity.hash) <= (event.received_us, event.hash);
            if before != IdState::Read || !is_first {
                (known.identity, known.state) = (event, IdState::Read);
            }
            inner.unresolved -= usize::from(before.is_unresolved());
        }
    }

    /// The number of the last append without a definite result, if an id is unresolved.
    pub fn unresolved(&self) -> Option<u64> {
        let inner = self.inner();
        (inner.unresolved > 0).then_some(inner.failures)
    }

    /// Releases the ids of appends without a definite result, up to this number. The log was read beyond the place where their events
    /// could be, and did not contain them.
    pub fn release_unresolved(&self, failures: u64) {
        let mut inner = self.inner();
        let mut released = 0;
        inner.ids.retain(|_, known| {
            if !matches!(known.state, IdState::Unresolved(failure) if failure <= failures) {
                return true;
            }
            released += 1;
            known.state = IdState::Reserved;
            // The result of a request that still appends the event decides.
            known.requests > 0
        });
        inner.unresolved -= released;
    }

    /// Moves the ids of an update from memory to the filter, once the file contains them.
    pub fn record_written(&self, update: &RegisterUpdate) {
        let mut inner = self.inner();
        for row in &update.ids {
            inner.filter.insert(row.identity.id);
            inner.remove(row.identity.id);
        }
        for next in &update.next {
            inner.written.insert(next.partition.clone(), next.offset);
        }
    }

    /// Adds an id of the file to the filter.
    pub fn add_to_filter(&self, id: EventId) {
        self.inner().filter.insert(id);
    }

    /// Number of ids that are being appended, or are appended and not in the file yet. Unresolved ids do not count, because writing cannot
    /// remove them.
    pub fn unwritten(&self) -> usize {
        let inner = self.inner();
        inner.ids.len() - inner.unresolved
    }

    /// The next offset of each partition that the file holds.
    pub fn positions(&self) -> Vec<NextOffset> {
        self.inner().written.iter().map(|(partition, offset)| partition.next_offset(*offset)).collect()
    }

    /// Forgets what the file contained; ids in flight stay.
    pub fn clear(&self) {
        let mut inner = self.inner();
        inner.filter = ScalableBloomFilter::new(0);
        inner.written.clear();
    }
}

impl Inner {
    fn reserve(&mut self, sent: &EventIdentity) -> Claim {
        let Some(known) = self.ids.get_mut(&sent.id) else {
            self.ids.insert(sent.id, InFlightId { identity: *sent, requests: 1, state: IdState::Reserved });
            return Claim::Fresh;
        };
        match (known.identity.compare(sent), known.state) {
            (Comparison::Different, IdState::Unresolved(_)) => Claim::Unresolved,
            (Comparison::Different, IdState::Reserved) => Claim::Conflict,
            // Also for another person: the log then holds both bodies, as if two processes had received them.
            (_, IdState::Reserved | IdState::Unresolved(_)) => {
                known.requests += 1;
                Claim::Fresh
            }
            (_, IdState::Acknowledged | IdState::Read) => Claim::of_stored(&known.identity, sent),
        }
    }

    /// Ends the reservation of one request; `unresolved`: the event may be in the log all the same.
    fn release(&mut self, id: EventId, unresolved: bool) {
        let Some(known) = self.ids.get_mut(&id) else { return };
        known.requests = known.requests.saturating_sub(1);
        match &mut known.state {
            IdState::Unresolved(failure) if unresolved => *failure = self.failures,
            IdState::Reserved if unresolved && self.unresolved < UNRESOLVED_MAX => {
                known.state = IdState::Unresolved(self.failures);
                self.unresolved += 1;
            }
            IdState::Reserved if known.requests == 0 => drop(self.ids.remove(&id)),
            _ => {}
        }
    }

    fn acknowledge(&mut self, event: &EventIdentity, position: &Position) {
        // If the file already reaches beyond this offset, it will not remove the id again.
        if self.written.get(&position.partition).is_some_and(|next| *next > position.offset) {
            self.remove(event.id);
            return;
        }
        let known = self.ids.entry(event.id).or_insert(InFlightId { identity: *event, requests: 1, state: IdState::Reserved });
        known.requests = known.requests.saturating_sub(1);
        self.unresolved -= usize::from(known.state.is_unresolved());
        if matches!(known.state, IdState::Reserved | IdState::Unresolved(_)) {
            // Another request with the same id may have reserved it, and its append may have failed.
            (known.identity, known.state) = (*event, IdState::Acknowledged);
        }
    }

    fn remove(&mut self, id: EventId) {
        let removed = self.ids.remove(&id);
        self.unresolved -= usize::from(removed.is_some_and(|known| known.state.is_unresolved()));
    }
}

#[cfg(test)]
mod tests;
