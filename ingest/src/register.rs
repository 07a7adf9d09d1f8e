//! The register: what ingest knows from the log, so that it can judge a submission without asking anybody.
//!
//! Guarantees: the log is the truth, the register a cache: deleted or damaged, also while it is in use, it is folded again and
//! answers the same. Until then nothing is judged by it: an event is never called new, or a reference unknown, by a register that
//! does not hold the whole log. Its file holds the next offset of every partition it is true for, written in the same transaction as
//! what was folded. Between the durable append of an event and its fold the event is held in memory ([`window`]), so that a client
//! that repeats itself is recognised at once.
//!
//! Parts: [`known`] (reference data and meetings, in memory), [`identity`] (what events of one id are compared by), [`window`] (ids
//! not folded yet), [`sieve`] (which ids the file may hold), [`store`] (the file), [`follow`] (the task that reads the log).

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use qamtu_log::{LogError, NextOffset, Position, Record};
use qamtu_schemas::{Event, id::EventId};
use tokio::sync::{Notify, watch};

pub mod follow;
pub mod identity;
pub mod known;
pub mod look_alikes;
mod sieve;
pub mod store;
pub mod window;

use identity::{Identity, Likeness};
use known::Known;
use store::{Batch, Lock, Lookup, Store, StoreError};
use window::{Found, Seen, Window};

/// What a claim on an id says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Not seen yet; claimed for the caller.
    Fresh,
    /// The same body stands durably in the log.
    Duplicate,
    /// A body that differs in the person alone stands durably in the log.
    OtherPerson,
    /// Another body has this id.
    Conflict,
}

/// How far the register is to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It is being read from the log.
    Building,
    /// It holds everything that stood in the log; the number tells one such time from another.
    Complete(u64),
    /// Its file has failed and has to be replaced.
    Failed,
}

/// A time during which the register was complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Complete(u64);

/// Ids, meetings and reference data of the log.
#[derive(Debug)]
pub struct Register {
    path: PathBuf,
    state: watch::Sender<State>,
    completions: AtomicU64,
    known: RwLock<Known>,
    window: Window,
    /// None while the file is being replaced.
    store: Mutex<Option<Store>>,
    reads: Mutex<Option<Lookup>>,
    folded: Notify,
}

