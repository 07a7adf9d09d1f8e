//! Lag: how far the tables are behind the log, and whether they come nearer.
//!
//! Pure: ends of the log, offsets written and the time go in. Guarantees: what is not known is never taken for zero. Offsets without a
//! record, such as markers of transactions, may lie at the end of a topic for ever: they are no lag once the reader has said that it is
//! at the end, after the log had grown so far. A partition is stuck when it has had a lag for [`STUCK`] and nothing of it was written.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use qamtu_log::{Bounds, NextOffset, Partition};

use crate::error::ProjectorError;

/// How long a partition may have records of which none is written.
pub const STUCK: Duration = Duration::from_secs(60);

/// Lag of every owned partition.
#[derive(Debug, Default)]
pub struct Lag {
    partitions: BTreeMap<Partition, Place>,
    /// When the reader was last at the end of everything.
    at_end: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    written: u64,
    end: u64,
    /// When `written` came nearer to `end`, or `end` was reached.
    moved: Instant,
    /// When `end` was first seen.
    grew: Instant,
}

impl Place {
    /// Whether the reader has been at this end.
    fn is_read(&self, at_end: Option<Instant>) -> bool {
        at_end.is_some_and(|at_end| at_end > self.grew)
    }

    fn see(&mut self, written: u64, end: u64, now: Instant) {
        if end != self.end {
            (self.end, self.grew) = (end, now);
        }
        if written != self.written || written >= end {
            (self.written, self.moved) = (written, now);
        }
    }
}

impl Lag {
    /// The reader is at the end of everything that it owns.
    pub fn caught_up(&mut self, now: Instant) {
        self.at_end = Some(now);
    }

    /// Takes the ends of the log and what is written; records of each partition that are not written yet. `held`: whether some were read
    /// and are not written. A log that ends before what was written is another one.
    pub fn see(
        &mut self,
        ends: &[Bounds],
        written: impl Iterator<Item = NextOffset>,
        (held, now): (bool, Instant),
    ) -> Result<Vec<(Partition, u64)>, ProjectorError> {
        let mut lag = Vec::new();
        let mut seen = BTreeMap::new();
        for NextOffset { partition, offset } in written {
            let Some(Bounds { end, .. }) = ends.iter().find(|bounds| bounds.partition == partition) else {
                return Err(ProjectorError::NoPartition { partition });
            };
            if *end < offset {
                return Err(ProjectorError::OtherLog { partition, end: *end, needed: offset });
            }
            let new = Place { written: offset, end: *end, moved: now, grew: now };
            let mut place = self.partitions.get(&partition).copied().unwrap_or(new);
            place.see(offset, *end, now);
            lag.push((partition.clone(), if place.is_read(self.at_end) && !held { 0 } else { end - offset }));
            seen.insert(partition, place);
        }
        self.partitions = seen;
        Ok(lag)
    }

    /// A partition that is stuck.
    pub fn stuck(&self, now: Instant) -> Option<&Partition> {
        let stuck = |place: &Place| place.written < place.end && !place.is_read(self.at_end) && now.duration_since(place.moved) >= STUCK;
        self.partitions.iter().find_map(|(partition, place)| stuck(place).then_some(partition))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events() -> Partition {
        Partition::new("events", 0)
    }

    fn see(lag: &mut Lag, end: u64, written: u64, now: Instant) -> Result<Vec<(Partition, u64)>, ProjectorError> {
        let ends = [Bounds { partition: events(), start: 0, end }];
        lag.see(&ends, std::iter::once(events().next_offset(written)), (false, now))
    }

    #[test]
    fn a_partition_with_records_of_which_none_is_written_is_stuck() {
        let (mut lag, start) = (Lag::default(), Instant::now());
        assert_eq!(see(&mut lag, 10, 5, start).unwrap(), [(events(), 5)]);
        assert_eq!(lag.stuck(start + STUCK / 2), None);
        see(&mut lag, 20, 6, start + STUCK / 2).unwrap();
        assert_eq!(lag.stuck(start + STUCK), None, "one was written meanwhile");
        see(&mut lag, 30, 6, start + STUCK).unwrap();
        assert_eq!(lag.stuck(start + STUCK * 3 / 2), Some(&events()));
        see(&mut lag, 30, 30, start + STUCK * 2).unwrap();
        assert_eq!(lag.stuck(start + STUCK * 9), None, "everything is written");
    }

    #[test]
    fn offsets_without_a_record_at_the_end_are_no_standstill() {
        let (mut lag, start) = (Lag::default(), Instant::now());
        lag.caught_up(start);
        see(&mut lag, 7, 5, start + Duration::from_secs(1)).unwrap();
        assert_eq!(lag.stuck(start + STUCK * 2), Some(&events()), "the end may be newer than what the reader has told");
        lag.caught_up(start + Duration::from_secs(2));
        assert_eq!(see(&mut lag, 7, 5, start + STUCK * 2).unwrap(), [(events(), 0)]);
        assert_eq!(lag.stuck(start + STUCK * 9), None);
        assert_eq!(see(&mut lag, 8, 5, start + STUCK * 3).unwrap(), [(events(), 3)], "it has grown since");
    }

    #[test]
    fn a_log_that_became_shorter_or_lost_a_partition_is_another_one() {
        let (mut lag, start) = (Lag::default(), Instant::now());
        assert!(matches!(see(&mut lag, 4, 5, start), Err(ProjectorError::OtherLog { end: 4, needed: 5, .. })));
        let nothing = lag.see(&[], std::iter::once(events().next_offset(0)), (false, start));
        assert!(matches!(nothing, Err(ProjectorError::NoPartition { .. })));
    }
}
