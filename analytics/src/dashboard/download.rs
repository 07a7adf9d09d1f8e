//! The published figures as CSV, under the same kinds, keys and columns as the file that `compute` writes.
//!
//! Guarantees: made of [`Published`], so what is withheld on the page is withheld here, and named in the column `withheld`. Where the page
//! says that people were only counted, or that no meeting was held, no number of people reached stands here either. Precincts are left
//! out.

use serde::Deserialize;

use crate::{
    access::Scope,
    csv::line::{Dialect, Line, Rows, Source},
    knowledge::Knowledge,
    published::{Audience, Published, Unit, Week},
};

/// The query of the file's address.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    delimiter: String,
}

impl Wanted {
    /// Commas unless semicolons are asked for.
    pub(super) fn dialect(&self) -> Dialect {
        if self.delimiter == "semicolon" { Dialect::Semicolon } else { Dialect::Comma }
    }
}

/// Writes what a reader may see.
pub(super) fn csv(published: &Published, dialect: Dialect) -> Result<Vec<u8>, csv::Error> {
    let source =
        Source { as_of: published.identity.as_of, definition: published.identity.definition, snapshot: published.snapshot.to_string() };
    let mut rows = Rows::new(Vec::new(), dialect, false, source)?;
    let whole = &published.whole;
    let all = Knowledge::of_whole(whole);
    let kind = if published.reader.scope == Scope::Region { "region" } else { "scope" };
    let line = Line::new(kind, &published.identity.campaign, Some(&published.campaign.names));
    rows.put(&audience(line.with_voters(&whole.denominator).with_plan(&whole.plan), &whole.audience).as_known(all))?;
    for unit in &published.units {
        let line = Line::new("unit", &unit.unit, unit.names.as_ref()).with_voters(&unit.denominator).with_plan(&unit.plan);
        rows.put(&audience(line, &unit.audience).as_known(Knowledge::of_audience(unit.plan.held, &unit.audience)))?;
    }
    for unit in &published.units {
        rows.put(&residents(unit, all))?;
    }
    for coalition in &published.coalitions {
        let line = Line::new("coalition", &coalition.coalition, coalition.names.as_ref()).with_plan(&coalition.plan);
        let known = Knowledge::of_audience(coalition.plan.held, &coalition.audience);
        rows.put(&audience(line, &coalition.audience).as_known(known))?;
    }
    for category in &published.categories {
        let line = Line::new("category", &category.category, category.names.as_ref()).with_plan(&category.plan);
        let known = Knowledge::of_audience(category.plan.held, &category.audience);
        rows.put(&audience(line, &category.audience).as_known(known))?;
    }
    for week in &published.weeks {
        rows.put(&Line { held: week.held.into(), gross: week.gross.into(), ..Line::new("week", &week.week, None) })?;
    }
    for week in &published.weeks {
        rows.put(&to_date(week))?;
    }
    rows.finish()
}

fn audience(line: Line, audience: &Audience) -> Line {
    Line {
        gross: audience.gross.into(),
        identified: audience.identified.into(),
        contacts: audience.contacts.into(),
        reached: audience.reached.into(),
        lower: audience.lower.into(),
        upper: audience.upper.into(),
        weak: audience.weak.into(),
        outside: audience.outside.into(),
        ..line
    }
}

/// Residents of a unit, wherever they attended. Nobody is zero only if somebody was identified anywhere.
fn residents(unit: &Unit, all: Knowledge) -> Line {
    let (lower, upper) = unit.residents_bounds;
    let line = Line::new("unit_residents", &unit.unit, unit.names.as_ref()).with_voters(&unit.denominator);
    let line = Line { reached: unit.residents.into(), lower: lower.into(), upper: upper.into(), ..line };
    if unit.residents.shown() == Some(0) { line.as_known(all) } else { line }
}

/// Everyone reached up to the end of a week.
fn to_date(week: &Week) -> Line {
    Line { reached: week.to_date.into(), ..Line::new("week_to_date", &week.week, None) }
}
