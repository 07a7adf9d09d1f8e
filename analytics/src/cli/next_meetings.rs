//! `next-meetings`: where to meet next, for those who plan.

use std::io::Write;

use clap::Args;

use super::{FactsArguments, text_table::write_table};
use crate::{
    config::Config,
    error::AnalyticsError,
    next_meetings::{NextMeetings, Reason, UnreachablePlan, next_meetings},
    statement::unreachable_reason,
    translations::Translations,
};

/// Arguments of the subcommand `next-meetings`.
#[derive(Debug, Args)]
pub struct NextMeetingsCommand {
    #[command(flatten)]
    facts: FactsArguments,
    /// Number of planned meetings and of proposals to list.
    #[arg(long, default_value_t = 20)]
    pub top: usize,
}

impl NextMeetingsCommand {
    /// Computes the ranking and writes it.
    pub async fn run(&self, config: &Config, out: &mut impl Write) -> Result<(), AnalyticsError> {
        let top = self.top;
        self.facts.run(config, out, "next_meetings", move |store| next_meetings(store, top), write_text).await
    }
}

fn write_text(next: &NextMeetings, translations: &Translations, out: &mut impl Write) -> std::io::Result<()> {
    let number = |number: u64| translations.locale().number(number);
    write_unreachable(&next.unreachable, translations, out)?;
    if next.learned_from == 0 {
        return writeln!(out, "{}", translations.message("next-nothing-held"));
    }
    if next.remaining == 0 && next.proposals.is_empty() {
        return writeln!(out, "{}", translations.message("next-none"));
    }
    let args = [
        ("remaining", number(next.remaining as u64).into()),
        ("n", (next.remaining as u64).into()),
        ("voters", number(next.expected_new_voters).into()),
    ];
    writeln!(out, "{}\n", translations.message_with("next-summary", &args))?;
    let planned = next.planned.iter().map(|meeting| {
        let precinct = meeting.precinct.clone().unwrap_or_default();
        let place = [meeting.meeting.to_string(), meeting.day.to_string(), meeting.unit.clone(), precinct, meeting.format.clone()];
        line(meeting.rank, place, [number(meeting.people), number(meeting.new_voters)], reason(meeting.reason, translations))
    });
    let header = |keys: &[&'static str]| keys.iter().map(|key| translations.message(key)).collect::<Vec<_>>();
    let places = [
        "next-rank",
        "next-meeting",
        "next-day",
        "column-unit",
        "next-precinct",
        "next-format",
        "next-people",
        "next-voters",
        "next-reason",
    ];
    write_table(out, header(&places), planned.collect())?;
    writeln!(out, "\n{}\n", translations.message("next-proposals"))?;
    let proposals = next.proposals.iter().map(|proposal| {
        let place = [proposal.unit.clone(), proposal.precinct.clone(), proposal.category.clone()];
        line(proposal.rank, place, [number(proposal.people), number(proposal.new_voters)], reason(proposal.reason, translations))
    });
    let places = ["next-rank", "column-unit", "next-precinct", "column-category", "next-people", "next-voters", "next-reason"];
    write_table(out, header(&places), proposals.collect())?;
    writeln!(out, "\n{}", translations.message("next-note"))
}

/// Planned meetings that cannot be held where they are planned; nothing if there are none.
fn write_unreachable(plans: &[UnreachablePlan], translations: &Translations, out: &mut impl Write) -> std::io::Result<()> {
    if plans.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}\n", translations.message("next-unreachable"))?;
    let header = ["next-meeting", "next-day", "column-unit", "next-precinct", "next-reason"].map(|key| translations.message(key));
    let row = |plan: &UnreachablePlan| {
        let reason = translations.message(unreachable_reason(plan.reason));
        vec![plan.meeting.to_string(), plan.day.to_string(), plan.unit.clone(), plan.precinct.clone().unwrap_or_default(), reason]
    };
    write_table(out, header.to_vec(), plans.iter().map(row).collect())?;
    writeln!(out)
}

fn line<const PLACES: usize>(rank: usize, place: [String; PLACES], numbers: [String; 2], reason: String) -> Vec<String> {
    std::iter::once(rank.to_string()).chain(place).chain(numbers).chain([reason]).collect()
}

/// The reason as a sentence.
fn reason(reason: Reason, translations: &Translations) -> String {
    let number = |number: u64| translations.locale().number(number);
    let share = |reached: u64, voters: u64| {
        let value = translations.locale().percent(reached, voters).unwrap_or_default();
        translations.message_with("percent", &[("value", value.into())])
    };
    match reason {
        Reason::NoMeetingYet { voters } => translations.message_with("next-no-meeting-yet", &[("voters", number(voters).into())]),
        Reason::FewReached { reached, voters } => {
            translations.message_with("next-few-reached", &[("share", share(reached, voters).into())])
        }
        Reason::LargeAudience { people } => translations.message_with("next-large-audience", &[("people", number(people).into())]),
        Reason::WellReached { reached, voters } => {
            translations.message_with("next-well-reached", &[("share", share(reached, voters).into())])
        }
    }
}
