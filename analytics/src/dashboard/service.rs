//! What the page shows now, and why it shows nothing or nothing newer.
//!
//! Guarantees: a stored snapshot is shown from the first request on, whether the warehouse answers or not; a newer one replaces it whole.
//! While the warehouse is away the last snapshot stays, with its as-of and a notice. How it is renewed is left to [`super::renewal`].

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
    access::Reader,
    error::AnalyticsError,
    locale::Language,
    metrics,
    published::Published,
    report,
    snapshot::{Snapshot, SnapshotId, Snapshots},
    statement::Statement,
};

/// Reports of the snapshot that is shown.
type Reports = (Option<SnapshotId>, HashMap<(Language, Reader), Bytes>);

/// Why nothing newer is shown, or nothing at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Trouble {
    /// There is none.
    #[default]
    None,
    /// The warehouse does not answer, or not as it should.
    Warehouse,
    /// The warehouse refuses the user name or the password.
    Denied,
    /// The campaign is not configured; these are.
    UnknownCampaign(Vec<CampaignId>),
    /// Newer records would tell about few people; they are shown with later ones.
    HeldBack,
}

/// The state of the page.
pub struct Service {
    campaign: CampaignId,
    shown: RwLock<Option<Arc<Snapshot>>>,
    trouble: RwLock<Trouble>,
    draining: AtomicBool,
    /// Where snapshots are kept, and the last one that was noted as reported.
    kept: Arc<std::sync::Mutex<(Snapshots, Option<SnapshotId>)>>,
    // One report is set at a time, so that a burst of requests cannot take every core.
    reports: Mutex<Reports>,
}

impl Service {
    /// Shows the latest stored snapshot of a campaign, if there is one.
    pub fn new(campaign: CampaignId, snapshots: Snapshots) -> Result<Self, AnalyticsError> {
        let latest = snapshots.latest(&campaign, Timestamp::now())?;
        Ok(Self::showing(campaign, snapshots, latest))
    }

    /// Shows a snapshot of a campaign, or none yet.
    pub fn showing(campaign: CampaignId, snapshots: Snapshots, shown: Option<Snapshot>) -> Self {
        Self {
            campaign,
            shown: RwLock::new(shown.map(Arc::new)),
            trouble: RwLock::new(Trouble::None),
            draining: AtomicBool::new(false),
            kept: Arc::new(std::sync::Mutex::new((snapshots, None))),
            reports: Mutex::new((None, HashMap::new())),
        }
    }

    /// The campaign.
    pub fn campaign(&self) -> &CampaignId {
        &self.campaign
    }

    /// The snapshot that is shown.
    pub fn shown(&self) -> Option<Arc<Snapshot>> {
        self.shown.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Shows a snapshot from now on.
    pub fn show(&self, snapshot: Snapshot) {
        metrics::shown(&snapshot);
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(snapshot));
    }

    /// Says why nothing newer is shown; true if that was not known before.
    pub fn tell(&self, trouble: Trouble) -> bool {
        metrics::warehouse(!matches!(trouble, Trouble::Warehouse | Trouble::Denied));
        metrics::held_back(trouble == Trouble::HeldBack);
        let mut held = self.trouble.write().unwrap_or_else(PoisonError::into_inner);
        let is_new = *held != trouble;
        *held = trouble;
        is_new
    }

    /// Why nothing newer is shown.
    pub fn trouble(&self) -> Trouble {
        self.trouble.read().unwrap_or_else(PoisonError::into_inner).clone()
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
        if self.shown().is_some() {
            return None;
        }
        Some(match self.trouble() {
            Trouble::Warehouse => "no figures yet: the warehouse does not answer".to_owned(),
            Trouble::Denied => "no figures yet: the warehouse refuses clickhouse.user or clickhouse.password".to_owned(),
            Trouble::UnknownCampaign(known) => AnalyticsError::UnknownCampaign { campaign: self.campaign.clone(), known }.to_string(),
            Trouble::None | Trouble::HeldBack => "no figures yet: the first calculation has not ended".to_owned(),
        })
    }

    /// Notes that a report of a snapshot leaves, so that its bytes stay for good.
    async fn reported(&self, id: SnapshotId) -> Result<(), AnalyticsError> {
        let kept = self.kept.clone();
        let note = move || -> Result<(), AnalyticsError> {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.1 != Some(id) {
                kept.0.report(id)?;
                kept.1 = Some(id);
            }
            Ok(())
        };
        tokio::task::spawn_blocking(note).await.map_err(AnalyticsError::CutOff)?
    }

    /// The report of the snapshot that is shown, set once per snapshot, language and reader.
    pub async fn report(&self, published: Published, language: Language) -> Result<Bytes, AnalyticsError> {
        self.reported(published.snapshot).await?;
        let mut reports = self.reports.lock().await;
        if reports.0 != Some(published.snapshot) {
            *reports = (Some(published.snapshot), HashMap::new());
        }
        let key = (language, published.reader.clone());
        if let Some(report) = reports.1.get(&key) {
            return Ok(report.clone());
        }
        let set = move || report::pdf(&published, &Statement::new(&published, language));
        let report = Bytes::from(tokio::task::spawn_blocking(set).await.map_err(AnalyticsError::CutOff)??);
        reports.1.insert(key, report.clone());
        Ok(report)
    }
}
