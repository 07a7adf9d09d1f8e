//! Reads the embedded log: a thread that checks whether the file has changed and reads batches.
//!
//! Guarantees: each partition in order, every offset once, every checksum verified ([`super::batch_query`]); a gap or a wrong checksum
//! ends the reader with [`LogError::Corrupt`], another file at the same path with [`LogError::Replaced`]. An idle reader reads only the
//! file's change counter, every [`POLL_INTERVAL`].

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::batch_query::BatchQuery;
use super::lease::Lease;
use super::positions::Positions;
use super::store::{LogFile, POSITIONS, RECORDS, partition_of, replaced_error};
use crate::config::EmbeddedConfig;
use crate::error::LogError;
use crate::handle::{HandleDropped, ReaderMessage, ReaderRequest, WorkerChannel};
use crate::partition::{Bounds, NextOffset, Partition};
use crate::reader::{Membership, ReaderOptions};

/// How often an idle reader checks for new records.
const POLL_INTERVAL: Duration = Duration::from_millis(5);
/// How long a reader that may not read waits for a request.
const IDLE_WAIT: Duration = Duration::from_secs(3600);

/// The worker of a reader, with open files and all leases acquired.
pub(super) struct EmbeddedReader {
    records: LogFile,
    positions: Option<Positions>,
    max_records: usize,
    max_bytes: usize,
    owned: BTreeMap<Partition, Owned>,
    /// Index of the partition to read next: round-robin, so that no partition starves another.
    next_index: usize,
    /// Change counter of the file at the last poll (`PRAGMA data_version`).
    data_version: i64,
    progress: PollProgress,
    epoch: u64,
}

/// One owned partition; no cursor: not started.
struct Owned {
    id: i64,
    committed: Option<u64>,
    cursor: Option<ReadCursor>,
    _lease: Option<Lease>,
}

/// The next offset to read, and the epoch of its start.
#[derive(Clone, Copy)]
struct ReadCursor {
    next: u64,
    epoch: u64,
}

#[derive(PartialEq, Clone, Copy)]
enum PollProgress {
    /// There may be records.
    Reading,
    /// A poll found no record in any partition since the file last changed.
    CaughtUp,
}

impl EmbeddedReader {
    /// Opens the files and acquires the leases; fails when another process holds one of them.
    pub(super) fn open(config: &EmbeddedConfig, options: &ReaderOptions) -> Result<Self, LogError> {
        let records = LogFile::open(&config.dir, &RECORDS)?;
        let positions = match &options.membership {
            Membership::Group { group, .. } => Some(Positions::open(&config.dir, group)?),
            // Opened all the same, as a log with only one of its files is corrupt.
            Membership::Standalone => LogFile::open(&config.dir, &POSITIONS).map(|_| None)?,
        };
        let mut owned = BTreeMap::new();
        for topic in &options.topics {
            for (partition, id) in owned_partitions(&records, topic, &options.membership)? {
                let lease = match &options.membership {
                    Membership::Group { group, .. } => Some(Lease::acquire(&config.dir, group, &partition)?),
                    Membership::Standalone => None,
                };
                let committed = positions.as_ref().map_or(Ok(None), |positions| positions.committed(&partition))?;
                owned.insert(partition, Owned { id, committed, cursor: None, _lease: lease });
            }
        }
        Ok(Self {
            records,
            positions,
            max_records: options.max_records.max(1),
            max_bytes: options.max_bytes,
            owned,
            next_index: 0,
            data_version: -1,
            progress: PollProgress::Reading,
            epoch: 0,
        })
    }

    /// Runs the thread: handles requests first, then reads one batch while the handle has capacity.
    pub(super) fn run(mut self, mut channel: WorkerChannel) {
        channel.send(ReaderMessage::Assigned(self.owned.iter().map(|(partition, owned)| (partition.clone(), owned.committed)).collect()));
        loop {
            match self.poll_once(&mut channel) {
                Ok(Ok(())) => {}
                Ok(Err(HandleDropped)) => return,
                Err(error) => {
                    channel.send(ReaderMessage::Failed(error));
                    return;
                }
            }
        }
    }

    fn poll_once(&mut self, channel: &mut WorkerChannel) -> Result<Result<(), HandleDropped>, LogError> {
        let wait = match self.progress {
            _ if !channel.has_capacity() || !self.is_started() => IDLE_WAIT,
            PollProgress::Reading => Duration::ZERO,
            PollProgress::CaughtUp => POLL_INTERVAL,
        };
        match channel.recv(wait) {
            Ok(Some(request)) => self.handle(request),
            Ok(None) if channel.has_capacity() && self.is_started() => {
                if let Some(notice) = self.poll()? {
                    channel.send(notice);
                }
            }
            Ok(None) => {}
            Err(gone) => return Ok(Err(gone)),
        }
        Ok(Ok(()))
    }

    /// Whether a partition was started, or there is none to start.
    fn is_started(&self) -> bool {
        self.owned.is_empty() || self.owned.values().any(|owned| owned.cursor.is_some())
    }

    fn handle(&mut self, request: ReaderRequest) {
        // Sending fails when the caller was cancelled; then nobody needs the reply.
        match request {
            ReaderRequest::StartAt { at, epoch, reply } => drop(reply.send(self.start_at(&at, epoch))),
            ReaderRequest::Commit { offsets, reply } => drop(reply.send(self.commit(&offsets))),
            // The embedded log never revokes a partition.
            ReaderRequest::Release { reply, .. } => drop(reply.send(Ok(()))),
            ReaderRequest::Bounds { topic, reply } => drop(reply.send(bounds(&self.records, &topic))),
            ReaderRequest::BatchTaken => {}
        }
    }

