//! The published figures as CSV, under the same kinds, keys and columns as the file that `compute` writes.
//!
//! Guarantees: made of [`Published`], so what is withheld on the page is withheld here, in so many letters: `withheld`. Precincts are left
//! out. No cell is text that somebody typed, so no cell can be taken for a formula.

use jiff::{Timestamp, civil::Date};
use serde::{Serialize, Serializer};

use crate::{
    access::Scope,
    cell::Cell,
    coverage::{Denominator, Fulfilment},
    published::{Audience, Published, Week},
    snapshot::SnapshotId,
};

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.shown() {
            Some(count) => serializer.serialize_u64(count),
            None => serializer.serialize_str("withheld"),
        }
    }
}

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
    gross: Option<Cell>,
    identified: Option<Cell>,
    contacts: Option<Cell>,
    reached: Option<Cell>,
    lower: Option<Cell>,
    upper: Option<Cell>,
    weak: Option<Cell>,
    outside: Option<Cell>,
    as_of: Timestamp,
    definition: u32,
    snapshot: Option<SnapshotId>,
}

/// Writes what a reader may see.
pub(super) fn csv(published: &Published) -> Result<Vec<u8>, csv::Error> {
    let mut out = csv::Writer::from_writer(Vec::new());
    let mut put = |line: Line<'_>| {
        out.serialize(Line {
            as_of: published.identity.as_of,
            definition: published.identity.definition,
            snapshot: Some(published.snapshot),
            ..line
        })
    };
    let whole = &published.whole;
    let kind = if published.reader.scope == Scope::Region { "region" } else { "scope" };
    put(line(kind, published.identity.campaign.as_str(), Some(&whole.denominator), Some(&whole.plan)).with(&whole.audience))?;
    for unit in &published.units {
        put(line("unit", unit.unit.as_str(), Some(&unit.denominator), Some(&unit.plan)).with(&unit.audience))?;
    }
    for unit in &published.units {
        let (lower, upper) = unit.residents_bounds;
        let residents = line("unit_residents", unit.unit.as_str(), Some(&unit.denominator), None);
        put(Line { reached: Some(unit.residents), lower: Some(lower), upper: Some(upper), ..residents })?;
    }
    for coalition in &published.coalitions {
        put(line("coalition", coalition.coalition.as_str(), None, Some(&coalition.plan)).with(&coalition.audience))?;
    }
    for category in &published.categories {
        put(line("category", category.category.as_str(), None, Some(&category.plan)).with(&category.audience))?;
    }
    for week in &published.weeks {
        put(Line { held: Some(week.held), gross: Some(week.gross), ..line("week", &week.week, None, None) })?;
    }
    for week in &published.weeks {
        put(to_date(week))?;
    }
    out.into_inner().map_err(|fault| csv::Error::from(fault.into_error()))
}

fn line<'a>(kind: &'static str, key: &'a str, denominator: Option<&Denominator>, plan: Option<&Fulfilment>) -> Line<'a> {
    Line {
        kind,
        key,
        voters: denominator.map(|denominator| denominator.voters),
        denominator_date: denominator.and_then(|denominator| denominator.date),
        planned: plan.map(|plan| plan.planned),
        due: plan.map(|plan| plan.due),
        held: plan.map(|plan| plan.held),
        held_planned: plan.map(|plan| plan.held_planned),
        held_extra: plan.map(|plan| plan.held_extra),
        unlawful: plan.map(|plan| plan.unlawful),
        cancelled: plan.map(|plan| plan.cancelled),
        moved: plan.map(|plan| plan.moved),
        missing: plan.map(|plan| plan.missing),
        contested: plan.map(|plan| plan.contested),
        ..Line::default()
    }
}

/// Everyone reached up to the end of a week.
fn to_date(week: &Week) -> Line<'_> {
    Line { reached: Some(week.to_date), ..line("week_to_date", &week.week, None, None) }
}

impl Line<'_> {
    fn with(self, audience: &Audience) -> Self {
        Self {
            gross: Some(audience.gross),
            identified: Some(audience.identified),
            contacts: Some(audience.contacts),
            reached: Some(audience.reached),
            lower: Some(audience.lower),
            upper: Some(audience.upper),
            weak: Some(audience.weak),
            outside: Some(audience.outside),
            ..self
        }
    }
}
