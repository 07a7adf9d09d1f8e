//! The pipeline: source -> decode -> project -> batch -> write -> commit, with a periodic verification of the tables.
//!
//! At-least-once delivery, exactly-once effect: a contiguous range of offsets is one batch. Its facts are written first and the log copy
//! last; the commit follows the log copy. Reading starts where the log copy ends, never at the commit. After a crash at any point the
//! same records are projected again, and their rows collapse by key (tested in `tests/`).

use std::time::{Duration, Instant};

use qamtu_log::{Delivery, Partition, Record};
use tokio::task::{JoinError, JoinSet};

use crate::{
    batch::Batch,
    batch_queue::BatchQueue,
    config::{BatchLimits, ProjectorConfig},
    decode::decode,
    decode_result::DecodeResult,
    end_offsets::EndOffsets,
    error::ProjectorError,
    metrics::{self, RowKind},
    progress::Progress,
    projection::project,
    source::LogSource,
    verify,
    warehouse::{ClickhouseError, LogCopyState, WarehouseConnection},
    writes::InFlightWrites,
};

/// Timeout for writes in flight when their partition is revoked or the process stops.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// The steps from reading to committing, with their state.
struct Pipeline {
    source: LogSource,
    warehouse: WarehouseConnection,
    limits: BatchLimits,
    batches: BatchQueue,
    writes: InFlightWrites,
    progress: Progress,
    verification: Verification,
    ends: EndOffsets,
}

/// Schedule of the periodic verification, which runs concurrently with the pipeline.
struct Verification {
    /// Minimum time between two verifications.
    min_interval: Duration,
    due: Instant,
    running: JoinSet<VerificationResult>,
}

/// Result of one verification.
struct VerificationResult {
    took: Duration,
    /// The partitions whose log copy has missing rows.
    incomplete: Result<Vec<LogCopyState>, ClickhouseError>,
}

