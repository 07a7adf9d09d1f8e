//! `estimates`: estimates of reach under other assumptions, beside other estimators.

use std::io::Write;

use clap::Args;

use super::{
    FactsArguments,
    text_table::{one_decimal, write_table},
};
use crate::{
    config::Config,
    coverage::EstimateSettings,
    error::AnalyticsError,
    estimate::{Estimate, MIN_IDENTIFIED},
    estimate_comparison::{EstimateComparison, EstimateRow, EstimatedGroup, compare_estimates},
    translations::Translations,
};

/// Arguments of the subcommand `estimates`.
#[derive(Debug, Args)]
pub struct EstimatesCommand {
    #[command(flatten)]
    facts: FactsArguments,
    /// Share of voters among the people who were not identified, in percent. Default: that of the identified ones.
    #[arg(long, value_parser = parse_percent)]
    pub eligible_share: Option<f64>,
    /// Smallest share of the attendances that must be identified, in percent.
    #[arg(long, default_value_t = MIN_IDENTIFIED, value_parser = parse_percent)]
    pub min_identified: f64,
}

fn parse_percent(text: &str) -> Result<f64, String> {
    let percent = text.parse().ok().filter(|percent| (1.0..=100.0).contains(percent));
    percent.ok_or_else(|| "write a percentage from 1 to 100, such as 95".to_owned())
}

impl EstimatesCommand {
    /// Estimates the reach and writes it beside the comparisons. Small counts are not withheld.
    pub async fn run(&self, config: &Config, out: &mut impl Write) -> Result<(), AnalyticsError> {
        let settings =
            EstimateSettings { eligible_share: self.eligible_share.map(|percent| percent / 100.0), min_identified: self.min_identified };
        self.facts.run(config, out, "estimates", move |store| compare_estimates(store, settings), write_text).await
    }
}

fn write_text(found: &EstimateComparison, translations: &Translations, out: &mut impl Write) -> std::io::Result<()> {
    let header = [
        "estimates-group",
        "estimates-identified",
        "estimates-reached",
        "estimates-bounds",
        "estimates-estimate",
        "estimates-random",
        "estimates-ratio",
    ];
    let header = header.map(|key| translations.message(key)).to_vec();
    write_table(out, header, found.rows.iter().map(|row| cells(row, translations)).collect())?;
    let args = [
        ("share", one_decimal(found.eligible_share * 100.0, translations).into()),
        ("minimum", one_decimal(found.min_identified_percent, translations).into()),
    ];
    writeln!(out, "{}", translations.message_with("estimates-note", &args))
}

fn cells(row: &EstimateRow, translations: &Translations) -> Vec<String> {
    let number = |count: u64| translations.locale().number(count);
    let nothing = || translations.message("no-data");
    let range = |low: u64, high: u64| {
        translations.message_with("verification-range", &[("low", number(low).into()), ("high", number(high).into())])
    };
    let estimate = match row.estimate {
        Estimate::Exact => number(row.reached),
        Estimate::Estimated { reached, low, high } => {
            let args = [("reached", number(reached).into()), ("low", number(low).into()), ("high", number(high).into())];
            translations.message_with("estimates-value", &args)
        }
        Estimate::FewIdentified => translations.message("estimates-few"),
        Estimate::NoSolution => translations.message("estimates-none"),
        Estimate::NotApplicable => nothing(),
    };
    vec![
        if row.group == EstimatedGroup::Region { translations.message("verification-region") } else { row.key.clone() },
        row.identified_percent.map_or_else(nothing, |percent| one_decimal(percent, translations)),
        number(row.reached),
        range(row.lower, row.upper),
        estimate,
        row.random_duplication.map_or_else(nothing, number),
        row.same_ratio.map_or_else(nothing, number),
    ]
}
