//! `coverage.csv`: one row a slice, for machines.
//!
//! UTF-8, comma separated, headers in English that do not change within a definition, dates and instants in ISO 8601. A field that a
//! slice does not have is empty. Person counts are whole: this file is for those who may see them.

use std::io::Write;

use jiff::{Timestamp, civil::Date};
use serde::Serialize;

use crate::{
    coverage::{Method, Reach, Residents, Slice, Week},
    snapshot::{Snapshot, SnapshotId},
};

/// One row.
#[derive(Debug, Default, Serialize)]
struct Line<'a> {
    kind: &'static str,
    key: &'a str,
    voters: Option<u64>,
    denominator_date: Option<Date>,
    planned: Option<u64>,
    due: Option<u64>,
    held: Option<u64>,
    held_planned: Option<u64>,
    held_extra: Option<u64>,
    unlawful: Option<u64>,
    cancelled: Option<u64>,
    moved: Option<u64>,
    missing: Option<u64>,
    contested: Option<u64>,
    gross: Option<u64>,
    identified: Option<u64>,
    contacts: Option<u64>,
    reached: Option<u64>,
    lower: Option<u64>,
    upper: Option<u64>,
    method: Option<Method>,
    over: Option<bool>,
    weak: Option<u64>,
    outside: Option<u64>,
    rest: Option<u64>,
    headcount_meetings: Option<u64>,
    identified_meetings: Option<u64>,
    as_of: Timestamp,
    definition: u32,
    snapshot: Option<SnapshotId>,
}

/// Writes a snapshot.
pub fn write(snapshot: &Snapshot, to: impl Write) -> Result<(), csv::Error> {
    let coverage = &snapshot.coverage;
    let mut out = csv::Writer::from_writer(to);
    let mut put = |line: Line<'_>| {
        out.serialize(Line {
            as_of: coverage.identity.as_of,
            definition: coverage.identity.definition,
            snapshot: Some(snapshot.id),
            ..line
        })
    };
    put(meetings("region", coverage.identity.campaign.as_str(), &coverage.region.slice))?;
    for unit in &coverage.units {
        put(meetings("unit", unit.unit.as_str(), &unit.slice))?;
    }
    for unit in &coverage.units {
        put(residents("unit_residents", unit.unit.as_str(), &unit.residents))?;
    }
    for precinct in &coverage.precincts {
        let line = residents("precinct_residents", precinct.precinct.as_str(), &precinct.residents);
        put(Line { held: Some(precinct.meetings), ..line })?;
    }
    for coalition in &coverage.coalitions {
        put(meetings("coalition", coalition.coalition.as_str(), &coalition.slice))?;
    }
    for category in &coverage.categories {
        put(meetings("category", category.category.as_str(), &category.slice))?;
    }
    for week in &coverage.weeks {
        put(meetings("week", &week.week, &week.slice))?;
    }
    for week in &coverage.weeks {
        put(to_date(week))?;
    }
    out.flush().map_err(csv::Error::from)
}

fn meetings<'a>(kind: &'static str, key: &'a str, slice: &Slice) -> Line<'a> {
    let (plan, audience) = (&slice.fulfilment, &slice.audience);
    Line {
        planned: Some(plan.planned),
        due: Some(plan.due),
        held: Some(plan.held),
        held_planned: Some(plan.held_planned),
        held_extra: Some(plan.held_extra),
        unlawful: Some(plan.unlawful),
        cancelled: Some(plan.cancelled),
        moved: Some(plan.moved),
        missing: Some(plan.missing),
        contested: Some(plan.contested),
        gross: Some(audience.gross),
        identified: Some(audience.identified),
        contacts: Some(audience.contacts),
        weak: Some(audience.weak),
        outside: Some(audience.outside),
        rest: Some(audience.rest),
        headcount_meetings: Some(audience.headcount_meetings),
        identified_meetings: Some(audience.identified_meetings),
        ..reach(kind, key, &audience.reach)
    }
}

fn residents<'a>(kind: &'static str, key: &'a str, residents: &Residents) -> Line<'a> {
    Line { contacts: Some(residents.contacts), ..reach(kind, key, &residents.reach) }
}

/// Everyone reached up to the end of a week.
fn to_date(week: &Week) -> Line<'_> {
    let denominator = &week.slice.audience.reach.denominator;
    Line {
        kind: "week_to_date",
        key: &week.week,
        voters: Some(denominator.voters),
        denominator_date: denominator.date,
        reached: Some(week.reached_to_date),
        ..Line::default()
    }
}

fn reach<'a>(kind: &'static str, key: &'a str, reach: &Reach) -> Line<'a> {
    Line {
        kind,
        key,
        voters: Some(reach.denominator.voters),
        denominator_date: reach.denominator.date,
        reached: Some(reach.reached),
        lower: Some(reach.lower),
        upper: Some(reach.upper),
        method: Some(reach.method),
        over: Some(reach.over),
        ..Line::default()
    }
}
