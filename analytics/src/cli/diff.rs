//! `diff`: why two snapshots differ, for those who must explain a change.

use std::{io::Write, sync::Arc};

use clap::Args;
use qamtu_schemas::id::CampaignId;
use serde_json::json;

use super::{
    ListFormat, SnapshotSelector,
    report::parse_selector,
    text_table::{finish, write_table},
};
use crate::{
    compute::FactsSource,
    config::Config,
    coverage::Snapshot,
    difference::{Cause, Difference, DifferenceRow, ExplainedFigures, State, difference},
    error::AnalyticsError,
    facts_store::FactsStore,
    locale::Language,
    snapshot_store::SnapshotStore,
    translations::Translations,
};

/// Arguments of the subcommand `diff`.
#[derive(Debug, Args)]
pub struct DiffCommand {
    /// Id of the campaign.
    #[arg(long)]
    pub campaign: CampaignId,
    /// Id of the earlier snapshot.
    #[arg(value_parser = parse_selector)]
    pub earlier: SnapshotSelector,
    /// Id of the later snapshot, or `latest`.
    #[arg(value_parser = parse_selector, default_value = "latest")]
    pub later: SnapshotSelector,
    /// Language of the text: kk, ru or en.
    #[arg(long, default_value = "en")]
    pub language: Language,
    /// Format of the output.
    #[arg(long, default_value = "text")]
    pub format: ListFormat,
}

impl DiffCommand {
    /// Reads the facts of both snapshots again and writes the parts of the change.
    pub async fn run(&self, config: &Config, out: &mut impl Write) -> Result<(), AnalyticsError> {
        let snapshots = SnapshotStore::open(&config.analytics.dir)?;
        let (earlier, later) = (self.earlier.find(&snapshots, &self.campaign)?, self.later.find(&snapshots, &self.campaign)?);
        let [since, until] = [&earlier, &later].map(|snapshot| snapshot.coverage.identity.selection());
        if !since.is_within(&until) {
            return Err(AnalyticsError::NotEarlier { earlier: earlier.id, later: later.id });
        }
        let source = FactsSource::new(config).without_saving();
        let changed = source.warehouse.changed_meetings(&since, &until).await?;
        let before = source.with_store(since, |store| Ok(Arc::clone(store))).await?;
        let (before_coverage, after_coverage) = (earlier.coverage.clone(), later.coverage.clone());
        let explain = move |after: &Arc<FactsStore>| {
            let earlier = State { coverage: &before_coverage, store: &before };
            difference(&earlier, &State { coverage: &after_coverage, store: after }, changed.as_ref())
        };
        let found = source.with_store(until, explain).await?;
        finish(match self.format {
            ListFormat::Text => write_text(&found, [&earlier, &later], Translations::of(self.language), out),
            ListFormat::Json => {
                let end = |snapshot: &Snapshot| json!({"snapshot": snapshot.id, "as_of": snapshot.coverage.identity.as_of, "definition": snapshot.coverage.identity.definition});
                let document = json!({
                    "campaign": self.campaign, "synthetic": later.coverage.campaign.synthetic,
                    "earlier": end(&earlier), "later": end(&later), "difference": found,
                });
                serde_json::to_writer_pretty(&mut *out, &document).map_err(std::io::Error::from).and_then(|()| writeln!(out))
            }
        })
    }
}

fn write_text(found: &Difference, ends: [&Snapshot; 2], translations: &Translations, out: &mut impl Write) -> std::io::Result<()> {
    let message = |key: &'static str| translations.message(key);
    let locale = translations.locale();
    let number = |count: i64| match count {
        0.. => locale.number(count.unsigned_abs()),
        _ => format!("−{}", locale.number(count.unsigned_abs())),
    };
    let change = |count: i64| if count > 0 { format!("+{}", number(count)) } else { number(count) };
    for (key, snapshot) in [("diff-earlier", ends[0]), ("diff-later", ends[1])] {
        writeln!(out, "{}: {} ({})", message(key), snapshot.id, snapshot.coverage.identity.as_of)?;
    }
    writeln!(out)?;
    let header = ["diff-cause", "column-held", "column-gross", "diff-contacts", "column-reached"].map(message).to_vec();
    let line = |name: String, figures: ExplainedFigures, format: &dyn Fn(i64) -> String| {
        std::iter::once(name).chain(figures.values().map(format)).collect::<Vec<_>>()
    };
    let row = &found.region;
    let mut lines = vec![line(message("diff-before"), row.before, &number)];
    lines.extend(Cause::ALL.map(|cause| line(message(name(cause)), part(row, cause), &change)));
    lines.push(line(message("diff-after"), row.after, &number));
    write_table(out, header, lines)?;
    if !found.unchanged_are_known {
        writeln!(out, "\n{}", message("diff-unknown"))?;
    }
    writeln!(out, "\n{}\n", message("diff-units"))?;
    let header =
        std::iter::once(message("column-unit")).chain([message("diff-before")]).chain(Cause::ALL.map(|cause| message(name(cause))));
    let of_unit = |row: &DifferenceRow| {
        let parts = Cause::ALL.map(|cause| change(part(row, cause).reached));
        let first = [row.unit.clone().unwrap_or_default(), number(row.before.reached)];
        first.into_iter().chain(parts).chain([number(row.after.reached)]).collect()
    };
    write_table(out, header.chain([message("diff-after")]).collect(), found.units.iter().map(of_unit).collect())?;
    let known = |voters: Option<u64>| voters.map_or_else(|| message("no-data"), |voters| locale.number(voters));
    let args = [("before", known(row.voters.0).into()), ("after", known(row.voters.1).into())];
    writeln!(out, "\n{}", translations.message_with("diff-voters", &args))
}

fn part(row: &DifferenceRow, cause: Cause) -> ExplainedFigures {
    row.parts.get(&cause).copied().unwrap_or_default()
}

fn name(cause: Cause) -> &'static str {
    match cause {
        Cause::NewMeetings => "diff-new",
        Cause::LateReports => "diff-late",
        Cause::Corrections => "diff-corrections",
        Cause::Roll => "diff-roll",
        Cause::Definition => "diff-definition",
    }
}
