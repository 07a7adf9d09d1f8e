//! What is odd about the records of a selection: references without effect, meeting ids that read alike, clocks that were ahead.

use clickhouse::Row;
use jiff::Timestamp;
use qamtu_schemas::Topic;
use serde::{Deserialize, Serialize};

use crate::{
    error::AnalyticsError,
    facts::{Warehouse, meetings::Meetings},
    identity::Selection,
};

/// How far the time of receipt may be ahead of the log's clock before one of the clocks was wrong.
const AHEAD_SECONDS: u32 = 600;

/// What is odd about the data: nothing of it changes a figure, and somebody should look into it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quality {
    /// When the newest counted record was received, the roll's apart: how old the data is. None before the first one.
    pub newest_record: Option<Timestamp>,
    /// References of corrections, retractions, moves and consents that have no effect: they name no event of the same meeting or person.
    pub dangling_references: u64,
    /// Meeting ids that read like another one of the campaign.
    pub lookalike_meetings: u64,
    /// Records that were stamped by a clock ahead of the log's; they count once their time has come.
    pub clock_ahead: u64,
    /// Meetings that are reported as held and begin after the as-of instant; they count once they have begun.
    pub premature_reports: u64,
}

#[derive(Row, Deserialize)]
struct NewestRow {
    newest: i64,
}

impl Warehouse {
    /// The roll's records are not looked at. Where the clock is simulated no clock can be ahead.
    pub(super) async fn quality(&self, selection: &Selection, synthetic: bool, meetings: &Meetings) -> Result<Quality, AnalyticsError> {
        let admits = selection.admits(Topic::Events);
        let references = format!(
            "SELECT count() FROM v_references WHERE {admits} AND {} AND NOT ifNull({}, 0)",
            selection.import_stands(),
            selection.by_then("resolved")
        );
        let lookalikes = format!(
            "SELECT sum(ids) FROM (SELECT count() AS ids FROM v_lookalike_meetings WHERE {} AND {} GROUP BY looks_like HAVING ids > 1)",
            selection.of_campaign(),
            selection.by_then("first_received")
        );
        let newest = format!(
            "SELECT toUnixTimestamp64Micro(max(received)) AS newest FROM v_records WHERE topic = 'events' AND {admits} GROUP BY campaign"
        );
        let ahead = format!(
            "SELECT count() FROM v_records WHERE topic = 'events' AND {} AND {} AND {} AND received > appended + toIntervalSecond({AHEAD_SECONDS})",
            selection.of_campaign(),
            selection.by_then("appended"),
            selection.below(Topic::Events)
        );
        let (dangling_references, lookalike_meetings, newest) = tokio::try_join!(
            self.one("which references have no effect", self.client.query(&references)),
            self.one("which meeting ids read alike", self.client.query(&lookalikes)),
            self.rows::<NewestRow>("when the newest event was received", self.client.query(&newest)),
        )?;
        let clock_ahead = match synthetic {
            true => 0,
            false => self.one("which records were stamped by a clock that was ahead", self.client.query(&ahead)).await?,
        };
        Ok(Quality {
            newest_record: newest.first().and_then(|row| Timestamp::from_microsecond(row.newest).ok()),
            dangling_references,
            lookalike_meetings,
            clock_ahead,
            premature_reports: meetings.rows().iter().filter(|meeting| meeting.premature).count() as u64,
        })
    }
}
