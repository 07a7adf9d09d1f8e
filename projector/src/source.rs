//! Source: reads the log as a member of the consumer group. The log copy alone decides where reading starts (`read_plan.rs`).
//!
//! The committed offset is only a hint: offsets that the log copy lacks are read even if they were committed. Records that the log
//! removed before they were read are reported, and reading continues after them; the contiguous offset stays before them until an
//! operator gives them up.

use std::{collections::BTreeMap, ops::Range, time::Instant};

use qamtu_log::{Bounds, Delivery, LogConfig, LogError, LogReader, NextOffset, Partition, ReaderOptions, open_reader};
use qamtu_schemas::Topic;

use crate::{
    config::Config,
    end_offsets::EndOffsets,
    error::ProjectorError,
    health::{Health, ProblemKind},
    lag::{Lag, STALL_TIMEOUT},
    log_identity, metrics,
    progress::{Progress, StartPosition},
    verify::format_ranges,
    warehouse::{LogCopyState, LogSample},
};

mod read_plan;

use read_plan::ReadPlan;

/// Maximum records of one delivery; decoding them takes about 10 ms.
const DELIVERY_RECORDS: usize = 2_000;
/// Maximum bytes of one delivery.
const DELIVERY_BYTES: usize = 4 << 20;

/// Reader of the log, with what it knows of lag and of lost records.
pub struct LogSource {
    reader: Box<dyn LogReader>,
    topics: Vec<String>,
    log: LogConfig,
    lag: Lag,
    /// Whether partitions are assigned; the assignment may be empty.
    assigned: bool,
    health: Health,
    /// By partition: offset below which an operator has given up removed records.
    accept_lost: BTreeMap<String, u64>,
    /// Ranges that the log removed before they were read.
    lost: BTreeMap<Partition, Vec<Range<u64>>>,
    /// By partition: number of lost offsets directly before its next record that an operator has given up. The `skipped` of that record counts
    /// them.
    given_up: BTreeMap<Partition, u64>,
}

impl LogSource {
    /// Opens the reader and joins the consumer group.
    pub async fn open(config: &Config, health: &Health) -> Result<Self, ProjectorError> {
        let topics = Topic::ALL.map(|topic| topic.name().to_owned()).to_vec();
        let options = ReaderOptions {
            topics: topics.clone(),
            membership: config.projector.membership(),
            max_records: DELIVERY_RECORDS,
            max_bytes: DELIVERY_BYTES,
        };
        Ok(Self {
            reader: open_reader(&config.log, options).await?,
            topics,
            log: config.log.clone(),
            lag: Lag::default(),
            assigned: false,
            health: health.clone(),
            accept_lost: config.projector.accept_lost.clone(),
            lost: BTreeMap::new(),
            given_up: BTreeMap::new(),
        })
    }

    /// Starts to poll the end offsets of the log.
    pub fn end_offsets(&self) -> EndOffsets {
        EndOffsets::poll(self.log.clone(), self.topics.clone())
    }

    /// Fails unless this is the log that the log copy was made from.
    pub async fn check_same_log(&self, copy: Vec<LogSample>) -> Result<(), ProjectorError> {
        log_identity::check_same_log(&self.log, copy).await
    }

    /// Waits for the next delivery. Cancel-safe.
    pub async fn next(&mut self) -> Result<Delivery, ProjectorError> {
        let mut delivery = self.reader.next().await?;
        if let Delivery::Records(records) = &mut delivery {
            for record in records {
                record.skipped += self.given_up.remove(&record.partition).unwrap_or(0);
            }
        }
        Ok(delivery)
    }

    /// Starts each partition at the first offset that the log copy lacks: its end, or the first row that it has lost.
    pub async fn start(
        &mut self,
        states: &[LogCopyState],
        committed: &[(Partition, Option<u64>)],
    ) -> Result<Vec<StartPosition>, ProjectorError> {
        let bounds = self.bounds().await?;
        let mut starts = Vec::new();
        for state in states {
            let partition = &state.partition;
            let bounds = bounds.iter().find(|bounds| bounds.partition == *partition);
            let bounds = bounds.ok_or_else(|| ProjectorError::UnknownPartition { partition: partition.clone() })?;
            let committed = committed.iter().find(|(candidate, _)| candidate == partition).and_then(|(_, offset)| *offset);
            if let Some(committed) = committed.filter(|offset| *offset > state.contiguous_offset()) {
                let contiguous_offset = state.contiguous_offset();
                tracing::warn!(%partition, committed, contiguous_offset, "the log copy lacks committed records: reading them again");
            }
            let give_up_below = self.accept_lost.get(&partition.to_string()).copied().unwrap_or(0);
            let ReadPlan { start, lost, given_up } = ReadPlan::new(state, committed, bounds, give_up_below)?;
            self.report_lost(partition, &lost);
            self.lost.insert(partition.clone(), lost);
            self.given_up.insert(partition.clone(), given_up);
            starts.push(start);
        }
        let offsets: Vec<_> = starts.iter().map(|start| start.partition.next_offset(start.read_from)).collect();
        self.reader.start_at(&offsets).await?;
        self.assigned = true;
        self.health.resolve(&ProblemKind::Start);
        self.health.resolve(&ProblemKind::Progress);
        Ok(starts)
    }

