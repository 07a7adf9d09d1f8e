//! Progress: delivered, missing, written and committed offsets of each owned partition.
//!
//! Every offset is the next one to consume. A committed offset never passes an unwritten one and never decreases. A record whose row
//! exists is skipped, also after a restart at an earlier missing record.

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
    pub offset: u64,
    /// Ranges below `end` that the log copy lacks, in order.
    pub missing: Vec<Range<u64>>,
    /// Offset from which on every record is needed.
    pub end: u64,
}

/// Read, written and committed offsets of the owned partitions.
#[derive(Debug, Default)]
pub struct Progress {
    partitions: BTreeMap<Partition, PartitionOffsets>,
    last_commit: Option<Instant>,
}

/// Offsets of one partition.
#[derive(Debug, Clone)]
struct PartitionOffsets {
    /// Lowest offset that was not delivered yet.
    expected: u64,
    /// Offset from which on every record is needed.
    end: u64,
    /// Ranges below `end` that are still missing.
    missing: Vec<Range<u64>>,
    /// Every offset below is written, except `missing`.
    written: u64,
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
        for StartPosition { partition, offset, missing, end } in starts {
            let committed = self.partitions.get(&partition).map_or(0, |offsets| offsets.committed);
            self.partitions.insert(partition, PartitionOffsets { expected: offset, end, missing, written: end, committed });
        }
    }

    /// Advances past this record; returns whether it must be written. One that is already written, or whose partition is not owned, must
    /// not.
    pub fn accept(&mut self, record: &Record) -> bool {
        let Some(offsets) = self.partitions.get_mut(&record.partition) else { return false };
        if record.offset < offsets.expected {
            return false;
        }
        offsets.expected = record.offset + 1;
        let covers = record.covers();
        covers.end > offsets.end || offsets.missing.iter().any(|range| range.start < covers.end && covers.start < range.end)
    }

    /// Marks this range as written.
    pub fn written(&mut self, partition: &Partition, range: &Range<u64>) {
        if let Some(offsets) = self.partitions.get_mut(partition) {
            offsets.written = offsets.written.max(range.end);
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

    /// Written offsets that are not committed, of the partitions that `pick` selects.
    pub fn uncommitted(&self, pick: impl Fn(&Partition) -> bool) -> Vec<NextOffset> {
        let behind =
            self.partitions.iter().filter(|(partition, offsets)| offsets.contiguous_offset() > offsets.committed && pick(partition));
        behind.map(|(partition, offsets)| partition.next_offset(offsets.contiguous_offset())).collect()
    }

    /// Notes a successful commit.
    pub fn committed(&mut self, offsets: &[NextOffset], now: Instant) {
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
    pub fn all_written(&self) -> impl Iterator<Item = NextOffset> {
        self.partitions.iter().map(|(partition, offsets)| partition.next_offset(offsets.contiguous_offset()))
    }

    /// The contiguous offset of each partition without missing ranges.
    pub fn complete(&self) -> Vec<NextOffset> {
        let complete = self.partitions.iter().filter(|(_, offsets)| offsets.missing.is_empty());
        complete.map(|(partition, offsets)| partition.next_offset(offsets.written)).collect()
    }
}

impl PartitionOffsets {
    /// Offset below which everything is written.
    fn contiguous_offset(&self) -> u64 {
        self.missing.first().map_or(self.written, |missing| missing.start)
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

    fn start(offset: u64, missing: &[Range<u64>], end: u64) -> Progress {
        let mut progress = Progress::default();
        progress.assign(vec![StartPosition { partition: partition(), offset, missing: missing.to_vec(), end }]);
        progress
    }

    fn contiguous_offset(progress: &Progress) -> u64 {
        progress.all_written().next().unwrap().offset
    }

    #[test]
    fn only_missing_records_are_accepted_again() {
        let mut progress = start(3, &[3..5, 8..9], 20);
        let taken: Vec<u64> = (0..22).filter(|offset| progress.accept(&record(*offset, 0))).collect();
        assert_eq!(taken, [3, 4, 8, 20, 21]);
        assert!(!progress.accept(&record(21, 0)), "it was taken before");
    }

    #[test]
    fn a_record_after_a_gap_of_the_log_covers_the_skipped_offsets() {
        let mut progress = start(3, &[3..5], 20);
        // The log has removed 3..7 since, so the row of record 7 must cover them.
        assert!(progress.accept(&record(7, 4)));
        assert!(!progress.accept(&record(8, 0)));
        progress.written(&partition(), &(3..8));
        assert_eq!(contiguous_offset(&progress), 20);
    }

    #[test]
    fn a_commit_waits_for_missing_records() {
        let mut progress = start(3, &[3..6, 8..9], 20);
        assert!(progress.complete().is_empty());
        for (written, expected) in [(4..5, 3), (20..25, 3), (3..4, 5), (5..6, 8), (8..9, 25)] {
            progress.written(&partition(), &written);
            assert_eq!(contiguous_offset(&progress), expected, "{written:?}");
        }
        assert_eq!(progress.complete(), [partition().next_offset(25)]);
    }
}
