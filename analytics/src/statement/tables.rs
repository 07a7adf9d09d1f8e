//! Tables by unit, coalition and category. The total of the units is counted from people, not summed.

use std::cmp::Ordering;

use qamtu_schemas::event::UnitKind;
use serde::Serialize;

use super::figure_formatter::{Figure, FigureFormatter, FigureState};
use crate::{cell::Cell, coverage::Denominator, published::PublishedAudience, reach_status::ReachStatus};

/// A table of figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FigureTable {
    /// Title of the table.
    pub title: String,
    /// Notes on how to read the table.
    pub notes: Vec<String>,
    /// Columns; the first one has the name of the row.
    pub columns: Vec<FigureColumn>,
    /// Rows sorted by name.
    pub rows: Vec<FigureRow>,
    /// Row of the whole campaign, if there is one.
    pub total: Option<FigureRow>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FigureColumn {
    /// Name in the query parameter `sort`.
    pub key: &'static str,
    /// Column header in the language of the statement.
    pub label: String,
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FigureRow {
    /// Code of the unit, coalition or category.
    pub code: String,
    /// A figure per column; the first is the name.
    pub figures: Vec<Figure>,
    /// Sort keys of all columns but the first; none sorts last.
    #[serde(skip)]
    pub keys: Vec<Option<u64>>,
}

impl FigureTable {
    /// Rows sorted by a column, rows without a number last. The first and unknown columns sort by name.
    pub fn sorted(&self, key: &str, descending: bool) -> Vec<&FigureRow> {
        let mut rows: Vec<&FigureRow> = self.rows.iter().collect();
        match self.columns.iter().position(|column| column.key == key) {
            Some(0) if descending => rows.reverse(),
            Some(0) | None => {}
            Some(place) => rows.sort_by(|a, b| match (a.keys[place - 1], b.keys[place - 1]) {
                (Some(a), Some(b)) if descending => b.cmp(&a),
                (Some(a), Some(b)) => a.cmp(&b),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => Ordering::Equal,
            }),
        }
        rows
    }
}

/// Builds a row with figures and sort keys.
struct RowBuilder<'a> {
    fmt: &'a FigureFormatter<'a>,
    row: FigureRow,
}

impl<'a> RowBuilder<'a> {
    fn new(fmt: &'a FigureFormatter<'a>, code: impl ToString, name: String) -> Self {
        Self { fmt, row: FigureRow { code: code.to_string(), figures: vec![fmt.shown(name)], keys: Vec::new() } }
    }

    fn push(mut self, figure: Figure, key: Option<u64>) -> Self {
        self.row.figures.push(figure);
        self.row.keys.push(key);
        self
    }

    fn count(self, count: u64) -> Self {
        let figure = self.fmt.number(count);
        self.push(figure, Some(count))
    }

    fn voters(self, denominator: &Denominator) -> Self {
        let figure = self.fmt.voters(denominator);
        self.push(figure, denominator.known())
    }

    fn gross(self, status: ReachStatus, gross: Cell) -> Self {
        let figure = self.fmt.gross(status, gross);
        self.push_count(figure, gross)
    }

    /// Adds reach, which is not zero but missing where nobody was identified or no meeting was held.
    fn reached(self, status: ReachStatus, reached: Cell) -> Self {
        let figure = self.fmt.reached(status, reached);
        self.push_count(figure, reached)
    }

    /// Adds a figure whose sort key is its count, if it is shown.
    fn push_count(self, figure: Figure, count: Cell) -> Self {
        let key = count.shown().filter(|_| figure.state == FigureState::Shown);
        self.push(figure, key)
    }

    fn residents(self, reached: Cell) -> Self {
        let figure = self.fmt.residents(reached);
        self.push_count(figure, reached)
    }

    fn residents_share(self, reached: Cell, denominator: &Denominator) -> Self {
        let figure = self.fmt.residents_share(reached, denominator);
        let voters = denominator.known().filter(|voters| *voters > 0 && matches!(figure.state, FigureState::Shown | FigureState::Error));
        let key = reached.shown().zip(voters).map(|(part, whole)| (u128::from(part) * 1_000_000_000 / u128::from(whole)) as u64);
        self.push(figure, key)
    }

    fn bounds(self, status: ReachStatus, audience: &PublishedAudience) -> Self {
        let figure = self.fmt.reached_bounds(status, audience);
        self.push_count(figure, audience.upper)
    }
}

fn column(key: &'static str, label: String) -> FigureColumn {
    FigureColumn { key, label }
}

/// Table title and column header for the units, by their kinds.
fn unit_labels(fmt: &FigureFormatter<'_>) -> (String, String) {
    let kinds = || fmt.published.units.iter().map(|unit| unit.kind);
    let all = |kind: UnitKind| kinds().all(|other| other == Some(kind));
    let keys = match () {
        () if fmt.published.units.is_empty() => ("units-title", "column-unit"),
        () if all(UnitKind::District) => ("units-title-districts", "column-district"),
        () if all(UnitKind::City) => ("units-title-cities", "column-city"),
        () => ("units-title", "column-unit"),
    };
    (fmt.message(keys.0), fmt.message(keys.1))
}

