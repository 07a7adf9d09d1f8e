//! Where reading of each owned partition stands, and whether all of them are at their end.
//!
//! Pure bookkeeping: records, ends and starts go in; what to hand over comes out. A record that lies before the cursor is left
//! over from an earlier start and dropped. One that lies after it follows offsets without a record, which is normal on Kafka:
//! markers of transactions, aborted and compacted records. Removal by retention is an error of the broker instead.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::partition::{NextOffset, Partition};

/// Cursors of the owned partitions; none until started.
#[derive(Debug, Default)]
pub(super) struct Cursors {
    owned: BTreeMap<Partition, Option<Cursor>>,
    /// Whether there is an assignment (which may be empty).
    assigned: bool,
    /// Whether the owner knows that everything is read.
    told: bool,
    /// Numbers of partitions that reached an end, where several topics could be meant.
    unclear: Vec<u32>,
    epoch: u64,
}

#[derive(Debug, Clone, Copy)]
struct Cursor {
    next: u64,
    epoch: u64,
    at_end: bool,
    /// When the last record or end came.
    heard: Instant,
    /// The end as the broker said when the client was last asked to look for it again.
    looked_for: u64,
}

/// How far behind the broker's ends reading is; the quietest partition of each kind, and for how long nothing of it has come.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Lag {
    /// There are records to come.
    pub(super) behind: Option<(Duration, Partition)>,
    /// The client has told the end, but the broker has more: the log grew since, or no record lies there.
    pub(super) at_end: Option<Duration>,
}

impl Cursors {
    /// Owns exactly these from now on, none of them started.
    pub(super) fn own(&mut self, partitions: impl IntoIterator<Item = Partition>) {
        self.owned = partitions.into_iter().map(|partition| (partition, None)).collect();
        self.assigned = true;
        self.told = false;
        self.unclear.clear();
    }

    /// Owns nothing and waits for the next assignment.
    pub(super) fn leave(&mut self) {
        self.own([]);
        self.assigned = false;
    }

    /// No longer owns this one.
    pub(super) fn disown(&mut self, partition: &Partition) {
        self.owned.remove(partition);
    }

    /// The owned partitions.
    pub(super) fn owned(&self) -> Vec<Partition> {
        self.owned.keys().cloned().collect()
    }

    /// Whether it is owned.
    pub(super) fn owns(&self, partition: &Partition) -> bool {
        self.owned.contains_key(partition)
    }

    /// Stops reading these.
    pub(super) fn stop(&mut self, at: &[NextOffset]) {
        for next in at {
            if let Some(cursor) = self.owned.get_mut(&next.partition) {
                *cursor = None;
            }
        }
    }

    /// Reads these from here; they are owned.
    pub(super) fn start(&mut self, at: &[NextOffset], epoch: u64) {
        self.epoch = epoch;
        self.told = false;
        for next in at {
            let cursor = Cursor { next: next.offset, epoch, at_end: false, heard: Instant::now(), looked_for: 0 };
            self.owned.insert(next.partition.clone(), Some(cursor));
        }
    }

    /// Whether there is an assignment.
    pub(super) fn is_assigned(&self) -> bool {
        self.assigned
    }

    /// Takes it that something of every partition has just come.
    pub(super) fn touch(&mut self, now: Instant) {
        self.owned.values_mut().flatten().for_each(|cursor| cursor.heard = now);
    }

    /// Everything started is fetched anew from where it stands, so every end will be told again, up to these ends of the broker.
    pub(super) fn restart(&mut self, ends: &[(Partition, u64)], now: Instant) {
        self.unclear.clear();
        self.told = false;
        for (partition, end) in ends {
            if let Some(Some(cursor)) = self.owned.get_mut(partition) {
                (cursor.at_end, cursor.heard, cursor.looked_for) = (false, now, *end);
            }
        }
    }

    /// Compares with the broker's ends. An end that was told is doubted once for each end of the broker.
    pub(super) fn lag(&self, ends: &[(Partition, u64)], now: Instant) -> Lag {
        let mut lag = Lag::default();
        for (partition, end) in ends {
            let Some(Some(cursor)) = self.owned.get(partition) else { continue };
            let quiet = now.saturating_duration_since(cursor.heard);
            if cursor.next < *end && !cursor.at_end {
                lag.behind = lag.behind.max(Some((quiet, partition.clone())));
            } else if cursor.next < *end && *end > cursor.looked_for {
                lag.at_end = lag.at_end.max(Some(quiet));
            }
        }
        lag
    }

    /// Where each started partition goes on.
    pub(super) fn started(&self) -> Vec<NextOffset> {
        self.owned.iter().filter_map(|(partition, cursor)| cursor.map(|cursor| partition.next_offset(cursor.next))).collect()
    }

    /// Takes a record: the epoch it belongs to and how many offsets before it hold no record; none when it is left over.
    pub(super) fn take(&mut self, partition: &Partition, offset: u64) -> Option<(u64, u64)> {
        let cursor = self.owned.get_mut(partition)?.as_mut()?;
        let skipped = offset.checked_sub(cursor.next)?;
        cursor.next = offset + 1;
        cursor.at_end = false;
        cursor.heard = Instant::now();
        self.told = false;
        Some((cursor.epoch, skipped))
    }

