//! `missing-reports`: due meetings without a report, for those who remind their members.

use std::io::Write;

use clap::Args;
use jiff::Timestamp;
use qamtu_schemas::id::{CampaignId, CoalitionId, UnitCode};
use serde_json::json;

use super::{
    ListFormat,
    text_table::{finish, write_table},
};
use crate::{
    compute::{FactsSource, select},
    config::Config,
    error::AnalyticsError,
    figures::Fulfilment,
    locale::Language,
    missing_reports::{MissingReport, missing_reports},
    slice::{SliceRows, slice},
    slice_query::{Filter, SliceQuery},
    translations::Translations,
};

/// Arguments of the subcommand `missing-reports`.
#[derive(Debug, Args)]
pub struct MissingReportsCommand {
    /// Id of the campaign.
    #[arg(long)]
    pub campaign: CampaignId,
    /// Only meetings of this coalition.
    #[arg(long)]
    pub coalition: Option<CoalitionId>,
    /// Only meetings in this unit.
    #[arg(long)]
    pub unit: Option<UnitCode>,
    /// Language of the text: kk, ru or en.
    #[arg(long, default_value = "en")]
    pub language: Language,
    /// Format of the output.
    #[arg(long, default_value = "text")]
    pub format: ListFormat,
    /// As-of instant, such as `2026-03-01T07:00:00Z`; default: now or, in a synthetic campaign, the time of receipt of the newest event.
    #[arg(long)]
    pub as_of: Option<Timestamp>,
}

impl MissingReportsCommand {
    /// Finds the meetings and writes them, after how many reports came in time.
    pub async fn run(&self, config: &Config, out: &mut impl Write) -> Result<(), AnalyticsError> {
        let of = |name: &str, value: Option<String>| value.map(|value| format!("{name}={value}").parse::<Filter>()).transpose();
        let filters =
            [of("coalition", self.coalition.as_ref().map(ToString::to_string))?, of("unit", self.unit.as_ref().map(ToString::to_string))?];
        let query = SliceQuery { filters: filters.into_iter().flatten().collect(), ..SliceQuery::default() };
        let source = FactsSource::new(config).without_saving();
        let selection = select(&source.warehouse, &self.campaign, self.as_of, Timestamp::now()).await?;
        let as_of = selection.as_of;
        let found =
            source.with_store(selection, move |store| Ok((slice(store, &query)?, missing_reports(store), store.is_synthetic()))).await?;
        let (table, mut missing, synthetic) = found;
        missing.retain(|report| {
            self.coalition.as_ref().is_none_or(|coalition| coalition.as_str() == report.coalition)
                && self.unit.as_ref().is_none_or(|unit| unit.as_str() == report.unit)
        });
        let plan = match table.rows {
            SliceRows::Meetings(mut rows) => rows.pop().map(|row| row.figures.figures.fulfilment).unwrap_or_default(),
            SliceRows::People(_) => Fulfilment::default(),
        };
        finish(match self.format {
            ListFormat::Text => write_text(&plan, &missing, Translations::of(self.language), out),
            ListFormat::Json => {
                let document = json!({
                    "campaign": self.campaign, "synthetic": synthetic, "as_of": as_of, "due": plan.due, "on_time": plan.on_time, "late": plan.late,
                    "within_72_hours": plan.within_72_hours, "missing": plan.missing, "reports": missing,
                });
                serde_json::to_writer_pretty(&mut *out, &document).map_err(std::io::Error::from).and_then(|()| writeln!(out))
            }
        })
    }
}

fn write_text(plan: &Fulfilment, missing: &[MissingReport], translations: &Translations, out: &mut impl Write) -> std::io::Result<()> {
    let number = |count: u64| translations.locale().number(count);
    let args = [
        ("due", number(plan.due).into()),
        ("time", number(plan.on_time).into()),
        ("late", number(plan.late).into()),
        ("missing", number(plan.missing).into()),
    ];
    writeln!(out, "{}", translations.message_with("missing-summary", &args))?;
    if missing.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let member = |report: &MissingReport| {
        let names = report
            .members
            .iter()
            .map(|member| member.name.as_ref().map_or_else(|| member.member.clone(), |name| format!("{name} ({})", member.member)));
        names.collect::<Vec<_>>().join(", ")
    };
    let row = |report: &MissingReport| {
        let overdue = if report.is_overdue { translations.message("missing-overdue") } else { translations.message("missing-in-time") };
        vec![
            report.coalition.clone(),
            member(report),
            report.unit.clone(),
            report.precinct.clone().unwrap_or_default(),
            report.meeting.to_string(),
            report.local_start.clone(),
            report.days.to_string(),
            overdue,
        ]
    };
    let header = [
        "column-coalition",
        "missing-members",
        "column-unit",
        "next-precinct",
        "next-meeting",
        "missing-start",
        "missing-days",
        "missing-state",
    ];
    write_table(out, header.map(|key| translations.message(key)).to_vec(), missing.iter().map(row).collect())
}
