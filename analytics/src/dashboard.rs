//! The page over HTTP: router, middleware and listeners.
//!
//! Guarantees: the router is built from the matrix of [`crate::access`]. Every response, errors included, has the same security headers. A
//! panic in a handler becomes an error page. Only GET and HEAD are served, and only for requests to an allowed host
//! ([`qamtu_service::hosts`]). The listener for readers has the configured reader; the internal listener has the operator, who alone may
//! read metrics.

mod assets;
mod charts;
mod download;
mod error_page;
mod handlers;
mod headers;
mod openapi;
pub mod page;
mod problem;
mod refresh;
mod service;
mod slice_errors;
mod slices;
mod tables;

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Extension, Router, extract::Request, middleware, response::Response, routing::get};
use hyper_util::service::TowerToHyperService;
use jiff::Timestamp;
use qamtu_schemas::id::CampaignId;
use qamtu_service::{
    hosts::AllowedHosts,
    http::{self, ConnectionLimits},
};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    access::{MATRIX, Reader, RouteRule},
    compute::FactsSource,
    config::Config,
    error::AnalyticsError,
    release_control::release_latest,
    snapshot_store::SnapshotStore,
};
pub use error_page::ErrorPage;
use refresh::RefreshLoop;
pub use service::{DashboardState, RefreshStatus};

/// Limits of each listener. An idle connection waits for its next request as long as for the head of one.
const CONNECTION_LIMITS: ConnectionLimits = ConnectionLimits { connections: 256, head_timeout: Duration::from_secs(5) };

/// Time for open connections to finish at shutdown.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

/// Addresses of the listeners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// Address of the listener for readers.
    pub people: SocketAddr,
    /// Address of the internal listener.
    pub internal: Option<SocketAddr>,
}

/// Serves a campaign until `shutdown`; calls `listening` once the listeners are bound.
pub async fn serve(
    config: &Config,
    campaign: CampaignId,
    listening: impl FnOnce(Addresses) -> Result<(), AnalyticsError>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), AnalyticsError> {
    let mut snapshots = SnapshotStore::open(&config.analytics.dir)?;
    let reader = Reader::from(&config.reader);
    let latest = snapshots.latest(&campaign, Timestamp::now())?;
    let shown = release_latest(&mut snapshots, reader.role, latest)?;
    let service = Arc::new(DashboardState::with_snapshot(campaign, SnapshotStore::open(&config.analytics.dir)?, shown));
    let people = bind(config.serve.listen).await?;
    let internal = match config.serve.metrics {
        Some(metrics) => Some(bind(metrics).await?),
        None => None,
    };
    listening(Addresses { people: address(&people)?, internal: internal.as_ref().map(address).transpose()? })?;
    let refresh = RefreshLoop { service: service.clone(), source: FactsSource::new(config), snapshots, role: reader.role };
    let refresh = tokio::spawn(refresh.run());
    let (stop, listeners) = (CancellationToken::new(), TaskTracker::new());
    let listen = |listener, reader| {
        let router = with_host_check(router(service.clone(), reader), config.serve.hosts.clone());
        listeners.spawn(http::serve(listener, TowerToHyperService::new(router), CONNECTION_LIMITS, stop.clone()));
    };
    listen(people, reader);
    internal.into_iter().for_each(|listener| listen(listener, Reader::operator()));
    shutdown.await;
    service.drain();
    stop.cancel();
    listeners.close();
    if tokio::time::timeout(SHUTDOWN_TIMEOUT, listeners.wait()).await.is_err() {
        tracing::warn!("connections were still open after the shutdown timeout and are closed");
    }
    refresh.abort();
    Ok(())
}

async fn bind(address: SocketAddr) -> Result<TcpListener, AnalyticsError> {
    TcpListener::bind(address).await.map_err(|source| AnalyticsError::Listen { address, source })
}

fn address(listener: &TcpListener) -> Result<SocketAddr, AnalyticsError> {
    listener.local_addr().map_err(AnalyticsError::Serve)
}

/// The routes of the matrix for one reader. Middleware from the outside in: security headers, panics, metrics, authorization.
pub fn router(service: Arc<DashboardState>, reader: Reader) -> Router {
    let router = MATRIX.iter().fold(Router::new(), |router, row| {
        let authorization = middleware::from_fn_with_state((*row, reader.clone()), authorize);
        router.route(row.path, get(handlers::of(row.route)).layer(authorization))
    });
    router
        .fallback(|request: Request| async move { ErrorPage::NotFound.response(&request) })
        .method_not_allowed_fallback(|request: Request| async move { ErrorPage::Method.response(&request) })
        .layer(Extension(reader))
        .with_state(service)
        .layer(middleware::from_fn(headers::record_request))
        .layer(middleware::from_fn(headers::catch_panics))
        .layer(middleware::map_response(headers::add_security_headers))
}

/// Adds the host check to a router.
fn with_host_check(router: Router, hosts: AllowedHosts) -> Router {
    router.layer(middleware::from_fn_with_state(hosts, headers::check_host)).layer(middleware::map_response(headers::add_security_headers))
}

/// Responds 403 unless the route's rule lists the reader's role.
async fn authorize(
    axum::extract::State((row, reader)): axum::extract::State<(RouteRule, Reader)>,
    request: Request,
    next: middleware::Next,
) -> Response {
    if row.roles.contains(&reader.role) { next.run(request).await } else { ErrorPage::Forbidden.response(&request) }
}
