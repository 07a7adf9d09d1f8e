//! Progress: of each owned partition, what comes next from the log, what is written, what is committed.
//!
//! Every offset is the next one to consume. Guarantees: a commit never passes what is written, and never goes back; a record that
//! was already taken is skipped, a gap is an error.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use qamtu_log::{NextOffset, Partition, Record};

use crate::error::ProjectorError;

/// A commit is only a hint for the next start, so once in a while is enough.
const COMMIT_EVERY: Duration = Duration::from_secs(1);

/// Offsets of the owned partitions.
#[derive(Debug, Default)]
pub struct Progress {
    partitions: BTreeMap<Partition, Place>,
    last_commit: Option<Instant>,
}

/// One partition.
#[derive(Debug, Clone, Copy)]
struct Place {
    expected: u64,
    written: u64,
    committed: u64,
}

impl Progress {
    /// These partitions, and no others, are read from here on.
    pub fn assign(&mut self, starts: &[NextOffset]) {
        self.partitions = starts
            .iter()
            .map(|start| (start.partition.clone(), Place { expected: start.offset, written: start.offset, committed: 0 }))
            .collect();
    }

    /// Whether this record is the next of its partition. One that was taken before, or is of a partition no longer owned, is not.
    pub fn take(&mut self, record: &Record) -> Result<bool, ProjectorError> {
        let Some(place) = self.partitions.get_mut(&record.partition) else { return Ok(false) };
        if record.offset > place.expected {
            return Err(ProjectorError::Gap { partition: record.partition.clone(), expected: place.expected, found: record.offset });
        }
        let next = record.offset == place.expected;
        place.expected += u64::from(next);
        Ok(next)
    }

    /// Everything below this offset is written.
    pub fn written(&mut self, next: &NextOffset) {
        if let Some(place) = self.partitions.get_mut(&next.partition) {
            place.written = place.written.max(next.offset);
        }
    }

    /// What to commit now: nothing shortly after the last commit.
    pub fn due(&mut self, now: Instant) -> Vec<NextOffset> {
        if self.last_commit.is_some_and(|last| now.duration_since(last) < COMMIT_EVERY) {
            return Vec::new();
        }
        self.uncommitted(|_| true)
    }

    /// What is written and not committed, of partitions that a test picks.
    pub fn uncommitted(&self, pick: impl Fn(&Partition) -> bool) -> Vec<NextOffset> {
        let behind = self.partitions.iter().filter(|(partition, place)| place.written > place.committed && pick(partition));
        behind.map(|(partition, place)| partition.next_offset(place.written)).collect()
    }

    /// These were committed.
    pub fn committed(&mut self, offsets: &[NextOffset], now: Instant) {
        self.last_commit = Some(now);
        for next in offsets {
            if let Some(place) = self.partitions.get_mut(&next.partition) {
                place.committed = place.committed.max(next.offset);
            }
        }
    }

    /// These partitions are no longer owned.
    pub fn forget(&mut self, partitions: &[Partition]) {
        self.partitions.retain(|partition, _| !partitions.contains(partition));
    }

    /// What is written of each owned partition.
    pub fn all_written(&self) -> impl Iterator<Item = NextOffset> {
        self.partitions.iter().map(|(partition, place)| partition.next_offset(place.written))
    }
}
