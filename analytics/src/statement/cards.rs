//! Cards below the headline: up to six questions, each answered by a figure and a sentence.

use serde::Serialize;

use super::{
    figure_formatter::{Figure, FigureFormatter},
    headline::planned_reach,
};
use crate::{access::Scope, cell::Cell, published::RoundedEstimate, reach_status::ReachStatus};

/// A question and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Card {
    /// The question, as its title.
    pub question: String,
    /// The figure that answers it.
    pub figure: Figure,
    /// The numbers that the figure is computed from.
    pub detail: String,
}

pub(super) fn cards(fmt: &FigureFormatter<'_>) -> Vec<Card> {
    let (bounds, identified) = match fmt.published.total.status() {
        // The gaps section says what is missing.
        ReachStatus::NoMeetings | ReachStatus::Uncounted => (None, None),
        ReachStatus::CountedOnly | ReachStatus::Unrecognised | ReachStatus::Identified => (Some(bounds(fmt)), Some(identified(fmt))),
    };
    [Some(plan(fmt)), bounds, planned(fmt), ceiling(fmt), identified, frequency(fmt)].into_iter().flatten().collect()
}

fn card(question: String, figure: Figure, detail: String) -> Card {
    Card { question, figure, detail }
}

/// Fulfilment of the plan. Above 100 % is no error: a meeting may be held before its planned day.
fn plan(fmt: &FigureFormatter<'_>) -> Card {
    let plan = &fmt.published.total.plan;
    let sent = ("sent", fmt.count(plan.planned).into());
    let plans = match planned_meetings(fmt) {
        Some(planned) => fmt.message_with("card-plan-sent-of", &[sent, ("planned", fmt.count(planned).into())]),
        None => fmt.message_with("card-plan-sent", &[sent]),
    };
    let figure = match fmt.percent(plan.held_planned, plan.due) {
        Some(text) => fmt.shown(text),
        None => fmt.not_applicable(fmt.message("none-due")),
    };
    let detail = fmt.message_with(
        "card-plan-detail",
        &[
            ("held", fmt.count(plan.held_planned).into()),
            ("due", fmt.count(plan.due).into()),
            ("n", plan.due.into()),
            ("date", fmt.date(fmt.today()).into()),
            ("plans", plans.into()),
        ],
    );
    card(fmt.message("card-plan"), figure, detail)
}

/// Planned meetings in the campaign's configuration; not all of them need a plan yet.
fn planned_meetings(fmt: &FigureFormatter<'_>) -> Option<u64> {
    let campaign = &fmt.published.campaign;
    (fmt.published.reader.scope == Scope::Region && campaign.planned_meetings > 0).then_some(u64::from(campaign.planned_meetings))
}

fn bounds(fmt: &FigureFormatter<'_>) -> Card {
    let (audience, denominator) = (&fmt.published.total.audience, &fmt.published.total.denominator);
    let shares = fmt.bounds_share(audience, denominator);
    let detail = match shares {
        Some(shares) => with_estimate(fmt, fmt.message_with("card-bounds-detail", &[("shares", shares.into())])),
        None if audience.upper.shown().is_some() => fmt.message("card-bounds-no-voters"),
        None => fmt.message("card-bounds-withheld"),
    };
    card(fmt.message("card-bounds"), fmt.bounds(audience), detail)
}

/// Adds the estimate to the explanation of the bounds: it is never a figure of its own.
fn with_estimate(fmt: &FigureFormatter<'_>, detail: String) -> String {
    let Some(RoundedEstimate { reached, low, high }) = fmt.published.total.estimate else { return detail };
    let args = [
        ("detail", detail.into()),
        ("reached", fmt.count(reached).into()),
        ("low", fmt.count(low).into()),
        ("high", fmt.count(high).into()),
    ];
    fmt.message_with("card-bounds-estimate", &args)
}

fn planned(fmt: &FigureFormatter<'_>) -> Option<Card> {
    let planned = planned_reach(fmt)?;
    let total = &fmt.published.total;
    let (figure, reached) = match total.status() {
        ReachStatus::NoMeetings | ReachStatus::Identified => {
            (fmt.ratio(total.audience.reached, planned), fmt.cell(total.audience.reached).text)
        }
        ReachStatus::Uncounted | ReachStatus::CountedOnly | ReachStatus::Unrecognised => {
            let figure = fmt.reached_in_all();
            (figure.clone(), figure.text)
        }
    };
    let detail = fmt.message_with("card-planned-detail", &[("reached", reached.into()), ("planned", fmt.count(planned).into())]);
    Some(card(fmt.message("card-planned"), figure, detail))
}

fn ceiling(fmt: &FigureFormatter<'_>) -> Option<Card> {
    let total = &fmt.published.total;
    let ceiling = total.ceiling?;
    let counted = total.plan.held.saturating_sub(total.audience.uncounted_meetings);
    let average = fmt.locale.average(total.audience.gross.shown()?, counted)?;
    let share = fmt.shown(fmt.percent(ceiling, total.denominator.known()?)?);
    let detail = fmt.message_with(
        "card-ceiling-detail",
        &[
            ("ceiling", fmt.count(ceiling).into()),
            ("planned", fmt.count(u64::from(fmt.published.campaign.planned_meetings)).into()),
            ("average", average.into()),
        ],
    );
    Some(card(fmt.message("card-ceiling"), share, detail))
}

fn identified(fmt: &FigureFormatter<'_>) -> Card {
    let audience = &fmt.published.total.audience;
    let detail = fmt.message_with(
        "card-identified-detail",
        &[("identified", fmt.cell(audience.identified).text.into()), ("gross", fmt.cell(audience.gross).text.into())],
    );
    let share = audience.gross.shown().map_or_else(|| fmt.cell(Cell::WITHHELD), |gross| fmt.ratio(audience.identified, gross));
    card(fmt.message("card-identified"), share, detail)
}

/// Average number of attendances per person, and its distribution.
fn frequency(fmt: &FigureFormatter<'_>) -> Option<Card> {
    let classes = &fmt.published.frequencies;
    if classes.len() < 2 {
        return None;
    }
    let audience = &fmt.published.total.audience;
    let average = match (audience.contacts.shown(), audience.reached.shown()) {
        (Some(contacts), Some(reached)) => fmt.shown(fmt.locale.average(contacts, reached)?),
        _ => fmt.cell(Cell::WITHHELD),
    };
    let frequencies: Vec<String> = classes
        .iter()
        .map(|class| {
            let args = [("times", class.times.into()), ("people", fmt.cell(class.people).text.into())];
            if class.or_more { fmt.message_with("times-or-more", &args) } else { fmt.message_with("times", &args) }
        })
        .collect();
    Some(card(fmt.message("card-frequency"), average, frequencies.join("; ")))
}
