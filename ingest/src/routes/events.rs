//! `POST /v1/events`: one event, a batch, or a stream of lines.

use std::{ops::Range, sync::Arc};

use axum::{
    Extension, Json,
    body::Body,
    extract::State,
    http::{HeaderMap, header, request::Parts},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::{
    Deserializer as _,
    de::{self, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{
    answer::{Accepted, EventFate, Failure, Fates, LISTED_MAX, Problem, Warned},
    body::{self, Chunk},
    client::Client,
    permits::Permit,
    pipeline::{self, Fate, Judged, Layer},
    rejection::{Reason, Rejection},
    service::{Service, Size},
    stream, submission,
};

/// The form a body has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    One,
    Batch,
    Lines,
}

impl Form {
    /// The form that the headers announce.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Rejection> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
        match kind.split(';').next().unwrap_or_default().trim() {
            "application/cloudevents+json" => Ok(Form::One),
            "application/cloudevents-batch+json" => Ok(Form::Batch),
            "application/x-ndjson" => Ok(Form::Lines),
            _ => Err(Rejection::new(
                Reason::UnsupportedMediaType,
                "send application/cloudevents+json (one event), application/cloudevents-batch+json (an array) or application/x-ndjson (lines)",
            )),
        }
    }
}

/// What a refused event means for the others of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnError {
    AllOrNothing,
    KeepGood,
}

impl OnError {
    fn of(query: Option<&str>, form: Form) -> Result<Self, Rejection> {
        let wrong = |detail: &str| Err(Rejection::new(Reason::InvalidParameter, detail));
        let default = if form == Form::Lines { Self::KeepGood } else { Self::AllOrNothing };
        let asked = match query.unwrap_or_default() {
            "" => default,
            "on_error=keep-good" => Self::KeepGood,
            "on_error=all-or-nothing" => Self::AllOrNothing,
            _ => return wrong("the only parameter is on_error, which is keep-good or all-or-nothing"),
        };
        match (form, asked) {
            (Form::Lines, Self::AllOrNothing) => wrong("a stream keeps what is good; send a batch to have all or nothing"),
            _ => Ok(asked),
        }
    }
}

/// Takes events.
///
/// One event (`application/cloudevents+json`), an array (`application/cloudevents-batch+json`: all or nothing, or
/// `on_error=keep-good`), or one event per line (`application/x-ndjson`, of any length: what is good is kept). The answer comes
/// when every accepted event stands durably in the log. Sending an event again with the same id and the same content is safe.
#[utoipa::path(
    post,
    path = "/v1/events",
    params(("on_error" = Option<String>, Query, description = "For a batch: `all-or-nothing` (the default) or `keep-good`.")),
    request_body(
        description = "CloudEvents 1.0 in structured mode; `data` after the schemas of the event types. A person is named by `iin` or `phone`, which becomes a pseudonym before anything is stored.",
        content(
            (serde_json::Value = "application/cloudevents+json"),
            (Vec<serde_json::Value> = "application/cloudevents-batch+json"),
            (String = "application/x-ndjson"),
        )
    ),
    responses(
        (status = 200, description = "Nothing new (all duplicates); the fates of a batch with `keep-good`; a stream without refusals", body = Accepted),
        (status = 202, description = "Every event stands durably in the log", body = Accepted),
        (status = 207, description = "A stream of which some lines were refused", body = crate::answer::Tally),
        (status = 409, description = "An id stands for another content", body = crate::answer::ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "Too large", body = crate::answer::ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "Refused, by name and place", body = crate::answer::ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The log does not acknowledge; repeat after Retry-After with the same ids", body = crate::answer::ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn submit(
    State(service): State<Arc<Service>>,
    Extension(client): Extension<Client>,
    head: Parts,
    body: Body,
) -> Result<Response, Problem> {
    let asked = Form::of(&head.headers).and_then(|form| Ok((form, OnError::of(head.uri.query(), form)?)));
    let entered = match asked {
        Ok((form, on_error)) => {
            let size = if form == Form::Lines { Size::Stream } else { Size::Bounded };
            service.enter(size, client).await.map(|permit| (form, on_error, permit))
        }
        Err(rejection) => Err(rejection),
    };
    let (form, on_error, permit) = match entered {
        Ok(entered) => entered,
        Err(rejection) => {
            body::drain(body);
            return Err(rejection.into());
        }
    };
    let shared = service.clone();
    let work = async move {
        match form {
            Form::One => one(&shared, body, &permit).await,
            Form::Batch => batch(&shared, body, on_error, &permit).await,
            Form::Lines => stream::take(&shared, body, None, permit).await,
        }
    };
    service.finish(work).await
}

async fn one(service: &Service, body: Body, permit: &Permit) -> Result<Response, Problem> {
    let bytes = body::whole(body, service.limits.event_bytes, service.limits.body, permit).await?;
    let mut judged = service.judge(Chunk::one(bytes), Arc::default(), None).await?;
    if judged.has_refusals() {
        let refused = judged.fates.drain(..).find_map(|(_, fate)| if let Fate::Refused(rejection) = fate { Some(rejection) } else { None });
        return Err(refused.unwrap_or_else(|| Rejection::new(Reason::Internal, "refused without a reason")).into());
    }
    stored(service, judged).await
}

async fn batch(service: &Service, body: Body, on_error: OnError, permit: &Permit) -> Result<Response, Problem> {
    let bytes = body::whole(body, service.limits.batch_bytes, service.limits.body, permit).await?;
    let elements = elements(&bytes, service.limits.batch_events)?;
    let judged = service.judge(Chunk::batch(bytes, elements), Arc::<Layer>::default(), None).await?;
    match on_error {
        OnError::AllOrNothing if judged.has_refusals() => Err(refused(judged)),
        OnError::AllOrNothing => stored(service, judged).await,
        OnError::KeepGood => {
            let fates = pipeline::store(service.path_of_running()?, judged).await?;
            Ok(Json(Fates::of(fates)).into_response())
        }
    }
}

/// Where the elements of a JSON array stand in its bytes.
fn elements(bytes: &Bytes, most: usize) -> Result<Vec<Range<usize>>, Rejection> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Rejection::new(Reason::InvalidUtf8, format!("byte {} begins no UTF-8 character; send UTF-8", error.valid_up_to())).at("")
    })?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let found = reader.deserialize_seq(Elements { text, most }).and_then(|found| reader.end().map(|()| found));
    match found.map_err(|error| submission::body_flaw(&error))? {
        Some(elements) => Ok(elements),
        None => {
            Err(Rejection::new(Reason::TooManyEvents, format!("a batch may hold {most} events; send several, or a stream of lines")).at(""))
        }
    }
}

