//! Facts: the records of a campaign that a [`Selection`] admits, as the views of the warehouse return them.
//!
//! This is the only module that queries the warehouse. Small views are read as rows, the roll and attendance as Arrow streams whose columns
//! are checked by name and type. Attendance is not stored: it is streamed, grouped by meeting.
//!
//! Guarantees: a record counts if its offset is below the contiguous offset and it was received by the as-of instant; the same holds for records
//! that revoke attendance (a retraction, the reversal of an import, a withdrawal of consent). Of several bodies of one event id the
//! earliest received counts, so a later one never replaces what counted before. The same selection gives the same facts at any later time.
//!
//! Limits: the time of receipt is the one that ingest stored. A record that is in flight during a calculation counts in the next
//! calculation of the same instant. Meeting ids that look alike are bounded by their time of receipt only.

use clickhouse::{Client, Compression, Row};
use qamtu_schemas::{Event, MeetingFold, Reference, Topic, decode::decode_structured, id::MeetingId};
use secrecy::ExposeSecret;
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    config::ClickhouseConfig,
    error::AnalyticsError,
    facts::meetings::Meetings,
    identity::{Offset, Selection},
    roll::Roll,
};

mod enrolment;
pub mod meetings;
mod quality;
mod selection;
mod stream;

pub use quality::Quality;
pub use selection::{Configured, Receipts};
pub use stream::Batches;

/// Facts about a campaign, without attendance.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Selects the records that count.
    pub selection: Selection,
    /// Numbers of events and rejected records.
    pub totals: Totals,
    /// Anomalies of the records.
    pub quality: Quality,
    /// Units, precincts, coalitions, members, venues, reversed imports.
    pub reference: Reference,
    /// Meetings with at least one event that was not reversed, without attendance.
    pub meetings: Meetings,
    /// The strong roll: voters with pseudonyms of national ids.
    pub roll: Roll,
}

/// Numbers of events and rejected records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Different events, without attendances and rolls; attendances are counted while they are streamed.
    pub events: u64,
    /// Records of the log that do not decode, of every campaign.
    pub rejected: u64,
    /// Event ids with several bodies.
    pub conflicts: u64,
}

/// Views of events and the columns they are ordered by.
const REFERENCE_EVENTS: (&str, &str) = ("v_reference_events", "event_id");
const MEETING_EVENTS: (&str, &str) = ("v_meeting_events", "meeting_id");

/// Client of the warehouse with the queries of this service.
#[derive(Clone)]
pub struct Warehouse {
    client: Client,
}

#[derive(Row, Deserialize)]
struct OffsetRow {
    topic: String,
    partition: u32,
    next: u64,
}

#[derive(Row, Deserialize)]
struct EventRow {
    #[serde(with = "clickhouse::serde::uuid")]
    event: Uuid,
    body: String,
}

impl Warehouse {
    /// Configures a client; sends no query.
    pub fn new(config: &ClickhouseConfig) -> Self {
        let client = Client::default()
            .with_url(config.url.as_str())
            .with_user(&config.user)
            .with_password(config.password.expose_secret())
            .with_database(&config.database)
            // On a loopback or data centre network compression costs the server more than it saves; pseudonyms are incompressible.
            .with_compression(Compression::None)
            // Strings must be Arrow strings whatever the defaults of the server are.
            .with_setting("output_format_arrow_compression_method", "none")
            .with_setting("output_format_arrow_string_as_string", "1");
        Self { client }
    }

    /// Offsets below which the projector has written every record to its table.
    pub async fn offsets(&self) -> Result<Vec<Offset>, AnalyticsError> {
        let sql = "SELECT toString(topic) AS topic, toUInt32(partition) AS partition, toUInt64(contiguous_offset) AS next \
                   FROM v_contiguous_offsets ORDER BY topic, partition";
        let rows: Vec<OffsetRow> = self.rows("the contiguous offsets", self.client.query(sql)).await?;
        Ok(rows.into_iter().map(|row| Offset { topic: row.topic, partition: row.partition, next: row.next }).collect())
    }

