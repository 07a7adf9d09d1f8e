//! `two-lists`: meetings that were recorded on a sheet and without one, with an estimate of the people, for those who check headcounts.

use std::io::Write;

use clap::Args;

use super::{FactsArguments, text_table::write_table};
use crate::{
    config::Config,
    error::AnalyticsError,
    translations::Translations,
    two_lists::{MIN_ON_BOTH, MeetingWithTwoLists, two_lists},
};

/// Arguments of the subcommand `two-lists`.
#[derive(Debug, Args)]
pub struct TwoListsCommand {
    #[command(flatten)]
    facts: FactsArguments,
}

impl TwoListsCommand {
    /// Reads the sizes of the lists, estimates the people, and writes both.
    pub async fn run(&self, config: &Config, out: &mut impl Write) -> Result<(), AnalyticsError> {
        let (source, selection) = self.facts.select(config).await?;
        let sizes = source.warehouse.two_lists(&selection).await?;
        self.facts
            .write(
                (source, selection),
                out,
                "two_lists",
                move |store| Ok(two_lists(store, &sizes)),
                |found, translations, out| write_text(found, translations, out),
            )
            .await
    }
}

fn write_text(found: &[MeetingWithTwoLists], translations: &Translations, out: &mut impl Write) -> std::io::Result<()> {
    if found.is_empty() {
        return writeln!(out, "{}", translations.message("two-lists-none"));
    }
    let header =
        ["next-meeting", "column-unit", "two-lists-sheet", "two-lists-check-in", "two-lists-both", "two-lists-people", "two-lists-heads"];
    let number = |number: u64| translations.locale().number(number);
    let row = |meeting: &MeetingWithTwoLists| {
        let estimate = meeting.estimate.map_or_else(
            || translations.message("two-lists-few"),
            |estimate| {
                let args = [
                    ("reached", number(estimate.people).into()),
                    ("low", number(estimate.low).into()),
                    ("high", number(estimate.high).into()),
                ];
                translations.message_with("estimates-value", &args)
            },
        );
        vec![
            meeting.meeting.to_string(),
            meeting.unit.clone(),
            number(meeting.on_sheet),
            number(meeting.checked_in),
            number(meeting.on_both),
            estimate,
            meeting.headcount.map_or_else(|| translations.message("no-data"), number),
        ]
    };
    write_table(out, header.map(|key| translations.message(key)).to_vec(), found.iter().map(row).collect())?;
    writeln!(out, "{}", translations.message_with("two-lists-note", &[("least", number(MIN_ON_BOTH).into())]))
}
