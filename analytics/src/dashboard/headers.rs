//! Middleware: host check, security headers, panics, metrics.

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use futures::FutureExt;
use qamtu_service::hosts::AllowedHosts;

use super::ErrorPage;
use crate::metrics;

/// Allows style, fonts and images of this origin only: nothing inline, no scripts, no frames.
const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const SECURITY_HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Responds 421 to a request for another host.
pub(super) async fn check_host(State(hosts): State<AllowedHosts>, request: Request, next: Next) -> Response {
    if hosts.check(&request).is_ok() { next.run(request).await } else { ErrorPage::Host.response(&request) }
}

/// Adds the security headers; responses are not cached unless they are assets.
pub(super) async fn add_security_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in SECURITY_HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Turns a panic into an error page.
pub(super) async fn catch_panics(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let request_head = Request::from_parts(parts.clone(), axum::body::Body::empty());
    let response = std::panic::AssertUnwindSafe(next.run(Request::from_parts(parts, body))).catch_unwind().await;
    response.unwrap_or_else(|_| {
        tracing::error!(path = request_head.uri().path(), "a handler panicked");
        ErrorPage::Internal.response(&request_head)
    })
}

/// Counts requests and measures their duration.
pub(super) async fn record_request(request: Request, next: Next) -> Response {
    let started = std::time::Instant::now();
    let response = next.run(request).await;
    metrics::request_served(response.status(), started.elapsed());
    response
}
