//! The warehouse as the projector sees it: writes a batch, says what the log copy holds, ends inserts of a dead owner.
//!
//! Guarantees: a batch is written when its last insert, the log copy, is acknowledged; facts are acknowledged before it is sent. A
//! failed or unanswered insert is repeated with the same bytes and the same token until it is acknowledged, for as long as it takes;
//! dropping the future stops that. Only what no repetition can mend is an error. Which batch is written when is decided elsewhere.

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

/// Longest wait for a piece of an insert to be taken.
pub(crate) const SEND_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest wait for the acknowledgement of an insert; longer than the server's own limits, shorter than a rebalance may take.
pub(crate) const END_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest wait for an answer to a question.
const QUERY_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest wait for the answer that the server is there.
const PING_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for a check of all tables.
const VERIFY_TIMEOUT: Duration = Duration::from_secs(600);
/// Ranges of missing records of a partition that are told at once; the next check finds the rest.
const MISSING_MAX: usize = 1_000;

/// The same on every insert and every repetition: a token is only recognised when the insert is cut into the same blocks.
/// One block, because an insert of the projector is far below these sizes.
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

/// UUID of each table: a table that was made anew has another one, and has never seen any token.
pub type TableUuids = BTreeMap<Table, Uuid>;

/// A connection to ClickHouse; cheap to clone.
#[derive(Clone)]
pub struct Warehouse {
    client: Client,
    group: Arc<str>,
    table_uuids: Arc<TableUuids>,
    /// Also part of every token, and a new one whenever reading starts anew: a range that is read again, because its rows are gone, is
    /// never taken for a repetition of the insert that once brought them.
    token_epoch: Uuid,
    health: Health,
}

/// What the log copy holds of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogCopyState {
    /// The partition.
    pub partition: Partition,
    /// Offsets below `end` that are neither rows nor skipped by the log, in order.
    pub missing: Vec<Range<u64>>,
    /// The offset after its last row; 0 where it has none.
    pub end: u64,
}

impl LogCopyState {
    /// The offset below which nothing is missing.
    pub fn watermark(&self) -> u64 {
        self.missing.first().map_or(self.end, |missing| missing.start)
    }
}

#[derive(Row, Deserialize)]
struct WatermarkRow {
    topic: String,
    partition: u32,
    next_offset: u64,
    end_offset: u64,
}

#[derive(Row, Deserialize)]
struct MissingRecordsRow {
    first_offset: u64,
    next_offset: u64,
}

#[derive(Row, Deserialize)]
struct MissingFactRow {
    topic: String,
    partition: u32,
    offset: u64,
}

/// A record that is an event, as the log copy has it.
#[derive(Row, Deserialize)]
pub struct StoredEvent {
    /// Its offset.
    pub offset: u64,
    /// When the log took it, in milliseconds since 1970.
    pub appended_ms: i64,
    /// The event in structured mode.
    pub body: String,
}

/// A client for a database; nothing is sent yet.
pub fn client(config: &ClickhouseConfig) -> Client {
    // Inserts are compressed by the server anyway; over a loopback or a data centre's network compressing them twice costs more.
    Client::default()
        .with_url(&config.url)
        .with_user(&config.user)
        .with_password(config.password.expose_secret())
        .with_database(&config.database)
        .with_compression(Compression::None)
        .with_product_info("qamtu-projector", env!("CARGO_PKG_VERSION"))
}

impl Warehouse {
    /// After [`crate::check::check`] has found the server and its tables fit.
    pub fn new(client: Client, group: &str, table_uuids: TableUuids) -> Self {
        let table_uuids = Arc::new(table_uuids);
        Self { client, group: group.into(), table_uuids, token_epoch: Uuid::new_v4(), health: Health::default() }
    }

    /// The same, which tells this health what goes wrong.
    pub fn reporting_to(self, health: Health) -> Self {
        Self { health, ..self }
    }

    /// The same with tokens that the server has never seen.
    pub fn with_new_token_epoch(&self) -> Self {
        Self { token_epoch: Uuid::new_v4(), ..self.clone() }
    }

    /// Whether the server answers.
    pub async fn ping(&self) -> Result<(), Error> {
        run_query_within(PING_TIMEOUT, "asking whether it is there", self.client.query_raw("SELECT 1").execute()).await
    }

    /// Writes a batch: facts first, the log copy last.
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

    /// What the ids of all inserts of a partition begin with.
    fn query_id_prefix(&self, partition: &Partition) -> String {
        format!("qamtu-{}-{}-{}-", self.group, partition.topic, partition.number)
    }

