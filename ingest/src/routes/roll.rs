//! `POST /v1/roll`: bulk upload of precinct rolls, one `precinct.enrolled` per line.

use std::sync::Arc;

use axum::{Extension, body::Body, extract::State, http::request::Parts, response::Response};
use qamtu_schemas::Kind;
use qamtu_service::client::Client;

use super::form::Form;
use crate::{
    app_state::{AppState, RequestSize},
    body,
    rejection::{Detail, Language, ProblemCode, Rejection},
    response::Problem,
    stream,
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
    Extension(client): Extension<Client>,
    head: Parts,
    body: Body,
) -> Result<Response, Problem> {
    let parsed = Form::of(&head.headers).and_then(|form| match (form, head.uri.query().unwrap_or_default()) {
        (Form::Lines, "") => Ok(()),
        (Form::Lines, _) => Err(Rejection::new(ProblemCode::InvalidParameter, Detail::NoParameters)),
        _ => Err(Rejection::new(ProblemCode::UnsupportedMediaType, Detail::RollMediaTypes)),
    });
    let permitted = match parsed {
        Ok(()) => app.acquire_permit(RequestSize::Stream, client).await,
        Err(rejection) => Err(rejection),
    };
    let permit = match permitted {
        Ok(permit) => permit,
        Err(rejection) => {
            body::drain(body);
            return Err(rejection.into());
        }
    };
    let (shared, language) = (app.clone(), Language::of_headers(&head.headers));
    let work = async move { stream::process(&shared, body, Some(Kind::PrecinctEnrolled), (permit, language)).await };
    app.run_to_completion(work).await
}
