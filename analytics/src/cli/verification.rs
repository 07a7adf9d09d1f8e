//! `verification`: recounts and surveys of others beside the counted figures, for those who check them.

use std::io::Write;

use clap::Args;

use super::{
    FactsArguments,
    text_table::{one_decimal, write_table},
};
use crate::{
    config::Config,
    error::AnalyticsError,
    translations::Translations,
    verification::{
        DEFAULT_DESIGN_EFFECT, SurveyJudgement, Verification,
        lqas::{LqasDecision, LqasDesign, LqasTask},
        recounts::RecountSum,
        surveys::{CountedCoverage, LqasOutcome, SurveyComparison, Verdict},
        verification,
    },
};

/// Arguments of the subcommand `verification`.
#[derive(Debug, Args)]
pub struct VerificationCommand {
    #[command(flatten)]
    facts: FactsArguments,
    /// Design effect of the surveys: how many times as large their variance is as that of a simple random sample; from 1 to 100.
    #[arg(long, default_value_t = DEFAULT_DESIGN_EFFECT, value_parser = parse_design_effect)]
    pub design_effect: f64,
    /// Judges each survey as a small sample (LQAS): the higher and the lower share to be told apart, in percent, such as `80,50`.
    #[arg(long, value_parser = parse_shares)]
    pub lqas_shares: Option<Pair>,
    /// Tolerated errors of that decision, in percent: of rejecting the higher share, and of accepting the lower one.
    #[arg(long, default_value = "10,10", value_parser = parse_errors)]
    pub lqas_errors: Pair,
}

/// Two shares of a whole, between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair(f64, f64);

fn parse_design_effect(text: &str) -> Result<f64, String> {
    let within = text.parse().ok().filter(|effect| (1.0..=100.0).contains(effect));
    within.ok_or_else(|| "write a number from 1 to 100, such as 1.5".to_owned())
}

/// Two percentages between 0 and 100, separated by a comma.
fn parse_percentages(text: &str) -> Option<Pair> {
    let (one, other) = text.split_once(',')?;
    let share =
        |text: &str| text.trim().parse::<f64>().ok().filter(|percent| *percent > 0.0 && *percent < 100.0).map(|percent| percent / 100.0);
    Some(Pair(share(one)?, share(other)?))
}

fn parse_shares(text: &str) -> Result<Pair, String> {
    let shares = parse_percentages(text).filter(|Pair(higher, lower)| higher > lower);
    shares.ok_or_else(|| "write the higher and the lower share in percent, such as 80,50".to_owned())
}

fn parse_errors(text: &str) -> Result<Pair, String> {
    let errors = parse_percentages(text).filter(|Pair(reject, accept)| reject.max(*accept) < 0.5);
    errors.ok_or_else(|| "write two percentages above 0 and below 50, such as 10,10".to_owned())
}

impl VerificationCommand {
    /// Compares recounts and surveys with what was counted, and writes them.
    pub async fn run(&self, config: &Config, out: &mut impl Write) -> Result<(), AnalyticsError> {
        let Pair(tolerated_reject, tolerated_accept) = self.lqas_errors;
        let task = |Pair(higher, lower)| LqasTask { higher, lower, tolerated_reject, tolerated_accept };
        let judgement = SurveyJudgement { design_effect: self.design_effect, lqas: self.lqas_shares.map(task) };
        self.facts.run(config, out, "verification", move |store| verification(store, judgement), write_text).await
    }
}

fn write_text(found: &Verification, translations: &Translations, out: &mut impl Write) -> std::io::Result<()> {
    write_recounts(found, translations, out)?;
    writeln!(out)?;
    if found.surveys.is_empty() {
        return writeln!(out, "{}", translations.message("verification-no-surveys"));
    }
    let header = [
        "verification-survey",
        "column-unit",
        "next-day",
        "verification-asked",
        "verification-attended",
        "verification-interval",
        "verification-counted",
        "verification-bounds",
        "verification-verdict",
    ];
    let header = header.map(|key| translations.message(key)).to_vec();
    write_table(out, header, found.surveys.iter().map(|survey| survey_row(survey, translations)).collect())?;
    writeln!(
        out,
        "{}",
        translations.message_with("verification-survey-note", &[("effect", one_decimal(found.design_effect, translations).into())])
    )?;
    match &found.lqas {
        Some(design) => write_lqas(design, &found.surveys, translations, out),
        None => Ok(()),
    }
}

