//! Every metric of the service; the doc comment is the help text.
//!
//! Label values come from closed sets (routes, statuses, event types, problem codes), never from a request.

use std::time::Duration;

use ::metrics::{counter, gauge, histogram};
use qamtu_schemas::Kind;

use crate::rejection::{ProblemCode, Warning};

qamtu_service::metrics! {
    /// Responses, by route and status.
    describe_counter REQUESTS = "qamtu_ingest_requests_total";
    /// Time from the head of a request to its response, by route.
    describe_histogram REQUEST_SECONDS = "qamtu_ingest_request_seconds";
    /// Requests in progress.
    describe_gauge REQUESTS_RUNNING = "qamtu_ingest_requests_running";
    /// Accepted events, durable in the log, by type.
    describe_counter EVENTS_ACCEPTED = "qamtu_ingest_events_accepted_total";
    /// Events that were sent again with the same body.
    describe_counter EVENTS_DUPLICATE = "qamtu_ingest_events_duplicate_total";
    /// Refused submissions and requests, by problem code (label reason).
    describe_counter REFUSED = "qamtu_ingest_refused_total";
    /// Warnings about accepted events, by code.
    describe_counter WARNINGS = "qamtu_ingest_warnings_total";
    /// Time for the log to acknowledge an append, successful or not.
    describe_histogram APPEND_SECONDS = "qamtu_ingest_append_seconds";
    /// Appends that the log did not acknowledge.
    describe_counter APPEND_FAILURES = "qamtu_ingest_append_failures_total";
    /// Log records read back into the register.
    describe_counter RECORDS_READ = "qamtu_ingest_records_read_total";
    /// Log records removed before the register read them: their ids would be accepted again.
    describe_counter RECORDS_LOST = "qamtu_ingest_records_lost_total";
    /// Events being appended, or appended and not in the register's file yet.
    describe_gauge EVENTS_UNWRITTEN = "qamtu_ingest_events_unwritten";
    /// Permits revoked of requests with an incomplete body, while other clients waited.
    describe_counter PERMITS_REVOKED = "qamtu_ingest_permits_revoked_total";
    /// Rebuilds of the register after its file failed.
    describe_counter REGISTER_REBUILDS = "qamtu_ingest_register_rebuilds_total";
    /// Panics caught in requests.
    describe_counter PANICS = "qamtu_ingest_panics_total";
}

/// Records a response and the duration of its request.
pub fn request(route: &str, status: u16, time: Duration) {
    counter!(REQUESTS, "route" => route.to_owned(), "status" => status.to_string()).increment(1);
    histogram!(REQUEST_SECONDS, "route" => route.to_owned()).record(time.as_secs_f64());
}

/// Counts a request as running until it is dropped.
pub struct RequestRunning(());

impl RequestRunning {
    /// Increments the number of running requests.
    pub fn begin() -> Self {
        gauge!(REQUESTS_RUNNING).increment(1.0);
        Self(())
    }
}

impl Drop for RequestRunning {
    fn drop(&mut self) {
        gauge!(REQUESTS_RUNNING).decrement(1.0);
    }
}

/// Records acknowledged events of one type.
pub fn events_accepted(kind: Kind, events: u64) {
    counter!(EVENTS_ACCEPTED, "type" => kind.name()).increment(events);
}

/// Records duplicates, events that were sent again.
pub fn events_duplicate(events: u64) {
    counter!(EVENTS_DUPLICATE).increment(events);
}

/// Records a refused submission or request.
pub fn refused(code: ProblemCode) {
    counter!(REFUSED, "reason" => code.as_str()).increment(1);
}

/// Records a warning about an accepted event.
pub fn warning(warning: Warning) {
    counter!(WARNINGS, "code" => warning.code()).increment(1);
}

/// Records the duration and result of an append.
pub fn append(time: Duration, succeeded: bool) {
    histogram!(APPEND_SECONDS).record(time.as_secs_f64());
    counter!(APPEND_FAILURES).increment(u64::from(!succeeded));
}

/// Records how many log records were read back.
pub fn records_read(records: usize) {
    counter!(RECORDS_READ).increment(records as u64);
}

/// Records how many log records were removed before they were read.
pub fn records_lost(records: u64) {
    counter!(RECORDS_LOST).increment(records);
}

/// Sets the number of unwritten events.
pub fn events_unwritten(events: usize) {
    gauge!(EVENTS_UNWRITTEN).set(events as f64);
}

/// Records a permit that was revoked.
pub fn permit_revoked() {
    counter!(PERMITS_REVOKED).increment(1);
}

/// Records a rebuild after a failure of the register's file.
pub fn register_rebuild() {
    counter!(REGISTER_REBUILDS).increment(1);
}

/// Records a panic in a request.
pub fn panicked() {
    counter!(PANICS).increment(1);
}
