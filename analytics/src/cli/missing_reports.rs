//! `missing-reports`: due meetings without a report, for those who remind their members.

use std::io::Write;

use clap::Args;
use qamtu_schemas::id::{CoalitionId, UnitCode};
use serde::Serialize;

use super::{FactsArguments, text_table::write_table};
use crate::{
    config::Config,
    error::AnalyticsError,
    facts_store::FactsStore,
    figures::Fulfilment,
    missing_reports::{MissingReport, missing_reports},
    slice::{SliceRows, slice},
    slice_query::{Filter, SliceQuery},
    translations::Translations,
};

/// Arguments of the subcommand `missing-reports`.
#[derive(Debug, Args)]
pub struct MissingReportsCommand {
    #[command(flatten)]
    facts: FactsArguments,
    /// Only meetings of this coalition.
    #[arg(long)]
    pub coalition: Option<CoalitionId>,
    /// Only meetings in this unit.
    #[arg(long)]
    pub unit: Option<UnitCode>,
}

/// How many reports came in time, and those that are missing.
#[derive(Serialize)]
struct ReportingState {
    due: u64,
    on_time: u64,
    late: u64,
    within_72_hours: u64,
    missing: u64,
    reports: Vec<MissingReport>,
}

impl MissingReportsCommand {
    /// Finds the meetings and writes them, after how many reports came in time.
    pub async fn run(&self, config: &Config, out: &mut impl Write) -> Result<(), AnalyticsError> {
        let (coalition, unit) = (self.coalition.as_ref().map(ToString::to_string), self.unit.as_ref().map(ToString::to_string));
        let compute = move |store: &FactsStore| reporting_state(store, coalition.as_deref(), unit.as_deref());
        self.facts.run(config, out, "missing_reports", compute, write_text).await
    }
}

fn reporting_state(store: &FactsStore, coalition: Option<&str>, unit: Option<&str>) -> Result<ReportingState, AnalyticsError> {
    let of = |name: &str, value: Option<&str>| value.map(|value| format!("{name}={value}").parse::<Filter>()).transpose();
    let filters = [of("coalition", coalition)?, of("unit", unit)?].into_iter().flatten().collect();
    let plan = match slice(store, &SliceQuery { filters, ..SliceQuery::default() })?.rows {
        SliceRows::Meetings(mut rows) => rows.pop().map(|row| row.figures.figures.fulfilment).unwrap_or_default(),
        SliceRows::People(_) => Fulfilment::default(),
    };
    let is_wanted = |report: &MissingReport| {
        coalition.is_none_or(|coalition| coalition == report.coalition) && unit.is_none_or(|unit| unit == report.unit)
    };
    Ok(ReportingState {
        due: plan.due,
        on_time: plan.on_time,
        late: plan.late,
        within_72_hours: plan.within_72_hours,
        missing: plan.missing,
        reports: missing_reports(store).into_iter().filter(is_wanted).collect(),
    })
}

fn write_text(found: &ReportingState, translations: &Translations, out: &mut impl Write) -> std::io::Result<()> {
    let number = |count: u64| translations.locale().number(count);
    let args = [
        ("due", number(found.due).into()),
        ("time", number(found.on_time).into()),
        ("late", number(found.late).into()),
        ("missing", number(found.missing).into()),
    ];
    writeln!(out, "{}", translations.message_with("missing-summary", &args))?;
    if found.reports.is_empty() {
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
    write_table(out, header.map(|key| translations.message(key)).to_vec(), found.reports.iter().map(row).collect())
}
