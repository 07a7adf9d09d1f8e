//! Every metric of this service; the doc comment is the help text.

use std::time::Duration;

use axum::http::StatusCode;
use metrics::{counter, gauge, histogram};

use crate::coverage::Snapshot;

qamtu_service::metrics! {
    /// Served requests, by class of status (`2xx`).
    describe_counter REQUESTS = "qamtu_analytics_requests_total";
    /// Time from request to response.
    describe_histogram REQUEST_SECONDS = "qamtu_analytics_request_seconds";
    /// Calculations, by outcome (`done`, `failed`).
    describe_counter COMPUTED = "qamtu_analytics_computed_total";
    /// The as-of instant of the snapshot that is shown, in seconds since 1970.
    describe_gauge SHOWN_AS_OF = "qamtu_analytics_shown_as_of_seconds";
    /// Whether the last query to the warehouse succeeded: 1 or 0.
    describe_gauge WAREHOUSE = "qamtu_analytics_warehouse_answers";
    /// Whether newer records are held back since they would disclose small counts: 1 or 0.
    describe_gauge HELD_BACK = "qamtu_analytics_held_back";
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
