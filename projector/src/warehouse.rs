//! The warehouse as the projector uses it: a connection to ClickHouse with timeouts, retries and reports of problems.
//!
//! `insert.rs` writes batches, `log_copy.rs` and `log_sample.rs` read the state of the log copy. A transient error is retried until the
//! request succeeds; dropping the future stops the retries. Only errors that a retry cannot fix are returned, except where a function says
//! that it does not retry.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use clickhouse::{Client, Compression};
use secrecy::ExposeSecret;
use uuid::Uuid;

use crate::{
    config::ClickhouseConfig,
    health::{Health, ProblemGuard},
    metrics,
    rows::Table,
};

mod error;
mod insert;
mod log_copy;
mod log_sample;

pub use error::ClickhouseError;
pub(crate) use insert::INSERT_SETTINGS;
pub use log_copy::{LogCopyState, StoredEvent};
pub use log_sample::{LogSample, SampleRecord};

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
/// UUID of each table. A recreated table has another UUID and knows no tokens.
pub type TableUuids = BTreeMap<Table, Uuid>;

/// A connection to ClickHouse; cheap to clone.
#[derive(Clone)]
pub struct WarehouseConnection {
    client: Client,
    group: Arc<str>,
    table_uuids: Arc<TableUuids>,
    /// Part of every token, renewed whenever reading restarts. A range that is read again because its rows were deleted is then not
    /// dropped as a duplicate of the first insert.
    token_epoch: Uuid,
    health: Health,
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

impl WarehouseConnection {
    /// A connection to a warehouse that has passed the start-up check (`check.rs`).
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

    /// Checks that the server responds. Does not retry.
    pub async fn ping(&self) -> Result<(), ClickhouseError> {
        run_query_within(PING_TIMEOUT, "pinging the server", self.client.query_raw("SELECT 1").execute()).await
    }
}

/// Runs a query once with the default timeout; `action` describes it in errors.
pub(crate) async fn run_query<T>(
    action: &'static str,
    query: impl Future<Output = clickhouse::error::Result<T>>,
) -> Result<T, ClickhouseError> {
    run_query_within(QUERY_TIMEOUT, action, query).await
}

async fn run_query_within<T>(
    limit: Duration,
    action: &'static str,
    query: impl Future<Output = clickhouse::error::Result<T>>,
) -> Result<T, ClickhouseError> {
    let limited = tokio::time::timeout(limit, query).await;
    limited.unwrap_or(Err(clickhouse::error::Error::TimedOut)).map_err(|source| ClickhouseError::of(action, source))
}

/// Retries transient errors forever, with growing pauses of at most ten seconds.
async fn retrying<T, F: Future<Output = Result<T, ClickhouseError>>>(
    guard: &ProblemGuard<'_>,
    attempt: impl FnMut() -> F,
) -> Result<T, ClickhouseError> {
    let intervals = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(Duration::from_secs(10))
        .without_max_times()
        .with_jitter();
    attempt
        .retry(intervals)
        .when(ClickhouseError::is_transient)
        .notify(|error, wait| {
            metrics::retried(error.label());
            guard.report(error.chain());
            let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(error = %error.chain(), code = error.code(), wait_ms, "a request to the warehouse failed; it will be retried");
        })
        .await
}
