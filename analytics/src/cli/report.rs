//! `report`: a PDF from a stored snapshot; needs no warehouse.

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use qamtu_schemas::id::CampaignId;

use crate::{
    access::Reader, config::Config, error::AnalyticsError, locale::Language, published::Published, release_control::release, report,
    snapshot_identity::SnapshotId, snapshot_store::SnapshotStore, statement::Statement,
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
        let snapshot = match self.snapshot {
            SnapshotSelector::Latest => snapshots.latest(&self.campaign, Timestamp::now())?,
            SnapshotSelector::Named(id) => snapshots.get(id)?.filter(|snapshot| snapshot.coverage.identity.campaign == self.campaign),
        };
        let snapshot = snapshot.ok_or_else(|| AnalyticsError::NoSnapshot { campaign: self.campaign.clone() })?;
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
