//! The description of the HTTP interface, served at `/v1/openapi.json`; a test keeps a copy of it.

use axum::Json;
use utoipa::OpenApi;

use crate::{answer, routes};

/// The interface.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Qamtu ingest",
        description = "Takes events about a campaign's meetings, durably. Raw identifiers of attendees become pseudonyms in memory and are never stored.",
    ),
    paths(routes::events::submit, routes::roll::submit, routes::health::live, routes::health::ready, routes::health::metrics, description),
    components(schemas(answer::Accepted, answer::Fates, answer::Tally, answer::LineRange, answer::ProblemBody))
)]
pub struct Api;

/// This description.
#[utoipa::path(get, path = "/v1/openapi.json", responses((status = 200, description = "OpenAPI 3.1")))]
pub async fn description() -> Json<utoipa::openapi::OpenApi> {
    Json(Api::openapi())
}
