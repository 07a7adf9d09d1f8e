//! The headline figures of a coverage as one JSON object: `summary.json`.
//!
//! Guarantees: integers under the names that the oracle and an independent recount use; derived from a [`Coverage`] without a new
//! calculation. The demo adds its seed.

use jiff::Timestamp;
use qamtu_schemas::id::{CampaignId, CategoryCode, CoalitionId, UnitCode};
use serde::{Deserialize, Serialize};

use crate::coverage::{self, Counts, Coverage, Fulfilment, Slice};

/// The headline figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// The campaign.
    pub campaign: CampaignId,
    /// All data is invented.
    pub synthetic: bool,
    /// The clock of the calculation.
    pub as_of: Timestamp,
    /// Version of the definition.
    pub definition: u32,
    /// How much data there is.
    pub counts: Counts,
    /// Where the plan stands.
    pub plan: Fulfilment,
    /// Who was there.
    pub audience: Audience,
    /// Eligible people seen exactly 1, 2, 3, 4 times, and 5 or more.
    pub exposure: [u64; 5],
    /// By unit, sorted by code.
    pub units: Vec<Unit>,
    /// Precincts with at least one reached resident.
    pub precincts_reached: u64,
    /// Precincts with more reached residents than registered voters.
    pub precincts_over: u64,
    /// Precincts that no counted meeting's report names.
    pub precincts_without_meeting: u64,
    /// By coalition, sorted by id.
    pub coalitions: Vec<Coalition>,
    /// By category, sorted by code.
    pub categories: Vec<Category>,
    /// By ISO week in which a counted meeting began, in order.
    pub weeks: Vec<Week>,
}

/// Who was at all counted meetings; see [`coverage::Audience`] and [`coverage::Reach`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audience {
    /// Gross attendance.
    pub gross: u64,
    /// Strongly identified attendances of people known to be eligible or to be outside.
    pub identified: u64,
    /// Attendances of eligible people.
    pub contacts: u64,
    /// Different eligible people.
    pub reached: u64,
    /// Weakly identified attendances.
    pub weak: u64,
    /// Strongly identified attendances from outside the denominator.
    pub outside: u64,
    /// People in the rooms who were not identified, or not known to be inside or outside the denominator.
    #[serde(rename = "rest")]
    pub unidentified: u64,
    /// Lower bound of different eligible people.
    pub lower: u64,
    /// Upper bound of them.
    pub upper: u64,
    /// Counted meetings with a headcount.
    pub headcount_meetings: u64,
    /// Counted meetings with an identified attendance.
    pub identified_meetings: u64,
    /// Counted meetings with neither a headcount nor an attendance that counts.
    pub uncounted_meetings: u64,
    /// Attendances recorded for meetings that are not held.
    pub pending_attendance: u64,
}

/// A unit: its meetings, and its residents wherever they attended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// Its code.
    pub unit: UnitCode,
    /// Registered voters; none while none of its precincts is counted.
    pub voters: Option<u64>,
    /// Meetings with a plan.
    pub planned: u64,
    /// Planned and cancelled.
    pub cancelled: u64,
    /// Due and not reported.
    pub missing: u64,
    /// Meetings of which several answers to one question stand.
    pub contested: u64,
    /// Counted meetings.
    pub held: u64,
    /// Gross attendance.
    pub gross: u64,
    /// Attendances of eligible people.
    pub contacts: u64,
    /// Different eligible people.
    pub reached: u64,
    /// Weakly identified attendances.
    pub weak: u64,
    /// Strongly identified attendances from outside the denominator.
    pub outside: u64,
    /// People in the rooms who were not identified, or not known to be inside or outside the denominator.
    #[serde(rename = "rest")]
    pub unidentified: u64,
    /// Lower bound of different eligible people.
    pub lower: u64,
    /// Upper bound of them.
    pub upper: u64,
    /// Different eligible residents, wherever they attended.
    pub residents_reached: u64,
    /// Their attendances.
    pub residents_contacts: u64,
}

/// A coalition's meetings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coalition {
    /// Its id.
    pub coalition: CoalitionId,
    /// Meetings with a plan.
    pub planned: u64,
    /// Counted meetings.
    pub held: u64,
    /// Gross attendance.
    pub gross: u64,
    /// Attendances of eligible people.
    pub contacts: u64,
    /// Different eligible people.
    pub reached: u64,
}

