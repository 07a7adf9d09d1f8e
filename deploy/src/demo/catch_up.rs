//! Waits until the projector has written every record of the log into the tables, by comparing offsets.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use qamtu_log::{Bounds, LogConfig, Membership, ReaderOptions, open_reader};
use qamtu_schemas::Topic;
use serde::Deserialize;

use super::{DemoError, steps::Step};
use qamtu_devstack::warehouse::{Role, Warehouse, WarehouseClient};

/// How long the projector may make no progress.
const STALL_TIMEOUT: Duration = Duration::from_secs(120);
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Options of a reader of all partitions of some topics.
pub fn whole_log(topics: &[Topic]) -> ReaderOptions {
    ReaderOptions {
        topics: topics.iter().map(|topic| topic.name().to_owned()).collect(),
        membership: Membership::Standalone,
        max_records: 10_000,
        max_bytes: 8 << 20,
    }
}

/// Start and end offset of every partition.
pub async fn end_offsets(log: &LogConfig) -> Result<Vec<Bounds>, DemoError> {
    let reader = open_reader(log, whole_log(&Topic::ALL)).await?;
    let mut ends = Vec::new();
    for topic in Topic::ALL {
        ends.extend(reader.bounds(topic.name()).await?);
    }
    Ok(ends)
}

#[derive(Debug, Deserialize)]
struct ContiguousOffset {
    topic: String,
    partition: u32,
    contiguous_offset: u64,
}

/// Reads the projector's contiguous offsets from the warehouse, as its administrator.
pub struct ContiguousOffsets(WarehouseClient);

impl ContiguousOffsets {
    /// The contiguous offsets in a database of the warehouse.
    pub fn new(warehouse: &Warehouse, database: &str) -> Result<Self, DemoError> {
        // The database name was generated: letters, digits and underscores.
        let url = format!("{}/?database={database}&output_format_json_quote_64bit_integers=0", warehouse.url());
        Ok(Self(WarehouseClient::new(url, warehouse.login(Role::Admin))?))
    }

    /// Waits until the tables have all records up to these ends; `log` is the projector's log file, for the error.
    pub async fn wait_until_reached(&self, ends: &[Bounds], log: PathBuf, step: &Step) -> Result<(), DemoError> {
        let total: u64 = ends.iter().map(|bounds| bounds.end - bounds.start).sum();
        step.total(total);
        let (mut last_lag, mut since) = (u64::MAX, Instant::now());
        loop {
            let lag = self.lag(ends).await?;
            step.set(total - lag);
            if lag == 0 {
                return Ok(());
            }
            if lag != last_lag {
                (last_lag, since) = (lag, Instant::now());
            } else if since.elapsed() > STALL_TIMEOUT {
                return Err(DemoError::Stalled { seconds: STALL_TIMEOUT.as_secs(), lag, log });
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    async fn lag(&self, ends: &[Bounds]) -> Result<u64, DemoError> {
        let response = self.0.query("SELECT topic, partition, contiguous_offset FROM v_contiguous_offsets FORMAT JSONEachRow").await?;
        let rows = response.text();
        let reached: Result<Vec<ContiguousOffset>, _> = rows.lines().map(serde_json::from_str).collect();
        let reached = reached.map_err(|_| response.unexpected())?;
        let next = |bounds: &Bounds| {
            let of = |row: &&ContiguousOffset| *row.topic == *bounds.partition.topic && row.partition == bounds.partition.number;
            reached.iter().find(of).map_or(bounds.start, |row| row.contiguous_offset)
        };
        Ok(ends.iter().map(|bounds| bounds.end.saturating_sub(next(bounds))).sum())
    }
}
