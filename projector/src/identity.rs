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
    decode_result::DecodeResult,
    error::ProjectorError,
    warehouse::{LogSample, SampleRecord},
};

/// Whether this record was copied as this row. How a rejected record is shown may change between versions, and whether it is
/// rejected, too; then the time at which the log took it has to do.
fn matches_sample(record: &Record, sample: &SampleRecord) -> bool {
    let same_event = match decode(record) {
        DecodeResult::Event { event, .. } if sample.rejected == 0 => {
            (event.envelope.id, event.envelope.bodyhash) == (EventId(sample.event_id), BodyHash(sample.bodyhash))
        }
        _ => true,
    };
    same_event && sample.appended_ms == record.appended_ms
}

/// The comparison of some rows of one partition while it is under way.
#[derive(Debug)]
struct SampleComparison {
    samples: BTreeMap<u64, SampleRecord>,
    /// The offset after the last that is compared.
    until: u64,
    matched: bool,
}

type Comparisons = BTreeMap<Partition, SampleComparison>;

impl SampleComparison {
    fn of(samples: Vec<SampleRecord>) -> Option<Self> {
        let samples: BTreeMap<_, _> = samples.into_iter().map(|sample| (sample.offset, sample)).collect();
        let until = samples.keys().next_back()? + 1;
        Some(Self { samples, until, matched: false })
    }

    /// Takes the next record of the partition; true once there is nothing more to compare.
    fn take(&mut self, record: &Record) -> Result<bool, ProjectorError> {
        if let Some(sample) = self.samples.get(&record.offset) {
            if !matches_sample(record, sample) {
                return Err(ProjectorError::LogMismatch { partition: record.partition.clone(), offset: record.offset });
            }
            self.matched = true;
        }
        Ok(record.offset + 1 >= self.until)
    }
}

/// Compares the log with rows of its copy, with a reader of its own: nothing that was read here is projected.
pub async fn check_same_log(log: &LogConfig, copy: Vec<LogSample>) -> Result<(), ProjectorError> {
    let (mut oldest, mut newest) = (Comparisons::new(), Comparisons::new());
    for LogSample { partition, oldest: old, newest: new } in copy {
        oldest.extend(SampleComparison::of(old).map(|comparison| (partition.clone(), comparison)));
        newest.extend(SampleComparison::of(new).map(|comparison| (partition, comparison)));
    }
    if newest.is_empty() {
        return Ok(());
    }
    let mut topics: Vec<_> = newest.keys().map(|partition| partition.topic.to_string()).collect();
    topics.dedup();
    let options = ReaderOptions { topics: topics.clone(), membership: Membership::Whole, max_records: 1_000, max_bytes: 4 << 20 };
    let mut reader = open_reader(log, options).await?;
    while !matches!(reader.next().await?, Delivery::Assigned(_)) {}
    for comparisons in [&mut oldest, &mut newest] {
        let starts = starts(&*reader, &topics, comparisons).await?;
        read(&mut *reader, &starts, comparisons).await?;
    }
    for (partition, comparison) in newest.iter().filter(|(_, comparison)| !comparison.matched) {
        let newest = comparison.until - 1;
        tracing::warn!(%partition, newest, "the log holds no record at the newest offsets of the tables, so its identity is not proved");
    }
    Ok(())
}

/// Where to read each partition from. One that cannot be compared is left to the check of its bounds.
async fn starts(reader: &dyn LogReader, topics: &[String], comparisons: &mut Comparisons) -> Result<Vec<NextOffset>, ProjectorError> {
    let mut bounds = BTreeMap::new();
    for topic in topics {
        bounds.extend(reader.bounds(topic).await?.into_iter().map(|bounds| (bounds.partition.clone(), bounds)));
    }
    let mut starts = Vec::new();
    comparisons.retain(|partition, comparison| {
        let Some(Bounds { start, end, .. }) = bounds.get(partition).filter(|bounds| bounds.end >= comparison.until) else { return false };
        comparison.samples.retain(|offset, _| offset >= start);
        match comparison.samples.keys().next() {
            Some(first) => starts.push(partition.next_offset(*first)),
            None => {
                let partition = partition.to_string();
                tracing::warn!(partition, start, end, "the log no longer has what the tables hold of it, so its identity is not proved");
            }
        }
        !comparison.samples.is_empty()
    });
    Ok(starts)
}

/// Reads until everything is compared.
async fn read(reader: &mut dyn LogReader, starts: &[NextOffset], comparisons: &mut Comparisons) -> Result<(), ProjectorError> {
    let mut open: Vec<_> = starts.iter().map(|start| start.partition.clone()).collect();
    reader.start_at(starts).await?;
    while !open.is_empty() {
        match reader.next().await? {
            Delivery::Records(records) => {
                for record in &records {
                    let done = comparisons.get_mut(&record.partition).map_or(Ok(true), |comparison| comparison.take(record))?;
                    open.retain(|partition| !done || *partition != record.partition);
                }
            }
            // Whatever was not matched by then is not there.
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

    fn comparison(appended_ms: i64) -> SampleComparison {
        let sample = |offset| SampleRecord { offset, appended_ms, rejected: 1, event_id: Uuid::nil(), bodyhash: [0; 16] };
        SampleComparison::of(vec![sample(8), sample(7)]).unwrap()
    }

    #[test]
    fn a_record_that_the_log_took_at_another_time_is_another_record() {
        let mut same = comparison(1_000);
        assert!(matches!(same.take(&record(6, 0)), Ok(false)));
        assert!(!same.matched);
        assert!(matches!(same.take(&record(7, 1_000)), Ok(false)));
        assert!(same.matched);
        assert!(matches!(same.take(&record(8, 1_000)), Ok(true)));
        assert!(matches!(comparison(1_001).take(&record(7, 1_000)), Err(ProjectorError::LogMismatch { offset: 7, .. })));
    }

    #[test]
    fn what_lies_behind_the_compared_rows_proves_nothing() {
        let mut comparison = comparison(1_000);
        assert!(matches!(comparison.take(&record(9, 1_000)), Ok(true)));
        assert!(!comparison.matched);
    }
}
