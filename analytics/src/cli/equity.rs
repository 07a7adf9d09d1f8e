//! `equity`: how evenly a stored snapshot reaches, for those who plan.

use std::io::Write;

use clap::Args;
use qamtu_schemas::id::CampaignId;
use serde_json::json;

use super::{
    ListFormat, SnapshotSelector,
    report::parse_selector,
    text_table::{finish, one_decimal, write_table},
};
use crate::{
    config::Config,
    equity::{Equity, UnitSpread, equity},
    error::AnalyticsError,
    locale::Language,
    snapshot_store::SnapshotStore,
    translations::Translations,
};

/// Arguments of the subcommand `equity`.
#[derive(Debug, Args)]
pub struct EquityCommand {
    /// Id of the campaign.
    #[arg(long)]
    pub campaign: CampaignId,
    /// Id of a snapshot, or `latest`.
    #[arg(long, default_value = "latest", value_parser = parse_selector)]
    pub snapshot: SnapshotSelector,
    /// Language of the text: kk, ru or en.
    #[arg(long, default_value = "en")]
    pub language: Language,
    /// Format of the output.
    #[arg(long, default_value = "text")]
    pub format: ListFormat,
}

impl EquityCommand {
    /// Writes the equity of a snapshot. Small counts are not withheld.
    pub fn run(&self, config: &Config, out: &mut impl Write) -> Result<(), AnalyticsError> {
        let snapshot = self.snapshot.find(&SnapshotStore::open(&config.analytics.dir)?, &self.campaign)?;
        let found = equity(&snapshot.coverage);
        finish(match self.format {
            ListFormat::Text => write_text(&found, Translations::of(self.language), out),
            ListFormat::Json => {
                let identity = &snapshot.coverage.identity;
                let document = json!({
                    "campaign": self.campaign, "synthetic": snapshot.coverage.campaign.synthetic, "snapshot": snapshot.id,
                    "as_of": identity.as_of, "equity": found,
                });
                serde_json::to_writer_pretty(&mut *out, &document).map_err(std::io::Error::from).and_then(|()| writeln!(out))
            }
        })
    }
}

fn write_text(found: &Equity, translations: &Translations, out: &mut impl Write) -> std::io::Result<()> {
    let message = |key: &'static str| translations.message(key);
    let number = |count: u64| translations.locale().number(count);
    let decimals = |value: f64| translations.locale().decimals((value * 100.0).round() as u64, 2);
    let known = |value: Option<f64>| value.map_or_else(|| message("no-data"), decimals);
    let header = [
        "column-unit",
        "column-voters",
        "column-residents",
        "equity-coverage",
        "column-held",
        "equity-precincts",
        "equity-with-meeting",
        "equity-effective",
    ];
    let row = |unit: &UnitSpread| {
        vec![
            unit.unit.clone(),
            unit.voters.map_or_else(|| message("no-data"), number),
            number(unit.reached),
            known(unit.coverage_percent),
            number(unit.held),
            number(unit.precincts as u64),
            number(unit.precincts_with_meeting as u64),
            one_decimal(unit.effective_precincts, translations),
        ]
    };
    write_table(out, header.map(message).to_vec(), found.units.iter().map(row).collect())?;
    let args = [
        ("gap", known(found.gap_points).into()),
        ("gini", known(found.gini).into()),
        ("precincts", number(found.precincts as u64).into()),
        ("without", number(found.precincts_without_meeting as u64).into()),
        ("nobody", number(found.precincts_without_reach as u64).into()),
    ];
    writeln!(out, "\n{}", translations.message_with("equity-summary", &args))?;
    if let Some((units, target)) = found.units_at_target.zip(found.target_percent) {
        let args =
            [("units", number(units as u64).into()), ("all", number(found.units.len() as u64).into()), ("target", decimals(target).into())];
        writeln!(out, "{}", translations.message_with("equity-target", &args))?;
    }
    writeln!(out, "{}", message("equity-note"))
}
