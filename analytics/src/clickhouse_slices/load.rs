//! Loads: what the servers have of a campaign at one instant. Finds one, checks that it is still whole, and drops older ones.

use clickhouse::Row;
use futures::future::try_join_all;
use jiff::Timestamp;
use qamtu_schemas::id::CampaignId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ClickHouseSlices, LoadSelector};
use crate::{
    error::AnalyticsError,
    facts_store::{Catalog, FactsStore},
    figures::MeetingSums,
};

const TABLES: [&str; 3] = [include_str!("slice_attendance.sql"), include_str!("slice_meetings.sql"), include_str!("slice_loads.sql")];
/// Names of the tables, that of the loads last: whoever finds a load there finds the rest.
const TABLE_NAMES: [&str; 3] = ["slice_attendance", "slice_meetings", "slice_loads"];
/// Version of the rows. Raise it when their meaning changes.
const LAYOUT: u32 = 1;
/// Loads of a campaign that are kept: queries over several instants need several.
const KEPT: usize = 4;

/// A load that every server has.
#[derive(Debug)]
pub struct Load {
    pub(super) id: Uuid,
    pub(super) description: Description,
    /// Rows of each server, in their order.
    pub(super) rows: Vec<LoadRows>,
}

/// What queries need besides the rows of a load.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Description {
    layout: u32,
    /// Names of the columns of `sums`.
    sums: Vec<String>,
    as_of: Timestamp,
    synthetic: bool,
    catalog: Catalog,
}

/// How many rows of a load a server has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Row, Deserialize)]
pub(super) struct LoadRows {
    pub(super) server: u32,
    pub(super) servers: u32,
    pub(super) attendances: u64,
    pub(super) meetings: u64,
}

#[derive(Row, Deserialize)]
struct LoadId {
    #[serde(with = "clickhouse::serde::uuid")]
    load: Uuid,
}

impl Load {
    pub(super) fn catalog(&self) -> &Catalog {
        &self.description.catalog
    }

    /// As-of instant of the facts.
    pub fn as_of(&self) -> Timestamp {
        self.description.as_of
    }

    /// Whether all data of the campaign is invented.
    pub fn is_synthetic(&self) -> bool {
        self.description.synthetic
    }
}

impl Description {
    pub(super) fn of(store: &FactsStore) -> Self {
        Self {
            layout: LAYOUT,
            sums: sum_names(),
            as_of: store.facts().selection.as_of,
            synthetic: store.is_synthetic(),
            catalog: store.catalog().clone(),
        }
    }
}

fn sum_names() -> Vec<String> {
    MeetingSums::ALL.iter().map(|(name, _)| (*name).to_owned()).collect()
}

/// Finds the load that a selector names. One of another version of this program is none.
pub(super) async fn find(slices: &ClickHouseSlices, campaign: &CampaignId, selector: LoadSelector) -> Result<Option<Load>, AnalyticsError> {
    create_tables(slices).await?;
    let condition = match selector {
        LoadSelector::Of(snapshot) => format!("snapshot = '{snapshot}'"),
        LoadSelector::LoadedSince(instant) => format!("toInt64(loaded) >= {}", instant.as_second()),
    };
    let loads = format!(
        "SELECT load FROM slice_loads WHERE campaign = '{campaign}' AND server = 0 AND {condition} ORDER BY loaded DESC, load LIMIT {KEPT}"
    );
    for LoadId { load } in slices.first().rows("the loads", &loads).await? {
        let description = format!("SELECT description FROM slice_loads WHERE load = '{load}'");
        let description: Vec<String> = slices.first().rows("a load", &description).await?;
        let is_current = |of: &Description| of.layout == LAYOUT && of.sums == sum_names();
        let parse = |json: &String| serde_json::from_str::<Description>(json).ok().filter(is_current);
        let Some(description) = description.first().and_then(parse) else { continue };
        if let Some(rows) = rows_of(slices, load).await? {
            return Ok(Some(Load { id: load, description, rows }));
        }
    }
    Ok(None)
}

/// The rows that each server should have of a load; none if a server does not have it, or has another place now.
async fn rows_of(slices: &ClickHouseSlices, load: Uuid) -> Result<Option<Vec<LoadRows>>, AnalyticsError> {
    let sql = format!("SELECT server, servers, attendances, meetings FROM slice_loads WHERE load = '{load}'");
    let rows: Vec<Vec<LoadRows>> = try_join_all(slices.servers.iter().map(|server| server.rows("a load", &sql))).await?;
    let servers = slices.servers.len() as u32;
    let only = |(of_server, place): (Vec<LoadRows>, u32)| match of_server[..] {
        [rows] if rows.server == place && rows.servers == servers => Some(rows),
        _ => None,
    };
    Ok(rows.into_iter().zip(0..).map(only).collect())
}

/// Fails if a server does not have exactly the rows of a load. They are never added later, so a query before this had all of them.
pub(super) async fn check(slices: &ClickHouseSlices, load: &Load) -> Result<(), AnalyticsError> {
    let count = |table: &str| format!("SELECT count() FROM {table} WHERE load = '{}'", load.id);
    let (attendances, meetings) = (count("slice_attendance"), count("slice_meetings"));
    let counted = try_join_all(slices.servers.iter().map(async |server| {
        let attendances: Vec<u64> = server.rows("the rows of a load", &attendances).await?;
        let meetings: Vec<u64> = server.rows("the rows of a load", &meetings).await?;
        Ok::<_, AnalyticsError>((attendances, meetings))
    }));
    let is_whole = |(rows, counted): (&LoadRows, &(Vec<u64>, Vec<u64>))| counted.0 == [rows.attendances] && counted.1 == [rows.meetings];
    let counted = counted.await?;
    if load.rows.iter().zip(&counted).all(is_whole) { Ok(()) } else { Err(AnalyticsError::LoadGone { load: load.id }) }
}

pub(super) async fn create_tables(slices: &ClickHouseSlices) -> Result<(), AnalyticsError> {
    try_join_all(slices.servers.iter().map(async |server| {
        for table in TABLES {
            server.execute("the tables of slices", table).await?;
        }
        Ok::<_, AnalyticsError>(())
    }))
    .await?;
    Ok(())
}

/// Drops all but the newest loads of a campaign, on every server; that a load is finished is forgotten first.
pub(super) async fn drop_older(slices: &ClickHouseSlices, campaign: &CampaignId) -> Result<(), AnalyticsError> {
    let sql =
        format!("SELECT load FROM slice_loads WHERE campaign = '{campaign}' GROUP BY load ORDER BY max(loaded) DESC, load OFFSET {KEPT}");
    try_join_all(slices.servers.iter().map(async |server| {
        let older: Vec<LoadId> = server.rows("older loads", &sql).await?;
        for LoadId { load } in older {
            for table in TABLE_NAMES.iter().rev() {
                server.execute("an older load", &format!("ALTER TABLE {table} DROP PARTITION '{load}'")).await?;
            }
        }
        Ok::<_, AnalyticsError>(())
    }))
    .await?;
    Ok(())
}
