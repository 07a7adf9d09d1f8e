//! Connections of a listener.
//!
//! Guarantees: no more than a fixed number is open at once; one that sends its head too slowly is closed; at the end those that are open
//! finish what they have begun, for a fixed time and no longer. Requests themselves are judged by their answers.

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

/// Open connections of one listener.
const MAX_CONNECTIONS: usize = 256;

/// How long the head of a request may take, and how long a connection may wait for its next request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);

/// How long open connections may finish their work once the service ends.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves until `stop` says so.
pub(super) async fn serve(listener: TcpListener, router: Router, mut stop: watch::Receiver<bool>) {
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = wait_for_stop(&mut stop) => break,
            // Those that ended are forgotten.
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
        tracing::warn!("connections were still open at the end and are cut off");
    }
}

/// An error means that the sender is gone, which is a stop too.
async fn wait_for_stop(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// The next connection and its permit among the open ones.
async fn accept(listener: &TcpListener, permits: &Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let permit = permits.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, permit)),
        Err(error) => {
            tracing::warn!(%error, "a connection could not be taken");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

/// Answers the requests of a connection, which has its permit as long as it is open.
async fn serve_connection(stream: TcpStream, permit: OwnedSemaphorePermit, router: Router, mut stop: watch::Receiver<bool>) {
    // A connection that has ended already has no address.
    let Ok(local) = stream.local_addr() else { return };
    let router = router.layer(Extension(LocalAddress(local.ip())));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    // What goes wrong on a connection is between hyper and the client.
    tokio::select! {
        ended = connection.as_mut() => drop(ended),
        () = wait_for_stop(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            drop(connection.await);
        }
    }
    drop(permit);
}
