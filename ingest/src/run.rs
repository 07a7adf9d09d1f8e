//! The life of the service: start, serve, stop.
//!
//! Guarantees: it answers from the first moment (with 503 until the register has caught up with the log, and again while a register
//! that has failed is replaced); it ends only after every running request is answered or its time is up, and after the log has
//! settled what was given to it.

use std::{future::Future, path::PathBuf, sync::Arc, time::Duration};

use qamtu_log::{LogConfig, LogError, LogWriter, Membership, ReaderOptions, TopicSpec, ensure_topics, open_reader, open_writer};
use qamtu_schemas::Topic;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    Config, IngestError,
    body::DRAINED_TIME,
    metrics,
    pipeline::Path,
    pseudonym::Keys,
    register::{
        Register,
        follow::{FollowError, Follower},
        store::StoreError,
    },
    server,
    service::Service,
    telemetry,
    telemetry::chain,
};

/// Wait before a log that does not answer is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Time for connections to end after the last answer: one whose client is still sending ends when that is thrown away.
const LINGER: Duration = DRAINED_TIME.saturating_add(Duration::from_secs(1));

/// Time between two rounds of keeping the metrics small.
const UPKEEP: Duration = Duration::from_secs(5);

/// Records read from the log at once.
const READ_RECORDS: usize = 8192;

/// Bytes read from the log at once.
const READ_BYTES: usize = 8 << 20;

/// Where the service listens.
pub struct Listeners {
    /// For events.
    pub events: TcpListener,
    /// For health and metrics, answered until the end.
    pub health: TcpListener,
}

/// Serves on `listeners` until `shutdown`, then stops gracefully.
pub async fn run(config: Config, listeners: Listeners, shutdown: impl Future<Output = ()> + Send) -> Result<(), IngestError> {
    let recorder = telemetry::recorder();
    let keys = Arc::new(Keys::new(config.pseudonym.key_dir.clone(), config.pseudonym.create));
    keys.check().map_err(IngestError::Keys)?;
    let service = Arc::new(Service::new(config.limits.clone()));
    let (stop_serving, stop_following, stop_health) = (CancellationToken::new(), CancellationToken::new(), CancellationToken::new());
    let (router, limits, stopping) = (server::router(service.clone(), &config.http), config.limits.clone(), stop_serving.clone());
    let serving = tokio::spawn(async move { server::serve(listeners.events, router, &limits, stopping).await });
    let (router, limits, stopping) = (server::health_router(service.clone(), &config.http), config.limits.clone(), stop_health.clone());
    let _stop_health = stop_health.drop_guard();
    tokio::spawn(async move { server::serve_health(listeners.health, router, &limits, stopping).await });
    let mut following = tokio::spawn(follow(config.clone(), service.clone(), keys, stop_following.clone()));
    let mut upkeep = tokio::time::interval(UPKEEP);
    let mut shutdown = std::pin::pin!(shutdown);
    let ended_early = loop {
        tokio::select! {
            () = &mut shutdown => break None,
            ended = &mut following => break Some(ended),
            _ = upkeep.tick() => recorder.run_upkeep(),
        }
    };
    tracing::info!("stopping: no new requests");
    stop_serving.cancel();
    let unfinished = service.drain(config.stop.drain).await;
    drop(tokio::time::timeout(LINGER, serving).await);
    service.flush().await;
    stop_following.cancel();
    let followed = match ended_early {
        Some(ended) => ended,
        None => following.await,
    };
    followed.map_err(IngestError::Ended)??;
    if unfinished > 0 { Err(IngestError::Unfinished(unfinished)) } else { Ok(()) }
}

/// Opens the log and the register, and follows the log until told to stop. Requests are let in while the register is complete.
async fn follow(config: Config, service: Arc<Service>, keys: Arc<Keys>, stop: CancellationToken) -> Result<(), IngestError> {
    let writer = loop {
        match open(&config.log).await {
            Ok(writer) => break writer,
            Err(error) if again(&stop, &error).await => {}
            Err(_) if stop.is_cancelled() => return Ok(()),
            Err(error) => return Err(IngestError::Log(error)),
        }
    };
    let path: PathBuf = config.register.path.clone();
    let opened = tokio::task::spawn_blocking(move || Register::open(&path)).await.map_err(IngestError::Ended)?;
    let register = Arc::new(opened.map_err(IngestError::Register)?);
    service.open(Path::new(writer, register.clone(), keys, config.limits));
    loop {
        match read(&config.log, &register, &stop).await {
            // The log removed records in front of the reader: a new reader starts behind them.
            Err(FollowError::Log(error @ LogError::OutOfRange { .. })) => tracing::error!(error = chain(&error), "reading again"),
            Err(FollowError::Log(error)) if again(&stop, &error).await => {}
            Err(_) if stop.is_cancelled() => return Ok(()),
            Err(FollowError::Store(error)) => rebuild(&register, &error, &stop).await?,
            other => return other.map_err(IngestError::Follow),
        }
    }
}

/// Begins a new file for the register, as soon as that is possible.
async fn rebuild(register: &Arc<Register>, error: &StoreError, stop: &CancellationToken) -> Result<(), IngestError> {
    metrics::register_rebuild();
    tracing::error!(error = chain(error), "the register has failed and is built again from the log");
    while !stop.is_cancelled() {
        let replacing = register.clone();
        match tokio::task::spawn_blocking(move || replacing.replace()).await.map_err(IngestError::Ended)? {
            Ok(()) => break,
            Err(error) => tracing::error!(error = chain(&error), "the register cannot be built; it is tried again"),
        }
        tokio::select! { () = stop.cancelled() => {}, () = tokio::time::sleep(RETRY) => {} }
    }
    Ok(())
}

async fn open(config: &LogConfig) -> Result<Arc<dyn LogWriter>, LogError> {
    let topics = Topic::ALL.map(|topic| TopicSpec { name: topic.name().to_owned(), partitions: topic.partitions() });
    ensure_topics(config, &topics).await?;
    let writer = open_writer(config).await?;
    // From here on it is this log or none: the register is proved against it next.
    writer.verify(&Topic::ALL.map(Topic::name)).await?;
    Ok(writer)
}

async fn read(config: &LogConfig, register: &Arc<Register>, stop: &CancellationToken) -> Result<(), FollowError> {
    let topics = Topic::ALL.map(|topic| topic.name().to_owned()).to_vec();
    let options = ReaderOptions { topics, membership: Membership::Whole, max_records: READ_RECORDS, max_bytes: READ_BYTES };
    let reader = open_reader(config, options).await.map_err(FollowError::Log)?;
    Follower::new(register.clone(), reader).run(stop).await
}

/// Waits before another try; false if waiting does not help, or the service is stopped meanwhile.
async fn again(stop: &CancellationToken, error: &LogError) -> bool {
    if !error.is_transient() {
        return false;
    }
    tracing::warn!(error = chain(error), "the log does not answer and is tried again");
    tokio::select! { () = stop.cancelled() => false, () = tokio::time::sleep(RETRY) => true }
}
