//! How many voters were reached, of how many, and where that stands between plan and possibility.

use serde::Serialize;

use super::pen::{Figure, Pen};

/// The first thing a reader sees.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Headline {
    /// The question.
    pub question: String,
    /// How many.
    pub reached: Figure,
    /// What was counted, and by which method.
    pub label: String,
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
    /// Measured: solid.
    pub reached: (f64, String),
    /// Bounds: an outlined band.
    pub bounds: (f64, f64, String),
    /// Planned reach: a line.
    pub planned: Option<(f64, String)>,
    /// Arithmetic ceiling: a broken line.
    pub ceiling: Option<(f64, String)>,
    /// Where the scale ends.
    pub end: String,
}

pub(super) fn headline(pen: &Pen<'_>) -> Headline {
    let whole = &pen.published.whole;
    let (words, voters) = (pen.words, whole.denominator.voters);
    let count = pen.count(voters);
    let denominator = match whole.denominator.date {
        Some(date) => {
            words.say_with("headline-of-dated", &[("voters", count.into()), ("n", voters.into()), ("date", pen.date(date).into())])
        }
        None => words.say_with("headline-of", &[("voters", count.into()), ("n", voters.into())]),
    };
    Headline {
        question: words.say("headline-question"),
        reached: pen.cell(whole.audience.reached),
        label: label(pen),
        denominator,
        share: pen.share(whole.audience.reached, voters),
        share_label: words.say("headline-share"),
        range: range(pen),
    }
}

/// Bounds that meet at the count leave nothing open: it is exact. Where they are withheld, so is how far apart they are.
fn label(pen: &Pen<'_>) -> String {
    let audience = &pen.published.whole.audience;
    match (audience.reached.shown(), audience.lower.shown(), audience.upper.shown()) {
        (Some(reached), Some(lower), Some(upper)) if reached == lower && lower == upper => pen.words.say("headline-label-exact"),
        (Some(_), Some(_), Some(_)) => pen.words.say("headline-label-bounds"),
        _ => pen.words.say("headline-label"),
    }
}

fn range(pen: &Pen<'_>) -> Option<Range> {
    let whole = &pen.published.whole;
    let audience = &whole.audience;
    let (reached, lower, upper) = (audience.reached.shown()?, audience.lower.shown()?, audience.upper.shown()?);
    let planned = planned_reach(pen);
    // A little air beyond the farthest mark, so that its line is seen as one.
    let end = [Some(upper), planned, whole.ceiling].into_iter().flatten().max().unwrap_or(0).max(1) * 26 / 25 + 1;
    let at = |count: u64| (count as f64 / end as f64 * 10_000.0).round() / 10_000.0;
    let voters = whole.denominator.voters;
    let with_share = |count: u64| -> [(&'static str, fluent_bundle::FluentValue<'static>); 2] {
        let share = pen.percent(count, voters).unwrap_or_else(|| pen.none().text);
        [("count", pen.count(count).into()), ("share", share.into())]
    };
    let bounds = pen.bounds(audience.lower, audience.upper).text;
    let shares = pen.bounds_share((audience.lower, audience.upper), voters).unwrap_or_default();
    Some(Range {
        title: match planned.and_then(|planned| pen.percent(reached, planned)) {
            Some(share) => pen.words.say_with("range-finding", &[("share", share.into())]),
            None => pen.words.say("range-title"),
        },
        reached: (at(reached), pen.words.say_with("range-reached", &with_share(reached))),
        bounds: (at(lower), at(upper), pen.words.say_with("range-bounds", &[("bounds", bounds.into()), ("shares", shares.into())])),
        planned: planned.map(|planned| (at(planned), pen.words.say_with("range-planned", &with_share(planned)))),
        ceiling: whole.ceiling.map(|ceiling| (at(ceiling), pen.words.say_with("range-ceiling", &with_share(ceiling)))),
        end: pen.count(end),
    })
}

/// Different voters that the plan of the whole campaign means to reach.
pub(super) fn planned_reach(pen: &Pen<'_>) -> Option<u64> {
    let campaign = &pen.published.campaign;
    (pen.published.reader.scope == crate::access::Scope::Region && campaign.planned_reach > 0).then_some(u64::from(campaign.planned_reach))
}
