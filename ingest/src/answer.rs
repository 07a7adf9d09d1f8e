//! What clients are told: results and problems (RFC 9457), one shape each.
//!
//! Guarantees: `accepted` and `duplicates` count events that stand durably in the log. A problem is rendered in one place, in the
//! client's language, with the id under which the logs know the request.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    encoding,
    rejection::{Detail, Language, Reason, Rejection, Warning},
};

/// Most failures and warnings listed in one answer.
pub const LISTED_MAX: usize = 100;

/// Most ranges of refused lines in one answer.
pub const REFUSED_RANGES_MAX: usize = 100_000;

/// Seconds after which a request may be repeated.
const RETRY_AFTER: &str = "2";

/// Something that was taken but is worth saying.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Warned {
    /// The event.
    pub id: Uuid,
    /// `unknown-meeting`: neither plan nor report of the meeting is known yet; the event is pending until one arrives.
    /// `revision-not-raised`: other reference data is known under the same or a higher `revision`; raise it.
    /// `unknown-reference`: the event that this one replaces or takes back is not known yet; without it this one has no effect.
    /// `foreign-reference`: that event is about another meeting. `ineffective-reference`: it is of a type that this one cannot replace.
    pub code: &'static str,
    /// The event that is named, for a code that ends in `-reference`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<Uuid>,
    /// Line of a stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
}

impl Warned {
    /// Adds the warnings about an event to those of an answer, as long as there is room.
    pub fn list(listed: &mut Vec<Self>, id: Uuid, warnings: &[Warning], line: Option<u64>) {
        let room = LISTED_MAX.saturating_sub(listed.len());
        let new = |warning: &Warning| Self { id, code: warning.code(), reference: warning.reference().map(|id| id.0), line };
        listed.extend(warnings.iter().take(room).map(new));
    }
}

/// Every event of the request stands durably in the log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Accepted {
    /// New events.
    pub accepted: u64,
    /// Events that stood there before, with the same body.
    pub duplicates: u64,
    /// At most 100.
    pub warnings: Vec<Warned>,
}

impl IntoResponse for Accepted {
    fn into_response(self) -> Response {
        let status = if self.accepted > 0 { StatusCode::ACCEPTED } else { StatusCode::OK };
        (status, Json(self)).into_response()
    }
}

/// What became of one event of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EventFate {
    /// Index in the batch, from 0.
    pub index: u64,
    /// The event, where its id could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// `accepted`, `duplicate` or `refused`.
    pub fate: &'static str,
    /// Why it was refused: the code of a problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// JSON pointer into the batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// What exactly, and how to mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// A batch of which the good events were kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Fates {
    /// New events.
    pub accepted: u64,
    /// Events that stood in the log before.
    pub duplicates: u64,
    /// Events that were refused.
    pub refused: u64,
    /// At most 100.
    pub warnings: Vec<Warned>,
    /// One per event, in order.
    pub fates: Vec<EventFate>,
}

/// One refused event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Failure {
    /// Line of a stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The event, where its id could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// The code of a problem.
    pub code: &'static str,
    /// JSON pointer (RFC 6901) into what was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// What exactly, and how to correct it, in the language of `Accept-Language` (kk, ru or en).
    pub detail: String,
    /// Reference data that is known under its revision with another content: JSON pointers into the event where the two differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differs: Vec<String>,
}

impl Failure {
    /// A refusal in a language.
    pub fn new(rejection: Rejection, language: Language) -> Self {
        Self {
            line: rejection.line,
            id: rejection.id.map(|id| id.0),
            code: rejection.reason.code(),
            detail: rejection.text(language),
            differs: rejection.differs().to_vec(),
            pointer: rejection.pointer,
        }
    }
}

/// Consecutive lines of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct LineRange {
    /// Its first line.
    pub first: u64,
    /// Its last line.
    pub last: u64,
}

/// What became of a stream: accepted events stand durably in the log, refused ones do not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Tally {
    /// New events.
    pub accepted: u64,
    /// Events that stood in the log before.
    pub duplicates: u64,
    /// Lines that were refused.
    pub refused: u64,
    /// All of those lines, in order: every other line that is not blank stands in the log.
    pub refused_lines: Vec<LineRange>,
    /// Events with a warning.
    pub warned: u64,
    /// The first 100.
    pub warnings: Vec<Warned>,
    /// The first 100.
    pub failures: Vec<Failure>,
}

impl IntoResponse for Tally {
    fn into_response(self) -> Response {
        let status = if self.refused == 0 { StatusCode::OK } else { StatusCode::MULTI_STATUS };
        (status, Json(self)).into_response()
    }
}

/// A refusal as an answer.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Why.
    pub rejection: Box<Rejection>,
    /// What became of a stream before it.
    pub before: Option<Box<Tally>>,
    /// All refused events of a batch, the first 100.
    pub failures: Vec<Rejection>,
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        Self { rejection: Box::new(rejection), before: None, failures: Vec::new() }
    }
}

impl Problem {
    /// A problem without a place.
    pub fn new(reason: Reason, detail: Detail) -> Self {
        Rejection::new(reason, detail).into()
    }

    /// The answer, in a language, with the id of the request.
    pub fn render(self, language: Language, request: Uuid) -> Response {
        let reason = self.rejection.reason;
        let mut failure = Failure::new(*self.rejection, language);
        if let (Some(line), Some(_)) = (failure.line, &self.before) {
            failure.detail = format!("{} {}", failure.detail, Detail::NothingStoredFrom { line }.message(language));
        }
        let body = ProblemBody {
            kind: format!("urn:qamtu:problem:{}", reason.code()),
            title: reason.title(language),
            status: reason.status().as_u16(),
            instance: format!("urn:uuid:{request}"),
            failure,
            failures: self.failures.into_iter().map(|rejection| Failure::new(rejection, language)).collect(),
            before: self.before,
        };
        let mut response = (reason.status(), Json(body)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if matches!(reason.status(), StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
        }
        // All of the body may not have been read: the next request needs a connection of its own.
        if !matches!(reason.status(), StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY) {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if reason == Reason::UnsupportedEncoding {
            response.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static(encoding::SUPPORTED));
        }
        response
    }
}

/// Only the mark of a problem: [`crate::server`] renders it.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.rejection.reason.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Problem details, RFC 9457.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// `urn:qamtu:problem:` and the code.
    #[serde(rename = "type")]
    kind: String,
    /// Short, in the language of `Accept-Language` (kk, ru or en), the same for every occurrence.
    title: &'static str,
    /// The status of the answer.
    status: u16,
    /// The id of the request, as the logs know it.
    instance: String,
    #[serde(flatten)]
    failure: Failure,
    /// All refused events of a batch, the first 100.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failures: Vec<Failure>,
    /// What became of a stream before this: it stands durably in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Box<Tally>>,
}
