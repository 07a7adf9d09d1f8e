//! The task that reads the log into the register.
//!
//! Guarantees: reading starts at the positions of the file, after a check that the file belongs to this log (the record before each
//! position must be in the file); otherwise the register is built again from the beginning of the log. Records that the log removed
//! before they were read are logged as lost, and reading continues behind them. On a full disk the write is retried: meanwhile unfolded
//! events fill the memory up to `limits.unfolded_events`, then requests get 503. Any other failure of the file ends the task; its caller
//! replaces the file and starts again.

use std::{collections::HashMap, sync::Arc, time::Duration};

use qamtu_log::{Bounds, Delivery, LogError, LogReader, Partition, Record};
use qamtu_schemas::Topic;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Register, fold_batch::FoldBatch, store::StoreError};
use crate::metrics;

/// Number of events, and longest time, after which a batch is written: few large transactions, because ids are spread over all pages.
const FOLD_EVENTS: usize = 50_000;
const FOLD_TIME: Duration = Duration::from_millis(500);

/// Time between two attempts to write a batch.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Why following the log ended before it was cancelled.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The log cannot be read; [`LogError::is_transient`] tells whether a retry may help.
    #[error("the log cannot be read")]
    Log(#[source] LogError),
    /// The register's file failed and must be replaced.
    #[error("the register cannot be built")]
    Store(#[source] StoreError),
}

/// Reads the log into the register, batch by batch.
pub struct Follower {
    register: Arc<Register>,
    reader: Box<dyn LogReader>,
    /// Partitions that are assigned and not started yet.
    assigned: Vec<Partition>,
    /// Offset per partition whose record must already be in the register.
    checks: HashMap<Partition, u64>,
    /// Records that are read and not in the file yet.
    batch: FoldBatch,
    /// When the batch must be written.
    due: Option<Instant>,
}

impl Follower {
    /// A follower that has read nothing yet.
    pub fn new(register: Arc<Register>, reader: Box<dyn LogReader>) -> Self {
        Self { register, reader, assigned: Vec::new(), checks: HashMap::new(), batch: FoldBatch::default(), due: None }
    }

    /// Reads until `stop`; marks the register as complete when it has reached the end of the log.
    pub async fn run(mut self, stop: &CancellationToken) -> Result<(), FollowError> {
        while !stop.is_cancelled() {
            self.step(stop).await?;
        }
        self.fold(stop).await
    }

    /// Starts the assigned partitions, or processes the next delivery.
    async fn step(&mut self, stop: &CancellationToken) -> Result<(), FollowError> {
        if !self.assigned.is_empty() {
            return self.start_partitions().await;
        }
        let delivery = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = self.register.failed() => return Err(FollowError::Store(StoreError::Rebuilding)),
            () = wait_until(self.due) => return self.fold(stop).await,
            delivery = self.reader.next() => match delivery {
                Ok(delivery) => delivery,
                Err(error) => return Err(follow_error(&self.register, error).await),
            },
        };
        match delivery {
            Delivery::Assigned(partitions) => self.assigned = partitions.into_iter().map(|(partition, _)| partition).collect(),
            Delivery::Records(records) => self.read(records, stop).await?,
            Delivery::CaughtUp => self.register.caught_up(),
            Delivery::Revoked { partitions, .. } => self.reader.release(&partitions).await.map_err(FollowError::Log)?,
        }
        Ok(())
    }

    /// Starts each partition at the position of the file, one record earlier for the check.
    async fn start_partitions(&mut self) -> Result<(), FollowError> {
        let bounds = self.bounds().await?;
        let folded: HashMap<Partition, u64> = self.register.positions().into_iter().map(|next| (next.partition, next.offset)).collect();
        let reaches = |bound: &Bounds| folded.get(&bound.partition).is_none_or(|next| *next <= bound.end);
        if !bounds.iter().all(reaches) {
            return self.rebuild("the log ends before the position of the register").await;
        }
        let mut starts = Vec::new();
        for partition in &self.assigned {
            let start = bounds.iter().find(|bound| bound.partition == *partition).map_or(0, |bound| bound.start);
            let next = folded.get(partition).copied().unwrap_or(0);
            if next < start {
                metrics::records_lost(start - next);
                tracing::error!(%partition, first = next, next = start, "the log removed records before the register read them: their ids are unknown");
            }
            let next = next.max(start);
            if next > start {
                self.checks.insert(partition.clone(), next - 1);
            }
            starts.push(partition.next_offset(next.saturating_sub(1).max(start)));
        }
        self.reader.start_at(&starts).await.map_err(FollowError::Log)?;
        self.assigned.clear();
        Ok(())
    }

    async fn bounds(&mut self) -> Result<Vec<Bounds>, FollowError> {
        let mut bounds = Vec::new();
        for topic in Topic::ALL {
            bounds.extend(self.reader.bounds(topic.name()).await.map_err(FollowError::Log)?);
        }
        Ok(bounds)
    }

    /// Empties the register and starts at the beginning of the log.
    async fn rebuild(&mut self, reason: &str) -> Result<(), FollowError> {
        tracing::warn!(reason, "the register is built again from the log");
        self.checks.clear();
        (self.batch, self.due) = (FoldBatch::default(), None);
        let register = self.register.clone();
        blocking(move || register.clear()).await?;
        self.assigned = self.bounds().await?.into_iter().map(|bound| bound.partition).collect();
        Ok(())
    }

    async fn read(&mut self, records: Vec<Record>, stop: &CancellationToken) -> Result<(), FollowError> {
        let (register, checks) = (self.register.clone(), std::mem::take(&mut self.checks));
        let count = records.len();
        let work = move || match verify_records(&register, checks, &records)? {
            Some(remaining) => Ok(Some((remaining, register.read(&records)))),
            None => Ok(None),
        };
        let Some((remaining, batch)) = blocking(work).await? else {
            return self.rebuild("the register belongs to another log").await;
        };
        self.checks = remaining;
        self.batch.merge(batch);
        self.due.get_or_insert_with(|| Instant::now() + FOLD_TIME);
        metrics::records_read(count);
        metrics::events_unfolded(self.register.unfolded());
        if self.batch.ids.len() >= FOLD_EVENTS { self.fold(stop).await } else { Ok(()) }
    }

    /// Writes the batch into the file; retries while the disk is full. At shutdown the batch is dropped: the log still holds it.
    async fn fold(&mut self, stop: &CancellationToken) -> Result<(), FollowError> {
        self.due = None;
        let batch = Arc::new(std::mem::take(&mut self.batch));
        while !batch.next.is_empty() {
            let (register, writing) = (self.register.clone(), batch.clone());
            match blocking(move || register.fold(&writing)).await {
                Ok(()) => break,
                Err(_) if stop.is_cancelled() => break,
                Err(FollowError::Store(error)) if error.is_transient() => {
                    tracing::error!(
                        error = qamtu_service::telemetry::error_chain(&error),
                        "the register's file cannot be written; retrying"
                    );
                }
                Err(error) => return Err(error),
            }
            tokio::select! { () = stop.cancelled() => {}, () = tokio::time::sleep(RETRY_INTERVAL) => {} }
        }
        metrics::events_unfolded(self.register.unfolded());
        Ok(())
    }
}

/// The error for a reader that failed. If the log was replaced, the register is emptied at once: by the next start the new log could be so
/// long that the check of the last record would pass.
async fn follow_error(register: &Arc<Register>, error: LogError) -> FollowError {
    if matches!(error, LogError::Replaced { .. }) {
        let register = register.clone();
        if let Err(error) = blocking(move || register.clear()).await {
            return error;
        }
    }
    FollowError::Log(error)
}

async fn wait_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// The checks that remain; `None` if one for these records failed. A record that compaction removed is not checked.
fn verify_records(
    register: &Register,
    mut checks: HashMap<Partition, u64>,
    records: &[Record],
) -> Result<Option<HashMap<Partition, u64>>, StoreError> {
    for record in records {
        if let Some(offset) = checks.remove(&record.partition)
            && offset == record.offset
            && !register.contains(record)?
        {
            return Ok(None);
        }
    }
    Ok(Some(checks))
}

/// Runs blocking work on the blocking thread pool; propagates its panic.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, StoreError> + Send + 'static) -> Result<T, FollowError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(FollowError::Store),
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down, and this task with it.
            Err(_) => std::future::pending().await,
        },
    }
}
