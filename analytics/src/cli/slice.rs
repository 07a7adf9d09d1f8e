//! `slice`: figures of any set of meetings and people, computed from the warehouse.

use std::io::Write;

use clap::Args;
use jiff::Timestamp;
use qamtu_schemas::id::CampaignId;

use crate::{
    compute::{select, with_store},
    config::Config,
    error::AnalyticsError,
    facts::WarehouseReader,
    slice::{Measure, slice},
    slice_output::{SliceFormat, SliceOutput},
    slice_query::{InvalidSlice, SliceQuery},
};

/// Arguments of the subcommand `slice`.
#[derive(Debug, Args)]
pub struct SliceCommand {
    /// Id of the campaign.
    #[arg(long)]
    pub campaign: CampaignId,
    /// One or two dimensions to group by, separated by a comma: unit, precinct, coalition, party, member, category, format, language, day, week,
    /// evidence, residence, residence_unit, birth, sex.
    #[arg(long, default_value = "")]
    pub by: String,
    /// Filter such as `category=YOUTH`, `unit=SAI,TUR` or `day>=2026-02-20`; may be repeated, and all must hold.
    #[arg(long = "where", value_name = "FILTER")]
    pub filters: Vec<String>,
    /// Measures separated by commas; without it the usual ones. An unknown name prints all.
    #[arg(long, default_value = "")]
    pub measures: String,
    /// `table`, `csv` or `json`.
    #[arg(long, default_value = "table")]
    pub format: SliceFormat,
    /// As-of instant; default as for `compute`.
    #[arg(long)]
    pub as_of: Option<Timestamp>,
}

impl SliceCommand {
    /// Computes the slice and writes it. Small counts are not withheld: it is for operators.
    pub async fn run(&self, config: &Config, out: &mut impl Write) -> Result<(), AnalyticsError> {
        let mut query = SliceQuery::parse(&self.by, &self.filters)?;
        let measures = self.measures(&query)?;
        query.with_exposure = measures.iter().any(|measure| measure.needs_exposure());
        let warehouse = WarehouseReader::new(&config.clickhouse);
        let selection = select(&warehouse, &self.campaign, self.as_of, Timestamp::now()).await?;
        let as_of = selection.as_of;
        let table = with_store(&warehouse, selection, move |store| slice(&store, &query)).await?;
        let output = SliceOutput { table: &table, measures: &measures, as_of };
        output.write(self.format, out).map_err(|source| AnalyticsError::Write { path: "standard output".into(), source })
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
