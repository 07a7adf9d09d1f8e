//! Who was in the room: people by pseudonym with consent, and heads counted.
//!
//! Both ways are first-class. A headcount counts everyone in the room, the identified included.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    event::person::Person,
    id::{CounterId, EventId, MeetingId, NoticeId, PrecinctId, SheetId, SurveyId, UnitCode},
    text::Text,
};

/// Where an attendee lives, as the sheet states it. The roll, where there is one, knows better.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Residence {
    /// Not stated.
    #[default]
    Unknown,
    /// Outside the campaign's units.
    Outside,
    /// In a unit.
    Unit(UnitCode),
    /// In a precinct.
    Precinct(PrecinctId),
}

/// A line of an attendance sheet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SheetLine {
    /// The sheet.
    pub sheet: SheetId,
    /// The line, from 1.
    #[schemars(range(min = 1))]
    pub line: u32,
}

/// `attendance.recorded`: a person attended a meeting and agreed to be recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttendanceRecorded<P = Person> {
    /// The meeting.
    pub meeting: MeetingId,
    /// Who.
    pub attendee: P,
    /// The consent notice they agreed to.
    pub consent: NoticeId,
    /// Where they live.
    #[serde(default)]
    pub residence: Residence,
    /// Are they 18 or older, as stated?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adult: Option<bool>,
    /// The sheet's line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<SheetLine>,
}

/// `attendance.retracted`: attendances recorded in error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttendanceRetracted {
    /// The meeting.
    pub meeting: MeetingId,
    /// The `attendance.recorded` events that were wrong.
    #[schemars(length(min = 1, max = 1000))]
    pub retracts: Vec<EventId>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text>,
}

/// What one counter counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// Who counted.
    pub counter: CounterId,
    /// People in the room.
    #[schemars(range(max = 100_000))]
    pub people: u32,
}

/// `headcount.reported`: everyone in the room, by one or two counters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeadcountReported {
    /// The meeting.
    pub meeting: MeetingId,
    /// One count, or two made independently.
    #[schemars(length(min = 1, max = 2))]
    pub counts: Vec<Count>,
    /// How many of them, at the least, are registered voters of the campaign's units; not more than the smaller count.
    /// Not stated: zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eligible_minimum: Option<u32>,
}

/// Version 1 of `headcount.reported`, before a second counter was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeadcountReportedV1 {
    /// The meeting.
    pub meeting: MeetingId,
    /// People in the room.
    #[schemars(range(max = 100_000))]
    pub people: u32,
}

/// `headcount.recounted`: earlier counts of the meeting were wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeadcountRecounted {
    /// The meeting.
    pub meeting: MeetingId,
    /// The counts that this replaces.
    #[schemars(length(min = 1, max = 1000))]
    pub supersedes: Vec<EventId>,
    /// One count, or two made independently.
    #[schemars(length(min = 1, max = 2))]
    pub counts: Vec<Count>,
    /// How many of them, at the least, are registered voters of the campaign's units; not more than the smaller count.
    /// Not stated: zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eligible_minimum: Option<u32>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text>,
}

/// `survey.reported`: how many of those asked said they had been at a meeting; counts only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SurveyReported {
    /// The survey.
    pub survey: SurveyId,
    /// Its unit; none for the whole region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitCode>,
    /// People asked.
    #[schemars(range(max = 100_000))]
    pub asked: u32,
    /// Of them, people who had been at a meeting; at most as many as were asked.
    #[schemars(range(max = 100_000))]
    pub reached: u32,
    /// How they were chosen.
    pub method: Text,
}
