//! Streams attendance, which is not stored in memory.

use std::collections::BTreeSet;

use qamtu_schemas::{
    Topic,
    id::{ImportId, MeetingId},
};

use super::{stated_residence, stream::ArrowBatches, warehouse_reader::WarehouseReader};
use crate::{error::AnalyticsError, snapshot_identity::Selection};

impl WarehouseReader {
    /// Streams the attendance events of a selection to `work`, in the order of meeting ids, on a blocking thread: those of `meetings`, or all
    /// of them. `reversed` are those of the selection. The column `is_counted` is 0 for attendances that were taken back. The
    /// column `stated_residence` ([`StatedResidence`](super::StatedResidence)) is present only if
    /// `with_residence`: it costs a string per row.
    pub async fn attendance<T: Send + 'static>(
        &self,
        selection: &Selection,
        meetings: Option<&BTreeSet<MeetingId>>,
        reversed: &BTreeSet<ImportId>,
        with_residence: bool,
        work: impl FnOnce(ArrowBatches) -> Result<T, AnalyticsError> + Send + 'static,
    ) -> Result<T, AnalyticsError> {
        let residence = if with_residence { format!(", {} AS stated_residence", stated_residence::sql()) } else { String::new() };
        let of_meetings = meetings.map_or_else(String::new, |meetings| {
            let ids: Vec<String> = meetings.iter().map(|id| format!("'{id}'")).collect();
            format!(" AND meeting_id IN ({})", ids.join(", "))
        });
        let sql = format!(
            "SELECT toString(meeting_id) AS meeting, toUInt64(person_hi) AS hi, toUInt64(person_lo) AS lo, toUInt8(strength) AS strength, \
             {} AS is_counted{residence} FROM v_attendance_events WHERE {}{of_meetings} ORDER BY meeting_id",
            selection.attendance_counts(reversed),
            selection.admits(Topic::Events)
        );
        self.stream("attendance", &sql, work).await
    }
}
