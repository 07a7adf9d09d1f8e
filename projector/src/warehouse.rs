//! The warehouse as the projector uses it: writes batches, reads the state of the log copy, kills inserts of a previous owner.
//!
//! A batch is written when its last insert, the log copy, is acknowledged; the facts are acknowledged before that insert is sent. A
//! failed insert, or one without a response, is retried with the same bytes and the same token until it is acknowledged; dropping the
//! future stops the retries. Only errors that a retry cannot fix are returned.

use std::{collections::BTreeMap, ops::Range, sync::Arc, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use clickhouse::{Client, Compression, Row};
use qamtu_log::Partition;
use secrecy::ExposeSecret;
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    batch::{Batch, Insert},
    config::ClickhouseConfig,
    failpoints,
    health::{Health, ProblemGuard, ProblemKind},
    metrics,
    rows::Table,
};

mod error;
mod log_sample;

pub use error::WarehouseError;
pub use log_sample::{LogSample, SampleRecord};

use error::WarehouseError as Error;
use log_sample::SAMPLE_SIZE;

/// Timeout for sending a part of an insert.
pub(crate) const SEND_TIMEOUT: Duration = Duration::from_secs(30);
/// Timeout for the acknowledgement of an insert: longer than the server's own limits, shorter than a rebalance may take.
pub(crate) const END_TIMEOUT: Duration = Duration::from_secs(60);
/// Default timeout of a query.
const QUERY_TIMEOUT: Duration = Duration::from_secs(60);
/// Timeout of a ping.
const PING_TIMEOUT: Duration = Duration::from_secs(5);
/// Timeout of a query that reads all tables.
const VERIFY_TIMEOUT: Duration = Duration::from_secs(600);
/// Maximum ranges of missing records returned per partition; the next check finds the others.
const MISSING_MAX: usize = 1_000;

/// Settings of every insert and every retry. The server recognises a token only if the insert is split into the same blocks; with these
/// limits every insert is one block.
pub(crate) const INSERT_SETTINGS: [(&str, &str); 10] = [
    ("async_insert", "0"),
    ("insert_deduplicate", "1"),
    ("wait_end_of_query", "1"),
    ("max_insert_block_size", "1048576"),
    ("min_insert_block_size_rows", "1048576"),
    ("min_insert_block_size_bytes", "268435456"),
    ("max_insert_threads", "1"),
    ("input_format_parallel_parsing", "0"),
    ("max_partitions_per_insert_block", "1"),
    ("throw_on_max_partitions_per_insert_block", "1"),
];

/// UUID of each table. A recreated table has another UUID and knows no tokens.
pub type TableUuids = BTreeMap<Table, Uuid>;

/// A connection to ClickHouse; cheap to clone.
#[derive(Clone)]
pub struct Warehouse {
    client: Client,
    group: Arc<str>,
    table_uuids: Arc<TableUuids>,
    /// Part of every token, renewed whenever reading restarts. A range that is read again because its rows were deleted is then not
    /// dropped as a duplicate of the first insert.
    token_epoch: Uuid,
    health: Health,
}

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

/// Builds a client; sends nothing.
pub fn client(config: &ClickhouseConfig) -> Client {
    // The server compresses the data it stores; compressing requests too costs more than it saves on a fast network.
    Client::default()
        .with_url(&config.url)
        .with_user(&config.user)
        .with_password(config.password.expose_secret())
        .with_database(&config.database)
        .with_compression(Compression::None)
        .with_product_info("qamtu-projector", env!("CARGO_PKG_VERSION"))
}

impl Warehouse {
    /// A warehouse that has passed the start-up check (`check.rs`).
    pub fn new(client: Client, group: &str, table_uuids: TableUuids) -> Self {
        let table_uuids = Arc::new(table_uuids);
        Self { client, group: group.into(), table_uuids, token_epoch: Uuid::new_v4(), health: Health::default() }
    }

    /// Reports problems to this health from now on.
    pub fn reporting_to(self, health: Health) -> Self {
        Self { health, ..self }
    }

    /// A copy whose tokens the server has never seen.
    pub fn with_new_token_epoch(&self) -> Self {
        Self { token_epoch: Uuid::new_v4(), ..self.clone() }
    }

    /// Checks that the server responds.
    pub async fn ping(&self) -> Result<(), Error> {
        run_query_within(PING_TIMEOUT, "pinging the server", self.client.query_raw("SELECT 1").execute()).await
    }

    /// Writes a batch, the fact tables first and the log copy last; retries transient errors forever.
    pub async fn write(&self, batch: &Batch) -> Result<(), Error> {
        let guard = self.health.guard(ProblemKind::Write(batch.partition.clone()));
        for insert in &batch.inserts {
            failpoints::hit(if insert.table == Table::Log { "before-log-copy" } else { "before-facts" });
            let attempt = || async { self.insert(batch, insert).await };
            retrying(&guard, attempt).await?;
            metrics::inserted(insert);
        }
        failpoints::hit("after-log-copy");
        Ok(())
    }

    async fn insert(&self, batch: &Batch, insert: &Insert) -> Result<(), Error> {
        let table = insert.table.name();
        let table_uuid = self.table_uuids.get(&insert.table).copied().unwrap_or_default();
        let columns: Vec<_> = insert.table.columns().into_iter().map(|(name, _)| format!("`{name}`")).collect();
        let mut client = self.client.clone();
        for (name, value) in INSERT_SETTINGS {
            client.set_setting(name, value);
        }
        let attempt = Uuid::new_v4().simple();
        let mut request = client
            .insert_formatted_with(format!("INSERT INTO {table} ({}) FORMAT RowBinary", columns.join(", ")))
            .with_timeouts(Some(SEND_TIMEOUT), Some(END_TIMEOUT))
            .with_setting("insert_deduplication_token", format!("{table_uuid}:{}:{}", self.token_epoch, insert.token))
            .with_setting(
                "query_id",
                format!("{}{table}-{}-{}-{attempt}", self.query_id_prefix(&batch.partition), batch.first, batch.next),
            );
        let done = async {
            request.send(insert.bytes.clone()).await?;
            request.end().await
        };
        done.await.map_err(|source| Error::of("writing a batch", source))
    }

