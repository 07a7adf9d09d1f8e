//! `POST /v1/events`: one event, a batch, or a stream of lines.

use std::{ops::Range, sync::Arc};

use axum::{
    Extension, Json,
    body::Body,
    extract::State,
    http::request::Parts,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use qamtu_schemas::decode::Mismatch;
use serde::{
    Deserializer as _,
    de::{self, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::form::Form;
use crate::{
    answer::{Accepted, EventFate, Failure, Fates, LISTED_MAX, Problem, Warned},
    body::{self, Chunk},
    client::Client,
    pipeline::{self, Fate, Judged, Layer},
    rejection::{Detail, Language, Reason, Rejection},
    service::{Service, Size},
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
        let wrong = |detail| Err(Rejection::new(Reason::InvalidParameter, detail));
        let default = if form == Form::Lines { Self::KeepGood } else { Self::AllOrNothing };
        let asked = match query.unwrap_or_default() {
            "" => default,
            "on_error=keep-good" => Self::KeepGood,
            "on_error=all-or-nothing" => Self::AllOrNothing,
            _ => return wrong(Detail::OnErrorValues),
        };
        match (form, asked) {
            (Form::Lines, Self::AllOrNothing) => wrong(Detail::StreamKeepsGood),
            _ => Ok(asked),
        }
    }
}

/// Takes events.
///
/// One event (`application/cloudevents+json`, or `application/json` with its attributes in `ce-*` headers), an array
/// (`application/cloudevents-batch+json`: all or nothing, or `on_error=keep-good`), `application/json` for either, or one event per line
/// (`application/x-ndjson`, also called `application/ndjson`, `application/jsonl` and `application/x-jsonlines`; of any length: what is
/// good is kept). The answer comes when every accepted event stands durably in the log. Sending an event again with the same id and the
/// same content is safe. An id that comes again with another content is refused; of an event that names a person the person is not
/// compared, so that an answer never tells who attended: such an event counts as a duplicate, the first one holds, and the operator sees
/// both. Refusals are told in the language of `Accept-Language` (kk, ru or en); codes and pointers are the same in all.
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
        (status = 200, description = "Nothing new (all duplicates); the fates of an array with `keep-good`; a stream without refusals", body = Accepted),
        (status = 202, description = "Every event stands durably in the log", body = Accepted),
        (status = 207, description = "A stream of which some lines were refused", body = crate::answer::Tally),
    )
)]
pub async fn submit(
    State(service): State<Arc<Service>>,
    Extension(client): Extension<Client>,
    head: Parts,
    mut body: Body,
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
            body::drain(&mut body).await;
            return Err(rejection.into());
        }
    };
    let (shared, language) = (service.clone(), Language::of_headers(&head.headers));
    let work = async move {
        match form {
            Form::One => one(&shared, body::whole(body, shared.limits.event_bytes, shared.limits.body, &permit).await?).await,
            Form::Binary => {
                let attributes = Attributes::read(&head.headers)?;
                let data = body::whole(body, shared.limits.event_bytes, shared.limits.body, &permit).await?;
                one(&shared, attributes.structured(&data)?.into()).await
            }
            Form::Batch => {
                let bytes = body::whole(body, shared.limits.batch_bytes, shared.limits.body, &permit).await?;
                batch(&shared, bytes, on_error, language).await
            }
            Form::Json => {
                let bytes = body::whole(body, shared.limits.batch_bytes, shared.limits.body, &permit).await?;
                let is_array = submission::text_of(&bytes)?.trim_start().starts_with('[');
                if is_array { batch(&shared, bytes, on_error, language).await } else { one(&shared, bytes).await }
            }
            Form::Lines => stream::take(&shared, body, None, (permit, language)).await,
        }
    };
    service.finish(work).await
}

async fn one(service: &Service, bytes: Bytes) -> Result<Response, Problem> {
    let mut judged = service.judge(Chunk::one(bytes), Arc::default(), None).await?;
    if judged.has_refusals() {
        let refused = judged.fates.drain(..).find_map(|(_, fate)| if let Fate::Refused(rejection) = fate { Some(rejection) } else { None });
        return Err(refused.unwrap_or_else(|| Rejection::new(Reason::Internal, Detail::Internal)).into());
    }
    stored(service, judged).await
}

