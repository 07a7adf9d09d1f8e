//! Headline figures of a coverage as one JSON object: `summary.json`.
//!
//! Guarantees: integers with the field names of the oracle and the independent recount; copied from a [`Coverage`] without calculation. The
//! demo adds its seed.

#![allow(missing_docs, reason = "each figure is documented at the field of `coverage` that it is copied from")]

use jiff::Timestamp;
use qamtu_schemas::id::{CampaignId, CategoryCode, CoalitionId, UnitCode};
use serde::{Deserialize, Serialize};

use crate::coverage::{self, Counts, Coverage, Fulfilment, Slice};

/// The headline figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    pub campaign: CampaignId,
    pub synthetic: bool,
    pub as_of: Timestamp,
    pub definition: u32,
    pub counts: Counts,
    pub plan: Fulfilment,
    pub audience: Audience,
    pub exposure: [u64; 5],
    pub units: Vec<Unit>,
    pub precincts_reached: u64,
    pub precincts_over: u64,
    pub precincts_without_meeting: u64,
    pub coalitions: Vec<Coalition>,
    pub categories: Vec<Category>,
    pub weeks: Vec<Week>,
}

/// Who was at all counted meetings; see [`coverage::Audience`] and [`coverage::Reach`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audience {
    pub gross: u64,
    pub identified: u64,
    pub contacts: u64,
    pub reached: u64,
    pub weak: u64,
    pub outside: u64,
    #[serde(rename = "rest")]
    pub unidentified: u64,
    pub lower: u64,
    pub upper: u64,
    pub headcount_meetings: u64,
    pub identified_meetings: u64,
    pub uncounted_meetings: u64,
    pub pending_attendance: u64,
}

/// A unit: its meetings, and its residents wherever they attended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    pub unit: UnitCode,
    pub voters: Option<u64>,
    pub planned: u64,
    pub cancelled: u64,
    pub missing: u64,
    pub contested: u64,
    pub held: u64,
    pub gross: u64,
    pub contacts: u64,
    pub reached: u64,
    pub weak: u64,
    pub outside: u64,
    #[serde(rename = "rest")]
    pub unidentified: u64,
    pub lower: u64,
    pub upper: u64,
    pub residents_reached: u64,
    pub residents_contacts: u64,
}

/// A coalition's meetings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coalition {
    pub coalition: CoalitionId,
    pub planned: u64,
    pub held: u64,
    pub gross: u64,
    pub contacts: u64,
    pub reached: u64,
}

/// A category's meetings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    pub category: CategoryCode,
    pub held: u64,
    pub gross: u64,
    pub contacts: u64,
    pub reached: u64,
}

/// A week's meetings, and everyone reached up to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Week {
    pub week: String,
    pub held: u64,
    pub gross: u64,
    pub contacts: u64,
    pub reached: u64,
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
