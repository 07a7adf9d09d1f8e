//! `report`: a PDF from a stored snapshot; needs no warehouse.

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use qamtu_schemas::id::CampaignId;

use crate::{
    access::Reader, config::Config, coverage::Snapshot, error::AnalyticsError, locale::Language, published::Published,
    release_control::release, report, snapshot_identity::SnapshotId, snapshot_store::SnapshotStore, statement::Statement,
};

/// Arguments of the subcommand `report`.
#[derive(Debug, Args)]
pub struct ReportCommand {
    /// Id of the campaign to report on.
    #[arg(long)]
    pub campaign: CampaignId,
    /// Id of a snapshot, or `latest`.
    #[arg(long, default_value = "latest", value_parser = parse_selector)]
    pub snapshot: SnapshotSelector,
    /// Language of the report: `kk`, `ru` or `en`.
    #[arg(long)]
    pub lang: Language,
    /// Path of the PDF file.
    #[arg(long)]
    pub out: PathBuf,
}

/// Which stored snapshot to report.
#[derive(Debug, Clone, Copy)]
pub enum SnapshotSelector {
    /// The newest one of the campaign.
    Latest,
    /// The one with this id.
    Named(SnapshotId),
}

impl SnapshotSelector {
    /// The snapshot of a campaign.
    pub(super) fn find(self, snapshots: &SnapshotStore, campaign: &CampaignId) -> Result<Snapshot, AnalyticsError> {
        match self {
            Self::Latest => {
                snapshots.latest(campaign, Timestamp::now())?.ok_or_else(|| AnalyticsError::NoSnapshot { campaign: campaign.clone() })
            }
            Self::Named(id) => {
                let found = snapshots.get(id)?.filter(|snapshot| snapshot.coverage.identity.campaign == *campaign);
                found.ok_or_else(|| AnalyticsError::UnknownSnapshot { id, campaign: campaign.clone() })
            }
        }
    }
}

pub(super) fn parse_selector(text: &str) -> Result<SnapshotSelector, String> {
    match text {
        "latest" => Ok(SnapshotSelector::Latest),
        name => name
            .parse()
            .map(SnapshotSelector::Named)
            .map_err(|error: crate::snapshot_identity::InvalidSnapshotId| format!("{error}, or `latest`")),
    }
}

impl ReportCommand {
    /// Typesets the report for the configured reader and writes it.
    pub fn run(&self, config: &Config) -> Result<(), AnalyticsError> {
        let mut snapshots = SnapshotStore::open(&config.analytics.dir)?;
        let snapshot = self.snapshot.find(&snapshots, &self.campaign)?;
        let published = Published::new(&snapshot, &Reader::from(&config.reader)).ok_or(AnalyticsError::NoFigures)?;
        if !release(&mut snapshots, config.reader.role, &snapshot)? {
            let released = snapshots.last_release(&self.campaign, config.reader.role)?.map_or(snapshot.id, |last| last.snapshot);
            return Err(AnalyticsError::HeldBack { snapshot: snapshot.id, released });
        }
        snapshots.mark_reported(snapshot.id)?;
        let pdf = report::pdf(&published, &Statement::new(&published, self.lang))?;
        std::fs::write(&self.out, pdf).map_err(|source| AnalyticsError::Write { path: self.out.clone(), source })
    }
}
