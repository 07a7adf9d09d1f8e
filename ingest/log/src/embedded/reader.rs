//! Reads the embedded log: a thread that looks whether the file has changed and reads portions.
//!
//! Guarantees: each partition in order, every offset once, every checksum verified; a gap or a wrong
//! checksum ends the reader as [`LogError::Damaged`], another file in the place of the opened one as
//! [`LogError::Replaced`]. Idle, it costs one look at the file's change
//! counter every [`LOOK`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rusqlite::Row;

use super::lease::Lease;
use super::positions::Positions;
use super::row;
use super::store::{POSITIONS, RECORDS, Store, named, replaced};
use crate::config::EmbeddedConfig;
use crate::entry::Record;
use crate::error::LogError;
use crate::handle::{Command, HandleGone, Link, Notice};
use crate::partition::{Bounds, NextOffset, Partition};
use crate::reader::{Membership, ReaderOptions};

/// How often an idle reader looks for new records.
const LOOK: Duration = Duration::from_millis(5);
/// How long a reader with nothing to do waits for a command.
const FOREVER: Duration = Duration::from_secs(3600);

/// A reader before it is started, with everything opened and every lease taken.
pub(super) struct Reader {
    records: Store,
    positions: Option<Positions>,
    max_records: usize,
    max_bytes: usize,
    owned: BTreeMap<Partition, Owned>,
    /// Where the next round begins, so that no partition starves another.
    turn: usize,
    /// Change counter of the file when the last round began.
    seen: i64,
    progress: Progress,
    epoch: u64,
}

/// One owned partition.
struct Owned {
    id: i64,
    committed: Option<u64>,
    from: Option<Cursor>,
    _lease: Option<Lease>,
}

/// Where reading stands.
#[derive(Clone, Copy)]
struct Cursor {
    next: u64,
    epoch: u64,
}

#[derive(PartialEq, Clone, Copy)]
enum Progress {
    /// There may be records.
    Reading,
    /// A whole round found none since the file last changed.
    CaughtUp,
}

impl Reader {
    /// Opens the files and takes the leases; refuses when one of them is held.
    pub(super) fn open(config: &EmbeddedConfig, options: &ReaderOptions) -> Result<Self, LogError> {
        let records = Store::open(&config.dir, &RECORDS)?;
        let positions = match &options.membership {
            Membership::Group { group, .. } => Some(Positions::open(&config.dir, group)?),
            // The file is looked at all the same: half a log is damage.
            Membership::Whole => Store::open(&config.dir, &POSITIONS).map(|_| None)?,
        };
        let mut owned = BTreeMap::new();
        for topic in &options.topics {
            for (partition, id) in mine(&records, topic, &options.membership)? {
                let lease = match &options.membership {
                    Membership::Group { group, .. } => Some(Lease::take(&config.dir, group, &partition)?),
                    Membership::Whole => None,
                };
                let committed = positions.as_ref().map_or(Ok(None), |positions| positions.committed(&partition))?;
                owned.insert(partition, Owned { id, committed, from: None, _lease: lease });
            }
        }
        Ok(Self {
            records,
            positions,
            max_records: options.max_records.max(1),
            max_bytes: options.max_bytes,
            owned,
            turn: 0,
            seen: -1,
            progress: Progress::Reading,
            epoch: 0,
        })
    }

    /// The thread: commands first, then one portion, for as long as there is room.
    pub(super) fn run(mut self, mut link: Link) {
        link.notify(Notice::Assigned(self.owned.iter().map(|(partition, owned)| (partition.clone(), owned.committed)).collect()));
        loop {
            match self.turn(&mut link) {
                Ok(Ok(())) => {}
                Ok(Err(HandleGone)) => return,
                Err(error) => {
                    link.notify(Notice::Failed(error));
                    return;
                }
            }
        }
    }

    fn turn(&mut self, link: &mut Link) -> Result<Result<(), HandleGone>, LogError> {
        let wait = match self.progress {
            _ if !link.has_room() || !self.is_started() => FOREVER,
            Progress::Reading => Duration::ZERO,
            Progress::CaughtUp => LOOK,
        };
        match link.command(wait) {
            Ok(Some(command)) => self.obey(command),
            Ok(None) if link.has_room() && self.is_started() => {
                if let Some(notice) = self.look()? {
                    link.notify(notice);
                }
            }
            Ok(None) => {}
            Err(gone) => return Ok(Err(gone)),
        }
        Ok(Ok(()))
    }