/// Reads an array as ranges of the text; none if it holds too many elements.
struct Elements<'a> {
    text: &'a str,
    most: usize,
}

impl<'de> Visitor<'de> for Elements<'de> {
    type Value = Option<Vec<Range<usize>>>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of events")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while elements.len() < self.most {
            let Some(element) = seq.next_element::<&'de RawValue>()? else { return Ok(Some(elements)) };
            let begin = element.get().as_ptr() as usize - self.text.as_ptr() as usize;
            elements.push(begin..begin + element.get().len());
        }
        while seq.next_element::<de::IgnoredAny>()?.is_some() {
            elements.clear();
        }
        Ok((elements.len() == self.most).then_some(elements))
    }
}

/// The answer to a request whose events are all good: they are stored first.
async fn stored(service: &Service, judged: Judged) -> Result<Response, Problem> {
    let mut answer = Accepted::default();
    for (_, fate) in pipeline::store(service.path_of_running()?, judged).await? {
        match fate {
            Fate::Accepted { id, warning, .. } => {
                answer.accepted += 1;
                if answer.warnings.len() < LISTED_MAX {
                    answer.warnings.extend(warning.map(|warning| Warned::new(id.0, warning, None)));
                }
            }
            Fate::Duplicate { .. } => answer.duplicates += 1,
            Fate::Refused(rejection) => return Err(rejection.into()),
        }
    }
    Ok(answer.into_response())
}

/// The answer to a batch that is refused as a whole: its first flaw, and the list of them.
fn refused(mut judged: Judged) -> Problem {
    let mut refused: Vec<Rejection> = Vec::new();
    for (index, fate) in judged.fates.drain(..) {
        if let Fate::Refused(rejection) = fate
            && refused.len() < LISTED_MAX
        {
            refused.push(rejection.in_element(index));
        }
    }
    let first = refused.first().cloned().unwrap_or_else(|| Rejection::new(Reason::Internal, "refused without a reason"));
    Problem { failures: refused.into_iter().map(Failure::from).collect(), ..first.into() }
}

impl Fates {
    fn of(fates: Vec<(u64, Fate)>) -> Self {
        let mut answer = Fates { accepted: 0, duplicates: 0, refused: 0, warnings: Vec::new(), fates: Vec::with_capacity(fates.len()) };
        for (index, fate) in fates {
            let mut told = EventFate { index, id: None, fate: "accepted", reason: None, pointer: None, detail: None };
            match fate {
                Fate::Accepted { id, warning, .. } => {
                    answer.accepted += 1;
                    told.id = Some(id.0);
                    if answer.warnings.len() < LISTED_MAX {
                        answer.warnings.extend(warning.map(|warning| Warned::new(id.0, warning, None)));
                    }
                }
                Fate::Duplicate { id } => {
                    answer.duplicates += 1;
                    (told.id, told.fate) = (Some(id.0), "duplicate");
                }
                Fate::Refused(rejection) => {
                    let failure = Failure::from(rejection.in_element(index));
                    answer.refused += 1;
                    told.fate = "refused";
                    (told.id, told.reason, told.pointer, told.detail) =
                        (failure.id, Some(failure.code), failure.pointer, Some(failure.detail));
                }
            }
            answer.fates.push(told);
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_is_cut_into_its_elements_and_counted() {
        let bytes = Bytes::from_static(b" [ {\"a\":1} ,[2], 3 ] ");
        let cut: Vec<&[u8]> = elements(&bytes, 3).unwrap().into_iter().map(|range| &bytes[range]).collect();
        assert_eq!(cut, [&b"{\"a\":1}"[..], b"[2]", b"3"]);
        assert_eq!(elements(&bytes, 2).unwrap_err().reason, Reason::TooManyEvents);
        assert_eq!(elements(&Bytes::from_static(b"[]"), 2).unwrap(), Vec::<Range<usize>>::new());
        for bad in [&b"{}"[..], b"[1", b"[1] 2", b"", b"[1,]", b"[\xff]"] {
            assert!(elements(&Bytes::copy_from_slice(bad), 9).is_err(), "{bad:?}");
        }
    }
}
