//! Progress: up to which offset the records of each owned partition were delivered, written and committed, and which are missing.
//!
//! A committed offset never passes an unwritten record and never decreases. A record whose row exists is not written again, also if
//! reading restarts at an earlier missing record.

use std::{
    collections::BTreeMap,
    ops::Range,
    time::{Duration, Instant},
};

use qamtu_log::{NextOffset, Partition, Record};

/// Minimum time between two commits; a commit is only a hint for the next start.
const COMMIT_INTERVAL: Duration = Duration::from_secs(1);

/// Where reading of a partition starts, and which of its records are needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartPosition {
    /// Partition to read.
    pub partition: Partition,
    /// First offset to read.
    pub read_from: u64,
    /// Ranges below `new_from` that the log copy lacks, in order.
    pub missing: Vec<Range<u64>>,
    /// Offset from which on no record has a row in the log copy.
    pub new_from: u64,
}

/// Delivered, written and committed offsets of the owned partitions.
#[derive(Debug, Default)]
pub struct Progress {
    partitions: BTreeMap<Partition, PartitionOffsets>,
    last_commit: Option<Instant>,
}

#[derive(Debug, Clone)]
struct PartitionOffsets {
    /// Every record below was delivered, or is not delivered because its row exists.
    delivered_below: u64,
    /// See [`StartPosition::new_from`].
    new_from: u64,
    /// Ranges below `new_from` that are still missing.
    missing: Vec<Range<u64>>,
    /// Every record below is written, except those in `missing`.
    written_below: u64,
    /// The committed offset; 0 before the first commit.
    committed: u64,
}

impl Progress {
    /// Replaces the owned partitions by these.
    pub fn assign(&mut self, starts: Vec<StartPosition>) {
        self.partitions.clear();
        self.restart(starts);
    }

    /// Restarts these partitions and leaves the others unchanged.
    pub fn restart(&mut self, starts: Vec<StartPosition>) {
        for StartPosition { partition, read_from, missing, new_from } in starts {
            let committed = self.partitions.get(&partition).map_or(0, |offsets| offsets.committed);
            let offsets = PartitionOffsets { delivered_below: read_from, new_from, missing, written_below: new_from, committed };
            self.partitions.insert(partition, offsets);
        }
    }

    /// Notes that this record was delivered, and returns whether its rows must be written: not if they exist, if it was delivered before,
    /// or if its partition is not owned.
    pub fn mark_delivered(&mut self, record: &Record) -> bool {
        let Some(offsets) = self.partitions.get_mut(&record.partition) else { return false };
        if record.offset < offsets.delivered_below {
            return false;
        }
        offsets.delivered_below = record.offset + 1;
        let covers = record.covers();
        covers.end > offsets.new_from || offsets.missing.iter().any(|range| range.start < covers.end && covers.start < range.end)
    }

    /// Notes that all rows of the records in this range are written.
    pub fn mark_written(&mut self, partition: &Partition, range: &Range<u64>) {
        if let Some(offsets) = self.partitions.get_mut(partition) {
            offsets.written_below = offsets.written_below.max(range.end);
            offsets.missing = offsets.missing.iter().flat_map(|missing| subtract(missing, range)).collect();
        }
    }

    /// Offsets to commit now; empty shortly after the last commit.
    pub fn commit_due(&mut self, now: Instant) -> Vec<NextOffset> {
        if self.last_commit.is_some_and(|last| now.duration_since(last) < COMMIT_INTERVAL) {
            return Vec::new();
        }
        self.uncommitted(|_| true)
    }

    /// Contiguous offsets that are not committed, of the partitions that `pick` selects.
    pub fn uncommitted(&self, pick: impl Fn(&Partition) -> bool) -> Vec<NextOffset> {
        let behind =
            self.partitions.iter().filter(|(partition, offsets)| offsets.contiguous_offset() > offsets.committed && pick(partition));
        behind.map(|(partition, offsets)| partition.next_offset(offsets.contiguous_offset())).collect()
    }