    /// Whether there is anything to read: a start, or nothing to start at all.
    fn is_started(&self) -> bool {
        self.owned.is_empty() || self.owned.values().any(|owned| owned.from.is_some())
    }

    fn obey(&mut self, command: Command) {
        // A caller that has gone away needs no answer.
        match command {
            Command::StartAt { at, epoch, answer } => drop(answer.send(self.start_at(&at, epoch))),
            Command::Commit { offsets, answer } => drop(answer.send(self.commit(&offsets))),
            // Nothing is ever revoked here.
            Command::Release { answer, .. } => drop(answer.send(Ok(()))),
            Command::Bounds { topic, answer } => drop(answer.send(bounds(&self.records, &topic))),
            Command::Taken => {}
        }
    }

    fn start_at(&mut self, at: &[NextOffset], epoch: u64) -> Result<(), LogError> {
        self.progress = Progress::Reading;
        self.seen = -1;
        self.epoch = epoch;
        for next in at {
            if let Some(owned) = self.owned.get_mut(&next.partition) {
                owned.from = None;
            }
        }
        for NextOffset { partition, offset } in at {
            let owned = self.owned.get_mut(partition).ok_or_else(|| LogError::NotOwned { partition: partition.clone() })?;
            let (start, end) = self.records.bounds(owned.id)?;
            if !(start..=end).contains(offset) {
                return Err(LogError::OutOfRange { partition: partition.clone(), offset: *offset, start, end });
            }
            owned.from = Some(Cursor { next: *offset, epoch });
        }
        Ok(())
    }

    fn commit(&mut self, offsets: &[NextOffset]) -> Result<(), LogError> {
        let foreign = offsets.iter().find(|next| !self.owned.contains_key(&next.partition));
        match (&mut self.positions, foreign.or(offsets.first())) {
            (Some(positions), _) if foreign.is_none() => positions.commit(offsets),
            (_, Some(next)) => Err(LogError::NotOwned { partition: next.partition.clone() }),
            (_, None) => Ok(()),
        }
    }

    /// One portion, or the news that there is none.
    fn look(&mut self) -> Result<Option<Notice>, LogError> {
        // An idle reader would look at a deleted file for ever.
        if self.progress == Progress::CaughtUp {
            self.records.file.check(&self.records.path)?;
        }
        let changed = self.changes()?;
        if self.progress == Progress::CaughtUp && changed == self.seen {
            return Ok(None);
        }
        self.seen = changed;
        let partitions = self.owned.len();
        for step in 0..partitions {
            let place = (self.turn + step) % partitions;
            if let Some(portion) = self.portion(place)? {
                self.turn = place + 1;
                self.progress = Progress::Reading;
                return Ok(Some(portion));
            }
        }
        self.check_ends()?;
        // Only new records make it worth saying again; a change of the file may be another topic's.
        let news = self.progress == Progress::Reading;
        self.progress = Progress::CaughtUp;
        Ok(news.then_some(Notice::CaughtUp { epoch: self.epoch }))
    }

    /// A log that is shorter than what was read of it is another one, copied over the file.
    fn check_ends(&self) -> Result<(), LogError> {
        for (partition, owned) in &self.owned {
            let Some(Cursor { next, .. }) = owned.from else { continue };
            let (_, end) = self.records.bounds(owned.id)?;
            if end < next {
                return Err(replaced(&self.records.path, format!("{partition} was read up to {next} and now ends at {end}")));
            }
        }
        Ok(())
    }

    fn changes(&self) -> Result<i64, LogError> {
        let counter = self.records.sql.prepare_cached("PRAGMA data_version").and_then(|mut row| row.query_row([], |row| row.get(0)));
        self.records.check(counter)
    }

