//! The life of a meeting: planned, moved, cancelled, held, corrected.
//!
//! A correction names what it replaces and replaces it in full. Which report holds is decided by that graph, never by a clock.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    id::{CategoryCode, CoalitionId, EventId, FormatCode, LanguageCode, MeetingId, MemberId, PrecinctId, UnitCode, VenueId},
    instant::instant,
    text::Text,
};

/// What was planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Where: the unit.
    pub unit: UnitCode,
    /// Where: the precinct, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precinct: Option<PrecinctId>,
    /// Where: the venue, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub venue: Option<VenueId>,
    /// Whose meeting it is.
    pub coalition: CoalitionId,
    /// Who speaks.
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub members: Vec<MemberId>,
    /// The audience it is for.
    pub category: CategoryCode,
    /// Other audiences; totals by category overlap.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    pub secondary: Vec<CategoryCode>,
    /// Its format.
    pub format: FormatCode,
    /// Its language.
    pub language: LanguageCode,
    /// When it begins.
    #[serde(deserialize_with = "instant")]
    pub starts: Timestamp,
    /// How many people are expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<u32>,
}

/// What happened: the same questions as the plan, answered after the meeting.
pub type Report = Plan;

/// `meeting.planned`: a meeting of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MeetingPlanned {
    /// The meeting.
    pub meeting: MeetingId,
    /// Plans, and a cancellation, of the same meeting that this replaces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub supersedes: Vec<EventId>,
    /// What is planned.
    pub plan: Plan,
}

/// `meeting.rescheduled`: a planned meeting begins at another time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MeetingRescheduled {
    /// The meeting.
    pub meeting: MeetingId,
    /// The plan or the earlier moves that this replaces, and a cancellation that it takes back.
    #[schemars(length(min = 1, max = 1000))]
    pub supersedes: Vec<EventId>,
    /// When it begins now.
    #[serde(deserialize_with = "instant")]
    pub starts: Timestamp,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text>,
}

/// `meeting.cancelled`: a planned meeting will not be held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MeetingCancelled {
    /// The meeting.
    pub meeting: MeetingId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text>,
}

/// `meeting.held`: the report of a meeting, planned or extra.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MeetingHeld {
    /// The meeting.
    pub meeting: MeetingId,
    /// What happened.
    pub report: Report,
}

/// `meeting.corrected`: earlier reports or cancellations were wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MeetingCorrected {
    /// The meeting.
    pub meeting: MeetingId,
    /// The reports, cancellations or corrections that this replaces in full.
    #[schemars(length(min = 1, max = 1000))]
    pub supersedes: Vec<EventId>,
    /// What happened; none: the meeting was not held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Report>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text>,
}
