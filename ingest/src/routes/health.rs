//! Liveness, readiness and metrics.

use std::sync::Arc;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use qamtu_service::telemetry::{self, error_chain};

use crate::{
    app_state::AppState,
    rejection::{Detail, ProblemCode, Rejection},
    response::Problem,
    validation,
};

/// The process runs.
#[utoipa::path(
    get,
    path = "/live",
    operation_id = "live",
    responses((status = 200, description = "The process runs", body = String, content_type = "text/plain"))
)]
pub async fn live() -> &'static str {
    "live"
}

/// Ready for requests: the register holds the whole log, the log accepts appends, the clock is plausible, the service is not stopping.
#[utoipa::path(
    get,
    path = "/ready",
    operation_id = "ready",
    responses((status = 200, description = "Ready for requests", body = String, content_type = "text/plain"))
)]
pub async fn ready(State(app): State<Arc<AppState>>) -> Result<&'static str, Problem> {
    let pipeline = app.pipeline()?;
    validation::plausible_clock(jiff::Timestamp::now())?;
    if pipeline.register.unwritten() > pipeline.limits.unwritten_events {
        return Err(Rejection::new(ProblemCode::RegisterBehind, Detail::RegisterBehind).into());
    }
    pipeline.writer.ready().await.map_err(|error| {
        tracing::warn!(error = error_chain(&error), "the log does not accept appends");
        Rejection::new(ProblemCode::LogUnavailable, Detail::LogRefuses)
    })?;
    Ok("ready")
}

/// Metrics as Prometheus text. Served at `http.health_listen` alone, since they show the load of all clients.
pub async fn metrics() -> Response {
    ([(header::CONTENT_TYPE, telemetry::METRICS_MEDIA_TYPE)], telemetry::render_metrics()).into_response()
}
