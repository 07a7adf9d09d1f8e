//! What every answer carries, and what every request goes through.

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use futures::FutureExt;

use super::Refusal;
use crate::metrics;

/// Nothing from elsewhere, nothing inline, no scripts, no frames.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PROTECTION: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Adds the protective headers; what is no asset is not stored anywhere.
pub(super) async fn protected(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in PROTECTION {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Turns a panic into an error page.
pub(super) async fn unbroken(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let kept = Request::from_parts(parts.clone(), axum::body::Body::empty());
    let answer = std::panic::AssertUnwindSafe(next.run(Request::from_parts(parts, body))).catch_unwind().await;
    answer.unwrap_or_else(|_| {
        tracing::error!(path = kept.uri().path(), "a handler panicked");
        Refusal::Internal.answer(&kept)
    })
}

/// Counts and times requests.
pub(super) async fn counted(request: Request, next: Next) -> Response {
    let began = std::time::Instant::now();
    let response = next.run(request).await;
    metrics::answered(response.status(), began.elapsed());
    response
}
