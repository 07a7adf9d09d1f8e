//! HTTP: the router, its layers in order, and the connections.
//!
//! Layers, outermost first: answers get an id, a language and safe headers and are counted ([`finish`]); a panic becomes a plain 500;
//! the client and the host that is named are looked at ([`identify`]); the body is decompressed, so that every limit counts what is
//! really there. A connection that sends its head too slowly is closed; of too many one makes room; at the end connections finish
//! what they have begun. Health has a listener of its own, too, which nobody who sends events can fill, and metrics are shown there
//! alone.

use std::{
    any::Any,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use hyper::{body::Incoming, server::conn::http1, service::Service as _};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower_http::catch_panic::CatchPanicLayer;
use uuid::Uuid;

use crate::{
    answer::Problem,
    body,
    client::{Client, Peer},
    config::{HttpConfig, Limits},
    connections::{self, Connection, Connections},
    encoding,
    hosts::Hosts,
    metrics, openapi,
    rejection::{Detail, Language, Reason},
    routes,
    service::Service,
};

/// Connections for health and metrics, kept apart from those for events.
const HEALTH_CONNECTIONS: usize = 64;

/// Whom requests may name and who may name their clients.
#[derive(Debug, Clone)]
struct Trusted {
    hosts: Hosts,
    proxies: Arc<[IpAddr]>,
}

/// The routes for events with their layers; health is answered here, too.
pub fn router(service: Arc<Service>, http: &HttpConfig) -> Router {
    let routes = health()
        .route("/v1/events", post(routes::events::submit))
        .route("/v1/roll", post(routes::roll::submit))
        .route("/v1/openapi.json", get(openapi::description))
        .with_state(service);
    layered(routes, http)
}

/// The routes for health and metrics alone, with the same layers.
pub fn health_router(service: Arc<Service>, http: &HttpConfig) -> Router {
    layered(health().route("/metrics", get(routes::health::metrics)).with_state(service), http)
}

fn health() -> Router<Arc<Service>> {
    Router::new().route("/live", get(routes::health::live)).route("/ready", get(routes::health::ready))
}

fn layered(routes: Router, http: &HttpConfig) -> Router {
    let trusted = Trusted { hosts: Hosts::new(&http.hosts), proxies: http.trusted_proxies.clone().into() };
    routes
        .fallback(async || Problem::new(Reason::NotFound, Detail::SeeAddresses))
        .method_not_allowed_fallback(async || Problem::new(Reason::MethodNotAllowed, Detail::SeeMethods))
        .layer(middleware::from_fn(decompress))
        .layer(middleware::from_fn_with_state(trusted, identify))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(finish))
}

/// Refuses a request that names another host, and notes its client.
async fn identify(State(trusted): State<Trusted>, mut request: Request, next: Next) -> Response {
    let Some(peer) = request.extensions().get::<Peer>().copied() else {
        return Problem::new(Reason::Internal, Detail::Internal).into_response();
    };
    if let Err(rejection) = trusted.hosts.check(request.uri(), request.headers(), peer.local) {
        body::drain(request.into_body());
        return Problem::from(rejection).into_response();
    }
    let client = Client::of(peer.remote, request.headers(), &trusted.proxies);
    request.extensions_mut().insert(client);
    next.run(request).await
}

/// What comes after this sees the body as its client wrote it before compressing.
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

/// Serves requests for events until it is told to stop, then waits for the connections that are open.
pub async fn serve(listener: TcpListener, router: Router, limits: &Limits, stop: CancellationToken) {
    Listener { router, connections: Connections::new(connections::affordable(limits.connections)), head: limits.head }
        .serve(listener, stop)
        .await;
}

/// Serves requests about health in the same way.
pub async fn serve_health(listener: TcpListener, router: Router, limits: &Limits, stop: CancellationToken) {
    Listener { router, connections: Connections::new(HEALTH_CONNECTIONS), head: limits.head }.serve(listener, stop).await;
}

/// What the connections of a listener share.
struct Listener {
    router: Router,
    connections: Connections,
    /// Time for the head of a request.
    head: Duration,
}

impl Listener {
    async fn serve(self, listener: TcpListener, stop: CancellationToken) {
        let tasks = TaskTracker::new();
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(self.head);
        let service = (http, TowerToHyperService::new(self.router));
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = accept(&listener) => accepted,
            };
            let Some((stream, peer)) = accepted else { continue };
            // Without room the connection is closed: its client holds as many as anybody, and all of them are busy.
            let Some(connection) = self.connections.open(peer.remote.into()) else { continue };
            tasks.spawn(serve_connection(service.clone(), (stream, peer), connection, stop.clone()));
        }
        drop(listener);
        tasks.close();
        tasks.wait().await;
    }
}

/// Answers the requests of one connection.
async fn serve_connection(
    (http, router): (http1::Builder, TowerToHyperService<Router>),
    (stream, peer): (TcpStream, Peer),
    connection: Connection,
    stop: CancellationToken,
) {
    let service = hyper::service::service_fn(|mut request: hyper::Request<Incoming>| {
        let running = connection.request();
        request.extensions_mut().insert(peer);
        let answer = router.call(request);
        async move {
            let answer = answer.await;
            drop(running);
            answer
        }
    });
    let mut conversation = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
    // What goes wrong on a connection is between hyper and the client: requests are judged by their own answers.
    tokio::select! {
        ended = conversation.as_mut() => drop(ended),
        () = connection.closing() => {}
        () = stop.cancelled() => {
            conversation.as_mut().graceful_shutdown();
            drop(conversation.await);
        }
    }
}

/// The next connection.
async fn accept(listener: &TcpListener) -> Option<(TcpStream, Peer)> {
    let accepted = listener.accept().await.and_then(|(stream, remote)| {
        // Answers are small: they should not wait for company.
        drop(stream.set_nodelay(true));
        let peer = Peer { remote: remote.ip(), local: stream.local_addr()?.ip() };
        Ok((stream, peer))
    });
    match accepted {
        Ok(accepted) => Some(accepted),
        Err(error) => {
            tracing::warn!(%error, "a connection could not be taken");
            tokio::time::sleep(Duration::from_millis(100)).await;
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
