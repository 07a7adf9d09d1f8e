//! Data quality: missing reports, anomalous meetings and records, people who could not be counted.

use jiff::civil::Date;
use serde::Serialize;

use super::{
    figure_formatter::{Figure, FigureFormatter},
    unreachable::unreachable,
};
use crate::published::PublishedUnit;

/// Section on data quality.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trust {
    /// Title of the section, a question.
    pub title: String,
    /// Rows of the section, the most important first.
    pub rows: Vec<TrustRow>,
}

/// A row about one aspect of data quality.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrustRow {
    /// Name of the quality indicator, in the reader's language.
    pub label: String,
    /// The count, or the date of the newest record.
    pub figure: Figure,
    /// What the count means for the figures.
    pub detail: String,
    /// Whether somebody has to act on it.
    pub act: bool,
}

pub(super) fn trust(fmt: &FigureFormatter<'_>) -> Trust {
    let (total, counts) = (&fmt.published.total, &fmt.published.counts);
    let plan = &total.plan;
    let row = |figure: Figure, act: bool, label: String, detail: String| TrustRow { label, figure, detail, act };
    let meetings = |count: u64, act: bool, label: String, detail: String| row(fmt.number(count), act && count > 0, label, detail);
    let mut rows = vec![
        meetings(plan.missing, true, fmt.message("trust-missing"), fmt.message("trust-missing-detail")),
        meetings(plan.unlawful, true, fmt.message("trust-unlawful"), fmt.message("trust-unlawful-detail")),
        meetings(plan.contested, true, fmt.message("trust-contested"), fmt.message("trust-contested-detail")),
        meetings(plan.cancelled, false, fmt.message("trust-cancelled"), fmt.message("trust-cancelled-detail")),
        meetings(plan.moved, false, fmt.message("trust-moved"), fmt.message("trust-moved-detail")),
        meetings(plan.held_extra, false, fmt.message("trust-extra"), fmt.message("trust-extra-detail")),
    ];
    rows.extend(late(fmt));
    if let Some(precincts) = total.precincts_without_meeting {
        rows.push(meetings(plan.pending, true, fmt.message("trust-pending"), fmt.message("trust-pending-detail")));
        if counts.precincts > 0 {
            let detail =
                fmt.message_with("trust-precincts-detail", &[("all", fmt.count(counts.precincts).into()), ("n", counts.precincts.into())]);
            rows.push(meetings(precincts, false, fmt.message("trust-precincts"), detail));
        }
    }
    rows.extend(unreachable(fmt).map(|(precincts, detail)| meetings(precincts, false, fmt.message("trust-unreachable"), detail)));
    if counts.roll_precincts > 0 && counts.precincts_without_roll > 0 {
        let enrolled = counts.precincts.saturating_sub(counts.precincts_without_roll);
        let detail = fmt.message_with("trust-roll-detail", &[("all", fmt.count(counts.precincts).into()), ("n", counts.precincts.into())]);
        rows.push(row(fmt.number(enrolled), true, fmt.message("trust-roll"), detail));
    }
    if plan.nobody_eligible > 0 {
        rows.push(meetings(plan.nobody_eligible, false, fmt.message("trust-nobody-eligible"), fmt.message("trust-nobody-eligible-detail")));
    }
    if total.audience.uncounted_meetings > 0 {
        let uncounted = total.audience.uncounted_meetings;
        rows.push(meetings(uncounted, true, fmt.message("trust-uncounted"), fmt.message("trust-uncounted-detail")));
    }
    rows.push(row(fmt.cell(total.audience.outside), false, fmt.message("trust-outside"), fmt.message("trust-outside-detail")));
    rows.push(row(fmt.cell(total.audience.weak), false, fmt.message("trust-weak"), fmt.message("trust-weak-detail")));
    if fmt.published.reader.scope == crate::access::Scope::Region {
        rows.extend(records(fmt));
        rows.push(meetings(counts.rejected, true, fmt.message("trust-rejected"), fmt.message("trust-rejected-detail")));
        rows.push(meetings(counts.conflicts, true, fmt.message("trust-conflicts"), fmt.message("trust-conflicts-detail")));
    }
    rows.splice(0..0, over(fmt));
    Trust { title: fmt.message("trust-title"), rows }
}

