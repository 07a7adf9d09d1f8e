//! Appending: the [`LogWriter`] trait.
//!
//! `Ok` of an append means that the entry survives a crash: it is in a synced SQLite transaction, or all in-sync replicas have
//! acknowledged it. Inside a partition, entries keep their order within one call and between consecutive calls of one task.

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
    /// A cancelled call does not withdraw its entries: they may still be stored.
    async fn append(&self, entries: Vec<Entry>) -> Vec<Result<Position, LogError>>;

    /// Waits until every accepted entry has an outcome, or fails with the number of entries that have none
    /// ([`LogError::FlushTimeout`]). Call it before the last handle is dropped.
    async fn flush(&self, deadline: Duration) -> Result<(), LogError>;

    /// Fails when appends would fail now; after [`LogError::Fatal`] it fails until the process restarts.
    async fn ready(&self) -> Result<(), LogError>;

    /// Fails with [`LogError::Replaced`] when one of these topics was deleted, recreated or replaced since the first call with its name.
    /// Queries the log itself, so a success covers every append before the call.
    async fn verify(&self, topics: &[&str]) -> Result<(), LogError>;
}
