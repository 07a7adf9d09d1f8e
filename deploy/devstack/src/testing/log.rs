//! Reads an event log to its end.

use std::time::Duration;

use anyhow::{Result, bail};
use qamtu_log::{Delivery, LogConfig, Membership, ReaderOptions, Record, open_reader};

/// How long one delivery may take.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(120);

/// All records of these topics, in the order of the reader; the offsets of a partition rise.
pub async fn read_log(log: &LogConfig, topics: impl IntoIterator<Item = &str>) -> Result<Vec<Record>> {
    let topics = topics.into_iter().map(str::to_owned).collect();
    let options = ReaderOptions { topics, membership: Membership::Standalone, max_records: 10_000, max_bytes: 32 << 20 };
    let mut reader = open_reader(log, options).await?;
    let mut records = Vec::new();
    loop {
        match tokio::time::timeout(DELIVERY_TIMEOUT, reader.next()).await?? {
            Delivery::Assigned(partitions) => {
                let starts: Vec<_> = partitions.iter().map(|(partition, _)| partition.next_offset(0)).collect();
                reader.start_at(&starts).await?;
            }
            Delivery::Records(more) => records.extend(more),
            Delivery::CaughtUp => return Ok(records),
            Delivery::Revoked { .. } => bail!("a reader of all partitions is never revoked"),
        }
    }
}
