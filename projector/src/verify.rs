//! Verification: finds rows that the warehouse has lost while the projector runs, and writes them again.
//!
//! Missing log copy rows are returned to the pipeline, which reads their records from the log again. Facts that are missing although
//! their log copy row exists are rewritten here from that row, so the log need not have the record any more. Missing rows are logged with
//! their offsets and counted.
//! Cost: two reads of a few columns of every table (see `v_contiguous_offsets` and `v_missing_facts`); [`pause`] limits their share of the time.
//! Changed values are not detected.

use std::{
    collections::BTreeMap,
    ops::Range,
    time::{Duration, Instant},
};

use qamtu_log::{NextOffset, Partition, Record};
use qamtu_schemas::decode::decode_structured;

use crate::{
    batch::OpenBatch,
    config::BatchLimits,
    decode_result::DecodeResult,
    metrics::{self, RowKind},
    projection::project,
    rows::Table,
    warehouse::{ClickhouseError, LogCopyState, StoredEvent, WarehouseConnection},
};

/// Maximum records whose facts are written again between two queries for missing facts.
const FACTS_MAX: usize = 50_000;
/// Bodies fetched with one query; a body may have a megabyte.
const BODIES_PER_QUERY: usize = 50;
/// Maximum ranges of a partition in one log message.
const RANGES_SHOWN: usize = 20;
/// A pause lasts at least this many times as long as the check before it.
const PAUSE_FACTOR: u32 = 20;

/// Time to wait before the next check; `took` is the duration of the last one.
pub fn pause(min_interval: Duration, took: Duration) -> Duration {
    min_interval.max(took * PAUSE_FACTOR)
}

/// Checks partitions below these offsets, rewrites missing facts, and returns the partitions whose log copy has missing rows.
pub async fn verify(
    warehouse: &WarehouseConnection,
    contiguous_offsets: &[NextOffset],
    limits: &BatchLimits,
) -> Result<Vec<LogCopyState>, ClickhouseError> {
    let partitions: Vec<_> = contiguous_offsets.iter().map(|next| next.partition.clone()).collect();
    let mut incomplete = Vec::new();
    let mut records = 0;
    for mut state in warehouse.log_copy_states(&partitions).await? {
        let below = offset_of(contiguous_offsets, &state.partition);
        // The view does not know rows that are missing at the end.
        if state.end < below {
            state.missing.push(state.end..below);
            state.end = below;
        }
        state.missing.retain(|range| range.start < below);
        if !state.missing.is_empty() {
            records += state.missing.iter().map(|range| range.end - range.start).sum::<u64>();
            incomplete.push(state);
        }
    }
    metrics::missing(RowKind::Log, records);
    rewrite_facts(warehouse, contiguous_offsets, limits).await?;
    metrics::verified();
    Ok(incomplete)
}

/// Formats ranges of offsets for a log message.
pub fn format_ranges(ranges: &[Range<u64>]) -> String {
    let shown: Vec<_> = ranges.iter().take(RANGES_SHOWN).map(|range| format!("{}..{}", range.start, range.end)).collect();
    let more = if ranges.len() > RANGES_SHOWN { ", ..." } else { "" };
    format!("{}{more}", shown.join(", "))
}

fn offset_of(contiguous_offsets: &[NextOffset], partition: &Partition) -> u64 {
    contiguous_offsets.iter().find(|next| next.partition == *partition).map_or(0, |next| next.offset)
}

/// Rewrites missing facts until none are missing, or the same ones are missing again.
async fn rewrite_facts(
    warehouse: &WarehouseConnection,
    contiguous_offsets: &[NextOffset],
    limits: &BatchLimits,
) -> Result<(), ClickhouseError> {
    let mut before = BTreeMap::new();
    loop {
        let mut missing = warehouse.missing_facts(FACTS_MAX).await?;
        missing.retain(|partition, offsets| {
            // Higher offsets were written during the query, or belong to other processes.
            let below = offset_of(contiguous_offsets, partition);
            offsets.retain(|offset| *offset < below);
            !offsets.is_empty()
        });
        metrics::missing(RowKind::Facts, missing.values().map(|offsets| offsets.len() as u64).sum());
        if missing.is_empty() || missing == before {
            return Ok(());
        }
        for (partition, offsets) in &missing {
            let ranges = ranges(offsets);
            tracing::error!(%partition, records = offsets.len(), offsets = format_ranges(&ranges), "rows of facts are missing; writing them again");
            let written = rewrite(warehouse, partition, offsets, limits).await?;
            metrics::repaired(RowKind::Facts, written);
        }
        before = missing;
    }
}

/// Rewrites the facts of these records from the log copy; returns the number of records.
async fn rewrite(
    warehouse: &WarehouseConnection,
    partition: &Partition,
    offsets: &[u64],
    limits: &BatchLimits,
) -> Result<u64, ClickhouseError> {
    let mut batch: Option<OpenBatch> = None;
    let mut written = 0;
    for chunk in offsets.chunks(BODIES_PER_QUERY) {
        for StoredEvent { offset, appended_ms, body } in warehouse.stored_events(partition, chunk).await? {
            let Ok(event) = decode_structured(body.as_bytes()) else {
                tracing::error!(%partition, offset, "the event in the log copy cannot be decoded; its facts stay missing");
                continue;
            };
            let record =
                Record { partition: partition.clone(), offset, skipped: 0, appended_ms, key: None, headers: Vec::new(), value: None };
            let decoded = DecodeResult::Event { event: Box::new(event), body };
            let mut rows = project(&record, &decoded);
            rows.retain(|row| row.table() != Table::Log);
            let open = batch.get_or_insert_with(|| OpenBatch::new(&record, Instant::now()));
            open.add(&record, &rows);
            written += 1;
            if let Some(full) = batch.take_if(|batch| batch.is_full(limits)) {
                warehouse.repair(&full.seal()).await?;
            }
        }
    }
    if let Some(batch) = batch {
        warehouse.repair(&batch.seal()).await?;
    }
    Ok(written)
}

/// Combines sorted offsets to ranges.
fn ranges(offsets: &[u64]) -> Vec<Range<u64>> {
    let mut ranges: Vec<Range<u64>> = Vec::new();
    for offset in offsets {
        match ranges.last_mut() {
            Some(last) if last.end == *offset => last.end += 1,
            _ => ranges.push(*offset..offset + 1),
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_check_runs_less_often() {
        let minute = Duration::from_secs(60);
        assert_eq!(pause(minute, Duration::from_secs(1)), minute);
        assert_eq!(pause(minute, Duration::from_secs(12)), Duration::from_secs(240));
    }

    #[test]
    fn offsets_are_formatted_as_ranges() {
        assert_eq!(format_ranges(&ranges(&[3, 4, 5, 9])), "3..6, 9..10");
        let many: Vec<_> = (0..100).map(|n| n * 2).collect();
        assert!(format_ranges(&ranges(&many)).ends_with("38..39, ..."));
    }
}