pub(super) fn units(fmt: &FigureFormatter<'_>) -> FigureTable {
    let rows = fmt.units_by_name().into_iter().map(|(name, unit)| {
        let status = unit.audience.status(unit.plan.held);
        RowBuilder::new(fmt, &unit.unit, name)
            .voters(&unit.denominator)
            .count(unit.plan.planned)
            .count(unit.plan.held)
            .gross(status, unit.audience.gross)
            .residents(unit.residents)
            .residents_share(unit.residents, &unit.denominator)
            .reached(status, unit.audience.reached)
            .bounds(status, &unit.audience)
            .row
    });
    let (title, one) = unit_labels(fmt);
    let all = fmt.published.reader.scope == crate::access::Scope::Region;
    let withheld = fmt.message_with("withheld-note", &fmt.withheld_counts());
    let notes = if all { vec![fmt.message("units-note"), withheld] } else { vec![withheld] };
    FigureTable {
        title,
        notes,
        columns: vec![
            column("unit", one),
            column("voters", fmt.message("column-voters")),
            column("planned", fmt.message("column-planned")),
            column("held", fmt.message("column-held")),
            column("gross", fmt.message("column-gross")),
            column("residents", fmt.message("column-residents")),
            column("coverage", fmt.message("column-coverage")),
            column("here", fmt.message("column-here")),
            column("bounds", fmt.message("column-bounds")),
        ],
        rows: rows.collect(),
        total: all.then(|| total(fmt)),
    }
}

/// The row of the whole campaign.
fn total(fmt: &FigureFormatter<'_>) -> FigureRow {
    let total = &fmt.published.total;
    let status = total.status();
    RowBuilder::new(fmt, "all", fmt.area())
        .voters(&total.denominator)
        .count(total.plan.planned)
        .count(total.plan.held)
        .gross(status, total.audience.gross)
        .reached(status, total.audience.reached)
        .residents_share(total.audience.reached, &total.denominator)
        .reached(status, total.audience.reached)
        .bounds(status, &total.audience)
        .row
}

/// None without a coalition.
pub(super) fn coalitions(fmt: &FigureFormatter<'_>) -> Option<FigureTable> {
    let mut named: Vec<(String, _)> =
        fmt.published.coalitions.iter().map(|coalition| (fmt.name(coalition.names.as_ref(), &coalition.coalition), coalition)).collect();
    // Coalitions of the whole region come first.
    named.sort_by(|a, b| a.1.unit.is_some().cmp(&b.1.unit.is_some()).then_with(|| fmt.locale.order(&a.0, &b.0)));
    let rows = named.into_iter().map(|(name, coalition)| {
        let status = coalition.audience.status(coalition.plan.held);
        RowBuilder::new(fmt, &coalition.coalition, name)
            .count(coalition.plan.planned)
            .count(coalition.plan.held)
            .gross(status, coalition.audience.gross)
            .reached(status, coalition.audience.reached)
            .row
    });
    let rows: Vec<FigureRow> = rows.collect();
    (!rows.is_empty()).then(|| FigureTable {
        title: fmt.message("coalitions-title"),
        notes: vec![fmt.message("coalitions-note")],
        rows,
        columns: vec![
            column("coalition", fmt.message("column-coalition")),
            column("planned", fmt.message("column-planned")),
            column("held", fmt.message("column-held")),
            column("gross", fmt.message("column-gross")),
            column("reached", fmt.message("column-reached")),
        ],
        total: None,
    })
}

pub(super) fn categories(fmt: &FigureFormatter<'_>) -> Option<FigureTable> {
    let mut named: Vec<(String, _)> =
        fmt.published.categories.iter().map(|category| (fmt.name(category.names.as_ref(), &category.category), category)).collect();
    named.sort_by(|a, b| fmt.locale.order(&a.0, &b.0));
    let rows: Vec<FigureRow> = named
        .into_iter()
        .map(|(name, category)| {
            let status = category.audience.status(category.plan.held);
            RowBuilder::new(fmt, &category.category, name)
                .count(category.plan.held)
                .gross(status, category.audience.gross)
                .reached(status, category.audience.reached)
                .row
        })
        .collect();
    (!rows.is_empty()).then(|| FigureTable {
        title: fmt.message("categories-title"),
        notes: vec![fmt.message("categories-note")],
        rows,
        columns: vec![
            column("category", fmt.message("column-category")),
            column("held", fmt.message("column-held")),
            column("gross", fmt.message("column-gross")),
            column("reached", fmt.message("column-reached")),
        ],
        total: None,
    })
}
