//! Chart and table of reach by week.

use serde::Serialize;

use super::{
    figure_formatter::{Figure, FigureFormatter},
    tables::{FigureColumn, FigureRow, FigureTable},
};
use crate::{published::PublishedWeek, reach_status::ReachStatus};

/// Maximum number of columns with space for all figures.
const MAX_COLUMNS_ALL_FIGURES: usize = 6;

/// Maximum number of labels side by side on a page.
const MAX_LABELS_ON_PAGE: usize = 10;

/// Maximum number of labels side by side on a phone, unless all fit.
const MAX_LABELS_ON_PHONE: usize = 4;

/// Maximum number of columns with space for all labels on a phone.
const MAX_COLUMNS_ALL_LABELS_ON_PHONE: usize = 5;

/// A column per week: reached before, and on top reached for the first time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WeekChart {
    /// Finding as a sentence, the chart's title.
    pub title: String,
    /// Explains what the columns show.
    pub note: String,
    /// Legend of the lower part of a column.
    pub before: String,
    /// Legend of the upper part of a column.
    pub first: String,
    /// Columns in order of time.
    pub columns: Vec<WeekColumn>,
    /// Whether its columns are too narrow for all of their labels.
    pub crowded: bool,
    /// Table of the same figures.
    pub table: FigureTable,
}

/// A week. Heights are fractions of the highest column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WeekColumn {
    /// Its Monday, as a short date.
    pub label: String,
    /// People reached up to the end of the week.
    pub to_date: Figure,
    /// People reached for the first time.
    pub first: Figure,
    /// Number of meetings held, as a sentence.
    pub held: String,
    /// The column as a sentence, its tooltip.
    pub sentence: String,
    /// Heights of its parts; none if a count is withheld.
    pub heights: Option<ColumnHeights>,
    /// Charts on which the column is labelled: every few columns and always the last one.
    pub labels: ColumnLabels,
}

/// Heights of the parts of a column.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ColumnHeights {
    /// People reached before.
    pub before: f64,
    /// People reached for the first time.
    pub first: f64,
}

/// Charts with space for the labels of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ColumnLabels {
    /// On a chart as wide as a page.
    pub wide: bool,
    /// On a chart as wide as a phone.
    pub narrow: bool,
}

/// None if nobody was identified, which is not the same as nobody reached.
pub(super) fn weeks(fmt: &FigureFormatter<'_>) -> Option<WeekChart> {
    if fmt.published.total.status() != ReachStatus::Identified {
        return None;
    }
    let weeks = with_meetings(&fmt.published.weeks);
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
        ColumnLabels {
            wide: every(MAX_LABELS_ON_PAGE),
            narrow: weeks.len() <= MAX_COLUMNS_ALL_LABELS_ON_PHONE || every(MAX_LABELS_ON_PHONE),
        }
    };
    Some(WeekChart {
        title,
        note: fmt.message("weeks-note"),
        before: fmt.message("weeks-before"),
        first: fmt.message("weeks-first"),
        columns: weeks.iter().enumerate().map(|(place, week)| column(fmt, week, most, labels(place))).collect(),
        crowded: weeks.len() > MAX_COLUMNS_ALL_FIGURES,
        table: table(fmt, weeks),
    })
}

/// Weeks from the first to the last one with a held meeting; weeks without meetings between them are kept, so that the time axis has no
/// gaps.
fn with_meetings(weeks: &[PublishedWeek]) -> &[PublishedWeek] {
    let first = weeks.iter().position(|week| week.held > 0).unwrap_or(weeks.len());
    let after = weeks.iter().rposition(|week| week.held > 0).map_or(first, |last| last + 1);
    &weeks[first..after]
}

fn table(fmt: &FigureFormatter<'_>, weeks: &[PublishedWeek]) -> FigureTable {
    let column = |key: &'static str, label: String| FigureColumn { key, label };
    let row = |week: &PublishedWeek| FigureRow {
        code: week.week.clone(),
        figures: vec![fmt.shown(fmt.locale.day(week.monday)), fmt.number(week.held), fmt.cell(week.first_reached), fmt.cell(week.to_date)],
        keys: vec![Some(week.held), week.first_reached.shown(), week.to_date.shown()],
    };
    FigureTable {
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

/// `most` is the count of the highest column.
fn column(fmt: &FigureFormatter<'_>, week: &PublishedWeek, most: u64, labels: ColumnLabels) -> WeekColumn {
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
        heights: both.map(|(first, all)| ColumnHeights { before: height(all.saturating_sub(first)), first: height(first) }),
        label,
        first,
        to_date,
        labels,
    }
}
