//! The next offset of each owned partition, and whether all of them are at their end.
//!
//! Pure bookkeeping without I/O. A record before the cursor belongs to an earlier start and is dropped. A record after the cursor
//! follows offsets without a record, which is normal on Kafka: transaction markers, aborted and compacted records. Removal by
//! retention is an error of the broker instead.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::partition::{NextOffset, Partition};

/// The owned partitions, each with a cursor once it is started.
#[derive(Debug, Default)]
pub(super) struct Cursors {
    owned: BTreeMap<Partition, Option<Cursor>>,
    /// Whether there is an assignment (which may be empty).
    assigned: bool,
    /// Whether `CaughtUp` was delivered since the last record.
    caught_up_reported: bool,
    /// Partition numbers of end events that several topics could have caused.
    ambiguous_numbers: Vec<u32>,
    epoch: u64,
}

#[derive(Debug, Clone, Copy)]
struct Cursor {
    next: u64,
    epoch: u64,
    at_end: bool,
    /// When the last record or end event arrived.
    last_activity: Instant,
    /// End offset of the broker at the last refetch.
    probed_end: u64,
}

/// End offset of a partition on the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EndOffset {
    pub(super) partition: Partition,
    /// Next offset that will be written.
    pub(super) end: u64,
}

/// How far a partition was read, compared with the broker.
#[derive(Debug)]
pub(super) struct ReadUpTo {
    pub(super) partition: Partition,
    /// Position of the client, which unlike the cursor is past a transaction marker at the end.
    pub(super) position: u64,
    /// End offset of the broker.
    pub(super) end: u64,
}

/// What the cursor says of a record that is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Advance {
    /// Epoch of the start that the record belongs to.
    pub(super) epoch: u64,
    /// Number of offsets without a record before it.
    pub(super) skipped: u64,
}

/// Partitions that are behind the broker's end offsets: of each kind, the one that was idle for longest.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct FetchLag {
    /// Fetching has not reached the end.
    pub(super) behind: Option<(Duration, Partition)>,
    /// The client has reported the end, but the broker's is higher: new records, or offsets without a record.
    pub(super) at_end: Option<Duration>,
}

impl Cursors {
    /// Replaces the assignment by these partitions, none of them started.
    pub(super) fn assign(&mut self, partitions: impl IntoIterator<Item = Partition>) {
        self.owned = partitions.into_iter().map(|partition| (partition, None)).collect();
        self.assigned = true;
        self.caught_up_reported = false;
        self.ambiguous_numbers.clear();
    }

    /// Removes the assignment until the next one.
    pub(super) fn unassign(&mut self) {
        self.assign([]);
        self.assigned = false;
    }
    pub(super) fn remove(&mut self, partition: &Partition) {
        self.owned.remove(partition);
    }
    pub(super) fn owned(&self) -> Vec<Partition> {
        self.owned.keys().cloned().collect()
    }
    pub(super) fn owns(&self, partition: &Partition) -> bool {
        self.owned.contains_key(partition)
    }

    /// Stops reading these partitions; they stay owned.
    pub(super) fn stop(&mut self, at: &[NextOffset]) {
        for next in at {
            if let Some(cursor) = self.owned.get_mut(&next.partition) {
                *cursor = None;
            }
        }
    }

    /// Starts reading these owned partitions at these offsets.
    pub(super) fn start(&mut self, at: &[NextOffset], epoch: u64) {
        self.epoch = epoch;
        self.caught_up_reported = false;
        for next in at {
            let cursor = Cursor { next: next.offset, epoch, at_end: false, last_activity: Instant::now(), probed_end: 0 };
            self.owned.insert(next.partition.clone(), Some(cursor));
        }
    }

    /// Whether there is an assignment, even an empty one.
    pub(super) fn is_assigned(&self) -> bool {
        self.assigned
    }

    /// Sets the time of the last activity of every partition to `now`.
    pub(super) fn touch(&mut self, now: Instant) {
        self.owned.values_mut().flatten().for_each(|cursor| cursor.last_activity = now);
    }

