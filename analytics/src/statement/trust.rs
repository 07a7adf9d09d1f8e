//! What to know before trusting the figures: reports that are missing, meetings that are odd, people who could not be counted.

use jiff::civil::Date;
use serde::Serialize;

use super::pen::{Figure, Pen};
use crate::published::Unit;

/// Whether the data can be trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trust {
    /// The question.
    pub title: String,
    /// What there is to know.
    pub rows: Vec<TrustRow>,
}

/// One thing to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrustRow {
    /// What it is.
    pub label: String,
    /// How many.
    pub figure: Figure,
    /// What it means.
    pub detail: String,
    /// Whether somebody should act.
    pub act: bool,
}

pub(super) fn trust(pen: &Pen<'_>) -> Trust {
    let (words, whole, counts) = (pen.words, &pen.published.whole, &pen.published.counts);
    let plan = &whole.plan;
    let row = |figure: Figure, act: bool, label: String, detail: String| TrustRow { label, figure, detail, act };
    let meetings = |count: u64, act: bool, label: String, detail: String| row(pen.number(count), act && count > 0, label, detail);
    let mut rows = vec![
        meetings(plan.missing, true, words.say("trust-missing"), words.say("trust-missing-detail")),
        meetings(plan.unlawful, true, words.say("trust-unlawful"), words.say("trust-unlawful-detail")),
        meetings(plan.contested, true, words.say("trust-contested"), words.say("trust-contested-detail")),
        meetings(plan.cancelled, false, words.say("trust-cancelled"), words.say("trust-cancelled-detail")),
        meetings(plan.moved, false, words.say("trust-moved"), words.say("trust-moved-detail")),
        meetings(plan.held_extra, false, words.say("trust-extra"), words.say("trust-extra-detail")),
    ];
    if let Some(precincts) = whole.precincts_without_meeting {
        rows.push(meetings(plan.pending, true, words.say("trust-pending"), words.say("trust-pending-detail")));
        if counts.precincts > 0 {
            let detail =
                words.say_with("trust-precincts-detail", &[("all", pen.count(counts.precincts).into()), ("n", counts.precincts.into())]);
            rows.push(meetings(precincts, false, words.say("trust-precincts"), detail));
        }
    }
    if counts.roll_precincts > 0 && counts.precincts_without_roll > 0 {
        let enrolled = counts.precincts.saturating_sub(counts.precincts_without_roll);
        let detail = words.say_with("trust-roll-detail", &[("all", pen.count(counts.precincts).into()), ("n", counts.precincts.into())]);
        rows.push(row(pen.number(enrolled), true, words.say("trust-roll"), detail));
    }
    if whole.audience.uncounted_meetings > 0 {
        let uncounted = whole.audience.uncounted_meetings;
        rows.push(meetings(uncounted, true, words.say("trust-uncounted"), words.say("trust-uncounted-detail")));
    }
    rows.push(row(pen.cell(whole.audience.outside), false, words.say("trust-outside"), words.say("trust-outside-detail")));
    rows.push(row(pen.cell(whole.audience.weak), false, words.say("trust-weak"), words.say("trust-weak-detail")));
    if pen.published.reader.scope == crate::access::Scope::Region {
        rows.extend(records(pen));
        rows.push(meetings(counts.rejected, true, words.say("trust-rejected"), words.say("trust-rejected-detail")));
        rows.push(meetings(counts.conflicts, true, words.say("trust-conflicts"), words.say("trust-conflicts-detail")));
    }
    rows.splice(0..0, over(pen));
    Trust { title: words.say("trust-title"), rows }
}

/// From how many days on somebody should ask why nothing comes in any more.
const OLD_DAYS: u32 = 3;

/// That nothing has come in for long, if so.
pub(super) fn quiet(pen: &Pen<'_>) -> Option<String> {
    let (_, days) = age(pen).filter(|(_, days)| *days >= OLD_DAYS)?;
    Some(pen.words.say_with("quiet", &[("days", days.into()), ("number", pen.count(u64::from(days)).into())]))
}

/// The local day on which the newest record was received, and how many days before the as-of day that was.
fn age(pen: &Pen<'_>) -> Option<(Date, u32)> {
    let day = pen.local(pen.published.quality.newest_record?).date();
    let days = day.duration_until(pen.today()).as_hours() / 24;
    Some((day, u32::try_from(days).unwrap_or(0)))
}

/// How old the data is, and what is odd about its records.
fn records(pen: &Pen<'_>) -> Vec<TrustRow> {
    let (words, quality) = (pen.words, &pen.published.quality);
    let mut rows = Vec::new();
    if let Some((day, days)) = age(pen) {
        let args = [("days", days.into()), ("number", pen.count(u64::from(days)).into())];
        let detail = words.say_with("trust-newest-detail", &args);
        rows.push(TrustRow { label: words.say("trust-newest"), figure: pen.shown(pen.date(day)), detail, act: days >= OLD_DAYS });
    }
    let odd = [
        (quality.dangling_references, words.say("trust-dangling"), words.say("trust-dangling-detail")),
        (quality.lookalike_meetings, words.say("trust-lookalike"), words.say("trust-lookalike-detail")),
        (quality.clock_ahead, words.say("trust-ahead"), words.say("trust-ahead-detail")),
        (quality.premature_reports, words.say("trust-premature"), words.say("trust-premature-detail")),
    ];
    let found = odd.into_iter().filter(|(count, ..)| *count > 0);
    rows.extend(found.map(|(count, label, detail)| TrustRow { label, figure: pen.number(count), detail, act: true }));
    rows
}

/// More people reached than registered, in the whole scope or in a unit whose count is shown.
fn over(pen: &Pen<'_>) -> Option<TrustRow> {
    let words = pen.words;
    let is_over = |(_, unit): &(String, &Unit)| unit.over && unit.residents.shown().is_some();
    let units: Vec<String> = pen.units_by_name().into_iter().filter(is_over).map(|(name, _)| name).collect();
    let row = |figure: Figure, detail: String| TrustRow { label: words.say("trust-over"), figure, detail, act: true };
    match units.len() {
        0 if pen.published.whole.over => {
            Some(row(pen.coverage(pen.published.whole.audience.reached, &pen.published.whole.denominator), words.say("trust-over-detail")))
        }
        0 => None,
        count => {
            let detail = words.say_with("trust-over-units-detail", &[("units", units.join(", ").into())]);
            Some(row(pen.number(count as u64), detail))
        }
    }
}
