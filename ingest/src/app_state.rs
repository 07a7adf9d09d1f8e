//! The state that all request handlers share: limits, permits, the pipeline and the phase (starting, running, draining).
//!
//! Guarantees: the work of a request runs in its own task, so a client that disconnects interrupts nothing. At shutdown all these tasks
//! are awaited; streams that exceed the drain time are aborted between two chunks.

use std::{
    future::Future,
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::{body::Body, response::Response};
use qamtu_service::telemetry::error_chain;
use tokio::sync::mpsc;
use tokio_util::{
    sync::CancellationToken,
    task::{AbortOnDropHandle, TaskTracker},
};

use crate::{
    body::{
        ChunkLimits, LineChunks, RequestBody,
        lines::{self, StreamLimits},
    },
    config::Limits,
    metrics,
    panics::task_panicked,
    permits::{Permit, Permits, RevokePolicy},
    pipeline::{Pipeline, rebuilding},
    principal::Principal,
    rejection::{Detail, ProblemCode, Rejection},
    response::Problem,
};

/// State of the running service, shared by all requests.
pub struct AppState {
    /// Limits from the configuration.
    pub limits: Limits,
    pipeline: OnceLock<Arc<Pipeline>>,
    requests: Permits,
    streams: Permits,
    tasks: TaskTracker,
    draining: CancellationToken,
    abort_streams: CancellationToken,
}

/// Which pool of permits a request uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestSize {
    /// One event or one batch: `limits.requests`.
    Bounded,
    /// A stream of any length: `limits.streams`.
    Stream,
}

impl AppState {
    /// The state of a service that is starting: every request gets 503 until [`AppState::open`].
    pub fn new(limits: Limits) -> Self {
        let slow_body = RevokePolicy::SlowBody { grace: limits.wait, bytes_per_second: limits.body_bytes_per_second };
        Self {
            pipeline: OnceLock::new(),
            requests: Permits::new(limits.requests, limits.connections / 2, slow_body),
            // The rate of a stream is measured in lines, not bytes: see `body::lines`.
            streams: Permits::new(limits.streams, limits.connections / 4, RevokePolicy::NoNewEvents(limits.stream_repeats)),
            tasks: TaskTracker::new(),
            draining: CancellationToken::new(),
            abort_streams: CancellationToken::new(),
            limits,
        }
    }

    /// Sets the pipeline once log and register are open. Requests are accepted as soon as the register has caught up with the log.
    pub fn open(&self, pipeline: Pipeline) {
        // Called once per process; a second call would change nothing.
        drop(self.pipeline.set(Arc::new(pipeline)));
    }

    /// The pipeline for a new request; an error (503) while the service starts, rebuilds its register or stops.
    pub fn pipeline(&self) -> Result<&Arc<Pipeline>, Rejection> {
        if self.draining.is_cancelled() {
            return Err(Rejection::new(ProblemCode::Stopping, Detail::Stopping));
        }
        let pipeline = self.running_pipeline()?;
        if pipeline.register.completion().is_some() { Ok(pipeline) } else { Err(rebuilding()) }
    }

    /// The pipeline for a request that already runs: available also while the service drains.
    pub fn running_pipeline(&self) -> Result<&Arc<Pipeline>, Rejection> {
        self.pipeline.get().ok_or_else(rebuilding)
    }

    /// A permit to run. Requests over the limit queue for `limits.wait`, then get 503: an immediate 503 would only make clients retry.
    pub async fn acquire_permit(&self, size: RequestSize, principal: Principal) -> Result<Permit, Rejection> {
        self.pipeline()?;
        let permits = match size {
            RequestSize::Bounded => &self.requests,
            RequestSize::Stream => &self.streams,
        };
        let permit = tokio::select! {
            () = self.draining.cancelled() => None,
            permit = permits.acquire(principal.client, self.limits.wait) => permit,
        };
        self.pipeline()?;
        permit.ok_or_else(|| Rejection::new(ProblemCode::Overloaded, Detail::Overloaded))
    }

    /// Runs the work of a request in its own task to completion, even if the client disconnects.
    pub async fn run_to_completion(
        &self,
        work: impl Future<Output = Result<Response, Problem>> + Send + 'static,
    ) -> Result<Response, Problem> {
        let work = async move {
            let _running = metrics::RequestRunning::begin();
            work.await
        };
        self.tasks.spawn(work).await.unwrap_or_else(|error| Err(task_panicked(&error).into()))
    }

    /// Begins to read the lines of a body, in a task that is aborted when the result is dropped.
    pub fn read_lines(&self, body: Body, principal: Principal, permit: Permit) -> RequestBody {
        let limits = &self.limits;
        let limits = StreamLimits {
            chunk: ChunkLimits { line_bytes: limits.largest(principal.only), lines: limits.chunk_events, bytes: limits.chunk_bytes },
            stream_bytes: limits.stream_bytes,
            idle: limits.idle,
            lines_per_minute: if principal.only.is_some() { limits.stream_rolls_per_minute } else { limits.stream_events_per_minute },
        };
        let (sender, chunks) = mpsc::channel(1);
        let reading = AbortOnDropHandle::new(self.tasks.spawn(lines::read(body, limits, sender)));
        RequestBody::lines(LineChunks { chunks, reading, aborted: self.abort_streams.clone() }, permit)
    }

    /// Refuses new requests and waits for the running ones; after `time` aborts streams. Returns the number of requests still running.
    pub async fn drain(&self, time: Duration) -> usize {
        self.draining.cancel();
        self.tasks.close();
        if tokio::time::timeout(time, self.tasks.wait()).await.is_err() {
            tracing::warn!(running = self.tasks.len(), "the drain time is over: streams are aborted");
            self.abort_streams.cancel();
            drop(tokio::time::timeout(self.limits.append + Duration::from_secs(1), self.tasks.wait()).await);
        }
        self.tasks.len()
    }

    /// Waits until all appends have succeeded or failed, at most `limits.append` for each kind of append.
    pub async fn flush(&self) {
        let Some(pipeline) = self.pipeline.get() else { return };
        drop(tokio::time::timeout(self.limits.append, pipeline.conflicts.flush()).await);
        if let Err(error) = pipeline.writer.flush(self.limits.append).await {
            tracing::warn!(error = error_chain(&error), "appends have no result at exit; none of them was acknowledged to a client");
        }
    }
}
