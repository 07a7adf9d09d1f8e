//! Accepts and serves connections of a listener.
//!
//! Guarantees: the number of open connections is limited; a connection that sends its headers too slowly is closed; at shutdown open
//! connections may finish their requests within a timeout.

use std::{sync::Arc, time::Duration};

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
};

use super::hosts::LocalAddress;

/// Maximum number of open connections per listener.
const MAX_CONNECTIONS: usize = 256;

/// Timeout for the headers of a request, and for the next request of an idle connection.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);

/// Time for open connections to finish at shutdown.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves connections until `stop` is true.
pub(super) async fn serve(listener: TcpListener, router: Router, mut stop: watch::Receiver<bool>) {
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = wait_for_stop(&mut stop) => break,
            // Reaps finished connections.
            Some(_) = connections.join_next() => None,
            accepted = accept(&listener, &permits) => accepted,
        };
        if let Some((stream, permit)) = accepted {
            connections.spawn(serve_connection(stream, permit, router.clone(), stop.clone()));
        }
    }
    drop(listener);
    let finished = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(SHUTDOWN_TIMEOUT, finished).await.is_err() {
        tracing::warn!("connections were still open after the shutdown timeout and are closed");
    }
}

/// Waits for shutdown; a dropped sender means shutdown, too.
async fn wait_for_stop(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Waits for a permit and accepts a connection.
async fn accept(listener: &TcpListener, permits: &Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let permit = permits.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, permit)),
        Err(error) => {
            tracing::warn!(%error, "accepting a connection failed");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

/// Serves the requests of a connection, which keeps its permit while it is open.
async fn serve_connection(stream: TcpStream, permit: OwnedSemaphorePermit, router: Router, mut stop: watch::Receiver<bool>) {
    // The address of a closed connection is unknown.
    let Ok(local) = stream.local_addr() else { return };
    let router = router.layer(Extension(LocalAddress(local.ip())));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    // Errors of a connection concern only hyper and the client.
    tokio::select! {
        ended = connection.as_mut() => drop(ended),
        () = wait_for_stop(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            drop(connection.await);
        }
    }
    drop(permit);
}
