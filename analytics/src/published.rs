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
    coverage::{CampaignSettings, Counts, Denominator, Fulfilment, Quality, Snapshot, UnreachablePrecinct},
    reach_status::ReachStatus,
    snapshot_identity::{SnapshotId, SnapshotIdentity},
};

mod complementary_suppression;
mod gross_composition;
mod region_cells;
mod release_state;
mod rounded_estimate;
mod tables;

use complementary_suppression::ComplementarySuppression;
use region_cells::RegionCells;
pub use release_state::ReleaseState;
pub use rounded_estimate::RoundedEstimate;

/// Figures that may be shown to a reader.
#[derive(Debug, Clone)]
pub struct Published {
    /// Id of the snapshot.
    pub snapshot: SnapshotId,
    /// What the figures were computed from.
    pub identity: SnapshotIdentity,
    pub campaign: CampaignSettings,
    /// How much data there is.
    pub counts: Counts,
    /// Anomalies of the data.
    pub quality: Quality,
    /// Whom the figures are shown to.
    pub reader: Reader,
    /// The smallest count of people that is shown.
    pub threshold: Threshold,
    pub total: ScopeTotal,
    /// Units in scope, sorted by code.
    pub units: Vec<PublishedUnit>,
    /// Coalitions in scope, sorted by id.
    pub coalitions: Vec<PublishedCoalition>,
    /// Categories, sorted by code; known for the whole campaign only.
    pub categories: Vec<PublishedCategory>,
    /// Weeks in order; known for the whole campaign only.
    pub weeks: Vec<PublishedWeek>,
    /// Precincts in scope where no meeting can be held, sorted by id: no figures of people.
    pub unreachable: Vec<UnreachablePrecinct>,
    /// How often people came; known for the whole campaign only.
    pub frequencies: Vec<FrequencyClass>,
}

/// Audience of a set of meetings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishedAudience {
    /// Gross attendance: of each meeting the headcount, or the length of the list if that is larger.
    pub gross: Cell,
    /// Counted meetings at which somebody was strongly identified.
    pub identified_meetings: u64,
    /// Counted meetings with neither a headcount nor an attendance.
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

impl PublishedAudience {
    /// Whether the number of different voters at so many held meetings is known.
    pub fn status(&self, held: u64) -> ReachStatus {
        ReachStatus::of_meetings(held, self.identified_meetings, self.uncounted_meetings)
    }
}

/// Figures of the reader's whole scope.
#[derive(Debug, Clone)]
pub struct ScopeTotal {
    pub plan: Fulfilment,
    /// Registered voters and the date of their count.
    pub denominator: Denominator,
    /// Audience of its meetings. In a scope of units, `reached` and its bounds count residents.
    pub audience: PublishedAudience,
    pub over: bool,
    /// Arithmetic ceiling; of the whole campaign only, and with its gross attendance.
    pub ceiling: Option<u64>,
    /// Estimate of the reach; of the whole campaign only, and with all counts that it follows from.
    pub estimate: Option<RoundedEstimate>,
    /// Precincts with a reached resident; of the whole campaign only.
    pub precincts_reached: Option<u64>,
    /// Precincts that no counted meeting's report names; of the whole campaign only.
    pub precincts_without_meeting: Option<u64>,
}

impl ScopeTotal {
    /// Whether the number of different voters is known.
    pub fn status(&self) -> ReachStatus {
        self.audience.status(self.plan.held).of_everybody(self.audience.reached.shown(), &self.denominator)
    }
}

/// Figures of a unit.
#[derive(Debug, Clone)]
pub struct PublishedUnit {
    pub unit: UnitCode,
    pub names: Option<Names>,
    pub kind: Option<UnitKind>,
    pub tile: Option<Tile>,
    pub plan: Fulfilment,
    pub denominator: Denominator,
    /// Audience of the meetings held in it.
    pub audience: PublishedAudience,
    /// Different eligible residents, wherever they attended.
    pub residents: Cell,
    /// Lower bound of them.
    pub residents_lower: Cell,
    /// Upper bound of them.
    pub residents_upper: Cell,
    /// More residents reached than registered.
    pub over: bool,
}

/// Figures of a coalition's meetings.
#[derive(Debug, Clone)]
pub struct PublishedCoalition {
    pub coalition: CoalitionId,
    pub names: Option<Names>,
    /// Its unit; none for one of the whole region.
    pub unit: Option<UnitCode>,
    pub plan: Fulfilment,
    /// Audience of its meetings.
    pub audience: PublishedAudience,
}

/// A category of the population. Categories overlap and are never added up.
#[derive(Debug, Clone)]
pub struct PublishedCategory {
    pub category: CategoryCode,
    pub names: Option<Names>,
    pub plan: Fulfilment,
    /// Audience of the meetings for it.
    pub audience: PublishedAudience,
}

/// A local ISO week. Different people of a week are not published, only new ones: together with the attendances they would disclose how
/// few came again.
#[derive(Debug, Clone)]
pub struct PublishedWeek {
    pub week: String,
    pub monday: jiff::civil::Date,
    pub held: u64,
    /// Gross attendance: of each meeting the headcount, or the length of the list if that is larger.
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
    /// Whether the reach of the whole and of every unit and coalition is shown: the parts that add up to it.
    pub fn is_complete(&self) -> bool {
        let units = self.units.iter().flat_map(|unit| [unit.residents, unit.audience.reached]);
        let coalitions = self.coalitions.iter().map(|coalition| coalition.audience.reached);
        units.chain(coalitions).chain([self.total.audience.reached]).all(|cell| cell.shown().is_some())
    }

    /// What a reader may see of a snapshot; none for a role that sees no figures.
    pub fn new(snapshot: &Snapshot, reader: &Reader) -> Option<Self> {
        let threshold = Threshold::of(reader)?;
        let coverage = &snapshot.coverage;
        let region = RegionCells::of(coverage, threshold);
        let suppressed = ComplementarySuppression::of(coverage, &region);
        let mut units = tables::units(coverage, &region, suppressed.units);
        units.retain(|unit| reader.scope.has(&unit.unit));
        let mut coalitions = tables::coalitions(coverage, suppressed.coalitions);
        coalitions.retain(|coalition| coalition.unit.as_ref().map_or(reader.scope == Scope::Region, |unit| reader.scope.has(unit)));
        let all = reader.scope == Scope::Region;
        let in_scope = |precinct: &&UnreachablePrecinct| precinct.unit.as_ref().map_or(all, |unit| reader.scope.has(unit));
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
            frequencies: if all { tables::frequencies(coverage, &region) } else { Vec::new() },
            unreachable: coverage.unreachable.iter().filter(in_scope).cloned().collect(),
            units,
            coalitions,
        })
    }
}
