//! The address at which metrics and health are asked for: `/metrics`, `/live`, `/ready`.
//!
//! It is for machines of the operator alone, answers GET and knows nothing of events. Ready means: started, and not asked to stop.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http_body_util::Full;
use hyper::{Method, Request, Response, StatusCode, body::Bytes, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use crate::{error::ProjectorError, telemetry};

/// Longest wait for the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// The listener and the state that it tells.
#[derive(Debug)]
pub struct Monitor {
    address: SocketAddr,
    ready: Arc<AtomicBool>,
}

impl Monitor {
    /// Listens; ends with the runtime.
    pub async fn start(address: SocketAddr) -> Result<Self, ProjectorError> {
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|source| ProjectorError::Listen { address, source })?;
        let address = listener.local_addr().map_err(|source| ProjectorError::Listen { address, source })?;
        let ready = Arc::new(AtomicBool::new(false));
        telemetry::recorder();
        tokio::spawn(accept(listener, ready.clone()));
        Ok(Self { address, ready })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on ready, or not.
    pub fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Relaxed);
    }
}

async fn accept(listener: TcpListener, ready: Arc<AtomicBool>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, as a rule: they come back.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let ready = ready.clone();
        let service = service_fn(move |request| {
            let answer = respond(&request, ready.load(Ordering::Relaxed));
            async move { Ok::<_, Infallible>(answer) }
        });
        let mut server = http1::Builder::new();
        server.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
        // A client that goes away in the middle is its own business.
        tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
    }
}

fn respond(request: &Request<Incoming>, ready: bool) -> Response<Full<Bytes>> {
    let (status, body) = match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/live") => (StatusCode::OK, "live\n".to_owned()),
        (&Method::GET | &Method::HEAD, "/ready") if ready => (StatusCode::OK, "ready\n".to_owned()),
        (&Method::GET | &Method::HEAD, "/ready") => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n".to_owned()),
        (&Method::GET | &Method::HEAD, "/metrics") => (StatusCode::OK, telemetry::recorder().render()),
        _ => (StatusCode::NOT_FOUND, "ask for /metrics, /live or /ready\n".to_owned()),
    };
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer
}
