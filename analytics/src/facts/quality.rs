//! Anomalies among the records of a selection: dangling references, clocks that were ahead, reports before the meeting.

use std::collections::BTreeSet;

use clickhouse::Row;
use jiff::Timestamp;
use qamtu_schemas::{
    Data, Event, Reference, Topic,
    id::{EventId, MeetingId},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::warehouse_reader::WarehouseReader;
use crate::{error::AnalyticsError, snapshot_identity::Selection};

/// Tolerated difference, in seconds, by which the time of receipt may be after the append time.
const AHEAD_SECONDS: u32 = 600;

/// Anomalies of the data. They change no figure, but somebody should investigate them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quality {
    /// Time of receipt of the newest counted record, rolls excluded. None before the first one.
    pub newest_record: Option<Timestamp>,
    /// References of corrections, retractions, moves and consents without effect: they name no event of the selection that is of the same meeting or person.
    pub dangling_references: u64,
    /// Meeting ids of the campaign that look like another one; counted by [`FactsStore`](crate::facts_store::FactsStore), which also knows the
    /// meetings that have attendances only.
    pub lookalike_meetings: u64,
    /// Records with a time of receipt after the append time; they count from their time of receipt on.
    pub clock_ahead: u64,
    /// Meetings that are reported as held and begin after the as-of instant; they count once they have begun.
    pub premature_reports: u64,
}

/// Ids that are looked up by one query, which may have 256 KiB.
const LOOKED_UP: usize = 1_000;

/// An attendance that a retraction names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Retracted {
    meeting: MeetingId,
    attendance: EventId,
}

/// The events of a meeting, those that plans, moves, corrections and recounts replace, and the attendances that retractions name.
#[derive(Debug, Default)]
pub(super) struct References {
    events: BTreeSet<EventId>,
    replaced: Vec<EventId>,
    retracted: Vec<EventId>,
}

impl References {
    /// Adds an event of the meeting. What an event of a reversed import names does not matter.
    pub(super) fn add(&mut self, event: &Event, is_reversed: bool) {
        self.events.insert(event.envelope.id);
        match &event.data {
            _ if is_reversed => {}
            // A retraction names an attendance once, however often its list has it.
            Data::AttendanceRetracted(data) => self.retracted.extend(data.retracts.iter().copied().collect::<BTreeSet<_>>()),
            data => self.replaced.extend(data.supersedes()),
        }
    }

    /// Number of replaced events that the meeting does not have.
    pub(super) fn dangling(&self) -> u64 {
        self.replaced.iter().filter(|id| !self.events.contains(id)).count() as u64
    }

    /// The attendances that retractions name.
    pub(super) fn retracted(&self, meeting: &MeetingId) -> impl Iterator<Item = Retracted> {
        self.retracted.iter().map(|attendance| Retracted { meeting: meeting.clone(), attendance: *attendance })
    }
}

/// What is known of records that are not read one by one.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Events that give or withdraw consent; other events are counted while they are read.
    pub(super) consents: u64,
    /// Records of the log that do not decode.
    pub(super) rejected: u64,
    /// References of consents without effect.
    pub(super) dangling_references: u64,
    pub(super) clock_ahead: u64,
    pub(super) newest_record: Option<Timestamp>,
}

#[derive(Row, Deserialize)]
struct AttendanceRow {
    meeting: String,
    #[serde(with = "clickhouse::serde::uuid")]
    attendance: Uuid,
}

#[derive(Row, Deserialize)]
struct CountRow {
    what: String,
    number: i64,
}