/// A category's meetings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    /// Its code.
    pub category: CategoryCode,
    /// Counted meetings.
    pub held: u64,
    /// Gross attendance.
    pub gross: u64,
    /// Attendances of eligible people.
    pub contacts: u64,
    /// Different eligible people.
    pub reached: u64,
}

/// A week's meetings, and everyone reached up to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Week {
    /// Such as `2026-W07`.
    pub week: String,
    /// Counted meetings.
    pub held: u64,
    /// Gross attendance.
    pub gross: u64,
    /// Attendances of eligible people.
    pub contacts: u64,
    /// Different eligible people.
    pub reached: u64,
    /// Different eligible people up to its end.
    pub reached_to_date: u64,
}

impl From<&Coverage> for Figures {
    fn from(coverage: &Coverage) -> Self {
        Self {
            campaign: coverage.identity.campaign.clone(),
            synthetic: coverage.campaign.synthetic,
            as_of: coverage.identity.as_of,
            definition: coverage.identity.definition,
            counts: coverage.counts.clone(),
            plan: coverage.region.slice.fulfilment.clone(),
            audience: audience(&coverage.region),
            exposure: coverage.region.exposure,
            units: coverage.units.iter().map(unit).collect(),
            precincts_reached: coverage.precincts_reached(),
            precincts_over: coverage.precincts_over(),
            precincts_without_meeting: coverage.precincts_without_meeting(),
            coalitions: coverage.coalitions.iter().map(coalition).collect(),
            categories: coverage.categories.iter().map(category).collect(),
            weeks: coverage.weeks.iter().filter(|week| week.slice.fulfilment.held > 0).map(week).collect(),
        }
    }
}

fn audience(region: &coverage::Region) -> Audience {
    let audience = &region.slice.audience;
    Audience {
        gross: audience.gross,
        identified: audience.identified,
        contacts: audience.contacts,
        reached: audience.reach.reached,
        weak: audience.weak,
        outside: audience.outside,
        unidentified: audience.unidentified,
        lower: audience.reach.lower,
        upper: audience.reach.upper,
        headcount_meetings: audience.headcount_meetings,
        identified_meetings: audience.identified_meetings,
        uncounted_meetings: audience.uncounted_meetings,
        pending_attendance: region.pending_attendance,
    }
}

fn unit(unit: &coverage::Unit) -> Unit {
    let Slice { fulfilment, audience } = &unit.slice;
    Unit {
        unit: unit.unit.clone(),
        voters: audience.reach.denominator.known(),
        planned: fulfilment.planned,
        cancelled: fulfilment.cancelled,
        missing: fulfilment.missing,
        contested: fulfilment.contested,
        held: fulfilment.held,
        gross: audience.gross,
        contacts: audience.contacts,
        reached: audience.reach.reached,
        weak: audience.weak,
        outside: audience.outside,
        unidentified: audience.unidentified,
        lower: audience.reach.lower,
        upper: audience.reach.upper,
        residents_reached: unit.residents.reach.reached,
        residents_contacts: unit.residents.contacts,
    }
}

fn coalition(coalition: &coverage::Coalition) -> Coalition {
    let Slice { fulfilment, audience } = &coalition.slice;
    Coalition {
        coalition: coalition.coalition.clone(),
        planned: fulfilment.planned,
        held: fulfilment.held,
        gross: audience.gross,
        contacts: audience.contacts,
        reached: audience.reach.reached,
    }
}

fn category(category: &coverage::Category) -> Category {
    let Slice { fulfilment, audience } = &category.slice;
    Category {
        category: category.category.clone(),
        held: fulfilment.held,
        gross: audience.gross,
        contacts: audience.contacts,
        reached: audience.reach.reached,
    }
}

fn week(week: &coverage::Week) -> Week {
    let Slice { fulfilment, audience } = &week.slice;
    Week {
        week: week.week.clone(),
        held: fulfilment.held,
        gross: audience.gross,
        contacts: audience.contacts,
        reached: audience.reach.reached,
        reached_to_date: week.reached_to_date,
    }
}
