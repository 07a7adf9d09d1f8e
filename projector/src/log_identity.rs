//! Identity of the log: verifies that it is the log the log copy was made from, before anything is written.
//!
//! Two different logs may have the same length: an older backup was restored, or a topic was deleted and recreated, and then grew past
//! the tables. Reading on would silently skip every new record below the old end. So the oldest and the newest rows of the log copy are
//! compared with the records at the same offsets, by append time, event id and body. The newest rows reveal a restored backup; the oldest
//! reveal a recreated topic even if some of its records were already projected.
//!
//! A partition is accepted only if every compared record matches. Not verified: partitions without rows, and logs from which retention or
//! compaction has removed all of these records (this is logged). The log crate detects a deletion at run time.

use std::collections::BTreeMap;

use qamtu_log::{Bounds, Delivery, LogConfig, LogReader, Membership, NextOffset, Partition, ReaderOptions, Record, open_reader};
use qamtu_schemas::id::{BodyHash, EventId};

use crate::{
    decode::decode,
    decode_result::DecodeResult,
    error::ProjectorError,
    warehouse::{LogSample, SampleRecord},
};

/// Whether the row may be a copy of this record. Only events are compared by id and body: whether a record is rejected, and how it is
/// redacted, may differ between versions of the projector, so for others the append time decides.
fn matches_sample(record: &Record, sample: &SampleRecord) -> bool {
    let same_event = match decode(record) {
        DecodeResult::Event { event, .. } if sample.rejected == 0 => {
            (event.envelope.id, event.envelope.bodyhash) == (EventId(sample.event_id), BodyHash(sample.bodyhash))
        }
        _ => true,
    };
    same_event && sample.appended_ms == record.appended_ms
}

/// State of the comparison of one partition with its sample rows, by offset.
#[derive(Debug)]
struct SampleComparison {
    samples: BTreeMap<u64, SampleRecord>,
    /// Offset after the last sample row.
    end_offset: u64,
    matched: bool,
}

type Comparisons = BTreeMap<Partition, SampleComparison>;

impl SampleComparison {
    fn of(samples: Vec<SampleRecord>) -> Option<Self> {
        let samples: BTreeMap<_, _> = samples.into_iter().map(|sample| (sample.offset, sample)).collect();
        let end_offset = samples.keys().next_back()? + 1;
        Some(Self { samples, end_offset, matched: false })
    }

    /// Compares the next record of the partition with the row at its offset; returns true after the last sample row.
    fn compare(&mut self, record: &Record) -> Result<bool, ProjectorError> {
        if let Some(sample) = self.samples.get(&record.offset) {
            if !matches_sample(record, sample) {
                return Err(ProjectorError::LogMismatch { partition: record.partition.clone(), offset: record.offset });
            }
            self.matched = true;
        }
        Ok(record.offset + 1 >= self.end_offset)
    }
}

/// Compares the log with sample rows of its copy. Uses a reader of its own, because the records must not be projected.
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
    let options = ReaderOptions { topics: topics.clone(), membership: Membership::Standalone, max_records: 1_000, max_bytes: 4 << 20 };
    let mut reader = open_reader(log, options).await?;
    while !matches!(reader.next().await?, Delivery::Assigned(_)) {}
    for comparisons in [&mut oldest, &mut newest] {
        let starts = starts(&*reader, &topics, comparisons).await?;
        read(&mut *reader, &starts, comparisons).await?;
    }
    for (partition, comparison) in newest.iter().filter(|(_, comparison)| !comparison.matched) {
        let newest = comparison.end_offset - 1;
        tracing::warn!(%partition, newest, "the log has no record at the newest offsets of the tables, so its identity is not verified");
    }
    Ok(())
}

/// Start offsets of the comparison. A partition that is shorter than its sample is left to the check of its bounds.
async fn starts(reader: &dyn LogReader, topics: &[String], comparisons: &mut Comparisons) -> Result<Vec<NextOffset>, ProjectorError> {
    let mut bounds = BTreeMap::new();
    for topic in topics {
        bounds.extend(reader.bounds(topic).await?.into_iter().map(|bounds| (bounds.partition.clone(), bounds)));
    }
    let mut starts = Vec::new();
    comparisons.retain(|partition, comparison| {
        let Some(Bounds { start, end, .. }) = bounds.get(partition).filter(|bounds| bounds.end >= comparison.end_offset) else {
            return false;
        };
        comparison.samples.retain(|offset, _| offset >= start);
        match comparison.samples.keys().next() {
            Some(first) => starts.push(partition.next_offset(*first)),
            None => {
                let partition = partition.to_string();
                tracing::warn!(
                    partition,
                    start,
                    end,
                    "the log no longer has the records of the oldest or newest rows, so its identity is not verified"
                );
            }
        }
        !comparison.samples.is_empty()
    });
    Ok(starts)
}

/// Reads records until all samples are compared.
async fn read(reader: &mut dyn LogReader, starts: &[NextOffset], comparisons: &mut Comparisons) -> Result<(), ProjectorError> {
    let mut unfinished: Vec<_> = starts.iter().map(|start| start.partition.clone()).collect();
    reader.start_at(starts).await?;
    while !unfinished.is_empty() {
        match reader.next().await? {
            Delivery::Records(records) => {
                for record in &records {
                    let done = comparisons.get_mut(&record.partition).map_or(Ok(true), |comparison| comparison.compare(record))?;
                    unfinished.retain(|partition| !done || *partition != record.partition);
                }
            }
            // The log does not have the remaining sample records.
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
    fn a_record_with_another_append_time_does_not_match() {
        let mut same = comparison(1_000);
        assert!(matches!(same.compare(&record(6, 0)), Ok(false)));
        assert!(!same.matched);
        assert!(matches!(same.compare(&record(7, 1_000)), Ok(false)));
        assert!(same.matched);
        assert!(matches!(same.compare(&record(8, 1_000)), Ok(true)));
        assert!(matches!(comparison(1_001).compare(&record(7, 1_000)), Err(ProjectorError::LogMismatch { offset: 7, .. })));
    }

    #[test]
    fn records_after_the_sample_are_not_compared() {
        let mut comparison = comparison(1_000);
        assert!(matches!(comparison.compare(&record(9, 1_000)), Ok(true)));
        assert!(!comparison.matched);
    }
}
