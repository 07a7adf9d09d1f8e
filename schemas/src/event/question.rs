//! Questions asked at meetings: themes and counts, never people or opinions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{MeetingId, ThemeCode};

/// `question.raised`: questions of one theme at a meeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuestionRaised {
    /// Id of the meeting.
    pub meeting: MeetingId,
    /// Theme of the questions.
    pub theme: ThemeCode,
    /// Number of questions on this theme.
    #[schemars(range(min = 1, max = 100_000))]
    pub count: u32,
}
