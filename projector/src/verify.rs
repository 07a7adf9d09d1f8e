//! Verify: finds what the warehouse has lost, while it runs, and writes it again.
//!
//! Records that the log copy lacks are read from the log again; that is for the pipeline. Facts that are missing below their receipt
//! are written here, from the event that stands in the log copy, so they need no log that still has it. What is found missing is
//! logged with its offsets and counted.
//! Cost: two reads of a few columns of every table (see `v_watermark` and `v_missing_facts`); [`pause`] bounds their share of the time.
//! What it does not find: values that were changed in place.

use std::{
    collections::BTreeMap,
    ops::Range,
    time::{Duration, Instant},
};

use qamtu_log::{NextOffset, Partition, Record};
use qamtu_schemas::decode::decode_structured;

use crate::{
    batch::OpenBatch,
    config::Limits,
    decode_result::DecodeResult,
    metrics::{self, RowKind},
    projection::project,
    rows::Table,
    warehouse::{LogCopyState, StoredEvent, Warehouse, WarehouseError},
};

/// Records whose facts are written again before the next look. Their bodies are fetched in portions, since one may have a megabyte.
const FACTS_MAX: usize = 50_000;
const BODIES_PER_QUERY: usize = 50;
/// Most ranges of a partition that are shown in a line of the log.
const RANGES_SHOWN: usize = 20;
/// Pauses between two checks are as many times longer than a check takes.
const PAUSE_FACTOR: u32 = 20;

/// How long to wait for the next check.
pub fn pause(min_interval: Duration, took: Duration) -> Duration {
    min_interval.max(took * PAUSE_FACTOR)
}

/// Looks at partitions that are written up to these offsets and writes missing facts. What the log copy lacks is returned.
pub async fn verify(warehouse: &Warehouse, watermarks: &[NextOffset], limits: &Limits) -> Result<Vec<LogCopyState>, WarehouseError> {
    let partitions: Vec<_> = watermarks.iter().map(|next| next.partition.clone()).collect();
    let mut incomplete = Vec::new();
    let mut records = 0;
    for mut state in warehouse.log_copy_states(&partitions).await? {
        let below = offset_of(watermarks, &state.partition);
        // The last rows may be gone, too, which is no gap.
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
    rewrite_facts(warehouse, watermarks, limits).await?;
    metrics::verified();
    Ok(incomplete)
}

/// Ranges of offsets as they are shown in the log.
pub fn format_ranges(ranges: &[Range<u64>]) -> String {
    let shown: Vec<_> = ranges.iter().take(RANGES_SHOWN).map(|range| format!("{}..{}", range.start, range.end)).collect();
    let more = if ranges.len() > RANGES_SHOWN { ", ..." } else { "" };
    format!("{}{more}", shown.join(", "))
}

fn offset_of(watermarks: &[NextOffset], partition: &Partition) -> u64 {
    watermarks.iter().find(|next| next.partition == *partition).map_or(0, |next| next.offset)
}

/// Writes missing facts until none are found, or the same ones again.
async fn rewrite_facts(warehouse: &Warehouse, watermarks: &[NextOffset], limits: &Limits) -> Result<(), WarehouseError> {
    let mut before = BTreeMap::new();
    loop {
        let mut missing: BTreeMap<Partition, Vec<u64>> = BTreeMap::new();
        for (partition, offset) in warehouse.missing_facts(FACTS_MAX).await? {
            // Above are rows that were written while this was being asked, and partitions of other processes.
            if offset < offset_of(watermarks, &partition) {
                missing.entry(partition).or_default().push(offset);
            }
        }
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

/// Writes the facts of these records of a partition, from the log copy.
async fn rewrite(warehouse: &Warehouse, partition: &Partition, offsets: &[u64], limits: &Limits) -> Result<u64, WarehouseError> {
    let mut batch: Option<OpenBatch> = None;
    let mut written = 0;
    for chunk in offsets.chunks(BODIES_PER_QUERY) {
        for StoredEvent { offset, appended_ms, body } in warehouse.stored_events(partition, chunk).await? {
            let Ok(event) = decode_structured(body.as_bytes()) else {
                tracing::error!(%partition, offset, "the event in the log copy does not decode; its facts stay missing");
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
                warehouse.write(&full.seal()).await?;
            }
        }
    }
    if let Some(batch) = batch {
        warehouse.write(&batch.seal()).await?;
    }
    Ok(written)
}

/// Offsets in order as ranges.
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
    fn a_check_that_takes_long_comes_less_often() {
        let minute = Duration::from_secs(60);
        assert_eq!(pause(minute, Duration::from_secs(1)), minute);
        assert_eq!(pause(minute, Duration::from_secs(12)), Duration::from_secs(240));
    }

    #[test]
    fn offsets_are_named_as_ranges() {
        assert_eq!(format_ranges(&ranges(&[3, 4, 5, 9])), "3..6, 9..10");
        let many: Vec<_> = (0..100).map(|n| n * 2).collect();
        assert!(format_ranges(&ranges(&many)).ends_with("38..39, ..."));
    }
}
