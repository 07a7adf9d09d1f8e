//! Tables as HTML: sortable by links, with a sticky header, and cells that name their column where a table is shown as a list (phones).

use maud::{Markup, html};

use crate::{
    statement::{Figure, FigureColumn, FigureRow, FigureState, FigureTable},
    translations::Translations,
};

/// Sort order of a table, from the query parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sorting {
    /// Key of the column; rows are sorted by name if it is unknown.
    pub column: String,
    /// Sorts the largest value first.
    pub descending: bool,
}

impl Sorting {
    /// The query string of this order; empty if the column is unknown.
    pub(super) fn query(&self, table: &FigureTable) -> String {
        if !table.columns.iter().any(|column| column.key == self.column) {
            return String::new();
        }
        format!("?sort={}&order={}", self.column, if self.descending { "desc" } else { "asc" })
    }
}

/// The table of units, sorted as requested.
pub(super) fn sortable(table: &FigureTable, sorting: &Sorting, translations: &Translations) -> Markup {
    let rows = table.sorted(&sorting.column, sorting.descending);
    html! {
        section.units #units aria-labelledby="units-title" {
            h2 #units-title { (table.title) }
            @for note in &table.notes { p.note { (note) } }
            table.figures role="table" {
                thead role="rowgroup" { tr role="row" { @for column in &table.columns { (heading(table, column, sorting, translations)) } } }
                tbody role="rowgroup" { @for row in rows { (line(table, row, Some("unit"))) } }
                @if let Some(total) = &table.total { tfoot role="rowgroup" { (line(table, total, None)) } }
            }
        }
    }
}

/// A table in the order of its names.
pub(super) fn plain(table: &FigureTable, id: &str) -> Markup {
    html! {
        section class=(id) aria-labelledby=(id) {
            h2 id=(id) { (table.title) }
            @for note in &table.notes { p.note { (note) } }
            (body(table))
        }
    }
}

/// A table without its title.
pub(super) fn body(table: &FigureTable) -> Markup {
    html! {
        table.figures role="table" {
            thead role="rowgroup" { tr role="row" { @for column in &table.columns { th role="columnheader" scope="col" { (column.label) } } } }
            tbody role="rowgroup" { @for row in &table.rows { (line(table, row, None)) } }
        }
    }
}

/// Links sort names ascending and figures descending first; a second click reverses the order.
fn heading(table: &FigureTable, column: &FigureColumn, sorting: &Sorting, translations: &Translations) -> Markup {
    let is_name = table.columns.first() == Some(column);
    let known = table.columns.iter().any(|other| other.key == sorting.column);
    let active = if known { sorting.column == column.key } else { is_name };
    let descending = if active { !sorting.descending } else { !is_name };
    let order = match (active, sorting.descending) {
        (false, _) => None,
        (true, true) => Some("descending"),
        (true, false) => Some("ascending"),
    };
    let direction = if descending { "desc" } else { "asc" };
    html! {
        th role="columnheader" scope="col" aria-sort=[order] {
            a href={ "?sort=" (column.key) "&order=" (direction) "#units" } title=(translations.message_with("page-sort", &[("column", column.label.clone().into())])) {
                (column.label)
                @match order { Some("descending") => " ▼", Some(_) => " ▲", None => "" }
            }
        }
    }
}

fn line(table: &FigureTable, row: &FigureRow, anchor: Option<&str>) -> Markup {
    html! {
        tr role="row" id=[anchor.map(|anchor| format!("{anchor}-{}", row.code))] {
            @for (place, (column, value)) in table.columns.iter().zip(&row.figures).enumerate() {
                @if place == 0 { th role="rowheader" scope="row" { (figure(value)) } }
                @else { td role="cell" data-label=(column.label) data-column=(column.key) { (figure(value)) } }
            }
        }
    }
}

/// A figure with a CSS class for its state.
pub(super) fn figure(figure: &Figure) -> Markup {
    match figure.state {
        FigureState::Shown => html! { (figure.text) },
        FigureState::Withheld => html! { span.withheld { (figure.text) } },
        FigureState::Unknown => html! { span.unknown { (figure.text) } },
        FigureState::None => html! { span.none { (figure.text) } },
        FigureState::Error => html! { strong.error { (figure.text) } },
    }
}
