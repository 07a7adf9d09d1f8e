//! Facts: what the views of the warehouse say about a campaign, of the records that a [`Selection`] admits.
//!
//! This is the only place that queries the warehouse. Small views are read as rows, the roll and attendance as Arrow streams, whose
//! columns are checked by name and type as they are loaded. Attendance is never held: it passes by, meeting by meeting.
//!
//! Guarantees: a record counts if it lies below the offsets and was received by the as-of instant; so does what takes an attendance back
//! (a retraction, the reversal of an import, a withdrawal of consent). Of several bodies of one event id the earliest received holds, so
//! one that is received later never hides what counted before. The same selection gives the same facts at any later time.
//!
//! Limits: a time of receipt is what the service that took the event says. A record that is still on its way when a calculation runs
//! counts in the next one of the same instant. Meeting ids that read alike are bounded by their time of receipt only.

use clickhouse::{Client, Compression, Row};
use qamtu_schemas::{Event, MeetingFold, Reference, Topic, decode::decode_structured, id::MeetingId};
use secrecy::ExposeSecret;
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    config::ClickHouse,
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

/// What is known about a campaign, attendance apart.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Selects the records that count.
    pub selection: Selection,
    /// How many events there are.
    pub totals: Totals,
    /// What is odd about the records.
    pub quality: Quality,
    /// Units, precincts, coalitions, members, venues, reversed imports.
    pub reference: Reference,
    /// Every meeting of which a live event is known, attendance apart.
    pub meetings: Meetings,
    /// The strong roll: voters with pseudonyms of national ids.
    pub roll: Roll,
}

/// Counts that are about events themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Different events, attendances and the roll's apart; attendances are counted as they pass.
    pub events: u64,
    /// Records of the log that do not decode, of every campaign.
    pub rejected: u64,
    /// Event ids with several bodies.
    pub conflicts: u64,
}

/// The views of events and the column that they are read in the order of.
const REFERENCE_EVENTS: (&str, &str) = ("v_reference_events", "event_id");
const MEETING_EVENTS: (&str, &str) = ("v_meeting_events", "meeting_id");

/// The warehouse, as this service reads it.
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
    /// A warehouse at an address. Nothing is asked yet.
    pub fn new(config: &ClickHouse) -> Self {
        let client = Client::default()
            .with_url(config.url.as_str())
            .with_user(&config.user)
            .with_password(config.password.expose_secret())
            .with_database(&config.database)
            // Over a loopback or a data centre's network compressing costs the server more than it saves, and pseudonyms do not
            // compress at all.
            .with_compression(Compression::None)
            // Text must come as text whatever the server's defaults are.
            .with_setting("output_format_arrow_compression_method", "none")
            .with_setting("output_format_arrow_string_as_string", "1");
        Self { client }
    }

    /// Offsets below which the log copy is complete, and so every fact is in its table.
    pub async fn offsets(&self) -> Result<Vec<Offset>, AnalyticsError> {
        let sql = "SELECT toString(topic) AS topic, toUInt32(partition) AS partition, toUInt64(next_offset) AS next \
                   FROM v_watermark ORDER BY topic, partition";
        let rows: Vec<OffsetRow> = self.rows("how far the log was read", self.client.query(sql)).await?;
        Ok(rows.into_iter().map(|row| Offset { topic: row.topic, partition: row.partition, next: row.next }).collect())
    }

    /// The facts of a selection. Questions that need no other answer and little memory are asked side by side.
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

    /// A record that does not decode has neither a campaign nor a time of receipt, so the clock of the log bounds it; in a campaign whose
    /// clock is simulated that says nothing.
    async fn totals(&self, selection: &Selection, synthetic: bool) -> Result<Totals, AnalyticsError> {
        // The roll's partitions are those of another topic.
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
            self.one("how many events there are", self.client.query(&events)),
            self.one("how many records do not decode", self.client.query(&rejected)),
        )?;
        // The one question that takes memory with the number of events is asked by itself.
        let conflicts = self.one("how many ids have several bodies", self.client.query(&conflicts)).await?;
        Ok(Totals { events, rejected, conflicts })
    }

    /// Reference data, and meetings: which of their events were taken back stands in the former.
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

    /// The states of meetings, one after another, so that the events of one alone are held.
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

    /// Passes every event of a view in its order.
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
