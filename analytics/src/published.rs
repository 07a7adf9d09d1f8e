//! A snapshot after disclosure control for one reader.
//!
//! Guarantees: whatever leaves this crate about people is built from a [`Published`], never from the coverage: its person counts are
//! [`Cell`]s, and its rows are those in the reader's scope. The published tables are fixed: the campaign, units, coalitions, categories,
//! weeks, frequency of attendance. Precincts are not published. Cells are suppressed over the whole campaign and filtered by scope
//! afterwards, so that two readers together learn no more than one; and over units and coalitions together, since both partition the same
//! meetings. Attendances, outsiders and weakly identified people by coalition or category are always withheld.

#![allow(missing_docs, reason = "each figure is documented at the field of `coverage` of the same name")]

use qamtu_schemas::{
    event::{Tile, UnitKind},
    id::{CategoryCode, CoalitionId, UnitCode},
    text::Names,
};

use crate::{
    access::{Reader, Scope},
    cell::{Cell, Threshold},
    coverage::Snapshot,
    coverage::{Campaign, Counts, Denominator, Fulfilment, Quality},
    identity::{Identity, SnapshotId},
};

mod complementary_suppression;
mod region;
mod release;
mod tables;

use complementary_suppression::ComplementarySuppression;
use region::Region;
pub use release::ReleaseState;

/// Figures cleared for a reader.
#[derive(Debug, Clone)]
pub struct Published {
    /// The snapshot they come from.
    pub snapshot: SnapshotId,
    /// What it is true for.
    pub identity: Identity,
    pub campaign: Campaign,
    /// How much data there is.
    pub counts: Counts,
    /// What is odd about it.
    pub quality: Quality,
    /// Whom they were cleared for.
    pub reader: Reader,
    /// The smallest count of people that is shown.
    pub threshold: Threshold,
    pub total: ScopeTotal,
    /// Units in scope, sorted by code.
    pub units: Vec<Unit>,
    /// Coalitions in scope, sorted by id.
    pub coalitions: Vec<Coalition>,
    /// Categories, sorted by code; known for the whole campaign only.
    pub categories: Vec<Category>,
    /// Weeks in order; known for the whole campaign only.
    pub weeks: Vec<Week>,
    /// How often people came; known for the whole campaign only.
    pub exposure: Vec<FrequencyClass>,
}

/// Who was at a set of meetings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audience {
    /// Gross attendance: people in rooms, or on the list where nobody counted heads.
    pub gross: Cell,
    /// Counted meetings at which somebody was strongly identified.
    pub identified_meetings: u64,
    /// Counted meetings of which nobody knows how many came.
    pub uncounted_meetings: u64,
    pub identified: Cell,
    pub contacts: Cell,
    pub reached: Cell,
    /// Lower bound of different eligible people.
    pub lower: Cell,
    pub upper: Cell,
    /// Strongly identified attendances from outside the denominator.
    pub outside: Cell,
    pub weak: Cell,
}

/// All that is in the reader's scope.
#[derive(Debug, Clone)]
pub struct ScopeTotal {
    pub plan: Fulfilment,
    /// Registered voters and the date of their count.
    pub denominator: Denominator,
    /// Who was there. In a scope of units `reached` and its bounds are about residents.
    pub audience: Audience,
    pub over: bool,
    /// Arithmetic ceiling; of the whole campaign only, and with its gross attendance.
    pub ceiling: Option<u64>,
    /// Precincts with a reached resident; of the whole campaign only.
    pub precincts_reached: Option<u64>,
    /// Precincts that no counted meeting's report names; of the whole campaign only.
    pub precincts_without_meeting: Option<u64>,
}

/// Figures of a district or city; counts of people as cells that may be withheld.
#[derive(Debug, Clone)]
pub struct Unit {
    pub unit: UnitCode,
    pub names: Option<Names>,
    pub kind: Option<UnitKind>,
    pub tile: Option<Tile>,
    pub plan: Fulfilment,
    pub denominator: Denominator,
    /// Who was at meetings held in it.
    pub audience: Audience,
    /// Different eligible residents, wherever they attended.
    pub residents: Cell,
    pub residents_bounds: (Cell, Cell),
    /// More residents reached than registered.
    pub over: bool,
}

/// Figures of one coalition's meetings; counts of people as cells that may be withheld.
#[derive(Debug, Clone)]
pub struct Coalition {
    pub coalition: CoalitionId,
    pub names: Option<Names>,
    /// Its unit; none for one of the whole region.
    pub unit: Option<UnitCode>,
    pub plan: Fulfilment,
    /// Who was at its meetings.
    pub audience: Audience,
}

/// A category of the population. Categories overlap and are never added up.
#[derive(Debug, Clone)]
pub struct Category {
    pub category: CategoryCode,
    pub names: Option<Names>,
    pub plan: Fulfilment,
    /// Who was at meetings for it.
    pub audience: Audience,
}

/// A local ISO week. Of its people only those who are new are published: beside its attendances they would tell how few came again.
#[derive(Debug, Clone)]
pub struct Week {
    pub week: String,
    pub monday: jiff::civil::Date,
    pub held: u64,
    /// Gross attendance: people in rooms, or on the list where nobody counted heads.
    pub gross: Cell,
    /// People reached for the first time.
    pub first_reached: Cell,
    /// Different people reached up to its end.
    pub to_date: Cell,
}

/// People who came exactly so many times, or at least so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrequencyClass {
    pub times: u64,
    pub or_more: bool,
    pub people: Cell,
}

impl Published {
    /// What a reader may see of a snapshot; none for a role that sees no figures.
    pub fn new(snapshot: &Snapshot, reader: &Reader) -> Option<Self> {
        let threshold = Threshold::of(reader)?;
        let coverage = &snapshot.coverage;
        let region = Region::of(coverage, threshold);
        let suppressed = ComplementarySuppression::of(coverage, &region);
        let mut units = tables::units(coverage, &region, suppressed.units);
        units.retain(|unit| reader.scope.has(&unit.unit));
        let mut coalitions = tables::coalitions(coverage, suppressed.coalitions);
        coalitions.retain(|exact| exact.unit.as_ref().map_or(reader.scope == Scope::Region, |unit| reader.scope.has(unit)));
        let all = reader.scope == Scope::Region;
        Some(Self {
            snapshot: snapshot.id,
            identity: coverage.identity.clone(),
            campaign: coverage.campaign.clone(),
            counts: coverage.counts.clone(),
            quality: coverage.quality.clone(),
            reader: reader.clone(),
            threshold,
            total: if all { region.total(coverage) } else { tables::of_units(&units) },
            categories: if all { tables::categories(coverage, &region) } else { Vec::new() },
            weeks: if all { tables::weeks(coverage, &region) } else { Vec::new() },
            exposure: if all { tables::exposure(coverage, &region) } else { Vec::new() },
            units,
            coalitions,
        })
    }
}