    /// The facts of a selection. Independent queries that need little memory run concurrently.
    pub async fn facts(&self, selection: Selection) -> Result<Facts, AnalyticsError> {
        let ((reference, meetings), roll) = tokio::try_join!(self.reference_and_meetings(&selection), self.roll(&selection))?;
        let synthetic = reference.campaign().is_some_and(|campaign| campaign.synthetic);
        let totals = self.totals(&selection, synthetic).await?;
        let quality = self.quality(&selection, synthetic, &meetings).await?;
        Ok(Facts { selection, totals, quality, reference, meetings, roll })
    }

    /// Streams the attendance events of a selection to `work`, meeting by meeting, on a blocking thread. The column `stated_residence` is
    /// present only if `with_residence`: it costs a string per row.
    pub async fn attendance<T: Send + 'static>(
        &self,
        selection: &Selection,
        with_residence: bool,
        work: impl FnOnce(Batches) -> Result<T, AnalyticsError> + Send + 'static,
    ) -> Result<T, AnalyticsError> {
        let residence = match with_residence {
            false => "",
            true => {
                ", multiIf(toString(adult) = 'no' OR toString(residence_kind) = 'outside', 'x', \
                 toString(residence_kind) = 'precinct', concat(if(toString(adult) = 'yes', 'p', 'P'), toString(residence)), \
                 toString(residence_kind) = 'unit', concat(if(toString(adult) = 'yes', 'u', 'U'), toString(residence)), '') \
                 AS stated_residence"
            }
        };
        let sql = format!(
            "SELECT toString(meeting_id) AS meeting, toUInt64(person_hi) AS hi, toUInt64(person_lo) AS lo, toUInt8(strength) AS strength, \
             {} AS holds{residence} FROM v_attendance_events WHERE {} ORDER BY meeting_id",
            selection.attendance_holds(),
            selection.admits(Topic::Events)
        );
        stream::read("attendance", self.client.query(&sql), work).await
    }

    /// A rejected record has neither a campaign nor a time of receipt, so the append time bounds it, unless the clock of the campaign is
    /// simulated.
    async fn totals(&self, selection: &Selection, synthetic: bool) -> Result<Totals, AnalyticsError> {
        // Partitions of the roll topic are excluded: its offsets are in another topic.
        let events = format!(
            "SELECT count() FROM v_other_events WHERE type NOT LIKE 'qamtu.precinct.enrolled.%' AND {}",
            selection.admits(Topic::Events)
        );
        let appended = if synthetic { "1".to_owned() } else { selection.by_then("appended") };
        let rejected = format!(
            "SELECT count() FROM v_rejected WHERE ((topic = 'events' AND {}) OR (topic = 'roll' AND {})) AND {appended}",
            selection.below(Topic::Events),
            selection.below(Topic::Roll)
        );
        let conflicts = format!(
            "SELECT count() FROM v_conflicts WHERE {} AND arrayCount(\
             (`topic`, `partition`, `offset`, `received`) -> ((`topic` = 'events' AND {}) OR (`topic` = 'roll' AND {})) AND {}, \
             places.1, places.2, places.3, places.4) > 1",
            selection.of_campaign(),
            selection.below(Topic::Events),
            selection.below(Topic::Roll),
            selection.by_then("`received`")
        );
        let (events, rejected) = tokio::try_join!(
            self.one("the number of events", self.client.query(&events)),
            self.one("the number of rejected records", self.client.query(&rejected)),
        )?;
        // Runs alone, since its memory grows with the number of events.
        let conflicts = self.one("the number of conflicting event ids", self.client.query(&conflicts)).await?;
        Ok(Totals { events, rejected, conflicts })
    }

    /// Reads reference data first: it has the reversed imports, which the meetings need.
    async fn reference_and_meetings(&self, selection: &Selection) -> Result<(Reference, Meetings), AnalyticsError> {
        let mut reference = Reference::default();
        self.events(REFERENCE_EVENTS, selection, |event| {
            reference.apply(&event);
            Ok(())
        })
        .await?;
        let meetings = self.meetings(selection, &reference).await?;
        Ok((reference, meetings))
    }

    /// Folds meetings one after another, so that only the events of one are in memory.
    async fn meetings(&self, selection: &Selection, reference: &Reference) -> Result<Meetings, AnalyticsError> {
        let mut meetings = Meetings::default();
        let mut open: Option<(MeetingId, MeetingFold)> = None;
        let mut close = |open: Option<(MeetingId, MeetingFold)>| match open {
            Some((id, fold)) if !meetings.push(id.clone(), &fold.state(reference.reversed()), selection.as_of) => {
                Err(AnalyticsError::Value { view: MEETING_EVENTS.0, value: id.to_string(), expected: "meeting in the order of ids" })
            }
            _ => Ok(()),
        };
        self.events(MEETING_EVENTS, selection, |event| {
            let live = event.envelope.import.is_none_or(|import| !reference.reversed().contains(&import));
            let Some(id) = event.data.meeting().filter(|_| live).cloned() else { return Ok(()) };
            if open.as_ref().is_none_or(|(held, _)| *held != id) {
                close(open.replace((id, MeetingFold::default())))?;
            }
            if let Some((_, fold)) = &mut open {
                fold.insert(event);
            }
            Ok(())
        })
        .await?;
        close(open)?;
        Ok(meetings)
    }

    /// Calls `each` for every event of a view, in the order of the view.
    async fn events(
        &self,
        (view, order): (&'static str, &str),
        selection: &Selection,
        mut each: impl FnMut(Event) -> Result<(), AnalyticsError>,
    ) -> Result<(), AnalyticsError> {
        let admits = selection.admits(Topic::Events);
        let sql = format!("SELECT event_id AS event, body FROM {view} WHERE {admits} ORDER BY {order}");
        let failed = |source| AnalyticsError::Warehouse { what: view, source };
        let mut rows = self.client.query(&sql).fetch::<EventRow>().map_err(failed)?;
        while let Some(row) = rows.next().await.map_err(failed)? {
            let event = decode_structured(row.body.as_bytes()).map_err(|source| AnalyticsError::Event {
                view,
                event: row.event.to_string(),
                source,
            })?;
            each(event)?;
        }
        Ok(())
    }

    /// The voters of each precinct's newest version, where that version is a strong one.
    async fn roll(&self, selection: &Selection) -> Result<Roll, AnalyticsError> {
        let sql = format!(
            "SELECT toString(precinct) AS precinct, toUInt64(person_hi) AS hi, toUInt64(person_lo) AS lo \
             FROM v_roll WHERE {} AND (v_roll.precinct, version, event_id) IN \
             (SELECT precinct, newest.1, newest.2 FROM \
             (SELECT precinct, argMax((version, event_id, strength), (version, toUInt128(event_id))) AS newest \
             FROM v_roll_versions WHERE {} GROUP BY precinct) WHERE newest.3 = 1)",
            selection.of_campaign(),
            selection.admits(Topic::Roll)
        );
        stream::read("the roll", self.client.query(&sql), enrolment::take).await
    }

    async fn rows<R>(&self, what: &'static str, query: clickhouse::query::Query) -> Result<Vec<R>, AnalyticsError>
    where
        R: clickhouse::RowOwned + clickhouse::RowRead,
    {
        query.fetch_all().await.map_err(|source| AnalyticsError::Warehouse { what, source })
    }

    async fn one(&self, what: &'static str, query: clickhouse::query::Query) -> Result<u64, AnalyticsError> {
        query.fetch_one().await.map_err(|source| AnalyticsError::Warehouse { what, source })
    }
}
