//! Charts as inline SVG: widths in percent and heights in pixels, so that they fit a phone without shrinking their text.

use maud::{Markup, html};

use crate::statement::{Range, WeekColumn, Weeks};

/// Measured is solid, bounds are an outlined band, the plan is a line, the ceiling a broken one.
pub(super) fn range(range: &Range) -> Markup {
    let percent = |fraction: f64| format!("{:.2}%", fraction * 100.0);
    let width = |from: f64, to: f64| format!("{:.2}%", (to - from).max(0.0) * 100.0);
    let (lower, upper) = (range.bounds.0, range.bounds.1);
    html! {
        figure.range {
            figcaption { (range.title) }
            svg width="100%" height="52" role="img" aria-label=(range.title) {
                rect.track x="0" y="14" width="100%" height="24" {}
                rect.band x=(percent(lower)) y="15" width=(width(lower, upper)) height="22" {}
                rect.solid x="0" y="14" width=(percent(range.reached.0)) height="24" {}
                @if let Some((at, _)) = &range.planned { line.planned x1=(percent(*at)) x2=(percent(*at)) y1="4" y2="48" {} }
                @if let Some((at, _)) = &range.ceiling { line.ceiling x1=(percent(*at)) x2=(percent(*at)) y1="4" y2="48" {} }
            }
            ul.key {
                li { (swatch("solid")) (range.reached.1) }
                li { (swatch("band")) (range.bounds.2) }
                @if let Some((_, text)) = &range.planned { li { (swatch("planned")) (text) } }
                @if let Some((_, text)) = &range.ceiling { li { (swatch("ceiling")) (text) } }
            }
        }
    }
}

/// The sign of a mark, as it looks in the chart.
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

/// Where the columns stand, in pixels from the top.
const FLOOR: f64 = PLOT + 24.0;

/// Columns of weeks: below what was reached before, above it what is new.
pub(super) fn weeks(weeks: &Weeks) -> Markup {
    let wide = 100.0 / weeks.columns.len().max(1) as f64;
    html! {
        section.weeks aria-labelledby="weeks" {
            h2 #weeks { (weeks.title) }
            p.note { (weeks.note) }
            svg.columns width="100%" height="332" role="img" aria-label=(weeks.title) {
                @for (place, column) in weeks.columns.iter().enumerate() { (week(column, wide * place as f64, wide)) }
                line.floor x1="0" x2="100%" y1=(FLOOR) y2=(FLOOR) {}
            }
            ul.key { li { (swatch("before")) (weeks.before) } li { (swatch("solid")) (weeks.first) } }
        }
    }
}

fn week(column: &WeekColumn, left: f64, wide: f64) -> Markup {
    let percent = |at: f64| format!("{at:.2}%");
    let (before, first) = column.heights.unwrap_or((0.0, 0.0));
    let (middle, top) = (FLOOR - before * PLOT, FLOOR - (before + first) * PLOT);
    let centre = percent(left + wide / 2.0);
    html! {
        g {
            title { (column.sentence) }
            rect.before x=(percent(left + wide * 0.17)) width=(percent(wide * 0.66)) y=(px(middle)) height=(px(FLOOR - middle)) {}
            rect.solid x=(percent(left + wide * 0.17)) width=(percent(wide * 0.66)) y=(px(top)) height=(px(middle - top)) {}
            text.total x=(centre) y=(px(top - 8.0)) text-anchor="middle" { (column.to_date.text) }
            text x=(centre) y=(px(FLOOR + 18.0)) text-anchor="middle" { (column.label) }
            text.first x=(centre) y=(px(FLOOR + 35.0)) text-anchor="middle" { "+" (column.first.text) }
            text.held x=(centre) y=(px(FLOOR + 52.0)) text-anchor="middle" { (column.held) }
        }
    }
}

fn px(pixels: f64) -> String {
    format!("{pixels:.1}")
}
