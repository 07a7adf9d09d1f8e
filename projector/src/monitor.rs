//! HTTP endpoints for operators: `/metrics`, `/live`, `/ready`.
//!
//! Answers only GET and HEAD with an accepted `Host` ([`AllowedHosts`]) and exposes no event data. `/ready` is 503 while there is a
//! problem; its body lists the problems ([`Health`]).

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use http_body_util::Full;
use hyper::{Method, Request, Response, StatusCode, body::Bytes, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use crate::{config::MetricsConfig, error::ProjectorError, health::Health, hosts::AllowedHosts, telemetry};

/// Timeout for the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// The bound listener.
#[derive(Debug)]
pub struct Monitor {
    address: SocketAddr,
}

impl Monitor {
    /// Binds the address and serves in the background until the runtime ends.
    pub async fn start(config: &MetricsConfig, health: Health) -> Result<Self, ProjectorError> {
        let (address, hosts) = (config.listen, AllowedHosts::new(&config.hosts));
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|source| ProjectorError::Listen { address, source })?;
        let address = listener.local_addr().map_err(|source| ProjectorError::Listen { address, source })?;
        telemetry::recorder();
        tokio::spawn(accept(listener, hosts, health));
        Ok(Self { address })
    }

    /// Address that it listens on, with the actual port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn accept(listener: TcpListener, hosts: AllowedHosts, health: Health) {
    loop {
        let accepted = listener.accept().await.and_then(|(stream, _)| Ok((stream.local_addr()?.ip(), stream)));
        let Ok((local, stream)) = accepted else {
            // Usually the process is out of file descriptors; retry after a pause.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (hosts, health) = (hosts.clone(), health.clone());
        let service = service_fn(move |request| {
            let response = respond(&request, local, &hosts, &health);
            async move { Ok::<_, Infallible>(response) }
        });
        let mut server = http1::Builder::new();
        server.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
        // The result is dropped: a disconnected client is no error of the server.
        tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
    }
}

fn respond(request: &Request<Incoming>, local: IpAddr, hosts: &AllowedHosts, health: &Health) -> Response<Full<Bytes>> {
    let (status, body) = match (request.method(), request.uri().path()) {
        _ if !hosts.allows(request.uri(), request.headers(), local) => {
            let help = "send one Host header with a name or address of this process; metrics.hosts takes more names\n";
            (StatusCode::MISDIRECTED_REQUEST, help.to_owned())
        }
        (&Method::GET | &Method::HEAD, "/live") => (StatusCode::OK, "live\n".to_owned()),
        (&Method::GET | &Method::HEAD, "/ready") => match health.describe() {
            None => (StatusCode::OK, "ready\n".to_owned()),
            Some(problems) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready\n{problems}")),
        },
        (&Method::GET | &Method::HEAD, "/metrics") => (StatusCode::OK, telemetry::recorder().render()),
        _ => (StatusCode::NOT_FOUND, "ask for /metrics, /live or /ready\n".to_owned()),
    };
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response
}