    /// Prepares a refetch of everything started from its next offset up to these end offsets; the client reports every end again.
    pub(super) fn refetch(&mut self, ends: &[EndOffset], now: Instant) {
        self.ambiguous_numbers.clear();
        self.caught_up_reported = false;
        for EndOffset { partition, end } in ends {
            if let Some(Some(cursor)) = self.owned.get_mut(partition) {
                (cursor.at_end, cursor.last_activity, cursor.probed_end) = (false, now, *end);
            }
        }
    }

    /// Compares with the broker's end offsets. A reported end is checked once for each end offset of the broker.
    pub(super) fn lag(&self, ends: &[EndOffset], now: Instant) -> FetchLag {
        let mut lag = FetchLag::default();
        for EndOffset { partition, end } in ends {
            let Some(Some(cursor)) = self.owned.get(partition) else { continue };
            let idle = now.saturating_duration_since(cursor.last_activity);
            if cursor.next < *end && !cursor.at_end {
                lag.behind = lag.behind.max(Some((idle, partition.clone())));
            } else if cursor.next < *end && *end > cursor.probed_end {
                lag.at_end = lag.at_end.max(Some(idle));
            }
        }
        lag
    }

    /// The next offset of each started partition.
    pub(super) fn started(&self) -> Vec<NextOffset> {
        self.owned.iter().filter_map(|(partition, cursor)| cursor.map(|cursor| partition.next_offset(cursor.next))).collect()
    }

    /// Moves past a record; none: drop the record.
    pub(super) fn advance(&mut self, partition: &Partition, offset: u64) -> Option<Advance> {
        let cursor = self.owned.get_mut(partition)?.as_mut()?;
        let skipped = offset.checked_sub(cursor.next)?;
        cursor.next = offset + 1;
        cursor.at_end = false;
        cursor.last_activity = Instant::now();
        self.caught_up_reported = false;
        Some(Advance { epoch: cursor.epoch, skipped })
    }

    /// Marks the partition with this number as read to its end. The client does not say of which topic, but reports an end only
    /// once after new records; so it is ambiguous only when several are not at their end.
    pub(super) fn mark_end(&mut self, number: u32) {
        let mut under_way = self
            .owned
            .iter_mut()
            .filter_map(|(partition, cursor)| cursor.as_mut().filter(|cursor| partition.number == number && !cursor.at_end));
        match (under_way.next(), under_way.next()) {
            (Some(cursor), None) => (cursor.at_end, cursor.last_activity) = (true, Instant::now()),
            (Some(_), Some(_)) => self.ambiguous_numbers.push(number),
            (None, _) => {}
        }
    }

    /// Partitions whose end must be queried from the broker.
    pub(super) fn ambiguous_ends(&self) -> Vec<Partition> {
        let open = |(partition, cursor): (&Partition, &Option<Cursor>)| {
            let open = cursor.is_some_and(|cursor| !cursor.at_end) && self.ambiguous_numbers.contains(&partition.number);
            open.then(|| partition.clone())
        };
        self.owned.iter().filter_map(open).collect()
    }

    /// Resolves ambiguous ends.
    pub(super) fn resolve_ends(&mut self, ends: &[ReadUpTo]) {
        self.ambiguous_numbers.clear();
        for ReadUpTo { partition, position, end } in ends {
            if let Some(Some(cursor)) = self.owned.get_mut(partition) {
                cursor.at_end = cursor.next.max(*position) >= *end;
                cursor.last_activity = Instant::now();
            }
        }
    }

    /// The epoch in which everything started was read to its end; returned once until there are new records.
    pub(super) fn caught_up(&mut self) -> Option<u64> {
        let started = (self.assigned && self.owned.is_empty()) || self.owned.values().any(Option::is_some);
        if self.caught_up_reported || !started || self.owned.values().flatten().any(|cursor| !cursor.at_end) {
            return None;
        }
        self.caught_up_reported = true;
        Some(self.epoch)
    }
}

#[cfg(test)]
mod tests;
