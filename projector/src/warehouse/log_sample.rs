//! Rows of the log copy that identify the log they were copied from; compared in `log_identity.rs`.

use clickhouse::Row;
use qamtu_log::Partition;
use serde::Deserialize;
use uuid::Uuid;

use super::{ClickhouseError, LogCopyState, WarehouseConnection, retrying, run_query};
use crate::health::ProblemKind;

/// Number of oldest and of newest rows that are compared; several, because compaction may have removed some records.
const SAMPLE_SIZE: u32 = 16;

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

impl WarehouseConnection {
    /// The oldest and the newest rows of the log copy, which identify the log they were copied from.
    pub async fn log_samples(&self, states: &[LogCopyState]) -> Result<Vec<LogSample>, ClickhouseError> {
        let mut found = Vec::new();
        for LogCopyState { partition, .. } in states {
            let (oldest, newest) = (self.sample_rows(partition, "ASC").await?, self.sample_rows(partition, "DESC").await?);
            found.push(LogSample { partition: partition.clone(), oldest, newest });
        }
        Ok(found)
    }

    async fn sample_rows(&self, partition: &Partition, order: &str) -> Result<Vec<SampleRecord>, ClickhouseError> {
        let query = format!(
            "SELECT offset, toUnixTimestamp64Milli(appended) AS appended_ms, toUInt8(status = 'rejected') AS rejected, event_id, bodyhash \
             FROM log WHERE topic = ? AND partition = ? ORDER BY offset {order} LIMIT {SAMPLE_SIZE}"
        );
        let attempt = || async {
            let query = self.client.query(&query).bind(&*partition.topic).bind(partition.number);
            run_query("reading the log copy", query.fetch_all::<SampleRecord>()).await
        };
        retrying(&self.health.guard(ProblemKind::Assignment), attempt).await
    }
}
