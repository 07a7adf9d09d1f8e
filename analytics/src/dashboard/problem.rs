//! Problem details (RFC 9457): the error responses of the interface for programs, which begins with `/v1/`.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

/// Whether a path is one for programs, so that its errors are no pages.
pub(super) fn is_for_programs(path: &str) -> bool {
    path.starts_with("/v1/")
}

/// Seconds after which a request may succeed, in `Retry-After` of 503.
const RETRY_AFTER: &str = "5";

/// Problem details, RFC 9457.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// `urn:qamtu:problem:` and a code.
    #[serde(rename = "type")]
    kind: String,
    /// Short, the same for every occurrence, in the language of `Accept-Language` (kk, ru or en).
    title: String,
    /// HTTP status of the response.
    status: u16,
    /// Where the fault is and how to fix it, in the same language.
    detail: String,
}

impl Problem {
    /// A problem with a code such as `invalid-slice`.
    pub(super) fn new(code: &str, status: StatusCode, title: String, detail: String) -> Self {
        Self { kind: format!("urn:qamtu:problem:{code}"), title, status: status.as_u16(), detail }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
        }
        response
    }
}
