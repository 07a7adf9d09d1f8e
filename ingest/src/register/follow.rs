//! The task that reads the log and folds it into the register.
//!
//! Guarantees: starts where the file is true, after making sure that the file belongs to this log (the record before the start must
//! be known); otherwise the register is built again from the log's beginning. Records that the log removed before they were read are
//! lost to the register: it says so, keeps what it knows and goes on behind them. A full disk is waited for, since a register that
//! stands still only fills the window, and a full window is answered with 503. Any other failure of the file ends the task: its caller
//! replaces the file and follows the log again.

use std::{collections::HashMap, sync::Arc, time::Duration};

use qamtu_log::{Bounds, Delivery, LogError, LogReader, Partition, Record};
use qamtu_schemas::Topic;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    Register,
    store::{Batch, StoreError},
};
use crate::metrics;

/// Events after which what was read is written into the file, and the longest time before that: few large transactions, because each
/// touches pages all over the file.
const FOLD_EVENTS: usize = 50_000;
const FOLD_TIME: Duration = Duration::from_millis(500);

/// Wait before a failed write is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Why following ended before it was told to.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The log cannot be read, and waiting will not help.
    #[error("the log cannot be read")]
    Log(#[source] LogError),
    /// The register's file failed.
    #[error("the register cannot be built")]
    Store(#[source] StoreError),
}

/// Reads the log into the register.
pub struct Follower {
    register: Arc<Register>,
    reader: Box<dyn LogReader>,
    /// Partitions that are to be started.
    assigned: Vec<Partition>,
    /// The offsets whose record must be known already.
    proofs: HashMap<Partition, u64>,
    /// What was read and is not in the file yet, and when it has to be.
    batch: Batch,
    due: Option<Instant>,
}

impl Follower {
    /// Follows this log into this register.
    pub fn new(register: Arc<Register>, reader: Box<dyn LogReader>) -> Self {
        Self { register, reader, assigned: Vec::new(), proofs: HashMap::new(), batch: Batch::default(), due: None }
    }

    /// Reads until it is told to stop; the register learns when everything that stood in the log is folded.
    pub async fn run(mut self, stop: &CancellationToken) -> Result<(), FollowError> {
        while !stop.is_cancelled() {
            self.step(stop).await?;
        }
        self.fold(stop).await
    }

    /// Begins what is assigned, or takes the next delivery.
    async fn step(&mut self, stop: &CancellationToken) -> Result<(), FollowError> {
        if !self.assigned.is_empty() {
            return self.begin().await;
        }
        let delivery = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = self.register.failed() => return Err(FollowError::Store(StoreError::Rebuilding)),
            () = wait_until(self.due) => return self.fold(stop).await,
            delivery = self.reader.next() => match delivery {
                Ok(delivery) => delivery,
                Err(error) => return Err(ended(&self.register, error).await),
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

    /// Starts every partition where the file is true, one record earlier for the proof.
    async fn begin(&mut self) -> Result<(), FollowError> {
        let bounds = self.bounds().await?;
        let held: HashMap<Partition, u64> = self.register.positions().into_iter().map(|next| (next.partition, next.offset)).collect();
        let reaches = |bound: &Bounds| held.get(&bound.partition).is_none_or(|next| *next <= bound.end);
        if !bounds.iter().all(reaches) {
            return self.again("the log does not reach to where the register ends").await;
        }
        let mut starts = Vec::new();
        for partition in &self.assigned {
            let start = bounds.iter().find(|bound| bound.partition == *partition).map_or(0, |bound| bound.start);
            let next = held.get(partition).copied().unwrap_or(0);
            if next < start {
                metrics::records_lost(start - next);
                tracing::error!(%partition, first = next, next = start, "the log removed records before the register read them: their ids are not known");
            }
            let next = next.max(start);
            if next > start {
                self.proofs.insert(partition.clone(), next - 1);
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

    /// Forgets everything and begins at the log's beginning.
    async fn again(&mut self, why: &str) -> Result<(), FollowError> {
        tracing::warn!(why, "the register is built again from the log");
        self.proofs.clear();
        (self.batch, self.due) = (Batch::default(), None);
        let register = self.register.clone();
        blocking(move || register.clear()).await?;
        self.assigned = self.bounds().await?.into_iter().map(|bound| bound.partition).collect();
        Ok(())
    }

    async fn read(&mut self, records: Vec<Record>, stop: &CancellationToken) -> Result<(), FollowError> {
        let (register, proofs) = (self.register.clone(), std::mem::take(&mut self.proofs));
        let work = move || match prove(&register, proofs, &records)? {
            (left, true) => Ok(Some((left, register.read(&records), records.len()))),
            (_, false) => Ok(None),
        };
        let Some((left, batch, count)) = blocking(work).await? else {
            return self.again("the register belongs to another log").await;
        };
        self.proofs = left;
        self.batch.merge(batch);
        self.due.get_or_insert_with(|| Instant::now() + FOLD_TIME);
        metrics::records_read(count);
        metrics::events_unfolded(self.register.unfolded());
        if self.batch.ids.len() >= FOLD_EVENTS { self.fold(stop).await } else { Ok(()) }
    }

    /// Writes what was read into the file; waits for room on the disk. When the service stops it is left out, since the log has it.
    async fn fold(&mut self, stop: &CancellationToken) -> Result<(), FollowError> {
        self.due = None;
        let batch = Arc::new(std::mem::take(&mut self.batch));
        while !batch.next.is_empty() {
            let (register, writing) = (self.register.clone(), batch.clone());
            match blocking(move || register.fold(&writing)).await {
                Ok(()) => break,
                Err(_) if stop.is_cancelled() => break,
                Err(FollowError::Store(error)) if error.is_transient() => {
                    tracing::error!(error = crate::telemetry::chain(&error), "the register cannot be written");
                }
                Err(error) => return Err(error),
            }
            tokio::select! { () = stop.cancelled() => {}, () = tokio::time::sleep(RETRY) => {} }
        }
        metrics::events_unfolded(self.register.unfolded());
        Ok(())
    }
}

/// Why following ends when the reader has. A register of a log that is gone is forgotten at once: by the next start the new log may be so
/// long, and read so far, that the proof would hold.
async fn ended(register: &Arc<Register>, error: LogError) -> FollowError {
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

/// The proofs still to come, and whether those among these records hold. Nothing follows from a record that compaction has removed.
fn prove(
    register: &Register,
    mut proofs: HashMap<Partition, u64>,
    records: &[Record],
) -> Result<(HashMap<Partition, u64>, bool), StoreError> {
    for record in records {
        if let Some(offset) = proofs.remove(&record.partition)
            && offset == record.offset
            && !register.holds(record)?
        {
            return Ok((proofs, false));
        }
    }
    Ok((proofs, true))
}

/// Runs work that blocks beside the async tasks; a panic in it is passed on.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, StoreError> + Send + 'static) -> Result<T, FollowError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(FollowError::Store),
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is going away, and this task with it.
            Err(_) => std::future::pending().await,
        },
    }
}
