//! Loads: what the servers have of a campaign at one instant. Finds one, checks that it is still whole, and drops older ones.

use clickhouse::Row;
use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use qamtu_schemas::id::CampaignId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ClickHouseSlices, LoadSelector, server::Server};
use crate::{
    coverage::DEFINITION,
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
/// How long others may still read a load that is not among them, from the time when it began to be written.
const READ_FOR: SignedDuration = SignedDuration::from_mins(10);
/// How long it may take to load: what is older and not finished never will be.
const LOADED_WITHIN: SignedDuration = SignedDuration::from_hours(2);

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
    definition: u32,
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
struct CountedRows {
    attendances: u64,
    meetings: u64,
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

    /// Fails if a server does not have exactly the rows of the load. They are never added later, so a query before this had all of them.
    pub(super) async fn check(&self, slices: &ClickHouseSlices) -> Result<(), AnalyticsError> {
        if are_whole(slices, self.id, &self.rows).await? { Ok(()) } else { Err(AnalyticsError::LoadGone { load: self.id }) }
    }
}

impl Description {
    pub(super) fn of(store: &FactsStore) -> Self {
        Self {
            layout: LAYOUT,
            definition: DEFINITION,
            sums: sum_names(),
            as_of: store.facts().selection.as_of,
            synthetic: store.is_synthetic(),
            catalog: store.catalog().clone(),
        }
    }

    /// Whether this version of the program wrote it.
    fn is_current(&self) -> bool {
        self.layout == LAYOUT && self.definition == DEFINITION && self.sums == sum_names()
    }
}

fn sum_names() -> Vec<String> {
    MeetingSums::ALL.iter().map(|(name, _)| (*name).to_owned()).collect()
}

/// Finds the load that a selector names. One of another version of this program, or one that lost rows, is none.
pub(super) async fn find(slices: &ClickHouseSlices, campaign: &CampaignId, selector: LoadSelector) -> Result<Option<Load>, AnalyticsError> {
    create_tables(slices).await?;
    let condition = match selector {
        LoadSelector::Of(snapshot) => format!("snapshot = '{snapshot}'"),
        LoadSelector::NewestSince(instant) => format!("is_newest AND toInt64(loaded) >= {}", instant.as_second()),
    };
    let loads = format!(
        "SELECT load FROM slice_loads WHERE campaign = '{campaign}' AND warehouse = '{}' AND server = 0 AND {condition} \
         ORDER BY loaded DESC, load LIMIT {KEPT}",
        slices.warehouse.as_str()
    );
    for LoadId { load } in slices.first().rows("the loads", &loads).await? {
        let description = format!("SELECT description FROM slice_loads WHERE load = '{load}'");
        let description: Vec<String> = slices.first().rows("a load", &description).await?;
        let parse = |json: &String| serde_json::from_str::<Description>(json).ok().filter(Description::is_current);
        let Some(description) = description.first().and_then(parse) else { continue };
        let Some(rows) = rows_of(slices, load).await? else { continue };
        if are_whole(slices, load, &rows).await? {
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

/// Whether each server has exactly its rows of a load.
pub(super) async fn are_whole(slices: &ClickHouseSlices, load: Uuid, rows: &[LoadRows]) -> Result<bool, AnalyticsError> {
    let sql = format!(
        "SELECT assumeNotNull((SELECT count() FROM slice_attendance WHERE load = '{load}')) AS attendances, \
         assumeNotNull((SELECT count() FROM slice_meetings WHERE load = '{load}')) AS meetings"
    );
    let counted = try_join_all(slices.servers.iter().map(|server| server.rows::<CountedRows>("the rows of a load", &sql))).await?;
    let is_whole = |(rows, counted): (&LoadRows, &Vec<CountedRows>)| matches!(counted[..], [CountedRows { attendances, meetings }] if attendances == rows.attendances && meetings == rows.meetings);
    Ok(rows.iter().zip(&counted).all(is_whole))
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

/// Drops the older loads of a campaign that nobody can be reading any more, and what was never finished, on every server.
pub(super) async fn drop_older(slices: &ClickHouseSlices, campaign: &CampaignId, own: Uuid, now: Timestamp) -> Result<(), AnalyticsError> {
    let before = |span: SignedDuration| now.checked_sub(span).unwrap_or(Timestamp::MIN).as_second();
    let older = format!(
        "SELECT load FROM (SELECT load, loaded FROM slice_loads WHERE campaign = '{campaign}' AND warehouse = '{}' AND load != '{own}' \
         ORDER BY loaded DESC, load OFFSET {}) WHERE toInt64(loaded) < {} \
         UNION ALL SELECT DISTINCT load FROM slice_meetings WHERE toInt64(loaded) < {} AND load NOT IN (SELECT load FROM slice_loads)",
        slices.warehouse.as_str(),
        KEPT - 1,
        before(READ_FOR),
        before(LOADED_WITHIN)
    );
    try_join_all(slices.servers.iter().map(async |server| {
        for LoadId { load } in server.rows("older loads", &older).await? {
            drop_rows(server, load).await?;
        }
        Ok::<_, AnalyticsError>(())
    }))
    .await?;
    Ok(())
}

/// Drops what a server has of a load; that it is finished is forgotten first.
pub(super) async fn drop_rows(server: &Server, load: Uuid) -> Result<(), AnalyticsError> {
    for table in TABLE_NAMES.iter().rev() {
        server.execute("a load that is dropped", &format!("ALTER TABLE {table} DROP PARTITION '{load}'")).await?;
    }
    Ok(())
}
