//! Appending: the [`LogWriter`] trait.
//!
//! `Ok` of an append means that the log keeps the entry through a crash: a synced SQLite transaction,
//! or acks=all of the in-sync replicas. Order: entries of one call, and of calls of one task that
//! follow each other, keep their order inside a partition.

use std::time::Duration;

use async_trait::async_trait;

use crate::entry::Entry;
use crate::error::LogError;
use crate::partition::Position;

/// Appends to a log.
#[async_trait]
pub trait LogWriter: Send + Sync {
    /// Appends entries; one outcome per entry, in the same order. Waits while the queue is full.
    ///
    /// A cancelled call does not take its entries back: they may still come to stand in the log.
    async fn append(&self, entries: Vec<Entry>) -> Vec<Result<Position, LogError>>;

    /// Waits until everything accepted so far is settled, or says how many entries are not
    /// ([`LogError::Unsettled`]). Call it before the last handle is dropped.
    async fn flush(&self, deadline: Duration) -> Result<(), LogError>;

    /// Whether the log can take appends now; a failed client stays failed.
    async fn ready(&self) -> Result<(), LogError>;

    /// Whether these topics still are the ones that the first call with their names saw: [`LogError::Replaced`] when one was deleted,
    /// made anew or put in the place of another. Asks the log itself, so the answer is true for everything before the call.
    async fn verify(&self, topics: &[&str]) -> Result<(), LogError>;
}
