//! Facts on the servers that count slices: those that were loaded already, or else the current ones.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use qamtu_schemas::id::CampaignId;

use super::{FactsSource, select};
use crate::{
    clickhouse_slices::{ClickHouseSlices, FactsAge, Load, LoadSelector},
    coverage::DEFINITION,
    error::AnalyticsError,
    snapshot_identity::{SnapshotId, SnapshotIdentity},
};

/// Which facts are wanted.
#[derive(Debug, Clone, Copy)]
pub struct LoadRequest<'a> {
    /// Id of the campaign.
    pub campaign: &'a CampaignId,
    /// As-of instant; without one, facts that were the newest ones when they were loaded will do.
    pub as_of: Option<Timestamp>,
    /// How long ago they may have been loaded.
    pub max_age: SignedDuration,
}

/// Finds a load, or reads the facts and loads them; `now` is the time of this program's clock.
pub async fn load(
    source: &FactsSource,
    slices: &ClickHouseSlices,
    LoadRequest { campaign, as_of, max_age }: LoadRequest<'_>,
    now: Timestamp,
) -> Result<Load, AnalyticsError> {
    // A span that begins before all instants admits every load.
    let since = now.checked_sub(max_age).unwrap_or(Timestamp::MIN);
    if as_of.is_none()
        && let Some(load) = slices.find(campaign, LoadSelector::NewestSince(since)).await?
    {
        return Ok(load);
    }
    let selection = select(&source.warehouse, campaign, as_of, now).await?;
    let snapshot = SnapshotId::of(&SnapshotIdentity::of(selection.clone(), DEFINITION));
    if let Some(load) = slices.find(campaign, LoadSelector::Of(snapshot)).await? {
        return Ok(load);
    }
    let store = source.with_store(selection, |store| Ok(Arc::clone(store))).await?;
    let age = if as_of.is_none() { FactsAge::Newest } else { FactsAge::OfInstant };
    slices.load(&store, age, now).await
}
