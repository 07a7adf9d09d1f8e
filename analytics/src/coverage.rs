//! Coverage: every figure of a campaign at one instant, as integers.
//!
//! Guarantees: a [`Coverage`] depends on facts and the as-of instant alone, not on their order or repetition. Lists are sorted by key. No
//! figure is rounded, estimated or clipped. The reach of each slice is counted from its people, never summed from other slices.
//! [`definition`] defines each figure. Rates and presentation are left to [`crate::statement`].

use jiff::civil::Date;
use qamtu_schemas::{
    event::{CampaignConfigured, Tile, UnitKind},
    id::{CategoryCode, CoalitionId, PrecinctId, UnitCode},
    text::{Names, Text},
};
use serde::{Deserialize, Serialize};

use crate::identity::{Identity, SnapshotId};

mod audience;
mod bounds;
pub mod definition;

mod fold;
mod meetings;
mod person_bitmap;
mod residents;
mod sums;

pub use crate::facts::Quality;
pub use audience::{OUTSIDE, Run, STRONG, UNSTATED};
pub use definition::DEFINITION;
pub use fold::{CoverageFold, roll_decides};
pub use residents::ResidenceIndex;

/// Every figure of a campaign at one instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// What the figures were computed from.
    pub identity: Identity,
    /// The campaign's calendar and plan, as configured.
    pub campaign: Campaign,
    /// How much data there is.
    pub counts: Counts,
    /// Anomalies of the data. Empty in snapshots that were stored before this was computed.
    #[serde(default)]
    pub quality: Quality,
    /// Figures of the whole campaign.
    pub region: Region,
    /// By unit, sorted by code.
    pub units: Vec<Unit>,
    /// By precinct of residence, sorted by id.
    pub precincts: Vec<Precinct>,
    /// By coalition, sorted by id.
    pub coalitions: Vec<Coalition>,
    /// By category of the audience, sorted by code. Categories overlap: a meeting counts in each that its report names.
    pub categories: Vec<Category>,
    /// By local ISO week, those that have a plan or a counted meeting, in order.
    pub weeks: Vec<Week>,
}

/// Calendar and plan of the campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Campaign {
    /// What it is called.
    pub names: Names,
    /// All data is invented.
    pub synthetic: bool,
    /// IANA time zone of its local days.
    pub time_zone: Text,
    /// First lawful campaign day.
    pub opens: Date,
    /// Last lawful campaign day.
    pub closes: Date,
    /// Day of silence before the vote.
    pub silence_day: Date,
    /// Day of the vote.
    pub vote_day: Date,
    /// Meetings planned for the whole campaign.
    pub planned_meetings: u32,
    /// Different voters the plan means to reach.
    pub planned_reach: u32,
    /// What the area is called, if the campaign says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<Names>,
}

impl From<&CampaignConfigured> for Campaign {
    fn from(configured: &CampaignConfigured) -> Self {
        Self {
            names: configured.names.clone(),
            synthetic: configured.synthetic,
            time_zone: configured.time_zone.clone(),
            opens: configured.opens,
            closes: configured.closes,
            silence_day: configured.silence_day,
            vote_day: configured.vote_day,
            planned_meetings: configured.planned_meetings,
            planned_reach: configured.planned_reach,
            area: configured.area.clone(),
        }
    }
}

/// How much data there is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Registered voters on the as-of day; none while no precinct is counted.
    pub voters: Option<u64>,
    /// Precincts with a count that is true on that day.
    pub precincts: u64,
    /// Units that the reference data defines.
    pub units: u64,
    /// Members of coalitions in the reference data.
    pub members: u64,
    /// Coalitions that the reference data defines.
    pub coalitions: u64,
    /// Meetings with a plan.
    pub meetings_planned: u64,
    /// Meetings of which anything is known: a live event, or an attendance that holds.
    pub meetings_known: u64,
    /// Different events, the roll's excluded.
    pub events: u64,
    /// Different people on the strong roll.
    pub roll_voters: u64,
    /// Precincts with a strong roll.
    pub roll_precincts: u64,
    /// Precincts with a count but without a strong roll. If there is one, eligibility follows from what people state and not from the roll.
    /// Zero in snapshots that were stored before this was counted.
    #[serde(default)]
    pub precincts_without_roll: u64,
    /// Records of the log that do not decode, of every campaign.
    pub rejected: u64,
    /// Event ids with several bodies.
    pub conflicts: u64,
}

