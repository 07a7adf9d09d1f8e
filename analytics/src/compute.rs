//! One calculation, from the warehouse to a snapshot.
//!
//! Offsets are read first, so that everything below them is in the facts; whatever comes in meanwhile belongs to the next snapshot.

use jiff::Timestamp;
use qamtu_schemas::id::CampaignId;
use tracing::{error, info};

use crate::{
    error::AnalyticsError,
    facts::Warehouse,
    snapshot::{Snapshot, Snapshots, Stored},
};

/// Computes the coverage of a campaign and keeps it. Without an as-of instant it is when the newest event came in.
pub async fn compute(
    warehouse: &Warehouse,
    snapshots: &mut Snapshots,
    (campaign, as_of): (&CampaignId, Option<Timestamp>),
) -> Result<Snapshot, AnalyticsError> {
    let offsets = warehouse.offsets().await?;
    let facts = warehouse.facts(campaign, offsets).await?;
    let as_of = as_of.or(facts.newest).ok_or_else(|| AnalyticsError::NotConfigured(campaign.clone()))?;
    let coverage = warehouse.coverage(facts, as_of).await?;
    let (snapshot, stored) = snapshots.keep(coverage)?;
    match stored {
        Stored::New | Stored::Same => info!(%campaign, snapshot = %snapshot.id, %as_of, ?stored, "coverage computed"),
        Stored::Differs => error!(
            %campaign, snapshot = %snapshot.id, %as_of,
            "coverage came out differently than the stored snapshot, which stays: the facts below its offsets or this program changed"
        ),
    }
    Ok(snapshot)
}
