//! The ids of events that are being appended, or were appended and are not folded into the file yet; and a sieve over those that are.
//!
//! Guarantees: every id that was ever acknowledged is in the window or in the file, at any moment; the file is asked only for an id
//! that the sieve may hold, so that a fresh id costs no disk. An id that may have got into the log belongs to its body until the log
//! says otherwise. Memory: the window holds what the fold is behind, the sieve about two bytes per id in the file.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use qamtu_log::{LogError, NextOffset, Partition, Position};
use qamtu_schemas::id::EventId;

use super::{
    identity::{Identity, Likeness},
    sieve::Sieve,
    store::{Batch, Registered},
};

/// What the window knows of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Nothing: it is now reserved.
    New,
    /// The same body stands in the log.
    Same,
    /// A body that differs in the person alone stands in the log.
    OtherPerson,
    /// Another body has it.
    Other,
    /// The file may hold it.
    Perhaps,
}

/// What the window knows of an event that another one names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// It is being appended, or was and is not folded yet.
    Held(Identity),
    /// The file may hold it.
    Perhaps,
    /// No such event is known.
    Nothing,
}

/// The window and the sieve.
#[derive(Debug)]
pub struct Window(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    held: HashMap<EventId, Held>,
    /// How many of them are [`State::Open`].
    open: usize,
    sieve: Sieve,
    folded: HashMap<Partition, u64>,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    identity: Identity,
    /// Requests that have reserved it and do not know yet what became of it.
    requests: u32,
    state: State,
}

/// What is known of an id that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nobody has said that it stands in the log.
    Reserved,
    /// An append ended without saying whether it stands in the log: nobody else may have the id until the log is read again.
    Open,
    /// The log has acknowledged it.
    Stored,
    /// It was read from the log: received then, in microseconds since 1970.
    Read(i64),
}

/// Most ids whose append ended open that are kept; after as many, in a long failure of the log, they are given back.
const OPEN_MAX: usize = 100_000;

