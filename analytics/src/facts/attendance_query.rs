//! Streams attendance, which is not stored in memory.

use qamtu_schemas::Topic;

use super::{stated_residence, stream::ArrowBatches, warehouse_reader::WarehouseReader};
use crate::{error::AnalyticsError, snapshot_identity::Selection};

impl WarehouseReader {
    /// Streams the attendance events of a selection to `work`, meeting by meeting, on a blocking thread. The column `is_counted` is 0 for
    /// attendances that were taken back. The column `stated_residence` ([`StatedResidence`](super::StatedResidence)) is present only if
    /// `with_residence`: it costs a string per row.
    pub async fn attendance<T: Send + 'static>(
        &self,
        selection: &Selection,
        with_residence: bool,
        work: impl FnOnce(ArrowBatches) -> Result<T, AnalyticsError> + Send + 'static,
    ) -> Result<T, AnalyticsError> {
        let residence = if with_residence { format!(", {} AS stated_residence", stated_residence::sql()) } else { String::new() };
        let sql = format!(
            "SELECT toString(meeting_id) AS meeting, toUInt64(person_hi) AS hi, toUInt64(person_lo) AS lo, toUInt8(strength) AS strength, \
             {} AS is_counted{residence} FROM v_attendance_events WHERE {} ORDER BY meeting_id",
            selection.attendance_counts(),
            selection.admits(Topic::Events)
        );
        self.stream("attendance", &sql, work).await
    }
}
