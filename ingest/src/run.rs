//! Starts, runs and stops the service.
//!
//! Guarantees: it responds from the start (with 503 until the register has caught up with the log, and while a failed register is
//! replaced). It ends only after every running request has a response or the drain time is over, and after all appends have ended.

use std::{future::Future, path::PathBuf, sync::Arc, time::Duration};

use qamtu_log::{LogConfig, LogError, LogWriter, Membership, ReaderOptions, TopicSpec, ensure_topics, open_reader, open_writer};
use qamtu_schemas::Topic;
use qamtu_service::telemetry::{self, error_chain};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    Config, IngestError,
    app_state::AppState,
    body::DRAINED_TIME,
    metrics,
    pipeline::Pipeline,
    pseudonym::Keys,
    register::{
        Register,
        follow::{FollowError, Follower},
        store::StoreError,
    },
    server,
};

/// Time between two attempts to open or read the log.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Longest wait for connections to close after the last response; the rest of a refused body is drained meanwhile.
const CLOSE_TIMEOUT: Duration = DRAINED_TIME.saturating_add(Duration::from_secs(1));

/// Most records of one delivery from the log.
const READ_RECORDS: usize = 8192;

/// Most bytes of one delivery from the log.
const READ_BYTES: usize = 8 << 20;

/// The listening sockets of the service.
pub struct Listeners {
    /// Socket of the main listener.
    pub events: TcpListener,
    /// Socket for health and metrics; served until the process ends.
    pub health: TcpListener,
}

/// Serves on `listeners` until `shutdown`, then stops gracefully.
pub async fn run(config: Config, listeners: Listeners, shutdown: impl Future<Output = ()> + Send) -> Result<(), IngestError> {
    telemetry::install_recorder(metrics::describe);
    let keys = Arc::new(Keys::new(config.pseudonym.key_dir.clone(), config.pseudonym.create));
    keys.check().map_err(IngestError::Keys)?;
    let app = Arc::new(AppState::new(config.limits.clone()));
    let (stop_serving, stop_following, stop_health) = (CancellationToken::new(), CancellationToken::new(), CancellationToken::new());
    let (router, limits, stopping) = (server::router(app.clone(), &config.http), config.limits.clone(), stop_serving.clone());
    let serving = tokio::spawn(async move { server::serve(listeners.events, router, &limits, stopping).await });
    let (router, limits, stopping) = (server::health_router(app.clone(), &config.http), config.limits.clone(), stop_health.clone());
    let _stop_health = stop_health.drop_guard();
    tokio::spawn(async move { server::serve_health(listeners.health, router, &limits, stopping).await });
    let mut following = tokio::spawn(open_and_follow(config.clone(), app.clone(), keys, stop_following.clone()));
    let early_end = tokio::select! {
        () = shutdown => None,
        result = &mut following => Some(result),
    };
    tracing::info!("stopping: no new requests");
    stop_serving.cancel();
    let unfinished = app.drain(config.stop.drain).await;
    drop(tokio::time::timeout(CLOSE_TIMEOUT, serving).await);
    app.flush().await;
    stop_following.cancel();
    let followed = match early_end {
        Some(result) => result,
        None => following.await,
    };
    followed.map_err(IngestError::Ended)??;
    if unfinished > 0 { Err(IngestError::Unfinished(unfinished)) } else { Ok(()) }
}

/// Opens log and register, and follows the log until `stop`. Requests are accepted while the register is complete.
async fn open_and_follow(config: Config, app: Arc<AppState>, keys: Arc<Keys>, stop: CancellationToken) -> Result<(), IngestError> {
    let writer = loop {
        match open_log(&config.log).await {
            Ok(writer) => break writer,
            Err(error) if wait_to_retry(&stop, &error).await => {}
            Err(_) if stop.is_cancelled() => return Ok(()),
            Err(error) => return Err(IngestError::Log(error)),
        }
    };
    let path: PathBuf = config.register.path.clone();
    let opened = tokio::task::spawn_blocking(move || Register::open(&path)).await.map_err(IngestError::Ended)?;
    let register = Arc::new(opened.map_err(IngestError::Register)?);
    app.open(Pipeline::new(writer, register.clone(), keys, config.limits.clone()));
    loop {
        match follow_log(&config, &register, &stop).await {
            // The log removed records before they were read: a new reader starts behind them.
            Err(FollowError::Log(error @ LogError::OutOfRange { .. })) => tracing::error!(
                error = error_chain(&error),
                "the log removed records that were not read yet; reading starts again behind them"
            ),
            Err(FollowError::Log(error)) if wait_to_retry(&stop, &error).await => {}
            Err(_) if stop.is_cancelled() => return Ok(()),
            Err(FollowError::Store(error)) => rebuild(&register, &error, &stop).await?,
            other => return other.map_err(IngestError::Follow),
        }
    }
}

/// Replaces the register's file; retries until that succeeds.
async fn rebuild(register: &Arc<Register>, error: &StoreError, stop: &CancellationToken) -> Result<(), IngestError> {
    metrics::register_rebuild();
    tracing::error!(error = error_chain(error), "the register's file has failed and is built again from the log");
    while !stop.is_cancelled() {
        let replacing = register.clone();
        match tokio::task::spawn_blocking(move || replacing.replace()).await.map_err(IngestError::Ended)? {
            Ok(()) => break,
            Err(error) => tracing::error!(error = error_chain(&error), "the register's file cannot be created; retrying"),
        }
        tokio::select! { () = stop.cancelled() => {}, () = tokio::time::sleep(RETRY_INTERVAL) => {} }
    }
    Ok(())
}

async fn open_log(config: &LogConfig) -> Result<Arc<dyn LogWriter>, LogError> {
    let topics = Topic::ALL.map(|topic| TopicSpec { name: topic.name().to_owned(), partitions: topic.partitions() });
    ensure_topics(config, &topics).await?;
    let writer = open_writer(config).await?;
    // Pins the log: from here on `verify` fails if the log is replaced.
    writer.verify(&Topic::ALL.map(Topic::name)).await?;
    Ok(writer)
}

async fn follow_log(config: &Config, register: &Arc<Register>, stop: &CancellationToken) -> Result<(), FollowError> {
    let topics = Topic::ALL.map(|topic| topic.name().to_owned()).to_vec();
    let options = ReaderOptions { topics, membership: Membership::Standalone, max_records: READ_RECORDS, max_bytes: READ_BYTES };
    let reader = open_reader(&config.log, options).await.map_err(FollowError::Log)?;
    Follower::new(register.clone(), reader, config.register.unresolved).run(stop).await
}

/// Waits before a retry; false if the error is permanent, or after `stop`.
async fn wait_to_retry(stop: &CancellationToken, error: &LogError) -> bool {
    if !error.is_transient() {
        return false;
    }
    tracing::warn!(error = error_chain(error), "the log is not available; retrying");
    tokio::select! { () = stop.cancelled() => false, () = tokio::time::sleep(RETRY_INTERVAL) => true }
}
