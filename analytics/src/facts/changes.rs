//! What changed between two selections: the meetings whose attendance must be read again.
//!
//! Guarantees: the attendance of every other meeting is the same in both selections, as long as log, roll and audiences are. A withdrawal of
//! consent changes the meetings of its person, the reversal of an import those of its records. Rows that the warehouse lost and got again
//! are no change of the log, so they are not found.

use std::collections::BTreeSet;

use clickhouse::Row;
use qamtu_schemas::{
    Topic,
    id::{ImportId, MeetingId},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::warehouse_reader::WarehouseReader;
use crate::{
    error::AnalyticsError,
    snapshot_identity::{Offset, Selection},
};

/// More changed meetings than this are not read one by one: reading everything costs about as much, and a query may have 256 KiB.
const MAX_CHANGED: usize = 2_000;

/// A record at the end of a partition.
#[derive(Debug, Clone, PartialEq, Eq, Row, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LastRecord {
    partition: u32,
    offset: u64,
    appended_ms: i64,
    received_us: i64,
}

/// The last record of each partition of events below the offsets of a selection. Logs that were filled differently have different ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LogEnd(Vec<LastRecord>);

impl LogEnd {
    /// Whether nothing is known of the log.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[derive(Row, Deserialize)]
struct ChangeRow {
    meeting: String,
    kind: u8,
}

#[derive(Row, Deserialize)]
struct ImportRow {
    #[serde(with = "clickhouse::serde::uuid")]
    import: Uuid,
}

#[derive(Row, Deserialize)]
struct MeetingRow {
    meeting: String,
}

/// [`ChangeRow::kind`] of a consent or reversal: it concerns meetings that it does not name.
const OF_OTHER_MEETINGS: u8 = 1;

/// [`ChangeRow::kind`] of a consent or reversal that was received by the earlier as-of instant: it may replace a body that counted.
const MAY_REPLACE: u8 = 2;

impl WarehouseReader {
    /// The last records below the offsets of each selection, as the log copy has them now.
    pub(crate) async fn log_ends<const N: usize>(&self, selections: [&Selection; N]) -> Result<[LogEnd; N], AnalyticsError> {
        let ends = selections.map(Selection::last_offsets).join(" OR ");
        let sql = format!(
            "SELECT toUInt32(v_records.partition) AS partition, toUInt64(v_records.offset) AS offset, \
             toUnixTimestamp64Milli(appended) AS appended_ms, toUnixTimestamp64Micro(received) AS received_us \
             FROM v_records WHERE topic = 'events' AND ({ends}) ORDER BY partition, appended_ms, received_us"
        );
        let rows: Vec<LastRecord> = self.rows("the end of the log copy", &sql).await?;
        let is_last = |row: &LastRecord, offset: &Offset| {
            offset.topic == Topic::Events.name() && offset.partition == row.partition && offset.next == row.offset + 1
        };
        let end = |selection: &Selection| {
            rows.iter().filter(|row| selection.offsets.iter().any(|offset| is_last(row, offset))).cloned().collect()
        };
        Ok(selections.map(|selection| LogEnd(end(selection))))
    }

    /// The meetings whose attendance may differ between two selections, `until` having all records of `since`. None if that may be any
    /// meeting, or too many.
    pub(crate) async fn changed_meetings(
        &self,
        since: &Selection,
        until: &Selection,
    ) -> Result<Option<BTreeSet<MeetingId>>, AnalyticsError> {
        let indirect = "type LIKE 'qamtu.consent.%' OR type LIKE 'qamtu.import.reversed.%'";
        let records = |condition: String| {
            format!(
                "SELECT meeting_id AS meeting, toUInt8(multiIf(NOT ({indirect}), 0, {}, {MAY_REPLACE}, {OF_OTHER_MEETINGS})) AS kind \
                 FROM v_records WHERE topic = 'events' AND {} AND {condition}",
                since.not_after_as_of("received"),
                until.admits(Topic::Events)
            )
        };
        let sql = format!(
            "SELECT DISTINCT toString(meeting) AS meeting, kind FROM ({} UNION ALL {}) LIMIT {}",
            records(until.offsets_from(since)),
            // Admitted late, because a clock was ahead.
            records(format!("{} AND NOT ({})", since.below_offsets(Topic::Events), since.not_after_as_of("received"))),
            MAX_CHANGED + 1
        );
        let rows: Vec<ChangeRow> = self.rows("the records since the facts store was saved", &sql).await?;
        if rows.len() > MAX_CHANGED || rows.iter().any(|row| row.kind == MAY_REPLACE) {
            return Ok(None);
        }
        let mut changed: Vec<String> = Vec::new();
        if rows.iter().any(|row| row.kind == OF_OTHER_MEETINGS) {
            changed.extend(self.indirectly_changed(since, until).await?);
        }
        changed.extend(rows.into_iter().map(|row| row.meeting).filter(|meeting| !meeting.is_empty()));
        if changed.len() > MAX_CHANGED {
            return Ok(None);
        }
        let parse = |id: String| id.parse().map_err(|_| AnalyticsError::Value { view: "v_records", value: id, expected: "meeting" });
        changed.into_iter().map(parse).collect::<Result<_, _>>().map(Some)
    }

    /// The imports that were reversed.
    pub(crate) async fn reversed_imports(&self, selection: &Selection) -> Result<BTreeSet<ImportId>, AnalyticsError> {
        let sql = format!("SELECT DISTINCT import FROM v_reversed_imports WHERE {}", selection.admits(Topic::Events));
        let rows: Vec<ImportRow> = self.rows("the reversed imports", &sql).await?;
        Ok(rows.into_iter().map(|row| ImportId(row.import)).collect())
    }

    /// Meetings of people whose consent changed, and of imports that were reversed.
    async fn indirectly_changed(&self, since: &Selection, until: &Selection) -> Result<Vec<String>, AnalyticsError> {
        let campaign = until.of_campaign();
        let is_new = format!("{} AND NOT ({})", until.admits(Topic::Events), since.admits(Topic::Events));
        let reversed = format!("SELECT import FROM v_reversed_imports WHERE {is_new}");
        let of_reversed = format!("(import IS NOT NULL AND assumeNotNull(import) IN ({reversed}))");
        let people = format!(
            "SELECT person_hi, person_lo FROM v_consents WHERE {campaign} AND (kind = 'withdrawn' OR notEmpty(supersedes)) \
             AND (({is_new}) OR {of_reversed})"
        );
        let sql = format!(
            "SELECT DISTINCT toString(meeting_id) AS meeting FROM (\
             SELECT meeting_id FROM v_attendance_events WHERE {campaign} AND ((person_hi, person_lo) IN ({people}) OR {of_reversed}) \
             UNION ALL SELECT meeting_id FROM v_meeting_events WHERE {campaign} AND {of_reversed}) LIMIT {}",
            MAX_CHANGED + 1
        );
        let rows: Vec<MeetingRow> = self.rows("the meetings of withdrawn consents and reversed imports", &sql).await?;
        Ok(rows.into_iter().map(|row| row.meeting).collect())
    }
}
