//! Charts as inline SVG. Widths are in percent and heights in pixels, so that charts fit a phone without scaling their text.

use maud::{Markup, html};

use super::tables;
use crate::statement::{ColumnHeights, RangeChart, WeekChart, WeekColumn};

/// The measured reach is a solid bar, the bounds an outlined band, the plan a line, the ceiling a dashed line.
pub(super) fn range(range: &RangeChart) -> Markup {
    let fraction = |fraction: f64| percent(fraction * 100.0);
    let band = &range.bounds;
    html! {
        figure.range {
            figcaption { (range.title) }
            svg width="100%" height="52" role="img" aria-label=(range.title) {
                rect.track x="0" y="14" width="100%" height="24" {}
                rect.band x=(fraction(band.from)) y="15" width=(fraction((band.to - band.from).max(0.0))) height="22" {}
                @if let Some(mark) = &range.reached { rect.solid x="0" y="14" width=(fraction(mark.position)) height="24" {} }
                @if let Some(mark) = &range.planned { line.planned x1=(fraction(mark.position)) x2=(fraction(mark.position)) y1="4" y2="48" {} }
                @if let Some(mark) = &range.ceiling { line.ceiling x1=(fraction(mark.position)) x2=(fraction(mark.position)) y1="4" y2="48" {} }
            }
            ul.key {
                @if let Some(mark) = &range.reached { li { (swatch("solid")) (mark.text) } }
                li { (swatch("band")) (band.text) }
                @if let Some(mark) = &range.planned { li { (swatch("planned")) (mark.text) } }
                @if let Some(mark) = &range.ceiling { li { (swatch("ceiling")) (mark.text) } }
            }
        }
    }
}

/// A sample of a mark for the legend.
fn swatch(mark: &str) -> Markup {
    html! {
        svg.swatch width="18" height="14" aria-hidden="true" {
            @match mark {
                "planned" | "ceiling" => { line class=(mark) x1="9" x2="9" y1="0" y2="14" {} }
                _ => { rect class=(mark) x="1" y="2" width="16" height="10" {} }
            }
        }
    }
}

/// Height of the highest column, in pixels.
const PLOT: f64 = 250.0;

/// Y coordinate of the baseline, in pixels.
const FLOOR: f64 = PLOT + 24.0;

/// Minimum number of columns that share the width, so that a single week is not as wide as the chart.
const MIN_COLUMNS: usize = 4;

/// A column per week: reached before at the bottom, reached for the first time on top. Labels are left out where space is short; the table
/// below has every figure.
pub(super) fn weeks(weeks: &WeekChart) -> Markup {
    let wide = 100.0 / weeks.columns.len().max(MIN_COLUMNS) as f64;
    let all_labels = !weeks.crowded;
    html! {
        section.weeks aria-labelledby="weeks" {
            h2 #weeks { (weeks.title) }
            p.note { (weeks.note) }
            svg.columns width="100%" height=(if all_labels { "332" } else { "316" }) role="img" aria-label=(weeks.title) {
                @for (place, column) in weeks.columns.iter().enumerate() { (bars(column, wide * place as f64, wide)) }
                // Labels are drawn last, so that no column covers the previous label.
                @for (place, column) in weeks.columns.iter().enumerate() {
                    (labels(column, label_position(weeks, place, wide), all_labels))
                }
                line.floor x1="0" x2="100%" y1=(FLOOR) y2=(FLOOR) {}
            }
            ul.key { li { (swatch("before")) (weeks.before) } li { (swatch("solid")) (weeks.first) } }
            details { summary { (weeks.table.title) } (tables::body(&weeks.table)) }
        }
    }
}

/// Where the labels of a column are.
struct LabelPosition {
    /// X coordinate, in percent.
    x: f64,
    /// Attribute `text-anchor`.
    anchor: &'static str,
}

/// Labels of the first and last narrow column are aligned to stay within the chart. Columns are `wide` percent wide.
fn label_position(weeks: &WeekChart, place: usize, wide: f64) -> LabelPosition {
    let left = wide * place as f64;
    match place {
        0 if weeks.crowded => LabelPosition { x: left, anchor: "start" },
        last if weeks.crowded && last + 1 == weeks.columns.len() => LabelPosition { x: left + wide, anchor: "end" },
        _ => LabelPosition { x: left + wide / 2.0, anchor: "middle" },
    }
}

fn percent(percent: f64) -> String {
    format!("{percent:.2}%")
}

/// Y coordinates of the top of what was reached before, and of the whole column.
fn tops(column: &WeekColumn) -> (f64, f64) {
    let ColumnHeights { before, first } = column.heights.unwrap_or(ColumnHeights { before: 0.0, first: 0.0 });
    (FLOOR - before * PLOT, FLOOR - (before + first) * PLOT)
}

/// X coordinate and width are in percent.
fn bars(column: &WeekColumn, left: f64, wide: f64) -> Markup {
    let (middle, top) = tops(column);
    let (x, width) = (percent(left + wide * 0.17), percent(wide * 0.66));
    html! {
        g {
            title { (column.sentence) }
            rect.before x=(x) width=(width) y=(px(middle)) height=(px(FLOOR - middle)) {}
            rect.solid x=(x) width=(width) y=(px(top)) height=(px(middle - top)) {}
        }
    }
}

fn labels(column: &WeekColumn, position: LabelPosition, all_labels: bool) -> Markup {
    let (at, anchor) = (percent(position.x), position.anchor);
    let class = match (column.labels.wide, column.labels.narrow) {
        (true, true) => "labels",
        (true, false) => "labels desk",
        (false, true) => "labels phone",
        (false, false) => "labels hidden",
    };
    html! {
        g class=(class) {
            text.total x=(at) y=(px(tops(column).1 - 8.0)) text-anchor=(anchor) { (column.to_date.text) }
            text x=(at) y=(px(FLOOR + 18.0)) text-anchor=(anchor) { (column.label) }
            text.first x=(at) y=(px(FLOOR + 35.0)) text-anchor=(anchor) { "+" (column.first.text) }
            @if all_labels { text.held x=(at) y=(px(FLOOR + 52.0)) text-anchor=(anchor) { (column.held) } }
        }
    }
}

fn px(pixels: f64) -> String {
    format!("{pixels:.1}")
}
