//! Facts: what the views of the warehouse say about a campaign, below the offsets that are known to be complete.
//!
//! This is the only place that queries the warehouse. Small views are read as rows, the roll and attendance as Arrow streams, whose
//! columns are checked by name and type as they are loaded. Attendance is never held: it passes by, meeting by meeting.
//!
//! Limits: facts are those below the offsets but for what the views have already forgotten of them. A retraction, a withdrawn consent
//! or the reversal of an import hides attendance that it takes back, and a body that holds over another of its id hides that one,
//! also where it stands above the offsets itself. Everything else, counts and the newest instant too, is the same for the same offsets.

use clickhouse::{Client, Compression, Row};
use jiff::Timestamp;
use qamtu_schemas::{
    Event, MeetingFold, Reference, Topic,
    decode::decode_structured,
    id::{CampaignId, MeetingId},
};
use secrecy::ExposeSecret;
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    config::ClickHouse,
    coverage::{Coverage, CoverageFold, Offset, roll_decides},
    error::AnalyticsError,
    facts::meetings::Meetings,
    roll::Roll,
};

mod attendance;
mod enrolment;
pub mod meetings;
mod stream;

/// What is known about a campaign, attendance apart.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The campaign.
    pub campaign: CampaignId,
    /// Everything below these offsets is in the facts, sorted by topic and partition.
    pub offsets: Vec<Offset>,
    /// When the newest record that is an event was received, the roll's apart, whether its body holds or not: the default as-of instant, so that a simulated campaign is computed at
    /// its own clock. None before the first event.
    pub newest: Option<Timestamp>,
    /// How many events there are.
    pub totals: Totals,
    /// Units, precincts, coalitions, members, venues, reversed imports.
    pub reference: Reference,
    /// Every meeting of which a live event is known, attendance apart.
    pub meetings: Meetings,
    /// The strong roll.
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

    /// The facts of a campaign below these offsets. Questions that need no other answer and little memory are asked side by side.
    pub async fn facts(&self, campaign: &CampaignId, offsets: Vec<Offset>) -> Result<Facts, AnalyticsError> {
        let (newest, (reference, meetings), roll) = tokio::try_join!(
            self.newest(campaign, &offsets),
            self.reference_and_meetings((campaign, &offsets)),
            self.roll(campaign, &offsets),
        )?;
        let totals = self.totals(campaign, &offsets).await?;
        Ok(Facts { campaign: campaign.clone(), offsets, newest, totals, reference, meetings, roll })
    }

    /// Reads attendance past the facts and adds everything up.
    pub async fn coverage(&self, facts: Facts, as_of: Timestamp) -> Result<Coverage, AnalyticsError> {
        // Where people state to live is asked for only where no roll knows better: it costs a text a row.
        let home = match roll_decides(&facts, as_of)? {
            true => "",
            false => {
                ", multiIf(toString(adult) = 'no' OR toString(residence_kind) = 'outside', 'x', \
                 toString(residence_kind) = 'precinct', concat(if(toString(adult) = 'yes', 'p', 'P'), toString(residence)), \
                 toString(residence_kind) = 'unit', concat(if(toString(adult) = 'yes', 'u', 'U'), toString(residence)), '') AS home"
            }
        };
        let sql = format!(
            "SELECT toString(meeting_id) AS meeting, toUInt64(person_hi) AS hi, toUInt64(person_lo) AS lo, toUInt8(strength) AS strength, holds{home} \
             FROM v_attendance_events WHERE campaign = ? AND {} ORDER BY meeting_id",
            below(&facts.offsets, Topic::Events)
        );
        let query = self.client.query(&sql).bind(facts.campaign.as_str());
        stream::read("attendance", query, move |batches| {
            let mut fold = CoverageFold::new(&facts, as_of)?;
            attendance::take(&facts, &mut fold, batches)?;
            fold.finish()
        })
        .await
    }

    async fn totals(&self, campaign: &CampaignId, offsets: &[Offset]) -> Result<Totals, AnalyticsError> {
        // The roll's partitions are those of another topic.
        let events = format!(
            "SELECT count() FROM v_other_events WHERE campaign = ? AND type NOT LIKE 'qamtu.precinct.enrolled.%' AND {}",
            below(offsets, Topic::Events)
        );
        let events = self.client.query(&events).bind(campaign.as_str());
        let rejected = format!(
            "SELECT count() FROM v_rejected WHERE (topic = 'events' AND {}) OR (topic = 'roll' AND {})",
            below(offsets, Topic::Events),
            below(offsets, Topic::Roll)
        );
        let conflicts = format!(
            "SELECT count() FROM v_conflicts WHERE campaign = ? AND arrayCount(\
             (`topic`, `partition`, `offset`) -> (`topic` = 'events' AND {}) OR (`topic` = 'roll' AND {}), \
             places.1, places.2, places.3) > 1",
            below(offsets, Topic::Events),
            below(offsets, Topic::Roll)
        );
        let conflicts = self.client.query(&conflicts).bind(campaign.as_str());
        let (events, rejected) = tokio::try_join!(
            self.one("how many events there are", events),
            self.one("how many records do not decode", self.client.query(&rejected)),
        )?;
        // The one question that takes memory with the number of events is asked by itself.
        let conflicts = self.one("how many ids have several bodies", conflicts).await?;
        Ok(Totals { events, rejected, conflicts })
    }

    /// When the newest record that is an event was received, the roll's apart; none before the first one.
    async fn newest(&self, campaign: &CampaignId, offsets: &[Offset]) -> Result<Option<Timestamp>, AnalyticsError> {
        let sql = format!(
            "SELECT toUnixTimestamp64Micro(max(received)) FROM v_records WHERE topic = 'events' AND campaign = ? AND {} GROUP BY campaign",
            below(offsets, Topic::Events)
        );
        let rows: Vec<i64> = self.rows("when the newest event came", self.client.query(&sql).bind(campaign.as_str())).await?;
        Ok(rows.first().and_then(|micros| Timestamp::from_microsecond(*micros).ok()))
    }

    /// Reference data, and meetings: which of their events were taken back stands in the former.
    async fn reference_and_meetings(&self, scope: (&CampaignId, &[Offset])) -> Result<(Reference, Meetings), AnalyticsError> {
        let mut reference = Reference::default();
        self.events(REFERENCE_EVENTS, scope, |event| {
            reference.apply(&event);
            Ok(())
        })
        .await?;
        let meetings = self.meetings(scope, &reference).await?;
        Ok((reference, meetings))
    }

    /// The states of meetings, one after another, so that the events of one alone are held.
    async fn meetings(&self, scope: (&CampaignId, &[Offset]), reference: &Reference) -> Result<Meetings, AnalyticsError> {
        let mut meetings = Meetings::default();
        let mut open: Option<(MeetingId, MeetingFold)> = None;
        let mut close = |open: Option<(MeetingId, MeetingFold)>| match open {
            Some((id, fold)) if !meetings.push(id.clone(), &fold.state(reference.reversed())) => {
                Err(AnalyticsError::Value { view: MEETING_EVENTS.0, value: id.to_string(), wanted: "meeting in the order of ids" })
            }
            _ => Ok(()),
        };
        self.events(MEETING_EVENTS, scope, |event| {
            let live = event.envelope.batch.is_none_or(|batch| !reference.reversed().contains(&batch));
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
        (campaign, offsets): (&CampaignId, &[Offset]),
        mut each: impl FnMut(Event) -> Result<(), AnalyticsError>,
    ) -> Result<(), AnalyticsError> {
        let below = below(offsets, Topic::Events);
        let sql = format!("SELECT event_id AS event, body FROM {view} WHERE campaign = ? AND {below} ORDER BY {order}");
        let failed = |source| AnalyticsError::Warehouse { what: view, source };
        let mut rows = self.client.query(&sql).bind(campaign.as_str()).fetch::<EventRow>().map_err(failed)?;
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

    /// The voters of each precinct's newest version below the offsets, where that version is a strong one.
    async fn roll(&self, campaign: &CampaignId, offsets: &[Offset]) -> Result<Roll, AnalyticsError> {
        let sql = format!(
            "SELECT toString(precinct) AS precinct, toUInt64(person_hi) AS hi, toUInt64(person_lo) AS lo \
             FROM v_roll WHERE campaign = ? AND (v_roll.precinct, version, event_id) IN \
             (SELECT precinct, newest.1, newest.2 FROM \
             (SELECT precinct, argMax((version, event_id, strength), (version, toUInt128(event_id))) AS newest \
             FROM v_roll_versions WHERE campaign = ? AND {} GROUP BY precinct) WHERE newest.3 = 1)",
            below(offsets, Topic::Roll)
        );
        let query = self.client.query(&sql).bind(campaign.as_str()).bind(campaign.as_str());
        stream::read("the roll", query, enrolment::take).await
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

/// The condition that a row's record lies below the offsets of its topic. A partition that is not named has nothing below.
fn below(offsets: &[Offset], topic: Topic) -> String {
    let (partitions, next): (Vec<String>, Vec<String>) = offsets
        .iter()
        .filter(|offset| offset.topic == topic.name())
        .map(|offset| (format!("toUInt32({})", offset.partition), format!("toUInt64({})", offset.next)))
        .unzip();
    if partitions.is_empty() {
        return "0".to_owned();
    }
    format!("`offset` < transform(toUInt32(`partition`), [{}], [{}], toUInt64(0))", partitions.join(", "), next.join(", "))
}
