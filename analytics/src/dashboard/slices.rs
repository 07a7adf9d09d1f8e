//! `GET /v1/campaigns/{campaign}/slices`: any slice of the facts that the shown snapshot was computed from, for programs.
//!
//! Guarantees: the rows pass [`crate::slice_disclosure`] for the reader. Slices are computed one at a time, even for clients that have gone, so
//! that a burst of requests can use neither all memory nor all processors; a request that has waited too long gets 503. A fault in the query
//! gets 400 and says what to write instead.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension,
    extract::{Path, Query, Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use qamtu_service::telemetry::error_chain;
use tokio::sync::Semaphore;

use super::{DashboardState, problem::Problem, slice_errors::explain};
use crate::{
    access::Reader,
    cell::Threshold,
    error::AnalyticsError,
    facts_store::FactsStore,
    locale::Language,
    published::Published,
    slice_disclosure::{published_lines, slice_threshold},
    slice_output::{SliceDocument, SliceFormat, SliceOutput, SliceSource},
    slice_query::InvalidSlice,
    slice_request::SliceRequest,
    translations::Translations,
};

/// How long a request waits for those before it.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// Lets one slice be computed at a time.
static PERMITS: Semaphore = Semaphore::const_new(1);

/// Why there is no slice.
enum SliceError {
    /// The service serves another campaign.
    OtherCampaign,
    /// The query string has a parameter that there is not.
    Parameter(String),
    /// There is no such `format`.
    Format(String),
    Invalid(InvalidSlice),
    /// The facts are not read yet.
    NotReady,
    /// Other requests took too long.
    Busy,
    /// The reader sees no figures.
    Forbidden,
    Internal(AnalyticsError),
}

impl From<AnalyticsError> for SliceError {
    fn from(error: AnalyticsError) -> Self {
        match error {
            AnalyticsError::InvalidSlice(invalid) => Self::Invalid(invalid),
            other => Self::Internal(other),
        }
    }
}

/// Parameters of the query string; `where` may be repeated.
#[derive(Debug, Default)]
struct Parameters {
    by: String,
    filters: Vec<String>,
    measures: String,
    format: SliceFormat,
}

impl Parameters {
    fn parse(pairs: Vec<(String, String)>) -> Result<Self, SliceError> {
        let mut parameters = Self::default();
        let mut named: Vec<String> = Vec::new();
        for (name, value) in pairs {
            if name != "where" && named.contains(&name) {
                return Err(SliceError::Invalid(InvalidSlice::Repeated(name)));
            }
            named.push(name.clone());
            match name.as_str() {
                "by" => parameters.by = value,
                "where" => parameters.filters.push(value),
                "measures" => parameters.measures = value,
                "format" => {
                    parameters.format = match value.as_str() {
                        "json" => SliceFormat::Json,
                        "csv" => SliceFormat::Csv,
                        "xlsx" => SliceFormat::Xlsx,
                        "parquet" => SliceFormat::Parquet,
                        _ => return Err(SliceError::Format(value)),
                    }
                }
                _ => return Err(SliceError::Parameter(name)),
            }
        }
        Ok(parameters)
    }
}

/// The figures of any set of meetings and people.
///
/// Numbers of meetings and voters are exact, by any dimensions and filters. `gross`, `contacts`, `reached` and shares of them are figures of people:
/// they are shown by up to three dimensions, filters included, of which each filter names one value with `=`. Counts below the threshold of the
/// reader's role are withheld, and so is what would disclose them; the others are rounded down.
#[utoipa::path(
    get,
    path = "/v1/campaigns/{campaign}/slices",
    operation_id = "slice",
    params(
        ("campaign" = String, Path, description = "Id of the campaign."),
        ("by" = Option<String>, Query, description = "Up to two dimensions, separated by a comma."),
        ("where" = Option<Vec<String>>, Query, description = "A filter such as `unit=SAI,TRK` or `day>=2026-02-20`; may be repeated, and all must hold."),
        ("measures" = Option<String>, Query, description = "Measures, separated by commas."),
        ("format" = Option<String>, Query, description = "`json`, `csv`, `xlsx` or `parquet`."),
    ),
    responses((status = 200, description = "The rows of the slice, totals last", content(
        (SliceDocument = "application/json"), (String = "text/csv"),
        (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), (Vec<u8> = "application/vnd.apache.parquet"),
    ))),
)]
pub(super) async fn slices(
    State(service): State<Arc<DashboardState>>,
    Extension(reader): Extension<Reader>,
    Path(campaign): Path<String>,
    request: Request,
) -> Response {
    let language =
        request.headers().get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).map_or(Language::En, Language::accepted);
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(request.uri()).map(|query| query.0).unwrap_or_default();
    match respond(&service, reader, &campaign, pairs).await {
        Ok(response) => response,
        Err(error) => problem(error, &service, Translations::of(language)).into_response(),
    }
}

