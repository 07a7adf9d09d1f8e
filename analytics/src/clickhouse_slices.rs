//! Slices that ClickHouse counts: the same figures as [`crate::slice`], by SQL, on one server or on several that share the people.
//!
//! 1. [`load_writer`] writes the columns of a facts store to every server: all meetings, and the attendances of the server's share of the people.
//! 2. [`sql`] writes a resolved query as SQL; every server answers it for its people.
//! 3. [`answer`] adds up the answers. A person is on one server, so different people add up, and no set of people is sent anywhere.
//!
//! Names, bounds and voters come from the catalog, which is stored with the load, as [`crate::slice`] has them from its store.
//!
//! Guarantees: a load is used if every server finished it, has all of its rows after the query, and has the place among the servers that it had
//! when it was loaded. So a load that was removed, damaged or half written is an error and never a smaller figure. Servers have numbers of
//! people and no pseudonyms; they drop a load after a day, and all but the newest four of a campaign. Servers need not know one another.
//!
//! Limits: the process that loads holds the facts store in memory. Queries hold the catalog only.

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
    facts_store::FactsStore,
    slice::{ResolvedQuery, SliceTable, table},
    slice_query::SliceQuery,
    snapshot_identity::SnapshotId,
};
pub use load::Load;
use server::Server;

/// The ClickHouse servers that count slices.
#[derive(Debug)]
pub struct ClickHouseSlices {
    /// At least one. The first one also adds up the meetings, and keeps the catalog.
    servers: Vec<Server>,
}

/// Which load a query is answered from.
#[derive(Debug, Clone, Copy)]
pub enum LoadSelector {
    /// That of exactly these facts.
    Of(SnapshotId),
    /// The newest one, if it was loaded at this instant or later.
    LoadedSince(Timestamp),
}

impl ClickHouseSlices {
    /// The servers of the settings; sends no query.
    pub fn new(servers: &SliceServers) -> Result<Self, AnalyticsError> {
        match &servers.urls[..] {
            [] => Err(AnalyticsError::NoSliceServers),
            urls => Ok(Self { servers: urls.iter().map(|url| Server::new(url, servers)).collect() }),
        }
    }

    fn first(&self) -> &Server {
        &self.servers[0]
    }

    /// Finds a load that every server has.
    pub async fn find(&self, campaign: &CampaignId, selector: LoadSelector) -> Result<Option<Load>, AnalyticsError> {
        load::find(self, campaign, selector).await
    }

    /// Writes a store to the servers, and drops older loads of the campaign.
    pub async fn load(&self, store: &FactsStore, now: Timestamp) -> Result<Load, AnalyticsError> {
        load_writer::write(self, store, now).await
    }

    /// Evaluates a query over a load. Fails with [`AnalyticsError::LoadGone`] if a server does not have all of it any more.
    pub async fn slice(&self, load: &Load, query: &SliceQuery) -> Result<SliceTable, AnalyticsError> {
        let resolved = ResolvedQuery::new(load.catalog(), query)?;
        let groups = answer::groups(self, load, &resolved).await?;
        load::check(self, load).await?;
        Ok(table(load.catalog(), &resolved, groups))
    }
}
