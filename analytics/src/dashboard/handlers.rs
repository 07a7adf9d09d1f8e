//! One handler per route; none of them decides who may ask.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Path, Query, Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use serde::Deserialize;

use super::{Service, Trouble, assets, download, page, page::Sorting, refusal::Refusal};
use crate::{
    access::{Reader, Route},
    locale::Language,
    metrics,
    published::Published,
    statement::Statement,
};

/// What answers a route.
pub(super) fn of(route: Route) -> MethodRouter<Arc<Service>> {
    match route {
        Route::Entry => get(entry),
        Route::Page => get(show),
        Route::Csv => get(csv),
        Route::Report => get(report),
        Route::Asset => get(asset),
        Route::Live => get(live),
        Route::Ready => get(ready),
        Route::Metrics => get(measured),
    }
}

/// To the page in the best language that the browser accepts.
async fn entry(request: Request) -> Response {
    let accepted = request.headers().get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let to = format!("/{}", Language::accepted(accepted));
    let headers = [(header::LOCATION, to), (header::VARY, "accept-language".to_owned())];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// The query of the page; what it does not know it ignores.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    #[serde(default)]
    sort: String,
    #[serde(default)]
    order: String,
}

async fn show(State(service): State<Arc<Service>>, Extension(reader): Extension<Reader>, request: Request) -> Response {
    let Some(language) = Language::of(request.uri().path().trim_matches('/')) else { return Refusal::NotFound.answer(&request) };
    let asked = Query::<Asked>::try_from_uri(request.uri()).map(|asked| asked.0).unwrap_or_default();
    let sorting = Sorting { column: asked.sort, descending: asked.order == "desc" };
    let trouble = service.trouble();
    match published(&service, &reader) {
        Some(published) => page::page(&Statement::new(&published, language), &sorting, &trouble).into_response(),
        None => {
            let status = if trouble == Trouble::None { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            (status, page::empty(language, service.campaign(), &trouble)).into_response()
        }
    }
}

async fn csv(State(service): State<Arc<Service>>, Extension(reader): Extension<Reader>, request: Request) -> Response {
    let Some(published) = published(&service, &reader) else { return Refusal::Unavailable.answer(&request) };
    let wanted = Query::<download::Wanted>::try_from_uri(request.uri()).map(|wanted| wanted.0).unwrap_or_default();
    match download::csv(&published, wanted.dialect()) {
        Ok(bytes) => {
            let name = format!("attachment; filename=\"coverage-{}.csv\"", published.identity.campaign);
            let kind = HeaderValue::from_static("text/csv; charset=utf-8; header=present");
            file(bytes, kind, &name)
        }
        Err(error) => {
            tracing::error!("figures cannot be written as CSV: {:#}", anyhow::Error::from(error));
            Refusal::Internal.answer(&request)
        }
    }
}

async fn report(State(service): State<Arc<Service>>, Extension(reader): Extension<Reader>, request: Request) -> Response {
    let name = request.uri().path().trim_start_matches("/report/");
    let Some(language) = name.strip_suffix(".pdf").and_then(Language::of) else { return Refusal::NotFound.answer(&request) };
    let Some(published) = published(&service, &reader) else { return Refusal::Unavailable.answer(&request) };
    let name = format!("inline; filename=\"qamtu-{}-{language}.pdf\"", published.identity.campaign);
    match service.report(published, language).await {
        Ok(bytes) => file(bytes, HeaderValue::from_static("application/pdf"), &name),
        Err(error) => {
            tracing::error!(%language, "the report cannot be set: {:#}", anyhow::Error::from(error));
            Refusal::Internal.answer(&request)
        }
    }
}

fn published(service: &Service, reader: &Reader) -> Option<Published> {
    service.shown().and_then(|snapshot| Published::new(&snapshot, reader))
}

fn file(bytes: impl IntoResponse, kind: HeaderValue, disposition: &str) -> Response {
    let mut response = bytes.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    // Campaign ids are ASCII words, so the header is always valid.
    if let Ok(disposition) = HeaderValue::from_str(disposition) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    }
    response
}

async fn asset(Path(name): Path<String>, request: Request) -> Response {
    assets::asset(&name).unwrap_or_else(|| Refusal::NotFound.answer(&request))
}

async fn live() -> &'static str {
    "live\n"
}

async fn ready(State(service): State<Arc<Service>>) -> Response {
    match service.not_ready() {
        None => "ready\n".into_response(),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
    }
}

async fn measured() -> Response {
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    file(metrics::written(), kind, "inline")
}
