//! The outcomes of a request: one per submission, counted and listed.
//!
//! Guarantees: [`Outcomes::record`] is the only place where outcomes are counted, for responses and for metrics. It is called for events
//! that are durable in the log and for refused ones. Memory is bounded: of a stream only the first [`LISTED_MAX`] refusals and warnings, and
//! ranges of refused lines are kept. [`crate::response`] turns outcomes into a response.

use std::collections::HashMap;

use qamtu_schemas::{Kind, id::EventId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    body::Place,
    metrics,
    rejection::{Detail, LISTED_MAX, ProblemCode, Rejection, Warning},
};

/// Most ranges of refused lines that a response lists; a stream with more of them ends with a problem.
const REFUSED_RANGES_MAX: usize = 100_000;

/// The result for one submission.
#[derive(Debug, Clone)]
pub enum SubmissionOutcome {
    /// The event is new and was appended.
    Accepted {
        /// Id of the event.
        id: EventId,
        /// Type of the event.
        kind: Kind,
        /// References without effect and similar findings that do not refuse the event.
        warnings: Vec<Warning>,
    },
    /// The log holds an event with this id and body already; the person that it names is not compared.
    Duplicate {
        /// Id of the event.
        id: EventId,
    },
    /// Not stored, for the reason given.
    Refused(Rejection),
}

/// The outcome of the submission at one place of a body.
#[derive(Debug, Clone)]
pub struct PlacedOutcome {
    /// Where the submission is.
    pub place: Place,
    /// What became of it.
    pub outcome: SubmissionOutcome,
}

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

/// Consecutive lines of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct LineRange {
    /// First line of the range, from 1.
    pub first: u64,
    /// Last line of the range, inclusive.
    pub last: u64,
}

/// Counts and lists of the outcomes so far.
#[derive(Debug, Clone, Default)]
pub struct Outcomes {
    /// Number of new events.
    pub accepted: u64,
    /// Number of events that the log held before, with the same body.
    pub duplicates: u64,
    /// Number of submissions that were refused.
    pub refused: u64,
    /// Number of accepted events with a warning.
    pub warned: u64,
    /// The first [`LISTED_MAX`] warnings.
    pub warnings: Vec<WarningItem>,
    /// Outcomes of a whole body, in order; empty for a stream.
    pub each: Vec<SubmissionOutcome>,
    /// The first [`LISTED_MAX`] refusals of a stream.
    pub refusals: Vec<Rejection>,
    /// All refused lines of a stream, in order.
    pub refused_lines: Vec<LineRange>,
    last_line: u64,
}

impl Outcomes {
    /// The first line of a stream that has no outcome.
    pub fn next_line(&self) -> u64 {
        self.last_line + 1
    }

    /// Counts and lists the outcomes of a chunk. Fails once a stream has more ranges of refused lines than a response can list.
    pub fn record(&mut self, chunk: Vec<PlacedOutcome>) -> Result<(), Rejection> {
        let mut accepted: HashMap<Kind, u64> = HashMap::new();
        let duplicates_before = self.duplicates;
        for PlacedOutcome { place, outcome } in chunk {
            match &outcome {
                SubmissionOutcome::Accepted { id, kind, warnings } => {
                    *accepted.entry(*kind).or_default() += 1;
                    self.list_warnings(*id, warnings, place.line());
                }
                SubmissionOutcome::Duplicate { .. } => self.duplicates += 1,
                SubmissionOutcome::Refused(rejection) => {
                    self.refused += 1;
                    metrics::refused(rejection.code);
                }
            }
            match place.line() {
                Some(line) => self.list_line(line, outcome),
                None => self.each.push(outcome),
            }
        }
        for (kind, events) in accepted {
            self.accepted += events;
            metrics::events_accepted(kind, events);
        }
        metrics::events_duplicate(self.duplicates - duplicates_before);
        if self.refused_lines.len() > REFUSED_RANGES_MAX {
            return Err(Rejection::new(ProblemCode::TooManyRefused, Detail::TooManyRefused));
        }
        Ok(())
    }

    fn list_warnings(&mut self, id: EventId, warnings: &[Warning], line: Option<u64>) {
        self.warned += u64::from(!warnings.is_empty());
        warnings.iter().copied().for_each(metrics::warning);
        let remaining = LISTED_MAX - self.warnings.len();
        let item = |warning: &Warning| WarningItem { id: id.0, code: warning.code(), reference: warning.reference().map(|id| id.0), line };
        self.warnings.extend(warnings.iter().take(remaining).map(item));
    }

    fn list_line(&mut self, line: u64, outcome: SubmissionOutcome) {
        self.last_line = line;
        let SubmissionOutcome::Refused(rejection) = outcome else { return };
        match self.refused_lines.last_mut() {
            Some(range) if range.last + 1 == line => range.last = line,
            _ => self.refused_lines.push(LineRange { first: line, last: line }),
        }
        if self.refusals.len() < LISTED_MAX {
            self.refusals.push(rejection);
        }
    }
}
