//! How many voters were reached, of how many, and where that stands between plan and possibility.

use serde::Serialize;

use super::pen::{Figure, Pen, State};
use crate::knowledge::Knowledge;

/// The first thing a reader sees.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Headline {
    /// The question.
    pub question: String,
    /// How many; the bounds where nobody was identified.
    pub reached: Figure,
    /// What was counted, and by which method.
    pub label: String,
    /// Why there is no number, if it is withheld.
    pub withheld: Option<String>,
    /// Of how many, and when those were counted.
    pub denominator: String,
    /// The share.
    pub share: Figure,
    /// The name of the share.
    pub share_label: String,
    /// The answer between its bounds, beside plan and ceiling.
    pub range: Option<Range>,
}

/// A bar of what is known and what is possible. Positions are fractions of the bar's scale.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Range {
    /// The finding.
    pub title: String,
    /// Measured: solid. None where nobody was identified.
    pub reached: Option<(f64, String)>,
    /// Bounds: an outlined band.
    pub bounds: (f64, f64, String),
    /// Planned reach: a line.
    pub planned: Option<(f64, String)>,
    /// Arithmetic ceiling: a broken line.
    pub ceiling: Option<(f64, String)>,
}

pub(super) fn headline(pen: &Pen<'_>) -> Headline {
    let words = pen.words;
    let (reached, share) = answer(pen);
    Headline {
        question: words.say("headline-question"),
        withheld: (reached.state == State::Withheld).then(|| words.say_with("withheld-note", &pen.withheld_counts())),
        reached,
        label: label(pen),
        denominator: denominator(pen),
        share,
        share_label: words.say("headline-share"),
        range: range(pen),
    }
}

/// How many, and which share of the registered voters that is.
fn answer(pen: &Pen<'_>) -> (Figure, Figure) {
    let whole = &pen.published.whole;
    let audience = &whole.audience;
    match Knowledge::of_whole(whole) {
        Knowledge::Uncounted | Knowledge::Unrecognised => (pen.unknown(), pen.unknown()),
        Knowledge::CountedOnly => {
            let shares = pen.bounds_share((audience.lower, audience.upper), &whole.denominator).map(|shares| pen.shown(shares));
            let unknown = || pen.coverage(audience.upper, &whole.denominator);
            (pen.bounds(audience.lower, audience.upper), shares.unwrap_or_else(unknown))
        }
        Knowledge::NoMeetings | Knowledge::Identified => (pen.cell(audience.reached), pen.coverage(audience.reached, &whole.denominator)),
    }
}

fn denominator(pen: &Pen<'_>) -> String {
    let held = &pen.published.whole.denominator;
    let count = pen.count(held.voters);
    match held.date {
        Some(date) => {
            pen.words.say_with("headline-of-dated", &[("voters", count.into()), ("n", held.voters.into()), ("date", pen.date(date).into())])
        }
        None => pen.words.say("headline-of-unknown"),
    }
}

/// Bounds that meet at the count leave nothing open: it is exact. Where they are withheld, so is how far apart they are.
fn label(pen: &Pen<'_>) -> String {
    let audience = &pen.published.whole.audience;
    match (Knowledge::of_whole(&pen.published.whole), audience.reached.shown(), audience.lower.shown(), audience.upper.shown()) {
        (Knowledge::NoMeetings, ..) => pen.words.say("headline-label-no-meetings"),
        (Knowledge::CountedOnly, ..) => pen.words.say("headline-label-counted-only"),
        (Knowledge::Identified, Some(reached), Some(lower), Some(upper)) if reached == lower && lower == upper => {
            pen.words.say("headline-label-exact")
        }
        (Knowledge::Identified, Some(_), Some(_), Some(_)) => pen.words.say("headline-label-bounds"),
        _ => pen.words.say("headline-label"),
    }
}

fn range(pen: &Pen<'_>) -> Option<Range> {
    let whole = &pen.published.whole;
    let audience = &whole.audience;
    let known = Knowledge::of_whole(whole);
    if matches!(known, Knowledge::NoMeetings | Knowledge::Uncounted) {
        return None;
    }
    let (reached, lower, upper) = (audience.reached.shown()?, audience.lower.shown()?, audience.upper.shown()?);
    let planned = planned_reach(pen);
    // A little room beyond the farthest mark, so that its line is seen as one.
    let end = [Some(upper), planned, whole.ceiling].into_iter().flatten().max().unwrap_or(0).max(1) * 26 / 25 + 1;
    let at = |count: u64| (count as f64 / end as f64 * 10_000.0).round() / 10_000.0;
    let mark = |key: &'static str, count: u64| {
        let text = pen.words.say_with(key, &[("count", pen.count_and_share(count, &whole.denominator).into())]);
        (at(count), text)
    };
    let identified = known == Knowledge::Identified;
    let finding = planned.filter(|_| identified).and_then(|planned| pen.percent(reached, planned));
    Some(Range {
        title: match finding {
            Some(share) => pen.words.say_with("range-finding", &[("share", share.into())]),
            None => pen.words.say("range-title"),
        },
        reached: identified.then(|| mark("range-reached", reached)),
        bounds: (at(lower), at(upper), pen.words.say_with("range-bounds", &[("bounds", bounds(pen).into())])),
        planned: planned.map(|planned| mark("range-planned", planned)),
        ceiling: whole.ceiling.map(|ceiling| mark("range-ceiling", ceiling)),
    })
}

/// Bounds as counts, with their shares if the number of voters is known.
fn bounds(pen: &Pen<'_>) -> String {
    let whole = &pen.published.whole;
    let counts = pen.bounds(whole.audience.lower, whole.audience.upper).text;
    match pen.bounds_share((whole.audience.lower, whole.audience.upper), &whole.denominator) {
        Some(shares) => pen.words.say_with("count-share", &[("count", counts.into()), ("share", shares.into())]),
        None => counts,
    }
}

/// Different voters that the plan of the whole campaign means to reach.
pub(super) fn planned_reach(pen: &Pen<'_>) -> Option<u64> {
    let campaign = &pen.published.campaign;
    (pen.published.reader.scope == crate::access::Scope::Region && campaign.planned_reach > 0).then_some(u64::from(campaign.planned_reach))
}
