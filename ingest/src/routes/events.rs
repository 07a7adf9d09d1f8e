//! `POST /v1/events`: one event, a batch, or a stream of lines.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Request, State},
    response::Response,
};
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
    response::{Accepted, Problem},
};

/// Stores events.
///
/// Send one event (`application/cloudevents+json`, or `application/json` with its attributes in `ce-*` headers), an array
/// (`application/cloudevents-batch+json`: all or nothing, or `on_error=keep-good`), `application/json` for either, or one event per line
/// (`application/x-ndjson`, also called `application/ndjson`, `application/jsonl` and `application/x-jsonlines`; of any length, valid
/// events are stored). The response is sent when every accepted event is durable in the log. Sending an event again with the same id and
/// the same content is safe. A known id with another content is refused. For an event that names a person, the person is not compared, so
/// that no response reveals who attended: such an event counts as a duplicate, the first one stays valid, and the operator sees both.
/// Details of refusals are in the language of `Accept-Language` (kk, ru or en); codes and pointers are the same in all languages.
#[utoipa::path(
    post,
    path = "/v1/events",
    operation_id = "submit_events",
    params(("on_error" = Option<String>, Query, description = "For an array: `all-or-nothing` (the default) or `keep-good`.")),
    request_body(
        description = "CloudEvents 1.0. A person is named by `iin` or `phone`, which becomes a pseudonym before anything is stored.",
        content(
            (serde_json::Value = "application/cloudevents+json"),
            (serde_json::Value = "application/cloudevents-batch+json"),
            (serde_json::Value = "application/json"),
            (String = "application/x-ndjson"),
        )
    ),
    responses(
        (status = 200, description = "No new event (all duplicates); the outcomes of an array with `keep-good`; a stream without refusals", body = Accepted),
        (status = 202, description = "Every event is durable in the log", body = Accepted),
        (status = 207, description = "A stream of which some lines were refused", body = crate::response::StreamSummary),
    )
)]
pub async fn submit(
    State(app): State<Arc<AppState>>,
    Extension(client): Extension<ClientAddress>,
    request: Request,
) -> Result<Response, Problem> {
    let format = Form::of(request.headers()).and_then(|form| Ok(BodyFormat { form, on_error: on_error(request.uri().query(), form)? }));
    handle(app, Principal { client, only: None }, format, request).await
}

/// What the query says about refused events of an array.
fn on_error(query: Option<&str>, form: Form) -> Result<OnError, Rejection> {
    let wrong = |detail| Err(Rejection::new(ProblemCode::InvalidParameter, detail));
    match query.unwrap_or_default() {
        "" => Ok(OnError::AllOrNothing),
        "on_error=keep-good" => Ok(OnError::KeepGood),
        "on_error=all-or-nothing" if form == Form::Lines => wrong(Detail::StreamKeepsGood),
        "on_error=all-or-nothing" => Ok(OnError::AllOrNothing),
        _ => wrong(Detail::OnErrorValues),
    }
}
