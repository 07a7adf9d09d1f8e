//! The whole flow on one screen: source -> decode -> project -> batch -> write -> commit; and now and then a check of what is written.
//!
//! At-least-once delivery, exactly-once effect: a contiguous range of offsets is one batch, its facts are written first and the log
//! copy last, a commit follows the log copy, and a start follows the log copy and never the commit. So after a crash at any point the
//! same records are projected again, and their rows collapse by key (proved in `tests/`).

use std::time::{Duration, Instant};

use qamtu_log::{Delivery, Partition, Record};
use tokio::task::JoinSet;

use crate::{
    batch::Batch,
    batches::Batches,
    config::{Limits, Projector},
    decode::decode,
    ends::Ends,
    error::ProjectorError,
    fate::Fate,
    metrics::{self, Missing},
    progress::Progress,
    project::project,
    source::Source,
    verify,
    warehouse::{Copied, Warehouse, WarehouseError},
    writes::Writes,
};

/// How long a write under way may take when its partition is taken away, or the process is asked to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// What flows.
struct Flow {
    source: Source,
    warehouse: Warehouse,
    limits: Limits,
    batches: Batches,
    writes: Writes,
    progress: Progress,
    checks: Checks,
    ends: Ends,
}

/// Checks of the tables, one at a time, beside the flow.
struct Checks {
    /// Least time between two of them.
    least: Duration,
    due: Instant,
    running: JoinSet<(Duration, Result<Vec<Copied>, WarehouseError>)>,
}

