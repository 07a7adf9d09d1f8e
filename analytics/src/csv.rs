//! `coverage.csv` of `compute`: one row a slice, with every figure.
//!
//! Headers are in English and do not change within a definition; dates and instants are in ISO 8601. Person counts are whole: this file
//! is for those who may see them. Of the form of a row, and of what an empty field means, see [`mod@line`].

use std::io::Write;

use crate::{
    coverage::{Reach, Residents, Slice, Week},
    knowledge::Knowledge,
    snapshot::Snapshot,
};

pub mod line;

use line::{Dialect, Field, Line, Rows, Source};

/// Writes a snapshot.
pub fn write(snapshot: &Snapshot, to: impl Write) -> Result<(), csv::Error> {
    let coverage = &snapshot.coverage;
    let source = Source { as_of: coverage.identity.as_of, definition: coverage.identity.definition, snapshot: snapshot.id.to_string() };
    let mut rows = Rows::new(to, Dialect::Comma, true, source)?;
    let all = Knowledge::of_region(&coverage.region.slice);
    let region = Line::new("region", &coverage.identity.campaign, Some(&coverage.campaign.names));
    rows.put(&meetings(region, &coverage.region.slice).as_known(all))?;
    for unit in &coverage.units {
        rows.put(&meetings(Line::new("unit", &unit.unit, unit.names.as_ref()), &unit.slice))?;
    }
    for unit in &coverage.units {
        rows.put(&residents(Line::new("unit_residents", &unit.unit, unit.names.as_ref()), (&unit.residents, all)))?;
    }
    for precinct in &coverage.precincts {
        let line = residents(Line::new("precinct_residents", &precinct.precinct, None), (&precinct.residents, all));
        rows.put(&Line { held: precinct.meetings.into(), ..line })?;
    }
    for coalition in &coverage.coalitions {
        rows.put(&meetings(Line::new("coalition", &coalition.coalition, coalition.names.as_ref()), &coalition.slice))?;
    }
    for category in &coverage.categories {
        rows.put(&meetings(Line::new("category", &category.category, category.names.as_ref()), &category.slice))?;
    }
    for week in &coverage.weeks {
        rows.put(&meetings(Line::new("week", &week.week, None), &week.slice))?;
    }
    for week in &coverage.weeks {
        rows.put(&to_date(week))?;
    }
    rows.finish().map(|_| ())
}

/// A slice of meetings. Reach is empty where no meeting was held, and unknown where nobody was identified.
fn meetings(line: Line, slice: &Slice) -> Line {
    let audience = &slice.audience;
    let line = Line {
        identified: audience.identified.into(),
        contacts: audience.contacts.into(),
        weak: audience.weak.into(),
        outside: audience.outside.into(),
        rest: audience.rest.into(),
        headcount_meetings: audience.headcount_meetings.into(),
        identified_meetings: audience.identified_meetings.into(),
        gross: audience.gross.into(),
        ..reach(line, &audience.reach).with_plan(&slice.fulfilment)
    };
    line.as_known(Knowledge::of_slice(slice))
}

/// Residents of a place, wherever they attended. Nobody is zero only if somebody was identified anywhere.
fn residents(line: Line, (residents, all): (&Residents, Knowledge)) -> Line {
    let line = Line { contacts: residents.contacts.into(), ..reach(line, &residents.reach) };
    if residents.reach.reached == 0 { line.as_known(all) } else { line }
}

/// Everyone reached up to the end of a week.
fn to_date(week: &Week) -> Line {
    let line = Line::new("week_to_date", &week.week, None).with_voters(&week.slice.audience.reach.denominator);
    Line { reached: week.reached_to_date.into(), ..line }
}

fn reach(line: Line, reach: &Reach) -> Line {
    Line {
        reached: Field::Count(reach.reached),
        lower: reach.lower.into(),
        upper: reach.upper.into(),
        method: Some(reach.method),
        over: Some(reach.over),
        ..line.with_voters(&reach.denominator)
    }
}
