//! Six questions that follow the headline, each answered by one figure and one sentence.

use serde::Serialize;

use super::{
    headline::planned_reach,
    pen::{Figure, Pen},
};
use crate::{access::Scope, cell::Cell, knowledge::Knowledge};

/// One question and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Card {
    /// The question.
    pub question: String,
    /// The answer.
    pub figure: Figure,
    /// What it is made of.
    pub detail: String,
}

pub(super) fn cards(pen: &Pen<'_>) -> Vec<Card> {
    let (bounds, identified) = match Knowledge::of_whole(&pen.published.whole) {
        // Nobody was there, or nobody knows: what is missing is said once, above.
        Knowledge::NoMeetings | Knowledge::Uncounted => (None, None),
        Knowledge::CountedOnly | Knowledge::Unrecognised | Knowledge::Identified => (Some(bounds(pen)), Some(identified(pen))),
    };
    [Some(plan(pen)), bounds, planned(pen), ceiling(pen), identified, frequency(pen)].into_iter().flatten().collect()
}

fn card(question: String, figure: Figure, detail: String) -> Card {
    Card { question, figure, detail }
}

/// Of the meetings that were due. Above 100 % is no error here: a meeting may be held before its day.
fn plan(pen: &Pen<'_>) -> Card {
    let plan = &pen.published.whole.plan;
    let sent = ("sent", pen.count(plan.planned).into());
    let plans = match planned_meetings(pen) {
        Some(planned) => pen.words.say_with("card-plan-sent-of", &[sent, ("planned", pen.count(planned).into())]),
        None => pen.words.say_with("card-plan-sent", &[sent]),
    };
    let done = match pen.percent(plan.held_planned, plan.due) {
        Some(text) => pen.shown(text),
        None => pen.not_applicable(pen.words.say("none-due")),
    };
    let detail = pen.words.say_with(
        "card-plan-detail",
        &[
            ("held", pen.count(plan.held_planned).into()),
            ("due", pen.count(plan.due).into()),
            ("n", plan.due.into()),
            ("date", pen.date(pen.today()).into()),
            ("plans", plans.into()),
        ],
    );
    card(pen.words.say("card-plan"), done, detail)
}

/// Meetings that the settings of the whole campaign name, of which not all need have a plan yet.
fn planned_meetings(pen: &Pen<'_>) -> Option<u64> {
    let campaign = &pen.published.campaign;
    (pen.published.reader.scope == Scope::Region && campaign.planned_meetings > 0).then_some(u64::from(campaign.planned_meetings))
}

fn bounds(pen: &Pen<'_>) -> Card {
    let (audience, denominator) = (&pen.published.whole.audience, &pen.published.whole.denominator);
    let shares = pen.bounds_share((audience.lower, audience.upper), denominator);
    let detail = match shares {
        Some(shares) => pen.words.say_with("card-bounds-detail", &[("shares", shares.into())]),
        None if audience.upper.shown().is_some() => pen.words.say("card-bounds-no-voters"),
        None => pen.words.say("card-bounds-withheld"),
    };
    card(pen.words.say("card-bounds"), pen.bounds(audience.lower, audience.upper), detail)
}

fn planned(pen: &Pen<'_>) -> Option<Card> {
    let planned = planned_reach(pen)?;
    let whole = &pen.published.whole;
    let (figure, reached) = match Knowledge::of_whole(whole) {
        Knowledge::NoMeetings | Knowledge::Identified => {
            (pen.ratio(whole.audience.reached, planned), pen.cell(whole.audience.reached).text)
        }
        Knowledge::Uncounted | Knowledge::CountedOnly | Knowledge::Unrecognised => {
            let figure = pen.reached_in_all();
            (figure.clone(), figure.text)
        }
    };
    let detail = pen.words.say_with("card-planned-detail", &[("reached", reached.into()), ("planned", pen.count(planned).into())]);
    Some(card(pen.words.say("card-planned"), figure, detail))
}

fn ceiling(pen: &Pen<'_>) -> Option<Card> {
    let whole = &pen.published.whole;
    let ceiling = whole.ceiling?;
    let counted = whole.plan.held.saturating_sub(whole.audience.uncounted_meetings);
    let average = pen.locale.average(whole.audience.gross.shown()?, counted)?;
    let share = pen.shown(pen.percent(ceiling, whole.denominator.known()?)?);
    let detail = pen.words.say_with(
        "card-ceiling-detail",
        &[
            ("ceiling", pen.count(ceiling).into()),
            ("planned", pen.count(u64::from(pen.published.campaign.planned_meetings)).into()),
            ("average", average.into()),
        ],
    );
    Some(card(pen.words.say("card-ceiling"), share, detail))
}

fn identified(pen: &Pen<'_>) -> Card {
    let audience = &pen.published.whole.audience;
    let detail = pen.words.say_with(
        "card-identified-detail",
        &[("identified", pen.cell(audience.identified).text.into()), ("gross", pen.cell(audience.gross).text.into())],
    );
    let share = audience.gross.shown().map_or_else(|| pen.cell(Cell::WITHHELD), |gross| pen.ratio(audience.identified, gross));
    card(pen.words.say("card-identified"), share, detail)
}

/// The average, and how many came once, twice and so on.
fn frequency(pen: &Pen<'_>) -> Option<Card> {
    let classes = &pen.published.exposure;
    if classes.len() < 2 {
        return None;
    }
    let audience = &pen.published.whole.audience;
    let average = match (audience.contacts.shown(), audience.reached.shown()) {
        (Some(contacts), Some(reached)) => pen.shown(pen.locale.average(contacts, reached)?),
        _ => pen.cell(Cell::WITHHELD),
    };
    let parts: Vec<String> = classes
        .iter()
        .map(|class| {
            let args = [("times", class.times.into()), ("people", pen.cell(class.people).text.into())];
            if class.or_more { pen.words.say_with("times-or-more", &args) } else { pen.words.say_with("times", &args) }
        })
        .collect();
    Some(card(pen.words.say("card-frequency"), average, parts.join("; ")))
}
