//! Read plan: where reading of a partition starts, and which records cannot be read any more. Pure.
//!
//! Reading starts at the first offset that the log copy lacks and the log still has. Records that the log has removed are lost, unless an
//! operator has given them up or the partition was never read. A log that is shorter than its copy is an error.

use std::ops::Range;

use qamtu_log::Bounds;

use crate::{error::ProjectorError, progress::StartPosition, warehouse::LogCopyState};

/// From where a partition is read, and what cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ReadPlan {
    pub(super) start: StartPosition,
    /// Ranges that the copy lacks and the log has removed.
    pub(super) lost: Vec<Range<u64>>,
    /// Number of given-up offsets directly before the first record that is read.
    pub(super) given_up: u64,
}

impl ReadPlan {
    /// Decides where to start reading. Removed records below the offset `give_up_below` are given up. Fails if the log is shorter than its
    /// copy.
    pub(super) fn new(state: &LogCopyState, committed: Option<u64>, bounds: &Bounds, give_up_below: u64) -> Result<Self, ProjectorError> {
        let partition = state.partition.clone();
        if bounds.end < state.end {
            return Err(ProjectorError::LogTooShort { partition, end: bounds.end, needed: state.end });
        }
        let log_start = bounds.start;
        let unavailable = state.missing.iter().cloned().chain((state.end < log_start).then_some(state.end..log_start));
        let mut lost: Vec<_> = unavailable.map(|range| range.start..range.end.min(log_start)).filter(|range| !range.is_empty()).collect();
        let mut missing: Vec<_> =
            state.missing.iter().map(|range| range.start.max(log_start)..range.end).filter(|range| !range.is_empty()).collect();
        let mut read_from = missing.first().map_or(state.end.max(log_start), |missing| missing.start);
        let mut given_up = 0;
        // Nobody has read this partition yet: records that the log removed before are not counted as lost.
        let untouched = state.end == 0 && committed.unwrap_or(0) == 0;
        let is_given_up = untouched || lost.last().is_some_and(|last| last.end <= give_up_below);
        if let Some(first) = lost.first().filter(|_| is_given_up).map(|range| range.start) {
            tracing::warn!(%partition, first, next = log_start, "reading starts after records that the log removed");
            // The row of the first record must state the skipped offsets, so it is read even if that row exists.
            (read_from, given_up) = (log_start, log_start - first);
            missing.insert(0, first..log_start);
            lost.clear();
        }
        let start = StartPosition { partition, read_from, missing, new_from: state.end.max(log_start) };
        Ok(Self { start, lost, given_up })
    }
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init, reason = "one range of offsets among several")]
mod tests {
    use qamtu_log::Partition;

    use super::*;

    fn partition() -> Partition {
        Partition::new("events", 3)
    }

    /// The plan for a copy with these missing ranges and this end.
    fn plan(
        missing: &[Range<u64>],
        end: u64,
        committed: Option<u64>,
        log: Range<u64>,
        give_up_below: u64,
    ) -> Result<ReadPlan, ProjectorError> {
        let state = LogCopyState { partition: partition(), missing: missing.to_vec(), end };
        ReadPlan::new(&state, committed, &Bounds { partition: partition(), start: log.start, end: log.end }, give_up_below)
    }

    fn expected(read_from: u64, missing: &[Range<u64>], new_from: u64, lost: &[Range<u64>], given_up: u64) -> ReadPlan {
        let start = StartPosition { partition: partition(), read_from, missing: missing.to_vec(), new_from };
        ReadPlan { start, lost: lost.to_vec(), given_up }
    }

    #[test]
    fn reading_starts_at_the_first_missing_record() {
        assert_eq!(plan(&[], 20, Some(20), 10..30, 0).unwrap(), expected(20, &[], 20, &[], 0));
        assert_eq!(plan(&[12..14, 16..17], 20, Some(20), 10..30, 0).unwrap(), expected(12, &[12..14, 16..17], 20, &[], 0));
    }

    #[test]
    fn removed_records_are_lost_and_later_ones_are_read() {
        assert_eq!(plan(&[], 5, Some(5), 10..30, 0).unwrap(), expected(10, &[], 10, &[5..10], 0));
        assert_eq!(plan(&[2..4, 8..15], 20, Some(20), 10..30, 0).unwrap(), expected(10, &[10..15], 20, &[2..4, 8..10], 0));
        // A new database, and a group that has committed offsets of this log.
        assert_eq!(plan(&[], 0, Some(15), 10..30, 0).unwrap(), expected(10, &[], 10, &[0..10], 0));
    }

    #[test]
    fn given_up_records_are_skipped_by_the_first_record_after_them() {
        assert_eq!(plan(&[], 5, Some(5), 10..30, 10).unwrap(), expected(10, &[5..10], 10, &[], 5));
        assert_eq!(plan(&[], 5, Some(5), 11..30, 10).unwrap(), expected(11, &[], 11, &[5..11], 0), "more is lost than was given up");
        // The rows after the loss exist: the first of them is written again.
        assert_eq!(plan(&[5..10], 20, Some(5), 10..30, 10).unwrap(), expected(10, &[5..10], 20, &[], 5));
        assert_eq!(plan(&[3..5, 8..15], 20, Some(20), 10..30, 10).unwrap(), expected(10, &[3..10, 10..15], 20, &[], 7));
        // The offset that the problem names is accepted, also if the log starts later.
        assert_eq!(plan(&[2..4], 20, Some(20), 10..30, 0).unwrap(), expected(20, &[], 20, &[2..4], 0));
        assert_eq!(plan(&[2..4], 20, Some(20), 10..30, 4).unwrap(), expected(10, &[2..10], 20, &[], 8));
    }

    #[test]
    fn a_log_that_starts_after_offset_0_is_read_from_its_start() {
        assert_eq!(plan(&[], 0, None, 10..30, 0).unwrap(), expected(10, &[0..10], 10, &[], 10));
    }

    #[test]
    fn a_log_that_is_shorter_than_the_copy_is_refused() {
        let refused = plan(&[], 21, None, 10..20, 0);
        assert!(matches!(refused, Err(ProjectorError::LogTooShort { needed: 21, end: 20, .. })), "{refused:?}");
    }
}
