//! Slices that ClickHouse counts: the same figures as [`crate::slice`], by SQL, on one server or on several that share the people.
//!
//! 1. [`load_writer`] writes the columns of a facts store to every server: all meetings, and the attendances of the server's share of the people.
//! 2. [`sql`] writes a resolved query as SQL; every server answers it for its people.
//! 3. [`answer`] adds up the answers. A person is on one server, so different people add up, and no set of people is sent anywhere.
//!
//! Names, bounds and voters come from the catalog, which is stored with the load, as [`crate::slice`] has them from its store.
//!
//! Guarantees: a load is used if every server finished it, has all of its rows after the query, and has the place among the servers that it had
//! when it was loaded. So a load that was removed, damaged or half written is an error and never a smaller figure. Servers have
//! numbers of people and no pseudonyms; the first one also has the ids of meetings and places. They drop a load about a day after it was written,
//! and earlier if four newer ones of the campaign are there and it is older than ten minutes; who still reads it then gets an error. Servers need not know one another.
//!
//! Limits: an address must always lead to the same server. The process that loads holds the facts store in memory. Queries hold the catalog only.

mod answer;
mod load;
mod load_writer;
mod server;
mod sql;

use jiff::Timestamp;
use qamtu_schemas::id::CampaignId;

use crate::{
    config::SliceServers,
    error::AnalyticsError,
    facts::WarehouseId,
    facts_store::FactsStore,
    slice::{ResolvedQuery, SliceTable, table},
    slice_query::SliceQuery,
    snapshot_identity::SnapshotId,
};
pub use load::Load;
use server::{Server, shown_url};

/// The ClickHouse servers that count slices.
#[derive(Debug)]
pub struct ClickHouseSlices {
    /// At least one. The first one also adds up the meetings, and keeps the catalog.
    servers: Vec<Server>,
    /// The warehouse that the facts come from: others may load a campaign of the same name.
    warehouse: WarehouseId,
}

/// Which load a query is answered from.
#[derive(Debug, Clone, Copy)]
pub enum LoadSelector {
    /// That of exactly these facts.
    Of(SnapshotId),
    /// That of the newest facts at the time when it was loaded, if that was this instant or later.
    NewestSince(Timestamp),
}

/// Whether the facts of a load were the newest ones when it was loaded, or those of an instant that somebody chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactsAge {
    /// No instant was chosen.
    Newest,
    /// Those of a chosen instant, which answer no query without one.
    OfInstant,
}

impl ClickHouseSlices {
    /// The servers of the settings, for facts of a warehouse; sends no query.
    pub fn new(servers: &SliceServers, warehouse: WarehouseId) -> Result<Self, AnalyticsError> {
        if servers.urls.is_empty() {
            return Err(AnalyticsError::NoSliceServers);
        }
        if let Some((_, url)) = servers.urls.iter().enumerate().find(|(at, url)| servers.urls[..*at].contains(url)) {
            return Err(AnalyticsError::SliceServerTwice { url: shown_url(url) });
        }
        let servers = servers.urls.iter().map(|url| Server::new(url, servers)).collect();
        Ok(Self { servers, warehouse })
    }

    fn first(&self) -> &Server {
        &self.servers[0]
    }

    /// Finds a load that every server has whole.
    pub async fn find(&self, campaign: &CampaignId, selector: LoadSelector) -> Result<Option<Load>, AnalyticsError> {
        load::find(self, campaign, selector).await
    }

    /// Writes a store to the servers, and drops older loads of the campaign.
    pub async fn load(&self, store: &FactsStore, age: FactsAge, now: Timestamp) -> Result<Load, AnalyticsError> {
        load_writer::write(self, store, age, now).await
    }

    /// Evaluates a query over a load. Fails with [`AnalyticsError::LoadGone`] if a server does not have all of it any more.
    pub async fn slice(&self, load: &Load, query: &SliceQuery) -> Result<SliceTable, AnalyticsError> {
        let resolved = ResolvedQuery::new(load.catalog(), query)?;
        let groups = answer::groups(self, load, &resolved).await?;
        load.check(self).await?;
        Ok(table(load.catalog(), &resolved, groups))
    }
}
