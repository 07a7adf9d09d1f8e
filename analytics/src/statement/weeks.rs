//! How reach grew from week to week.

use serde::Serialize;

use super::{
    pen::{Figure, Pen},
    tables::{Column, Row, Table},
};
use crate::{knowledge::Knowledge, published::Week};

/// Columns of the chart that each have room for all of their figures.
const ROOMY: usize = 6;

/// Labels that have room beside each other on a page, and on a phone.
const LABELS: (usize, usize) = (10, 4);

/// Columns that have room for all of their labels on a phone.
const ROOMY_ON_A_PHONE: usize = 5;

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
    /// Whether its columns are too narrow for all of their labels.
    pub crowded: bool,
    /// Every figure of every week.
    pub table: Table,
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
    /// On which charts its labels are written: every few columns, the last always.
    pub labels: Labels,
}

/// Where the labels of a column have room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Labels {
    /// On a chart as wide as a page.
    pub wide: bool,
    /// On a phone.
    pub narrow: bool,
}

/// None where nobody was identified: that is not the same as nobody reached.
pub(super) fn weeks(pen: &Pen<'_>) -> Option<Weeks> {
    if Knowledge::of_whole(&pen.published.whole) != Knowledge::Identified {
        return None;
    }
    let weeks = held(&pen.published.weeks);
    let last = weeks.last()?;
    let most = weeks.iter().filter_map(|week| week.to_date.shown()).max().unwrap_or(0).max(1);
    let title = match last.first_reached.shown() {
        Some(first) if first > 0 => pen.words.say_with(
            "weeks-finding",
            &[("day", pen.locale.from_day(last.monday).into()), ("first", pen.count(first).into()), ("n", first.into())],
        ),
        _ => pen.words.say("weeks-title"),
    };
    let labels = |place: usize| {
        let from_last = weeks.len() - 1 - place;
        let every = |columns: usize| from_last.is_multiple_of(weeks.len().div_ceil(columns));
        Labels { wide: every(LABELS.0), narrow: weeks.len() <= ROOMY_ON_A_PHONE || every(LABELS.1) }
    };
    Some(Weeks {
        title,
        note: pen.words.say("weeks-note"),
        before: pen.words.say("weeks-before"),
        first: pen.words.say("weeks-first"),
        columns: weeks.iter().enumerate().map(|(place, week)| column(pen, week, (most, labels(place)))).collect(),
        crowded: weeks.len() > ROOMY,
        table: table(pen, weeks),
    })
}

/// From the first week with a held meeting to the last one. A week between them without any stays, so that time is not cut short.
fn held(weeks: &[Week]) -> &[Week] {
    let first = weeks.iter().position(|week| week.held > 0).unwrap_or(weeks.len());
    let after = weeks.iter().rposition(|week| week.held > 0).map_or(first, |last| last + 1);
    &weeks[first..after]
}

fn table(pen: &Pen<'_>, weeks: &[Week]) -> Table {
    let column = |key: &'static str, label: String| Column { key, label };
    let row = |week: &Week| Row {
        code: week.week.clone(),
        figures: vec![pen.shown(pen.locale.day(week.monday)), pen.number(week.held), pen.cell(week.first_reached), pen.cell(week.to_date)],
        keys: vec![Some(week.held), week.first_reached.shown(), week.to_date.shown()],
    };
    Table {
        title: pen.words.say("weeks-table"),
        notes: Vec::new(),
        columns: vec![
            column("week", pen.words.say("column-week")),
            column("held", pen.words.say("column-held")),
            column("first", pen.words.say("column-first")),
            column("to-date", pen.words.say("column-to-date")),
        ],
        rows: weeks.iter().map(row).collect(),
        total: None,
    }
}

fn column(pen: &Pen<'_>, week: &Week, (most, labels): (u64, Labels)) -> WeekColumn {
    let height = |count: u64| (count as f64 / most as f64 * 10_000.0).round() / 10_000.0;
    let both = week.first_reached.shown().zip(week.to_date.shown());
    let (label, first, to_date) = (pen.locale.day(week.monday), pen.cell(week.first_reached), pen.cell(week.to_date));
    let args = [
        ("day", pen.locale.from_day(week.monday).into()),
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
        labels,
    }
}
