//! How reach grew from week to week.

use serde::Serialize;

use super::{
    figure_formatter::{Figure, FigureFormatter},
    tables::{Column, Table, TableRow},
};
use crate::{published::Week, reach_status::ReachStatus};

/// Columns of the chart that each have room for all of their figures.
const MAX_COLUMNS_ALL_FIGURES: usize = 6;

/// Labels that have room beside each other on a page, and on a phone.
const MAX_LABELS: (usize, usize) = (10, 4);

/// Columns that have room for all of their labels on a phone.
const MAX_COLUMNS_ALL_LABELS_ON_PHONE: usize = 5;

/// A chart of weeks: what was reached before, and on top what was reached for the first time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Weeks {
    /// Finding as a sentence, the chart's title.
    pub title: String,
    /// Explains what the columns show.
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
    /// Its Monday, as a short date.
    pub label: String,
    /// Reached up to its end.
    pub to_date: Figure,
    /// Reached for the first time.
    pub first: Figure,
    /// Number of meetings held, as a sentence.
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
    /// On a chart as wide as a phone.
    pub narrow: bool,
}

/// None where nobody was identified: that is not the same as nobody reached.
pub(super) fn weeks(fmt: &FigureFormatter<'_>) -> Option<Weeks> {
    if ReachStatus::of_total(&fmt.published.total) != ReachStatus::Identified {
        return None;
    }
    let weeks = held(&fmt.published.weeks);
    let last = weeks.last()?;
    let most = weeks.iter().filter_map(|week| week.to_date.shown()).max().unwrap_or(0).max(1);
    let title = match last.first_reached.shown() {
        Some(first) if first > 0 => fmt.message_with(
            "weeks-finding",
            &[("day", fmt.locale.from_day(last.monday).into()), ("first", fmt.count(first).into()), ("n", first.into())],
        ),
        _ => fmt.message("weeks-title"),
    };
    let labels = |place: usize| {
        let from_last = weeks.len() - 1 - place;
        let every = |columns: usize| from_last.is_multiple_of(weeks.len().div_ceil(columns));
        Labels { wide: every(MAX_LABELS.0), narrow: weeks.len() <= MAX_COLUMNS_ALL_LABELS_ON_PHONE || every(MAX_LABELS.1) }
    };
    Some(Weeks {
        title,
        note: fmt.message("weeks-note"),
        before: fmt.message("weeks-before"),
        first: fmt.message("weeks-first"),
        columns: weeks.iter().enumerate().map(|(place, week)| column(fmt, week, (most, labels(place)))).collect(),
        crowded: weeks.len() > MAX_COLUMNS_ALL_FIGURES,
        table: table(fmt, weeks),
    })
}

/// From the first week with a held meeting to the last one. A week between them without any stays, so that time is not cut short.
fn held(weeks: &[Week]) -> &[Week] {
    let first = weeks.iter().position(|week| week.held > 0).unwrap_or(weeks.len());
    let after = weeks.iter().rposition(|week| week.held > 0).map_or(first, |last| last + 1);
    &weeks[first..after]
}

fn table(fmt: &FigureFormatter<'_>, weeks: &[Week]) -> Table {
    let column = |key: &'static str, label: String| Column { key, label };
    let row = |week: &Week| TableRow {
        code: week.week.clone(),
        figures: vec![fmt.shown(fmt.locale.day(week.monday)), fmt.number(week.held), fmt.cell(week.first_reached), fmt.cell(week.to_date)],
        keys: vec![Some(week.held), week.first_reached.shown(), week.to_date.shown()],
    };
    Table {
        title: fmt.message("weeks-table"),
        notes: Vec::new(),
        columns: vec![
            column("week", fmt.message("column-week")),
            column("held", fmt.message("column-held")),
            column("first", fmt.message("column-first")),
            column("to-date", fmt.message("column-to-date")),
        ],
        rows: weeks.iter().map(row).collect(),
        total: None,
    }
}

fn column(fmt: &FigureFormatter<'_>, week: &Week, (most, labels): (u64, Labels)) -> WeekColumn {
    let height = |count: u64| (count as f64 / most as f64 * 10_000.0).round() / 10_000.0;
    let both = week.first_reached.shown().zip(week.to_date.shown());
    let (label, first, to_date) = (fmt.locale.day(week.monday), fmt.cell(week.first_reached), fmt.cell(week.to_date));
    let args = [
        ("day", fmt.locale.from_day(week.monday).into()),
        ("held", fmt.count(week.held).into()),
        ("n", week.held.into()),
        ("first", first.text.clone().into()),
        ("total", to_date.text.clone().into()),
    ];
    WeekColumn {
        sentence: fmt.message_with("weeks-column", &args),
        held: fmt.message_with("weeks-held", &[("held", fmt.count(week.held).into()), ("n", week.held.into())]),
        heights: both.map(|(first, all)| (height(all.saturating_sub(first)), height(first))),
        label,
        first,
        to_date,
        labels,
    }
}
