//! `slice`: figures of any set of meetings and people, computed from the warehouse.

use std::io::Write;

use clap::Args;
use jiff::Timestamp;
use qamtu_schemas::id::CampaignId;

use crate::{
    compute::{FactsSource, select},
    config::Config,
    error::AnalyticsError,
    facts_store::FactsStore,
    slice::{Measure, slice},
    slice_output::{SliceFormat, SliceOutput, SliceSource},
    slice_query::{InvalidSlice, SliceQuery},
};

/// Arguments of the subcommand `slice`.
#[derive(Debug, Args)]
pub struct SliceCommand {
    /// Id of the campaign.
    #[arg(long)]
    pub campaign: CampaignId,
    /// Up to two dimensions to group by, separated by a comma: unit, precinct, coalition, party, member, category, format, language, day, week
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
}

impl SliceCommand {
    /// Computes the slice and writes it. Small counts are not withheld, and the role of the reader does not apply.
    pub async fn run(&self, config: &Config, out: &mut impl Write) -> Result<(), AnalyticsError> {
        let mut query = SliceQuery::parse(&self.by, &self.filters)?;
        let measures = self.measures(&query)?;
        query.with_frequencies = measures.iter().any(|measure| measure.needs_frequencies());
        let source = FactsSource::new(config).without_saving();
        let selection = select(&source.warehouse, &self.campaign, self.as_of, Timestamp::now()).await?;
        let as_of = selection.as_of;
        let filters = query.filters.clone();
        let work = move |store: &FactsStore| Ok((slice(store, &query)?, store.is_synthetic()));
        let (table, synthetic) = source.with_store(selection, work).await?;
        let origin = SliceSource { campaign: self.campaign.clone(), synthetic, as_of, filters };
        let output = SliceOutput { table: &table, measures: &measures, source: &origin };
        match output.write(self.format, out) {
            // Whoever reads the output has seen enough, as `head` has.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            written => written.map_err(|source| AnalyticsError::Write { path: "standard output".into(), source }),
        }
    }

    fn measures(&self, query: &SliceQuery) -> Result<Vec<Measure>, InvalidSlice> {
        let person = query.person_dimension();
        let chosen = Measure::parse(&self.measures)?;
        if let Some(dimension) = person
            && let Some(measure) = chosen.iter().find(|measure| !measure.is_of_people())
        {
            return Err(InvalidSlice::NotOfPeople { measure: measure.name(), dimension });
        }
        Ok(if chosen.is_empty() { Measure::defaults(person.is_some()) } else { chosen })
    }
}
