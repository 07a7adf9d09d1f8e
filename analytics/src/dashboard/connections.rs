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

use super::hosts::Local;

/// Open connections of one listener.
const CONNECTIONS: usize = 256;

/// How long the head of a request may take, and how long a connection may wait for its next request.
const HEAD: Duration = Duration::from_secs(5);

/// How long open connections may finish their work once the service ends.
const GRACE: Duration = Duration::from_secs(10);

/// Serves until `stop` says so.
pub(super) async fn serve(listener: TcpListener, router: Router, mut stop: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stopped(&mut stop) => break,
            // Those that ended are forgotten.
            Some(_) = connections.join_next() => None,
            accepted = accept(&listener, &places) => accepted,
        };
        if let Some((stream, place)) = accepted {
            connections.spawn(answer(stream, place, router.clone(), stop.clone()));
        }
    }
    drop(listener);
    let finished = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, finished).await.is_err() {
        tracing::warn!("connections were still open at the end and are cut off");
    }
}

/// An error means that the sender is gone, which is a stop too.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// The next connection and its place among the open ones.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, place)),
        Err(error) => {
            tracing::warn!(%error, "a connection could not be taken");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

/// Answers the requests of a connection, which has its place as long as it is open.
async fn answer(stream: TcpStream, place: OwnedSemaphorePermit, router: Router, mut stop: watch::Receiver<bool>) {
    // A connection that has ended already has no address.
    let Ok(local) = stream.local_addr() else { return };
    let router = router.layer(Extension(Local(local.ip())));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD);
    let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    // What goes wrong on a connection is between hyper and the client.
    tokio::select! {
        ended = connection.as_mut() => drop(ended),
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            drop(connection.await);
        }
    }
    drop(place);
}
