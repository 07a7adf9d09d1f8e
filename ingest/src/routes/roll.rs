//! `POST /v1/roll`: bulk upload of precinct rolls, one `precinct.enrolled` per line.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Request, State},
    response::Response,
};
use qamtu_schemas::Kind;
use qamtu_service::client::ClientAddress;

use super::{
    form::Form,
    request::{BodyFormat, handle},
};
use crate::{
    app_state::AppState,
    body::OnError,
    principal::Principal,
    rejection::{Detail, ProblemCode, Rejection},
    response::Problem,
};

/// Stores precinct rolls: lines of `precinct.enrolled`, each up to 2 MiB, in a stream of any length.
#[utoipa::path(
    post,
    path = "/v1/roll",
    operation_id = "submit_rolls",
    request_body(description = "One `precinct.enrolled` event per line, CloudEvents 1.0 in structured mode.", content((String = "application/x-ndjson"))),
    responses(
        (status = 200, description = "Every line is durable in the log", body = crate::response::StreamSummary),
        (status = 207, description = "Some lines were refused", body = crate::response::StreamSummary),
    )
)]
pub async fn submit(
    State(app): State<Arc<AppState>>,
    Extension(client): Extension<ClientAddress>,
    request: Request,
) -> Result<Response, Problem> {
    let format = Form::of(request.headers()).and_then(|form| match (form, request.uri().query().unwrap_or_default()) {
        (Form::Lines, "") => Ok(BodyFormat { form, on_error: OnError::KeepGood }),
        (Form::Lines, _) => Err(Rejection::new(ProblemCode::InvalidParameter, Detail::NoParameters)),
        _ => Err(Rejection::new(ProblemCode::UnsupportedMediaType, Detail::RollMediaTypes)),
    });
    handle(app, Principal { client, only: Some(Kind::PrecinctEnrolled) }, format, request).await
}
