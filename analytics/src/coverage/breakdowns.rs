//! The breakdowns of a coverage: the whole campaign, and its rows by unit, precinct, coalition, category and week.

use jiff::civil::Date;
use qamtu_schemas::{
    event::{Tile, UnitKind},
    id::{CategoryCode, CoalitionId, PrecinctId, UnitCode},
    text::Names,
};
use serde::{Deserialize, Serialize};

use crate::{
    estimate::Estimate,
    figures::{MeetingFigures, Residents},
};

/// Figures of the whole campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionCoverage {
    /// Figures of all meetings.
    #[serde(alias = "slice")]
    pub figures: MeetingFigures,
    /// Estimate of the different voters at all meetings, with those who were counted and not identified.
    #[serde(default)]
    pub estimate: Estimate,
    /// Eligible people with exactly 1, 2, 3, 4 attendances, and with 5 or more.
    #[serde(alias = "exposure")]
    pub frequencies: [u64; 5],
    /// Attendances at meetings without a report that counts: recorded, and in no other figure. Named `pending_attendance` in snapshots of an
    /// earlier state.
    #[serde(alias = "pending_attendance")]
    pub attendance_without_report: u64,
    /// Arithmetic ceiling of reach by the plan's end; none before somebody was counted at a meeting, and while the voters are unknown.
    pub ceiling: Option<u64>,
}

/// Figures of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitCoverage {
    /// Code of the unit.
    pub unit: UnitCode,
    /// Its names; none for a unit that was never defined.
    pub names: Option<Names>,
    /// District or city; none for a unit that was never defined.
    pub kind: Option<UnitKind>,
    /// Its tile on the map.
    pub tile: Option<Tile>,
    /// Meetings held in it. People from other units may have come.
    #[serde(alias = "slice")]
    pub figures: MeetingFigures,
    /// Estimate of the different voters at its meetings, with those who were counted and not identified.
    #[serde(default)]
    pub estimate: Estimate,
    /// People who live in it.
    pub residents: Residents,
}

/// A precinct of residence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrecinctCoverage {
    /// Id of the precinct.
    pub precinct: PrecinctId,
    /// Its unit; none for a precinct that was never counted.
    pub unit: Option<UnitCode>,
    /// Its number at the election commission.
    pub number: Option<u32>,
    /// Counted meetings whose report names it.
    pub meetings: u64,
    /// People who live in it.
    pub residents: Residents,
}

/// Figures of a coalition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoalitionCoverage {
    /// Id of the coalition.
    pub coalition: CoalitionId,
    /// Its names; none for a coalition that was never formed.
    pub names: Option<Names>,
    /// Its unit; none for a coalition of the whole region.
    pub unit: Option<UnitCode>,
    /// Its meetings. Compared to its unit's voters, or the region's.
    #[serde(alias = "slice")]
    pub figures: MeetingFigures,
}

/// A category of the audience.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CategoryCoverage {
    /// Code of the category.
    pub category: CategoryCode,
    /// Its names; none for a category that is not on the campaign's list.
    pub names: Option<Names>,
    /// Meetings for it, as the first or another audience. Compared to the region's voters.
    #[serde(alias = "slice")]
    pub figures: MeetingFigures,
}

/// A local ISO week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeekCoverage {
    /// ISO week, such as `2026-W07`.
    pub week: String,
    /// First day of the week.
    pub monday: Date,
    /// Its meetings. Compared to the region's voters.
    #[serde(alias = "slice")]
    pub figures: MeetingFigures,
    /// Estimate of the different voters at its meetings, with those who were counted and not identified.
    #[serde(default)]
    pub estimate: Estimate,
    /// People reached for the first time in this week.
    pub first_reached: u64,
    /// Different people reached up to its end.
    pub reached_to_date: u64,
}