/// Runs until `shutdown` resolves, or something fails that no repetition can mend.
pub async fn run(
    source: Source,
    warehouse: Warehouse,
    config: &Projector,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ProjectorError> {
    let limits = config.limits();
    let writes = Writes::new(warehouse.clone(), limits.writers);
    let checks = Checks { least: Duration::from_millis(config.verify_ms), due: Instant::now(), running: JoinSet::new() };
    let (batches, progress, ends) = (Batches::new(limits), Progress::default(), source.ends());
    let mut flow = Flow { source, warehouse, limits, batches, writes, progress, checks, ends };
    tokio::select! {
        () = shutdown => flow.stop().await,
        error = flow.run() => error,
    }
}

impl Flow {
    async fn run(&mut self) -> Result<(), ProjectorError> {
        loop {
            while self.writes.have_room()
                && let Some(batch) = self.batches.take_due(Instant::now())
            {
                self.writes.start(batch);
            }
            metrics::held(self.batches.bytes());
            let due = self.batches.next_due().filter(|_| self.writes.have_room());
            let check_due = self.checks.running.is_empty().then_some(self.checks.due);
            tokio::select! {
                written = self.writes.next() => self.written(written?).await?,
                () = until(due) => {}
                delivery = self.source.next(), if self.batches.have_room() => match delivery? {
                    Delivery::Assigned(partitions) => self.assigned(&partitions).await?,
                    Delivery::Records(records) => records.iter().for_each(|record| self.take(record)),
                    Delivery::Revoked { partitions, lost } => self.revoked(&partitions, lost).await?,
                    Delivery::CaughtUp => self.caught_up(),
                },
                () = until(check_due) => self.check(),
                Some(Ok((took, checked))) = self.checks.running.join_next() => self.checked(took, checked).await?,
                ends = self.ends.next() => self.source.compare(ends, &self.progress, !self.batches.are_done())?,
            }
        }
    }

    /// One record: decode, project, batch.
    fn take(&mut self, record: &Record) {
        if !self.progress.take(record) {
            return;
        }
        if record.skipped > 0 {
            let Record { partition, offset, skipped, .. } = record;
            tracing::debug!(%partition, offset, skipped, "the log holds no record at the offsets before");
            metrics::skipped(*skipped);
        }
        let fate = decode(record);
        if let Fate::Rejected(rejection) = &fate {
            let (partition, reason) = (record.partition.to_string(), rejection.reason.label());
            tracing::warn!(partition, offset = record.offset, reason, "rejected a record; see v_rejected");
            metrics::rejected(rejection.reason);
        }
        self.batches.add(record, &project(record, &fate), Instant::now());
    }

    fn caught_up(&mut self) {
        self.batches.caught_up();
        self.source.caught_up();
    }

    /// One batch is written, receipt included: commit.
    async fn written(&mut self, batch: Batch) -> Result<(), ProjectorError> {
        metrics::written(&batch);
        self.batches.written(&batch.partition, Instant::now());
        self.progress.written(&batch.partition, &batch.range());
        let due = self.progress.due(Instant::now());
        if self.source.commit(&due).await? {
            self.progress.committed(&due, Instant::now());
        }
        Ok(())
    }

    /// These partitions, and no others, are ours from now on: end what an earlier owner left running, make sure that this is the log that
    /// was copied, and start where the copy ends.
    async fn assigned(&mut self, partitions: &[(Partition, Option<u64>)]) -> Result<(), ProjectorError> {
        let names: Vec<_> = partitions.iter().map(|(partition, _)| partition.clone()).collect();
        self.drop_all();
        self.warehouse.fence(&names).await?;
        let copies = self.warehouse.copied_at_last(&names).await?;
        self.source.prove(self.warehouse.witnesses(&copies).await?).await?;
        tracing::info!(partitions = copies.len(), "assigned");
        self.renew_tokens();
        let starts = self.source.start(&copies, partitions).await?;
        self.progress.assign(starts);
        Ok(())
    }

    /// These partitions are wanted back: finish what is being written, commit it, let them go.
    async fn revoked(&mut self, partitions: &[Partition], lost: bool) -> Result<(), ProjectorError> {
        self.batches.forget(partitions);
        self.checks.running.abort_all();
        if !lost {
            for batch in self.writes.finish(partitions, DRAIN).await? {
                self.written(batch).await?;
            }
            let uncommitted = self.progress.uncommitted(|partition| partitions.contains(partition));
            self.source.commit(&uncommitted).await?;
        }
        self.writes.abandon(partitions);
        self.progress.forget(partitions);
        self.source.forget(partitions);
        if lost { Ok(()) } else { self.source.release(partitions).await }
    }

    /// Starts to look for what the warehouse has lost of the partitions of which nothing is being read again.
    fn check(&mut self) {
        let (warehouse, whole, limits) = (self.warehouse.renewed(), self.progress.settled(), self.limits);
        if whole.is_empty() {
            self.checks.due = Instant::now() + self.checks.least;
            return;
        }
        self.checks.running.spawn(async move {
            let since = Instant::now();
            let checked = verify::verify(&warehouse, &whole, &limits).await;
            (since.elapsed(), checked)
        });
    }

    /// What the log copy has lost is read again.
    async fn checked(&mut self, took: Duration, checked: Result<Vec<Copied>, WarehouseError>) -> Result<(), ProjectorError> {
        self.checks.due = Instant::now() + verify::pause(self.checks.least, took);
        let mut lacking = match checked {
            Ok(lacking) => lacking,
            // That the warehouse is away shows elsewhere, and so does the time of the last check.
            Err(error) => {
                tracing::warn!(error = %error.chain(), "the tables could not be checked; they will be later");
                return Ok(());
            }
        };
        let settled = self.progress.settled();
        lacking.retain(|copied| settled.iter().any(|next| next.partition == copied.partition) && self.source.can_be_read(copied));
        if lacking.is_empty() {
            return Ok(());
        }
        for Copied { partition, missing, .. } in &lacking {
            let records = missing.iter().map(|range| range.end - range.start).sum();
            let offsets = verify::named(missing);
            tracing::error!(%partition, records, offsets, "rows of the log copy are missing; reading their records again");
            metrics::repaired(Missing::Log, records);
        }
        let partitions: Vec<_> = lacking.iter().map(|copied| copied.partition.clone()).collect();
        self.writes.abandon(&partitions);
        self.batches.forget(&partitions);
        self.renew_tokens();
        let starts = self.source.start(&lacking, &[]).await?;
        self.progress.restart(starts);
        Ok(())
    }

    /// Finishes what is being written, commits it, drops the rest: the next start reads it again.
    async fn stop(&mut self) -> Result<(), ProjectorError> {
        for batch in self.writes.finish(&self.writes.partitions(), DRAIN).await? {
            self.progress.written(&batch.partition, &batch.range());
        }
        let uncommitted = self.progress.uncommitted(|_| true);
        self.source.commit(&uncommitted).await?;
        Ok(())
    }

    /// What is read from now on is new to the server, whatever it has been sent before.
    fn renew_tokens(&mut self) {
        self.warehouse = self.warehouse.renewed();
        self.writes.go_to(self.warehouse.clone());
    }

    fn drop_all(&mut self) {
        self.checks.running.abort_all();
        self.writes.abandon(&self.writes.partitions());
        self.batches.clear();
        self.progress.assign(Vec::new());
    }
}

/// Waits for an instant; for ever when there is none.
async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}