    /// Notes that these offsets are committed.
    pub fn mark_committed(&mut self, offsets: &[NextOffset], now: Instant) {
        self.last_commit = Some(now);
        for next in offsets {
            if let Some(offsets) = self.partitions.get_mut(&next.partition) {
                offsets.committed = offsets.committed.max(next.offset);
            }
        }
    }

    /// Removes partitions that are no longer owned.
    pub fn remove(&mut self, partitions: &[Partition]) {
        self.partitions.retain(|partition, _| !partitions.contains(partition));
    }

    /// The contiguous offset of each owned partition.
    pub fn contiguous_offsets(&self) -> impl Iterator<Item = NextOffset> {
        self.partitions.iter().map(|(partition, offsets)| partition.next_offset(offsets.contiguous_offset()))
    }

    /// The contiguous offset of each partition without missing ranges.
    pub fn complete_partitions(&self) -> Vec<NextOffset> {
        let complete = self.partitions.iter().filter(|(_, offsets)| offsets.missing.is_empty());
        complete.map(|(partition, offsets)| partition.next_offset(offsets.written_below)).collect()
    }
}

impl PartitionOffsets {
    /// Offset below which every record is written.
    fn contiguous_offset(&self) -> u64 {
        self.missing.first().map_or(self.written_below, |missing| missing.start)
    }
}

/// The parts of `range` outside of `taken`.
fn subtract(range: &Range<u64>, taken: &Range<u64>) -> impl Iterator<Item = Range<u64>> + use<> {
    let before = range.start..range.end.min(taken.start);
    let after = range.start.max(taken.end)..range.end;
    [before, after].into_iter().filter(|rest| !rest.is_empty())
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init, reason = "one range of offsets among several")]
mod tests {
    use super::*;

    fn partition() -> Partition {
        Partition::new("events", 0)
    }

    fn record(offset: u64, skipped: u64) -> Record {
        Record { partition: partition(), offset, skipped, appended_ms: 0, key: None, headers: Vec::new(), value: None }
    }

    fn start(read_from: u64, missing: &[Range<u64>], new_from: u64) -> Progress {
        let mut progress = Progress::default();
        progress.assign(vec![StartPosition { partition: partition(), read_from, missing: missing.to_vec(), new_from }]);
        progress
    }

    fn contiguous_offset(progress: &Progress) -> u64 {
        progress.contiguous_offsets().next().unwrap().offset
    }

    #[test]
    fn only_missing_records_are_written_again() {
        let mut progress = start(3, &[3..5, 8..9], 20);
        let written: Vec<u64> = (0..22).filter(|offset| progress.mark_delivered(&record(*offset, 0))).collect();
        assert_eq!(written, [3, 4, 8, 20, 21]);
        assert!(!progress.mark_delivered(&record(21, 0)), "it was delivered before");
    }

    #[test]
    fn a_record_after_offsets_that_the_log_removed_covers_them() {
        let mut progress = start(3, &[3..5], 20);
        // The log has removed 3..7 since, so the row of record 7 must cover them.
        assert!(progress.mark_delivered(&record(7, 4)));
        assert!(!progress.mark_delivered(&record(8, 0)));
        progress.mark_written(&partition(), &(3..8));
        assert_eq!(contiguous_offset(&progress), 20);
    }

    #[test]
    fn a_commit_waits_for_missing_records() {
        let mut progress = start(3, &[3..6, 8..9], 20);
        assert!(progress.complete_partitions().is_empty());
        for (written, expected) in [(4..5, 3), (20..25, 3), (3..4, 5), (5..6, 8), (8..9, 25)] {
            progress.mark_written(&partition(), &written);
            assert_eq!(contiguous_offset(&progress), expected, "{written:?}");
        }
        assert_eq!(progress.complete_partitions(), [partition().next_offset(25)]);
    }
}
