//! HTTP: the router, its layers in order, and the connections.
//!
//! Layers, outermost first: answers get an id, a language and safe headers and are counted ([`finish`]); a panic becomes a plain 500;
//! gzip is undone, so that every limit counts what is really there. A connection that sends its head too slowly is closed; at the
//! end connections finish what they have begun.

use std::{any::Any, sync::Arc, time::Instant};

use axum::{
    Router,
    extract::{MatchedPath, Request},
    http::{HeaderValue, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower_http::{catch_panic::CatchPanicLayer, decompression::RequestDecompressionLayer};
use uuid::Uuid;

use crate::{
    answer::Problem,
    config::Limits,
    metrics, openapi,
    rejection::{Detail, Language, Reason},
    routes,
    service::Service,
};

/// The routes with their layers.
pub fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/v1/events", post(routes::events::submit))
        .route("/v1/roll", post(routes::roll::submit))
        .route("/v1/openapi.json", get(openapi::description))
        .route("/live", get(routes::health::live))
        .route("/ready", get(routes::health::ready))
        .route("/metrics", get(routes::health::metrics))
        .fallback(async || Problem::new(Reason::NotFound, Detail::SeeAddresses))
        .method_not_allowed_fallback(async || Problem::new(Reason::MethodNotAllowed, Detail::SeeMethods))
        .with_state(service)
        .layer(RequestDecompressionLayer::new().pass_through_unaccepted(true))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(finish))
}

/// Names, counts and renders an answer.
async fn finish(request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = Uuid::now_v7();
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let language = Language::of_headers(request.headers());
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let reason = problem.rejection.reason;
        metrics::refused(reason);
        if reason.status().is_server_error() {
            tracing::warn!(request = %id, route, code = reason.code(), "a request was answered with a problem of ours");
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

/// What the panic said is in the log already; the client gets the number to ask about.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    metrics::panicked();
    Problem::new(Reason::Internal, Detail::Internal).into_response()
}

/// Serves connections until it is told to stop, then waits for those that are open.
pub async fn serve(listener: TcpListener, router: Router, limits: &Limits, stop: CancellationToken) {
    let connections = TaskTracker::new();
    let places = Arc::new(Semaphore::new(limits.connections));
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let Some((stream, place)) = accepted else { continue };
        let (router, stop, head) = (router.clone(), stop.clone(), limits.head);
        connections.spawn(async move {
            let _place = place;
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(head);
            let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
            let mut connection = std::pin::pin!(connection);
            // What goes wrong on a connection is between hyper and the client: requests are judged by their own answers.
            tokio::select! {
                ended = connection.as_mut() => drop(ended),
                () = stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    drop(connection.await);
                }
            }
        });
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// The next connection and its place among the open ones.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => {
            // Answers are small: they should not wait for company.
            drop(stream.set_nodelay(true));
            Some((stream, place))
        }
        Err(error) => {
            tracing::warn!(%error, "a connection could not be taken");
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    /// A panic in a handler shows neither its words nor its place.
    #[tokio::test]
    async fn a_panic_becomes_a_plain_answer_with_a_number() {
        async fn broken() -> &'static str {
            std::panic::panic_any("850615101233".to_owned())
        }
        let router = Router::new().route("/", get(broken)).layer(CatchPanicLayer::custom(panicked)).layer(middleware::from_fn(finish));
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
