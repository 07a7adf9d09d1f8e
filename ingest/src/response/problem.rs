//! Problem details (RFC 9457): the response to a request that is refused.
//!
//! Guarantees: a problem is rendered in one place ([`Problem::render`]), in the client's language, with the request id that the logs
//! show.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{FailureItem, StreamSummary};
use crate::{
    encoding,
    outcomes::Outcomes,
    rejection::{Detail, Language, ProblemCode, Rejection},
};

/// `Retry-After` of 429 and 503, in seconds.
const RETRY_AFTER: &str = "2";

/// A refused request, before its language and id are known.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The refusal of the request, or its first refused event.
    pub rejection: Box<Rejection>,
    /// Outcomes of the lines of a stream before the one where it failed.
    pub before: Option<Box<Outcomes>>,
    /// The first 100 refused events of a batch.
    pub failures: Vec<Rejection>,
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        Self { rejection: Box::new(rejection), before: None, failures: Vec::new() }
    }
}

impl Problem {
    /// A problem of the request as a whole, without a JSON pointer.
    pub fn new(code: ProblemCode, detail: Detail) -> Self {
        Rejection::new(code, detail).into()
    }

    /// The problem of a stream that ended after these outcomes, and names the first line without one.
    pub fn after(mut self, outcomes: Outcomes) -> Self {
        self.rejection.line = Some(outcomes.next_line());
        self.before = Some(Box::new(outcomes));
        self
    }

    /// The HTTP response in `language`; `request` is the id that logs and `x-request-id` show.
    pub fn render(self, language: Language, request: Uuid) -> Response {
        let code = self.rejection.code;
        let mut failure = FailureItem::new(*self.rejection, language);
        if let (Some(line), Some(_)) = (failure.line, &self.before) {
            failure.detail = format!("{} {}", failure.detail, Detail::NothingStoredFrom { line }.message(language));
        }
        let body = ProblemBody {
            kind: format!("urn:qamtu:problem:{}", code.as_str()),
            title: code.title(language),
            status: code.status().as_u16(),
            instance: format!("urn:uuid:{request}"),
            failure,
            failures: self.failures.into_iter().map(|rejection| FailureItem::new(rejection, language)).collect(),
            before: self.before.map(|outcomes| Box::new(StreamSummary::new(*outcomes, language))),
        };
        let mut response = (code.status(), Json(body)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if matches!(code.status(), StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
        }
        // The body may not have been read to its end, so the connection cannot be reused.
        if !matches!(code.status(), StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY) {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if code == ProblemCode::UnsupportedEncoding {
            response.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static(encoding::SUPPORTED));
        }
        response
    }
}

/// Only stores the problem in the response's extensions: the middleware in [`crate::server`] renders it.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.rejection.code.status().into_response();
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
    /// HTTP status of the response.
    status: u16,
    /// `urn:uuid:` and the id of the request, as in `x-request-id` and the logs.
    instance: String,
    #[serde(flatten)]
    failure: FailureItem,
    /// The first 100 refused events of a batch.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failures: Vec<FailureItem>,
    /// Outcomes of the lines of a stream before this problem; they are durable in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Box<StreamSummary>>,
}
