//! Every metric of the projector: its name, its help text (the doc comment), and the one function that updates it.
//!
//! Names end in their unit or in `_total`; label values come from closed sets (tables, reasons, kinds of failure, partitions).

use std::time::{SystemTime, UNIX_EPOCH};

use metrics::{counter, gauge, histogram};
use qamtu_log::Partition;

use crate::{
    batch::{Batch, Insert},
    decode_result::InvalidReason,
    rows::Table,
};

qamtu_service::metrics! {
    /// Records of a partition that are in the log and not yet in the tables; NaN while unknown.
    describe_gauge LAG = "qamtu_projector_lag_records";
    /// Records of which every row, the log copy included, is acknowledged.
    describe_counter RECORDS = "qamtu_projector_records_total";
    /// Records that are not valid events, by reason.
    describe_counter REJECTED = "qamtu_projector_rejected_total";
    /// Rows acknowledged, by table.
    describe_counter ROWS = "qamtu_projector_rows_total";
    /// Inserts acknowledged, by table.
    describe_counter INSERTS = "qamtu_projector_inserts_total";
    /// Batches acknowledged.
    describe_counter BATCHES = "qamtu_projector_batches_total";
    /// Requests to the warehouse that failed and were retried, by kind of failure.
    describe_counter RETRIES = "qamtu_projector_retries_total";
    /// Bytes of rows buffered in memory.
    describe_gauge BUFFERED_BYTES = "qamtu_projector_buffered_bytes";
    /// Offsets at which the log itself has no record: transaction markers, compaction.
    describe_counter SKIPPED = "qamtu_projector_skipped_offsets_total";
    /// Records with missing rows in the log copy or the fact tables, at the last check.
    describe_gauge MISSING = "qamtu_projector_missing_records";
    /// Records that were written again because rows of them were missing.
    describe_counter REPAIRED = "qamtu_projector_repaired_records_total";
    /// Records of a partition that the log removed before they were written.
    describe_gauge LOST = "qamtu_projector_lost_records";
    /// Unix time at which the last check for missing rows ended.
    describe_gauge VERIFIED = "qamtu_projector_verified_timestamp_seconds";
    /// Time from the append of a batch's oldest record to the acknowledgement of the batch.
    describe_histogram VISIBLE = "qamtu_projector_visible_seconds";
}

/// Counts a rejected record.
pub fn rejected(reason: InvalidReason) {
    counter!(REJECTED, "reason" => reason.label()).increment(1);
}

/// Counts an acknowledged insert and its rows.
pub fn inserted(insert: &Insert) {
    counter!(ROWS, "table" => insert.table.name()).increment(insert.rows as u64);
    counter!(INSERTS, "table" => insert.table.name()).increment(1);
}

/// Counts an acknowledged batch and observes its latency.
pub fn written(batch: &Batch) {
    counter!(BATCHES).increment(1);
    counter!(RECORDS).increment(batch.records());
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let visible_after_ms = i128::try_from(now_ms).unwrap_or(0) - i128::from(batch.appended_ms);
    // The clock of the log may be ahead, so the difference may be negative.
    histogram!(VISIBLE).record(visible_after_ms.max(0) as f64 / 1000.0);
}

/// Counts a failed request that will be retried.
pub fn retried(kind: &'static str) {
    counter!(RETRIES, "kind" => kind).increment(1);
}

/// Sets the bytes of buffered rows.
pub fn buffered_bytes(bytes: usize) {
    gauge!(BUFFERED_BYTES).set(bytes as f64);
}

/// Sets the number of records of a partition that are not written yet.
pub fn lag(partition: &Partition, records: u64) {
    gauge!(LAG, "partition" => partition.to_string()).set(records as f64);
}

/// Sets the lag to NaN: it is unknown, or the partition belongs to another process.
pub fn lag_unknown(partition: &Partition) {
    gauge!(LAG, "partition" => partition.to_string()).set(f64::NAN);
}

/// Counts offsets at which the log has no record.
pub fn skipped(offsets: u64) {
    counter!(SKIPPED).increment(offsets);
}

/// Which rows are missing; value of the label `rows`.
#[derive(Debug, Clone, Copy)]
pub enum RowKind {
    /// Rows of the log copy.
    Log,
    /// Rows of the fact tables.
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

/// Sets the number of records with missing rows.
pub fn missing(kind: RowKind, records: u64) {
    gauge!(MISSING, "rows" => kind.label()).set(records as f64);
}

/// Counts records that are written again.
pub fn repaired(kind: RowKind, records: u64) {
    counter!(REPAIRED, "rows" => kind.label()).increment(records);
}

/// Sets the number of records that the log removed before they were read.
pub fn lost(partition: &Partition, records: u64) {
    gauge!(LOST, "partition" => partition.to_string()).set(records as f64);
}

/// Sets the time of the last completed check.
pub fn verified() {
    gauge!(VERIFIED).set(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64()));
}

/// Creates the counters with value 0, so that rates are defined from the start.
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
