//! Tables: by unit, by coalition, by category. The last row of the units is counted again, never added up.

use std::cmp::Ordering;

use serde::Serialize;

use super::pen::{Figure, Pen, State};
use crate::{cell::Cell, published::Audience};

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

    fn cell(self, cell: Cell) -> Self {
        let figure = self.pen.cell(cell);
        self.push(figure, cell.shown())
    }

    /// People reached; where heads alone were counted nobody can be known to be reached, which is not the same as nobody.
    fn reached(self, audience: &Audience) -> Self {
        if audience.identified_meetings > 0 || audience.gross.shown() == Some(0) {
            return self.cell(audience.reached);
        }
        let figure = Figure { text: self.pen.words.say("counted-only"), state: State::None };
        self.push(figure, None)
    }

    fn share(self, part: Cell, whole: u64) -> Self {
        let figure = self.pen.share(part, whole);
        let key = part.shown().filter(|_| whole > 0).map(|part| (u128::from(part) * 1_000_000_000 / u128::from(whole)) as u64);
        self.push(figure, key)
    }

    fn bounds(self, audience: &Audience) -> Self {
        let figure = self.pen.bounds(audience.lower, audience.upper);
        self.push(figure, audience.upper.shown())
    }
}

fn column(key: &'static str, label: String) -> Column {
    Column { key, label }
}

pub(super) fn units(pen: &Pen<'_>) -> Table {
    let words = pen.words;
    let rows = pen.units_by_name().into_iter().map(|(name, unit)| {
        Line::new(pen, &unit.unit, name)
            .count(unit.denominator.voters)
            .count(unit.plan.planned)
            .count(unit.plan.held)
            .cell(unit.audience.gross)
            .cell(unit.residents)
            .share(unit.residents, unit.denominator.voters)
            .reached(&unit.audience)
            .bounds(&unit.audience)
            .row
    });
    let whole = &pen.published.whole;
    let all = pen.published.reader.scope == crate::access::Scope::Region;
    let total = Line::new(pen, "all", words.say("units-total"))
        .count(whole.denominator.voters)
        .count(whole.plan.planned)
        .count(whole.plan.held)
        .cell(whole.audience.gross)
        .cell(whole.audience.reached)
        .share(whole.audience.reached, whole.denominator.voters)
        .cell(whole.audience.reached)
        .bounds(&whole.audience)
        .row;
    let rows = rows.collect();
    Table {
        title: words.say("units-title"),
        notes: vec![
            words.say("units-note"),
            words.say_with("withheld-note", &[("people", pen.count(pen.published.threshold.people()).into())]),
        ],
        columns: vec![
            column("unit", words.say("column-unit")),
            column("voters", words.say("column-voters")),
            column("planned", words.say("column-planned")),
            column("held", words.say("column-held")),
            column("gross", words.say("column-gross")),
            column("residents", words.say("column-residents")),
            column("coverage", words.say("column-coverage")),
            column("here", words.say("column-here")),
            column("bounds", words.say("column-bounds")),
        ],
        rows,
        total: all.then_some(total),
    }
}

pub(super) fn coalitions(pen: &Pen<'_>) -> Table {
    let words = pen.words;
    let mut named: Vec<(String, _)> = pen
        .published
        .coalitions
        .iter()
        .map(|coalition| {
            let name = coalition.names.as_ref().map(|names| words.language().name(names).to_owned());
            (name.unwrap_or_else(|| coalition.coalition.to_string()), coalition)
        })
        .collect();
    // The coalition of the whole region stands first.
    named.sort_by(|a, b| a.1.unit.is_some().cmp(&b.1.unit.is_some()).then_with(|| pen.locale.order(&a.0, &b.0)));
    let rows = named.into_iter().map(|(name, coalition)| {
        Line::new(pen, &coalition.coalition, name)
            .count(coalition.plan.planned)
            .count(coalition.plan.held)
            .cell(coalition.audience.gross)
            .reached(&coalition.audience)
            .row
    });
    Table {
        title: words.say("coalitions-title"),
        notes: vec![words.say("coalitions-note")],
        rows: rows.collect(),
        columns: vec![
            column("coalition", words.say("column-coalition")),
            column("planned", words.say("column-planned")),
            column("held", words.say("column-held")),
            column("gross", words.say("column-gross")),
            column("reached", words.say("column-reached")),
        ],
        total: None,
    }
}

pub(super) fn categories(pen: &Pen<'_>) -> Option<Table> {
    let words = pen.words;
    let mut named: Vec<(String, _)> = pen
        .published
        .categories
        .iter()
        .map(|category| {
            let name = category.names.as_ref().map(|names| words.language().name(names).to_owned());
            (name.unwrap_or_else(|| category.category.to_string()), category)
        })
        .collect();
    named.sort_by(|a, b| pen.locale.order(&a.0, &b.0));
    let rows: Vec<Row> = named
        .into_iter()
        .map(|(name, category)| {
            Line::new(pen, &category.category, name).count(category.plan.held).cell(category.audience.gross).reached(&category.audience).row
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
