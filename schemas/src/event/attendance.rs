//! Attendance of meetings: people by pseudonym with consent, and headcounts.
//!
//! Both are equally valid. A headcount includes everyone in the room, the identified attendees too.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    event::person::Person,
    id::{CounterId, EventId, MeetingId, NoticeId, PrecinctId, SheetId, SurveyId, UnitCode},
    text::Text,
};

/// Where an attendee lives, as the sheet states it. The roll, where there is one, takes precedence.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Residence {
    /// The sheet does not state it.
    #[default]
    Unknown,
    /// Outside the campaign's units.
    Outside,
    /// In this unit of the campaign.
    Unit(UnitCode),
    /// In this precinct of the campaign.
    Precinct(PrecinctId),
}

/// A line of an attendance sheet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SheetLine {
    /// Id of the attendance sheet.
    pub sheet: SheetId,
    /// Line number on the sheet, from 1.
    #[schemars(range(min = 1))]
    pub line: u32,
}

/// `attendance.recorded`: a person attended a meeting and consented to be recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttendanceRecorded<P = Person> {
    /// Id of the meeting.
    pub meeting: MeetingId,
    /// The person who attended.
    pub attendee: P,
    /// Version of the consent notice they agreed to.
    pub consent: NoticeId,
    /// Where the attendee lives, as stated.
    #[serde(default)]
    pub residence: Residence,
    /// Whether they are 18 or older, as stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adult: Option<bool>,
    /// The line of the attendance sheet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<SheetLine>,
}

/// `attendance.retracted`: attendances recorded in error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttendanceRetracted {
    /// Id of the meeting.
    pub meeting: MeetingId,
    /// The `attendance.recorded` events that were wrong.
    #[schemars(length(min = 1, max = 1000))]
    pub retracts: Vec<EventId>,
    /// Reason for the change, as free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text>,
}

/// The headcount of one counter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// The person who counted: `1`, `2` or a member.
    pub counter: CounterId,
    /// Number of people in the room.
    #[schemars(range(max = 100_000))]
    pub people: u32,
}

/// `headcount.reported`: everyone in the room, by one or two counters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeadcountReported {
    /// Id of the meeting.
    pub meeting: MeetingId,
    /// One count, or two made independently.
    #[schemars(length(min = 1, max = 2))]
    pub counts: Vec<Count>,
    /// Lower bound of registered voters of the campaign's units among them; at most the smaller count. Absent: zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eligible_minimum: Option<u32>,
    /// Whether none of them is a registered voter of the campaign's units, for example because all are pupils. The meeting was held, and
    /// nobody at it is ever reached. Then `eligible_minimum` is absent or 0.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nobody_eligible: bool,
}

/// Version 1 of `headcount.reported`, with a single counter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeadcountReportedV1 {
    /// Id of the meeting.
    pub meeting: MeetingId,
    /// Number of people in the room.
    #[schemars(range(max = 100_000))]
    pub people: u32,
}

/// `headcount.recounted`: earlier counts of the meeting were wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeadcountRecounted {
    /// Id of the meeting.
    pub meeting: MeetingId,
    /// The headcount events that this one replaces.
    #[schemars(length(min = 1, max = 1000))]
    pub supersedes: Vec<EventId>,
    /// One count, or two made independently.
    #[schemars(length(min = 1, max = 2))]
    pub counts: Vec<Count>,
    /// Lower bound of registered voters of the campaign's units among them; at most the smaller count. Absent: zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eligible_minimum: Option<u32>,
    /// Whether none of them is a registered voter of the campaign's units, for example because all are pupils. The meeting was held, and
    /// nobody at it is ever reached. Then `eligible_minimum` is absent or 0.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nobody_eligible: bool,
    /// Reason for the change, as free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text>,
}

/// `survey.reported`: how many of the respondents had attended a meeting; counts only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SurveyReported {
    /// Id of the survey.
    pub survey: SurveyId,
    /// Unit of the survey; none for the whole region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitCode>,
    /// Number of people who were asked.
    #[schemars(range(max = 100_000))]
    pub asked: u32,
    /// Number of them who had attended a meeting; at most `asked`.
    #[schemars(range(max = 100_000))]
    pub reached: u32,
    /// How the respondents were sampled.
    pub method: Text,
}
