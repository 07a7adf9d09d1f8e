//! The whole flow on one screen: source -> decode -> project -> batch -> write -> commit.
//!
//! At-least-once delivery, exactly-once effect: a contiguous range of offsets is one batch, its facts are written first and the log
//! copy last, a commit follows the log copy, and a start follows the log copy and never the commit. So after a crash at any point the
//! same records are projected again, and their rows collapse by key (proved in `tests/`).

use std::time::{Duration, Instant};

use qamtu_log::{Bounds, Delivery, Partition, Record};

use crate::{
    batch::Batch, batches::Batches, config::Limits, decode::decode, ends::Ends, error::ProjectorError, fate::Fate, lag::Lag, metrics,
    progress::Progress, project::project, source::Source, warehouse::Warehouse, writes::Writes,
};

/// How long a write under way may take when its partition is taken away, or the process is asked to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// What flows.
struct Flow {
    source: Source,
    warehouse: Warehouse,
    batches: Batches,
    writes: Writes,
    progress: Progress,
    ends: Ends,
    lag: Lag,
}

/// Runs until `shutdown` resolves, or something fails that no repetition can mend.
pub async fn run(source: Source, warehouse: Warehouse, limits: Limits, shutdown: impl Future<Output = ()>) -> Result<(), ProjectorError> {
    let (writes, ends) = (Writes::new(warehouse.clone(), limits.writers), source.ends());
    let (batches, progress, lag) = (Batches::new(limits), Progress::default(), Lag::default());
    let mut flow = Flow { source, warehouse, batches, writes, progress, ends, lag };
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
            tokio::select! {
                written = self.writes.next() => self.written(written?).await?,
                () = until(due) => {}
                delivery = self.source.next(), if self.batches.have_room() => match delivery? {
                    Delivery::Assigned(partitions) => self.assigned(&partitions).await?,
                    Delivery::Records(records) => records.iter().try_for_each(|record| self.take(record))?,
                    Delivery::Revoked { partitions, lost } => self.revoked(&partitions, lost).await?,
                    Delivery::CaughtUp => self.caught_up(),
                },
                ends = self.ends.next() => self.compare(ends)?,
            }
        }
    }

    /// One record: decode, project, batch.
    fn take(&mut self, record: &Record) -> Result<(), ProjectorError> {
        if self.progress.take(record)? {
            let fate = decode(record);
            if let Fate::Rejected(rejection) = &fate {
                let (partition, reason) = (record.partition.to_string(), rejection.reason.label());
                tracing::warn!(partition, offset = record.offset, reason, "rejected a record; see v_rejected");
                metrics::rejected(rejection.reason);
            }
            self.batches.add(record, &project(record, &fate), Instant::now());
        }
        Ok(())
    }

    fn caught_up(&mut self) {
        self.batches.caught_up();
        self.lag.caught_up(Instant::now());
    }

    /// Compares what is written with how far the log goes; none: the log does not say.
    fn compare(&mut self, ends: Option<Vec<Bounds>>) -> Result<(), ProjectorError> {
        let Some(ends) = ends else {
            self.progress.all_written().for_each(|written| metrics::lag_unknown(&written.partition));
            return Ok(());
        };
        for (partition, records) in self.lag.see(&ends, self.progress.all_written(), Instant::now())? {
            metrics::lag(&partition, records);
        }
        Ok(())
    }

    /// One batch is written, receipt included: commit.
    async fn written(&mut self, batch: Batch) -> Result<(), ProjectorError> {
        metrics::written(&batch);
        self.batches.written(&batch.partition, Instant::now());
        self.progress.written(&batch.next_offset());
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
        let receipts = self.warehouse.receipts(&names).await?;
        self.source.prove(self.warehouse.witnesses(&receipts).await?).await?;
        self.progress.assign(&receipts);
        tracing::info!(partitions = receipts.len(), "assigned");
        self.source.start_at(partitions, &receipts).await
    }

    /// These partitions are wanted back: finish what is being written, commit it, let them go.
    async fn revoked(&mut self, partitions: &[Partition], lost: bool) -> Result<(), ProjectorError> {
        self.batches.forget(partitions);
        if !lost {
            for batch in self.writes.finish(partitions, DRAIN).await? {
                self.written(batch).await?;
            }
            let uncommitted = self.progress.uncommitted(|partition| partitions.contains(partition));
            self.source.commit(&uncommitted).await?;
        }
        self.writes.abandon(partitions);
        self.progress.forget(partitions);
        partitions.iter().for_each(metrics::lag_unknown);
        if lost { Ok(()) } else { self.source.release(partitions).await }
    }

    /// Finishes what is being written, commits it, drops the rest: the next start reads it again.
    async fn stop(&mut self) -> Result<(), ProjectorError> {
        for batch in self.writes.finish(&self.writes.partitions(), DRAIN).await? {
            self.progress.written(&batch.next_offset());
        }
        let uncommitted = self.progress.uncommitted(|_| true);
        self.source.commit(&uncommitted).await?;
        Ok(())
    }

    fn drop_all(&mut self) {
        self.writes.abandon(&self.writes.partitions());
        self.batches.clear();
        self.progress.assign(&[]);
    }
}

/// Waits for an instant; for ever when there is none.
async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}
