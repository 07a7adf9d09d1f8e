//! Anomalies among the records of a selection: dangling references, clocks that were ahead, reports before the meeting.

use clickhouse::Row;
use jiff::Timestamp;
use qamtu_schemas::Topic;
use serde::{Deserialize, Serialize};

use super::{conditions::ReversedImports, warehouse_reader::WarehouseReader};
use crate::{error::AnalyticsError, snapshot_identity::Selection};

/// Tolerated difference, in seconds, by which the time of receipt may be after the append time.
const AHEAD_SECONDS: u32 = 600;

/// Anomalies of the data. They change no figure, but somebody should investigate them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quality {
    /// Time of receipt of the newest counted record, rolls excluded. None before the first one.
    pub newest_record: Option<Timestamp>,
    /// References of corrections, retractions, moves and consents without effect: they name no event of the same meeting or person.
    pub dangling_references: u64,
    /// Meeting ids of the campaign that look like another one; counted by [`FactsStore`](crate::facts_store::FactsStore), which also knows the
    /// meetings that have attendances only.
    pub lookalike_meetings: u64,
    /// Records with a time of receipt after the append time; they count from their time of receipt on.
    pub clock_ahead: u64,
    /// Meetings that are reported as held and begin after the as-of instant; they count once they have begun.
    pub premature_reports: u64,
}

#[derive(Row, Deserialize)]
struct NewestRow {
    newest: i64,
}

impl WarehouseReader {
    /// Leaves `lookalike_meetings` and `premature_reports` at 0, for those who know the meetings. Ignores records of the roll. With a
    /// simulated clock, no clock can be ahead.
    pub(super) async fn quality(
        &self,
        selection: &Selection,
        reversed: &ReversedImports,
        synthetic: bool,
    ) -> Result<Quality, AnalyticsError> {
        let admits = selection.admits(Topic::Events);
        let references = format!(
            "SELECT count() FROM v_references WHERE {admits} AND {} AND NOT ifNull({}, 0)",
            selection.import_not_reversed(Some(reversed)),
            selection.not_after_as_of("resolved")
        );
        let newest = format!(
            "SELECT toUnixTimestamp64Micro(max(received)) AS newest FROM v_records WHERE topic = 'events' AND {admits} GROUP BY campaign"
        );
        let ahead = format!(
            "SELECT count() FROM v_records WHERE topic = 'events' AND {} AND {} AND {} AND received > appended + toIntervalSecond({AHEAD_SECONDS})",
            selection.of_campaign(),
            selection.not_after_as_of("appended"),
            selection.below_offsets(Topic::Events)
        );
        let (dangling_references, newest) = tokio::try_join!(
            self.number("dangling references", &references),
            self.rows::<NewestRow>("the time of receipt of the newest event", &newest),
        )?;
        let clock_ahead = match synthetic {
            true => 0,
            false => self.number("records received after they were appended", &ahead).await?,
        };
        Ok(Quality {
            newest_record: newest.first().and_then(|row| Timestamp::from_microsecond(row.newest).ok()),
            dangling_references,
            lookalike_meetings: 0,
            clock_ahead,
            premature_reports: 0,
        })
    }
}
