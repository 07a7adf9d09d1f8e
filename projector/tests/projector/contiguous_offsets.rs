//! The contiguous offset of a partition on a real ClickHouse: it stops at missing rows and passes offsets that the log skipped.

use qamtu_log::{Partition, Record};
use qamtu_projector::warehouse::LogCopyState;

use crate::{
    events::{campaign, raw, records},
    fixture::{LogKind, ProjectorFixture, batch, run},
};

#[test]
fn the_contiguous_offset_stops_at_the_first_missing_row() {
    run(async {
        let fixture = ProjectorFixture::new(LogKind::Embedded).unwrap();
        let warehouse = fixture.warehouse().await;
        let events = campaign(1, 100);
        let partition = Partition::new("events", 0);
        let records = records(&partition, &events);
        let contiguous_offsets = || fixture.query("SELECT partition, contiguous_offset FROM v_contiguous_offsets ORDER BY partition");
        assert_eq!(contiguous_offsets().await, "");
        warehouse.write(&batch(&records[..40]).seal()).await.unwrap();
        warehouse.write(&batch(&records[50..]).seal()).await.unwrap();
        assert_eq!(contiguous_offsets().await, "0\t40\n");
        warehouse.write(&batch(&records[30..45]).seal()).await.unwrap();
        assert_eq!(contiguous_offsets().await, "0\t45\n");
        warehouse.write(&batch(&records[45..50]).seal()).await.unwrap();
        assert_eq!(contiguous_offsets().await, "0\t100\n");
        fixture.query("DELETE FROM log WHERE offset IN (7, 8, 20)").await;
        assert_eq!(contiguous_offsets().await, "0\t7\n");
        let state = warehouse.log_copy_states(&[partition.clone(), Partition::new("roll", 2)]).await.unwrap();
        let empty = LogCopyState { partition: Partition::new("roll", 2), missing: Vec::new(), end: 0 };
        assert_eq!(state, [LogCopyState { partition: partition.clone(), missing: vec![7..9, 20..21], end: 100 }, empty]);
        // Rows may be missing at the start too.
        fixture.query("DELETE FROM log WHERE offset < 10").await;
        assert_eq!(contiguous_offsets().await, "0\t0\n");
        assert_eq!(warehouse.log_copy_states(&[partition]).await.unwrap()[0].missing, [0..10, 20..21]);
    });
}

#[test]
fn the_contiguous_offset_passes_offsets_that_the_log_skipped() {
    run(async {
        let fixture = ProjectorFixture::new(LogKind::Embedded).unwrap();
        let warehouse = fixture.warehouse().await;
        let partition = Partition::new("events", 0);
        let at = |offset, skipped| Record { skipped, ..raw(&partition, offset, Vec::new(), None) };
        let write = async |records: &[Record]| warehouse.write(&batch(records).seal()).await.unwrap();
        let state = async || warehouse.log_copy_states(std::slice::from_ref(&partition)).await.unwrap().remove(0);
        write(&[at(5, 5), at(6, 0), at(9, 2)]).await;
        assert_eq!(state().await, LogCopyState { partition: partition.clone(), missing: Vec::new(), end: 10 });
        // A missing row next to skipped offsets.
        write(&[at(14, 2), at(15, 0)]).await;
        assert_eq!(state().await, LogCopyState { partition: partition.clone(), missing: vec![10..12], end: 16 });
        assert_eq!(fixture.query("SELECT contiguous_offset, end_offset FROM v_contiguous_offsets").await, "10\t16\n");
        // The log has compacted one of the missing records since: the row after it covers both offsets.
        write(&[at(11, 1)]).await;
        assert_eq!(state().await.contiguous_offset(), 16);
        // A `skipped` that also covers offsets with existing rows hides no other missing row.
        write(&[at(15, 6), at(18, 1)]).await;
        assert_eq!(state().await, LogCopyState { partition: partition.clone(), missing: vec![16..17], end: 19 });
        assert_eq!(fixture.query("SELECT contiguous_offset FROM v_contiguous_offsets").await, "16\n");
    });
}
