//! Every metric of the projector: its name, what it means, and the one function that sets it.
//!
//! Names end in their unit or in `_total`; labels come from closed sets (tables, reasons, kinds of failure, partitions).

use std::time::{SystemTime, UNIX_EPOCH};

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use qamtu_log::Partition;

use crate::{
    batch::{Batch, Insert},
    decode_result::InvalidReason,
    rows::Table,
};

const LAG: &str = "qamtu_projector_lag_records";
const RECORDS: &str = "qamtu_projector_records_total";
const REJECTED: &str = "qamtu_projector_rejected_total";
const ROWS: &str = "qamtu_projector_rows_total";
const INSERTS: &str = "qamtu_projector_inserts_total";
const BATCHES: &str = "qamtu_projector_batches_total";
const RETRIES: &str = "qamtu_projector_retries_total";
const HELD: &str = "qamtu_projector_held_bytes";
const SKIPPED: &str = "qamtu_projector_skipped_offsets_total";
const MISSING: &str = "qamtu_projector_missing_records";
const REPAIRED: &str = "qamtu_projector_repaired_records_total";
const LOST: &str = "qamtu_projector_lost_records";
const VERIFIED: &str = "qamtu_projector_verified_timestamp_seconds";
const VISIBLE: &str = "qamtu_projector_visible_seconds";

/// Every name, for the dashboards' test.
pub const NAMES: [&str; 14] =
    [LAG, RECORDS, REJECTED, ROWS, INSERTS, BATCHES, RETRIES, HELD, SKIPPED, MISSING, REPAIRED, LOST, VERIFIED, VISIBLE];

/// Upper bounds of the histogram's buckets, in seconds.
pub const BUCKETS: [f64; 12] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 300.0];

/// Tells the exporter what each name means.
pub fn describe() {
    describe_gauge!(
        LAG,
        Unit::Count,
        "Records of a partition that stand in the log and not yet in the tables; NaN while the log does not say."
    );
    describe_counter!(RECORDS, Unit::Count, "Records of which every row, the receipt included, is acknowledged.");
    describe_counter!(REJECTED, Unit::Count, "Records that are no events, by reason.");
    describe_counter!(ROWS, Unit::Count, "Rows acknowledged, by table.");
    describe_counter!(INSERTS, Unit::Count, "Inserts acknowledged, by table.");
    describe_counter!(BATCHES, Unit::Count, "Batches acknowledged.");
    describe_counter!(RETRIES, Unit::Count, "Requests to the warehouse that failed and were repeated, by kind of failure.");
    describe_gauge!(HELD, Unit::Bytes, "Bytes of rows held in memory.");
    describe_counter!(SKIPPED, Unit::Count, "Offsets at which the log itself holds no record: transaction markers, compaction.");
    describe_gauge!(MISSING, Unit::Count, "Records of which the last check found rows missing, in the log copy or in the facts.");
    describe_counter!(REPAIRED, Unit::Count, "Records that were written again since rows of them were missing.");
    describe_gauge!(LOST, Unit::Count, "Records of a partition that the log removed before they were written.");
    describe_gauge!(VERIFIED, Unit::Seconds, "When the last check for missing rows ended, in seconds since 1970.");
    describe_histogram!(VISIBLE, Unit::Seconds, "Time of a batch's oldest record from the log to the receipt.");
}

/// A record was rejected.
pub fn rejected(reason: InvalidReason) {
    counter!(REJECTED, "reason" => reason.label()).increment(1);
}

/// An insert was acknowledged.
pub fn inserted(insert: &Insert) {
    counter!(ROWS, "table" => insert.table.name()).increment(insert.rows as u64);
    counter!(INSERTS, "table" => insert.table.name()).increment(1);
}

/// A batch was acknowledged.
pub fn written(batch: &Batch) {
    counter!(BATCHES).increment(1);
    counter!(RECORDS).increment(batch.records());
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let visible_after_ms = i128::try_from(now_ms).unwrap_or(0) - i128::from(batch.appended_ms);
    // The log's clock may be ahead of ours.
    histogram!(VISIBLE).record(visible_after_ms.max(0) as f64 / 1000.0);
}

/// A request failed and will be repeated.
pub fn retried(kind: &'static str) {
    counter!(RETRIES, "kind" => kind).increment(1);
}

/// Bytes of rows held.
pub fn held(bytes: usize) {
    gauge!(HELD).set(bytes as f64);
}

/// Records of a partition that are not written yet.
pub fn lag(partition: &Partition, records: u64) {
    gauge!(LAG, "partition" => partition.to_string()).set(records as f64);
}

/// Nobody knows how many records of a partition are not written yet, or it belongs to another process now.
pub fn lag_unknown(partition: &Partition) {
    gauge!(LAG, "partition" => partition.to_string()).set(f64::NAN);
}

/// The log holds no record at so many offsets.
pub fn skipped(offsets: u64) {
    counter!(SKIPPED).increment(offsets);
}

/// Where rows are missing.
#[derive(Debug, Clone, Copy)]
pub enum RowKind {
    /// In the log copy.
    Log,
    /// In the facts.
    Facts,
}

impl RowKind {
    const fn label(self) -> &'static str {
        match self {
            RowKind::Log => "log",
            RowKind::Facts => "facts",
        }
    }
}

/// So many records lack rows.
pub fn missing(kind: RowKind, records: u64) {
    gauge!(MISSING, "rows" => kind.label()).set(records as f64);
}

/// So many records are written again.
pub fn repaired(kind: RowKind, records: u64) {
    counter!(REPAIRED, "rows" => kind.label()).increment(records);
}

/// So many records of a partition can be had nowhere.
pub fn lost(partition: &Partition, records: u64) {
    gauge!(LOST, "partition" => partition.to_string()).set(records as f64);
}

/// A check has ended.
pub fn verified() {
    gauge!(VERIFIED).set(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64()));
}

/// Sets what is counted to zero, so that a rate has a beginning.
pub fn initialize() {
    for table in Table::ALL {
        counter!(ROWS, "table" => table.name()).absolute(0);
    }
    for kind in [RowKind::Log, RowKind::Facts] {
        missing(kind, 0);
        counter!(REPAIRED, "rows" => kind.label()).absolute(0);
    }
    counter!(SKIPPED).absolute(0);
    counter!(RECORDS).absolute(0);
    counter!(BATCHES).absolute(0);
}
