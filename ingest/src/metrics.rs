//! Every metric of the service; the doc comment is the help text.
//!
//! Labels come from closed sets (routes, statuses, event types, reasons), never from what a client sent.

use std::time::Duration;

use ::metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use qamtu_schemas::Kind;

use crate::rejection::{Reason, Warning};

macro_rules! metrics {
    ($($(#[doc = $help:literal])* $describe:ident $name:ident = $text:literal;)*) => {
        $($(#[doc = $help])* pub const $name: &str = $text;)*

        /// Gives every metric its help text.
        pub fn describe() {
            $($describe!($name, concat!($($help),*).trim());)*
        }

        /// Every metric by name.
        pub const ALL: &[&str] = &[$($name),*];
    };
}

metrics! {
    /// Requests answered, by route and status.
    describe_counter REQUESTS = "qamtu_ingest_requests_total";
    /// Time from the head of a request to its answer, by route.
    describe_histogram REQUEST_SECONDS = "qamtu_ingest_request_seconds";
    /// Requests being worked on.
    describe_gauge REQUESTS_RUNNING = "qamtu_ingest_requests_running";
    /// Events that stand durably in the log and were acknowledged, by type.
    describe_counter EVENTS_ACCEPTED = "qamtu_ingest_events_accepted_total";
    /// Events that were sent again with the same body.
    describe_counter EVENTS_DUPLICATE = "qamtu_ingest_events_duplicate_total";
    /// Submissions and requests refused, by reason.
    describe_counter REFUSED = "qamtu_ingest_refused_total";
    /// Warnings given with accepted events, by code.
    describe_counter WARNINGS = "qamtu_ingest_warnings_total";
    /// Time for the log to acknowledge an append, successful or not.
    describe_histogram APPEND_SECONDS = "qamtu_ingest_append_seconds";
    /// Appends that the log did not acknowledge.
    describe_counter APPEND_FAILURES = "qamtu_ingest_append_failures_total";
    /// Records of the log read back into the register.
    describe_counter RECORDS_READ = "qamtu_ingest_records_read_total";
    /// Records that the log removed before the register read them: an id among them would be accepted again.
    describe_counter RECORDS_LOST = "qamtu_ingest_records_lost_total";
    /// Events being appended, or appended and not in the register's file yet.
    describe_gauge EVENTS_UNFOLDED = "qamtu_ingest_events_unfolded";
    /// Connections closed to make room for those of other clients.
    describe_counter CONNECTIONS_CLOSED = "qamtu_ingest_connections_closed_total";
    /// Requests given up while their body was coming, because other clients waited.
    describe_counter PERMITS_REVOKED = "qamtu_ingest_permits_revoked_total";
    /// Times that the register was built again because its file had failed.
    describe_counter REGISTER_REBUILDS = "qamtu_ingest_register_rebuilds_total";
    /// Panics caught while a request was worked on.
    describe_counter PANICS = "qamtu_ingest_panics_total";
}

/// A request was answered.
pub fn request(route: &str, status: u16, time: Duration) {
    counter!(REQUESTS, "route" => route.to_owned(), "status" => status.to_string()).increment(1);
    histogram!(REQUEST_SECONDS, "route" => route.to_owned()).record(time.as_secs_f64());
}

/// A request that is being worked on, until it is dropped.
pub struct RequestRunning(());

impl RequestRunning {
    /// Counts it.
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

/// Events of one type were acknowledged.
pub fn events_accepted(kind: Kind, events: u64) {
    counter!(EVENTS_ACCEPTED, "type" => kind.name()).increment(events);
}

/// Events were sent again.
pub fn events_duplicate(events: u64) {
    counter!(EVENTS_DUPLICATE).increment(events);
}

/// Something was refused.
pub fn refused(reason: Reason) {
    counter!(REFUSED, "reason" => reason.code()).increment(1);
}

/// A warning was given.
pub fn warning(warning: Warning) {
    counter!(WARNINGS, "code" => warning.code()).increment(1);
}

/// An append was settled.
pub fn append(time: Duration, succeeded: bool) {
    histogram!(APPEND_SECONDS).record(time.as_secs_f64());
    counter!(APPEND_FAILURES).increment(u64::from(!succeeded));
}

/// Records were read back.
pub fn records_read(records: usize) {
    counter!(RECORDS_READ).increment(records as u64);
}

/// So many records were removed by the log before they were read.
pub fn records_lost(records: u64) {
    counter!(RECORDS_LOST).increment(records);
}

/// So many events are not folded.
pub fn events_unfolded(events: usize) {
    gauge!(EVENTS_UNFOLDED).set(events as f64);
}

/// A connection had to make room.
pub fn connection_closed() {
    counter!(CONNECTIONS_CLOSED).increment(1);
}

/// A request lost its permit to another client.
pub fn permit_revoked() {
    counter!(PERMITS_REVOKED).increment(1);
}

/// The register is built again.
pub fn register_rebuild() {
    counter!(REGISTER_REBUILDS).increment(1);
}

/// A panic was caught.
pub fn panicked() {
    counter!(PANICS).increment(1);
}
