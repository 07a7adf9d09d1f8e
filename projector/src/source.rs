//! Source: reads the log. The start offset is decided by the log copy alone.
//!
//! The committed offset is only a hint: offsets that the log copy lacks are read even if they were committed. Records that the log
//! removed before they were read are reported and skipped; the contiguous offset stays before them until an operator gives them up. A log that is
//! shorter than the copy is an error that names the partition.

use std::{collections::BTreeMap, ops::Range, time::Instant};

use qamtu_log::{Bounds, Delivery, LogConfig, LogError, LogReader, NextOffset, Partition, ReaderOptions, open_reader};
use qamtu_schemas::Topic;

use crate::{
    config::Config,
    end_offsets::EndOffsets,
    error::ProjectorError,
    health::{Health, ProblemKind},
    identity,
    lag::{Lag, STALL_TIMEOUT},
    metrics,
    progress::{Progress, StartPosition},
    warehouse::{LogCopyState, LogSample},
};

/// Maximum records of one delivery; decoding them takes about 10 ms.
const DELIVERY_RECORDS: usize = 2_000;
/// Maximum bytes of one delivery.
const DELIVERY_BYTES: usize = 4 << 20;

/// Reads the log as a member of the consumer group.
pub struct Source {
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
    /// By partition: given-up offsets directly before its next record, added to `skipped` of that record.
    skipped_lost: BTreeMap<Partition, u64>,
}

