//! One calculation, from the warehouse to a snapshot.
//!
//! Offsets are read first, so that the facts contain every record below them; records that arrive later belong to the next snapshot. They
//! end at the last record of the campaign, so events of other campaigns move nothing.
//! The as-of instant is never later than the server's clock or, in a synthetic campaign, its simulated clock.

mod attendance;
mod facts_source;
mod load;

use std::sync::Arc;

pub use facts_source::FactsSource;
use jiff::Timestamp;
pub use load::{LoadRequest, load};
use qamtu_schemas::id::CampaignId;
use tracing::{error, info};

use crate::{
    coverage::{Coverage, Snapshot},
    error::AnalyticsError,
    facts::{CampaignRecords, Receipts, WarehouseReader},
    facts_store::FactsStore,
    snapshot_identity::Selection,
    snapshot_store::{SnapshotStore, Stored},
};

/// Computes and saves the coverage of a campaign at an instant; without one, as of now, see [`select`].
pub async fn compute(
    source: &FactsSource,
    snapshots: &mut SnapshotStore,
    campaign: &CampaignId,
    as_of: Option<Timestamp>,
) -> Result<Snapshot, AnalyticsError> {
    let selection = select(&source.warehouse, campaign, as_of, Timestamp::now()).await?;
    let coverage = coverage(source, selection).await?;
    save(snapshots, coverage)
}

/// Selects the records that count; `now` is the time of the server's clock.
pub async fn select(
    warehouse: &WarehouseReader,
    campaign: &CampaignId,
    as_of: Option<Timestamp>,
    now: Timestamp,
) -> Result<Selection, AnalyticsError> {
    let all_records = warehouse.campaign_records(campaign, None, now);
    let (contiguous, campaigns, all_records) = tokio::try_join!(warehouse.contiguous_offsets(), warehouse.campaigns(), all_records)?;
    let Some(configured) = campaigns.iter().find(|configured| configured.campaign == *campaign) else {
        let known = campaigns.into_iter().map(|configured| configured.campaign).collect();
        return Err(AnalyticsError::UnknownCampaign { campaign: campaign.clone(), known });
    };
    // Nearly always no record is missing before the last ones, and none arrived between both queries. If one did, the clock of a synthetic
    // campaign may be that of the record before it.
    let records = match all_records.are_below(&contiguous) {
        true => all_records,
        false => warehouse.campaign_records(campaign, Some(contiguous), now).await?,
    };
    let CampaignRecords { offsets, receipts } = records;
    let receipts = if configured.synthetic { receipts } else { Receipts::default() };
    let as_of = resolve_as_of(as_of, receipts, now)?;
    Ok(Selection { campaign: campaign.clone(), offsets, as_of })
}

/// Computes the coverage of a selection.
pub async fn coverage(source: &FactsSource, selection: Selection) -> Result<Coverage, AnalyticsError> {
    source.with_store(selection, |store| Coverage::of(store)).await
}

/// Computes the coverage of a selection, and keeps the facts that it was computed from.
pub async fn coverage_and_store(source: &FactsSource, selection: Selection) -> Result<(Coverage, Arc<FactsStore>), AnalyticsError> {
    source.with_store(selection, |store| Ok((Coverage::of(store)?, Arc::clone(store)))).await
}

/// Saves a coverage as a snapshot and logs the outcome.
pub fn save(snapshots: &mut SnapshotStore, coverage: Coverage) -> Result<Snapshot, AnalyticsError> {
    let (snapshot, stored) = snapshots.save(coverage)?;
    let identity = &snapshot.coverage.identity;
    let (campaign, as_of) = (&identity.campaign, identity.as_of);
    match stored {
        Stored::New | Stored::Same => info!(%campaign, snapshot = %snapshot.id, %as_of, ?stored, "coverage computed"),
        Stored::Differs => error!(
            %campaign, snapshot = %snapshot.id, %as_of,
            "coverage differs from the stored snapshot, which stays: the records below its offsets or this program changed"
        ),
    }
    Ok(snapshot)
}

/// The as-of instant. `receipts` are those of a synthetic campaign, whose clock is the time of receipt of its newest event. Events received
/// after the server's clock are ignored, unless all events of the campaign are.
fn resolve_as_of(requested: Option<Timestamp>, receipts: Receipts, now: Timestamp) -> Result<Timestamp, AnalyticsError> {
    let latest = receipts.newest.map_or(now, |newest| newest.max(now));
    match requested {
        None => Ok(receipts.newest_past.or(receipts.newest).unwrap_or(now)),
        Some(as_of) if as_of <= latest => Ok(as_of),
        Some(as_of) => Err(AnalyticsError::AsOfAhead { as_of, latest }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn events_from_the_future_do_not_move_the_clock_of_a_campaign() {
        let now = at("2026-11-26T00:00:00Z");
        let real = Receipts::default();
        assert_eq!(resolve_as_of(None, real, now).unwrap(), now);
        let past = at("2026-03-20T07:00:00Z");
        let simulated = Receipts { newest: Some(past), newest_past: Some(past) };
        assert_eq!(resolve_as_of(None, simulated, now).unwrap(), past);
        let ahead = Receipts { newest: Some(at("2027-12-31T00:00:00Z")), newest_past: Some(past) };
        assert_eq!(resolve_as_of(None, ahead, now).unwrap(), past);
        let wholly_ahead = Receipts { newest: Some(at("2027-12-31T00:00:00Z")), newest_past: None };
        assert_eq!(resolve_as_of(None, wholly_ahead, now).unwrap(), at("2027-12-31T00:00:00Z"));
    }

    #[test]
    fn an_as_of_instant_in_the_future_is_refused() {
        let now = at("2026-11-26T00:00:00Z");
        let later = at("2026-11-26T00:00:01Z");
        let simulated = Receipts { newest: Some(at("2027-01-01T00:00:00Z")), newest_past: None };
        assert!(matches!(resolve_as_of(Some(later), Receipts::default(), now), Err(AnalyticsError::AsOfAhead { .. })));
        assert_eq!(resolve_as_of(Some(now), Receipts::default(), now).unwrap(), now);
        assert_eq!(resolve_as_of(Some(later), simulated, now).unwrap(), later);
        assert!(resolve_as_of(Some(at("2027-01-01T00:00:00.000001Z")), simulated, now).is_err());
    }
}
