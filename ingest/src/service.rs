//! The running service: what requests share, how many may run, and in which phase it is.
//!
//! Guarantees: the work of a request runs in a task of its own, so that a client that goes away stops nothing half-way; at the end
//! every such task is waited for, and streams that take too long are cut between two chunks.

use std::{
    future::Future,
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::response::Response;
use qamtu_schemas::Kind;
use tokio_util::{
    sync::CancellationToken,
    task::{AbortOnDropHandle, TaskTracker},
};

use crate::{
    answer::Problem,
    body::Chunk,
    client::Client,
    config::Limits,
    metrics,
    panics::task_panicked,
    permits::{Permit, Permits, Yield},
    pipeline::{Judge, Judged, Layer, Path, rebuilding},
    rejection::{Detail, Reason, Rejection},
    telemetry::chain,
};

/// What all requests share.
pub struct Service {
    /// What may be sent.
    pub limits: Limits,
    path: OnceLock<Arc<Path>>,
    requests: Permits,
    streams: Permits,
    tasks: TaskTracker,
    draining: CancellationToken,
    cut: CancellationToken,
}

/// How much a request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// One event or one batch.
    Bounded,
    /// A stream.
    Stream,
}

impl Service {
    /// A service that is starting.
    pub fn new(limits: Limits) -> Self {
        let slow = Yield::Slow { grace: limits.wait, bytes_per_second: limits.body_bytes_per_second };
        Self {
            path: OnceLock::new(),
            requests: Permits::new(limits.requests, limits.connections / 2, slow),
            // A stream may be slow for good reasons: its rate is judged by its events, in `body::lines`.
            streams: Permits::new(limits.streams, limits.connections / 4, Yield::NothingNew(limits.stream_repeats)),
            tasks: TaskTracker::new(),
            draining: CancellationToken::new(),
            cut: CancellationToken::new(),
            limits,
        }
    }

    /// Log and register are open: requests may come as soon as the register has caught up with the log.
    pub fn open(&self, path: Path) {
        // A second call would be a second start: the first path stays.
        drop(self.path.set(Arc::new(path)));
    }

    /// The path, unless the service is starting or stopping.
    pub fn path(&self) -> Result<&Arc<Path>, Rejection> {
        if self.draining.is_cancelled() {
            return Err(Rejection::new(Reason::Stopping, Detail::Stopping));
        }
        let path = self.path_of_running()?;
        if path.register.complete().is_some() { Ok(path) } else { Err(rebuilding()) }
    }

    /// The path of a request that was let in; it stays open until that has ended.
    pub fn path_of_running(&self) -> Result<&Arc<Path>, Rejection> {
        self.path.get().ok_or_else(rebuilding)
    }

    /// Lets a request in, or says why not. A burst waits for its permits: answered at once, it would only come again at once.
    pub async fn enter(&self, size: Size, client: Client) -> Result<Permit, Rejection> {
        self.path()?;
        let permits = match size {
            Size::Bounded => &self.requests,
            Size::Stream => &self.streams,
        };
        let permit = tokio::select! {
            () = self.draining.cancelled() => None,
            permit = permits.acquire(client, self.limits.wait) => permit,
        };
        self.path()?;
        permit.ok_or_else(|| Rejection::new(Reason::Overloaded, Detail::Overloaded))
    }

    /// Runs the work of a request to its end, even if nobody waits for the answer any more.
    pub async fn finish(&self, work: impl Future<Output = Result<Response, Problem>> + Send + 'static) -> Result<Response, Problem> {
        let work = async move {
            let _running = metrics::RequestRunning::begin();
            work.await
        };
        self.tasks.spawn(work).await.unwrap_or_else(|ended| Err(task_panicked(&ended).into()))
    }

    /// Runs a task beside a request, as long as the handle is held.
    pub fn beside(&self, work: impl Future<Output = ()> + Send + 'static) -> AbortOnDropHandle<()> {
        AbortOnDropHandle::new(self.tasks.spawn(work))
    }

    /// Judges a chunk away from the async tasks.
    pub async fn judge(&self, chunk: Chunk, earlier: Arc<Layer>, only: Option<Kind>) -> Result<Judged, Rejection> {
        let path = self.path_of_running()?.clone();
        let judged =
            tokio::task::spawn_blocking(move || Judge { path: &path, earlier: &earlier, only, now: jiff::Timestamp::now() }.chunk(&chunk));
        judged.await.unwrap_or_else(|ended| Err(task_panicked(&ended)))
    }

    /// Waits until streams have to end between two chunks.
    pub async fn cut(&self) {
        self.cut.cancelled().await;
    }

    /// Takes no more requests and waits for those that run; after `time` streams are cut. Returns how many did not end.
    pub async fn drain(&self, time: Duration) -> usize {
        self.draining.cancel();
        self.tasks.close();
        if tokio::time::timeout(time, self.tasks.wait()).await.is_err() {
            tracing::warn!(running = self.tasks.len(), "streams are cut");
            self.cut.cancel();
            drop(tokio::time::timeout(self.limits.append + Duration::from_secs(1), self.tasks.wait()).await);
        }
        self.tasks.len()
    }

    /// Waits until the log has settled what it was given.
    pub async fn flush(&self) {
        let Some(path) = self.path.get() else { return };
        drop(tokio::time::timeout(self.limits.append, path.conflicts.flush()).await);
        if let Err(error) = path.writer.flush(self.limits.append).await {
            tracing::warn!(error = chain(&error), "the log has not settled everything; nobody was told that it had");
        }
    }
}
