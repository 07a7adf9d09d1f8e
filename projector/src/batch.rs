//! Batch: the encoded rows of one contiguous range of offsets of one partition.
//!
//! Offsets without a record belong to the range of the next record. A batch is encoded once and never changes; the same range of the same
//! records gives the same bytes and the same token. Repairs (`verify.rs`) are
//! the exception: their batches have fact rows of any offsets. A batch exceeds its limits by at most one record. `batch_queue.rs` decides when it is
//! written.

use std::{ops::Range, time::Instant};

use bytes::Bytes;
use qamtu_log::{Partition, Record};
use sha2::{Digest, Sha256};

use crate::{
    config::BatchLimits,
    projection::PROJECTION_VERSION,
    rows::{Row, Table},
};

/// A batch to which records can still be added.
#[derive(Debug)]
pub struct OpenBatch {
    partition: Partition,
    first_offset: u64,
    end_offset: u64,
    tables: [TableBuffer; Table::ALL.len()],
    /// Time at which the first record was added.
    pub opened: Instant,
    appended_ms: i64,
}

#[derive(Debug, Default, Clone)]
struct TableBuffer {
    count: usize,
    bytes: Vec<u8>,
}

/// A sealed batch, ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Partition of all its records.
    pub partition: Partition,
    /// First offset of the range.
    pub first_offset: u64,
    /// Offset after the range.
    pub end_offset: u64,
    /// One insert for each table that has rows, in write order; the log copy last.
    pub inserts: Vec<Insert>,
    /// Append time of its oldest record, in milliseconds since 1970.
    pub appended_ms: i64,
}

/// The rows of one batch for one table, sent in one insert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insert {
    /// Table of all its rows.
    pub table: Table,
    /// Number of rows in `bytes`.
    pub rows: usize,
    /// Rows in RowBinary format.
    pub bytes: Bytes,
    /// Deduplication token: projection version, topic, partition, range, hash of the bytes. The warehouse adds the table's UUID and its
    /// token epoch.
    ///
    /// Because of the hash, other bytes for the same range are never dropped as a duplicate; their rows collapse by key.
    pub token: String,
}

impl OpenBatch {
    /// An empty batch whose range starts at this record.
    pub fn new(first: &Record, now: Instant) -> Self {
        Self {
            partition: first.partition.clone(),
            first_offset: first.covers().start,
            end_offset: first.covers().start,
            tables: Default::default(),
            opened: now,
            appended_ms: first.appended_ms,
        }
    }

    /// Adds the rows of the next record.
    pub fn add(&mut self, record: &Record, rows: &[Row<'_>]) {
        for row in rows {
            let table = &mut self.tables[row.table() as usize];
            row.put(&mut table.bytes);
            table.count += 1;
        }
        self.end_offset = record.offset + 1;
        self.appended_ms = self.appended_ms.min(record.appended_ms);
    }

    /// Whether the range of this record directly follows.
    pub fn is_followed_by(&self, record: &Record) -> bool {
        record.partition == self.partition && record.covers().start == self.end_offset
    }

    /// Bytes of the encoded rows of all tables.
    pub fn bytes(&self) -> usize {
        self.tables.iter().map(|rows| rows.bytes.len()).sum()
    }

    /// Whether the batch has reached one of the limits.
    pub fn is_full(&self, limits: &BatchLimits) -> bool {
        self.tables.iter().any(|rows| rows.count >= limits.rows) || self.bytes() >= limits.bytes
    }

    /// Ends the range and computes the tokens.
    pub fn seal(self) -> Batch {
        let range = format!("{}:{}-{}", self.partition, self.first_offset, self.end_offset - 1);
        let inserts = Table::ALL
            .into_iter()
            .zip(self.tables)
            .filter(|(_, rows)| rows.count > 0)
            .map(|(table, rows)| {
                let hash: String = Sha256::digest(&rows.bytes)[..16].iter().map(|byte| format!("{byte:02x}")).collect();
                Insert { table, rows: rows.count, bytes: rows.bytes.into(), token: format!("{PROJECTION_VERSION}:{range}:{hash}") }
            })
            .collect();
        Batch {
            partition: self.partition,
            first_offset: self.first_offset,
            end_offset: self.end_offset,
            inserts,
            appended_ms: self.appended_ms,
        }
    }
}

impl Batch {
    /// Bytes of the encoded rows of all tables.
    pub fn bytes(&self) -> usize {
        self.inserts.iter().map(|insert| insert.bytes.len()).sum()
    }

    /// Number of records, which is the number of its log copy rows.
    pub fn records(&self) -> u64 {
        let log = self.inserts.iter().find(|insert| insert.table == Table::Log);
        log.map_or(0, |insert| insert.rows as u64)
    }

    /// The range of offsets that the batch covers.
    pub fn range(&self) -> Range<u64> {
        self.first_offset..self.end_offset
    }
}
