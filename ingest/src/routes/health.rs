//! Is it alive, may requests come, what do the numbers say.

use std::sync::Arc;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};

use crate::{
    answer::Problem,
    error::chain,
    rejection::{Reason, Rejection},
    service::Service,
    telemetry,
};

/// The process runs.
#[utoipa::path(get, path = "/live", responses((status = 200, description = "The process runs")))]
pub async fn live() -> &'static str {
    "live"
}

/// Requests may come: the register holds what stands in the log, the log takes appends, nobody is stopping the service.
#[utoipa::path(
    get,
    path = "/ready",
    responses(
        (status = 200, description = "Requests may come"),
        (status = 503, description = "Not now: starting, stopping, or the log does not answer", body = crate::answer::ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn ready(State(service): State<Arc<Service>>) -> Result<&'static str, Problem> {
    let path = service.path()?;
    if path.register.unfolded() > path.limits.unfolded_events {
        return Err(Rejection::new(Reason::RegisterBehind, "the register has to catch up with the log first").into());
    }
    path.writer.ready().await.map_err(|error| {
        tracing::warn!(error = chain(&error), "the log is not ready");
        Rejection::new(Reason::LogUnavailable, "the event log does not take appends now")
    })?;
    Ok("ready")
}

/// Metrics as Prometheus text.
#[utoipa::path(get, path = "/metrics", responses((status = 200, description = "Prometheus text")))]
pub async fn metrics() -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], telemetry::recorder().render()).into_response()
}
