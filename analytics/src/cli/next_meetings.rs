//! `next-meetings`: where to meet next, for those who plan.

use std::io::Write;

use clap::Args;
use jiff::Timestamp;
use qamtu_schemas::id::CampaignId;
use serde_json::json;

use super::{
    ListFormat,
    text_table::{finish, write_table},
};
use crate::{
    compute::{FactsSource, select},
    config::Config,
    error::AnalyticsError,
    locale::Language,
    next_meetings::{NextMeetings, Reason, next_meetings},
    translations::Translations,
};

/// Arguments of the subcommand `next-meetings`.
#[derive(Debug, Args)]
pub struct NextMeetingsCommand {
    /// Id of the campaign.
    #[arg(long)]
    pub campaign: CampaignId,
    /// Number of planned meetings and of proposals to list.
    #[arg(long, default_value_t = 20)]
    pub top: usize,
    /// Language of headers and reasons: kk, ru or en.
    #[arg(long, default_value = "en")]
    pub language: Language,
    /// Format of the output.
    #[arg(long, default_value = "text")]
    pub format: ListFormat,
    /// As-of instant, such as `2026-03-01T07:00:00Z`; default: now or, in a synthetic campaign, the time of receipt of the newest event.
    #[arg(long)]
    pub as_of: Option<Timestamp>,
}

impl NextMeetingsCommand {
    /// Computes the ranking and writes it.
    pub async fn run(&self, config: &Config, out: &mut impl Write) -> Result<(), AnalyticsError> {
        let source = FactsSource::new(config).without_saving();
        let selection = select(&source.warehouse, &self.campaign, self.as_of, Timestamp::now()).await?;
        let (as_of, top) = (selection.as_of, self.top);
        let work = move |store: &std::sync::Arc<crate::facts_store::FactsStore>| Ok((next_meetings(store, top)?, store.is_synthetic()));
        let (next, synthetic) = source.with_store(selection, work).await?;
        let written = match self.format {
            ListFormat::Text => write_text(&next, Translations::of(self.language), out),
            ListFormat::Json => {
                let document = json!({"campaign": self.campaign, "synthetic": synthetic, "as_of": as_of, "next_meetings": next});
                serde_json::to_writer_pretty(&mut *out, &document).map_err(std::io::Error::from).and_then(|()| writeln!(out))
            }
        };
        finish(written)
    }
}

fn write_text(next: &NextMeetings, translations: &Translations, out: &mut impl Write) -> std::io::Result<()> {
    let number = |number: u64| translations.locale().number(number);
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
