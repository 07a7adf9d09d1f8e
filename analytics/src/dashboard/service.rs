//! State of the page: the shown snapshot, and why there is no newer one.
//!
//! Guarantees: a stored snapshot is shown from the first request on, whether the warehouse responds or not; a newer one replaces it
//! atomically. While the warehouse is unavailable the last snapshot stays, with its as-of instant and a notice. [`super::refresh`] updates
//! the state.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use jiff::Timestamp;
use qamtu_schemas::id::CampaignId;
use tokio::sync::Mutex;

use crate::{
    access::Reader, coverage::Snapshot, error::AnalyticsError, facts_store::FactsStore, locale::Language, metrics, published::Published,
    report, snapshot_identity::SnapshotId, snapshot_store::SnapshotStore, statement::Statement,
};

/// The shown snapshot, and the facts that it was computed from; none until they are read.
type Shown = (Option<Arc<Snapshot>>, Option<Arc<FactsStore>>);

/// Cached reports of the shown snapshot.
type Reports = (Option<SnapshotId>, HashMap<(Language, Reader), Bytes>);

/// Outcome of the last refresh: why there are no newer figures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum RefreshStatus {
    /// The newest computed figures are shown.
    #[default]
    UpToDate,
    /// A query of the warehouse failed; the last page stays.
    WarehouseUnavailable,
    /// The warehouse refuses the user name or the password.
    AccessDenied,
    /// The campaign is not configured; the list has the configured ones.
    UnknownCampaign(Vec<CampaignId>),
    /// Newer figures would disclose small counts; they are shown with later records.
    HeldBack,
}

/// State shared by all handlers and the refresh loop.
pub struct DashboardState {
    campaign: CampaignId,
    shown: RwLock<Shown>,
    status: RwLock<RefreshStatus>,
    draining: AtomicBool,
    /// The store, and the snapshot that was last marked as reported.
    store: Arc<std::sync::Mutex<(SnapshotStore, Option<SnapshotId>)>>,
    // One report is typeset at a time, so that a burst of requests cannot use every core.
    reports: Mutex<Reports>,
}

impl DashboardState {
    /// Shows the latest stored snapshot of a campaign, or none.
    pub fn new(campaign: CampaignId, snapshots: SnapshotStore) -> Result<Self, AnalyticsError> {
        let latest = snapshots.latest(&campaign, Timestamp::now())?;
        Ok(Self::with_snapshot(campaign, snapshots, latest))
    }

    /// Shows this snapshot of a campaign, or none.
    pub fn with_snapshot(campaign: CampaignId, snapshots: SnapshotStore, shown: Option<Snapshot>) -> Self {
        Self {
            campaign,
            shown: RwLock::new((shown.map(Arc::new), None)),
            status: RwLock::new(RefreshStatus::UpToDate),
            draining: AtomicBool::new(false),
            store: Arc::new(std::sync::Mutex::new((snapshots, None))),
            reports: Mutex::new((None, HashMap::new())),
        }
    }

    /// Id of the campaign that is served.
    pub fn campaign(&self) -> &CampaignId {
        &self.campaign
    }

    /// The shown snapshot; none before the first calculation.
    pub fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.shown.read().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    /// The shown snapshot, and the facts that it was computed from.
    pub fn snapshot_and_facts(&self) -> Option<(Arc<Snapshot>, Arc<FactsStore>)> {
        let (snapshot, facts) = &*self.shown.read().unwrap_or_else(PoisonError::into_inner);
        snapshot.clone().zip(facts.clone())
    }

    /// Shows a snapshot from now on, and answers slices from its facts.
    pub fn show(&self, snapshot: Snapshot, facts: Arc<FactsStore>) {
        metrics::snapshot_shown(&snapshot);
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = (Some(Arc::new(snapshot)), Some(facts));
    }

    /// Answers slices from the facts of the snapshot that is shown already.
    pub fn set_facts(&self, facts: Arc<FactsStore>) {
        self.shown.write().unwrap_or_else(PoisonError::into_inner).1 = Some(facts);
    }

    /// Sets the outcome of a refresh; true if it differs from the previous one.
    pub fn set_status(&self, status: RefreshStatus) -> bool {
        metrics::warehouse_answers(!matches!(status, RefreshStatus::WarehouseUnavailable | RefreshStatus::AccessDenied));
        metrics::held_back(status == RefreshStatus::HeldBack);
        let mut current = self.status.write().unwrap_or_else(PoisonError::into_inner);
        let is_new = *current != status;
        *current = status;
        is_new
    }

    /// The outcome of the last refresh.
    pub fn status(&self) -> RefreshStatus {
        self.status.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes the service report that it is not ready, before shutdown.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Why the service is not ready; none if it is.
    pub fn not_ready(&self) -> Option<String> {
        if self.draining.load(Ordering::Relaxed) {
            return Some("draining".to_owned());
        }
        if self.snapshot().is_some() {
            return None;
        }
        Some(match self.status() {
            RefreshStatus::WarehouseUnavailable => "no figures yet: the warehouse does not answer".to_owned(),
            RefreshStatus::AccessDenied => "no figures yet: the warehouse refuses clickhouse.user or clickhouse.password".to_owned(),
            RefreshStatus::UnknownCampaign(known) => AnalyticsError::UnknownCampaign { campaign: self.campaign.clone(), known }.to_string(),
            RefreshStatus::UpToDate | RefreshStatus::HeldBack => "no figures yet: the first calculation has not ended".to_owned(),
        })
    }

    /// Marks a snapshot as reported before a report of it is sent.
    async fn mark_reported(&self, id: SnapshotId) -> Result<(), AnalyticsError> {
        let store = self.store.clone();
        let mark = move || -> Result<(), AnalyticsError> {
            let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
            if store.1 != Some(id) {
                store.0.mark_reported(id)?;
                store.1 = Some(id);
            }
            Ok(())
        };
        tokio::task::spawn_blocking(mark).await.map_err(AnalyticsError::TaskFailed)?
    }

    /// The report of a snapshot, typeset once per snapshot, language and reader.
    pub async fn report(&self, published: Published, language: Language) -> Result<Bytes, AnalyticsError> {
        self.mark_reported(published.snapshot).await?;
        let mut reports = self.reports.lock().await;
        if reports.0 != Some(published.snapshot) {
            *reports = (Some(published.snapshot), HashMap::new());
        }
        let key = (language, published.reader.clone());
        if let Some(report) = reports.1.get(&key) {
            return Ok(report.clone());
        }
        let typeset = move || report::pdf(&published, &Statement::new(&published, language));
        let report = Bytes::from(tokio::task::spawn_blocking(typeset).await.map_err(AnalyticsError::TaskFailed)??);
        reports.1.insert(key, report.clone());
        Ok(report)
    }
}
