//! The register: what ingest knows from the log, so that it can judge a submission without asking anybody.
//!
//! Guarantees: the log is the truth, the register a cache: deleted, it is folded again and answers the same. Its file holds the
//! next offset of every partition it is true for, written in the same transaction as what was folded. Between the durable append
//! of an event and its fold the event is held in memory ([`window`]), so that a client that repeats itself is recognised at once.
//!
//! Parts: [`known`] (reference data and meetings, in memory), [`window`] (ids not folded yet), [`sieve`] (which ids the file may
//! hold), [`store`] (the file), [`follow`] (the task that reads the log).

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard},
};

use qamtu_log::{LogError, NextOffset, Position, Record};
use qamtu_schemas::{
    Event,
    id::{BodyHash, EventId},
};
use tokio::sync::Notify;

pub mod follow;
pub mod known;
mod sieve;
pub mod store;
pub mod window;

use known::Known;
use store::{Batch, Store, StoreError};
use window::{Seen, Window};

/// What a claim on an id says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Not seen yet; claimed for the caller.
    Fresh,
    /// The same body stands durably in the log.
    Duplicate,
    /// Another body has this id.
    Conflict,
}

/// Ids, meetings and reference data of the log.
#[derive(Debug)]
pub struct Register {
    known: RwLock<Known>,
    window: Window,
    store: Mutex<Store>,
    reads: Mutex<store::Lookup>,
    folded: Notify,
}

impl Register {
    /// Opens the file, or begins a new one where it is missing, damaged or of another format.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let store = Store::open(path)?;
        let mut known = Known::default();
        store.facts(|event| known.apply(&event))?;
        let window = Window::new(store.positions()?, store.count()?);
        store.ids(|id| window.fold_one(id))?;
        let reads = Mutex::new(store.lookup()?);
        Ok(Self { known: RwLock::new(known), window, store: Mutex::new(store), reads, folded: Notify::new() })
    }

    /// Reference data and meetings as known now.
    pub fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Events that were appended and are not folded yet.
    pub fn unfolded(&self) -> usize {
        self.window.unfolded()
    }

    /// Waits until at most so many events are unfolded.
    pub async fn room(&self, most: usize) {
        loop {
            let mut folded = std::pin::pin!(self.folded.notified());
            folded.as_mut().enable();
            if self.unfolded() <= most {
                return;
            }
            folded.await;
        }
    }

    /// Asks for an id; a fresh one belongs to the caller until it is settled or dropped.
    fn claim(&self, id: EventId, hash: BodyHash) -> Result<Claim, StoreError> {
        let seen = match self.window.claim(id, hash) {
            Seen::Perhaps => match self.reads.lock().unwrap_or_else(PoisonError::into_inner).hash_of(id)? {
                Some(held) if held == hash => Seen::Same,
                Some(_) => Seen::Other,
                None => self.window.reserve(id, hash),
            },
            seen => seen,
        };
        Ok(match seen {
            Seen::Same => Claim::Duplicate,
            Seen::Other => Claim::Conflict,
            Seen::New | Seen::Perhaps => Claim::Fresh,
        })
    }

    /// Learns what durable events say, before the log is read back.
    fn learn(&self, events: &[Event]) {
        if events.is_empty() {
            return;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        events.iter().for_each(|event| known.apply(event));
    }

    /// The next offsets the register is true for.
    pub fn positions(&self) -> Vec<NextOffset> {
        self.window.positions()
    }

    /// Knows what records of the log say, in their order, before the file does; knowing it again changes nothing.
    pub fn read(&self, records: &[Record]) -> Batch {
        let (batch, events) = Batch::of(records);
        self.learn(&events);
        self.window.hold(&batch.ids);
        batch
    }

    /// Folds what was read into the file. Blocks.
    pub fn fold(&self, batch: &Batch) -> Result<(), StoreError> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner).write(batch)?;
        self.window.fold(batch);
        self.folded.notify_waiters();
        Ok(())
    }

    /// Does the file hold this record's event? True for a record that is no event. Tells a register of another log from its own.
    fn holds(&self, record: &Record) -> Result<bool, StoreError> {
        let Some((id, ..)) = store::registered(record) else { return Ok(true) };
        Ok(self.reads.lock().unwrap_or_else(PoisonError::into_inner).hash_of(id)?.is_some())
    }

    /// Empties the file alone, for the next start: what is answered until then is no longer looked up in it.
    fn clear_file(&self) -> Result<(), StoreError> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner).clear()
    }

    /// Forgets everything.
    fn clear(&self) -> Result<(), StoreError> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner).clear()?;
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Known::default();
        self.window.clear();
        Ok(())
    }
}

/// The ids that one request has claimed and not settled; dropping it gives them back, so it is dropped only before they are appended.
#[derive(Debug)]
pub struct Claims {
    register: Arc<Register>,
    ids: Vec<(EventId, BodyHash)>,
}

impl Claims {
    /// None yet.
    pub fn new(register: Arc<Register>) -> Self {
        Self { register, ids: Vec::new() }
    }

    /// Asks for an id and keeps it if it is fresh.
    pub fn claim(&mut self, id: EventId, hash: BodyHash) -> Result<Claim, StoreError> {
        let claim = self.register.claim(id, hash)?;
        if claim == Claim::Fresh {
            self.ids.push((id, hash));
        }
        Ok(claim)
    }

    /// The log has spoken: one outcome per claim, in the order of the claims.
    pub fn settle(mut self, outcomes: &[Result<Position, LogError>], learned: &[Event]) {
        // What was learned does not tell which claim it belongs to: of half an append it is read back from the log.
        if outcomes.iter().all(Result::is_ok) {
            self.register.learn(learned);
        }
        self.register.window.settle(&std::mem::take(&mut self.ids), outcomes);
    }
}

impl Drop for Claims {
    fn drop(&mut self) {
        self.register.window.release(&self.ids);
    }
}
