//! Batch queue: buffers rows per partition and decides when a batch is written.
//!
//! A batch is due when it is full, when it has waited for `linger`, or at once if the reader has caught up and the partition was not
//! written within `linger`. So a single event is visible in milliseconds, and a stream becomes few large inserts. If the reader has not
//! caught up since the batch was started, there is a backlog and the batch waits for `linger_behind` instead: larger inserts process a
//! backlog faster. Each partition has at most one write in flight. At the limit `memory` reading pauses and no batch waits.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Instant,
};

use qamtu_log::{Partition, Record};

use crate::{
    batch::{Batch, OpenBatch},
    config::BatchLimits,
    rows::Row,
};

/// Rows that are buffered and not yet written, by partition.
#[derive(Debug)]
pub struct BatchQueue {
    limits: BatchLimits,
    partitions: BTreeMap<Partition, PartitionQueue>,
    caught_up: bool,
}

/// The batches of one partition, oldest first: the one being written, the full ones, the open one.
#[derive(Debug, Default)]
struct PartitionQueue {
    open: Option<OpenBatch>,
    /// Whether the reader has caught up since `open` was started.
    caught_up_since_open: bool,
    full: VecDeque<FullBatch>,
    /// Bytes of the batch that is being written.
    writing_bytes: Option<usize>,
    /// When the last write of this partition ended.
    last_written_at: Option<Instant>,
}

/// A full batch that waits for its write.
#[derive(Debug)]
struct FullBatch {
    /// Time at which its first record was added.
    opened: Instant,
    batch: Batch,
}

impl From<OpenBatch> for FullBatch {
    fn from(open: OpenBatch) -> Self {
        Self { opened: open.opened, batch: open.seal() }
    }
}

/// State of the reader, which decides how long batches wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReadState {
    /// More records are available in the log.
    Reading,
    /// The log has no more records at the moment.
    CaughtUp,
    /// The memory limit is reached: nothing is read, so no batch waits.
    Paused,
}

impl BatchQueue {
    /// An empty buffer with these limits.
    pub fn new(limits: BatchLimits) -> Self {
        Self { limits, partitions: BTreeMap::new(), caught_up: false }
    }

    /// Adds the rows of the next record of a partition.
    pub fn add(&mut self, record: &Record, rows: &[Row<'_>], now: Instant) {
        self.caught_up = false;
        let queue = self.partitions.entry(record.partition.clone()).or_default();
        queue.caught_up_since_open &= queue.open.is_some();
        if let Some(open) = queue.open.take_if(|open| !open.is_followed_by(record)) {
            queue.full.push_back(open.into());
        }
        let open = queue.open.get_or_insert_with(|| OpenBatch::new(record, now));
        open.add(record, rows);
        if open.is_full(&self.limits) {
            queue.full.extend(queue.open.take().map(FullBatch::from));
        }
    }

    /// Notes that the log has no more records at the moment.
    pub fn mark_caught_up(&mut self) {
        self.caught_up = true;
        self.partitions.values_mut().for_each(|queue| queue.caught_up_since_open = true);
    }

    /// Whether the memory limit allows more records.
    pub fn has_capacity(&self) -> bool {
        self.bytes() < self.limits.memory
    }

    /// Whether the log has no more records at the moment and all delivered ones are written.
    pub fn is_drained(&self) -> bool {
        self.caught_up && self.partitions.values().all(PartitionQueue::is_empty)
    }

    /// Bytes of all buffered rows.
    pub fn bytes(&self) -> usize {
        self.partitions.values().map(PartitionQueue::bytes).sum()
    }

    /// Takes the batch that has been due for the longest time, if one is due.
    pub fn take_due(&mut self, now: Instant) -> Option<Batch> {
        let read_state = self.read_state();
        let due = self.partitions.values_mut().filter_map(|queue| Some((queue.due(&self.limits, read_state)?, queue)));
        let (_, queue) = due.filter(|(due, _)| *due <= now).min_by_key(|(due, _)| *due)?;
        let batch = queue.full.pop_front().map(|full| full.batch).or_else(|| queue.open.take().map(OpenBatch::seal))?;
        queue.writing_bytes = Some(batch.bytes());
        Some(batch)
    }

    /// When the next batch will be due; `None` if all buffered batches are being written.
    pub fn next_due(&self) -> Option<Instant> {
        let read_state = self.read_state();
        self.partitions.values().filter_map(|queue| queue.due(&self.limits, read_state)).min()
    }

    fn read_state(&self) -> ReadState {
        match (self.has_capacity(), self.caught_up) {
            (false, _) => ReadState::Paused,
            (true, true) => ReadState::CaughtUp,
            (true, false) => ReadState::Reading,
        }
    }

    /// Notes that the batch that was taken from this partition is written.
    pub fn mark_written(&mut self, partition: &Partition, now: Instant) {
        if let Some(queue) = self.partitions.get_mut(partition) {
            queue.writing_bytes = None;
            queue.last_written_at = Some(now);
        }
    }

    /// Drops the batches of all partitions.
    pub fn clear(&mut self) {
        self.partitions.clear();
    }

    /// Drops the batches of these partitions.
    pub fn remove(&mut self, partitions: &[Partition]) {
        self.partitions.retain(|partition, _| !partitions.contains(partition));
    }
}

impl PartitionQueue {
    fn is_empty(&self) -> bool {
        self.open.is_none() && self.full.is_empty() && self.writing_bytes.is_none()
    }