    fn portion(&mut self, place: usize) -> Result<Option<Notice>, LogError> {
        let Some((partition, owned)) = self.owned.iter_mut().nth(place) else { return Ok(None) };
        let Some(cursor) = &mut owned.from else { return Ok(None) };
        let portion = Portion { partition, id: owned.id, from: cursor.next, max_records: self.max_records, max_bytes: self.max_bytes };
        let records = portion.read(&self.records)?;
        let Some(last) = records.last() else { return Ok(None) };
        cursor.next = last.offset + 1;
        Ok(Some(Notice::Records { partition: partition.clone(), epoch: cursor.epoch, records }))
    }
}

/// Partitions of a topic that this member owns.
fn mine(records: &Store, topic: &str, membership: &Membership) -> Result<Vec<(Partition, i64)>, LogError> {
    let ids = partition_ids(records, topic)?;
    let name: Arc<str> = topic.into();
    let all = ids.into_iter().enumerate().map(|(number, id)| (named(&name, number), id));
    match *membership {
        Membership::Whole => Ok(all.collect()),
        Membership::Group { member, members, .. } if member < members => {
            Ok(all.filter(|(partition, _)| partition.number % members == member).collect())
        }
        Membership::Group { member, members, .. } => {
            Err(LogError::Config { setting: "member", reason: format!("member {member} of {members}: members are numbered from 0") })
        }
    }
}

fn partition_ids(records: &Store, topic: &str) -> Result<Vec<i64>, LogError> {
    let ids = records.partition_ids(topic)?;
    if ids.is_empty() { Err(LogError::UnknownTopic { topic: topic.to_owned() }) } else { Ok(ids) }
}

fn bounds(records: &Store, topic: &str) -> Result<Vec<Bounds>, LogError> {
    let name: Arc<str> = topic.into();
    let ids = partition_ids(records, topic)?.into_iter().enumerate();
    ids.map(|(number, id)| records.bounds(id).map(|(start, end)| Bounds { partition: named(&name, number), start, end })).collect()
}

/// What to read next of one partition.
struct Portion<'a> {
    partition: &'a Partition,
    id: i64,
    from: u64,
    max_records: usize,
    max_bytes: usize,
}

impl Portion<'_> {
    fn read(&self, records: &Store) -> Result<Vec<Record>, LogError> {
        let query = format!(
            "SELECT \"offset\", appended_ms, key, headers, value, crc FROM p{} WHERE \"offset\" >= ?1 ORDER BY \"offset\" LIMIT ?2",
            self.id
        );
        let mut statement = records.check(records.sql.prepare_cached(&query))?;
        let limit = i64::try_from(self.max_records).unwrap_or(i64::MAX);
        let mut rows = records.check(statement.query([self.from.cast_signed(), limit]))?;
        let (mut portion, mut bytes) = (Vec::new(), 0);
        while let Some(row) = records.check(rows.next())? {
            let expected = self.from + portion.len() as u64;
            let record = records.check(self.record(row, expected))?;
            let record = record.ok_or_else(|| records.damaged(format!("{} is not whole at offset {expected}", self.partition)))?;
            bytes += record.size();
            if bytes > self.max_bytes && !portion.is_empty() {
                break;
            }
            portion.push(record);
        }
        Ok(portion)
    }

    /// The record of a row; none when it is not the one that was written there.
    fn record(&self, row: &Row<'_>, expected: u64) -> rusqlite::Result<Option<Record>> {
        let offset = row.get::<_, i64>(0)?.unsigned_abs();
        let appended_ms = row.get(1)?;
        let blob = |column| -> rusqlite::Result<Bytes> { Ok(Bytes::copy_from_slice(row.get_ref(column)?.as_blob()?)) };
        let (key, headers, value) = (blob(2)?, blob(3)?, blob(4)?);
        let fields = row::Fields { offset, appended_ms, key: &key, headers: &headers, value: &value };
        let whole = row.get::<_, i64>(5)? == i64::from(fields.checksum());
        let headers = row::decode_headers(headers).filter(|_| whole && offset == expected);
        let partition = self.partition.clone();
        Ok(headers.map(|headers| Record { partition, offset, skipped: 0, appended_ms, key: Some(key), headers, value: Some(value) }))
    }
}