    /// Whether the log may still have a record that the log copy lacks.
    pub fn is_readable(&self, state: &LogCopyState) -> bool {
        let lost = self.lost.get(&state.partition).map(Vec::as_slice).unwrap_or_default();
        state.missing.iter().any(|missing| !lost.iter().any(|lost| lost.start <= missing.start && missing.end <= lost.end))
    }

    /// Logs these lost offsets and reports them as a problem; without lost offsets the problem is resolved.
    fn report_lost(&self, partition: &Partition, lost: &[Range<u64>]) {
        metrics::lost(partition, lost.iter().map(|range| range.end - range.start).sum());
        if lost.is_empty() {
            return self.health.resolve(&ProblemKind::LostRecords(partition.clone()));
        }
        let offsets = format_ranges(lost);
        tracing::error!(%partition, offsets, "the log removed records before they were written to the warehouse; figures stop before them");
        let below = lost.last().map_or(0, |range| range.end);
        let fix = "restore them in the log and start again, or give them up with projector.accept_lost";
        let problem = format!("the log removed the offsets {offsets} before they were written; {fix} = {{ \"{partition}\" = {below} }}");
        self.health.report(ProblemKind::LostRecords(partition.clone()), problem);
    }

    /// Commits offsets. A revoked partition or a transient failure is not an error, because a commit is only a hint.
    pub async fn commit(&mut self, offsets: &[NextOffset]) -> Result<bool, ProjectorError> {
        if offsets.is_empty() {
            return Ok(false);
        }
        match self.reader.commit(offsets).await {
            Ok(()) => Ok(true),
            Err(error @ LogError::NotOwned { .. }) => {
                tracing::info!(%error, "not committed");
                Ok(false)
            }
            Err(error) if error.is_transient() => {
                tracing::warn!(%error, "not committed; the next commit covers it");
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Releases revoked partitions to the group.
    pub async fn release(&mut self, partitions: &[Partition]) -> Result<(), ProjectorError> {
        Ok(self.reader.release(partitions).await?)
    }

    /// Removes the state and the problems of partitions that are no longer owned.
    pub fn unassign(&mut self, partitions: &[Partition]) {
        self.assigned = false;
        self.health.report(ProblemKind::Progress, "no partitions are assigned; the group is rebalancing".to_owned());
        for partition in partitions {
            metrics::lag_unknown(partition);
            self.given_up.remove(partition);
            if self.lost.remove(partition).is_some() {
                self.report_lost(partition, &[]);
            }
        }
    }

    /// Notes that the log has no more records at the moment.
    pub fn mark_caught_up(&mut self) {
        self.lag.mark_caught_up(Instant::now());
    }

    /// Updates the lag metrics from the end offsets; `ends` is `None` if they are unknown. `pending`: some read records are not written.
    pub fn update_lag(&mut self, ends: Option<Vec<Bounds>>, progress: &Progress, pending: bool) -> Result<(), ProjectorError> {
        let Some(ends) = ends else {
            progress.contiguous_offsets().for_each(|next| metrics::lag_unknown(&next.partition));
            self.health.report(ProblemKind::Log, "its end offsets are unknown".to_owned());
            return Ok(());
        };
        self.health.resolve(&ProblemKind::Log);
        let now = Instant::now();
        for (partition, records) in self.lag.update(&ends, progress.contiguous_offsets(), pending, now)? {
            metrics::lag(&partition, records);
        }
        match self.lag.stalled(now) {
            None if !self.assigned => {}
            None => self.health.resolve(&ProblemKind::Progress),
            Some(partition) => {
                let problem = format!("{partition} has had records for {} s, and none of them was written", STALL_TIMEOUT.as_secs());
                self.health.report(ProblemKind::Progress, problem);
            }
        }
        Ok(())
    }

    async fn bounds(&self) -> Result<Vec<Bounds>, ProjectorError> {
        let mut bounds = Vec::new();
        for topic in &self.topics {
            bounds.extend(self.reader.bounds(topic).await?);
        }
        Ok(bounds)
    }
}
