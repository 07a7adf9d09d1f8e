//! Batch: the rows of one contiguous range of offsets of one partition, as the bytes that are sent.
//!
//! Offsets at which the log holds no record belong to the range of the record behind them.
//! Guarantees: a batch is encoded once and never changes; the same range of the same records gives the same bytes and the same
//! token. It is at most one record larger than its limits. When it is written is decided in `batches.rs`.

use std::{ops::Range, time::Instant};

use bytes::Bytes;
use qamtu_log::{Partition, Record};
use sha2::{Digest, Sha256};

use crate::{
    config::Limits,
    projection::PROJECTION_VERSION,
    rows::{Row, Table},
};

/// A batch that still grows.
#[derive(Debug)]
pub struct OpenBatch {
    partition: Partition,
    first: u64,
    next: u64,
    tables: [TableBuffer; Table::ALL.len()],
    /// When its first record was added.
    pub opened: Instant,
    appended_ms: i64,
}

/// TableBuffer of one table.
#[derive(Debug, Default, Clone)]
struct TableBuffer {
    count: usize,
    bytes: Vec<u8>,
}

/// A batch that is ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Its partition.
    pub partition: Partition,
    /// First offset.
    pub first: u64,
    /// Offset after the last.
    pub next: u64,
    /// What goes into each table that has rows, in the order of writing; the log copy last.
    pub inserts: Vec<Insert>,
    /// When the log took its oldest record, in milliseconds since 1970.
    pub appended_ms: i64,
}

/// What one batch puts into one table, in one insert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insert {
    /// The table.
    pub table: Table,
    /// How many rows.
    pub rows: usize,
    /// Their bytes.
    pub bytes: Bytes,
    /// Deduplication token, to which the warehouse adds the table's generation and its own number: projection, topic, partition,
    /// range, hash of the bytes.
    ///
    /// The hash keeps other bytes for the same range from being taken for a repetition: they become rows that collapse by key.
    pub token: String,
}

impl OpenBatch {
    /// A batch that begins with this record.
    pub fn new(first: &Record, now: Instant) -> Self {
        Self {
            partition: first.partition.clone(),
            first: first.covers().start,
            next: first.covers().start,
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
        self.next = record.offset + 1;
        self.appended_ms = self.appended_ms.min(record.appended_ms);
    }

    /// Whether this record comes directly behind it.
    pub fn is_followed_by(&self, record: &Record) -> bool {
        record.partition == self.partition && record.covers().start == self.next
    }

    /// Bytes of all its rows.
    pub fn bytes(&self) -> usize {
        self.tables.iter().map(|rows| rows.bytes.len()).sum()
    }

    /// Whether nothing more should be added.
    pub fn is_full(&self, limits: &Limits) -> bool {
        self.tables.iter().any(|rows| rows.count >= limits.rows) || self.bytes() >= limits.bytes
    }

    /// Ends it.
    pub fn seal(self) -> Batch {
        let range = format!("{}:{}-{}", self.partition, self.first, self.next - 1);
        let inserts = Table::ALL
            .into_iter()
            .zip(self.tables)
            .filter(|(_, rows)| rows.count > 0)
            .map(|(table, rows)| {
                let hash: String = Sha256::digest(&rows.bytes)[..16].iter().map(|byte| format!("{byte:02x}")).collect();
                Insert { table, rows: rows.count, bytes: rows.bytes.into(), token: format!("{PROJECTION_VERSION}:{range}:{hash}") }
            })
            .collect();
        Batch { partition: self.partition, first: self.first, next: self.next, inserts, appended_ms: self.appended_ms }
    }
}

impl Batch {
    /// Bytes of all its rows.
    pub fn bytes(&self) -> usize {
        self.inserts.iter().map(|insert| insert.bytes.len()).sum()
    }

    /// Records in it: rows of the log copy.
    pub fn records(&self) -> u64 {
        let log = self.inserts.iter().find(|insert| insert.table == Table::Log);
        log.map_or(0, |insert| insert.rows as u64)
    }

    /// The offsets that are written once it is.
    pub fn range(&self) -> Range<u64> {
        self.first..self.next
    }
}
