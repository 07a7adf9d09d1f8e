//! Headline figures of a coverage as one JSON object: `summary.json`.
//!
//! Guarantees: integers with the field names of the oracle and the independent recount; copied from a [`Coverage`] without calculation. The
//! demo adds its seed.

#![allow(missing_docs, reason = "each figure is documented at the field of `coverage` that it is copied from")]

use jiff::Timestamp;
use qamtu_schemas::id::{CampaignId, CategoryCode, CoalitionId, UnitCode};
use serde::{Deserialize, Serialize};

use crate::coverage::{self, Counts, Coverage, Fulfilment, MeetingFigures};

/// Headline figures of a campaign, as the file has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub campaign: CampaignId,
    pub synthetic: bool,
    pub as_of: Timestamp,
    pub definition: u32,
    pub counts: Counts,
    pub plan: Fulfilment,
    pub audience: AudienceSummary,
    pub frequencies: [u64; 5],
    pub units: Vec<UnitSummary>,
    pub precincts_reached: u64,
    pub precincts_over: u64,
    pub precincts_without_meeting: u64,
    pub coalitions: Vec<CoalitionSummary>,
    pub categories: Vec<CategorySummary>,
    pub weeks: Vec<WeekSummary>,
}

/// Who was at all counted meetings; see [`coverage::Audience`] and [`coverage::Reach`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudienceSummary {
    pub gross: u64,
    pub identified: u64,
    pub contacts: u64,
    pub reached: u64,
    pub weak: u64,
    pub outside: u64,
    pub unidentified: u64,
    pub lower: u64,
    pub upper: u64,
    pub headcount_meetings: u64,
    pub identified_meetings: u64,
    pub uncounted_meetings: u64,
    pub attendance_without_report: u64,
}

/// A unit: its meetings, and its residents wherever they attended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitSummary {
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
    pub unidentified: u64,
    pub lower: u64,
    pub upper: u64,
    pub residents_reached: u64,
    pub residents_contacts: u64,
}

/// Figures of a coalition's meetings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoalitionSummary {
    pub coalition: CoalitionId,
    pub planned: u64,
    pub held: u64,
    pub gross: u64,
    pub contacts: u64,
    pub reached: u64,
}

/// Figures of a category's meetings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CategorySummary {
    pub category: CategoryCode,
    pub held: u64,
    pub gross: u64,
    pub contacts: u64,
    pub reached: u64,
}

/// A week's meetings, and everyone reached up to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeekSummary {
    pub week: String,
    pub held: u64,
    pub gross: u64,
    pub contacts: u64,
    pub reached: u64,
    pub reached_to_date: u64,
}

impl From<&Coverage> for Summary {
    fn from(coverage: &Coverage) -> Self {
        Self {
            campaign: coverage.identity.campaign.clone(),
            synthetic: coverage.campaign.synthetic,
            as_of: coverage.identity.as_of,
            definition: coverage.identity.definition,
            counts: coverage.counts.clone(),
            plan: coverage.region.figures.fulfilment.clone(),
            audience: audience(&coverage.region),
            frequencies: coverage.region.frequencies,
            units: coverage.units.iter().map(unit).collect(),
            precincts_reached: coverage.precincts_reached(),
            precincts_over: coverage.precincts_over(),
            precincts_without_meeting: coverage.precincts_without_meeting(),
            coalitions: coverage.coalitions.iter().map(coalition).collect(),
            categories: coverage.categories.iter().map(category).collect(),
            weeks: coverage.weeks.iter().filter(|week| week.figures.fulfilment.held > 0).map(week).collect(),
        }
    }
}

fn audience(region: &coverage::RegionCoverage) -> AudienceSummary {
    let audience = &region.figures.audience;
    AudienceSummary {
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
        attendance_without_report: region.attendance_without_report,
    }
}

fn unit(unit: &coverage::UnitCoverage) -> UnitSummary {
    let MeetingFigures { fulfilment, audience } = &unit.figures;
    UnitSummary {
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

fn coalition(coalition: &coverage::CoalitionCoverage) -> CoalitionSummary {
    let MeetingFigures { fulfilment, audience } = &coalition.figures;
    CoalitionSummary {
        coalition: coalition.coalition.clone(),
        planned: fulfilment.planned,
        held: fulfilment.held,
        gross: audience.gross,
        contacts: audience.contacts,
        reached: audience.reach.reached,
    }
}

fn category(category: &coverage::CategoryCoverage) -> CategorySummary {
    let MeetingFigures { fulfilment, audience } = &category.figures;
    CategorySummary {
        category: category.category.clone(),
        held: fulfilment.held,
        gross: audience.gross,
        contacts: audience.contacts,
        reached: audience.reach.reached,
    }
}

fn week(week: &coverage::WeekCoverage) -> WeekSummary {
    let MeetingFigures { fulfilment, audience } = &week.figures;
    WeekSummary {
        week: week.week.clone(),
        held: fulfilment.held,
        gross: audience.gross,
        contacts: audience.contacts,
        reached: audience.reach.reached,
        reached_to_date: week.reached_to_date,
    }
}
