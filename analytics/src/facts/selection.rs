//! SQL conditions for the records of a [`Selection`], and the queries needed to choose one.
//!
//! Guarantees: the conditions contain no user text: a campaign id consists of letters, digits and three signs, everything else is a number.

use clickhouse::Row;
use jiff::Timestamp;
use qamtu_schemas::{Topic, id::CampaignId};
use serde::Deserialize;

use crate::{
    error::AnalyticsError,
    facts::Warehouse,
    identity::{Offset, Selection},
};

impl Selection {
    /// Condition: the row belongs to the campaign and counts.
    pub(super) fn admits(&self, topic: Topic) -> String {
        format!("{} AND {} AND {}", self.of_campaign(), self.by_then("received"), self.below(topic))
    }

    /// Condition: the row belongs to the campaign.
    pub(super) fn of_campaign(&self) -> String {
        format!("campaign = '{}'", self.campaign)
    }

    /// Condition: the instant in this column is not after the as-of instant.
    pub(super) fn by_then(&self, column: &str) -> String {
        format!("{column} <= fromUnixTimestamp64Micro(toInt64({}))", self.as_of.as_microsecond())
    }

    /// Condition: the record is below the offsets of its topic; false for partitions without an offset.
    pub(super) fn below(&self, topic: Topic) -> String {
        let (partitions, next): (Vec<String>, Vec<String>) = self
            .offsets
            .iter()
            .filter(|offset| offset.topic == topic.name())
            .map(|offset| (format!("toUInt32({})", offset.partition), format!("toUInt64({})", offset.next)))
            .unzip();
        if partitions.is_empty() {
            return "0".to_owned();
        }
        format!("`offset` < transform(toUInt32(`partition`), [{}], [{}], toUInt64(0))", partitions.join(", "), next.join(", "))
    }

    /// Condition: the import of the row was not reversed.
    pub(super) fn import_stands(&self) -> String {
        let reversed = format!("SELECT import FROM v_reversed_imports WHERE {}", self.admits(Topic::Events));
        format!("(import IS NULL OR assumeNotNull(import) NOT IN ({reversed}))")
    }

    /// Condition: the import of an attendance was not reversed, it was not retracted, and the consent was not withdrawn.
    pub(super) fn attendance_holds(&self) -> String {
        let counts = format!("{} AND {}", self.admits(Topic::Events), self.import_stands());
        let retracted = format!("SELECT meeting_id, retracted_id FROM v_attendance_retractions WHERE {counts}");
        let superseded = format!("SELECT person_hi, person_lo, arrayJoin(supersedes) FROM v_consents WHERE kind = 'given' AND {counts}");
        let withdrawn = format!(
            "SELECT person_hi, person_lo FROM v_consents WHERE kind = 'withdrawn' AND {counts} \
             AND (person_hi, person_lo, event_id) NOT IN ({superseded})"
        );
        format!(
            "toUInt8({} AND (meeting_id, event_id) NOT IN ({retracted}) AND (person_hi, person_lo) NOT IN ({withdrawn}))",
            self.import_stands()
        )
    }
}

/// A campaign that has been configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configured {
    /// Id of the campaign.
    pub campaign: CampaignId,
    /// Whether its clock is simulated: clients then state the time of receipt.
    pub synthetic: bool,
}

/// Times of receipt of a campaign's newest records, rolls excluded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Receipts {
    /// Time of receipt of the newest record.
    pub newest: Option<Timestamp>,
    /// The newest time of receipt that is not after the server's clock.
    pub newest_past: Option<Timestamp>,
}

#[derive(Row, Deserialize)]
struct ConfiguredRow {
    campaign: String,
    synthetic: u8,
}

#[derive(Row, Deserialize)]
struct ReceiptsRow {
    newest: i64,
    newest_past: i64,
    past: u64,
}

impl Warehouse {
    /// The campaigns that are configured, sorted by id.
    pub async fn campaigns(&self) -> Result<Vec<Configured>, AnalyticsError> {
        let sql = "SELECT toString(campaign) AS campaign, toUInt8(max(JSONExtractBool(body, 'data', 'synthetic'))) AS synthetic \
                   FROM v_reference_events WHERE type LIKE 'qamtu.campaign.configured.v%' GROUP BY campaign ORDER BY campaign";
        let rows: Vec<ConfiguredRow> = self.rows("the configured campaigns", self.client.query(sql)).await?;
        let configured = |row: ConfiguredRow| match row.campaign.parse() {
            Ok(campaign) => Ok(Configured { campaign, synthetic: row.synthetic != 0 }),
            Err(_) => Err(AnalyticsError::Value { view: "v_reference_events", value: row.campaign, expected: "campaign" }),
        };
        rows.into_iter().map(configured).collect()
    }

    /// Times of receipt of the newest records below some offsets; `now` is the time of the server's clock.
    pub async fn receipts(&self, campaign: &CampaignId, offsets: &[Offset], now: Timestamp) -> Result<Receipts, AnalyticsError> {
        let selection = Selection { campaign: campaign.clone(), offsets: offsets.to_vec(), as_of: now };
        let past = selection.by_then("received");
        let sql = format!(
            "SELECT toUnixTimestamp64Micro(max(received)) AS newest, toUnixTimestamp64Micro(maxIf(received, {past})) AS newest_past, \
             countIf({past}) AS past FROM v_records WHERE topic = 'events' AND {} AND {} GROUP BY campaign",
            selection.of_campaign(),
            selection.below(Topic::Events)
        );
        let rows: Vec<ReceiptsRow> = self.rows("the time of receipt of the newest event", self.client.query(&sql)).await?;
        let instant = |micros: i64| Timestamp::from_microsecond(micros).ok();
        Ok(rows.first().map_or_else(Receipts::default, |row| Receipts {
            newest: instant(row.newest),
            newest_past: instant(row.newest_past).filter(|_| row.past > 0),
        }))
    }
}
