//! Is it alive, may requests come, what do the numbers say.

use std::sync::Arc;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};

use crate::{
    admit,
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

/// Requests may come: the register has caught up with the log, the log takes appends, the clock is plausible, nobody is stopping
/// the service.
#[utoipa::path(
    get,
    path = "/ready",
    responses(
        (status = 200, description = "Requests may come"),
        (status = 503, description = "Not now: starting, stopping, the log does not answer, or the clock is wrong", body = crate::answer::ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn ready(State(service): State<Arc<Service>>) -> Result<&'static str, Problem> {
    let path = service.path()?;
    admit::plausible_clock(jiff::Timestamp::now())?;
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
