//! Run: starts the projector and keeps it going.
//!
//! What passes by itself, a broker or a warehouse that is away, starts it anew after a pause; what does not ends it with an error.

use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBuilder};
use qamtu_log::{ReaderOptions, TopicSpec, ensure_topics, open_reader};
use qamtu_schemas::Topic;

use crate::{
    config::Config,
    error::ProjectorError,
    migrate::migrate,
    pipeline,
    source::Source,
    warehouse::{self, Warehouse, WarehouseError},
};

/// Most records of one delivery: about what a hundredth of a second decodes.
const DELIVERY_RECORDS: usize = 2_000;
/// Most bytes of one delivery.
const DELIVERY_BYTES: usize = 4 << 20;
/// A run that lasted so long was healthy: the next pause is short again.
const HEALTHY: Duration = Duration::from_secs(60);

/// Runs until `shutdown` resolves; `started` is called each time that everything is found fit and reading begins.
pub async fn run(config: &Config, started: impl Fn(), shutdown: impl Future<Output = ()>) -> Result<(), ProjectorError> {
    let pauses = || ExponentialBuilder::default().with_max_delay(Duration::from_secs(30)).without_max_times().with_jitter().build();
    let mut pause = pauses();
    tokio::pin!(shutdown);
    loop {
        let since = Instant::now();
        let error = match once(config, &started, shutdown.as_mut()).await {
            Err(error) if error.is_transient() => error,
            ended => return ended,
        };
        if since.elapsed() > HEALTHY {
            pause = pauses();
        }
        tracing::warn!(error = %chain(&error), "starting again");
        tokio::select! {
            () = shutdown.as_mut() => return Ok(()),
            () = tokio::time::sleep(pause.next().unwrap_or(HEALTHY)) => {}
        }
    }
}

async fn once(config: &Config, started: impl Fn(), mut shutdown: impl Future<Output = ()> + Unpin) -> Result<(), ProjectorError> {
    let (source, warehouse) = tokio::select! {
        ready = open(config) => ready?,
        () = &mut shutdown => return Ok(()),
    };
    started();
    pipeline::run(source, warehouse, config.projector.limits(), shutdown).await
}

/// Migrates, checks the server, opens the log.
async fn open(config: &Config) -> Result<(Source, Warehouse), ProjectorError> {
    let client = warehouse::client(&config.clickhouse);
    migrate(&client).await.map_err(explain_denial)?;
    let checked = warehouse::check(&client).await?;
    tracing::info!(version = checked.version, database = config.clickhouse.database, "the warehouse is fit");
    let warehouse = Warehouse::new(client, &config.projector.group, &checked);
    let specs = Topic::ALL.map(|topic| TopicSpec { name: topic.name().to_owned(), partitions: topic.partitions() });
    ensure_topics(&config.log, &specs).await?;
    let topics = Topic::ALL.map(|topic| topic.name().to_owned()).to_vec();
    let options = ReaderOptions {
        topics: topics.clone(),
        membership: config.projector.membership(),
        max_records: DELIVERY_RECORDS,
        max_bytes: DELIVERY_BYTES,
    };
    Ok((Source::new(open_reader(&config.log, options).await?, topics, config.log.clone()), warehouse))
}

/// A login without the right to change tables is right for the projector, once the tables are there.
fn explain_denial(error: WarehouseError) -> WarehouseError {
    const ACCESS_DENIED: u32 = 497;
    if error.code() == Some(ACCESS_DENIED) {
        let mend = "the database needs migrations, and this login may not change tables: run `qamtu-projector migrate` as an administrator";
        return WarehouseError::Unfit(mend.to_owned());
    }
    error
}

/// An error with its causes, in one line.
pub fn chain(error: &ProjectorError) -> String {
    match error {
        ProjectorError::Warehouse(error) => format!("warehouse: {}", error.chain()),
        error => {
            let mut line = error.to_string();
            let mut cause = std::error::Error::source(error);
            while let Some(error) = cause {
                line = format!("{line}: {error}");
                cause = error.source();
            }
            line.replace('\n', " ")
        }
    }
}
