//! `slice`: figures of any set of meetings and people, computed from the warehouse.

use std::io::{IsTerminal, Write};

use clap::{Args, ValueEnum};
use jiff::{SignedDuration, Timestamp};
use qamtu_schemas::id::CampaignId;

use super::text_table::finish;
use crate::{
    clickhouse_slices::ClickHouseSlices,
    compute::{FactsSource, LoadRequest, load, select},
    config::Config,
    error::AnalyticsError,
    slice::{SliceTable, slice},
    slice_output::{SliceFormat, SliceLine, SliceOutput, SliceSource},
    slice_query::SliceQuery,
    slice_request::SliceRequest,
};

/// What counts a slice. The figures are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SliceEngine {
    /// This process, from the columns that it reads.
    Polars,
    /// The ClickHouse servers of the section `[slices]`, to which the columns are loaded first.
    Clickhouse,
}

/// Arguments of the subcommand `slice`.
#[derive(Debug, Args)]
pub struct SliceCommand {
    /// Id of the campaign.
    #[arg(long)]
    pub campaign: CampaignId,
    /// Up to two dimensions to group by, separated by a comma: meeting, unit, precinct, coalition, party, member, category, format, language, day, week
    /// and evidence of meetings; residence, residence_unit, birth and sex of people.
    #[arg(long, hide_default_value = true, default_value = "")]
    pub by: String,
    /// Filter such as `category=YOUTH`, `unit=SAI,TRK` or `day>=2026-02-20`; may be repeated, and all must hold.
    #[arg(long = "where", value_name = "FILTER")]
    pub filters: Vec<String>,
    /// Measures separated by commas. README.md explains all of them. Default: planned, held, gross, identified_percent, contacts, reached,
    /// lower, upper, voters, coverage_percent; of people contacts, reached, upper, voters, coverage_percent.
    #[arg(long, hide_default_value = true, default_value = "")]
    pub measures: String,
    /// Format of the output.
    #[arg(long, default_value = "text")]
    pub format: SliceFormat,
    /// As-of instant, such as `2026-03-16T07:00:00Z`; default: now or, in a synthetic campaign, the time of receipt of the newest event.
    #[arg(long)]
    pub as_of: Option<Timestamp>,
    /// What counts: this process, or the ClickHouse servers of the settings.
    #[arg(long, default_value = "polars")]
    pub engine: SliceEngine,
    /// Without an as-of instant, how long facts that were loaded to ClickHouse servers are used before they are loaded anew.
    #[arg(long, default_value = "10m")]
    pub max_age: SignedDuration,
}

impl SliceCommand {
    /// Computes the slice and writes it. Small counts are not withheld, and the role of the reader does not apply.
    pub async fn run(&self, config: &Config, out: &mut impl Write) -> Result<(), AnalyticsError> {
        let SliceRequest { query, measures } = SliceRequest::parse(&self.by, &self.filters, &self.measures)?;
        if self.format.is_binary() && std::io::stdout().is_terminal() {
            return Err(AnalyticsError::BinaryOnTerminal);
        }
        let filters = query.filters.clone();
        let (table, synthetic, as_of) = match self.engine {
            SliceEngine::Polars => self.count(config, query).await?,
            SliceEngine::Clickhouse => self.count_on_servers(config, &query).await?,
        };
        let origin = SliceSource { campaign: self.campaign.clone(), synthetic, as_of, filters, rounded_to: None };
        let lines = SliceLine::exact(&table, &measures);
        let output = SliceOutput { by: &table.by, lines: &lines, measures: &measures, source: &origin };
        finish(output.write(self.format, out))
    }

    /// The slice, whether the campaign is invented, and the as-of instant.
    async fn count(&self, config: &Config, query: SliceQuery) -> Result<(SliceTable, bool, Timestamp), AnalyticsError> {
        let source = FactsSource::new(config).without_saving();
        let selection = select(&source.warehouse, &self.campaign, self.as_of, Timestamp::now()).await?;
        let as_of = selection.as_of;
        source.with_store(selection, move |store| Ok((slice(store, &query)?, store.is_synthetic(), as_of))).await
    }

    /// The same, counted by ClickHouse servers.
    async fn count_on_servers(&self, config: &Config, query: &SliceQuery) -> Result<(SliceTable, bool, Timestamp), AnalyticsError> {
        let source = FactsSource::new(config).without_saving();
        let slices = ClickHouseSlices::new(&config.slices, source.warehouse.identity().await?)?;
        let request = LoadRequest { campaign: &self.campaign, as_of: self.as_of, max_age: self.max_age };
        let load = load(&source, &slices, request, Timestamp::now()).await?;
        Ok((slices.slice(&load, query).await?, load.is_synthetic(), load.as_of()))
    }
}
