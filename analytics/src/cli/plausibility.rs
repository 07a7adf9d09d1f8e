//! `plausibility`: doubtful reports with their evidence, for those who check them.

use std::io::Write;

use clap::Args;

use super::{FactsArguments, text_table::write_table};
use crate::{
    config::Config,
    error::AnalyticsError,
    plausibility::{Doubt, DoubtfulMeeting, MeetingTotals, Plausibility, plausibility},
    translations::Translations,
};

/// Arguments of the subcommand `plausibility`.
#[derive(Debug, Args)]
pub struct PlausibilityCommand {
    #[command(flatten)]
    facts: FactsArguments,
}

impl PlausibilityCommand {
    /// Checks all held meetings and writes what is doubtful.
    pub async fn run(&self, config: &Config, out: &mut impl Write) -> Result<(), AnalyticsError> {
        self.facts.run(config, out, "plausibility", plausibility, write_text).await
    }
}

fn write_text(found: &Plausibility, translations: &Translations, out: &mut impl Write) -> std::io::Result<()> {
    let message = |key: &'static str| translations.message(key);
    let number = |count: u64| translations.locale().number(count);
    if found.meetings.is_empty() {
        writeln!(out, "{}", message("doubt-none"))?;
    } else {
        let header = ["next-meeting", "column-unit", "column-coalition", "next-day", "next-reason"].map(message).to_vec();
        let row = |meeting: &DoubtfulMeeting| {
            let reasons: Vec<String> = meeting.doubts.iter().map(|doubt| reason(doubt, translations)).collect();
            vec![meeting.meeting.to_string(), meeting.unit.clone(), meeting.coalition.clone(), meeting.day.to_string(), reasons.join(" ")]
        };
        write_table(out, header, found.meetings.iter().map(row).collect())?;
    }
    for heaping in &found.heaping {
        let args = [
            ("coalition", heaping.coalition.as_str().into()),
            ("round", number(heaping.round).into()),
            ("headcounts", number(heaping.headcounts).into()),
        ];
        writeln!(out, "{}", translations.message_with("doubt-heaping", &args))?;
    }
    writeln!(out)?;
    let header = ["doubt-figures", "column-held", "column-gross", "diff-contacts", "column-reached"].map(message).to_vec();
    let row = |name: &'static str, totals: MeetingTotals| {
        let numbers = [totals.held, totals.gross, totals.contacts, totals.reached].map(number);
        std::iter::once(message(name)).chain(numbers).collect()
    };
    write_table(out, header, vec![row("doubt-all", found.all), row("doubt-without", found.without_doubtful)])?;
    writeln!(out, "\n{}", message("doubt-note"))
}

/// A doubt as a sentence.
fn reason(doubt: &Doubt, translations: &Translations) -> String {
    let number = |count: u64| translations.locale().number(count);
    let with = |key: &'static str, args: &[(&'static str, String)]| {
        let args: Vec<_> = args.iter().map(|(name, value)| (*name, value.as_str().into())).collect();
        translations.message_with(key, &args)
    };
    match doubt {
        Doubt::CopiedList { other, common, percent } => {
            let args = [("other", other.to_string()), ("common", number(*common)), ("percent", number(*percent))];
            with("doubt-copied", &args)
        }
        Doubt::OverCapacity { people, capacity } => with("doubt-capacity", &[("people", number(*people)), ("capacity", number(*capacity))]),
        Doubt::OverPrecinct { people, voters } => with("doubt-precinct", &[("people", number(*people)), ("voters", number(*voters))]),
        Doubt::ImpossibleTravel { member, other, minutes } => {
            with("doubt-travel", &[("member", member.clone()), ("other", other.to_string()), ("minutes", number(*minutes))])
        }
        Doubt::LateReport { days } => with("doubt-late", &[("days", number(*days))]),
        Doubt::Burst { reports } => with("doubt-burst", &[("reports", number(*reports))]),
    }
}
