//! Rows of the log copy that identify the log they were copied from; compared in `identity.rs`.

use clickhouse::Row;
use qamtu_log::Partition;
use serde::Deserialize;
use uuid::Uuid;

/// Number of oldest and of newest rows that are compared; several, because compaction may have removed some records.
pub(super) const SAMPLE_SIZE: u32 = 16;

/// Sample of the log copy of one partition.
#[derive(Debug)]
pub struct LogSample {
    /// Partition of the rows.
    pub partition: Partition,
    /// Rows with the lowest offsets, ascending.
    pub oldest: Vec<SampleRecord>,
    /// Rows with the highest offsets, descending.
    pub newest: Vec<SampleRecord>,
}

/// The columns of a log copy row that identify its record.
#[derive(Debug, Clone, Row, Deserialize)]
pub struct SampleRecord {
    pub(crate) offset: u64,
    pub(crate) appended_ms: i64,
    pub(crate) rejected: u8,
    #[serde(with = "clickhouse::serde::uuid")]
    pub(crate) event_id: Uuid,
    pub(crate) bodyhash: [u8; 16],
}