    fn start_at(&mut self, at: &[NextOffset], epoch: u64) -> Result<(), LogError> {
        self.progress = PollProgress::Reading;
        self.data_version = -1;
        self.epoch = epoch;
        for next in at {
            if let Some(owned) = self.owned.get_mut(&next.partition) {
                owned.cursor = None;
            }
        }
        for NextOffset { partition, offset } in at {
            let owned = self.owned.get_mut(partition).ok_or_else(|| LogError::NotOwned { partition: partition.clone() })?;
            let Range { start, end } = self.records.offsets(owned.id)?;
            if !(start..=end).contains(offset) {
                return Err(LogError::OutOfRange { partition: partition.clone(), offset: *offset, start, end });
            }
            owned.cursor = Some(ReadCursor { next: *offset, epoch });
        }
        Ok(())
    }

    fn commit(&mut self, offsets: &[NextOffset]) -> Result<(), LogError> {
        let not_owned = offsets.iter().find(|next| !self.owned.contains_key(&next.partition));
        match (&mut self.positions, not_owned.or(offsets.first())) {
            (Some(positions), _) if not_owned.is_none() => positions.commit(offsets),
            (_, Some(next)) => Err(LogError::NotOwned { partition: next.partition.clone() }),
            (_, None) => Ok(()),
        }
    }

    /// Reads one batch, or reports `CaughtUp` once when there is none.
    fn poll(&mut self) -> Result<Option<ReaderMessage>, LogError> {
        // An idle reader would not notice that its file was deleted or replaced.
        if self.progress == PollProgress::CaughtUp {
            self.records.file.check(&self.records.path)?;
        }
        let version = self.read_data_version()?;
        if self.progress == PollProgress::CaughtUp && version == self.data_version {
            return Ok(None);
        }
        self.data_version = version;
        let partitions = self.owned.len();
        for step in 0..partitions {
            let index = (self.next_index + step) % partitions;
            if let Some(batch) = self.read_batch(index)? {
                self.next_index = index + 1;
                self.progress = PollProgress::Reading;
                return Ok(Some(batch));
            }
        }
        self.check_not_truncated()?;
        // Reported again only after new records, as another topic may have changed the file.
        let has_new_records = self.progress == PollProgress::Reading;
        self.progress = PollProgress::CaughtUp;
        Ok(has_new_records.then_some(ReaderMessage::CaughtUp { epoch: self.epoch }))
    }

    /// Fails when a partition ends before its cursor: then another log was copied over the file.
    fn check_not_truncated(&self) -> Result<(), LogError> {
        for (partition, owned) in &self.owned {
            let Some(ReadCursor { next, .. }) = owned.cursor else { continue };
            let end = self.records.offsets(owned.id)?.end;
            if end < next {
                return Err(replaced_error(&self.records.path, format!("{partition} was read up to {next} and now ends at {end}")));
            }
        }
        Ok(())
    }

    fn read_data_version(&self) -> Result<i64, LogError> {
        let counter = self.records.sql.prepare_cached("PRAGMA data_version").and_then(|mut row| row.query_row([], |row| row.get(0)));
        self.records.check(counter)
    }

    fn read_batch(&mut self, index: usize) -> Result<Option<ReaderMessage>, LogError> {
        let Some((partition, owned)) = self.owned.iter_mut().nth(index) else { return Ok(None) };
        let Some(cursor) = &mut owned.cursor else { return Ok(None) };
        let query = BatchQuery { partition, id: owned.id, from: cursor.next, max_records: self.max_records, max_bytes: self.max_bytes };
        let records = query.read(&self.records)?;
        let Some(last) = records.last() else { return Ok(None) };
        cursor.next = last.offset + 1;
        Ok(Some(ReaderMessage::Records { partition: partition.clone(), epoch: cursor.epoch, records }))
    }
}

/// The partitions of a topic that this member owns, with their ids.
fn owned_partitions(records: &LogFile, topic: &str, membership: &Membership) -> Result<Vec<(Partition, i64)>, LogError> {
    let ids = partition_ids(records, topic)?;
    let name: Arc<str> = topic.into();
    let all = ids.into_iter().enumerate().map(|(number, id)| (partition_of(&name, number), id));
    match *membership {
        Membership::Standalone => Ok(all.collect()),
        Membership::Group { member, members, .. } if member < members => {
            Ok(all.filter(|(partition, _)| partition.number % members == member).collect())
        }
        Membership::Group { member, members, .. } => {
            Err(LogError::Config { setting: "member", reason: format!("member {member} of {members}: members are numbered from 0") })
        }
    }
}

fn partition_ids(records: &LogFile, topic: &str) -> Result<Vec<i64>, LogError> {
    let ids = records.partition_ids(topic)?;
    if ids.is_empty() { Err(LogError::UnknownTopic { topic: topic.to_owned() }) } else { Ok(ids) }
}

fn bounds(records: &LogFile, topic: &str) -> Result<Vec<Bounds>, LogError> {
    let name: Arc<str> = topic.into();
    let ids = partition_ids(records, topic)?.into_iter().enumerate();
    let bounds = |(number, id)| {
        let Range { start, end } = records.offsets(id)?;
        Ok(Bounds { partition: partition_of(&name, number), start, end })
    };
    ids.map(bounds).collect()
}
