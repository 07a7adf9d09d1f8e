//! The warehouse as the projector sees it: writes a batch, says how far the log copy is whole, ends inserts of a dead owner.
//!
//! Guarantees: a batch is written when its last insert, the log copy, is acknowledged; facts are acknowledged before it is sent. A
//! failed or unanswered insert is repeated with the same bytes and the same token until it is acknowledged, for as long as it takes;
//! dropping the future stops that. Only what no repetition can mend is an error. Which batch is written when is decided elsewhere.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use clickhouse::{Client, Compression, Row};
use qamtu_log::{NextOffset, Partition};
use secrecy::ExposeSecret;
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    batch::{Batch, Insert},
    config::ClickhouseConfig,
    faults,
    identity::{WITNESSES, Witness, Witnesses},
    metrics,
    rows::Table,
};

mod check;
mod error;

pub use check::{Checked, check};
pub use error::WarehouseError;

use error::WarehouseError as Error;

/// Longest wait for a piece of an insert to be taken.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest wait for the acknowledgement of an insert; longer than the server's own limits, shorter than a rebalance may take.
const END_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest wait for an answer to a question.
const QUERY_TIMEOUT: Duration = Duration::from_secs(60);

/// The same on every insert and every repetition: a token is only recognised when the insert is cut into the same blocks.
/// One block, because an insert of the projector is far below these sizes.
const INSERT_SETTINGS: [(&str, &str); 10] = [
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

/// A connection to ClickHouse; cheap to clone.
#[derive(Clone)]
pub struct Warehouse {
    client: Client,
    group: Arc<str>,
    /// Generation of each table: a table that was made anew has never seen any token.
    generations: Arc<BTreeMap<Table, Uuid>>,
}

/// One row of the question how far the log copy is whole.
#[derive(Row, Deserialize)]
struct Watermark {
    topic: String,
    partition: u32,
    next_offset: u64,
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
    /// After [`check()`] has found the server and its tables fit.
    pub fn new(client: Client, group: &str, checked: &Checked) -> Self {
        Self { client, group: group.into(), generations: Arc::new(checked.generations.clone()) }
    }

    /// Writes a batch: facts first, the log copy last.
    pub async fn write(&self, batch: &Batch) -> Result<(), Error> {
        for insert in &batch.inserts {
            faults::reach(if insert.table == Table::Log { "before-receipt" } else { "before-facts" });
            let attempt = || async { self.insert(batch, insert).await };
            retrying(attempt).await?;
            metrics::inserted(insert);
        }
        faults::reach("after-receipt");
        Ok(())
    }

    async fn insert(&self, batch: &Batch, insert: &Insert) -> Result<(), Error> {
        let table = insert.table.name();
        let generation = self.generations.get(&insert.table).copied().unwrap_or_default();
        let columns: Vec<_> = insert.table.columns().into_iter().map(|(name, _)| format!("`{name}`")).collect();
        let mut client = self.client.clone();
        for (name, value) in INSERT_SETTINGS {
            client.set_setting(name, value);
        }
        let attempt = Uuid::new_v4().simple();
        let mut request = client
            .insert_formatted_with(format!("INSERT INTO {table} ({}) FORMAT RowBinary", columns.join(", ")))
            .with_timeouts(Some(SEND_TIMEOUT), Some(END_TIMEOUT))
            .with_setting("insert_deduplication_token", format!("{generation}:{}", insert.token))
            .with_setting("query_id", format!("{}{table}-{}-{}-{attempt}", self.inserts_of(&batch.partition), batch.first, batch.next));
        let done = async {
            request.send(insert.bytes.clone()).await?;
            request.end().await
        };
        done.await.map_err(|source| Error::of("writing a batch", source))
    }

    /// What the ids of all inserts of a partition begin with.
    fn inserts_of(&self, partition: &Partition) -> String {
        format!("qamtu-{}-{}-{}-", self.group, partition.topic, partition.number)
    }

    /// The first offset of each partition that the log copy lacks; 0 where it has nothing.
    pub async fn receipts(&self, partitions: &[Partition]) -> Result<Vec<NextOffset>, Error> {
        let ask = || async {
            let rows = self.client.query("SELECT topic, partition, next_offset FROM v_watermark").fetch_all::<Watermark>();
            answer("reading the log copy back", rows).await
        };
        let found = retrying(ask).await?;
        let next = |partition: &Partition| {
            let row = found.iter().find(|row| row.topic == *partition.topic && row.partition == partition.number);
            partition.next_offset(row.map_or(0, |row| row.next_offset))
        };
        Ok(partitions.iter().map(next).collect())
    }

    /// The oldest and the newest rows of the log copy below these offsets, by which one log is told from another.
    pub async fn witnesses(&self, below: &[NextOffset]) -> Result<Vec<Witnesses>, Error> {
        let mut found = Vec::new();
        for next in below {
            let (oldest, newest) = (self.rows_below(next, "ASC").await?, self.rows_below(next, "DESC").await?);
            found.push(Witnesses { next: next.clone(), oldest, newest });
        }
        Ok(found)
    }

    async fn rows_below(&self, next: &NextOffset, order: &str) -> Result<Vec<Witness>, Error> {
        let query = format!(
            "SELECT offset, toUnixTimestamp64Milli(appended) AS appended_ms, toUInt8(status = 'rejected') AS rejected, event_id, bodyhash \
             FROM log WHERE topic = ? AND partition = ? AND offset < ? ORDER BY offset {order} LIMIT {WITNESSES}"
        );
        let ask = || async {
            let query = self.client.query(&query).bind(&*next.partition.topic).bind(next.partition.number).bind(next.offset);
            answer("reading the log copy back", query.fetch_all::<Witness>()).await
        };
        retrying(ask).await
    }

    /// Ends inserts that an earlier owner of these partitions has left running on the server, and waits until they are gone.
    ///
    /// Correctness does not rest on it: an insert that lands later gives rows that collapse by key. It saves those rows.
    pub async fn fence(&self, partitions: &[Partition]) -> Result<(), Error> {
        for partition in partitions {
            let end = || async {
                let query = self.client.query("KILL QUERY WHERE user = currentUser() AND startsWith(query_id, ?) SYNC");
                answer("ending inserts of an earlier owner", query.bind(self.inserts_of(partition)).execute()).await
            };
            retrying(end).await?;
        }
        Ok(())
    }
}

/// Waits for an answer, but not for ever.
pub(crate) async fn answer<T>(doing: &'static str, ask: impl Future<Output = clickhouse::error::Result<T>>) -> Result<T, Error> {
    let limited = tokio::time::timeout(QUERY_TIMEOUT, ask).await;
    limited.unwrap_or(Err(clickhouse::error::Error::TimedOut)).map_err(|source| Error::of(doing, source))
}

/// Repeats what fails in passing, for ever, in growing intervals of at most ten seconds.
async fn retrying<T, F: Future<Output = Result<T, Error>>>(attempt: impl FnMut() -> F) -> Result<T, Error> {
    let intervals = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(Duration::from_secs(10))
        .without_max_times()
        .with_jitter();
    attempt
        .retry(intervals)
        .when(Error::is_transient)
        .notify(|error, wait| {
            metrics::retried(error);
            let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(error = %error.chain(), code = error.code(), wait_ms, "the warehouse did not take it; it will be repeated");
        })
        .await
}