impl Window {
    /// An empty window beside a file that is true for these positions and holds so many ids.
    pub fn new(positions: Vec<NextOffset>, ids: usize) -> Self {
        let folded = positions.into_iter().map(|next| (next.partition, next.offset)).collect();
        Self(Mutex::new(Inner { held: HashMap::new(), open: 0, sieve: Sieve::new(ids), folded }))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks for an id and reserves it if it is new. Of two requests with one body at one time both may append: the log then
    /// holds the event twice, every view once.
    pub fn claim(&self, sent: &Identity) -> Seen {
        let mut inner = self.inner();
        if !inner.held.contains_key(&sent.id) && inner.sieve.may_hold(sent.id) {
            return Seen::Perhaps;
        }
        inner.reserve(sent)
    }

    /// Reserves an id that the file does not hold.
    pub fn reserve(&self, sent: &Identity) -> Seen {
        self.inner().reserve(sent)
    }

    /// What is known of an event without asking the file.
    pub fn find(&self, id: EventId) -> Found {
        let inner = self.inner();
        match inner.held.get(&id) {
            Some(held) => Found::Held(held.identity),
            None if inner.sieve.may_hold(id) => Found::Perhaps,
            None => Found::Nothing,
        }
    }

    /// Gives back ids that were reserved and never appended.
    pub fn release(&self, claimed: &[Identity]) {
        if claimed.is_empty() {
            return;
        }
        let mut inner = self.inner();
        claimed.iter().for_each(|event| inner.give_back(event.id, false));
    }

    /// The log has spoken of reserved ids: one outcome each, in the same order.
    pub fn settle(&self, claimed: &[Identity], outcomes: &[Result<Position, LogError>]) {
        let mut inner = self.inner();
        for (event, outcome) in claimed.iter().zip(outcomes) {
            match outcome {
                Ok(position) => inner.store(event, position),
                Err(error) => inner.give_back(event.id, !error.left_nothing()),
            }
        }
    }

    /// These events stand in the log, whoever appended them: of two bodies with one id the earliest received holds, as in the file.
    pub fn hold(&self, rows: &[Registered]) {
        let mut inner = self.inner();
        for row in rows {
            let event = row.identity;
            let held = inner.held.entry(event.id).or_insert(Held { identity: event, requests: 0, state: State::Reserved });
            let before = held.state;
            if !matches!(before, State::Read(received) if (received, held.identity.hash) <= (row.received_us, event.hash)) {
                (held.identity, held.state) = (event, State::Read(row.received_us));
            }
            inner.open -= usize::from(before == State::Open);
        }
    }

    /// The file now holds this batch.
    pub fn fold(&self, batch: &Batch) {
        let mut inner = self.inner();
        for row in &batch.ids {
            inner.sieve.insert(row.identity.id);
            inner.remove(row.identity.id);
        }
        for next in &batch.next {
            inner.folded.insert(next.partition.clone(), next.offset);
        }
    }

    /// The file holds this id.
    pub fn fold_one(&self, id: EventId) {
        self.inner().sieve.insert(id);
    }

    /// Ids that are being appended, or were appended and are not folded yet.
    pub fn unfolded(&self) -> usize {
        let inner = self.inner();
        inner.held.len() - inner.open
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
    fn reserve(&mut self, sent: &Identity) -> Seen {
        let Some(held) = self.held.get_mut(&sent.id) else {
            self.held.insert(sent.id, Held { identity: *sent, requests: 1, state: State::Reserved });
            return Seen::New;
        };
        match (held.identity.compare(sent), held.state) {
            (Likeness::Other, _) => Seen::Other,
            // Taken for the person as well: the log then holds both bodies, as if they had come to two processes.
            (_, State::Reserved | State::Open) => {
                held.requests += 1;
                Seen::New
            }
            (Likeness::Same, _) => Seen::Same,
            (Likeness::OtherPerson, _) => Seen::OtherPerson,
        }
    }

    /// One request has no more to do with an id; `open`: it may stand in the log all the same.
    fn give_back(&mut self, id: EventId, open: bool) {
        let Some(held) = self.held.get_mut(&id) else { return };
        held.requests = held.requests.saturating_sub(1);
        if held.state != State::Reserved {
            return;
        }
        if open && self.open < OPEN_MAX {
            held.state = State::Open;
            self.open += 1;
        } else if held.requests == 0 {
            self.held.remove(&id);
        }
    }

    /// The log has acknowledged an id.
    fn store(&mut self, event: &Identity, position: &Position) {
        // The fold may already have passed it: then nobody would come to take it out again.
        if self.folded.get(&position.partition).is_some_and(|next| *next > position.offset) {
            self.remove(event.id);
            return;
        }
        let held = self.held.entry(event.id).or_insert(Held { identity: *event, requests: 1, state: State::Reserved });
        held.requests = held.requests.saturating_sub(1);
        self.open -= usize::from(held.state == State::Open);
        if !matches!(held.state, State::Read(_)) {
            held.state = State::Stored;
        }
    }

    fn remove(&mut self, id: EventId) {
        let held = self.held.remove(&id);
        self.open -= usize::from(held.is_some_and(|held| held.state == State::Open));
    }
}

#[cfg(test)]
mod tests {
    use qamtu_log::Partition;
    use qamtu_schemas::id::BodyHash;
    use uuid::Uuid;

    use super::*;

    fn id(n: u128) -> EventId {
        EventId(Uuid::from_u128(n))
    }

    /// An event that names nobody.
    fn event(n: u128, hash: BodyHash) -> Identity {
        Identity { id: id(n), hash, public: u64::from(hash.0[0]), about: 0 }
    }

    /// An event that names a person, and is the same in all else as [`ONE`].
    fn person(n: u128, person: u8) -> Identity {
        Identity { hash: BodyHash([person; 16]), ..event(n, ONE) }
    }

    const ONE: BodyHash = BodyHash([1; 16]);
    const TWO: BodyHash = BodyHash([2; 16]);

    fn at(offset: u64) -> Position {
        Position { partition: Partition::new("events", 0), offset }
    }

    fn folded(n: u128, next: u64) -> Batch {
        let row = read(n, ONE, 0);
        Batch { ids: vec![row], facts: Vec::new(), next: vec![Partition::new("events", 0).next_offset(next)] }
    }

    #[test]
    fn an_id_is_reserved_then_stored_then_left_to_the_file() {
        let window = Window::new(Vec::new(), 0);
        assert_eq!(window.claim(&event(1, ONE)), Seen::New);
        assert_eq!(window.claim(&event(1, TWO)), Seen::Other);
        window.settle(&[event(1, ONE)], &[Ok(at(0))]);
        assert_eq!(window.claim(&event(1, ONE)), Seen::Same);
        assert_eq!(window.claim(&event(1, TWO)), Seen::Other);
        window.fold(&folded(1, 1));
        assert_eq!((window.unfolded(), window.claim(&event(1, ONE))), (0, Seen::Perhaps));
    }

    #[test]
    fn what_is_given_back_is_new_again_and_what_is_stored_is_not_given_back() {
        let window = Window::new(Vec::new(), 0);
        assert_eq!(window.claim(&event(1, ONE)), Seen::New);
        window.release(&[event(1, ONE)]);
        assert_eq!(window.claim(&event(1, TWO)), Seen::New);
        window.settle(&[event(1, TWO)], &[Ok(at(0))]);
        window.release(&[event(1, TWO)]);
        assert_eq!(window.claim(&event(1, TWO)), Seen::Same);
    }

    #[test]
    fn an_event_that_was_folded_before_it_was_settled_is_not_held_for_ever() {
        let window = Window::new(Vec::new(), 0);
        assert_eq!(window.claim(&event(1, ONE)), Seen::New);
        window.fold(&folded(1, 1));
        window.settle(&[event(1, ONE)], &[Ok(at(0))]);
        assert_eq!(window.unfolded(), 0);
    }

    fn refused() -> Result<Position, LogError> {
        Err(LogError::Refused { topic: "events".into(), reason: "x" })
    }

    fn unanswered() -> Result<Position, LogError> {
        Err(LogError::Unavailable { action: "appending", source: None })
    }

    fn read(n: u128, hash: BodyHash, received_us: i64) -> Registered {
        Registered { identity: event(n, hash), received_us }
    }

    #[test]
    fn an_id_that_several_requests_reserved_is_given_back_by_the_last_one() {
        let window = Window::new(Vec::new(), 0);
        assert_eq!((window.claim(&event(1, ONE)), window.claim(&event(1, ONE))), (Seen::New, Seen::New));
        window.release(&[event(1, ONE)]);
        assert_eq!((window.unfolded(), window.claim(&event(1, TWO))), (1, Seen::Other));
        window.settle(&[event(1, ONE)], &[refused()]);
        assert_eq!((window.unfolded(), window.claim(&event(1, TWO))), (0, Seen::New));
    }

    #[test]
    fn an_append_that_ended_open_keeps_its_id_for_its_body_and_fills_nothing() {
        let window = Window::new(Vec::new(), 0);
        let acknowledged = || window.settle(&[event(1, ONE)], &[Ok(at(0))]);
        let read_back = || window.hold(&[read(1, ONE, 5)]);
        for then in [&acknowledged as &dyn Fn(), &read_back] {
            assert_eq!(window.claim(&event(1, ONE)), Seen::New);
            window.settle(&[event(1, ONE)], &[unanswered()]);
            assert_eq!((window.unfolded(), window.claim(&event(1, TWO))), (0, Seen::Other));
            assert_eq!(window.claim(&event(1, ONE)), Seen::New);
            then();
            assert_eq!((window.unfolded(), window.claim(&event(1, ONE))), (1, Seen::Same));
            window.inner().remove(id(1));
            assert_eq!(window.unfolded(), 0);
        }
    }

    #[test]
    fn of_half_an_append_what_stands_in_the_log_is_held_and_the_rest_given_back() {
        let window = Window::new(Vec::new(), 0);
        let ids = [event(1, ONE), event(2, ONE)];
        assert!(ids.iter().all(|event| window.claim(event) == Seen::New));
        window.settle(&ids, &[Ok(at(0)), refused()]);
        assert_eq!((window.claim(&event(1, ONE)), window.claim(&event(2, TWO))), (Seen::Same, Seen::New));
    }

    #[test]
    fn what_the_log_holds_is_the_truth_and_of_two_bodies_the_earliest() {
        let window = Window::new(Vec::new(), 0);
        assert_eq!(window.claim(&event(1, ONE)), Seen::New);
        window.hold(&[read(1, TWO, 5)]);
        assert_eq!((window.claim(&event(1, TWO)), window.claim(&event(1, ONE))), (Seen::Same, Seen::Other));
        window.settle(&[event(1, ONE)], &[Ok(at(1))]);
        assert_eq!((window.claim(&event(1, TWO)), window.claim(&event(1, ONE))), (Seen::Same, Seen::Other));
        window.hold(&[read(1, ONE, 6)]);
        assert_eq!(window.claim(&event(1, TWO)), Seen::Same);
        window.hold(&[read(1, ONE, 4)]);
        assert_eq!((window.claim(&event(1, ONE)), window.claim(&event(1, TWO))), (Seen::Same, Seen::Other));
    }

    #[test]
    fn a_body_that_differs_in_the_person_alone_is_never_a_conflict() {
        let window = Window::new(Vec::new(), 0);
        let (first, other) = (event(1, ONE), person(1, 9));
        assert_eq!((window.claim(&first), window.claim(&other)), (Seen::New, Seen::New));
        window.settle(&[first], &[Ok(at(0))]);
        assert_eq!((window.claim(&first), window.claim(&other)), (Seen::Same, Seen::OtherPerson));
        assert_eq!(window.claim(&event(1, TWO)), Seen::Other);
        window.hold(&[Registered { identity: other, received_us: 5 }]);
        assert_eq!((window.claim(&first), window.claim(&other)), (Seen::OtherPerson, Seen::Same));
    }
}
