//! Validates the submissions of a chunk and claims the ids of their events.
//!
//! Guarantees: a chunk is validated against a register that holds the whole log, or refused as a whole. An outcome is final only once the
//! chunk is appended. Blocks the thread.

use std::sync::Arc;

use jiff::Timestamp;
use qamtu_log::Entry;
use qamtu_schemas::{Data, Event, id::EventId};
use qamtu_service::telemetry::error_chain;

use super::{Pipeline, Unacknowledged, rebuilding};
use crate::{
    body::{Chunk, Place},
    conflicts::OtherBody,
    log_append,
    outcomes::{PlacedOutcome, SubmissionOutcome},
    principal::Principal,
    register::{
        Register,
        claims::{Claim, Claims},
        event_identity::EventIdentity,
        store::StoreError,
    },
    rejection::{Detail, LISTED_MAX, ProblemCode, Rejection, Warning},
    response::Problem,
    validation::{self, KnownState, ValidatedEvent},
};

/// A chunk whose submissions are validated. Dropping it releases the ids that it claimed.
pub struct ValidatedChunk {
    /// The outcomes, in the order of the body; final only once the chunk is appended.
    pub(super) outcomes: Vec<PlacedOutcome>,
    /// What its events change, for the next chunk of the same request.
    pub(super) unacknowledged: Unacknowledged,
    /// One entry per claim, in the order of the claims.
    pub(super) entries: Vec<Entry>,
    pub(super) other_bodies: Vec<OtherBody>,
    pub(super) register_events: Vec<Event>,
    pub(super) claims: Claims,
}

impl ValidatedChunk {
    fn new(register: Arc<Register>) -> Self {
        Self {
            outcomes: Vec::new(),
            unacknowledged: Unacknowledged::default(),
            entries: Vec::new(),
            other_bodies: Vec::new(),
            register_events: Vec::new(),
            claims: Claims::new(register),
        }
    }

    /// Adds an event whose id is claimed.
    fn accept(&mut self, event: ValidatedEvent, warnings: Vec<Warning>) -> SubmissionOutcome {
        self.unacknowledged.add(event.identity, event.register_event.as_ref());
        self.register_events.extend(event.register_event);
        self.entries.push(log_append::entry(event.encoded));
        SubmissionOutcome::Accepted { id: event.identity.id, kind: event.kind, warnings }
    }

    pub(super) fn has_duplicates(&self) -> bool {
        self.outcomes.iter().any(|placed| matches!(placed.outcome, SubmissionOutcome::Duplicate { .. }))
    }

    /// Whether at least one submission is refused.
    pub fn has_refusals(&self) -> bool {
        self.outcomes.iter().any(|placed| matches!(placed.outcome, SubmissionOutcome::Refused(_)))
    }

    /// The problem of an all-or-nothing body: its first refused event, and of a batch a list of the refused ones.
    pub(super) fn into_problem(self) -> Problem {
        let is_batch = self.outcomes.iter().any(|placed| placed.place != Place::Body);
        let refusals = self.outcomes.into_iter().filter_map(|placed| match placed.outcome {
            SubmissionOutcome::Refused(rejection) => Some(rejection),
            SubmissionOutcome::Accepted { .. } | SubmissionOutcome::Duplicate { .. } => None,
        });
        let mut failures: Vec<Rejection> = refusals.take(LISTED_MAX).collect();
        let first = failures.first().cloned().unwrap_or_else(|| Rejection::new(ProblemCode::Internal, Detail::Internal));
        if !is_batch {
            failures.clear();
        }
        Problem { failures, ..first.into() }
    }
}

/// Validates one chunk of a request.
pub struct ChunkValidator<'a> {
    /// Register, keys and limits.
    pub pipeline: &'a Pipeline,
    /// Who sent the request.
    pub principal: Principal,
    /// Events of the chunk before this one, which may be in an append that runs.
    pub earlier: &'a Unacknowledged,
    /// The server's clock, which stamps `receivedtime`.
    pub now: Timestamp,
}

