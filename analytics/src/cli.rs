//! The command line.

mod diff;
mod equity;
mod estimates;
mod facts_command;
mod forecast;
mod missing_reports;
mod next_meetings;
mod plausibility;
mod report;
mod serve;
mod slice;
mod snapshots;
mod text_table;
mod two_lists;
mod verification;

use std::{
    fs::{File, OpenOptions},
    io::{BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;
use qamtu_schemas::id::CampaignId;

use crate::{
    compute::{FactsSource, compute},
    config::Config,
    csv,
    error::AnalyticsError,
    snapshot_store::SnapshotStore,
    summary::Summary,
};

pub use diff::DiffCommand;
pub use equity::EquityCommand;
pub use estimates::EstimatesCommand;
pub use facts_command::FactsArguments;
pub use forecast::ForecastCommand;
pub use missing_reports::MissingReportsCommand;
pub use next_meetings::NextMeetingsCommand;
pub use plausibility::PlausibilityCommand;
pub use report::{ReportCommand, SnapshotSelector};
pub use serve::ServeCommand;
pub use slice::SliceCommand;
pub use snapshots::SnapshotsCommand;
pub use two_lists::TwoListsCommand;
pub use verification::VerificationCommand;

/// Computes, stores and publishes the coverage of a campaign.
#[derive(Debug, Parser)]
#[command(name = "qamtu-analytics", version)]
pub struct Cli {
    /// Configuration file (TOML); environment variables such as `QAMTU__CLICKHOUSE__URL` override it.
    #[arg(long, global = true)]
    pub config: Option<PathBuf>,
    /// The subcommand with its arguments.
    #[command(subcommand)]
    pub command: Command,
}

/// Subcommands of `qamtu-analytics`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Computes the coverage of a campaign, saves it as a snapshot and prints its id.
    Compute(ComputeCommand),
    /// Serves the page of a campaign; recomputes figures when records arrive and every ten minutes.
    Serve(ServeCommand),
    /// Writes the report of a snapshot as PDF.
    Report(ReportCommand),
    /// Prints the figures of the meetings and people that pass filters, by up to two dimensions.
    Slice(SliceCommand),
    /// Ranks the remaining planned meetings by the voters that each is expected to reach first, and proposes precincts for further ones.
    NextMeetings(NextMeetingsCommand),
    /// Forecasts attendances and reach until the last lawful day.
    Forecast(ForecastCommand),
    /// Lists the due meetings without a report, with the members who can send it.
    MissingReports(MissingReportsCommand),
    /// Lists doubtful reports with their evidence, and the figures without them.
    Plausibility(PlausibilityCommand),
    /// Compares recounts and surveys of others with the counted figures.
    Verification(VerificationCommand),
    /// Estimates how many people were at meetings that were recorded on a sheet and without one.
    TwoLists(TwoListsCommand),
    /// Estimates the reach under other assumptions, beside other estimators.
    Estimates(EstimatesCommand),
    /// Lists the stored snapshots of a campaign.
    Snapshots(SnapshotsCommand),
    /// Shows how evenly a snapshot reaches: between units, between precincts, and within units.
    Equity(EquityCommand),
    /// Explains why two snapshots differ: new meetings, late reports, corrections, the roll, the definition.
    Diff(DiffCommand),
}

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// Tables for people.
    Text,
    /// One JSON object, for programs.
    Json,
}

impl Command {
    /// Runs the subcommand; writes machine-readable output to `out`.
    pub async fn run(self, config: &Config, out: &mut impl Write) -> Result<(), AnalyticsError> {
        match self {
            Self::Compute(compute) => compute.run(config, out).await,
            Self::Serve(serve) => serve.run(config, out).await,
            Self::Report(report) => report.run(config),
            Self::Slice(slice) => slice.run(config, out).await,
            Self::NextMeetings(next) => next.run(config, out).await,
            Self::Forecast(forecast) => forecast.run(config, out).await,
            Self::MissingReports(missing) => missing.run(config, out).await,
            Self::Plausibility(plausibility) => plausibility.run(config, out).await,
            Self::TwoLists(two_lists) => two_lists.run(config, out).await,
            Self::Verification(verification) => verification.run(config, out).await,
            Self::Estimates(estimates) => estimates.run(config, out).await,
            Self::Snapshots(snapshots) => snapshots.run(config, out),
            Self::Equity(equity) => equity.run(config, out),
            Self::Diff(diff) => diff.run(config, out).await,
        }
    }
}

/// Arguments of the subcommand `compute`.
#[derive(Debug, Args)]
pub struct ComputeCommand {
    /// Id of the campaign to compute.
    #[arg(long)]
    pub campaign: CampaignId,
    /// As-of instant, such as `2026-03-16T07:00:00Z`; default: now or, in a synthetic campaign, the time of receipt of the newest event.
    #[arg(long)]
    pub as_of: Option<Timestamp>,
    /// Writes every figure to this path, as CSV.
    #[arg(long)]
    pub csv: Option<PathBuf>,
    /// Writes the headline figures as JSON to this path.
    #[arg(long)]
    pub json: Option<PathBuf>,
}

impl ComputeCommand {
    /// Computes a snapshot and writes the requested files.
    pub async fn run(&self, config: &Config, out: &mut impl Write) -> Result<(), AnalyticsError> {
        let mut snapshots = SnapshotStore::open(&config.analytics.dir)?;
        let source = FactsSource::new(config);
        // The store of an earlier instant would only replace that of the page.
        let source = if self.as_of.is_some() { source.without_saving() } else { source };
        let snapshot = compute(&source, &mut snapshots, &self.campaign, self.as_of).await?;
        if self.csv.is_some() || self.json.is_some() {
            snapshots.mark_reported(snapshot.id)?;
        }
        if let Some(path) = &self.csv {
            write(path, |file| csv::write(&snapshot, file).map_err(std::io::Error::other))?;
        }
        if let Some(path) = &self.json {
            let summary = Summary::from(&snapshot.coverage);
            write(path, |file| serde_json::to_writer_pretty(file, &summary).map_err(std::io::Error::other))?;
        }
        writeln!(out, "{}", serde_json::json!({"snapshot": snapshot.id}))
            .map_err(|source| AnalyticsError::Write { path: "standard output".into(), source })
    }
}

fn write(path: &Path, content: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>) -> Result<(), AnalyticsError> {
    let write = || {
        // Small counts are not suppressed in it, so only its owner may read it.
        let mut options = OpenOptions::new();
        let mut file = BufWriter::new(options.write(true).create(true).truncate(true).mode(0o600).open(path)?);
        content(&mut file)?;
        file.flush()
    };
    write().map_err(|source| AnalyticsError::Write { path: path.to_owned(), source })
}
