//! Rows of the log copy that tell its log from another; they are compared in [`crate::identity`].

use clickhouse::Row;
use qamtu_log::Partition;
use serde::Deserialize;
use uuid::Uuid;

/// Oldest and newest rows of a partition that are compared, of each so many: several, since compaction may have removed some.
pub(super) const SAMPLE_SIZE: u32 = 16;

/// Rows of the log copy that tell its log from another.
#[derive(Debug)]
pub struct LogSample {
    /// The partition.
    pub partition: Partition,
    /// Its oldest rows.
    pub oldest: Vec<SampleRecord>,
    /// Its newest rows.
    pub newest: Vec<SampleRecord>,
}

/// A row of the log copy, as far as it tells one log from another.
#[derive(Debug, Clone, Row, Deserialize)]
pub struct SampleRecord {
    pub(crate) offset: u64,
    pub(crate) appended_ms: i64,
    pub(crate) rejected: u8,
    #[serde(with = "clickhouse::serde::uuid")]
    pub(crate) event_id: Uuid,
    pub(crate) bodyhash: [u8; 16],
}