/// Fulfilment of the plan (M1): meetings by state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fulfilment {
    /// Meetings with a plan.
    pub planned: u64,
    /// Planned meetings that are lawful, not cancelled, and begin on the as-of day or earlier.
    pub due: u64,
    /// Meetings whose report says they were held: the counted meetings.
    pub held: u64,
    /// Due meetings that were held on a lawful day, by the unit and time of the plan: at most `due`.
    pub held_planned: u64,
    /// Held meetings without a plan.
    pub held_extra: u64,
    /// Held meetings outside the lawful days. Their attendance counts; they do not fulfil the plan.
    pub unlawful: u64,
    /// Planned meetings that were cancelled and not reported as held.
    pub cancelled: u64,
    /// Planned meetings whose start comes from a move.
    pub moved: u64,
    /// Due meetings without a report.
    pub missing: u64,
    /// Meetings with neither plan nor report, without those whose report came before they begin. Counted for the whole campaign only, zero
    /// in slices.
    pub pending: u64,
    /// Meetings with two conflicting reports or headcounts, or with both a report and a cancellation.
    pub contested: u64,
}

/// Registered voters that a reach is divided by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denominator {
    /// Registered voters; 0 without a count.
    pub voters: u64,
    /// Date of the newest precinct count in it, the others being older; none without a count.
    pub date: Option<Date>,
}

impl Denominator {
    /// Whether the voters were counted; a count of zero is known, too.
    pub fn is_known(&self) -> bool {
        self.date.is_some()
    }

    /// The registered voters, if they were counted.
    pub fn known(&self) -> Option<u64> {
        self.is_known().then_some(self.voters)
    }
}

/// Whether a reach is exact or lies between bounds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// All attendees were identified, or no meeting was held: `reached = lower = upper`.
    #[default]
    Exact,
    /// Some attendees were counted but not identified: the true reach lies between `lower` and `upper`. With
    /// [`Audience::uncounted_meetings`], `upper` is incomplete.
    Bounds,
}

/// Different eligible people reached (M3) and the bounds of the truth (M10): `reached <= lower <= upper`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// Different eligible people, strongly identified.
    pub reached: u64,
    /// Lower bound of the different eligible people.
    pub lower: u64,
    /// Upper bound of the different eligible people.
    pub upper: u64,
    /// The voters that it is divided by.
    pub denominator: Denominator,
    /// Whether the reach is exact.
    pub method: Method,
    /// More people reached than registered: above 100 %. Displayed as an error, never clipped.
    pub over: bool,
}

/// Attendance at the counted meetings of a slice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audience {
    /// Gross attendance (M2): the headcount, or the length of the list if that is larger.
    pub gross: u64,
    /// Of it, strongly identified attendances of people known to be eligible or to be outside. `identified / gross` is the identified
    /// share.
    pub identified: u64,
    /// Of the identified, attendances of eligible people (numerator of M4).
    pub contacts: u64,
    /// Different eligible people, with bounds.
    pub reach: Reach,
    /// Weakly identified attendances: people known by phone number only.
    pub weak: u64,
    /// Strongly identified attendances of people known to be outside the denominator.
    pub outside: u64,
    /// Strongly identified attendances of people of whom it is unknown whether they are eligible. Zero in snapshots that were stored before
    /// this was counted.
    #[serde(default)]
    pub unstated: u64,
    /// Attendees who were not identified, or of whom it is unknown whether they are eligible; summed over meetings.
    #[serde(rename = "rest")]
    pub unidentified: u64,
    /// Counted meetings with a headcount.
    pub headcount_meetings: u64,
    /// Counted meetings with at least one identified attendance.
    pub identified_meetings: u64,
    /// Counted meetings with neither a headcount nor an attendance that counts: their attendees are unknown and missing from
    /// `unidentified`. Zero in snapshots that were stored before this was counted.
    #[serde(default)]
    pub uncounted_meetings: u64,
}

