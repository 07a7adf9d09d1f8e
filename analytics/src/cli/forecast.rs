//! `forecast`: how far the planned meetings that remain will carry the campaign, for those who plan.

use std::io::Write;

use clap::Args;

use super::{
    FactsArguments,
    text_table::{one_decimal, write_table},
};
use crate::{
    config::Config,
    error::AnalyticsError,
    estimate::Estimate,
    forecast::{Fan, Forecast, forecast},
    translations::Translations,
};

/// Arguments of the subcommand `forecast`.
#[derive(Debug, Args)]
pub struct ForecastCommand {
    #[command(flatten)]
    facts: FactsArguments,
}

impl ForecastCommand {
    /// Computes the forecast and writes it.
    pub async fn run(&self, config: &Config, out: &mut impl Write) -> Result<(), AnalyticsError> {
        self.facts.run(config, out, "forecast", forecast, write_text).await
    }
}

fn write_text(found: &Forecast, translations: &Translations, out: &mut impl Write) -> std::io::Result<()> {
    let number = |count: u64| translations.locale().number(count);
    let range = |fan: Fan| {
        let args = [("low", number(fan.low).into()), ("middle", number(fan.middle).into()), ("high", number(fan.high).into())];
        translations.message_with("forecast-range", &args)
    };
    let reached = |fan: Option<Fan>| fan.map_or_else(|| translations.message("no-data"), range);
    let now = [
        ("remaining", number(found.remaining as u64).into()),
        ("n", (found.remaining as u64).into()),
        ("held", number(found.expected_held).into()),
        ("gross", number(found.gross).into()),
        ("reached", reached(found.reached).into()),
    ];
    writeln!(out, "{}", translations.message_with("forecast-now", &now))?;
    if found.unreachable > 0 {
        let args = [("unreachable", number(found.unreachable as u64).into())];
        writeln!(out, "{}", translations.message_with("forecast-unreachable", &args))?;
    }
    if found.missing > 0 {
        let args = [("missing", number(found.missing as u64).into()), ("late", number(found.expected_late).into())];
        writeln!(out, "{}", translations.message_with("forecast-missing", &args))?;
    }
    if let Some(why) = found.no_reach {
        writeln!(out, "{}", translations.message(reason(why)))?;
    }
    if !found.days.is_empty() {
        writeln!(out)?;
        let header = ["next-day", "forecast-meetings", "column-gross", "column-reached"].map(|key| translations.message(key));
        let row = |day: &crate::forecast::ForecastDay| {
            vec![day.day.to_string(), day.meetings.to_string(), range(day.gross), reached(day.reached)]
        };
        write_table(out, header.to_vec(), found.days.iter().map(row).collect())?;
        writeln!(out)?;
    }
    if let Some(whole) = found.whole_plan {
        let args =
            [("unsent", number(found.unsent).into()), ("gross", range(whole.gross).into()), ("reached", reached(whole.reached).into())];
        writeln!(out, "{}", translations.message_with("forecast-whole-plan", &args))?;
    }
    if let Some((rate, needed, target)) = found.run_rate.and_then(|rate| Some((rate, rate.needed?, found.target?))) {
        let decimal = |rate: f64| one_decimal(rate, translations);
        let args = [("so-far", decimal(rate.so_far).into()), ("target", number(target).into()), ("needed", decimal(needed).into())];
        writeln!(out, "{}", translations.message_with("forecast-rate", &args))?;
    }
    if let Some(ceiling) = found.ceiling {
        writeln!(out, "{}", translations.message_with("forecast-ceiling", &[("ceiling", number(ceiling).into())]))?;
    }
    writeln!(out, "{}", translations.message("forecast-note"))
}

/// Why there is no forecast of reach.
fn reason(why: Estimate) -> &'static str {
    match why {
        Estimate::FewIdentified => "forecast-few-identified",
        Estimate::NoSolution => "forecast-no-solution",
        Estimate::NotApplicable | Estimate::Exact | Estimate::Estimated { .. } => "forecast-nothing-known",
    }
}
