//! HTTP endpoints for operators: `/metrics`, `/live`, `/ready`.
//!
//! Answers only GET and HEAD with an accepted `Host` ([`qamtu_service::hosts`]) and exposes no event data. `/ready` is 503 while there is a
//! problem; its body lists the problems ([`Health`]).

use std::{convert::Infallible, io, net::SocketAddr, time::Duration};

use http_body_util::Full;
use hyper::{Method, Request, Response, StatusCode, body::Bytes, body::Incoming, header, header::HeaderValue, service::service_fn};
use qamtu_service::{
    hosts::AllowedHosts,
    http::{self, ConnectionLimits},
    telemetry,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{config::MetricsConfig, health::Health, metrics};

const LIMITS: ConnectionLimits = ConnectionLimits { connections: 64, head_timeout: Duration::from_secs(10) };

/// Binds the address and serves in the background until the runtime ends. Returns the address with the actual port.
pub async fn start(config: &MetricsConfig, health: Health) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(config.listen).await?;
    let address = listener.local_addr()?;
    telemetry::install_recorder(|| {
        metrics::describe();
        metrics::initialize();
    });
    let hosts = config.hosts.clone();
    let service = service_fn(move |request| std::future::ready(Ok::<_, Infallible>(respond(&request, &hosts, &health))));
    tokio::spawn(http::serve(listener, service, LIMITS, CancellationToken::new()));
    Ok(address)
}

fn respond(request: &Request<Incoming>, hosts: &AllowedHosts, health: &Health) -> Response<Full<Bytes>> {
    let (status, body) = match (request.method(), request.uri().path()) {
        _ if hosts.check(request).is_err() => {
            let help = "send one Host header with a name or address of this process; metrics.hosts takes more names\n";
            (StatusCode::MISDIRECTED_REQUEST, help.to_owned())
        }
        (&Method::GET | &Method::HEAD, "/live") => (StatusCode::OK, "live\n".to_owned()),
        (&Method::GET | &Method::HEAD, "/ready") => match health.describe() {
            None => (StatusCode::OK, "ready\n".to_owned()),
            Some(problems) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready\n{problems}")),
        },
        (&Method::GET | &Method::HEAD, "/metrics") => (StatusCode::OK, telemetry::render_metrics()),
        _ => (StatusCode::NOT_FOUND, "ask for /metrics, /live or /ready\n".to_owned()),
    };
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(telemetry::METRICS_MEDIA_TYPE));
    response
}