    /// The oldest and the newest rows of the log copy of these partitions, by which one log is told from another.
    pub async fn samples(&self, states: &[LogCopyState]) -> Result<Vec<LogSample>, Error> {
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
            run_query("reading the log copy back", query.fetch_all::<SampleRecord>()).await
        };
        retrying(&self.health.guard(ProblemKind::Assignment), attempt).await
    }

    /// What the log copy holds of these partitions; asks until the server answers.
    pub async fn log_copy_states_with_retry(&self, partitions: &[Partition]) -> Result<Vec<LogCopyState>, Error> {
        retrying(&self.health.guard(ProblemKind::Assignment), || self.log_copy_states(partitions)).await
    }

    /// What the log copy holds of these partitions.
    pub async fn log_copy_states(&self, partitions: &[Partition]) -> Result<Vec<LogCopyState>, Error> {
        let query = "SELECT topic, partition, next_offset, end_offset FROM v_watermark";
        let watermarks: Vec<WatermarkRow> =
            run_query_within(VERIFY_TIMEOUT, "reading the log copy back", self.client.query(query).fetch_all()).await?;
        let mut states = Vec::with_capacity(partitions.len());
        for partition in partitions {
            let watermark =
                watermarks.iter().find(|watermark| watermark.topic == *partition.topic && watermark.partition == partition.number);
            let end = watermark.map_or(0, |watermark| watermark.end_offset);
            let is_whole = watermark.is_none_or(|watermark| watermark.next_offset == watermark.end_offset);
            let missing = if is_whole { Vec::new() } else { self.missing_records(partition).await? };
            states.push(LogCopyState { partition: partition.clone(), missing, end });
        }
        Ok(states)
    }

    async fn missing_records(&self, partition: &Partition) -> Result<Vec<Range<u64>>, Error> {
        let query = "SELECT first_offset, next_offset FROM v_missing_records \
                     WHERE topic = ? AND partition = ? ORDER BY first_offset LIMIT ?";
        let query = self.client.query(query).bind(&*partition.topic).bind(partition.number).bind(MISSING_MAX);
        let rows: Vec<MissingRecordsRow> = run_query_within(VERIFY_TIMEOUT, "looking for missing records", query.fetch_all()).await?;
        Ok(rows.into_iter().map(|row| row.first_offset..row.next_offset).collect())
    }

    /// Places of receipts whose facts are missing, the first of them.
    pub async fn missing_facts(&self, limit: usize) -> Result<Vec<(Partition, u64)>, Error> {
        let query = "SELECT topic, partition, offset FROM v_missing_facts ORDER BY topic, partition, offset LIMIT ?";
        let query = self.client.query(query).bind(limit);
        let rows: Vec<MissingFactRow> = run_query_within(VERIFY_TIMEOUT, "looking for missing facts", query.fetch_all()).await?;
        Ok(rows.into_iter().map(|row| (Partition::new(row.topic, row.partition), row.offset)).collect())
    }

    /// Events of the log copy at these places.
    pub async fn stored_events(&self, partition: &Partition, offsets: &[u64]) -> Result<Vec<StoredEvent>, Error> {
        let query = "SELECT offset, toUnixTimestamp64Milli(appended) AS appended_ms, body FROM log FINAL \
                     WHERE topic = ? AND partition = ? AND offset IN ? AND status = 'event' ORDER BY offset";
        let query = self.client.query(query).bind(&*partition.topic).bind(partition.number).bind(offsets);
        run_query("reading events from the log copy", query.fetch_all()).await
    }

    /// Ends inserts that an earlier owner of these partitions has left running on the server, and waits until they are gone.
    ///
    /// Correctness does not rest on it: an insert that lands later gives rows that collapse by key. It saves those rows.
    pub async fn fence(&self, partitions: &[Partition]) -> Result<(), Error> {
        for partition in partitions {
            let end = || async {
                let query = self.client.query("KILL QUERY WHERE user = currentUser() AND startsWith(query_id, ?) SYNC");
                run_query("ending inserts of an earlier owner", query.bind(self.query_id_prefix(partition)).execute()).await
            };
            retrying(&self.health.guard(ProblemKind::Assignment), end).await?;
        }
        Ok(())
    }
}

/// Waits for an answer, but not for ever.
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

/// Repeats what fails in passing, for ever, in growing intervals of at most ten seconds.
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
            tracing::warn!(error = %error.chain(), code = error.code(), wait_ms, "the warehouse did not take it; it will be repeated");
        })
        .await
}
