//! `POST /v1/events`: one event, a batch, or a stream of lines.

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::Body,
    extract::State,
    http::request::Parts,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use qamtu_service::client::Client;

use super::form::Form;
use crate::{
    app_state::{AppState, RequestSize},
    body::{self, Chunk, array},
    pipeline::{self, Outcome, ValidatedChunk},
    rejection::{Detail, LISTED_MAX, Language, ProblemCode, Rejection},
    response::{Accepted, BatchOutcomes, Problem},
    stream,
    submission::{self, binary::Attributes},
};

/// What a refused event means for the others of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnError {
    AllOrNothing,
    KeepGood,
}

impl OnError {
    fn of(query: Option<&str>, form: Form) -> Result<Self, Rejection> {
        let wrong = |detail| Err(Rejection::new(ProblemCode::InvalidParameter, detail));
        let default = if form == Form::Lines { Self::KeepGood } else { Self::AllOrNothing };
        let requested = match query.unwrap_or_default() {
            "" => default,
            "on_error=keep-good" => Self::KeepGood,
            "on_error=all-or-nothing" => Self::AllOrNothing,
            _ => return wrong(Detail::OnErrorValues),
        };
        match (form, requested) {
            (Form::Lines, Self::AllOrNothing) => wrong(Detail::StreamKeepsGood),
            _ => Ok(requested),
        }
    }
}

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
    Extension(client): Extension<Client>,
    head: Parts,
    body: Body,
) -> Result<Response, Problem> {
    let parsed = Form::of(&head.headers).and_then(|form| Ok((form, OnError::of(head.uri.query(), form)?)));
    let permitted = match parsed {
        Ok((form, on_error)) => {
            let size = if form == Form::Lines { RequestSize::Stream } else { RequestSize::Bounded };
            app.acquire_permit(size, client).await.map(|permit| (form, on_error, permit))
        }
        Err(rejection) => Err(rejection),
    };
    let (form, on_error, permit) = match permitted {
        Ok(permitted) => permitted,
        Err(rejection) => {
            body::drain(body);
            return Err(rejection.into());
        }
    };
    let (shared, language) = (app.clone(), Language::of_headers(&head.headers));
    let work = async move {
        let limits = &shared.limits;
        match form {
            Form::One => submit_one(&shared, body::read_whole(body, limits.event_bytes, limits.body, &permit).await?).await,
            Form::Binary => {
                let attributes = Attributes::read(&head.headers)?;
                let data = body::read_whole(body, limits.event_bytes, limits.body, &permit).await?;
                submit_one(&shared, attributes.structured(&data)?.into()).await
            }
            Form::Batch => {
                let bytes = body::read_whole(body, limits.batch_bytes, limits.body, &permit).await?;
                submit_batch(&shared, bytes, on_error, language).await
            }
            Form::Json => {
                let bytes = body::read_whole(body, limits.batch_bytes, limits.body, &permit).await?;
                let is_array = submission::text_of(&bytes)?.trim_start().starts_with('[');
                if is_array { submit_batch(&shared, bytes, on_error, language).await } else { submit_one(&shared, bytes).await }
            }
            Form::Lines => stream::process(&shared, body, None, (permit, language)).await,
        }
    };
    app.run_to_completion(work).await
}

async fn submit_one(app: &AppState, bytes: Bytes) -> Result<Response, Problem> {
    let mut validated = app.validate(Chunk::one(bytes), Arc::default(), None).await?;
    if validated.has_refusals() {
        let refused = validated.outcomes.drain(..).find_map(|(_, outcome)| match outcome {
            Outcome::Refused(rejection) => Some(rejection),
            _ => None,
        });
        return Err(refused.unwrap_or_else(|| Rejection::new(ProblemCode::Internal, Detail::Internal)).into());
    }
    store(app, validated).await
}

async fn submit_batch(app: &AppState, bytes: Bytes, on_error: OnError, language: Language) -> Result<Response, Problem> {
    let elements = array::split(&bytes, app.limits.batch_events)?;
    let validated = app.validate(Chunk::batch(bytes, elements), Arc::default(), None).await?;
    match on_error {
        OnError::AllOrNothing if validated.has_refusals() => Err(batch_problem(validated)),
        OnError::AllOrNothing => store(app, validated).await,
        OnError::KeepGood => {
            let outcomes = pipeline::store(app.running_pipeline()?, validated).await?;
            Ok(Json(BatchOutcomes::new(outcomes, language)).into_response())
        }
    }
}

/// Stores a chunk without refusals and responds with its counts.
async fn store(app: &AppState, validated: ValidatedChunk) -> Result<Response, Problem> {
    let outcomes = pipeline::store(app.running_pipeline()?, validated).await?;
    Ok(Accepted::from_outcomes(outcomes)?.into_response())
}

/// The problem of an all-or-nothing batch: its first refused event, and a list of the refused events.
fn batch_problem(mut validated: ValidatedChunk) -> Problem {
    let mut failures: Vec<Rejection> = Vec::new();
    for (index, outcome) in validated.outcomes.drain(..) {
        if let Outcome::Refused(rejection) = outcome
            && failures.len() < LISTED_MAX
        {
            failures.push(rejection.within(&format!("/{index}")));
        }
    }
    let first = failures.first().cloned().unwrap_or_else(|| Rejection::new(ProblemCode::Internal, Detail::Internal));
    Problem { failures, ..first.into() }
}
