//! The register: the ids, reference data, meetings and versions of rolls of the log, so that a submission is validated without a query to the log.
//!
//! Guarantees: the register is a cache of the log. If its file is deleted or damaged, also while the service runs, it is built again from
//! the log and gives the same results. Until it holds the whole log nothing is validated with it, so an event is never called new, or a
//! reference unknown, by mistake. The file holds the next offset of each partition, written in the same transaction as the events before
//! it. Events that are appended and not yet in the file are held in memory ([`in_flight`]), so that an immediate retry is recognised.
//!
//! Parts: [`campaign_data`] (reference data and meetings, in memory), [`event_identity`] (how events with the same id are compared),
//! [`claims`] (ids reserved for an append), [`in_flight`] (ids not yet in the file), [`bloom`] (ids that may be in the file), [`store`] (the
//! file), [`update`] (what records add to it), [`follow`] (reads the log).

use std::{
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use qamtu_log::{NextOffset, Record};
use qamtu_schemas::{Event, id::EventId};
use tokio::sync::{Notify, watch};

mod bloom;
pub mod campaign_data;
pub mod claims;
pub mod event_identity;
pub mod follow;
pub mod in_flight;
pub mod look_alikes;
pub mod store;
pub mod update;

use campaign_data::CampaignData;
use claims::Claim;
use event_identity::EventIdentity;
use in_flight::{InFlightIds, InFlightLookup};
use store::{Lock, Lookup, RegisterStore, StoreError};
use update::RegisterUpdate;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BuildState {
    /// The log is being read into the register.
    Building,
    /// The register holds the whole log; see [`Completion`].
    Complete(u64),
    /// The file has failed and must be replaced.
    Failed,
}

/// Number of a period in which the register was complete. If it is equal before and after a validation, the register was not rebuilt meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Completion(u64);

/// Ids, reference data, meetings and versions of rolls of the log, in a file and in memory.
#[derive(Debug)]
pub struct Register {
    path: PathBuf,
    state: watch::Sender<BuildState>,
    completions: AtomicU64,
    campaign_data: RwLock<CampaignData>,
    in_flight: InFlightIds,
    /// `None` while the file is being replaced.
    store: Mutex<Option<RegisterStore>>,
    lookup: Mutex<Option<Lookup>>,
    written: Notify,
}

impl Register {
    /// Opens the file, or creates a new one if it is missing, damaged or of another format. If the new file cannot be created, the
    /// register is in the failed state, and [`Register::replace`] can be tried later.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let register = match Self::load(path) {
            Err(error) if error.is_file_error() => {
                let error = qamtu_service::telemetry::error_chain(&error);
                tracing::warn!(path = %path.display(), error, "the register's file cannot be used and is built again from the log");
                Self::new(path, CampaignData::default(), InFlightIds::new(Vec::new(), 0))
            }
            loaded => return loaded,
        };
        match register.replace() {
            Err(error) if !error.is_file_error() => Err(error),
            _ => Ok(register),
        }
    }

    fn load(path: &Path) -> Result<Self, StoreError> {
        let store = RegisterStore::open(path, Lock::take(path)?)?;
        let mut campaign_data = CampaignData::default();
        store.event_bodies(|event| campaign_data.apply(&event))?;
        let in_flight = InFlightIds::new(store.positions()?, store.count()?);
        store.ids(|id| in_flight.add_to_filter(id))?;
        let register = Self::new(path, campaign_data, in_flight);
        register.attach(store)?;
        Ok(register)
    }

    /// A register without a file.
    fn new(path: &Path, campaign_data: CampaignData, in_flight: InFlightIds) -> Self {
        Self {
            path: path.to_owned(),
            state: watch::Sender::new(BuildState::Failed),
            completions: AtomicU64::new(0),
            campaign_data: RwLock::new(campaign_data),
            in_flight,
            store: Mutex::default(),
            lookup: Mutex::default(),
            written: Notify::new(),
        }
    }

    fn attach(&self, store: RegisterStore) -> Result<(), StoreError> {
        let lookup = store.lookup()?;
        *self.store() = Some(store);
        *self.lookup() = Some(lookup);
        self.state.send_replace(BuildState::Building);
        Ok(())
    }

    /// Discards everything and creates a new file, after the old one has failed.
    pub fn replace(&self) -> Result<(), StoreError> {
        self.state.send_replace(BuildState::Failed);
        *self.lookup() = None;
        *self.store() = None;
        self.clear_memory();
        self.attach(RegisterStore::replace(&self.path, Lock::take(&self.path)?)?)
    }

    fn store(&self) -> MutexGuard<'_, Option<RegisterStore>> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lookup(&self) -> MutexGuard<'_, Option<Lookup>> {
        self.lookup.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The current completion; `None` while the register is built. A validation is valid only if it is the same before and afterwards.
    pub fn completion(&self) -> Option<Completion> {
        if let BuildState::Complete(number) = *self.state.borrow() { Some(Completion(number)) } else { None }
    }

    /// Marks the register as complete, unless its file has failed.
    pub fn caught_up(&self) {
        let completed = self.state.send_if_modified(|state| {
            let building = *state == BuildState::Building;
            if building {
                *state = BuildState::Complete(self.completions.fetch_add(1, Ordering::Relaxed));
            }
            building
        });
        if completed {
            tracing::info!("the register has caught up with the log");
        }
    }

    /// Waits until a lookup in the file has failed.
    pub async fn failed(&self) {
        // INVARIANT: the sender lives as long as the register, which is borrowed here.
        drop(self.state.subscribe().wait_for(|state| *state == BuildState::Failed).await);
    }

    /// Reference data and meetings of all campaigns, locked for reading.
    pub fn campaign_data(&self) -> RwLockReadGuard<'_, CampaignData> {
        self.campaign_data.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Number of events that are appended or being appended and not yet in the file.
    pub fn unwritten(&self) -> usize {
        self.in_flight.unwritten()
    }

    /// Waits until at most `max` events are unwritten.
    pub async fn wait_for_capacity(&self, max: usize) {
        loop {
            let mut written = std::pin::pin!(self.written.notified());
            written.as_mut().enable();
            if self.unwritten() <= max {
                return;
            }
            written.await;
        }
    }

    /// Claims an id; a fresh one is reserved for the caller until it is settled or released.
    fn claim(&self, sent: &EventIdentity) -> Result<Claim, StoreError> {
        if let Some(claim) = self.in_flight.claim(sent) {
            return Ok(claim);
        }
        Ok(match self.find_in_file(sent.id)? {
            Some(stored) => Claim::of_stored(&stored, sent),
            None => self.in_flight.reserve(sent),
        })
    }

    /// The identity of an event that is in the log or being appended.
    pub fn find(&self, id: EventId) -> Result<Option<EventIdentity>, StoreError> {
        match self.in_flight.find(id) {
            InFlightLookup::Found(identity) => Ok(Some(identity)),
            InFlightLookup::MaybeInFile => self.find_in_file(id),
            InFlightLookup::Absent => Ok(None),
        }
    }

    /// Looks an id up in the file; an error puts the register into the failed state.
    fn find_in_file(&self, id: EventId) -> Result<Option<EventIdentity>, StoreError> {
        let lookup = self.lookup();
        let result = lookup.as_ref().ok_or(StoreError::Rebuilding)?.find(id);
        if result.is_err() {
            // Under the lock, so that a failure of the old file is not recorded for the file that replaces it.
            self.state.send_replace(BuildState::Failed);
        }
        result
    }

    /// Applies events that are durable in the log to reference data and meetings.
    fn apply(&self, events: &[Event]) {
        if events.is_empty() {
            return;
        }
        let mut campaign_data = self.campaign_data.write().unwrap_or_else(PoisonError::into_inner);
        events.iter().for_each(|event| campaign_data.apply(event));
    }

    /// The next offset of each partition that the file holds.
    pub fn positions(&self) -> Vec<NextOffset> {
        self.in_flight.positions()
    }

    /// Applies records of the log to the memory and returns what has to be written into the file. Idempotent.
    pub fn read(&self, records: &[Record]) -> RegisterUpdate {
        let mut update = RegisterUpdate::of(records);
        self.apply(&std::mem::take(&mut update.events));
        self.in_flight.record_read(&update.ids);
        update
    }

    /// Writes an update to the file. Blocks the thread.
    pub fn write(&self, update: &RegisterUpdate) -> Result<(), StoreError> {
        self.store().as_mut().ok_or(StoreError::Rebuilding)?.write(update)?;
        self.in_flight.record_written(update);
        self.written.notify_waiters();
        Ok(())
    }

    /// Whether the file contains the event of this record; true for a record without an event. Detects the register of another log.
    fn contains(&self, record: &Record) -> Result<bool, StoreError> {
        let Some(row) = update::event_row(record) else { return Ok(true) };
        Ok(self.find_in_file(row.identity.id)?.is_some())
    }

    /// Discards everything and empties the file.
    fn clear(&self) -> Result<(), StoreError> {
        self.state.send_replace(BuildState::Building);
        self.store().as_mut().ok_or(StoreError::Rebuilding)?.clear()?;
        self.clear_memory();
        Ok(())
    }

    fn clear_memory(&self) {
        *self.campaign_data.write().unwrap_or_else(PoisonError::into_inner) = CampaignData::default();
        self.in_flight.clear();
    }
}
