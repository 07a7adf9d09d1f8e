//! What the page shows now, and how it is renewed.
//!
//! Guarantees: a stored snapshot is shown from the first request on, whether the warehouse answers or not; a newer one replaces it whole.
//! While the warehouse is away the last snapshot stays, with its as-of and a notice.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use qamtu_schemas::id::CampaignId;
use tokio::sync::Mutex;

use crate::{
    access::Reader,
    compute::compute,
    error::AnalyticsError,
    facts::Warehouse,
    locale::Language,
    metrics,
    published::Published,
    report,
    snapshot::{Snapshot, SnapshotId, Snapshots},
    statement::Statement,
};

/// How often the warehouse is asked whether its watermark has moved.
const EVERY: Duration = Duration::from_secs(2);

/// Reports of the snapshot that is shown.
type Reports = (Option<SnapshotId>, HashMap<(Language, Reader), Bytes>);

/// The state of the page.
pub struct Service {
    campaign: CampaignId,
    shown: RwLock<Option<Arc<Snapshot>>>,
    stale: AtomicBool,
    draining: AtomicBool,
    /// Where snapshots are kept, and the last one that was noted as reported.
    kept: Arc<std::sync::Mutex<(Snapshots, Option<SnapshotId>)>>,
    // One report is set at a time, so that a burst of requests cannot take every core.
    reports: Mutex<Reports>,
}

impl Service {
    /// Shows the newest stored snapshot of a campaign, if there is one.
    pub fn new(campaign: CampaignId, snapshots: Snapshots) -> Result<Self, AnalyticsError> {
        let shown = snapshots.latest(&campaign)?.map(Arc::new);
        Ok(Self {
            campaign,
            shown: RwLock::new(shown),
            stale: AtomicBool::new(false),
            draining: AtomicBool::new(false),
            kept: Arc::new(std::sync::Mutex::new((snapshots, None))),
            reports: Mutex::new((None, HashMap::new())),
        })
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

    /// Says whether the warehouse answers.
    pub fn warehouse(&self, answers: bool) {
        metrics::warehouse(answers);
        self.stale.store(!answers, Ordering::Relaxed);
    }

    /// Whether the warehouse did not answer last time.
    pub fn stale(&self) -> bool {
        self.stale.load(Ordering::Relaxed)
    }

    /// No further requests, please.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether requests are welcome.
    pub fn ready(&self) -> bool {
        !self.draining.load(Ordering::Relaxed)
    }

    /// Notes that figures of a snapshot leave as a file, so that its bytes stay for good.
    pub async fn reported(&self, id: SnapshotId) -> Result<(), AnalyticsError> {
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

/// Computes anew whenever the watermark has moved; ends with its task.
pub(super) async fn renew(service: Arc<Service>, warehouse: Warehouse, mut snapshots: Snapshots) {
    loop {
        let outcome = renewed(&service, &warehouse, &mut snapshots).await;
        match outcome {
            Ok(()) => service.warehouse(true),
            // A campaign that is not configured yet is no trouble of the warehouse.
            Err(AnalyticsError::NotConfigured(_)) => service.warehouse(true),
            Err(error) => {
                if !service.stale() {
                    tracing::warn!("figures cannot be renewed, the last snapshot stays: {:#}", anyhow::Error::from(error));
                }
                service.warehouse(false);
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn renewed(service: &Service, warehouse: &Warehouse, snapshots: &mut Snapshots) -> Result<(), AnalyticsError> {
    let offsets = warehouse.offsets().await?;
    if service.shown().is_some_and(|shown| shown.coverage.identity.offsets == offsets) {
        return Ok(());
    }
    let snapshot = compute(warehouse, snapshots, (&service.campaign, None)).await;
    metrics::computed(snapshot.is_ok());
    service.show(snapshot?);
    Ok(())
}
