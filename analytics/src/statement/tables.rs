//! Tables: by unit, by coalition, by category. The last row of the units is counted again, never added up.

use std::cmp::Ordering;

use qamtu_schemas::event::UnitKind;
use serde::Serialize;

use super::pen::{Figure, Pen, State};
use crate::{cell::Cell, coverage::Denominator, knowledge::Knowledge, published::Audience};

/// A table of figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Table {
    /// Its title.
    pub title: String,
    /// What to know when reading it.
    pub notes: Vec<String>,
    /// Its columns; the first names the row.
    pub columns: Vec<Column>,
    /// Its rows, in the order of their names.
    pub rows: Vec<Row>,
    /// The same figures for everything, if there is such a row.
    pub total: Option<Row>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Column {
    /// What it is called in an address.
    pub key: &'static str,
    /// What it is called on paper.
    pub label: String,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The code of what it is about.
    pub code: String,
    /// One figure for each column; the first is the name.
    pub figures: Vec<Figure>,
    /// What to sort by, for each column but the first; none sorts last.
    #[serde(skip)]
    pub keys: Vec<Option<u64>>,
}

impl Table {
    /// The rows sorted by a column, rows without a figure last. The first column, and one that is not there, keep the order of names.
    pub fn sorted(&self, key: &str, descending: bool) -> Vec<&Row> {
        let mut rows: Vec<&Row> = self.rows.iter().collect();
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

/// Figures and what they sort by, side by side.
struct Line<'a> {
    pen: &'a Pen<'a>,
    row: Row,
}

impl<'a> Line<'a> {
    fn new(pen: &'a Pen<'a>, code: impl ToString, name: String) -> Self {
        Self { pen, row: Row { code: code.to_string(), figures: vec![pen.shown(name)], keys: Vec::new() } }
    }

    fn push(mut self, figure: Figure, key: Option<u64>) -> Self {
        self.row.figures.push(figure);
        self.row.keys.push(key);
        self
    }

    fn count(self, count: u64) -> Self {
        let figure = self.pen.number(count);
        self.push(figure, Some(count))
    }

    fn voters(self, denominator: &Denominator) -> Self {
        let figure = self.pen.voters(denominator);
        self.push(figure, denominator.known())
    }

    fn gross(self, known: Knowledge, gross: Cell) -> Self {
        let figure = self.pen.gross(known, gross);
        self.push_count(figure, gross)
    }

    /// People reached; where nobody was identified, and where no meeting was held, that is not the same as nobody.
    fn reached(self, known: Knowledge, reached: Cell) -> Self {
        let figure = self.pen.reached(known, reached);
        self.push_count(figure, reached)
    }

    /// A figure that sorts by its count, if it shows one.
    fn push_count(self, figure: Figure, count: Cell) -> Self {
        let key = count.shown().filter(|_| figure.state == State::Shown);
        self.push(figure, key)
    }

    fn residents(self, reached: Cell) -> Self {
        let figure = self.pen.residents(reached);
        self.push_count(figure, reached)
    }

    fn residents_share(self, reached: Cell, denominator: &Denominator) -> Self {
        let figure = self.pen.residents_share(reached, denominator);
        let voters = denominator.known().filter(|voters| *voters > 0 && matches!(figure.state, State::Shown | State::Error));
        let key = reached.shown().zip(voters).map(|(part, whole)| (u128::from(part) * 1_000_000_000 / u128::from(whole)) as u64);
        self.push(figure, key)
    }

