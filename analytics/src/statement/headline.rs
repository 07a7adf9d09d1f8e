//! Headline: number of voters reached, of how many registered, compared with plan and ceiling.

use serde::Serialize;

use super::figure_formatter::{Figure, FigureFormatter, FigureState};
use crate::reach_status::ReachStatus;

/// The main figure of the page and the report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Headline {
    /// The question that the headline answers.
    pub question: String,
    /// Number of voters reached; the bounds if nobody was identified.
    pub reached: Figure,
    /// What was counted, and whether it is exact.
    pub label: String,
    /// Explanation if the number is withheld.
    pub withheld: Option<String>,
    /// Number of registered voters and the date of their count.
    pub denominator: String,
    /// Reached voters as a share of registered voters.
    pub share: Figure,
    /// The name of the share.
    pub share_label: String,
    /// Chart of reach, bounds, plan and ceiling; none if nothing was counted.
    pub range: Option<RangeChart>,
}

/// A bar chart. Positions are fractions of its width.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RangeChart {
    /// Finding as a sentence, the chart's title.
    pub title: String,
    /// The measured reach. None if nobody was identified.
    pub reached: Option<ChartMark>,
    /// The bounds of the reach.
    pub bounds: ChartBand,
    /// The planned reach of the campaign.
    pub planned: Option<ChartMark>,
    /// The arithmetic ceiling of the reach.
    pub ceiling: Option<ChartMark>,
}

/// A value on a chart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChartMark {
    /// Where the value is, as a fraction of the width.
    pub position: f64,
    /// Explanation in the legend.
    pub text: String,
}

/// An interval on a chart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChartBand {
    /// Where it begins.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
    /// Explanation in the legend.
    pub text: String,
}

pub(super) fn headline(fmt: &FigureFormatter<'_>) -> Headline {
    let (reached, share) = reached_and_share(fmt);
    Headline {
        question: fmt.message("headline-question"),
        withheld: (reached.state == FigureState::Withheld).then(|| fmt.message_with("withheld-note", &fmt.withheld_counts())),
        reached,
        label: label(fmt),
        denominator: denominator(fmt),
        share,
        share_label: fmt.message("headline-share"),
        range: range(fmt),
    }
}

/// Number of voters reached, and their share of the registered voters.
fn reached_and_share(fmt: &FigureFormatter<'_>) -> (Figure, Figure) {
    let total = &fmt.published.total;
    let audience = &total.audience;
    match total.status() {
        ReachStatus::Uncounted | ReachStatus::Unrecognised => (fmt.unknown(), fmt.unknown()),
        ReachStatus::CountedOnly => {
            let shares = fmt.bounds_share(audience, &total.denominator).map(|shares| fmt.shown(shares));
            let unknown = || fmt.coverage(audience.upper, &total.denominator);
            (fmt.bounds(audience), shares.unwrap_or_else(unknown))
        }
        ReachStatus::NoMeetings | ReachStatus::Identified => {
            (fmt.cell(audience.reached), fmt.coverage(audience.reached, &total.denominator))
        }
    }
}

fn denominator(fmt: &FigureFormatter<'_>) -> String {
    let denominator = &fmt.published.total.denominator;
    let count = fmt.count(denominator.voters);
    match denominator.date {
        Some(date) => fmt.message_with(
            "headline-of-dated",
            &[("voters", count.into()), ("n", denominator.voters.into()), ("date", fmt.date(date).into())],
        ),
        None => fmt.message("headline-of-unknown"),
    }
}

/// Equal bounds are exact. If they are withheld, so is whether the number is exact.
fn label(fmt: &FigureFormatter<'_>) -> String {
    let audience = &fmt.published.total.audience;
    match (fmt.published.total.status(), audience.reached.shown(), audience.lower.shown(), audience.upper.shown()) {
        (ReachStatus::NoMeetings, ..) => fmt.message("headline-label-no-meetings"),
        (ReachStatus::CountedOnly, ..) => fmt.message("headline-label-counted-only"),
        (ReachStatus::Identified, Some(reached), Some(lower), Some(upper)) if reached == lower && lower == upper => {
            fmt.message("headline-label-exact")
        }
        (ReachStatus::Identified, Some(_), Some(_), Some(_)) => fmt.message("headline-label-bounds"),
        _ => fmt.message("headline-label"),
    }
}

fn range(fmt: &FigureFormatter<'_>) -> Option<RangeChart> {
    let total = &fmt.published.total;
    let audience = &total.audience;
    let status = total.status();
    if matches!(status, ReachStatus::NoMeetings | ReachStatus::Uncounted) {
        return None;
    }
    let (reached, lower, upper) = (audience.reached.shown()?, audience.lower.shown()?, audience.upper.shown()?);
    let planned = planned_reach(fmt);
    // The scale ends 4 % beyond the last mark, so that its line is visible.
    let end = [Some(upper), planned, total.ceiling].into_iter().flatten().max().unwrap_or(0).max(1) * 26 / 25 + 1;
    let at = |count: u64| (count as f64 / end as f64 * 10_000.0).round() / 10_000.0;
    let mark = |key: &'static str, count: u64| {
        let text = fmt.message_with(key, &[("count", fmt.count_and_share(count, &total.denominator).into())]);
        ChartMark { position: at(count), text }
    };
    let identified = status == ReachStatus::Identified;
    let finding = planned.filter(|_| identified).and_then(|planned| fmt.percent(reached, planned));
    Some(RangeChart {
        title: match finding {
            Some(share) => fmt.message_with("range-finding", &[("share", share.into())]),
            None => fmt.message("range-title"),
        },
        reached: identified.then(|| mark("range-reached", reached)),
        bounds: ChartBand { from: at(lower), to: at(upper), text: fmt.message_with("range-bounds", &[("bounds", bounds(fmt).into())]) },
        planned: planned.map(|planned| mark("range-planned", planned)),
        ceiling: total.ceiling.map(|ceiling| mark("range-ceiling", ceiling)),
    })
}

/// Text of the bounds: counts, with shares if the number of voters is known.
fn bounds(fmt: &FigureFormatter<'_>) -> String {
    let total = &fmt.published.total;
    let counts = fmt.bounds(&total.audience).text;
    match fmt.bounds_share(&total.audience, &total.denominator) {
        Some(shares) => fmt.message_with("count-share", &[("count", counts.into()), ("share", shares.into())]),
        None => counts,
    }
}

/// Planned reach of the whole campaign; none in a scope of units.
pub(super) fn planned_reach(fmt: &FigureFormatter<'_>) -> Option<u64> {
    let campaign = &fmt.published.campaign;
    (fmt.published.reader.scope == crate::access::Scope::Region && campaign.planned_reach > 0).then_some(u64::from(campaign.planned_reach))
}
