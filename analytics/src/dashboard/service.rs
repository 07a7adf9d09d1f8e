//! What the page shows now, and why it shows nothing or nothing newer.
//!
//! Guarantees: a stored snapshot is shown from the first request on, whether the warehouse answers or not; a newer one replaces it whole.
//! While the warehouse is away the last snapshot stays, with its as-of and a notice. How it is refresh_if_due is left to [`super::refresh`].

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
    access::Reader, coverage::Snapshot, error::AnalyticsError, identity::SnapshotId, locale::Language, metrics, published::Published,
    report, snapshot_store::SnapshotStore, statement::Statement,
};

/// Reports of the snapshot that is shown.
type Reports = (Option<SnapshotId>, HashMap<(Language, Reader), Bytes>);

/// Why nothing newer is shown, or nothing at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum RefreshStatus {
    /// The newest computed figures are shown.
    #[default]
    UpToDate,
    /// The warehouse does not answer, or not as it should.
    WarehouseUnavailable,
    /// The warehouse refuses the user name or the password.
    AccessDenied,
    /// The campaign is not configured; these are.
    UnknownCampaign(Vec<CampaignId>),
    /// Newer records would tell about few people; they are shown with later ones.
    HeldBack,
}

/// The state of the page.
pub struct DashboardState {
    campaign: CampaignId,
    shown: RwLock<Option<Arc<Snapshot>>>,
    status: RwLock<RefreshStatus>,
    draining: AtomicBool,
    /// Where snapshots are kept, and the last one that was noted as reported.
    kept: Arc<std::sync::Mutex<(SnapshotStore, Option<SnapshotId>)>>,
    // One report is set at a time, so that a burst of requests cannot take every core.
    reports: Mutex<Reports>,
}

impl DashboardState {
    /// Shows the latest stored snapshot of a campaign, if there is one.
    pub fn new(campaign: CampaignId, snapshots: SnapshotStore) -> Result<Self, AnalyticsError> {
        let latest = snapshots.latest(&campaign, Timestamp::now())?;
        Ok(Self::with_snapshot(campaign, snapshots, latest))
    }

    /// Shows a snapshot of a campaign, or none yet.
    pub fn with_snapshot(campaign: CampaignId, snapshots: SnapshotStore, shown: Option<Snapshot>) -> Self {
        Self {
            campaign,
            shown: RwLock::new(shown.map(Arc::new)),
            status: RwLock::new(RefreshStatus::UpToDate),
            draining: AtomicBool::new(false),
            kept: Arc::new(std::sync::Mutex::new((snapshots, None))),
            reports: Mutex::new((None, HashMap::new())),
        }
    }

    /// Id of the campaign that is served.
    pub fn campaign(&self) -> &CampaignId {
        &self.campaign
    }

    /// The snapshot that is shown.
    pub fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.shown.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Shows a snapshot from now on.
    pub fn set_snapshot(&self, snapshot: Snapshot) {
        metrics::snapshot_shown(&snapshot);
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(snapshot));
    }

    /// Says why nothing newer is shown; true if that was not known before.
    pub fn set_status(&self, status: RefreshStatus) -> bool {
        metrics::warehouse_answers(!matches!(status, RefreshStatus::WarehouseUnavailable | RefreshStatus::AccessDenied));
        metrics::held_back(status == RefreshStatus::HeldBack);
        let mut held = self.status.write().unwrap_or_else(PoisonError::into_inner);
        let is_new = *held != status;
        *held = status;
        is_new
    }

    /// Why nothing newer is shown.
    pub fn status(&self) -> RefreshStatus {
        self.status.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// No further requests, please.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Why no figures can be shown; none if they can.
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

    /// Notes that a report of a snapshot leaves, so that its bytes stay for good.
    async fn mark_reported(&self, id: SnapshotId) -> Result<(), AnalyticsError> {
        let kept = self.kept.clone();
        let note = move || -> Result<(), AnalyticsError> {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.1 != Some(id) {
                kept.0.mark_reported(id)?;
                kept.1 = Some(id);
            }
            Ok(())
        };
        tokio::task::spawn_blocking(note).await.map_err(AnalyticsError::TaskFailed)?
    }

    /// The report of the snapshot that is shown, set once per snapshot, language and reader.
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
        let set = move || report::pdf(&published, &Statement::new(&published, language));
        let report = Bytes::from(tokio::task::spawn_blocking(set).await.map_err(AnalyticsError::TaskFailed)??);
        reports.1.insert(key, report.clone());
        Ok(report)
    }
}
