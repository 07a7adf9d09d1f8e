//! The log copy: which of its rows are stored, and which of its events lack facts.
//!
//! The functions do not retry, except [`WarehouseConnection::log_copy_states_with_retry`].

use std::{collections::BTreeMap, ops::Range};

use clickhouse::Row;
use qamtu_log::Partition;
use serde::Deserialize;

use super::{ClickhouseError, VERIFY_TIMEOUT, WarehouseConnection, retrying, run_query, run_query_within};
use crate::health::ProblemKind;

/// Maximum ranges of missing records returned per partition, 1.6 MB. The next check finds the others once these are written.
const MISSING_MAX: usize = 100_000;

/// Which offsets of a partition the log copy contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogCopyState {
    /// Partition of the offsets.
    pub partition: Partition,
    /// Ranges below `end` that have no row and were not skipped by the log, in order.
    pub missing: Vec<Range<u64>>,
    /// Offset after the last row; 0 without rows.
    pub end: u64,
}

impl LogCopyState {
    /// Offset below which no row is missing.
    pub fn contiguous_offset(&self) -> u64 {
        self.missing.first().map_or(self.end, |missing| missing.start)
    }
}

#[derive(Row, Deserialize)]
struct ContiguousOffsetRow {
    topic: String,
    partition: u32,
    contiguous_offset: u64,
    end_offset: u64,
}

#[derive(Row, Deserialize)]
struct MissingRecordsRow {
    first_offset: u64,
    end_offset: u64,
}

#[derive(Row, Deserialize)]
struct MissingFactRow {
    topic: String,
    partition: u32,
    offset: u64,
}

/// An event as stored in the log copy.
#[derive(Row, Deserialize)]
pub struct StoredEvent {
    /// Offset of its record.
    pub offset: u64,
    /// Append time in milliseconds since 1970.
    pub appended_ms: i64,
    /// The event in structured mode.
    pub body: String,
}

impl WarehouseConnection {
    /// [`Self::log_copy_states`], retried until the server responds.
    pub async fn log_copy_states_with_retry(&self, partitions: &[Partition]) -> Result<Vec<LogCopyState>, ClickhouseError> {
        retrying(&self.health.guard(ProblemKind::Assignment), || self.log_copy_states(partitions)).await
    }

    /// Reads which offsets of these partitions the log copy contains.
    pub async fn log_copy_states(&self, partitions: &[Partition]) -> Result<Vec<LogCopyState>, ClickhouseError> {
        let query = "SELECT topic, partition, contiguous_offset, end_offset FROM v_contiguous_offsets";
        let rows: Vec<ContiguousOffsetRow> =
            run_query_within(VERIFY_TIMEOUT, "reading the log copy", self.client.query(query).fetch_all()).await?;
        let mut states = Vec::with_capacity(partitions.len());
        for partition in partitions {
            let row = rows.iter().find(|row| row.topic == *partition.topic && row.partition == partition.number);
            let end = row.map_or(0, |row| row.end_offset);
            let is_whole = row.is_none_or(|row| row.contiguous_offset == row.end_offset);
            let missing = if is_whole { Vec::new() } else { self.missing_records(partition).await? };
            states.push(LogCopyState { partition: partition.clone(), missing, end });
        }
        Ok(states)
    }

    async fn missing_records(&self, partition: &Partition) -> Result<Vec<Range<u64>>, ClickhouseError> {
        let query = "SELECT first_offset, end_offset FROM v_missing_records \
                     WHERE topic = ? AND partition = ? ORDER BY first_offset LIMIT ?";
        let query = self.client.query(query).bind(&*partition.topic).bind(partition.number).bind(MISSING_MAX);
        let rows: Vec<MissingRecordsRow> = run_query_within(VERIFY_TIMEOUT, "looking for missing records", query.fetch_all()).await?;
        Ok(rows.into_iter().map(|row| row.first_offset..row.end_offset).collect())
    }

    /// Offsets of events whose facts are missing, by partition, in order; at most `limit` in total.
    pub async fn missing_facts(&self, limit: usize) -> Result<BTreeMap<Partition, Vec<u64>>, ClickhouseError> {
        let query = "SELECT topic, partition, offset FROM v_missing_facts ORDER BY topic, partition, offset LIMIT ?";
        let query = self.client.query(query).bind(limit);
        let rows: Vec<MissingFactRow> = run_query_within(VERIFY_TIMEOUT, "looking for missing facts", query.fetch_all()).await?;
        let mut offsets: BTreeMap<Partition, Vec<u64>> = BTreeMap::new();
        for row in rows {
            offsets.entry(Partition::new(row.topic, row.partition)).or_default().push(row.offset);
        }
        Ok(offsets)
    }

    /// Reads the events at these offsets from the log copy.
    pub async fn stored_events(&self, partition: &Partition, offsets: &[u64]) -> Result<Vec<StoredEvent>, ClickhouseError> {
        let query = "SELECT offset, toUnixTimestamp64Milli(appended) AS appended_ms, body FROM log FINAL \
                     WHERE topic = ? AND partition = ? AND offset IN ? AND status = 'event' ORDER BY offset";
        let query = self.client.query(query).bind(&*partition.topic).bind(partition.number).bind(offsets);
        run_query("reading events from the log copy", query.fetch_all()).await
    }
}