fn write_recounts(found: &Verification, translations: &Translations, out: &mut impl Write) -> std::io::Result<()> {
    if found.recounts.region.meetings == 0 {
        return writeln!(out, "{}", translations.message("verification-no-recounts"));
    }
    let number = |count: u64| translations.locale().number(count);
    let row = |unit: String, sum: &RecountSum| {
        let factor = sum.factor_percent.map_or_else(|| translations.message("no-data"), |percent| one_decimal(percent, translations));
        vec![unit, number(sum.meetings), number(sum.unchanged), number(sum.reported), number(sum.recounted), factor]
    };
    let header = [
        "column-unit",
        "verification-meetings",
        "verification-unchanged",
        "verification-reported",
        "verification-recounted",
        "verification-factor",
    ];
    let mut rows: Vec<_> = found.recounts.units.iter().map(|(unit, sum)| row(unit.clone(), sum)).collect();
    rows.push(row(translations.message("verification-region"), &found.recounts.region));
    write_table(out, header.map(|key| translations.message(key)).to_vec(), rows)?;
    writeln!(out, "{}", translations.message("verification-recount-note"))
}

fn survey_row(survey: &SurveyComparison, translations: &Translations) -> Vec<String> {
    let number = |count: u32| translations.locale().number(count.into());
    let nothing = || translations.message("no-data");
    let range = |low: String, high: String| translations.message_with("verification-range", &[("low", low.into()), ("high", high.into())]);
    let interval = survey.share.map_or_else(nothing, |share| {
        let [percent, low, high] = [share.percent, share.low, share.high].map(|percent| one_decimal(percent, translations));
        translations.message_with("verification-share", &[("share", percent.into()), ("low", low.into()), ("high", high.into())])
    });
    let CountedCoverage { reached, lower, upper, voters } = survey.counted;
    let percent = |people: u64| voters.and_then(|voters| translations.locale().percent(people, voters));
    let bounds =
        percent(lower).zip(upper.map_or_else(|| Some(nothing()), percent)).map_or_else(nothing, |(lower, upper)| range(lower, upper));
    let mut verdict = translations.message(match survey.verdict {
        Verdict::NoContradiction => "verification-agrees",
        Verdict::SurveyHigher => "verification-higher",
        Verdict::SurveyLower => "verification-lower",
        Verdict::NotComparable => "verification-not-comparable",
    });
    if survey.contested {
        verdict = format!("{verdict}; {}", translations.message("verification-contested"));
    }
    vec![
        survey.survey.to_string(),
        survey.unit.as_ref().map_or_else(|| translations.message("verification-region"), ToString::to_string),
        survey.day.to_string(),
        number(survey.asked),
        number(survey.attended),
        interval,
        percent(reached).unwrap_or_else(nothing),
        bounds,
        verdict,
    ]
}

fn write_lqas(design: &LqasDesign, surveys: &[SurveyComparison], translations: &Translations, out: &mut impl Write) -> std::io::Result<()> {
    writeln!(out)?;
    let percent = |share: f64| one_decimal(share * 100.0, translations);
    let number = |count: u32| translations.locale().number(count.into());
    let judged = surveys.iter().filter_map(|survey| survey.lqas.as_ref().map(|outcome| (survey, outcome)));
    for (survey, LqasOutcome { rule, decision }) in judged {
        let key = match decision {
            LqasDecision::AtLeastHigher => "verification-lqas-higher",
            LqasDecision::AtMostLower => "verification-lqas-lower",
            LqasDecision::SampleTooSmall => "verification-lqas-small",
        };
        let args = [
            ("survey", survey.survey.as_str().into()),
            ("attended", number(survey.attended).into()),
            ("asked", number(survey.asked).into()),
            ("value", number(rule.decision_value).into()),
            ("higher", percent(design.task.higher).into()),
            ("lower", percent(design.task.lower).into()),
            ("rejects", percent(rule.rejects_higher).into()),
            ("accepts", percent(rule.accepts_lower).into()),
        ];
        writeln!(out, "{}", translations.message_with(key, &args))?;
    }
    let args = [
        ("higher", percent(design.task.higher).into()),
        ("lower", percent(design.task.lower).into()),
        ("sample", design.smallest_sample.map_or_else(|| translations.message("verification-lqas-many"), number).into()),
    ];
    writeln!(out, "{}", translations.message_with("verification-lqas-note", &args))
}
