//! `POST /v1/roll`: the bulk path for precinct rolls, one `precinct.enrolled` per line.

use std::sync::Arc;

use axum::{Extension, body::Body, extract::State, http::request::Parts, response::Response};
use qamtu_schemas::Kind;

use super::form::Form;
use crate::{
    answer::Problem,
    body,
    client::Client,
    rejection::{Detail, Language, Reason, Rejection},
    service::{Service, Size},
    stream,
};

/// Takes rolls: lines of `precinct.enrolled`, each up to 2 MiB, in a stream of any length.
#[utoipa::path(
    post,
    path = "/v1/roll",
    operation_id = "submit_rolls",
    request_body(description = "One `precinct.enrolled` event per line, CloudEvents 1.0 in structured mode.", content((String = "application/x-ndjson"))),
    responses(
        (status = 200, description = "Every line stands durably in the log", body = crate::answer::Tally),
        (status = 207, description = "Some lines were refused", body = crate::answer::Tally),
    )
)]
pub async fn submit(
    State(service): State<Arc<Service>>,
    Extension(client): Extension<Client>,
    head: Parts,
    mut body: Body,
) -> Result<Response, Problem> {
    let asked = Form::of(&head.headers).and_then(|form| match (form, head.uri.query().unwrap_or_default()) {
        (Form::Lines, "") => Ok(()),
        (Form::Lines, _) => Err(Rejection::new(Reason::InvalidParameter, Detail::NoParameters)),
        _ => Err(Rejection::new(Reason::UnsupportedMediaType, Detail::RollMediaTypes)),
    });
    let entered = match asked {
        Ok(()) => service.enter(Size::Stream, client).await,
        Err(rejection) => Err(rejection),
    };
    let permit = match entered {
        Ok(permit) => permit,
        Err(rejection) => {
            body::drain(&mut body).await;
            return Err(rejection.into());
        }
    };
    let (shared, language) = (service.clone(), Language::of_headers(&head.headers));
    let work = async move { stream::take(&shared, body, Some(Kind::PrecinctEnrolled), (permit, language)).await };
    service.finish(work).await
}
