//! Events of a meeting: planned, rescheduled, cancelled, held, corrected.
//!
//! A correction refers to the events it replaces and replaces them completely. That graph decides which report counts, not a clock.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    id::{CategoryCode, CoalitionId, EventId, FormatCode, LanguageCode, MeetingId, MemberId, PrecinctId, UnitCode, VenueId},
    instant::instant,
    text::Text,
};

/// Place, host, audience and time of a meeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Unit where it takes place.
    pub unit: UnitCode,
    /// Precinct where it takes place, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precinct: Option<PrecinctId>,
    /// Venue where it takes place, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub venue: Option<VenueId>,
    /// Coalition that holds the meeting.
    pub coalition: CoalitionId,
    /// Members of the coalition who speak.
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub members: Vec<MemberId>,
    /// Category of the intended audience.
    pub category: CategoryCode,
    /// Further audience categories; totals by category overlap.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    pub secondary: Vec<CategoryCode>,
    /// Format of the meeting.
    pub format: FormatCode,
    /// Language of the meeting.
    pub language: LanguageCode,
    /// Start time of the meeting.
    #[serde(deserialize_with = "instant")]
    pub starts: Timestamp,
    /// Expected number of people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<u32>,
}

/// Report of a meeting: the same fields as the plan, filled in after the meeting.
pub type Report = Plan;

/// `meeting.planned`: a meeting is planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MeetingPlanned {
    /// Id of the meeting.
    pub meeting: MeetingId,
    /// Plans, and a cancellation, of the same meeting that this plan replaces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub supersedes: Vec<EventId>,
    /// Place, host, audience and time.
    pub plan: Plan,
}

/// `meeting.rescheduled`: a planned meeting has another start time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MeetingRescheduled {
    /// Id of the meeting.
    pub meeting: MeetingId,
    /// The plan, earlier reschedulings and a cancellation that this replaces.
    #[schemars(length(min = 1, max = 1000))]
    pub supersedes: Vec<EventId>,
    /// New start time of the meeting.
    #[serde(deserialize_with = "instant")]
    pub starts: Timestamp,
    /// Reason for the change, as free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text>,
}

/// `meeting.cancelled`: a planned meeting will not be held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MeetingCancelled {
    /// Id of the meeting.
    pub meeting: MeetingId,
    /// Reason for the change, as free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text>,
}

/// `meeting.held`: the report of a meeting, planned or unplanned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MeetingHeld {
    /// Id of the meeting.
    pub meeting: MeetingId,
    /// The report of the meeting.
    pub report: Report,
}

/// `meeting.corrected`: earlier reports or cancellations were wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MeetingCorrected {
    /// Id of the meeting.
    pub meeting: MeetingId,
    /// The reports, cancellations or corrections that this replaces completely.
    #[schemars(length(min = 1, max = 1000))]
    pub supersedes: Vec<EventId>,
    /// The correct report; none: the meeting was not held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Report>,
    /// Reason for the change, as free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text>,
}