    /// Common prefix of the query ids of a partition's inserts.
    fn query_id_prefix(&self, partition: &Partition) -> String {
        format!("qamtu-{}-{}-{}-", self.group, partition.topic, partition.number)
    }

    /// The oldest and the newest rows of the log copy, which identify the log they were copied from.
    pub async fn log_samples(&self, states: &[LogCopyState]) -> Result<Vec<LogSample>, Error> {
        let mut found = Vec::new();
        for LogCopyState { partition, .. } in states {
            let (oldest, newest) = (self.sample_rows(partition, "ASC").await?, self.sample_rows(partition, "DESC").await?);
            found.push(LogSample { partition: partition.clone(), oldest, newest });
        }
        Ok(found)
    }

    async fn sample_rows(&self, partition: &Partition, order: &str) -> Result<Vec<SampleRecord>, Error> {
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

    /// [`Self::log_copy_states`], retried until the server responds.
    pub async fn log_copy_states_with_retry(&self, partitions: &[Partition]) -> Result<Vec<LogCopyState>, Error> {
        retrying(&self.health.guard(ProblemKind::Assignment), || self.log_copy_states(partitions)).await
    }

    /// Reads which offsets of these partitions the log copy contains.
    pub async fn log_copy_states(&self, partitions: &[Partition]) -> Result<Vec<LogCopyState>, Error> {
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

    async fn missing_records(&self, partition: &Partition) -> Result<Vec<Range<u64>>, Error> {
        let query = "SELECT first_offset, end_offset FROM v_missing_records \
                     WHERE topic = ? AND partition = ? ORDER BY first_offset LIMIT ?";
        let query = self.client.query(query).bind(&*partition.topic).bind(partition.number).bind(MISSING_MAX);
        let rows: Vec<MissingRecordsRow> = run_query_within(VERIFY_TIMEOUT, "looking for missing records", query.fetch_all()).await?;
        Ok(rows.into_iter().map(|row| row.first_offset..row.end_offset).collect())
    }

    /// Partitions and offsets of events whose facts are missing; at most `limit`.
    pub async fn missing_facts(&self, limit: usize) -> Result<Vec<(Partition, u64)>, Error> {
        let query = "SELECT topic, partition, offset FROM v_missing_facts ORDER BY topic, partition, offset LIMIT ?";
        let query = self.client.query(query).bind(limit);
        let rows: Vec<MissingFactRow> = run_query_within(VERIFY_TIMEOUT, "looking for missing facts", query.fetch_all()).await?;
        Ok(rows.into_iter().map(|row| (Partition::new(row.topic, row.partition), row.offset)).collect())
    }

    /// Reads the events at these offsets from the log copy.
    pub async fn stored_events(&self, partition: &Partition, offsets: &[u64]) -> Result<Vec<StoredEvent>, Error> {
        let query = "SELECT offset, toUnixTimestamp64Milli(appended) AS appended_ms, body FROM log FINAL \
                     WHERE topic = ? AND partition = ? AND offset IN ? AND status = 'event' ORDER BY offset";
        let query = self.client.query(query).bind(&*partition.topic).bind(partition.number).bind(offsets);
        run_query("reading events from the log copy", query.fetch_all()).await
    }

    /// Kills inserts that an earlier owner of these partitions has left running, and waits until they have ended.
    ///
    /// Correctness does not depend on it: rows of a late insert collapse by key. It avoids those rows.
    pub async fn kill_leftover_inserts(&self, partitions: &[Partition]) -> Result<(), Error> {
        for partition in partitions {
            let end = || async {
                let query = self.client.query("KILL QUERY WHERE user = currentUser() AND startsWith(query_id, ?) SYNC");
                run_query("killing inserts of an earlier owner", query.bind(self.query_id_prefix(partition)).execute()).await
            };
            retrying(&self.health.guard(ProblemKind::Assignment), end).await?;
        }
        Ok(())
    }
}

/// Runs a query with the default timeout; `action` describes it in errors.
pub(crate) async fn run_query<T>(action: &'static str, query: impl Future<Output = clickhouse::error::Result<T>>) -> Result<T, Error> {
    run_query_within(QUERY_TIMEOUT, action, query).await
}

async fn run_query_within<T>(
    limit: Duration,
    action: &'static str,
    query: impl Future<Output = clickhouse::error::Result<T>>,
) -> Result<T, Error> {
    let limited = tokio::time::timeout(limit, query).await;
    limited.unwrap_or(Err(clickhouse::error::Error::TimedOut)).map_err(|source| Error::of(action, source))
}

/// Retries transient errors forever, with growing pauses of at most ten seconds.
async fn retrying<T, F: Future<Output = Result<T, Error>>>(guard: &ProblemGuard<'_>, attempt: impl FnMut() -> F) -> Result<T, Error> {
    let intervals = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(Duration::from_secs(10))
        .without_max_times()
        .with_jitter();
    attempt
        .retry(intervals)
        .when(Error::is_transient)
        .notify(|error, wait| {
            metrics::retried(error.label());
            guard.report(error.chain());
            let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(error = %error.chain(), code = error.code(), wait_ms, "a request to the warehouse failed; it will be retried");
        })
        .await
}
