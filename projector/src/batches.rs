//! Batches: collects rows per partition and decides when a batch is written.
//!
//! A batch is due when it is full, when it has waited for `linger`, or at once when nothing more is waiting in the log and the
//! partition has not been written for `linger`: a single event is visible in milliseconds, a stream in few large inserts. Of one
//! partition one batch is written at a time. What is held is bounded by `memory`: while it is full, no more records are taken.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Instant,
};

use qamtu_log::{Partition, Record};

use crate::{
    batch::{Batch, OpenBatch},
    config::Limits,
    rows::Row,
};

/// What is collected and not yet written.
#[derive(Debug)]
pub struct Batches {
    limits: Limits,
    partitions: BTreeMap<Partition, Lane>,
    caught_up: bool,
}

/// One partition.
#[derive(Debug, Default)]
struct Lane {
    open: Option<OpenBatch>,
    /// What is full, with the time at which it was begun.
    full: VecDeque<(Instant, Batch)>,
    /// Bytes of the batch that is being written.
    writing: Option<usize>,
    written: Option<Instant>,
}

impl Batches {
    /// Nothing yet.
    pub fn new(limits: Limits) -> Self {
        Self { limits, partitions: BTreeMap::new(), caught_up: false }
    }

    /// Adds the rows of the next record of a partition.
    pub fn add(&mut self, record: &Record, rows: &[Row<'_>], now: Instant) {
        self.caught_up = false;
        let lane = self.partitions.entry(record.partition.clone()).or_default();
        let open = lane.open.get_or_insert_with(|| OpenBatch::new(record, now));
        open.add(record, rows);
        if open.is_full(&self.limits) {
            lane.full.extend(lane.open.take().map(|open| (open.opened, open.seal())));
        }
    }

    /// The log has nothing more for the moment.
    pub fn caught_up(&mut self) {
        self.caught_up = true;
    }

    /// Whether more records may be taken.
    pub fn have_room(&self) -> bool {
        self.bytes() < self.limits.memory
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.partitions.values().map(Lane::bytes).sum()
    }

    /// Takes the batch that has been due for longest, if one is due.
    pub fn take_due(&mut self, now: Instant) -> Option<Batch> {
        let due = self.partitions.values_mut().filter_map(|lane| Some((lane.due(&self.limits, self.caught_up)?, lane)));
        let (_, lane) = due.filter(|(due, _)| *due <= now).min_by_key(|(due, _)| *due)?;
        let batch = lane.full.pop_front().map(|(_, batch)| batch).or_else(|| lane.open.take().map(OpenBatch::seal))?;
        lane.writing = Some(batch.bytes());
        Some(batch)
    }

    /// When the next batch will be due; none while all that is held is being written.
    pub fn next_due(&self) -> Option<Instant> {
        self.partitions.values().filter_map(|lane| lane.due(&self.limits, self.caught_up)).min()
    }

    /// The batch of this partition was written.
    pub fn written(&mut self, partition: &Partition, now: Instant) {
        if let Some(lane) = self.partitions.get_mut(partition) {
            lane.writing = None;
            lane.written = Some(now);
        }
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        self.partitions.clear();
    }

    /// Drops what is held of these partitions.
    pub fn forget(&mut self, partitions: &[Partition]) {
        self.partitions.retain(|partition, _| !partitions.contains(partition));
    }
}

impl Lane {
    fn bytes(&self) -> usize {
        let full: usize = self.full.iter().map(|(_, batch)| batch.bytes()).sum();
        full + self.writing.unwrap_or(0) + self.open.as_ref().map_or(0, OpenBatch::bytes)
    }

    fn due(&self, limits: &Limits, caught_up: bool) -> Option<Instant> {
        if self.writing.is_some() {
            return None;
        }
        if let Some((opened, _)) = self.full.front() {
            return Some(*opened);
        }
        let open = self.open.as_ref()?;
        let waited = open.opened + limits.linger;
        let rested = self.written.map_or(open.opened, |written| open.opened.max(written + limits.linger));
        Some(if caught_up { waited.min(rested) } else { waited })
    }
}
