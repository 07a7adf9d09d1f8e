//! The HTTP server: router, middleware and listeners.
//!
//! Middleware, outermost first: [`finish`] adds request id and security headers, renders problems and counts requests; a panic becomes a
//! 500; [`identify`] checks the `Host` header and determines the client; [`decompress`] decodes the body, so that all limits count
//! decompressed bytes. Health also has its own listener, whose connections event senders cannot exhaust; metrics are served only there.
//! [`qamtu_service::http`] serves the connections.

use std::{any::Any, net::IpAddr, sync::Arc, time::Instant};

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use hyper_util::service::TowerToHyperService;
use qamtu_service::{
    client::{ClientAddress, Peer},
    hosts::{AllowedHosts, HostError},
    http::{self, ConnectionLimits},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use uuid::Uuid;

use crate::{
    app_state::AppState,
    body,
    config::{HttpConfig, Limits},
    encoding, metrics, openapi,
    rejection::{Detail, Language, ProblemCode},
    response::Problem,
    routes,
};

/// Most connections of the health listener.
const HEALTH_CONNECTIONS: usize = 64;

/// File descriptors reserved for everything but connections: log, register, keys, Kafka clients, health.
const OTHER_FILES: usize = 256;

/// Accepted host names, and the proxies whose `X-Forwarded-For` is trusted.
#[derive(Debug, Clone)]
struct TrustedHosts {
    hosts: AllowedHosts,
    proxies: Arc<[IpAddr]>,
}

/// The router of the main listener: events, rolls, OpenAPI and health.
pub fn router(app: Arc<AppState>, http: &HttpConfig) -> Router {
    let routes = health()
        .route("/v1/events", post(routes::events::submit))
        .route("/v1/roll", post(routes::roll::submit))
        .route("/v1/openapi.json", get(openapi::description))
        .with_state(app);
    layered(routes, http)
}

/// The router of the health listener: health and metrics, with the same middleware.
pub fn health_router(app: Arc<AppState>, http: &HttpConfig) -> Router {
    layered(health().route("/metrics", get(routes::health::metrics)).with_state(app), http)
}

fn health() -> Router<Arc<AppState>> {
    Router::new().route("/live", get(routes::health::live)).route("/ready", get(routes::health::ready))
}

fn layered(routes: Router, http: &HttpConfig) -> Router {
    let trusted = TrustedHosts { hosts: http.hosts.clone(), proxies: http.trusted_proxies.clone().into() };
    routes
        .fallback(async || Problem::new(ProblemCode::NotFound, Detail::SeeAddresses))
        .method_not_allowed_fallback(async || Problem::new(ProblemCode::MethodNotAllowed, Detail::SeeMethods))
        .layer(middleware::from_fn(decompress))
        .layer(middleware::from_fn_with_state(trusted, identify))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(finish))
}

/// Refuses a request for another host, and stores its client in the extensions.
async fn identify(State(trusted): State<TrustedHosts>, mut request: Request, next: Next) -> Response {
    let Some(peer) = request.extensions().get::<Peer>().copied() else {
        return Problem::new(ProblemCode::Internal, Detail::Internal).into_response();
    };
    if let Err(error) = trusted.hosts.check(&request) {
        body::drain(request.into_body());
        let detail = match error {
            HostError::Missing => Detail::HostMissing,
            HostError::Unknown => Detail::HostUnknown,
        };
        return Problem::new(ProblemCode::UnknownHost, detail).into_response();
    }
    let client = ClientAddress::of(peer.remote, request.headers(), &trusted.proxies);
    request.extensions_mut().insert(client);
    next.run(request).await
}

/// Replaces a compressed body by the decompressed one.
async fn decompress(mut request: Request, next: Next) -> Response {
    let body = std::mem::take(request.body_mut());
    match encoding::decode(request.headers_mut(), body) {
        Ok(body) => *request.body_mut() = body,
        Err((rejection, body)) => {
            body::drain(body);
            return Problem::from(rejection).into_response();
        }
    }
    next.run(request).await
}

/// Adds the request id and security headers, renders problems, and counts the request.
async fn finish(request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = Uuid::now_v7();
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let language = Language::of_headers(request.headers());
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let code = problem.rejection.code;
        metrics::refused(code);
        if code.status().is_server_error() {
            tracing::warn!(request = %id, route, code = code.as_str(), "a request failed because of this service");
        }
        let allowed = response.headers_mut().remove(header::ALLOW);
        response = problem.render(language, id);
        response.headers_mut().extend(allowed.map(|allowed| (header::ALLOW, allowed)));
    }
    let headers = response.headers_mut();
    headers.extend(HeaderValue::from_str(&id.to_string()).ok().map(|id| (header::HeaderName::from_static("x-request-id"), id)));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    metrics::request(&route, response.status().as_u16(), begun.elapsed());
    response
}

/// The panic hook has logged the message; the client gets only the request id.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    metrics::panicked();
    Problem::new(ProblemCode::Internal, Detail::Internal).into_response()
}

/// Serves the main listener until `stop`, then waits for open connections.
pub async fn serve(listener: TcpListener, router: Router, limits: &Limits, stop: CancellationToken) {
    let limits = ConnectionLimits { connections: limit_to_open_files(limits.connections), head_timeout: limits.head };
    http::serve(listener, TowerToHyperService::new(router), limits, stop).await;
}

/// Serves the health listener until `stop`, then waits for open connections.
pub async fn serve_health(listener: TcpListener, router: Router, limits: &Limits, stop: CancellationToken) {
    let limits = ConnectionLimits { connections: HEALTH_CONNECTIONS, head_timeout: limits.head };
    http::serve(listener, TowerToHyperService::new(router), limits, stop).await;
}

/// Raises the process's limit of open files and returns how many connections it allows, at most `wanted`.
fn limit_to_open_files(wanted: usize) -> usize {
    let files = match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(files) => usize::try_from(files).unwrap_or(usize::MAX),
        Err(error) => {
            tracing::warn!(%error, "the limit of open files cannot be raised");
            return wanted;
        }
    };
    let affordable = files.saturating_sub(OTHER_FILES).max(1);
    if affordable < wanted {
        tracing::warn!(
            files,
            wanted,
            affordable,
            "the limit of open files (ulimit -n, LimitNOFILE) allows fewer connections than configured"
        );
    }
    wanted.min(affordable)
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    /// The response contains neither the panic message nor its location.
    #[tokio::test]
    async fn a_panic_becomes_a_500_with_a_request_id() {
        async fn panicking() -> &'static str {
            std::panic::panic_any("850615101233".to_owned())
        }
        let router = Router::new().route("/", get(panicking)).layer(CatchPanicLayer::custom(panicked)).layer(middleware::from_fn(finish));
        let request = Request::builder().uri("/").header(header::ACCEPT_LANGUAGE, "kk").body(axum::body::Body::empty()).unwrap();
        let response = hyper::service::Service::call(&TowerToHyperService::new(router), request).await.unwrap();
        assert_eq!(response.status().as_u16(), 500);
        let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem["title"], "Ішкі қате");
        assert_eq!(problem["instance"], format!("urn:uuid:{id}"));
        assert!(!String::from_utf8_lossy(&body).contains("8506"));
    }
}
