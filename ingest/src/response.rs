//! The JSON bodies of responses, and how outcomes become one of them. Problems (RFC 9457) are in [`problem`].
//!
//! Guarantees: `accepted` and `duplicates` count events that are durable in the log.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    pipeline::Outcome,
    rejection::{LISTED_MAX, Language, Rejection, Warning},
};

pub mod problem;

pub use problem::{Problem, ProblemBody};

/// A warning about an accepted event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WarningItem {
    /// Id of the accepted event.
    pub id: Uuid,
    /// `unknown-meeting`: neither plan nor report of the meeting is known yet; the event is pending until one arrives.
    /// `revision-not-raised`: other reference data is known under the same or a higher `revision`; raise it.
    /// `unknown-reference`: the event that this one replaces or takes back is not known yet; without it this one has no effect.
    /// `foreign-reference`: that event is about another meeting. `ineffective-reference`: it is of a type that this one cannot replace.
    pub code: &'static str,
    /// Id of the replaced event, for a code that ends in `-reference`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<Uuid>,
    /// Line of the event in a stream, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
}

impl WarningItem {
    /// Appends the warnings about one event to those of a response, up to [`LISTED_MAX`].
    pub fn append(listed: &mut Vec<Self>, id: Uuid, warnings: &[Warning], line: Option<u64>) {
        let remaining = LISTED_MAX.saturating_sub(listed.len());
        let new = |warning: &Warning| Self { id, code: warning.code(), reference: warning.reference().map(|id| id.0), line };
        listed.extend(warnings.iter().take(remaining).map(new));
    }
}

/// Every event of the request is durable in the log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Accepted {
    /// Number of new events.
    pub accepted: u64,
    /// Number of events that the log held before, with the same body.
    pub duplicates: u64,
    /// The first 100 warnings.
    pub warnings: Vec<WarningItem>,
}

impl Accepted {
    /// Counts outcomes; fails with the first refusal, if there is one.
    pub fn from_outcomes(outcomes: Vec<(u64, Outcome)>) -> Result<Self, Rejection> {
        let mut response = Self::default();
        for (_, outcome) in outcomes {
            match outcome {
                Outcome::Accepted { id, warnings, .. } => {
                    response.accepted += 1;
                    WarningItem::append(&mut response.warnings, id.0, &warnings, None);
                }
                Outcome::Duplicate { .. } => response.duplicates += 1,
                Outcome::Refused(rejection) => return Err(rejection),
            }
        }
        Ok(response)
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
    /// Counts and lists the outcomes of a batch; `outcomes` holds pairs of index and outcome.
    pub fn new(outcomes: Vec<(u64, Outcome)>, language: Language) -> Self {
        let listed = Vec::with_capacity(outcomes.len());
        let mut response = Self { accepted: 0, duplicates: 0, refused: 0, warnings: Vec::new(), outcomes: listed };
        for (index, outcome) in outcomes {
            let mut item = EventOutcome { index, id: None, outcome: "accepted", reason: None, pointer: None, detail: None };
            match outcome {
                Outcome::Accepted { id, warnings, .. } => {
                    response.accepted += 1;
                    item.id = Some(id.0);
                    WarningItem::append(&mut response.warnings, id.0, &warnings, None);
                }
                Outcome::Duplicate { id } => {
                    response.duplicates += 1;
                    (item.id, item.outcome) = (Some(id.0), "duplicate");
                }
                Outcome::Refused(rejection) => {
                    let failure = Failure::new(rejection.within(&format!("/{index}")), language);
                    response.refused += 1;
                    item.outcome = "refused";
                    (item.id, item.reason, item.pointer, item.detail) =
                        (failure.id, Some(failure.code), failure.pointer, Some(failure.detail));
                }
            }
            response.outcomes.push(item);
        }
        response
    }
}

/// One refused event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Failure {
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

impl Failure {
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

/// Consecutive lines of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct LineRange {
    /// First line of the range, from 1.
    pub first: u64,
    /// Last line of the range, inclusive.
    pub last: u64,
}

/// The outcomes of a stream: accepted events are durable in the log, refused ones are not stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
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
    pub failures: Vec<Failure>,
}

impl StreamSummary {
    /// Adds the outcome of one line.
    pub fn add(&mut self, line: u64, outcome: Outcome, language: Language) {
        match outcome {
            Outcome::Accepted { id, warnings, .. } => {
                self.accepted += 1;
                self.warned += u64::from(!warnings.is_empty());
                WarningItem::append(&mut self.warnings, id.0, &warnings, Some(line));
            }
            Outcome::Duplicate { .. } => self.duplicates += 1,
            Outcome::Refused(rejection) => {
                self.refused += 1;
                match self.refused_lines.last_mut() {
                    Some(range) if range.last + 1 == line => range.last = line,
                    _ => self.refused_lines.push(LineRange { first: line, last: line }),
                }
                if self.failures.len() < LISTED_MAX {
                    self.failures.push(Failure::new(rejection.on_line(line), language));
                }
            }
        }
    }
}

impl IntoResponse for StreamSummary {
    fn into_response(self) -> Response {
        let status = if self.refused == 0 { StatusCode::OK } else { StatusCode::MULTI_STATUS };
        (status, Json(self)).into_response()
    }
}