    fn bounds(self, known: Knowledge, audience: &Audience) -> Self {
        let figure = self.pen.reached_bounds(known, audience);
        self.push_count(figure, audience.upper)
    }
}

fn column(key: &'static str, label: String) -> Column {
    Column { key, label }
}

/// What the units of the campaign are called together, and one of them: a city has districts alone.
fn unit_words(pen: &Pen<'_>) -> (String, String) {
    let kinds = || pen.published.units.iter().map(|unit| unit.kind);
    let all = |kind: UnitKind| kinds().all(|held| held == Some(kind));
    let keys = match () {
        () if pen.published.units.is_empty() => ("units-title", "column-unit"),
        () if all(UnitKind::District) => ("units-title-districts", "column-district"),
        () if all(UnitKind::City) => ("units-title-cities", "column-city"),
        () => ("units-title", "column-unit"),
    };
    (pen.words.say(keys.0), pen.words.say(keys.1))
}

pub(super) fn units(pen: &Pen<'_>) -> Table {
    let words = pen.words;
    let rows = pen.units_by_name().into_iter().map(|(name, unit)| {
        let known = Knowledge::of_audience(unit.plan.held, &unit.audience);
        Line::new(pen, &unit.unit, name)
            .voters(&unit.denominator)
            .count(unit.plan.planned)
            .count(unit.plan.held)
            .gross(known, unit.audience.gross)
            .residents(unit.residents)
            .residents_share(unit.residents, &unit.denominator)
            .reached(known, unit.audience.reached)
            .bounds(known, &unit.audience)
            .row
    });
    let (title, one) = unit_words(pen);
    let all = pen.published.reader.scope == crate::access::Scope::Region;
    let withheld = words.say_with("withheld-note", &pen.withheld_counts());
    let notes = if all { vec![words.say("units-note"), withheld] } else { vec![withheld] };
    Table {
        title,
        notes,
        columns: vec![
            column("unit", one),
            column("voters", words.say("column-voters")),
            column("planned", words.say("column-planned")),
            column("held", words.say("column-held")),
            column("gross", words.say("column-gross")),
            column("residents", words.say("column-residents")),
            column("coverage", words.say("column-coverage")),
            column("here", words.say("column-here")),
            column("bounds", words.say("column-bounds")),
        ],
        rows: rows.collect(),
        total: all.then(|| total(pen)),
    }
}

/// The row of the whole campaign.
fn total(pen: &Pen<'_>) -> Row {
    let whole = &pen.published.whole;
    let known = Knowledge::of_whole(whole);
    Line::new(pen, "all", pen.area())
        .voters(&whole.denominator)
        .count(whole.plan.planned)
        .count(whole.plan.held)
        .gross(known, whole.audience.gross)
        .reached(known, whole.audience.reached)
        .residents_share(whole.audience.reached, &whole.denominator)
        .reached(known, whole.audience.reached)
        .bounds(known, &whole.audience)
        .row
}

/// None without a coalition.
pub(super) fn coalitions(pen: &Pen<'_>) -> Option<Table> {
    let words = pen.words;
    let mut named: Vec<(String, _)> =
        pen.published.coalitions.iter().map(|coalition| (pen.name(coalition.names.as_ref(), &coalition.coalition), coalition)).collect();
    // The coalition of the whole region stands first.
    named.sort_by(|a, b| a.1.unit.is_some().cmp(&b.1.unit.is_some()).then_with(|| pen.locale.order(&a.0, &b.0)));
    let rows = named.into_iter().map(|(name, coalition)| {
        let known = Knowledge::of_audience(coalition.plan.held, &coalition.audience);
        Line::new(pen, &coalition.coalition, name)
            .count(coalition.plan.planned)
            .count(coalition.plan.held)
            .gross(known, coalition.audience.gross)
            .reached(known, coalition.audience.reached)
            .row
    });
    let rows: Vec<Row> = rows.collect();
    (!rows.is_empty()).then(|| Table {
        title: words.say("coalitions-title"),
        notes: vec![words.say("coalitions-note")],
        rows,
        columns: vec![
            column("coalition", words.say("column-coalition")),
            column("planned", words.say("column-planned")),
            column("held", words.say("column-held")),
            column("gross", words.say("column-gross")),
            column("reached", words.say("column-reached")),
        ],
        total: None,
    })
}

pub(super) fn categories(pen: &Pen<'_>) -> Option<Table> {
    let words = pen.words;
    let mut named: Vec<(String, _)> =
        pen.published.categories.iter().map(|category| (pen.name(category.names.as_ref(), &category.category), category)).collect();
    named.sort_by(|a, b| pen.locale.order(&a.0, &b.0));
    let rows: Vec<Row> = named
        .into_iter()
        .map(|(name, category)| {
            let known = Knowledge::of_audience(category.plan.held, &category.audience);
            Line::new(pen, &category.category, name)
                .count(category.plan.held)
                .gross(known, category.audience.gross)
                .reached(known, category.audience.reached)
                .row
        })
        .collect();
    (!rows.is_empty()).then(|| Table {
        title: words.say("categories-title"),
        notes: vec![words.say("categories-note")],
        rows,
        columns: vec![
            column("category", words.say("column-category")),
            column("held", words.say("column-held")),
            column("gross", words.say("column-gross")),
            column("reached", words.say("column-reached")),
        ],
        total: None,
    })
}