impl Register {
    /// Opens the file, or begins a new one where it is missing, damaged or of another format. If none can be begun now, the register
    /// has failed, and [`Register::replace`] may help later.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let register = match Self::load(path) {
            Err(error) if error.is_of_the_file() => {
                let error = crate::telemetry::chain(&error);
                tracing::warn!(path = %path.display(), error, "the register's file cannot be used and is built again from the log");
                Self::new(path, Known::default(), Window::new(Vec::new(), 0))
            }
            loaded => return loaded,
        };
        match register.replace() {
            Err(error) if !error.is_of_the_file() => Err(error),
            _ => Ok(register),
        }
    }

    fn load(path: &Path) -> Result<Self, StoreError> {
        let store = Store::open(path, Lock::take(path)?)?;
        let mut known = Known::default();
        store.facts(|event| known.apply(&event))?;
        let window = Window::new(store.positions()?, store.count()?);
        store.ids(|id| window.fold_one(id))?;
        let register = Self::new(path, known, window);
        register.take(store)?;
        Ok(register)
    }

    /// A register without a file.
    fn new(path: &Path, known: Known, window: Window) -> Self {
        Self {
            path: path.to_owned(),
            state: watch::Sender::new(State::Failed),
            completions: AtomicU64::new(0),
            known: RwLock::new(known),
            window,
            store: Mutex::default(),
            reads: Mutex::default(),
            folded: Notify::new(),
        }
    }

    fn take(&self, store: Store) -> Result<(), StoreError> {
        let lookup = store.lookup()?;
        *self.store() = Some(store);
        *self.reads() = Some(lookup);
        self.state.send_replace(State::Building);
        Ok(())
    }

    /// Forgets everything and begins a new file, after the old one has failed.
    pub fn replace(&self) -> Result<(), StoreError> {
        self.state.send_replace(State::Failed);
        *self.reads() = None;
        *self.store() = None;
        self.forget();
        self.take(Store::replace(&self.path, Lock::take(&self.path)?)?)
    }

    fn store(&self) -> MutexGuard<'_, Option<Store>> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reads(&self) -> MutexGuard<'_, Option<Lookup>> {
        self.reads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The present time, if the register is complete. What was judged during it holds only if it is still the same afterwards.
    pub fn complete(&self) -> Option<Complete> {
        if let State::Complete(number) = *self.state.borrow() { Some(Complete(number)) } else { None }
    }

    /// Everything that stood in the log is folded.
    pub fn caught_up(&self) {
        let completed = self.state.send_if_modified(|state| {
            let building = *state == State::Building;
            if building {
                *state = State::Complete(self.completions.fetch_add(1, Ordering::Relaxed));
            }
            building
        });
        if completed {
            tracing::info!("the register has caught up with the log");
        }
    }

    /// Waits until the file has failed a request.
    pub async fn failed(&self) {
        // INVARIANT: the sender lives as long as the register, which is borrowed here.
        drop(self.state.subscribe().wait_for(|state| *state == State::Failed).await);
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
    fn claim(&self, sent: &Identity) -> Result<Claim, StoreError> {
        let seen = match self.window.claim(sent) {
            Seen::Perhaps => match self.lookup(sent.id)?.map(|held| held.compare(sent)) {
                Some(Likeness::Same) => Seen::Same,
                Some(Likeness::OtherPerson) => Seen::OtherPerson,
                Some(Likeness::Other) => Seen::Other,
                None => self.window.reserve(sent),
            },
            seen => seen,
        };
        Ok(match seen {
            Seen::Same => Claim::Duplicate,
            Seen::OtherPerson => Claim::OtherPerson,
            Seen::Other => Claim::Conflict,
            Seen::New | Seen::Perhaps => Claim::Fresh,
        })
    }

    /// What is known of an event that another one names, appended or folded.
    pub fn find(&self, id: EventId) -> Result<Option<Identity>, StoreError> {
        match self.window.find(id) {
            Found::Held(identity) => Ok(Some(identity)),
            Found::Perhaps => self.lookup(id),
            Found::Nothing => Ok(None),
        }
    }

    /// Asks the file. If it cannot answer, it has to be replaced.
    fn lookup(&self, id: EventId) -> Result<Option<Identity>, StoreError> {
        let reads = self.reads();
        let answer = reads.as_ref().ok_or(StoreError::Rebuilding)?.find(id);
        if answer.is_err() {
            // While the lookup is held, so that no failure of an old file is taken for one of its successor.
            self.state.send_replace(State::Failed);
        }
        answer
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
        self.store().as_mut().ok_or(StoreError::Rebuilding)?.write(batch)?;
        self.window.fold(batch);
        self.folded.notify_waiters();
        Ok(())
    }

    /// Does the file hold this record's event? True for a record that is no event. Tells a register of another log from its own.
    fn holds(&self, record: &Record) -> Result<bool, StoreError> {
        let Some((row, _)) = store::registered(record) else { return Ok(true) };
        Ok(self.lookup(row.identity.id)?.is_some())
    }

    /// Forgets everything; the file stays and is emptied.
    fn clear(&self) -> Result<(), StoreError> {
        self.state.send_replace(State::Building);
        self.store().as_mut().ok_or(StoreError::Rebuilding)?.clear()?;
        self.forget();
        Ok(())
    }

    fn forget(&self) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Known::default();
        self.window.clear();
    }
}

/// The ids that one request has claimed and not settled; dropping it gives them back, so it is dropped only before they are appended.
#[derive(Debug)]
pub struct Claims {
    register: Arc<Register>,
    claimed: Vec<Identity>,
}

impl Claims {
    /// None yet.
    pub fn new(register: Arc<Register>) -> Self {
        Self { register, claimed: Vec::new() }
    }

    /// Asks for an id and keeps it if it is fresh.
    pub fn claim(&mut self, sent: &Identity) -> Result<Claim, StoreError> {
        let claim = self.register.claim(sent)?;
        if claim == Claim::Fresh {
            self.claimed.push(*sent);
        }
        Ok(claim)
    }

    /// The log has spoken: one outcome per claim, in the order of the claims.
    pub fn settle(mut self, outcomes: &[Result<Position, LogError>], learned: &[Event]) {
        // What was learned does not tell which claim it belongs to: of half an append it is read back from the log.
        if outcomes.iter().all(Result::is_ok) {
            self.register.learn(learned);
        }
        self.register.window.settle(&std::mem::take(&mut self.claimed), outcomes);
    }
}

impl Drop for Claims {
    fn drop(&mut self) {
        self.register.window.release(&self.claimed);
    }
}
