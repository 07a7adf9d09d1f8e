//! Lag: how many records of each partition are not in the tables yet, and whether the projector is stalled.
//!
//! Pure: end offsets, contiguous offsets and the time are arguments. An unknown lag is never reported as zero. Offsets without a record,
//! such as transaction markers, may remain at the end of a partition: they are no lag once the reader has reached the end. A partition is
//! stalled when it has had lag for [`STALL_TIMEOUT`] and no record of it was written.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use qamtu_log::{Bounds, NextOffset, Partition};

use crate::error::ProjectorError;

/// A partition with lag and without a write for this long is stalled.
pub const STALL_TIMEOUT: Duration = Duration::from_secs(60);

/// Lag of every owned partition.
#[derive(Debug, Default)]
pub struct Lag {
    partitions: BTreeMap<Partition, PartitionLag>,
    /// When the reader last had no more records.
    caught_up_at: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct PartitionLag {
    /// Offset below which every record is written.
    contiguous_offset: u64,
    end: u64,
    /// When `contiguous_offset` last changed, or was at `end`.
    progressed_at: Instant,
    /// When the current `end` was first observed.
    end_changed_at: Instant,
}

impl PartitionLag {
    /// Whether the reader has reached the current end since it was observed.
    fn was_reached(&self, caught_up_at: Option<Instant>) -> bool {
        caught_up_at.is_some_and(|caught_up_at| caught_up_at > self.end_changed_at)
    }

    fn update(&mut self, contiguous_offset: u64, end: u64, now: Instant) {
        if end != self.end {
            (self.end, self.end_changed_at) = (end, now);
        }
        if contiguous_offset != self.contiguous_offset || contiguous_offset >= end {
            (self.contiguous_offset, self.progressed_at) = (contiguous_offset, now);
        }
    }
}

impl Lag {
    /// Notes that the reader has no more records at the moment.
    pub fn mark_caught_up(&mut self, now: Instant) {
        self.caught_up_at = Some(now);
    }

    /// Updates the lag from the end offsets of the log and the contiguous offsets, and returns the number of unwritten records by
    /// partition. `pending`: whether records were read and are not written yet. Fails if the log ends before a contiguous offset: then it
    /// is another log.
    pub fn update(
        &mut self,
        ends: &[Bounds],
        contiguous_offsets: impl Iterator<Item = NextOffset>,
        pending: bool,
        now: Instant,
    ) -> Result<Vec<(Partition, u64)>, ProjectorError> {
        let mut lag = Vec::new();
        let mut partitions = BTreeMap::new();
        for NextOffset { partition, offset } in contiguous_offsets {
            let Some(Bounds { end, .. }) = ends.iter().find(|bounds| bounds.partition == partition) else {
                return Err(ProjectorError::UnknownPartition { partition });
            };
            if *end < offset {
                return Err(ProjectorError::LogTooShort { partition, end: *end, needed: offset });
            }
            let new = PartitionLag { contiguous_offset: offset, end: *end, progressed_at: now, end_changed_at: now };
            let mut partition_lag = self.partitions.get(&partition).copied().unwrap_or(new);
            partition_lag.update(offset, *end, now);
            lag.push((partition.clone(), if partition_lag.was_reached(self.caught_up_at) && !pending { 0 } else { end - offset }));
            partitions.insert(partition, partition_lag);
        }
        self.partitions = partitions;
        Ok(lag)
    }

    /// A stalled partition, if there is one.
    pub fn stalled(&self, now: Instant) -> Option<&Partition> {
        let stalled = |partition_lag: &PartitionLag| {
            partition_lag.contiguous_offset < partition_lag.end
                && !partition_lag.was_reached(self.caught_up_at)
                && now.duration_since(partition_lag.progressed_at) >= STALL_TIMEOUT
        };
        self.partitions.iter().find_map(|(partition, partition_lag)| stalled(partition_lag).then_some(partition))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events() -> Partition {
        Partition::new("events", 0)
    }

    fn update(lag: &mut Lag, end: u64, written: u64, now: Instant) -> Result<Vec<(Partition, u64)>, ProjectorError> {
        let ends = [Bounds { partition: events(), start: 0, end }];
        lag.update(&ends, std::iter::once(events().next_offset(written)), false, now)
    }

    #[test]
    fn a_partition_with_lag_and_no_write_is_stalled() {
        let (mut lag, start) = (Lag::default(), Instant::now());
        assert_eq!(update(&mut lag, 10, 5, start).unwrap(), [(events(), 5)]);
        assert_eq!(lag.stalled(start + STALL_TIMEOUT / 2), None);
        update(&mut lag, 20, 6, start + STALL_TIMEOUT / 2).unwrap();
        assert_eq!(lag.stalled(start + STALL_TIMEOUT), None, "one was written meanwhile");
        update(&mut lag, 30, 6, start + STALL_TIMEOUT).unwrap();
        assert_eq!(lag.stalled(start + STALL_TIMEOUT * 3 / 2), Some(&events()));
        update(&mut lag, 30, 30, start + STALL_TIMEOUT * 2).unwrap();
        assert_eq!(lag.stalled(start + STALL_TIMEOUT * 9), None, "everything is written");
    }

    #[test]
    fn trailing_offsets_without_records_are_not_lag() {
        let (mut lag, start) = (Lag::default(), Instant::now());
        lag.mark_caught_up(start);
        update(&mut lag, 7, 5, start + Duration::from_secs(1)).unwrap();
        assert_eq!(lag.stalled(start + STALL_TIMEOUT * 2), Some(&events()), "the end may be newer than the last time the reader caught up");
        lag.mark_caught_up(start + Duration::from_secs(2));
        assert_eq!(update(&mut lag, 7, 5, start + STALL_TIMEOUT * 2).unwrap(), [(events(), 0)]);
        assert_eq!(lag.stalled(start + STALL_TIMEOUT * 9), None);
        assert_eq!(update(&mut lag, 8, 5, start + STALL_TIMEOUT * 3).unwrap(), [(events(), 3)], "it has grown since");
    }

    #[test]
    fn a_shorter_log_and_a_missing_partition_are_errors() {
        let (mut lag, start) = (Lag::default(), Instant::now());
        assert!(matches!(update(&mut lag, 4, 5, start), Err(ProjectorError::LogTooShort { end: 4, needed: 5, .. })));
        let nothing = lag.update(&[], std::iter::once(events().next_offset(0)), false, start);
        assert!(matches!(nothing, Err(ProjectorError::UnknownPartition { .. })));
    }
}
