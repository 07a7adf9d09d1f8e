//! The task that reads the log into the register.
//!
//! Guarantees: reading starts at the positions of the file, after a check that the file belongs to this log (the record before each
//! position must be in the file); otherwise the register is built again from the beginning of the log. Records that the log removed
//! before they were read are logged as lost, and reading continues behind them. On a full disk the write is retried: meanwhile unwritten
//! events fill the memory up to `limits.unwritten_events`, then requests get 503. Any other failure of the file ends the task; its caller
//! replaces the file and starts again. Ids whose append failed without a definite result are released `register.unresolved_ms` after the last
//! failure, once the log was read to the end that it has then.

use std::{collections::HashMap, sync::Arc, time::Duration};

use qamtu_log::{Bounds, Delivery, LogError, LogReader, Partition, Record};
use qamtu_schemas::Topic;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Register, store::StoreError, update::RegisterUpdate};
use crate::metrics;

/// Number of events, and longest time, after which an update is written: few large transactions, because ids are spread over all pages.
const WRITE_EVENTS: usize = 50_000;
const WRITE_INTERVAL: Duration = Duration::from_millis(500);

/// Time between two checks whether unresolved ids can be released.
const RELEASE_INTERVAL: Duration = Duration::from_secs(2);

/// Time between two attempts to write an update.
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

/// Reads the log into the register, update by update.
pub struct Follower {
    register: Arc<Register>,
    reader: Box<dyn LogReader>,
    /// Partitions that are assigned and not started yet.
    assigned: Vec<Partition>,
    /// Offset per partition whose record must already be in the register.
    checks: HashMap<Partition, u64>,
    /// Records that are read and not in the file yet.
    update: RegisterUpdate,
    /// When the update must be written.
    due: Option<Instant>,
    /// The next offset to read, per partition.
    next: HashMap<Partition, u64>,
    /// Time between the last failed append and the release of unresolved ids. A broker that was frozen may still store what it had received,
    /// and what its replicas lack becomes readable only once they have it or are excluded.
    release_after: Duration,
    /// The pending release of unresolved ids.
    release: Option<Release>,
    /// When the next check for unresolved ids is due.
    release_check: Instant,
}

/// The release of the ids of all appends up to the one with the number `failures`.
#[derive(Debug)]
struct Release {
    failures: u64,
    /// When that append was first seen to have failed.
    since: Instant,
    /// Whether the log is being read to its end for this release.
    is_reading: bool,
}

impl Follower {
    /// A follower that has read nothing yet; it releases unresolved ids `release_after` the last failed append.
    pub fn new(register: Arc<Register>, reader: Box<dyn LogReader>, release_after: Duration) -> Self {
        Self {
            register,
            reader,
            assigned: Vec::new(),
            checks: HashMap::new(),
            update: RegisterUpdate::default(),
            due: None,
            next: HashMap::new(),
            release_after,
            release: None,
            release_check: Instant::now(),
        }
    }

    /// Reads until `stop`; marks the register as complete when it has reached the end of the log.
    pub async fn run(mut self, stop: &CancellationToken) -> Result<(), FollowError> {
        while !stop.is_cancelled() {
            self.step(stop).await?;
        }
        self.write(stop).await
    }

    /// Starts the assigned partitions, or processes the next delivery.
    async fn step(&mut self, stop: &CancellationToken) -> Result<(), FollowError> {
        if !self.assigned.is_empty() {
            return self.start_partitions().await;
        }
        let delivery = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = self.register.failed() => return Err(FollowError::Store(StoreError::Rebuilding)),
            () = wait_until(self.due) => return self.write(stop).await,
            () = tokio::time::sleep_until(self.release_check) => return tokio::select! {
                () = stop.cancelled() => Ok(()),
                checked = self.check_release() => checked,
            },
            delivery = self.reader.next() => match delivery {
                Ok(delivery) => delivery,
                Err(error) => return Err(follow_error(&self.register, error).await),
            },
        };
        match delivery {
            Delivery::Assigned(partitions) => self.assigned = partitions.into_iter().map(|(partition, _)| partition).collect(),
            Delivery::Records(records) => self.read(records, stop).await?,
            Delivery::CaughtUp => {
                self.register.caught_up();
                if let Some(release) = self.release.take_if(|release| release.is_reading) {
                    self.register.in_flight.release_unresolved(release.failures);
                }
            }
            Delivery::Revoked { partitions, .. } => self.reader.release(&partitions).await.map_err(FollowError::Log)?,
        }
        Ok(())
    }

    /// Starts each partition at the position of the file, one record earlier for the check.
    async fn start_partitions(&mut self) -> Result<(), FollowError> {
        let bounds = self.bounds().await?;
        let written: HashMap<Partition, u64> = self.register.positions().into_iter().map(|next| (next.partition, next.offset)).collect();
        let reaches = |bound: &Bounds| written.get(&bound.partition).is_none_or(|next| *next <= bound.end);
        if !bounds.iter().all(reaches) {
            return self.rebuild("the log ends before the position of the register").await;
        }
        let mut starts = Vec::new();
        for partition in &self.assigned {
            let start = bounds.iter().find(|bound| bound.partition == *partition).map_or(0, |bound| bound.start);
            let next = written.get(partition).copied().unwrap_or(0);
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
        self.next = starts.into_iter().map(|start| (start.partition, start.offset)).collect();
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
        (self.update, self.due) = (RegisterUpdate::default(), None);
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
        let Some((remaining, update)) = blocking(work).await? else {
            return self.rebuild("the register belongs to another log").await;
        };
        self.checks = remaining;
        self.next.extend(update.next.iter().map(|next| (next.partition.clone(), next.offset)));
        self.update.merge(update);
        self.due.get_or_insert_with(|| Instant::now() + WRITE_INTERVAL);
        metrics::records_read(count);
        metrics::events_unwritten(self.register.unwritten());
        if self.update.ids.len() >= WRITE_EVENTS { self.write(stop).await } else { Ok(()) }
    }

    /// Starts to read to the end of the log if unresolved ids can be released there. While the log does not respond, they stay reserved.
    async fn check_release(&mut self) -> Result<(), FollowError> {
        let now = Instant::now();
        self.release_check = now + RELEASE_INTERVAL;
        let Some(failures) = self.register.in_flight.unresolved() else {
            self.release = None;
            return Ok(());
        };
        let release = self.release.take_if(|release| release.failures == failures);
        let mut release = release.unwrap_or(Release { failures, since: now, is_reading: false });
        if !release.is_reading && now >= release.since + self.release_after && !self.next.is_empty() && self.bounds().await.is_ok() {
            let next: Vec<_> = self.next.iter().map(|(partition, offset)| partition.next_offset(*offset)).collect();
            self.reader.start_at(&next).await.map_err(FollowError::Log)?;
            release.is_reading = true;
        }
        self.release = Some(release);
        Ok(())
    }

    /// Writes the update into the file; retries while the disk is full. At shutdown the update is dropped: the log still holds it.
    async fn write(&mut self, stop: &CancellationToken) -> Result<(), FollowError> {
        self.due = None;
        let update = Arc::new(std::mem::take(&mut self.update));
        while !update.next.is_empty() {
            let (register, writing) = (self.register.clone(), update.clone());
            match blocking(move || register.write(&writing)).await {
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
        metrics::events_unwritten(self.register.unwritten());
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
