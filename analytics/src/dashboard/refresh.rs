//! RefreshLoop: what the page shows follows the warehouse and the clock.
//!
//! Guarantees: figures are computed anew when the log was read further, and also while it was not, since reports go missing and the data
//! grows old. A state that would tell about few people is held back; the one that is shown then still follows the clock, with the records
//! that it knows. A fault never takes away what is shown.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};

use super::service::{DashboardState, RefreshStatus};
use crate::{
    access::Role,
    compute::{coverage, save, select},
    coverage::Coverage,
    coverage::Snapshot,
    error::AnalyticsError,
    facts::Warehouse,
    identity::Selection,
    identity::SnapshotId,
    metrics,
    publication::{check_release, publish},
    snapshot_store::SnapshotStore,
};

/// How often the warehouse is asked whether its watermark has moved.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// After how long figures are computed anew although no record came in.
const MAX_AGE: SignedDuration = SignedDuration::from_mins(10);

/// What the loop reads from and writes to.
pub(super) struct RefreshLoop {
    pub(super) service: Arc<DashboardState>,
    pub(super) warehouse: Warehouse,
    pub(super) snapshots: SnapshotStore,
    /// Whose state of knowledge is followed.
    pub(super) role: Role,
}

impl RefreshLoop {
    /// Renews until its task ends.
    pub(super) async fn run(mut self) {
        let mut seen: Option<(Selection, RefreshStatus)> = None;
        loop {
            let status = match self.refresh_if_due(&mut seen).await {
                Ok(status) => status,
                Err(AnalyticsError::UnknownCampaign { campaign, known }) => {
                    let status = RefreshStatus::UnknownCampaign(known.clone());
                    if self.service.status() != status {
                        tracing::warn!("{}", AnalyticsError::UnknownCampaign { campaign, known });
                    }
                    status
                }
                Err(error) => {
                    let status = if error.is_access_denied() { RefreshStatus::AccessDenied } else { RefreshStatus::WarehouseUnavailable };
                    if self.service.status() != status {
                        tracing::warn!("figures cannot be refresh_if_due, the last snapshot stays: {:#}", anyhow::Error::from(error));
                    }
                    status
                }
            };
            if self.service.set_status(status.clone()) && status == RefreshStatus::HeldBack {
                tracing::info!("newer records would tell about few people, so the snapshot that is shown stays until there are more");
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Computes if something is due, and shows what may be shown. `seen` is what was computed last and why it was not shown.
    async fn refresh_if_due(&mut self, seen: &mut Option<(Selection, RefreshStatus)>) -> Result<RefreshStatus, AnalyticsError> {
        let selection = select(&self.warehouse, (self.service.campaign(), None), Timestamp::now()).await?;
        let shown = || self.service.snapshot().map(|shown| (shown.coverage.identity.selection(), RefreshStatus::UpToDate));
        if let Some((_, status)) = seen.clone().or_else(shown).filter(|(known, _)| !is_due(known, &selection)) {
            return Ok(status);
        }
        let outcome = coverage(&self.warehouse, selection.clone()).await;
        metrics::calculation_ended(outcome.is_ok());
        let computed = outcome?;
        let status = if self.show(computed)? { RefreshStatus::UpToDate } else { RefreshStatus::HeldBack };
        if status == RefreshStatus::HeldBack {
            self.advance_clock(&selection).await?;
        }
        *seen = Some((selection, status.clone()));
        Ok(status)
    }

    /// Shows a coverage if it may be shown, and keeps it then.
    fn show(&mut self, computed: Coverage) -> Result<bool, AnalyticsError> {
        let candidate = Snapshot { id: SnapshotId::of(&computed.identity), coverage: computed };
        if check_release(&self.snapshots, self.role, &candidate)?.is_none() {
            return Ok(false);
        }
        let kept = save(&mut self.snapshots, candidate.coverage)?;
        let may_be_shown = publish(&mut self.snapshots, self.role, &kept)?;
        if may_be_shown {
            self.service.set_snapshot(kept);
        }
        Ok(may_be_shown)
    }

    /// Lets the clock of what is shown go on, with the records that it knows.
    async fn advance_clock(&mut self, newer: &Selection) -> Result<(), AnalyticsError> {
        let Some(shown) = self.service.snapshot() else { return Ok(()) };
        let selection = Selection { as_of: newer.as_of, ..shown.coverage.identity.selection() };
        if selection.as_of.duration_since(shown.coverage.identity.as_of) < MAX_AGE {
            return Ok(());
        }
        let passed = coverage(&self.warehouse, selection).await?;
        self.show(passed).map(drop)
    }
}

/// Whether figures of another selection were computed, or so long ago that time has changed them.
fn is_due(known: &Selection, selection: &Selection) -> bool {
    known.offsets != selection.offsets || selection.as_of.duration_since(known.as_of) >= MAX_AGE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Offset;

    #[test]
    fn figures_are_renewed_when_records_come_in_and_when_time_passes_without_any() {
        let selection = |as_of: &str, next| Selection {
            campaign: "test".parse().unwrap(),
            offsets: vec![Offset { topic: "events".to_owned(), partition: 0, next }],
            as_of: as_of.parse().unwrap(),
        };
        let known = selection("2026-03-01T00:00:00Z", 7);
        assert!(!is_due(&known, &known));
        assert!(!is_due(&known, &selection("2026-03-01T00:09:59Z", 7)));
        assert!(is_due(&known, &selection("2026-03-01T00:00:02Z", 8)));
        assert!(is_due(&known, &selection("2026-03-01T00:10:00Z", 7)), "reports go missing meanwhile, and the data grows old");
    }
}