/// Runs until `shutdown` resolves, or an error occurs that a retry cannot fix.
pub async fn run(
    source: LogSource,
    warehouse: WarehouseConnection,
    config: &ProjectorConfig,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ProjectorError> {
    let limits = config.limits();
    let writes = InFlightWrites::new(warehouse.clone(), limits.writers);
    let verification = Verification { min_interval: Duration::from_millis(config.verify_ms), due: Instant::now(), running: JoinSet::new() };
    let (batches, progress, ends) = (BatchQueue::new(limits), Progress::default(), source.end_offsets());
    let mut pipeline = Pipeline { source, warehouse, limits, batches, writes, progress, verification, ends };
    tokio::select! {
        () = shutdown => pipeline.stop().await,
        error = pipeline.run() => error,
    }
}

impl Pipeline {
    async fn run(&mut self) -> Result<(), ProjectorError> {
        loop {
            while self.writes.has_capacity()
                && let Some(batch) = self.batches.take_due(Instant::now())
            {
                self.writes.start(batch);
            }
            metrics::buffered_bytes(self.batches.bytes());
            let due = self.batches.next_due().filter(|_| self.writes.has_capacity());
            let verification_due = self.verification.running.is_empty().then_some(self.verification.due);
            tokio::select! {
                written = self.writes.next() => self.finish_write(written?).await?,
                () = sleep_until(due) => {}
                delivery = self.source.next(), if self.batches.has_capacity() => match delivery? {
                    Delivery::Assigned(partitions) => self.assign(&partitions).await?,
                    Delivery::Records(records) => records.iter().for_each(|record| self.process(record)),
                    Delivery::Revoked { partitions, lost } => self.revoke(&partitions, lost).await?,
                    Delivery::CaughtUp => self.mark_caught_up(),
                },
                () = sleep_until(verification_due) => self.start_verification(),
                Some(result) = self.verification.running.join_next() => self.finish_verification(result).await?,
                ends = self.ends.next() => self.source.update_lag(ends, &self.progress, !self.batches.is_drained())?,
            }
        }
    }

    /// Decodes and projects one record and adds its rows to a batch.
    fn process(&mut self, record: &Record) {
        if !self.progress.mark_delivered(record) {
            return;
        }
        if record.skipped > 0 {
            let Record { partition, offset, skipped, .. } = record;
            tracing::debug!(%partition, offset, skipped, "the log has no record at the preceding offsets");
            metrics::skipped(*skipped);
        }
        let decoded = decode(record);
        if let DecodeResult::Rejected(invalid) = &decoded {
            let (partition, reason) = (record.partition.to_string(), invalid.reason.label());
            tracing::warn!(partition, offset = record.offset, reason, "rejected a record; see v_rejected");
            metrics::rejected(invalid.reason);
        }
        self.batches.add(record, &project(record, &decoded), Instant::now());
    }

    fn mark_caught_up(&mut self) {
        self.batches.mark_caught_up();
        self.source.mark_caught_up();
    }

    /// Commits the offsets of a batch whose last insert, the log copy, was acknowledged.
    async fn finish_write(&mut self, batch: Batch) -> Result<(), ProjectorError> {
        metrics::written(&batch);
        self.batches.mark_written(&batch.partition, Instant::now());
        self.progress.mark_written(&batch.partition, &batch.range());
        let due = self.progress.commit_due(Instant::now());
        if self.source.commit(&due).await? {
            self.progress.mark_committed(&due, Instant::now());
        }
        Ok(())
    }

    /// Takes over the newly assigned partitions, which replace all others: kills inserts of an earlier owner, checks that this is the log
    /// that was copied, and starts where the copy ends.
    async fn assign(&mut self, partitions: &[(Partition, Option<u64>)]) -> Result<(), ProjectorError> {
        let names: Vec<_> = partitions.iter().map(|(partition, _)| partition.clone()).collect();
        self.drop_all();
        self.warehouse.kill_leftover_inserts(&names).await?;
        let states = self.warehouse.log_copy_states_with_retry(&names).await?;
        self.source.check_same_log(self.warehouse.log_samples(&states).await?).await?;
        tracing::info!(partitions = states.len(), "assigned");
        self.start_token_epoch();
        let starts = self.source.start(&states, partitions).await?;
        self.progress.assign(starts);
        Ok(())
    }

    /// Gives up revoked partitions: finishes and commits writes in flight, then releases them. A lost partition already has another
    /// owner, so nothing is finished or committed.
    async fn revoke(&mut self, partitions: &[Partition], lost: bool) -> Result<(), ProjectorError> {
        self.batches.remove(partitions);
        self.verification.running.abort_all();
        if !lost {
            for batch in self.writes.drain(partitions, DRAIN_TIMEOUT).await? {
                self.finish_write(batch).await?;
            }
            let uncommitted = self.progress.uncommitted(|partition| partitions.contains(partition));
            self.source.commit(&uncommitted).await?;
        }
        self.writes.abandon(partitions);
        self.progress.remove(partitions);
        self.source.unassign(partitions);
        if lost { Ok(()) } else { self.source.release(partitions).await }
    }

    /// Starts a verification of the partitions of which nothing is being read again.
    fn start_verification(&mut self) {
        let (warehouse, limits) = (self.warehouse.with_new_token_epoch(), self.limits);
        let contiguous_offsets = self.progress.complete_partitions();
        if contiguous_offsets.is_empty() {
            self.verification.due = Instant::now() + self.verification.min_interval;
            return;
        }
        self.verification.running.spawn(async move {
            let since = Instant::now();
            let incomplete = verify::verify(&warehouse, &contiguous_offsets, &limits).await;
            VerificationResult { took: since.elapsed(), incomplete }
        });
    }

    /// Reads the records again whose log copy rows are missing.
    async fn finish_verification(&mut self, result: Result<VerificationResult, JoinError>) -> Result<(), ProjectorError> {
        let result = match result {
            Ok(result) => result,
            // Its partitions were revoked meanwhile.
            Err(error) if error.is_cancelled() => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        self.verification.due = Instant::now() + verify::pause(self.verification.min_interval, result.took);
        let mut incomplete = match result.incomplete {
            Ok(incomplete) => incomplete,
            // The health check reports an outage, and the metric of the last check does not advance.
            Err(error) => {
                tracing::warn!(error = %error.chain(), "the verification of the tables failed; it will be repeated");
                return Ok(());
            }
        };
        let complete = self.progress.complete_partitions();
        incomplete.retain(|state| complete.iter().any(|next| next.partition == state.partition) && self.source.is_readable(state));
        if incomplete.is_empty() {
            return Ok(());
        }
        for LogCopyState { partition, missing, .. } in &incomplete {
            let records = missing.iter().map(|range| range.end - range.start).sum();
            let offsets = verify::format_ranges(missing);
            tracing::error!(%partition, records, offsets, "rows of the log copy are missing; reading their records again");
            metrics::repaired(RowKind::Log, records);
        }
        let partitions: Vec<_> = incomplete.iter().map(|state| state.partition.clone()).collect();
        self.writes.abandon(&partitions);
        self.batches.remove(&partitions);
        self.start_token_epoch();
        let starts = self.source.start(&incomplete, &[]).await?;
        self.progress.restart(starts);
        Ok(())
    }

    /// Finishes and commits writes in flight. Buffered rows are dropped; the next start reads them again.
    async fn stop(&mut self) -> Result<(), ProjectorError> {
        for batch in self.writes.drain(&self.writes.partitions(), DRAIN_TIMEOUT).await? {
            self.progress.mark_written(&batch.partition, &batch.range());
        }
        let uncommitted = self.progress.uncommitted(|_| true);
        self.source.commit(&uncommitted).await?;
        Ok(())
    }

    /// Starts a token epoch, so that the server does not deduplicate rows that are read again.
    fn start_token_epoch(&mut self) {
        self.warehouse = self.warehouse.with_new_token_epoch();
        self.writes.set_warehouse(self.warehouse.clone());
    }

    fn drop_all(&mut self) {
        self.verification.running.abort_all();
        self.writes.abandon(&self.writes.partitions());
        self.batches.clear();
        self.progress.assign(Vec::new());
    }
}

/// Sleeps until an instant; never returns for `None`.
async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}