    /// Notes that a partition with this number is at its end. The client does not say of which topic, but says
    /// it once after new records only; so it is clear unless several are still under way.
    pub(super) fn reach_end(&mut self, number: u32) {
        let mut under_way = self
            .owned
            .iter_mut()
            .filter_map(|(partition, cursor)| cursor.as_mut().filter(|cursor| partition.number == number && !cursor.at_end));
        match (under_way.next(), under_way.next()) {
            (Some(only), None) => (only.at_end, only.heard) = (true, Instant::now()),
            (Some(_), Some(_)) => self.unclear.push(number),
            (None, _) => {}
        }
    }

    /// Partitions of which only the broker can say whether they are at their end.
    pub(super) fn unclear(&self) -> Vec<Partition> {
        let open = |(partition, cursor): (&Partition, &Option<Cursor>)| {
            let open = cursor.is_some_and(|cursor| !cursor.at_end) && self.unclear.contains(&partition.number);
            open.then(|| partition.clone())
        };
        self.owned.iter().filter_map(open).collect()
    }

    /// The broker's answer for the partitions that were unclear: the position of the client, which unlike the cursor has passed
    /// a marker of a transaction at the end, and the end.
    pub(super) fn clear_up(&mut self, ends: &[(Partition, u64, u64)]) {
        self.unclear.clear();
        for (partition, position, end) in ends {
            if let Some(Some(cursor)) = self.owned.get_mut(partition) {
                cursor.at_end = cursor.next.max(*position) >= *end;
                cursor.heard = Instant::now();
            }
        }
    }

    /// The epoch in which everything started is read to its end; said once until there are new records.
    pub(super) fn caught_up(&mut self) -> Option<u64> {
        let started = (self.assigned && self.owned.is_empty()) || self.owned.values().any(Option::is_some);
        if self.told || !started || self.owned.values().flatten().any(|cursor| !cursor.at_end) {
            return None;
        }
        self.told = true;
        Some(self.epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(number: u32) -> Partition {
        Partition::new("events", number)
    }

    fn cursors(partitions: &[Partition]) -> Cursors {
        let mut cursors = Cursors::default();
        cursors.own(partitions.iter().cloned());
        let at: Vec<_> = partitions.iter().map(|partition| partition.next_offset(0)).collect();
        cursors.start(&at, 1);
        cursors
    }

    #[test]
    fn takes_each_offset_once_and_counts_those_without_a_record() {
        let mut cursors = cursors(&[events(0)]);
        assert_eq!(cursors.take(&events(0), 0), Some((1, 0)));
        assert_eq!(cursors.take(&events(0), 0), None);
        assert_eq!(cursors.take(&events(0), 1), Some((1, 0)));
        assert_eq!(cursors.take(&events(0), 4), Some((1, 2)));
        assert_eq!(cursors.take(&events(0), 3), None);
        assert_eq!(cursors.take(&events(0), 5), Some((1, 0)));
    }

    #[test]
    fn drops_what_is_not_started() {
        let mut cursors = cursors(&[events(0)]);
        assert_eq!(cursors.take(&events(1), 5), None);
        cursors.stop(&[events(0).next_offset(0)]);
        assert_eq!(cursors.take(&events(0), 0), None);
    }

    #[test]
    fn says_once_that_everything_is_read() {
        let mut cursors = cursors(&[events(0), events(1)]);
        cursors.reach_end(0);
        assert_eq!(cursors.caught_up(), None);
        cursors.reach_end(1);
        assert_eq!(cursors.caught_up(), Some(1));
        assert_eq!(cursors.caught_up(), None);
        assert_eq!(cursors.take(&events(1), 0), Some((1, 0)));
        assert_eq!(cursors.caught_up(), None);
        cursors.reach_end(1);
        assert_eq!(cursors.caught_up(), Some(1));
    }

    #[test]
    fn owning_nothing_is_having_read_everything() {
        let mut cursors = Cursors::default();
        assert_eq!(cursors.caught_up(), None);
        cursors.own([]);
        assert_eq!(cursors.caught_up(), Some(0));
        cursors.leave();
        assert_eq!(cursors.caught_up(), None);
    }

    #[test]
    fn an_end_that_two_topics_could_have_reached_is_cleared_up_by_their_ends() {
        let roll = Partition::new("roll", 0);
        let mut cursors = cursors(&[events(0), roll.clone()]);
        cursors.reach_end(0);
        assert_eq!(cursors.caught_up(), None);
        assert_eq!(cursors.unclear(), vec![events(0), roll.clone()]);
        cursors.clear_up(&[(events(0), 0, 7), (roll.clone(), 0, 0)]);
        assert_eq!(cursors.caught_up(), None);
        assert!(cursors.unclear().is_empty());
        for offset in 0..7 {
            cursors.take(&events(0), offset).expect("record");
        }
        cursors.reach_end(0);
        assert_eq!(cursors.caught_up(), Some(1));
    }

    #[test]
    fn the_marker_of_a_transaction_at_the_end_is_no_record_that_is_still_to_come() {
        let roll = Partition::new("roll", 0);
        let mut cursors = cursors(&[events(0), roll.clone()]);
        cursors.take(&events(0), 0).expect("record");
        cursors.reach_end(0);
        cursors.clear_up(&[(events(0), 1, 2), (roll.clone(), 0, 0)]);
        assert_eq!(cursors.caught_up(), None, "the marker has not been read yet");
        cursors.clear_up(&[(events(0), 2, 2)]);
        assert_eq!(cursors.caught_up(), Some(1));
    }
}