/// Late reports, with the shares of due meetings that were reported in time. None in a snapshot from before these were counted.
fn late(fmt: &FigureFormatter<'_>) -> Option<TrustRow> {
    let plan = &fmt.published.total.plan;
    if plan.on_time + plan.late + plan.missing != plan.due {
        return None;
    }
    let [on_time, within] = [plan.on_time, plan.within_72_hours].map(|reported| fmt.percent(reported, plan.due));
    let args = [("share", on_time?.into()), ("within", within?.into())];
    let detail = fmt.message_with("trust-late-detail", &args);
    Some(TrustRow { label: fmt.message("trust-late"), figure: fmt.number(plan.late), detail, act: false })
}

/// Days without records after which the source should be checked.
const OLD_DAYS: u32 = 3;

/// Notice that no record was received for days.
pub(super) fn quiet(fmt: &FigureFormatter<'_>) -> Option<String> {
    let (_, days) = age(fmt).filter(|(_, days)| *days >= OLD_DAYS)?;
    Some(fmt.message_with("quiet", &[("days", days.into()), ("number", fmt.count(u64::from(days)).into())]))
}

/// Local day of the newest record, and its distance to the as-of day in days.
fn age(fmt: &FigureFormatter<'_>) -> Option<(Date, u32)> {
    let day = fmt.local(fmt.published.quality.newest_record?).date();
    let days = day.duration_until(fmt.today()).as_hours() / 24;
    Some((day, u32::try_from(days).unwrap_or(0)))
}

/// Age of the data, and anomalies of its records.
fn records(fmt: &FigureFormatter<'_>) -> Vec<TrustRow> {
    let quality = &fmt.published.quality;
    let mut rows = Vec::new();
    if let Some((day, days)) = age(fmt) {
        let args = [("days", days.into()), ("number", fmt.count(u64::from(days)).into())];
        let detail = fmt.message_with("trust-newest-detail", &args);
        rows.push(TrustRow { label: fmt.message("trust-newest"), figure: fmt.shown(fmt.date(day)), detail, act: days >= OLD_DAYS });
    }
    let anomalies = [
        (quality.dangling_references, fmt.message("trust-dangling"), fmt.message("trust-dangling-detail")),
        (quality.lookalike_meetings, fmt.message("trust-lookalike"), fmt.message("trust-lookalike-detail")),
        (quality.clock_ahead, fmt.message("trust-ahead"), fmt.message("trust-ahead-detail")),
        (quality.premature_reports, fmt.message("trust-premature"), fmt.message("trust-premature-detail")),
    ];
    let found = anomalies.into_iter().filter(|(count, ..)| *count > 0);
    rows.extend(found.map(|(count, label, detail)| TrustRow { label, figure: fmt.number(count), detail, act: true }));
    rows
}

/// Row about more people reached than registered, in the scope or in units whose count is shown.
fn over(fmt: &FigureFormatter<'_>) -> Option<TrustRow> {
    let is_over = |(_, unit): &(String, &PublishedUnit)| unit.over && unit.residents.shown().is_some();
    let units: Vec<String> = fmt.units_by_name().into_iter().filter(is_over).map(|(name, _)| name).collect();
    let row = |figure: Figure, detail: String| TrustRow { label: fmt.message("trust-over"), figure, detail, act: true };
    match units.len() {
        0 if fmt.published.total.over => Some(row(
            fmt.coverage(fmt.published.total.audience.reached, &fmt.published.total.denominator),
            fmt.message("trust-over-detail"),
        )),
        0 => None,
        count => {
            let detail = fmt.message_with("trust-over-units-detail", &[("units", units.join(", ").into())]);
            Some(row(fmt.number(count as u64), detail))
        }
    }
}
