//! `snapshots`: the stored snapshots of a campaign.

use std::io::Write;

use clap::Args;
use qamtu_schemas::id::CampaignId;
use serde_json::json;

use super::{
    ListFormat,
    text_table::{finish, write_table},
};
use crate::{config::Config, error::AnalyticsError, snapshot_store::SnapshotStore};

/// Arguments of the subcommand `snapshots`.
#[derive(Debug, Args)]
pub struct SnapshotsCommand {
    /// Id of the campaign.
    #[arg(long)]
    pub campaign: CampaignId,
    /// Format of the output.
    #[arg(long, default_value = "text")]
    pub format: ListFormat,
}

impl SnapshotsCommand {
    /// Lists the snapshots, the newest instant first. Small counts are not withheld.
    pub fn run(&self, config: &Config, out: &mut impl Write) -> Result<(), AnalyticsError> {
        let listed = SnapshotStore::open(&config.analytics.dir)?.list(&self.campaign)?;
        let header = ["snapshot", "as_of", "definition", "records", "held", "reached", "reported"].map(str::to_owned).to_vec();
        finish(match self.format {
            ListFormat::Text => {
                let rows = listed.iter().map(|entry| {
                    let coverage = &entry.snapshot.coverage;
                    let figures = &coverage.region.figures;
                    let numbers =
                        [coverage.identity.definition.into(), entry.records, figures.fulfilment.held, figures.audience.reach.reached];
                    let ends = [entry.snapshot.id.to_string(), coverage.identity.as_of.to_string()];
                    let reported = if entry.is_reported { "yes" } else { "no" };
                    ends.into_iter().chain(numbers.map(|number: u64| number.to_string())).chain([reported.to_owned()]).collect()
                });
                write_table(out, header, rows.collect())
            }
            ListFormat::Json => {
                let entries: Vec<_> = listed
                    .iter()
                    .map(|entry| {
                        let coverage = &entry.snapshot.coverage;
                        json!({
                            "snapshot": entry.snapshot.id, "as_of": coverage.identity.as_of, "definition": coverage.identity.definition,
                            "records": entry.records, "held": coverage.region.figures.fulfilment.held,
                            "reached": coverage.region.figures.audience.reach.reached, "reported": entry.is_reported,
                        })
                    })
                    .collect();
                let document = json!({"campaign": self.campaign, "snapshots": entries});
                serde_json::to_writer_pretty(&mut *out, &document).map_err(std::io::Error::from).and_then(|()| writeln!(out))
            }
        })
    }
}
