//! The JSON bodies of responses, made of the [`Outcomes`] of a request. Problems (RFC 9457) are in [`problem`].
//!
//! Guarantees: nothing is counted here; `accepted` and `duplicates` count events that are durable in the log.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use qamtu_schemas::id::EventId;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    outcomes::{LineRange, Outcomes, SubmissionOutcome, WarningItem},
    rejection::{Language, Rejection},
};

pub mod problem;

pub use problem::{Problem, ProblemBody};

/// Every event of the request is durable in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Accepted {
    /// Number of new events.
    pub accepted: u64,
    /// Number of events that the log held before, with the same body.
    pub duplicates: u64,
    /// The first 100 warnings.
    pub warnings: Vec<WarningItem>,
}

impl From<Outcomes> for Accepted {
    fn from(Outcomes { accepted, duplicates, warnings, .. }: Outcomes) -> Self {
        Self { accepted, duplicates, warnings }
    }
}

impl IntoResponse for Accepted {
    fn into_response(self) -> Response {
        let status = if self.accepted > 0 { StatusCode::ACCEPTED } else { StatusCode::OK };
        (status, Json(self)).into_response()
    }
}

/// The outcome of one event of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EventOutcome {
    /// Index of the event in the batch, from 0.
    pub index: u64,
    /// Id of the event, where it could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// `accepted`, `duplicate` or `refused`.
    pub outcome: &'static str,
    /// Why the event was refused: the code of a problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// JSON pointer (RFC 6901) into the batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// What is wrong and how to correct it, in the language of `Accept-Language` (kk, ru or en).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// The outcomes of a batch with `on_error=keep-good`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BatchOutcomes {
    /// Number of new events.
    pub accepted: u64,
    /// Number of events that the log held before, with the same body.
    pub duplicates: u64,
    /// Number of events that were refused.
    pub refused: u64,
    /// The first 100 warnings.
    pub warnings: Vec<WarningItem>,
    /// One per event, in the order of the batch.
    pub outcomes: Vec<EventOutcome>,
}

impl BatchOutcomes {
    /// Lists the outcomes of a batch, with details in `language`.
    pub fn new(outcomes: Outcomes, language: Language) -> Self {
        let Outcomes { accepted, duplicates, refused, warnings, each, .. } = outcomes;
        let outcomes = (0..).zip(each).map(|(index, outcome)| EventOutcome::new(index, outcome, language)).collect();
        Self { accepted, duplicates, refused, warnings, outcomes }
    }
}

impl EventOutcome {
    fn new(index: u64, outcome: SubmissionOutcome, language: Language) -> Self {
        let stored = |id: EventId, outcome| Self { index, id: Some(id.0), outcome, reason: None, pointer: None, detail: None };
        match outcome {
            SubmissionOutcome::Accepted { id, .. } => stored(id, "accepted"),
            SubmissionOutcome::Duplicate { id } => stored(id, "duplicate"),
            SubmissionOutcome::Refused(rejection) => {
                let FailureItem { id, code, pointer, detail, .. } = FailureItem::new(rejection, language);
                Self { index, id, outcome: "refused", reason: Some(code), pointer, detail: Some(detail) }
            }
        }
    }
}

impl IntoResponse for BatchOutcomes {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}

/// One refused event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Failure)]
pub struct FailureItem {
    /// Line of the event in a stream, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Id of the event, where it could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// The code of a problem.
    pub code: &'static str,
    /// JSON pointer (RFC 6901) into what was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// What exactly, and how to correct it, in the language of `Accept-Language` (kk, ru or en).
    pub detail: String,
    /// Reference data that is known under its revision with another content: JSON pointers into the event where the two differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differs: Vec<String>,
}

impl FailureItem {
    /// A rejection with its detail in `language`.
    pub fn new(rejection: Rejection, language: Language) -> Self {
        Self {
            line: rejection.line,
            id: rejection.id.map(|id| id.0),
            code: rejection.code.as_str(),
            detail: rejection.text(language),
            differs: rejection.differs().to_vec(),
            pointer: rejection.pointer,
        }
    }
}

/// The outcomes of a stream: accepted events are durable in the log, refused ones are not stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StreamSummary {
    /// Number of new events.
    pub accepted: u64,
    /// Number of events that the log held before, with the same body.
    pub duplicates: u64,
    /// Number of lines that were refused.
    pub refused: u64,
    /// All refused lines, in order: every other line that is not blank is in the log.
    pub refused_lines: Vec<LineRange>,
    /// Number of events with a warning.
    pub warned: u64,
    /// The first 100 warnings.
    pub warnings: Vec<WarningItem>,
    /// The first 100 refusals.
    pub failures: Vec<FailureItem>,
}

impl StreamSummary {
    /// The summary of a stream, with details in `language`.
    pub fn new(outcomes: Outcomes, language: Language) -> Self {
        let Outcomes { accepted, duplicates, refused, warned, warnings, refusals, refused_lines, .. } = outcomes;
        let failures = refusals.into_iter().map(|rejection| FailureItem::new(rejection, language)).collect();
        Self { accepted, duplicates, refused, refused_lines, warned, warnings, failures }
    }
}

impl IntoResponse for StreamSummary {
    fn into_response(self) -> Response {
        let status = if self.refused == 0 { StatusCode::OK } else { StatusCode::MULTI_STATUS };
        (status, Json(self)).into_response()
    }
}