impl Source {
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
            skipped_lost: BTreeMap::new(),
        })
    }

    /// Starts to poll the end offsets of the log.
    pub fn end_offsets(&self) -> EndOffsets {
        EndOffsets::poll(self.log.clone(), self.topics.clone())
    }

    /// Fails unless this is the log that the log copy was made from.
    pub async fn check_same_log(&self, copy: Vec<LogSample>) -> Result<(), ProjectorError> {
        identity::check_same_log(&self.log, copy).await
    }

    /// Waits for the next delivery. Cancel-safe.
    pub async fn next(&mut self) -> Result<Delivery, ProjectorError> {
        let mut delivery = self.reader.next().await?;
        if let Delivery::Records(records) = &mut delivery {
            for record in records {
                record.skipped += self.skipped_lost.remove(&record.partition).unwrap_or(0);
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
            let offset = committed.iter().find(|(candidate, _)| candidate == partition).and_then(|(_, offset)| *offset);
            if let Some(committed) = offset.filter(|offset| *offset > state.contiguous_offset()) {
                let contiguous_offset = state.contiguous_offset();
                tracing::warn!(%partition, committed, contiguous_offset, "the log copy lacks committed records: reading them again");
            }
            let accepted = self.accept_lost.get(&partition.to_string()).copied().unwrap_or(0);
            let ReadPlan { start, lost, skipped_lost } = plan_read(state, offset, bounds, accepted)?;
            self.report_lost(partition, &lost);
            self.lost.insert(partition.clone(), lost);
            self.skipped_lost.insert(partition.clone(), skipped_lost);
            starts.push(start);
        }
        let offsets: Vec<_> = starts.iter().map(|start| start.partition.next_offset(start.offset)).collect();
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

    /// Logs the lost offsets once and reports them as a problem while they last.
    fn report_lost(&self, partition: &Partition, lost: &[Range<u64>]) {
        metrics::lost(partition, lost.iter().map(|range| range.end - range.start).sum());
        if lost.is_empty() {
            return self.health.resolve(&ProblemKind::LostRecords(partition.clone()));
        }
        let offsets = lost.iter().map(|range| format!("{}..{}", range.start, range.end)).collect::<Vec<_>>().join(", ");
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
            self.skipped_lost.remove(partition);
            if self.lost.remove(partition).is_some() {
                self.report_lost(partition, &[]);
            }
        }
    }

    /// Notes that the log has no more records at the moment.
    pub fn caught_up(&mut self) {
        self.lag.caught_up(Instant::now());
    }

    /// Updates the lag metrics from the end offsets; `ends` is `None` if they are unknown. `pending`: some read records are not written.
    pub fn update_lag(&mut self, ends: Option<Vec<Bounds>>, progress: &Progress, pending: bool) -> Result<(), ProjectorError> {
        let Some(ends) = ends else {
            progress.all_written().for_each(|written| metrics::lag_unknown(&written.partition));
            self.health.report(ProblemKind::Log, "its end offsets are unknown".to_owned());
            return Ok(());
        };
        self.health.resolve(&ProblemKind::Log);
        let now = Instant::now();
        for (partition, records) in self.lag.update(&ends, progress.all_written(), (pending, now))? {
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

/// From where a partition is read, and what cannot be read.
#[derive(Debug, PartialEq, Eq)]
struct ReadPlan {
    start: StartPosition,
    /// Ranges that the copy lacks and the log has removed.
    lost: Vec<Range<u64>>,
    /// See [`Source::skipped_lost`].
    skipped_lost: u64,
}

/// Decides where to start reading. Removed records below the offset `accepted` are given up.
fn plan_read(state: &LogCopyState, committed: Option<u64>, bounds: &Bounds, accepted: u64) -> Result<ReadPlan, ProjectorError> {
    let partition = state.partition.clone();
    if bounds.end < state.end {
        return Err(ProjectorError::LogTooShort { partition, end: bounds.end, needed: state.end });
    }
    let begin = bounds.start;
    let unavailable = state.missing.iter().cloned().chain((state.end < begin).then_some(state.end..begin));
    let mut lost: Vec<_> = unavailable.map(|range| range.start..range.end.min(begin)).filter(|range| !range.is_empty()).collect();
    let mut missing: Vec<_> =
        state.missing.iter().map(|range| range.start.max(begin)..range.end).filter(|range| !range.is_empty()).collect();
    let mut offset = missing.first().map_or(state.end.max(begin), |missing| missing.start);
    let mut skipped_lost = 0;
    // Nobody has read this partition yet: records that the log removed before are not counted as lost.
    let untouched = state.end == 0 && committed.unwrap_or(0) == 0;
    if let Some(first) = lost.first().filter(|_| untouched || begin <= accepted).map(|range| range.start) {
        tracing::warn!(%partition, first, next = begin, "reading starts after records that the log removed");
        // The row of the first record must state the skipped offsets, so it is read even if that row exists.
        (offset, skipped_lost) = (begin, begin - first);
        missing.insert(0, first..begin);
        lost.clear();
    }
    Ok(ReadPlan { start: StartPosition { partition, offset, missing, end: state.end.max(begin) }, lost, skipped_lost })
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init, reason = "one range of offsets among several")]
mod tests {
    use super::*;

    fn partition() -> Partition {
        Partition::new("events", 3)
    }

    /// Missing ranges of the copy, and its end.
    type CopyRanges<'a> = (&'a [Range<u64>], u64);

    fn planned((missing, end): CopyRanges<'_>, committed: Option<u64>, log: Range<u64>, accepted: u64) -> Result<ReadPlan, ProjectorError> {
        let state = LogCopyState { partition: partition(), missing: missing.to_vec(), end };
        plan_read(&state, committed, &Bounds { partition: partition(), start: log.start, end: log.end }, accepted)
    }

    fn expected(offset: u64, (missing, end): CopyRanges<'_>, lost: &[Range<u64>], skipped_lost: u64) -> ReadPlan {
        ReadPlan {
            start: StartPosition { partition: partition(), offset, missing: missing.to_vec(), end },
            lost: lost.to_vec(),
            skipped_lost,
        }
    }

    #[test]
    fn reading_starts_at_the_first_missing_record() {
        assert_eq!(planned((&[], 20), Some(20), 10..30, 0).unwrap(), expected(20, (&[], 20), &[], 0));
        assert_eq!(planned((&[12..14, 16..17], 20), Some(20), 10..30, 0).unwrap(), expected(12, (&[12..14, 16..17], 20), &[], 0));
    }

    #[test]
    fn removed_records_are_lost_and_later_ones_are_read() {
        assert_eq!(planned((&[], 5), Some(5), 10..30, 0).unwrap(), expected(10, (&[], 10), &[5..10], 0));
        assert_eq!(planned((&[2..4, 8..15], 20), Some(20), 10..30, 0).unwrap(), expected(10, (&[10..15], 20), &[2..4, 8..10], 0));
        // A new database, and a group that has committed offsets of this log.
        assert_eq!(planned((&[], 0), Some(15), 10..30, 0).unwrap(), expected(10, (&[], 10), &[0..10], 0));
    }

    #[test]
    fn given_up_records_are_skipped_by_the_first_record_after_them() {
        assert_eq!(planned((&[], 5), Some(5), 10..30, 10).unwrap(), expected(10, (&[5..10], 10), &[], 5));
        assert_eq!(planned((&[], 5), Some(5), 11..30, 10).unwrap(), expected(11, (&[], 11), &[5..11], 0), "more is lost than was given up");
        // The rows after the loss exist: the first of them is written again.
        assert_eq!(planned((&[5..10], 20), Some(5), 10..30, 10).unwrap(), expected(10, (&[5..10], 20), &[], 5));
        assert_eq!(planned((&[3..5, 8..15], 20), Some(20), 10..30, 10).unwrap(), expected(10, (&[3..10, 10..15], 20), &[], 7));
    }

    #[test]
    fn a_log_that_starts_after_offset_0_is_read_from_its_start() {
        assert_eq!(planned((&[], 0), None, 10..30, 0).unwrap(), expected(10, (&[0..10], 10), &[], 10));
    }

    #[test]
    fn a_log_that_is_shorter_than_the_copy_is_refused() {
        let refused = planned((&[], 21), None, 10..20, 0);
        assert!(matches!(refused, Err(ProjectorError::LogTooShort { needed: 21, end: 20, .. })), "{refused:?}");
    }
}