impl ChunkValidator<'_> {
    /// Validates every submission of a chunk. An error is a failure of the service and concerns the whole request.
    pub fn validate(&self, chunk: &Chunk) -> Result<ValidatedChunk, Rejection> {
        validation::plausible_clock(self.now)?;
        let register = &self.pipeline.register;
        let completion = register.completion().ok_or_else(rebuilding)?;
        let mut validated = ValidatedChunk::new(register.clone());
        for item in &chunk.items {
            let outcome = match self.outcome(chunk.bytes_of(item), &mut validated) {
                Ok(outcome) => outcome,
                Err(rejection) if rejection.code.status().is_server_error() => return Err(rejection),
                Err(rejection) => SubmissionOutcome::Refused(item.place.locate(rejection)),
            };
            validated.outcomes.push(PlacedOutcome { place: item.place, outcome });
        }
        // If the register was rebuilt meanwhile, it may have been incomplete when it was asked.
        if register.completion() == Some(completion) { Ok(validated) } else { Err(rebuilding()) }
    }

    /// The outcome of one submission. `bytes` is `None` for a line over the size limit, which was not buffered.
    fn outcome(&self, bytes: Option<&[u8]>, chunk: &mut ValidatedChunk) -> Result<SubmissionOutcome, Rejection> {
        let largest = self.pipeline.limits.largest(self.principal.only);
        let bytes = bytes.filter(|bytes| bytes.len() <= largest);
        let bytes = bytes.ok_or_else(|| Rejection::new(ProblemCode::EventTooLarge, Detail::EventMax { bytes: largest }))?;
        let event = self.with_known(chunk, |known| self.pipeline.event(bytes, self.principal, known, self.now))?;
        let id = event.identity.id;
        self.check_roll_version(&event, chunk)?;
        match self.claim(&event.identity, chunk)? {
            Claim::Fresh => {
                let warnings = self.warnings(&event, chunk)?;
                Ok(chunk.accept(event, warnings))
            }
            Claim::Duplicate => Ok(SubmissionOutcome::Duplicate { id }),
            Claim::OtherPerson { first_received_us } => {
                chunk.other_bodies.push(OtherBody::new(id, event.encoded, self.now, first_received_us));
                Ok(SubmissionOutcome::Duplicate { id })
            }
            Claim::Unresolved => Err(log_append::unacknowledged().about(Some(id))),
            Claim::Conflict => {
                let detail = |sent: &Event| self.with_known(chunk, |known| validation::conflict_detail(sent, known));
                let detail = event.register_event.as_ref().map_or(Detail::IdTaken, detail);
                Err(self.pipeline.conflicts.reject(detail).about(Some(id)))
            }
        }
    }

    /// Refuses a roll whose version another event has. The voters are not compared, so the response says nothing about them.
    fn check_roll_version(&self, event: &ValidatedEvent, chunk: &ValidatedChunk) -> Result<(), Rejection> {
        let Some(Event { envelope, data: Data::PrecinctEnrolled(roll) }) = &event.register_event else { return Ok(()) };
        let known = self.with_known(chunk, |known| known.roll(&envelope.campaign, &roll.precinct, roll.version));
        if known.is_none_or(|known| known == envelope.id) || self.is_known(envelope.id, chunk)? {
            return Ok(());
        }
        let detail = Detail::RollVersionTaken { version: roll.version };
        Err(Rejection::new(ProblemCode::ConflictingRoll, detail).at("/data/version").about(Some(envelope.id)))
    }

    /// Whether the log or this request has an event with this id.
    fn is_known(&self, id: EventId, chunk: &ValidatedChunk) -> Result<bool, Rejection> {
        if self.earlier_identity(id, chunk).is_some() {
            return Ok(true);
        }
        self.pipeline.register.find(id).map(|known| known.is_some()).map_err(|error| lookup_failed(&error))
    }

    /// Calls `query` with the register's reference data and that of earlier submissions of this request.
    fn with_known<T>(&self, chunk: &ValidatedChunk, query: impl FnOnce(&KnownState<'_>) -> T) -> T {
        let registered = self.pipeline.register.campaign_data();
        query(&KnownState(&[&registered, &self.earlier.campaigns, &chunk.unacknowledged.campaigns]))
    }

    /// Claims the id of an event: first against this request, then in the register. Two bodies of one request are compared with the person
    /// included, because their sender knows both.
    fn claim(&self, sent: &EventIdentity, chunk: &mut ValidatedChunk) -> Result<Claim, Rejection> {
        match self.earlier_identity(sent.id, chunk) {
            Some(known) if known.hash == sent.hash => Ok(Claim::Duplicate),
            Some(_) => Ok(Claim::Conflict),
            None => chunk.claims.claim(sent).map_err(|error| lookup_failed(&error)),
        }
    }

    /// The identity of an event that an earlier submission of this request brought.
    fn earlier_identity<'c>(&'c self, id: EventId, chunk: &'c ValidatedChunk) -> Option<&'c EventIdentity> {
        self.earlier.find(id).or_else(|| chunk.unacknowledged.find(id))
    }

    /// The warnings about a new event, at most [`LISTED_MAX`]: unknown meeting, revision not raised, references without effect.
    fn warnings(&self, event: &ValidatedEvent, chunk: &ValidatedChunk) -> Result<Vec<Warning>, Rejection> {
        let mut warnings: Vec<Warning> = event.warning.into_iter().collect();
        let is_unraised = |sent: &Event| self.with_known(chunk, |known| validation::is_unraised(sent, known));
        if event.register_event.as_ref().is_some_and(is_unraised) {
            warnings.push(Warning::UnraisedRevision);
        }
        let Some(references) = &event.event_references else { return Ok(warnings) };
        for &id in references.ids() {
            let target = match self.earlier_identity(id, chunk) {
                // An event cannot replace itself.
                _ if id == event.identity.id => None,
                Some(target) => Some(*target),
                None => self.pipeline.register.find(id).map_err(|error| lookup_failed(&error))?,
            };
            warnings.extend(references.check(id, target.as_ref()));
            if warnings.len() == LISTED_MAX {
                break;
            }
        }
        Ok(warnings)
    }
}

fn lookup_failed(error: &StoreError) -> Rejection {
    tracing::error!(error = error_chain(error), "the lookup in the register failed");
    rebuilding()
}