/// The figures of a set of meetings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// Fulfilment of the plan, by the unit and time of the plan; `held` and `unlawful` by those of the report.
    pub fulfilment: Fulfilment,
    /// Attendance, by the unit and time of the report.
    pub audience: Audience,
}

/// The figures of residents, wherever they attended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Residents {
    /// Attendances of eligible residents.
    pub contacts: u64,
    /// Different eligible residents. Between `reached` and `upper`, unidentified attendees may live here.
    pub reach: Reach,
}

/// Figures of the whole campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    /// Figures of all meetings.
    pub slice: Slice,
    /// Eligible people with exactly 1, 2, 3, 4 attendances, and with 5 or more (M7).
    pub exposure: [u64; 5],
    /// Different people per meeting that is not held, summed: recorded but not counted.
    pub pending_attendance: u64,
    /// Arithmetic ceiling of reach by the plan's end (M24); none before somebody was counted at a meeting, and while the voters are
    /// unknown.
    pub ceiling: Option<u64>,
}

/// Figures of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// Code of the unit.
    pub unit: UnitCode,
    /// Its names; none for a unit that was never defined.
    pub names: Option<Names>,
    /// District or city; none for a unit that was never defined.
    pub kind: Option<UnitKind>,
    /// Its tile on the map.
    pub tile: Option<Tile>,
    /// Meetings held in it. People from other units may have come.
    pub slice: Slice,
    /// People who live in it.
    pub residents: Residents,
}

/// A precinct of residence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Precinct {
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
pub struct Coalition {
    /// Id of the coalition.
    pub coalition: CoalitionId,
    /// Its names; none for a coalition that was never formed.
    pub names: Option<Names>,
    /// Its unit; none for a coalition of the whole region.
    pub unit: Option<UnitCode>,
    /// Its meetings. Compared to its unit's voters, or the region's.
    pub slice: Slice,
}

/// A category of the audience.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    /// Code of the category.
    pub category: CategoryCode,
    /// Its names; none for a category that is not on the campaign's list.
    pub names: Option<Names>,
    /// Meetings for it, as the first or another audience. Compared to the region's voters.
    pub slice: Slice,
}

/// A local ISO week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Week {
    /// ISO week, such as `2026-W07`.
    pub week: String,
    /// First day of the week.
    pub monday: Date,
    /// Its meetings. Compared to the region's voters.
    pub slice: Slice,
    /// People reached for the first time in this week (M8).
    pub first_reached: u64,
    /// Different people reached up to its end.
    pub reached_to_date: u64,
}

/// A stored coverage and its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Hash of the coverage's identity.
    pub id: SnapshotId,
    /// Its figures, as stored.
    pub coverage: Coverage,
}

impl Audience {
    /// Attendances on lists: everybody recorded at a counted meeting.
    pub fn listed(&self) -> u64 {
        self.contacts + self.outside + self.unstated + self.weak
    }

    /// Headcounts in excess of the lists, summed over meetings.
    pub fn heads_beyond_lists(&self) -> u64 {
        self.gross.saturating_sub(self.listed())
    }
}

impl Coverage {
    /// Precincts with at least one reached resident.
    pub fn precincts_reached(&self) -> u64 {
        self.precincts.iter().filter(|precinct| precinct.residents.reach.reached > 0).count() as u64
    }

    /// Precincts with more reached residents than registered voters: errors to be shown.
    pub fn precincts_over(&self) -> u64 {
        self.precincts.iter().filter(|precinct| precinct.residents.reach.over).count() as u64
    }

    /// Precincts of the denominator that no counted meeting's report names.
    pub fn precincts_without_meeting(&self) -> u64 {
        let counted = self.precincts.iter().filter(|precinct| precinct.residents.reach.denominator.date.is_some());
        counted.filter(|precinct| precinct.meetings == 0).count() as u64
    }
}
