//! Coverage: every figure of a campaign at one instant, as integers.
//!
//! Guarantees: a [`Coverage`] depends on facts and the as-of instant alone, not on their order or repetition. Lists are sorted by key. No
//! figure is rounded or clipped, and none but an [`Estimate`] is estimated. Each table is a [`crate::slice`]: its reach is counted from people, never summed.
//! [`definition`] defines each figure. Rates and presentation are left to [`crate::statement`].

use serde::{Deserialize, Serialize};

use crate::snapshot_identity::{SnapshotId, SnapshotIdentity};

mod breakdowns;
mod campaign_settings;
mod compose;
pub mod definition;
mod estimates;
mod unreachable;

pub use crate::{
    estimate::Estimate,
    facts::Quality,
    figures::{Audience, Denominator, Fulfilment, MeetingFigures, Method, Reach, Residents},
};
pub use breakdowns::{CategoryCoverage, CoalitionCoverage, PrecinctCoverage, RegionCoverage, UnitCoverage, WeekCoverage};
pub use campaign_settings::CampaignSettings;
pub use definition::DEFINITION;
pub use estimates::EstimateSettings;
pub(crate) use estimates::{eligible_share, region_group};
pub use unreachable::UnreachablePrecinct;

/// Every figure of a campaign at one instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// What the figures were computed from.
    pub identity: SnapshotIdentity,
    /// The campaign's calendar and plan, as configured.
    pub campaign: CampaignSettings,
    /// How much data there is.
    pub counts: Counts,
    /// Anomalies of the data. Empty in snapshots that were stored before this was computed.
    #[serde(default)]
    pub quality: Quality,
    /// Figures of the whole campaign.
    pub region: RegionCoverage,
    /// By unit, sorted by code.
    pub units: Vec<UnitCoverage>,
    /// By precinct of residence, sorted by id.
    pub precincts: Vec<PrecinctCoverage>,
    /// By coalition, sorted by id.
    pub coalitions: Vec<CoalitionCoverage>,
    /// By category of the audience, sorted by code. Categories overlap: a meeting counts in each that its report names.
    pub categories: Vec<CategoryCoverage>,
    /// Precincts where no meeting can be held, sorted by id. Empty in snapshots that were stored before this was reported.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreachable: Vec<UnreachablePrecinct>,
    /// By local ISO week, those that have a plan or a counted meeting, in order.
    pub weeks: Vec<WeekCoverage>,
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
    /// Meetings of which anything is known: an event that was not reversed, or an attendance that counts.
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

/// A stored coverage and its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Hash of the coverage's identity.
    pub id: SnapshotId,
    /// Its figures, as stored.
    pub coverage: Coverage,
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
