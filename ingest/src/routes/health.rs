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
    rejection::{Detail, Reason, Rejection},
    service::Service,
    telemetry,
    telemetry::chain,
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

/// Requests may come: the register holds what stands in the log, the log takes appends, the clock is plausible, nobody is stopping the
/// service.
#[utoipa::path(
    get,
    path = "/ready",
    operation_id = "ready",
    responses((status = 200, description = "Requests may come", body = String, content_type = "text/plain"))
)]
pub async fn ready(State(service): State<Arc<Service>>) -> Result<&'static str, Problem> {
    let path = service.path()?;
    admit::plausible_clock(jiff::Timestamp::now())?;
    if path.register.unfolded() > path.limits.unfolded_events {
        return Err(Rejection::new(Reason::RegisterBehind, Detail::RegisterBehind).into());
    }
    path.writer.ready().await.map_err(|error| {
        tracing::warn!(error = chain(&error), "the log is not ready");
        Rejection::new(Reason::LogUnavailable, Detail::LogRefuses)
    })?;
    Ok("ready")
}

/// Metrics as Prometheus text: for the operator, at `http.health_listen` alone.
pub async fn metrics() -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], telemetry::recorder().render()).into_response()
}
