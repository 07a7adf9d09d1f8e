//! A handler per route. Authorization happens before.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Path, Query, Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use qamtu_service::telemetry::{self, error_chain};
use serde::Deserialize;

use super::{DashboardState, RefreshStatus, assets, download, error_page::ErrorPage, openapi, page, slices, tables::Sorting};
use crate::{
    access::{Reader, Route},
    locale::Language,
    published::Published,
    statement::Statement,
};

/// The handler of a route.
pub(super) fn of(route: Route) -> MethodRouter<Arc<DashboardState>> {
    match route {
        Route::Entry => get(entry),
        Route::Page => get(show_page),
        Route::Csv => get(csv),
        Route::Report => get(report),
        Route::Slices => get(slices::slices),
        Route::OpenApi => get(openapi::description),
        Route::Asset => get(asset),
        Route::Live => get(live),
        Route::Ready => get(ready),
        Route::Metrics => get(show_metrics),
    }
}

/// Redirects to the page in the language that the browser prefers.
async fn entry(request: Request) -> Response {
    let accepted = request.headers().get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let to = format!("/{}", Language::accepted(accepted));
    let headers = [(header::LOCATION, to), (header::VARY, "accept-language".to_owned())];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// Query parameters of the page; unknown ones are ignored.
#[derive(Debug, Default, Deserialize)]
struct PageQuery {
    #[serde(default)]
    sort: String,
    #[serde(default)]
    order: String,
}

async fn show_page(State(service): State<Arc<DashboardState>>, Extension(reader): Extension<Reader>, request: Request) -> Response {
    let Some(language) = Language::of(request.uri().path().trim_matches('/')) else { return ErrorPage::NotFound.response(&request) };
    let query = Query::<PageQuery>::try_from_uri(request.uri()).map(|query| query.0).unwrap_or_default();
    let sorting = Sorting { column: query.sort, descending: query.order == "desc" };
    let status = service.status();
    match published(&service, &reader) {
        Some(published) => page::page(&Statement::new(&published, language), &sorting, &status).into_response(),
        None => {
            let code = if status == RefreshStatus::UpToDate { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            (code, page::empty(language, service.campaign(), &status)).into_response()
        }
    }
}

async fn csv(State(service): State<Arc<DashboardState>>, Extension(reader): Extension<Reader>, request: Request) -> Response {
    let Some(published) = published(&service, &reader) else { return ErrorPage::Unavailable.response(&request) };
    let query = Query::<download::CsvQuery>::try_from_uri(request.uri()).map(|query| query.0).unwrap_or_default();
    match download::csv(&published, query.dialect()) {
        Ok(bytes) => {
            let name = format!("attachment; filename=\"coverage-{}.csv\"", published.identity.campaign);
            let kind = HeaderValue::from_static("text/csv; charset=utf-8; header=present");
            file(bytes, kind, &name)
        }
        Err(error) => {
            tracing::error!(error = error_chain(&error), "figures cannot be written as CSV");
            ErrorPage::Internal.response(&request)
        }
    }
}

async fn report(State(service): State<Arc<DashboardState>>, Extension(reader): Extension<Reader>, request: Request) -> Response {
    let name = request.uri().path().trim_start_matches("/report/");
    let Some(language) = name.strip_suffix(".pdf").and_then(Language::of) else { return ErrorPage::NotFound.response(&request) };
    let Some(published) = published(&service, &reader) else { return ErrorPage::Unavailable.response(&request) };
    let name = format!("inline; filename=\"qamtu-{}-{language}.pdf\"", published.identity.campaign);
    match service.report(published, language).await {
        Ok(bytes) => file(bytes, HeaderValue::from_static("application/pdf"), &name),
        Err(error) => {
            tracing::error!(%language, error = error_chain(&error), "the report cannot be typeset");
            ErrorPage::Internal.response(&request)
        }
    }
}

fn published(service: &DashboardState, reader: &Reader) -> Option<Published> {
    service.snapshot().and_then(|snapshot| Published::new(&snapshot, reader))
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
    assets::asset(&name).unwrap_or_else(|| ErrorPage::NotFound.response(&request))
}

async fn live() -> &'static str {
    "live\n"
}

async fn ready(State(service): State<Arc<DashboardState>>) -> Response {
    match service.not_ready() {
        None => "ready\n".into_response(),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
    }
}

async fn show_metrics() -> Response {
    file(telemetry::render_metrics(), HeaderValue::from_static(telemetry::METRICS_MEDIA_TYPE), "inline")
}