impl WarehouseReader {
    /// Counts records of the selection; `reference` has the reversed imports and the campaign. One query, because each has a fixed cost.
    pub(super) async fn counts(&self, selection: &Selection, reference: &Reference) -> Result<Counts, AnalyticsError> {
        let synthetic = reference.campaign().is_some_and(|campaign| campaign.synthetic);
        let admits = selection.admits(Topic::Events);
        let mut parts = vec![
            format!("SELECT 'consents' AS what, toInt64(count()) AS number FROM v_consents WHERE {admits}"),
            format!("SELECT 'rejected', toInt64(count()) FROM v_rejected WHERE {}", rejected(selection, synthetic)),
            format!("SELECT 'dangling', toInt64(count()) FROM ({})", dangling_consents(selection, reference)),
            format!(
                "SELECT 'newest', toUnixTimestamp64Micro(max(received)) FROM v_records WHERE topic = 'events' AND {admits} GROUP BY campaign"
            ),
        ];
        // With a simulated clock, no clock can be ahead.
        if !synthetic {
            parts.push(format!("SELECT 'ahead', toInt64(count()) FROM v_records WHERE topic = 'events' AND {}", clock_ahead(selection)));
        }
        let rows: Vec<CountRow> = self.rows("numbers of records", &parts.join(" UNION ALL ")).await?;
        let mut counts = Counts::default();
        for CountRow { what, number } in rows {
            let count = number.unsigned_abs();
            match what.as_str() {
                "consents" => counts.consents = count,
                "rejected" => counts.rejected = count,
                "dangling" => counts.dangling_references = count,
                "ahead" => counts.clock_ahead = count,
                _ => counts.newest_record = Timestamp::from_microsecond(number).ok(),
            }
        }
        Ok(counts)
    }

    /// Number of attendances that retractions name and their meetings do not have.
    pub(super) async fn dangling_retractions(&self, selection: &Selection, named: &[Retracted]) -> Result<u64, AnalyticsError> {
        let mut found: BTreeSet<Retracted> = BTreeSet::new();
        let different: Vec<&Retracted> = named.iter().collect::<BTreeSet<_>>().into_iter().collect();
        for part in different.chunks(LOOKED_UP) {
            let ids = |Retracted { meeting, attendance }: &&Retracted| format!("('{meeting}', toUUID('{attendance}'))");
            let sql = format!(
                "SELECT toString(meeting_id) AS meeting, event_id AS attendance FROM v_attendance_events \
                 WHERE {} AND (meeting_id, event_id) IN ({})",
                selection.admits(Topic::Events),
                part.iter().map(ids).collect::<Vec<_>>().join(", ")
            );
            for AttendanceRow { meeting, attendance } in self.rows("the retracted attendances", &sql).await? {
                let invalid = |_| AnalyticsError::Value { view: "v_attendance_events", value: meeting.clone(), expected: "meeting" };
                found.insert(Retracted { meeting: meeting.parse().map_err(invalid)?, attendance: EventId(attendance) });
            }
        }
        Ok(named.iter().filter(|retracted| !found.contains(retracted)).count() as u64)
    }
}

/// Condition: a rejected record belongs to the selection. It has neither a campaign nor a time of receipt, so the append time bounds it, unless
/// the clock of the campaign is simulated.
fn rejected(selection: &Selection, synthetic: bool) -> String {
    let appended = if synthetic { "1".to_owned() } else { selection.not_after_as_of("appended") };
    format!("{} AND {appended}", selection.below_offsets_of_topics())
}

/// Condition: the record was received after it was appended.
fn clock_ahead(selection: &Selection) -> String {
    format!(
        "{} AND {} AND {} AND received > appended + toIntervalSecond({AHEAD_SECONDS})",
        selection.of_campaign(),
        selection.not_after_as_of("appended"),
        selection.below_offsets(Topic::Events)
    )
}

/// References of consents to withdrawals that the same person does not have.
fn dangling_consents(selection: &Selection, reference: &Reference) -> String {
    let admits = selection.admits(Topic::Events);
    let is_live = selection.import_not_reversed(reference.reversed());
    format!(
        "SELECT person_hi, person_lo, arrayJoin(supersedes) AS named FROM v_consents WHERE {admits} AND {is_live} \
         AND (person_hi, person_lo, named) NOT IN \
         (SELECT person_hi, person_lo, event_id FROM v_consents WHERE {admits} AND kind = 'withdrawn')"
    )
}
