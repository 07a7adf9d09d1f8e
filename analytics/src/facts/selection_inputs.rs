//! What the warehouse has: its contiguous offsets, the configured campaigns, and the newest records. A [`Selection`] is chosen from it.

use clickhouse::Row;
use jiff::Timestamp;
use qamtu_schemas::{Topic, id::CampaignId};
use serde::Deserialize;

use super::warehouse_reader::WarehouseReader;
use crate::{
    error::AnalyticsError,
    snapshot_identity::{Offset, Selection},
};

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
struct OffsetRow {
    topic: String,
    partition: u32,
    next: u64,
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

impl WarehouseReader {
    /// Offsets below which the projector has written every record to its table.
    pub async fn offsets(&self) -> Result<Vec<Offset>, AnalyticsError> {
        let sql = "SELECT toString(topic) AS topic, toUInt32(partition) AS partition, toUInt64(contiguous_offset) AS next \
                   FROM v_contiguous_offsets ORDER BY topic, partition";
        let rows: Vec<OffsetRow> = self.rows("the contiguous offsets", sql).await?;
        Ok(rows.into_iter().map(|row| Offset { topic: row.topic, partition: row.partition, next: row.next }).collect())
    }

    /// The campaigns that are configured, sorted by id.
    pub async fn campaigns(&self) -> Result<Vec<Configured>, AnalyticsError> {
        let sql = "SELECT toString(campaign) AS campaign, toUInt8(max(JSONExtractBool(body, 'data', 'synthetic'))) AS synthetic \
                   FROM v_reference_events WHERE type LIKE 'qamtu.campaign.configured.v%' GROUP BY campaign ORDER BY campaign";
        let rows: Vec<ConfiguredRow> = self.rows("the configured campaigns", sql).await?;
        let configured = |row: ConfiguredRow| match row.campaign.parse() {
            Ok(campaign) => Ok(Configured { campaign, synthetic: row.synthetic != 0 }),
            Err(_) => Err(AnalyticsError::Value { view: "v_reference_events", value: row.campaign, expected: "campaign" }),
        };
        rows.into_iter().map(configured).collect()
    }

    /// Times of receipt of the newest records below some offsets; `now` is the time of the server's clock.
    pub async fn receipts(&self, campaign: &CampaignId, offsets: &[Offset], now: Timestamp) -> Result<Receipts, AnalyticsError> {
        let selection = Selection { campaign: campaign.clone(), offsets: offsets.to_vec(), as_of: now };
        let past = selection.not_after_as_of("received");
        let sql = format!(
            "SELECT toUnixTimestamp64Micro(max(received)) AS newest, toUnixTimestamp64Micro(maxIf(received, {past})) AS newest_past, \
             countIf({past}) AS past FROM v_records WHERE topic = 'events' AND {} AND {} GROUP BY campaign",
            selection.of_campaign(),
            selection.below_offsets(Topic::Events)
        );
        let rows: Vec<ReceiptsRow> = self.rows("the time of receipt of the newest event", &sql).await?;
        let instant = |micros: i64| Timestamp::from_microsecond(micros).ok();
        Ok(rows.first().map_or_else(Receipts::default, |row| Receipts {
            newest: instant(row.newest),
            newest_past: instant(row.newest_past).filter(|_| row.past > 0),
        }))
    }
}
