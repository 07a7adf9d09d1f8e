//! Starts the projector and restarts it after transient errors.
//!
//! A broker or warehouse outage leads to a restart after a growing pause; any other error ends the process.

use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBuilder};
use qamtu_log::{TopicSpec, ensure_topics};
use qamtu_schemas::Topic;
use qamtu_service::telemetry;

use crate::{
    check,
    config::Config,
    error::ProjectorError,
    health::{Health, ProblemKind},
    migrate::migrate,
    pipeline,
    source::LogSource,
    warehouse::{self, ClickhouseError, WarehouseConnection},
};

/// Interval of the warehouse pings; they detect an outage even while nothing is written.
const PING_INTERVAL: Duration = Duration::from_secs(2);
/// A run that lasted this long resets the backoff.
const HEALTHY_AFTER: Duration = Duration::from_secs(60);

/// Runs until `shutdown` resolves. `started` is called each time the checks have passed and reading begins. Reports problems to `health`.
pub async fn run(config: &Config, health: &Health, started: impl Fn(), shutdown: impl Future<Output = ()>) -> Result<(), ProjectorError> {
    let pauses = || ExponentialBuilder::default().with_max_delay(Duration::from_secs(30)).without_max_times().with_jitter().build();
    let mut pause = pauses();
    tokio::pin!(shutdown);
    loop {
        let since = Instant::now();
        let error = match run_once(config, health, &started, shutdown.as_mut()).await {
            Err(error) if error.is_transient() => error,
            ended => return ended,
        };
        if since.elapsed() > HEALTHY_AFTER {
            pause = pauses();
        }
        tracing::warn!(error = %error_chain(&error), "starting again");
        health.restarting(error_chain(&error));
        tokio::select! {
            () = shutdown.as_mut() => return Ok(()),
            () = tokio::time::sleep(pause.next().unwrap_or(HEALTHY_AFTER)) => {}
        }
    }
}

async fn run_once(
    config: &Config,
    health: &Health,
    started: impl Fn(),
    mut shutdown: impl Future<Output = ()> + Unpin,
) -> Result<(), ProjectorError> {
    let (source, warehouse) = tokio::select! {
        ready = connect(config, health) => ready?,
        () = &mut shutdown => return Ok(()),
    };
    started();
    let watch = watch_warehouse(&warehouse, health);
    tokio::select! {
        ended = pipeline::run(source, warehouse.clone(), &config.projector, shutdown) => ended,
        () = watch => Ok(()),
    }
}

/// Pings the warehouse and reports its health while the pipeline runs.
async fn watch_warehouse(warehouse: &WarehouseConnection, health: &Health) {
    loop {
        match warehouse.ping().await {
            Ok(()) => health.resolve(&ProblemKind::Warehouse),
            Err(error) => health.report(ProblemKind::Warehouse, error.chain()),
        }
        tokio::time::sleep(PING_INTERVAL).await;
    }
}

/// Migrates, checks the server and opens the log.
async fn connect(config: &Config, health: &Health) -> Result<(LogSource, WarehouseConnection), ProjectorError> {
    let client = warehouse::client(&config.clickhouse);
    migrate(&client).await.map_err(explain_login_error)?;
    let server = check::check(&client).await?;
    tracing::info!(version = server.version, database = config.clickhouse.database, "the warehouse passed the start-up check");
    let warehouse = WarehouseConnection::new(client, &config.projector.group, server.table_uuids).reporting_to(health.clone());
    let specs = Topic::ALL.map(|topic| TopicSpec { name: topic.name().to_owned(), partitions: topic.partitions() });
    ensure_topics(&config.log, &specs).await?;
    Ok((LogSource::open(config, health).await?, warehouse))
}

/// Explains the two login failures: a wrong password, and a login without the right to change tables while migrations are pending. Once
/// the tables exist, the projector needs no such right.
fn explain_login_error(error: ClickhouseError) -> ClickhouseError {
    if error.is_login_rejected() {
        let reason = "the warehouse rejects the user name or the password: correct clickhouse.user or clickhouse.password";
        return ClickhouseError::Misconfigured(reason.to_owned());
    }
    if error.is_access_denied() {
        let reason =
            "the database needs migrations, and this login may not change tables: run `qamtu-projector migrate` as an administrator";
        return ClickhouseError::Misconfigured(reason.to_owned());
    }
    error
}

/// Formats an error with its causes on one line; redacts those of the warehouse.
pub fn error_chain(error: &ProjectorError) -> String {
    match error {
        ProjectorError::Warehouse(error) => format!("warehouse: {}", error.chain()),
        error => telemetry::error_chain(error),
    }
}
