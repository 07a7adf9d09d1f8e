//! Refresh loop: recomputes the figures that the page shows.
//!
//! Guarantees: figures are recomputed when the campaign has new records, and periodically, since reports become overdue and data becomes old. A
//! state that would disclose small counts is held back; the shown state is then recomputed with the current time and its own records. An
//! error never removes what is shown.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use qamtu_service::telemetry::error_chain;

use super::service::{DashboardState, RefreshStatus};
use crate::{
    access::Role,
    compute::{FactsSource, coverage_and_store, save, select},
    coverage::Coverage,
    coverage::Snapshot,
    error::AnalyticsError,
    facts_store::FactsStore,
    metrics,
    release_control::{check_release, release},
    snapshot_identity::Selection,
    snapshot_identity::SnapshotId,
    snapshot_store::SnapshotStore,
};

/// Interval at which the offsets of the campaign are queried.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// Age at which figures are recomputed even without new records.
const MAX_AGE: SignedDuration = SignedDuration::from_mins(10);

/// What the loop reads from and writes to.
pub(super) struct RefreshLoop {
    pub(super) service: Arc<DashboardState>,
    pub(super) source: FactsSource,
    pub(super) snapshots: SnapshotStore,
    /// The role that publication is checked for.
    pub(super) role: Role,
}

impl RefreshLoop {
    /// Refreshes until the task is aborted.
    pub(super) async fn run(mut self) {
        let mut last: Option<(Selection, RefreshStatus)> = None;
        loop {
            let status = match self.refresh_if_due(&mut last).await {
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
                        tracing::warn!(error = error_chain(&error), "figures cannot be refreshed, the last snapshot stays");
                    }
                    status
                }
            };
            if self.service.set_status(status.clone()) && status == RefreshStatus::HeldBack {
                tracing::info!("newer records would disclose small counts, so the shown snapshot stays until there are more");
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Recomputes if due, and shows the result if allowed. `last` is the last computed selection and its status.
    async fn refresh_if_due(&mut self, last: &mut Option<(Selection, RefreshStatus)>) -> Result<RefreshStatus, AnalyticsError> {
        let selection = select(&self.source.warehouse, self.service.campaign(), None, Timestamp::now()).await?;
        let shown = || self.service.snapshot().map(|shown| (shown.coverage.identity.selection(), RefreshStatus::UpToDate));
        if let Some((_, status)) = last.clone().or_else(shown).filter(|(known, _)| !is_due(known, &selection)) {
            self.read_shown_facts().await?;
            return Ok(status);
        }
        let outcome = coverage_and_store(&self.source, selection.clone()).await;
        metrics::calculation_ended(outcome.is_ok());
        let (computed, facts) = outcome?;
        let status = if self.show(computed, facts)? { RefreshStatus::UpToDate } else { RefreshStatus::HeldBack };
        if status == RefreshStatus::HeldBack {
            self.advance_clock(&selection).await?;
        }
        *last = Some((selection, status.clone()));
        Ok(status)
    }

    /// Reads the facts of a snapshot that was shown when the service started.
    async fn read_shown_facts(&mut self) -> Result<(), AnalyticsError> {
        if let (None, Some(shown)) = (self.service.snapshot_and_facts(), self.service.snapshot()) {
            let selection = shown.coverage.identity.selection();
            // The store on disk may be that of newer records, which are held back.
            let source = self.source.clone().without_saving();
            self.service.set_facts(source.with_store(selection, |store| Ok(Arc::clone(store))).await?);
        }
        Ok(())
    }

    /// Saves and shows a coverage and its facts if it may be published; false if not.
    fn show(&mut self, computed: Coverage, facts: Arc<FactsStore>) -> Result<bool, AnalyticsError> {
        let candidate = Snapshot { id: SnapshotId::of(&computed.identity), coverage: computed };
        if check_release(&self.snapshots, self.role, &candidate)?.is_none() {
            return Ok(false);
        }
        let saved = save(&mut self.snapshots, candidate.coverage)?;
        let may_be_shown = release(&mut self.snapshots, self.role, &saved)?;
        if may_be_shown {
            self.service.show(saved, facts);
        }
        Ok(may_be_shown)
    }

    /// Recomputes the shown figures with the current time and the records that they were computed from.
    async fn advance_clock(&mut self, newer: &Selection) -> Result<(), AnalyticsError> {
        let Some(shown) = self.service.snapshot() else { return Ok(()) };
        let selection = Selection { as_of: newer.as_of, ..shown.coverage.identity.selection() };
        if selection.as_of.duration_since(shown.coverage.identity.as_of) < MAX_AGE {
            return Ok(());
        }
        let (recomputed, facts) = coverage_and_store(&self.source, selection).await?;
        self.show(recomputed, facts).map(drop)
    }
}

/// Whether the offsets changed, or the figures reached the maximum age.
fn is_due(known: &Selection, selection: &Selection) -> bool {
    known.offsets != selection.offsets || selection.as_of.duration_since(known.as_of) >= MAX_AGE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot_identity::Offset;

    #[test]
    fn figures_are_refreshed_when_records_arrive_and_when_they_are_old() {
        let selection = |as_of: &str, next| Selection {
            campaign: "test".parse().unwrap(),
            offsets: vec![Offset { topic: "events".to_owned(), partition: 0, next }],
            as_of: as_of.parse().unwrap(),
        };
        let known = selection("2026-03-01T00:00:00Z", 7);
        assert!(!is_due(&known, &known));
        assert!(!is_due(&known, &selection("2026-03-01T00:09:59Z", 7)));
        assert!(is_due(&known, &selection("2026-03-01T00:00:02Z", 8)));
        assert!(is_due(&known, &selection("2026-03-01T00:10:00Z", 7)), "reports become overdue and data becomes old");
    }
}
