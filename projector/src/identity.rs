//! Identity: proves that the log is the one that the log copy was made from, before anything of it is written.
//!
//! Two logs may be equally long: an older copy was restored, or a topic was deleted and made anew, and grew past the tables. Read on from
//! there, everything new below the old end would be skipped in silence. So the oldest and the newest rows of the log copy are compared
//! with the records at the same offsets: when the log took them, and which events with which bodies they are. The newest tell an older
//! copy that was restored; the oldest tell a topic that was made anew even when some of its records were already projected.
//!
//! Guarantees: a partition is accepted only when every record at those offsets is that of the copy. What is not proved here: partitions of
//! which the copy has nothing, and logs from which retention or compaction has removed all of these records (it is said in the service's
//! own log); a log that was made anew has records there. Deletion while running is noticed by the log crate, and the next start comes
//! here.

use std::collections::BTreeMap;

use qamtu_log::{Bounds, Delivery, LogConfig, LogReader, Membership, NextOffset, Partition, ReaderOptions, Record, open_reader};
use qamtu_schemas::id::{BodyHash, EventId};

use crate::{
    decode::decode,
    error::ProjectorError,
    fate::Fate,
    warehouse::{Witness, Witnesses},
};

/// Whether this record was copied as this row. How a rejected record is shown may change between versions, and whether it is
/// rejected, too; then the time at which the log took it has to do.
fn is_copied_as(record: &Record, witness: &Witness) -> bool {
    let same_event = match decode(record) {
        Fate::Event { event, .. } if witness.rejected == 0 => {
            (event.envelope.id, event.envelope.bodyhash) == (EventId(witness.event_id), BodyHash(witness.bodyhash))
        }
        _ => true,
    };
    same_event && witness.appended_ms == record.appended_ms
}

/// The comparison of some rows of one partition while it is under way.
#[derive(Debug)]
struct Proof {
    witnesses: BTreeMap<u64, Witness>,
    /// The offset after the last that is compared.
    until: u64,
    found: bool,
}

type Proofs = BTreeMap<Partition, Proof>;

impl Proof {
    fn of(witnesses: Vec<Witness>) -> Option<Self> {
        let witnesses: BTreeMap<_, _> = witnesses.into_iter().map(|witness| (witness.offset, witness)).collect();
        let until = witnesses.keys().next_back()? + 1;
        Some(Self { witnesses, until, found: false })
    }

    /// Takes the next record of the partition; true once there is nothing more to compare.
    fn take(&mut self, record: &Record) -> Result<bool, ProjectorError> {
        if let Some(witness) = self.witnesses.get(&record.offset) {
            if !is_copied_as(record, witness) {
                return Err(ProjectorError::AnotherLog { partition: record.partition.clone(), offset: record.offset });
            }
            self.found = true;
        }
        Ok(record.offset + 1 >= self.until)
    }
}

/// Compares the log with rows of its copy, with a reader of its own: nothing that was read here is projected.
pub async fn prove(log: &LogConfig, copy: Vec<Witnesses>) -> Result<(), ProjectorError> {
    let (mut oldest, mut newest) = (Proofs::new(), Proofs::new());
    for Witnesses { partition, oldest: old, newest: new } in copy {
        oldest.extend(Proof::of(old).map(|proof| (partition.clone(), proof)));
        newest.extend(Proof::of(new).map(|proof| (partition, proof)));
    }
    if newest.is_empty() {
        return Ok(());
    }
    let mut topics: Vec<_> = newest.keys().map(|partition| partition.topic.to_string()).collect();
    topics.dedup();
    let options = ReaderOptions { topics: topics.clone(), membership: Membership::Whole, max_records: 1_000, max_bytes: 4 << 20 };
    let mut reader = open_reader(log, options).await?;
    while !matches!(reader.next().await?, Delivery::Assigned(_)) {}
    for proofs in [&mut oldest, &mut newest] {
        let starts = starts(&*reader, &topics, proofs).await?;
        read(&mut *reader, &starts, proofs).await?;
    }
    for (partition, proof) in newest.iter().filter(|(_, proof)| !proof.found) {
        let newest = proof.until - 1;
        tracing::warn!(%partition, newest, "the log holds no record at the newest offsets of the tables, so its identity is not proved");
    }
    Ok(())
}

/// Where to read each partition from. One that cannot be compared is left to the check of its bounds.
async fn starts(reader: &dyn LogReader, topics: &[String], proofs: &mut Proofs) -> Result<Vec<NextOffset>, ProjectorError> {
    let mut bounds = BTreeMap::new();
    for topic in topics {
        bounds.extend(reader.bounds(topic).await?.into_iter().map(|bounds| (bounds.partition.clone(), bounds)));
    }
    let mut starts = Vec::new();
    proofs.retain(|partition, proof| {
        let Some(Bounds { start, end, .. }) = bounds.get(partition).filter(|bounds| bounds.end >= proof.until) else { return false };
        proof.witnesses.retain(|offset, _| offset >= start);
        match proof.witnesses.keys().next() {
            Some(first) => starts.push(partition.next_offset(*first)),
            None => {
                let partition = partition.to_string();
                tracing::warn!(partition, start, end, "the log no longer has what the tables hold of it, so its identity is not proved");
            }
        }
        !proof.witnesses.is_empty()
    });
    Ok(starts)
}

/// Reads until everything is compared.
async fn read(reader: &mut dyn LogReader, starts: &[NextOffset], proofs: &mut Proofs) -> Result<(), ProjectorError> {
    let mut open: Vec<_> = starts.iter().map(|start| start.partition.clone()).collect();
    reader.start_at(starts).await?;
    while !open.is_empty() {
        match reader.next().await? {
            Delivery::Records(records) => {
                for record in &records {
                    let done = proofs.get_mut(&record.partition).map_or(Ok(true), |proof| proof.take(record))?;
                    open.retain(|partition| !done || *partition != record.partition);
                }
            }
            // Whatever was not found by then is not there.
            Delivery::CaughtUp => break,
            Delivery::Assigned(_) | Delivery::Revoked { .. } => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn record(offset: u64, appended_ms: i64) -> Record {
        Record { partition: Partition::new("events", 0), offset, skipped: 0, appended_ms, key: None, headers: Vec::new(), value: None }
    }

    fn proof(appended_ms: i64) -> Proof {
        let witness = |offset| Witness { offset, appended_ms, rejected: 1, event_id: Uuid::nil(), bodyhash: [0; 16] };
        Proof::of(vec![witness(8), witness(7)]).unwrap()
    }

    #[test]
    fn a_record_that_the_log_took_at_another_time_is_another_record() {
        let mut same = proof(1_000);
        assert!(matches!(same.take(&record(6, 0)), Ok(false)));
        assert!(!same.found);
        assert!(matches!(same.take(&record(7, 1_000)), Ok(false)));
        assert!(same.found);
        assert!(matches!(same.take(&record(8, 1_000)), Ok(true)));
        assert!(matches!(proof(1_001).take(&record(7, 1_000)), Err(ProjectorError::AnotherLog { offset: 7, .. })));
    }

    #[test]
    fn what_lies_behind_the_compared_rows_proves_nothing() {
        let mut proof = proof(1_000);
        assert!(matches!(proof.take(&record(9, 1_000)), Ok(true)));
        assert!(!proof.found);
    }
}