async fn respond(service: &DashboardState, reader: Reader, campaign: &str, pairs: Vec<(String, String)>) -> Result<Response, SliceError> {
    if campaign != service.campaign().as_str() {
        return Err(SliceError::OtherCampaign);
    }
    let Parameters { by, filters, measures, format } = Parameters::parse(pairs)?;
    let request = SliceRequest::parse_for_reader(&by, &filters, &measures).map_err(SliceError::Invalid)?;
    let (snapshot, facts) = service.snapshot_and_facts().ok_or(SliceError::NotReady)?;
    let published = Published::new(&snapshot, &Reader::of_region(reader.role)).ok_or(SliceError::NotReady)?;
    let Ok(Ok(permit)) = tokio::time::timeout(MAX_WAIT, PERMITS.acquire()).await else { return Err(SliceError::Busy) };
    let work = move || {
        // The computation goes on when its client goes, so it keeps the permit.
        let _permit = permit;
        body(&facts, &request, &reader, published.is_complete(), format)
    };
    let body = tokio::task::spawn_blocking(work).await.map_err(|error| SliceError::Internal(AnalyticsError::TaskFailed(error)))??;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()))], body).into_response())
}

fn body(
    facts: &FactsStore,
    request: &SliceRequest,
    reader: &Reader,
    is_complete: bool,
    format: SliceFormat,
) -> Result<Vec<u8>, SliceError> {
    let lines = published_lines(facts, request, reader, is_complete)?.ok_or(SliceError::Forbidden)?;
    let selection = &facts.facts().selection;
    let source = SliceSource {
        campaign: selection.campaign.clone(),
        synthetic: facts.is_synthetic(),
        as_of: selection.as_of,
        filters: request.query.filters.clone(),
        rounded_to: Threshold::of(reader).map(|threshold| slice_threshold(threshold).people()),
    };
    let mut body = Vec::new();
    let output = SliceOutput { by: &request.query.by, lines: &lines, measures: &request.measures, source: &source };
    let write = |source| SliceError::Internal(AnalyticsError::Write { path: "response".into(), source });
    output.write(format, &mut body).map_err(write).map(|()| body)
}

fn problem(error: SliceError, service: &DashboardState, translations: &Translations) -> Problem {
    let of = |code: &str, status, title: &'static str, detail: String| Problem::new(code, status, translations.message(title), detail);
    match error {
        SliceError::OtherCampaign => {
            let detail = translations.message_with("slice-other-campaign", &[("campaign", service.campaign().as_str().into())]);
            of("not-found", StatusCode::NOT_FOUND, "error-not-found-title", detail)
        }
        SliceError::Parameter(name) => {
            let detail = translations.message_with("slice-parameter", &[("value", name.into())]);
            of("invalid-slice", StatusCode::BAD_REQUEST, "slice-invalid-title", detail)
        }
        SliceError::Format(value) => {
            let detail = translations.message_with("slice-format", &[("value", value.into())]);
            of("invalid-slice", StatusCode::BAD_REQUEST, "slice-invalid-title", detail)
        }
        SliceError::Invalid(invalid @ InvalidSlice::UnknownScope(_)) => {
            of("reader-scope", StatusCode::SERVICE_UNAVAILABLE, "slice-invalid-title", explain(&invalid, translations))
        }
        SliceError::Invalid(invalid) => {
            of("invalid-slice", StatusCode::BAD_REQUEST, "slice-invalid-title", explain(&invalid, translations))
        }
        SliceError::NotReady => {
            of("not-ready", StatusCode::SERVICE_UNAVAILABLE, "error-unavailable-title", translations.message("slice-not-ready"))
        }
        SliceError::Busy => of("busy", StatusCode::SERVICE_UNAVAILABLE, "slice-busy-title", translations.message("slice-busy")),
        SliceError::Forbidden => of("forbidden", StatusCode::FORBIDDEN, "error-forbidden-title", translations.message("error-forbidden")),
        SliceError::Internal(error) => {
            tracing::error!(error = error_chain(&error), "a slice cannot be computed");
            of("internal", StatusCode::INTERNAL_SERVER_ERROR, "error-internal-title", translations.message("error-internal"))
        }
    }
}
