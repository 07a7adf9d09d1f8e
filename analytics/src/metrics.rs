//! Every metric of this service, in one place.

use std::{sync::LazyLock, time::Duration};

use axum::http::StatusCode;
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use crate::coverage::Snapshot;

/// Served requests, by class of status (`2xx`).
pub const REQUESTS: &str = "qamtu_analytics_requests_total";
/// Time from request to response.
pub const REQUEST_SECONDS: &str = "qamtu_analytics_request_seconds";
/// Calculations, by outcome (`done`, `failed`).
pub const COMPUTED: &str = "qamtu_analytics_computed_total";
/// The as-of instant of the snapshot that is shown, in seconds since 1970.
pub const SHOWN_AS_OF: &str = "qamtu_analytics_shown_as_of_seconds";
/// Whether the last query to the warehouse succeeded: 1 or 0.
pub const WAREHOUSE: &str = "qamtu_analytics_warehouse_answers";

/// Whether newer records are held back since they would disclose small counts: 1 or 0.
pub const HELD_BACK: &str = "qamtu_analytics_held_back";

/// None if another recorder was installed first.
static RECORDER: LazyLock<Option<PrometheusHandle>> = LazyLock::new(|| {
    let recorder = PrometheusBuilder::new().install_recorder().ok();
    describe_counter!(REQUESTS, "Requests answered, by class of status");
    describe_histogram!(REQUEST_SECONDS, "Time from request to answer");
    describe_counter!(COMPUTED, "Calculations, by outcome");
    describe_gauge!(SHOWN_AS_OF, "The as-of instant of the snapshot that is shown, in seconds since 1970");
    describe_gauge!(WAREHOUSE, "Whether the warehouse answered last time");
    describe_gauge!(HELD_BACK, "Whether newer records are held back since they would tell about few people");
    recorder
});

/// Installs the recorder; metrics recorded before are lost.
pub fn start() {
    LazyLock::force(&RECORDER);
}

/// All metrics in the Prometheus text format.
pub fn render() -> String {
    RECORDER.as_ref().map(PrometheusHandle::render).unwrap_or_default()
}

/// Counts and times a served request.
pub fn request_served(status: StatusCode, took: Duration) {
    let class = match status.as_u16() / 100 {
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    };
    counter!(REQUESTS, "status" => class).increment(1);
    histogram!(REQUEST_SECONDS).record(took);
}

/// Counts a calculation by its outcome.
pub fn calculation_ended(done: bool) {
    counter!(COMPUTED, "outcome" => if done { "done" } else { "failed" }).increment(1);
}

/// Records the as-of instant of the snapshot that is shown.
pub fn snapshot_shown(snapshot: &Snapshot) {
    gauge!(SHOWN_AS_OF).set(snapshot.coverage.identity.as_of.as_second() as f64);
}

/// Records whether newer records are held back.
pub fn held_back(is: bool) {
    gauge!(HELD_BACK).set(if is { 1.0 } else { 0.0 });
}

/// Records whether the last query to the warehouse succeeded.
pub fn warehouse_answers(answers: bool) {
    gauge!(WAREHOUSE).set(if answers { 1.0 } else { 0.0 });
}
