//! How reach grew from week to week.

use serde::Serialize;

use super::pen::{Figure, Pen};
use crate::published::Week;

/// A chart of weeks: what was reached before, and on top what was reached for the first time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Weeks {
    /// The finding.
    pub title: String,
    /// What is shown.
    pub note: String,
    /// The name of the lower part of a column.
    pub before: String,
    /// The name of its upper part.
    pub first: String,
    /// Its columns in order.
    pub columns: Vec<WeekColumn>,
}

/// One week. Heights are fractions of the highest column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WeekColumn {
    /// Its Monday.
    pub label: String,
    /// Reached up to its end.
    pub to_date: Figure,
    /// Reached for the first time.
    pub first: Figure,
    /// Meetings held.
    pub held: String,
    /// All of it in a sentence.
    pub sentence: String,
    /// Heights of what was reached before and of what is new; none if withheld.
    pub heights: Option<(f64, f64)>,
}

pub(super) fn weeks(pen: &Pen<'_>) -> Option<Weeks> {
    let weeks: Vec<&Week> = pen.published.weeks.iter().filter(|week| week.held > 0).collect();
    let last = weeks.last()?;
    let most = weeks.iter().filter_map(|week| week.to_date.shown()).max().unwrap_or(0).max(1);
    let title = match last.first_reached.shown() {
        Some(first) => pen.words.say_with(
            "weeks-finding",
            &[("day", pen.locale.day(last.monday).into()), ("first", pen.count(first).into()), ("n", first.into())],
        ),
        None => pen.words.say("weeks-title"),
    };
    Some(Weeks {
        title,
        note: pen.words.say("weeks-note"),
        before: pen.words.say("weeks-before"),
        first: pen.words.say("weeks-first"),
        columns: weeks.into_iter().map(|week| column(pen, week, most)).collect(),
    })
}

fn column(pen: &Pen<'_>, week: &Week, most: u64) -> WeekColumn {
    let height = |count: u64| (count as f64 / most as f64 * 10_000.0).round() / 10_000.0;
    let both = week.first_reached.shown().zip(week.to_date.shown());
    let (label, first, to_date) = (pen.locale.day(week.monday), pen.cell(week.first_reached), pen.cell(week.to_date));
    let args = [
        ("day", label.clone().into()),
        ("held", pen.count(week.held).into()),
        ("n", week.held.into()),
        ("first", first.text.clone().into()),
        ("total", to_date.text.clone().into()),
    ];
    WeekColumn {
        sentence: pen.words.say_with("weeks-column", &args),
        held: pen.words.say_with("weeks-held", &[("held", pen.count(week.held).into()), ("n", week.held.into())]),
        heights: both.map(|(first, all)| (height(all.saturating_sub(first)), height(first))),
        label,
        first,
        to_date,
    }
}