async fn batch(service: &Service, bytes: Bytes, on_error: OnError, language: Language) -> Result<Response, Problem> {
    let elements = elements(&bytes, service.limits.batch_events)?;
    let judged = service.judge(Chunk::batch(bytes, elements), Arc::<Layer>::default(), None).await?;
    match on_error {
        OnError::AllOrNothing if judged.has_refusals() => Err(refused(judged)),
        OnError::AllOrNothing => stored(service, judged).await,
        OnError::KeepGood => {
            let fates = pipeline::store(service.path_of_running()?, judged).await?;
            Ok(Json(Fates::of(fates, language)).into_response())
        }
    }
}

/// Where the elements of a JSON array stand in its bytes.
fn elements(bytes: &Bytes, most: usize) -> Result<Vec<Range<usize>>, Rejection> {
    let text = submission::text_of(bytes).map_err(|rejection| rejection.at(""))?;
    let before = bytes.len() - text.len();
    let mut reader = serde_json::Deserializer::from_str(text);
    let found = reader.deserialize_seq(Elements { text, before, most }).and_then(|found| reader.end().map(|()| found));
    let found = found.map_err(|error| match error.is_data() {
        true => Rejection::new(Reason::InvalidJson, Detail::ArrayOfEvents).at(""),
        false => submission::unreadable(Mismatch::syntax(text.as_bytes())).at(""),
    })?;
    found.ok_or_else(|| Rejection::new(Reason::TooManyEvents, Detail::BatchMax { events: most }).at(""))
}

/// Reads an array as ranges of the text; none if it holds too many elements.
struct Elements<'a> {
    text: &'a str,
    /// Bytes of the body before the text.
    before: usize,
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
            let begin = self.before + element.get().as_ptr() as usize - self.text.as_ptr() as usize;
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
            Fate::Accepted { id, warnings, .. } => {
                answer.accepted += 1;
                Warned::list(&mut answer.warnings, id.0, &warnings, None);
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
    let first = refused.first().cloned().unwrap_or_else(|| Rejection::new(Reason::Internal, Detail::Internal));
    Problem { failures: refused, ..first.into() }
}

impl Fates {
    fn of(fates: Vec<(u64, Fate)>, language: Language) -> Self {
        let mut answer = Fates { accepted: 0, duplicates: 0, refused: 0, warnings: Vec::new(), fates: Vec::with_capacity(fates.len()) };
        for (index, fate) in fates {
            let mut told = EventFate { index, id: None, fate: "accepted", reason: None, pointer: None, detail: None };
            match fate {
                Fate::Accepted { id, warnings, .. } => {
                    answer.accepted += 1;
                    told.id = Some(id.0);
                    Warned::list(&mut answer.warnings, id.0, &warnings, None);
                }
                Fate::Duplicate { id } => {
                    answer.duplicates += 1;
                    (told.id, told.fate) = (Some(id.0), "duplicate");
                }
                Fate::Refused(rejection) => {
                    let failure = Failure::new(rejection.in_element(index), language);
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
        let marked = Bytes::from_static(b"\xef\xbb\xbf [ 1 ]");
        let cut: Vec<&[u8]> = elements(&marked, 3).unwrap().into_iter().map(|range| &marked[range]).collect();
        assert_eq!(cut, [b"1"]);
        assert_eq!(elements(&bytes, 2).unwrap_err().reason, Reason::TooManyEvents);
        assert_eq!(elements(&Bytes::from_static(b"[]"), 2).unwrap(), Vec::<Range<usize>>::new());
        for bad in [&b"{}"[..], b"[1", b"[1] 2", b"", b"[1,]", b"[\xff]"] {
            assert!(elements(&Bytes::copy_from_slice(bad), 9).is_err(), "{bad:?}");
        }
    }
}
