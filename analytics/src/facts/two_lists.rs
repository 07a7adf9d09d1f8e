//! Counts the people of meetings that were recorded twice: on a sheet, and without one, as a check-in at the door does.

use clickhouse::Row;
use qamtu_schemas::{Topic, id::MeetingId};
use serde::Deserialize;

use super::warehouse_reader::WarehouseReader;
use crate::{error::AnalyticsError, snapshot_identity::Selection};

/// People of one meeting who are known by a national id, each counted once on a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListSizes {
    /// Id of the meeting.
    pub meeting: MeetingId,
    /// People who were recorded from a line of a sheet.
    pub on_sheet: u64,
    /// People who were recorded without a sheet.
    pub checked_in: u64,
    /// People on both lists.
    pub on_both: u64,
}

#[derive(Row, Deserialize)]
struct SizesRow {
    meeting: String,
    on_sheet: u64,
    checked_in: u64,
    on_both: u64,
}

impl WarehouseReader {
    /// The meetings that have attendances with and without a sheet, in the order of their ids. Only their people are counted, by the server.
    pub(crate) async fn two_lists(&self, selection: &Selection) -> Result<Vec<ListSizes>, AnalyticsError> {
        let reversed = self.reversed_imports(selection).await?;
        let counts = format!("{} AND {} AND strength = 1", selection.admits(Topic::Events), selection.attendance_counts(&reversed));
        let with_both = format!(
            "SELECT meeting_id FROM v_attendance_events WHERE {} GROUP BY meeting_id HAVING countIf(empty(sheet)) > 0 AND countIf(notEmpty(sheet)) > 0",
            selection.of_campaign()
        );
        let people = format!(
            "SELECT meeting_id, max(notEmpty(sheet)) AS sheet_line, max(empty(sheet)) AS without_sheet FROM v_attendance_events \
             WHERE {counts} AND meeting_id IN ({with_both}) GROUP BY meeting_id, person_hi, person_lo"
        );
        let sql = format!(
            "SELECT toString(meeting_id) AS meeting, toUInt64(countIf(sheet_line)) AS on_sheet, toUInt64(countIf(without_sheet)) AS checked_in, \
             toUInt64(countIf(sheet_line AND without_sheet)) AS on_both FROM ({people}) GROUP BY meeting_id \
             HAVING on_sheet > 0 AND checked_in > 0 ORDER BY meeting"
        );
        let rows: Vec<SizesRow> = self.rows("the meetings that were recorded twice", &sql).await?;
        let sizes = |SizesRow { meeting, on_sheet, checked_in, on_both }| match meeting.parse() {
            Ok(meeting) => Ok(ListSizes { meeting, on_sheet, checked_in, on_both }),
            Err(_) => Err(AnalyticsError::Value { view: "v_attendance_events", value: meeting, expected: "meeting" }),
        };
        rows.into_iter().map(sizes).collect()
    }
}