    fn bytes(&self) -> usize {
        let full: usize = self.full.iter().map(|full| full.batch.bytes()).sum();
        full + self.writing_bytes.unwrap_or(0) + self.open.as_ref().map_or(0, OpenBatch::bytes)
    }

    /// When the next batch of the partition is due; `None` if there is none, or one is being written.
    fn due(&self, limits: &BatchLimits, read_state: ReadState) -> Option<Instant> {
        if self.writing_bytes.is_some() {
            return None;
        }
        if let Some(full) = self.full.front() {
            return Some(full.opened);
        }
        let open = self.open.as_ref()?;
        let linger_ends = open.opened + if self.caught_up_since_open { limits.linger } else { limits.linger_behind };
        let after_pause = self.last_written_at.map_or(open.opened, |written| open.opened.max(written + limits.linger));
        Some(match read_state {
            ReadState::Reading => linger_ends,
            ReadState::CaughtUp => linger_ends.min(after_pause),
            ReadState::Paused => open.opened,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{decode::decode, projection::project};

    const MS: Duration = Duration::from_millis(1);

    fn batches(memory: usize) -> BatchQueue {
        BatchQueue::new(BatchLimits { rows: 100, bytes: usize::MAX, linger: 500 * MS, linger_behind: 2_000 * MS, writers: 1, memory })
    }

    /// Adds an invalid record, which is one row of the log copy.
    fn add(batches: &mut BatchQueue, number: u32, offset: u64, now: Instant) {
        let partition = Partition::new("events", number);
        let record = Record { partition, offset, skipped: 0, appended_ms: 0, key: None, headers: Vec::new(), value: None };
        let decoded = decode(&record);
        batches.add(&record, &project(&record, &decoded), now);
    }

    #[test]
    fn a_single_event_is_due_at_once() {
        let (mut batches, start) = (batches(usize::MAX), Instant::now());
        add(&mut batches, 0, 0, start);
        batches.mark_caught_up();
        assert_eq!(batches.next_due(), Some(start));
        assert_eq!(batches.take_due(start).map(|batch| batch.records()), Some(1));
    }

    #[test]
    fn a_backlog_waits_for_larger_batches() {
        let (mut batches, start) = (batches(usize::MAX), Instant::now());
        batches.mark_caught_up();
        add(&mut batches, 0, 0, start);
        add(&mut batches, 0, 1, start + 1_900 * MS);
        assert_eq!(batches.next_due(), Some(start + 2_000 * MS));
        assert!(batches.take_due(start + 1_999 * MS).is_none());
        assert_eq!(batches.take_due(start + 2_000 * MS).map(|batch| batch.records()), Some(2));
        batches.mark_written(&Partition::new("events", 0), start + 2_100 * MS);
        // The reader has not caught up since the second batch was started either.
        add(&mut batches, 0, 2, start + 2_200 * MS);
        assert_eq!(batches.next_due(), Some(start + 4_200 * MS));
    }

    #[test]
    fn a_stream_without_backlog_is_visible_within_linger() {
        let (mut batches, start) = (batches(usize::MAX), Instant::now());
        add(&mut batches, 0, 0, start);
        batches.mark_caught_up();
        assert!(batches.take_due(start).is_some());
        batches.mark_written(&Partition::new("events", 0), start);
        add(&mut batches, 0, 1, start + 10 * MS);
        batches.mark_caught_up();
        // Writes of a partition are `linger` apart; records that follow do not extend the wait.
        add(&mut batches, 0, 2, start + 20 * MS);
        assert_eq!(batches.next_due(), Some(start + 510 * MS));
        batches.mark_caught_up();
        assert_eq!(batches.next_due(), Some(start + 500 * MS));
    }

    #[test]
    fn at_the_memory_limit_no_batch_waits() {
        let (mut batches, start) = (batches(1), Instant::now());
        add(&mut batches, 0, 0, start);
        add(&mut batches, 1, 0, start + MS);
        assert!(!batches.has_capacity());
        assert_eq!(batches.next_due(), Some(start));
        assert!(batches.take_due(start).is_some());
        assert_eq!(batches.next_due(), Some(start + MS));
    }
}
