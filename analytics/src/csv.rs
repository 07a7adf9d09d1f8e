//! `coverage.csv` of `compute`: a row for each unit, precinct, coalition, category and week, with every figure.
//!
//! Headers are in English and do not change within a definition; dates and instants are in ISO 8601. Person counts are not suppressed:
//! the file is for operators who may see them. See [`row`] for columns and [`writer`] for empty fields.

use std::io::Write;

use crate::{
    coverage::{MeetingFigures, Reach, Residents, Snapshot, WeekCoverage},
    reach_status::ReachStatus,
};

pub mod field;
pub mod row;
pub mod writer;

use field::{Dialect, Field};
use row::CsvRow;
use writer::{CsvWriter, SourceColumns};

/// Writes every figure of a snapshot, person counts included.
pub fn write(snapshot: &Snapshot, to: impl Write) -> Result<(), csv::Error> {
    let coverage = &snapshot.coverage;
    let source =
        SourceColumns { as_of: coverage.identity.as_of, definition: coverage.identity.definition, snapshot: snapshot.id.to_string() };
    let mut writer = CsvWriter::new(to, Dialect::Comma, true, source)?;
    let all = ReachStatus::of_region(&coverage.region.figures);
    let region = CsvRow::new("region", &coverage.identity.campaign, Some(&coverage.campaign.names));
    let region = CsvRow { estimate: coverage.region.estimate, ..meetings(region, &coverage.region.figures) };
    writer.write_row(&region.for_status(all))?;
    for unit in &coverage.units {
        let row = meetings(CsvRow::new("unit", &unit.unit, unit.names.as_ref()), &unit.figures);
        writer.write_row(&CsvRow { estimate: unit.estimate, ..row })?;
    }
    for unit in &coverage.units {
        writer.write_row(&residents(CsvRow::new("unit_residents", &unit.unit, unit.names.as_ref()), &unit.residents, all))?;
    }
    for precinct in &coverage.precincts {
        let row = residents(CsvRow::new("precinct_residents", &precinct.precinct, None), &precinct.residents, all);
        writer.write_row(&CsvRow { held: precinct.meetings.into(), ..row })?;
    }
    for coalition in &coverage.coalitions {
        writer.write_row(&meetings(CsvRow::new("coalition", &coalition.coalition, coalition.names.as_ref()), &coalition.figures))?;
    }
    for category in &coverage.categories {
        writer.write_row(&meetings(CsvRow::new("category", &category.category, category.names.as_ref()), &category.figures))?;
    }
    for week in &coverage.weeks {
        let row = meetings(CsvRow::new("week", &week.week, None), &week.figures);
        writer.write_row(&CsvRow { estimate: week.estimate, ..row })?;
    }
    for week in &coverage.weeks {
        writer.write_row(&to_date(week))?;
    }
    writer.finish().map(|_| ())
}

/// Columns of meetings. Reach is empty if no meeting was held, and unknown if nobody was identified.
fn meetings(row: CsvRow, figures: &MeetingFigures) -> CsvRow {
    let audience = &figures.audience;
    let row = CsvRow {
        identified: audience.identified.into(),
        contacts: audience.contacts.into(),
        weak: audience.weak.into(),
        outside: audience.outside.into(),
        unidentified: audience.unidentified.into(),
        headcount_meetings: audience.headcount_meetings.into(),
        identified_meetings: audience.identified_meetings.into(),
        gross: audience.gross.into(),
        ..reach(row, &audience.reach).with_plan(&figures.fulfilment)
    };
    row.for_status(ReachStatus::of_figures(figures))
}

/// Columns of residents. Zero is shown only if somebody was identified anywhere.
fn residents(row: CsvRow, residents: &Residents, all: ReachStatus) -> CsvRow {
    let row = CsvRow { contacts: residents.contacts.into(), ..reach(row, &residents.reach) };
    if residents.reach.reached == 0 { row.for_status(all) } else { row }
}

/// Everyone reached up to the end of a week.
fn to_date(week: &WeekCoverage) -> CsvRow {
    let row = CsvRow::new("week_to_date", &week.week, None).with_voters(&week.figures.audience.reach.denominator);
    CsvRow { reached: week.reached_to_date.into(), ..row }
}

fn reach(row: CsvRow, reach: &Reach) -> CsvRow {
    CsvRow {
        reached: Field::Count(reach.reached),
        lower: reach.lower.into(),
        upper: reach.upper.into(),
        method: Some(reach.method),
        over: Some(reach.over),
        ..row.with_voters(&reach.denominator)
    }
}
