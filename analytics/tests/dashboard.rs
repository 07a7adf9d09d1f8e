//! The dashboard over HTTP: who may read what, what the page, the map and the file say, and headers of every response.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::type_complexity,
    reason = "what helps a test fails with it, and tables of cases are plain"
)]

#[path = "dashboard/access.rs"]
mod access;
#[path = "dashboard/campaigns.rs"]
mod campaigns;
#[path = "sample/cases.rs"]
mod cases;
#[path = "dashboard/file.rs"]
mod file;
#[path = "dashboard/map.rs"]
mod map;
#[path = "dashboard/page.rs"]
mod page;
#[path = "sample/sample.rs"]
mod sample;
#[path = "dashboard/snapshots.rs"]
mod snapshots;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    http::{Method, Request, StatusCode},
};
use http_body_util::BodyExt;
use qamtu_analytics::{
    SnapshotStore,
    access::Reader,
    dashboard::{DashboardState, router},
};
use serde_json::Value;
use tower::ServiceExt;

/// The router of a stored coverage, with its directory.
fn page_of(coverage: Option<Value>, reader: Reader) -> Router {
    let folder = tempfile::tempdir().unwrap();
    if let Some(coverage) = coverage {
        sample::stored(folder.path(), coverage);
    }
    let snapshots = SnapshotStore::open(folder.path()).unwrap();
    let service = DashboardState::new("turkistan-2026".parse().unwrap(), snapshots).unwrap();
    router(Arc::new(service), reader).layer(axum::Extension(Arc::new(folder)))
}

struct TestResponse {
    status: StatusCode,
    headers: Vec<(String, String)>,
    body: String,
}

async fn request(page: &Router, method: Method, address: &str, language: &str) -> TestResponse {
    let request = Request::builder().method(method).uri(address).header("accept-language", language).body(Body::empty()).unwrap();
    let response = page.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let mut headers: Vec<(String, String)> =
        response.headers().iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    headers.sort();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    TestResponse { status, headers, body: String::from_utf8_lossy(&body).into_owned() }
}

async fn get(page: &Router, address: &str) -> TestResponse {
    request(page, Method::GET, address, "en").await
}

/// The visible text of a page, one line per text node.
fn text(html: &str) -> String {
    let body = html.split_once("<body>").map_or(html, |(_, body)| body);
    let lines = body.split('<').filter_map(|piece| piece.split_once('>')).map(|(_, text)| text.trim()).filter(|text| !text.is_empty());
    let text = lines.collect::<Vec<_>>().join("\n");
    text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// Codes of the units in the order of the table.
fn unit_codes(html: &str) -> Vec<&str> {
    html.split("id=\"unit-").skip(1).filter_map(|rest| rest.split_once('"')).map(|(code, _)| code).collect()
}
