//! The published figures as CSV, with the kinds, keys and columns of the file that `compute` writes.
//!
//! Guarantees: built from [`Published`], so what is withheld on the page is withheld here, and listed in the column `withheld`. The number
//! of people reached is empty where the page says that people were only counted or that no meeting was held. Precincts are not published.

use serde::Deserialize;

use crate::{
    access::Scope,
    csv::{
        field::Dialect,
        row::CsvRow,
        writer::{CsvWriter, SourceColumns},
    },
    published::{Published, PublishedAudience, PublishedUnit, PublishedWeek},
    reach_status::ReachStatus,
};

/// Query parameters of `/coverage.csv`.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct CsvQuery {
    #[serde(default)]
    delimiter: String,
}

impl CsvQuery {
    /// Semicolons if `delimiter=semicolon`, else commas.
    pub(super) fn dialect(&self) -> Dialect {
        if self.delimiter == "semicolon" { Dialect::Semicolon } else { Dialect::Comma }
    }
}

/// Writes the figures that a reader may see.
pub(super) fn csv(published: &Published, dialect: Dialect) -> Result<Vec<u8>, csv::Error> {
    let source = SourceColumns {
        as_of: published.identity.as_of,
        definition: published.identity.definition,
        snapshot: published.snapshot.to_string(),
    };
    let mut writer = CsvWriter::new(Vec::new(), dialect, false, source)?;
    let total = &published.total;
    let all = total.status();
    let kind = if published.reader.scope == Scope::Region { "region" } else { "scope" };
    let row = CsvRow::new(kind, &published.identity.campaign, Some(&published.campaign.names));
    writer.write_row(&audience(row.with_voters(&total.denominator).with_plan(&total.plan), &total.audience).for_status(all))?;
    for unit in &published.units {
        let row = CsvRow::new("unit", &unit.unit, unit.names.as_ref()).with_voters(&unit.denominator).with_plan(&unit.plan);
        writer.write_row(&audience(row, &unit.audience).for_status(unit.audience.status(unit.plan.held)))?;
    }
    for unit in &published.units {
        writer.write_row(&residents(unit, all))?;
    }
    for coalition in &published.coalitions {
        let row = CsvRow::new("coalition", &coalition.coalition, coalition.names.as_ref()).with_plan(&coalition.plan);
        let status = coalition.audience.status(coalition.plan.held);
        writer.write_row(&audience(row, &coalition.audience).for_status(status))?;
    }
    for category in &published.categories {
        let row = CsvRow::new("category", &category.category, category.names.as_ref()).with_plan(&category.plan);
        let status = category.audience.status(category.plan.held);
        writer.write_row(&audience(row, &category.audience).for_status(status))?;
    }
    for week in &published.weeks {
        writer.write_row(&CsvRow { held: week.held.into(), gross: week.gross.into(), ..CsvRow::new("week", &week.week, None) })?;
    }
    for week in &published.weeks {
        writer.write_row(&to_date(week))?;
    }
    writer.finish()
}

fn audience(row: CsvRow, audience: &PublishedAudience) -> CsvRow {
    CsvRow {
        gross: audience.gross.into(),
        identified: audience.identified.into(),
        contacts: audience.contacts.into(),
        reached: audience.reached.into(),
        lower: audience.lower.into(),
        upper: audience.upper.into(),
        weak: audience.weak.into(),
        outside: audience.outside.into(),
        ..row
    }
}

/// Columns of a unit's residents. Zero is shown only if somebody was identified anywhere.
fn residents(unit: &PublishedUnit, all: ReachStatus) -> CsvRow {
    let row = CsvRow::new("unit_residents", &unit.unit, unit.names.as_ref()).with_voters(&unit.denominator);
    let row = CsvRow { reached: unit.residents.into(), lower: unit.residents_lower.into(), upper: unit.residents_upper.into(), ..row };
    if unit.residents.shown() == Some(0) { row.for_status(all) } else { row }
}

/// Everyone reached up to the end of a week.
fn to_date(week: &PublishedWeek) -> CsvRow {
    CsvRow { reached: week.to_date.into(), ..CsvRow::new("week_to_date", &week.week, None) }
}
