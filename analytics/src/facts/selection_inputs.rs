//! What the warehouse has: its contiguous offsets, the configured campaigns, and the newest records. A [`Selection`] is chosen from it.

use clickhouse::Row;
use jiff::Timestamp;
use qamtu_schemas::id::CampaignId;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

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

/// Tells warehouses apart: 64 bits of a hash, as hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WarehouseId(String);

impl WarehouseId {
    /// Hashes what identifies a warehouse.
    pub fn of(parts: &[&str]) -> Self {
        Self(Sha256::digest(parts.join(" "))[..8].iter().map(|byte| format!("{byte:02x}")).collect())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
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

/// Where the records of a campaign end in the log copy, and when the newest ones were received.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CampaignRecords {
    /// The offset after the last one of each partition, sorted by topic and partition. Partitions without any are absent.
    pub offsets: Vec<Offset>,
    /// Times of receipt of its events, rolls excluded.
    pub receipts: Receipts,
}

impl CampaignRecords {
    /// Whether no record is above these offsets.
    pub fn are_below(&self, offsets: &[Offset]) -> bool {
        self.offsets.iter().all(|own| {
            let mut of_partition = offsets.iter().filter(|other| other.topic == own.topic && other.partition == own.partition);
            of_partition.any(|other| own.next <= other.next)
        })
    }
}

#[derive(Row, Deserialize)]
struct RecordsRow {
    topic: String,
    partition: u32,
    next: u64,
    newest: i64,
    newest_past: i64,
    events: u64,
    past: u64,
}

#[derive(Row, Deserialize)]
struct DatabaseRow {
    #[serde(with = "clickhouse::serde::uuid")]
    uuid: Uuid,
}

impl WarehouseReader {
    /// Identifies the warehouse: its address, and the id that its database got when it was created. Two warehouses with equal settings have
    /// different ones, unless the server gives databases no ids (those of the engine `Ordinary`).
    pub async fn identity(&self) -> Result<WarehouseId, AnalyticsError> {
        let sql = "SELECT uuid FROM system.databases WHERE name = currentDatabase()";
        let databases: Vec<DatabaseRow> = self.rows("the id of the database", sql).await?;
        let ids: String = databases.iter().map(|database| database.uuid.to_string()).collect();
        Ok(WarehouseId::of(&[self.address(), &ids]))
    }

    /// Offsets below which the projector has written every record to its table.
    pub async fn contiguous_offsets(&self) -> Result<Vec<Offset>, AnalyticsError> {
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

    /// The records of a campaign, all of them or those below some offsets; `now` is the time of the server's clock. Rejected records may be those
    /// of any campaign, so they belong to each. Events of other campaigns change nothing.
    pub async fn campaign_records(
        &self,
        campaign: &CampaignId,
        below: Option<Vec<Offset>>,
        now: Timestamp,
    ) -> Result<CampaignRecords, AnalyticsError> {
        let is_bounded = below.is_some();
        let selection = Selection { campaign: campaign.clone(), offsets: below.unwrap_or_default(), as_of: now };
        let below = if is_bounded { selection.below_offsets_of_topics() } else { "1".to_owned() };
        let past = format!("dated AND {}", selection.not_after_as_of("received"));
        let sql = format!(
            "SELECT toString(topic) AS topic, toUInt32(partition) AS partition, toUInt64(max(`offset`) + 1) AS next, \
             toUnixTimestamp64Micro(maxIf(received, dated)) AS newest, toUnixTimestamp64Micro(maxIf(received, {past})) AS newest_past, \
             countIf(dated) AS events, countIf({past}) AS past FROM (\
             SELECT topic, partition, `offset`, received, topic = 'events' AS dated FROM v_records WHERE {} AND {below} UNION ALL \
             SELECT topic, partition, `offset`, fromUnixTimestamp64Micro(toInt64(0)) AS received, 0 AS dated FROM v_rejected WHERE {below}) \
             GROUP BY topic, partition ORDER BY topic, partition",
            selection.of_campaign()
        );
        let rows: Vec<RecordsRow> = self.rows("the last records of the campaign", &sql).await?;
        let newest = |micros: Option<i64>| micros.and_then(|micros| Timestamp::from_microsecond(micros).ok());
        let receipts = Receipts {
            newest: newest(rows.iter().filter(|row| row.events > 0).map(|row| row.newest).max()),
            newest_past: newest(rows.iter().filter(|row| row.past > 0).map(|row| row.newest_past).max()),
        };
        let offset = |RecordsRow { topic, partition, next, .. }| Offset { topic, partition, next };
        Ok(CampaignRecords { offsets: rows.into_iter().map(offset).collect(), receipts })
    }
}
