//! A request with submissions: permit, body, pipeline, response. The same for every route that accepts events.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::Request,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use bytes::Bytes;

use super::form::Form;
use crate::{
    app_state::{AppState, RequestSize},
    body::{self, BodyKind, Chunk, OnError, RequestBody, array},
    outcomes::Outcomes,
    permits::Permit,
    principal::Principal,
    rejection::{Language, Rejection},
    response::{Accepted, BatchOutcomes, Problem, StreamSummary},
    submission::{self, binary::Attributes},
};

/// What the head of a request says about its body.
#[derive(Debug, Clone, Copy)]
pub(super) struct BodyFormat {
    pub form: Form,
    /// Applies to an array.
    pub on_error: OnError,
}

/// Handles a request, in a task of its own that a client which disconnects does not interrupt.
pub(super) async fn handle(
    app: Arc<AppState>,
    principal: Principal,
    format: Result<BodyFormat, Rejection>,
    request: Request,
) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let permitted = match format {
        Ok(format) => app.acquire_permit(format.size(), principal).await.map(|permit| (format, permit)),
        Err(rejection) => Err(rejection),
    };
    let (format, permit) = match permitted {
        Ok(permitted) => permitted,
        Err(rejection) => {
            body::drain(body);
            return Err(rejection.into());
        }
    };
    let shared = app.clone();
    let work = async move {
        let body = match format.form {
            Form::Lines => shared.read_lines(body, principal, permit),
            _ => format.read_whole(&shared, &head.headers, body, permit).await?,
        };
        let kind = body.kind;
        let outcomes = shared.running_pipeline()?.process(principal, body).await?;
        Ok(response(kind, outcomes, Language::of_headers(&head.headers)))
    };
    app.run_to_completion(work).await
}

impl BodyFormat {
    fn size(self) -> RequestSize {
        if self.form == Form::Lines { RequestSize::Stream } else { RequestSize::Bounded }
    }

    /// Reads a body that is no stream.
    async fn read_whole(self, app: &AppState, headers: &HeaderMap, body: Body, permit: Permit) -> Result<RequestBody, Rejection> {
        let limits = &app.limits;
        let read = async |limit| body::read_whole(body, limit, limits.body, &permit).await;
        let batch = |bytes: Bytes| {
            let elements = array::split(&bytes, limits.batch_events)?;
            Ok((BodyKind::Batch(self.on_error), Chunk::batch(bytes, elements)))
        };
        let (kind, chunk) = match self.form {
            Form::Binary => {
                let attributes = Attributes::read(headers)?;
                let data = read(limits.event_bytes).await?;
                (BodyKind::One, Chunk::one(attributes.structured(&data)?.into()))
            }
            Form::Batch => batch(read(limits.batch_bytes).await?)?,
            Form::Json => {
                let bytes = read(limits.batch_bytes).await?;
                let is_array = submission::text_of(&bytes)?.trim_start().starts_with('[');
                if is_array { batch(bytes)? } else { (BodyKind::One, Chunk::one(bytes)) }
            }
            Form::One | Form::Lines => (BodyKind::One, Chunk::one(read(limits.event_bytes).await?)),
        };
        Ok(RequestBody::whole(kind, chunk, permit))
    }
}

fn response(kind: BodyKind, outcomes: Outcomes, language: Language) -> Response {
    match kind {
        BodyKind::One | BodyKind::Batch(OnError::AllOrNothing) => Accepted::from(outcomes).into_response(),
        BodyKind::Batch(OnError::KeepGood) => BatchOutcomes::new(outcomes, language).into_response(),
        BodyKind::Lines => StreamSummary::new(outcomes, language).into_response(),
    }
}
