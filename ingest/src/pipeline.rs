//! The path of submissions from bytes to the log: parse, pseudonymize, validate, append; then their outcomes are recorded.
//!
//! Guarantees: [`Pipeline::process`] is the only way into the log for events of clients, whatever the route and the form of the body. An
//! outcome is recorded when the event is durable in the log. The chunks of a request are appended one after another, in order; the next one
//! is received and validated meanwhile, so at most three are in memory. Other requests see nothing of a chunk before its append succeeded.

use std::sync::Arc;

use jiff::Timestamp;
use qamtu_log::LogWriter;
use qamtu_service::telemetry::error_chain;
use tokio::sync::Semaphore;

use crate::{
    body::{BodyKind, RequestBody},
    config::Limits,
    conflicts::Conflicts,
    outcomes::Outcomes,
    panics::task_panicked,
    principal::Principal,
    pseudonym::{self, Keys},
    register::Register,
    rejection::{Detail, ProblemCode, Rejection},
    response::Problem,
    submission::{self, Submission},
    validation::{self, KnownState, ValidatedEvent},
};

mod append;
mod chunk;
mod unacknowledged;

pub use chunk::{ChunkValidator, ValidatedChunk};
pub use unacknowledged::Unacknowledged;

/// What the steps of the pipeline use: log, register, keys and limits, shared by all requests.
pub struct Pipeline {
    /// Writer of the event log.
    pub writer: Arc<dyn LogWriter>,
    /// Ids, reference data, meetings and versions of rolls that the log holds.
    pub register: Arc<Register>,
    /// The campaigns' keys for pseudonyms.
    pub keys: Arc<Keys>,
    /// Limits from the configuration.
    pub limits: Limits,
    /// Counts and stores second bodies of known ids.
    pub conflicts: Conflicts,
    /// One permit per append. An append that timed out for its caller keeps its permit until it ends, which bounds the memory that a log
    /// without response can take.
    append_permits: Arc<Semaphore>,
}

impl Pipeline {
    /// A pipeline with one append permit for each request that `limits` lets run.
    pub fn new(writer: Arc<dyn LogWriter>, register: Arc<Register>, keys: Arc<Keys>, limits: Limits) -> Self {
        let append_permits = Arc::new(Semaphore::new(limits.requests + limits.streams));
        let conflicts = Conflicts::new(limits.conflicts_per_minute);
        Self { writer, register, keys, limits, conflicts, append_permits }
    }

    /// Processes the submissions of one request. A refused submission is an outcome, unless the body is all-or-nothing: then it is the
    /// problem, and nothing is stored. The problem of a stream holds the outcomes before it, and names the first line that has none.
    pub async fn process(self: &Arc<Self>, principal: Principal, mut body: RequestBody) -> Result<Outcomes, Problem> {
        let mut outcomes = Outcomes::default();
        let result = self.process_chunks(principal, &mut body, &mut outcomes).await;
        let is_stream = body.kind == BodyKind::Lines;
        body.close().await;
        match result {
            Ok(()) => Ok(outcomes),
            Err(problem) if is_stream => Err(problem.after(outcomes)),
            Err(problem) => Err(problem),
        }
    }

    async fn process_chunks(
        self: &Arc<Self>,
        principal: Principal,
        body: &mut RequestBody,
        outcomes: &mut Outcomes,
    ) -> Result<(), Problem> {
        let mut next = self.next_validated(principal, body, Arc::default()).await?;
        while let Some(mut chunk) = next {
            if body.kind.is_all_or_nothing() && chunk.has_refusals() {
                return Err(chunk.into_problem());
            }
            let (earlier, accepted_before) = (std::mem::take(&mut chunk.unacknowledged), outcomes.accepted);
            let append = async { outcomes.record(self.append(chunk).await?) };
            let (appended, validated) = tokio::join!(append, self.next_validated(principal, body, earlier.into()));
            body.record_progress(outcomes.accepted > accepted_before);
            appended?;
            next = validated?;
        }
        Ok(())
    }

    /// Receives the next chunk and validates it on the blocking pool (CPU work, lookups in the register's file); `None` at the end.
    async fn next_validated(
        self: &Arc<Self>,
        principal: Principal,
        body: &mut RequestBody,
        earlier: Arc<Unacknowledged>,
    ) -> Result<Option<ValidatedChunk>, Rejection> {
        let Some(chunk) = body.next().await? else { return Ok(None) };
        let pipeline = self.clone();
        let validate = move || {
            let validator = ChunkValidator { pipeline: &pipeline, principal, earlier: &earlier, now: Timestamp::now() };
            validator.validate(&chunk).map(Some)
        };
        tokio::task::spawn_blocking(validate).await.unwrap_or_else(|error| Err(task_panicked(&error)))
    }

    /// Makes an event of a submission: parses, pseudonymizes and validates it. No later step receives a raw identifier.
    fn event(&self, bytes: &[u8], principal: Principal, known: &KnownState<'_>, now: Timestamp) -> Result<ValidatedEvent, Rejection> {
        let mut submission = submission::read(bytes)?;
        let id = submission.id;
        self.pseudonymize(&mut submission, principal, known)
            .and_then(|()| validation::validate(&mut submission, known, now))
            .map_err(|rejection| rejection.about(Some(id)))
    }

    /// Replaces raw identifiers by pseudonyms. Refuses unknown campaigns first, so that no key is created for them.
    fn pseudonymize(&self, submission: &mut Submission<'_>, principal: Principal, known: &KnownState<'_>) -> Result<(), Rejection> {
        let kind = submission.kind.kind;
        if principal.only.is_some_and(|only| kind != only) {
            return Err(Rejection::new(ProblemCode::RollOnly, Detail::TypeRoll).at("/type"));
        }
        validation::known_campaign(submission, known)?;
        if pseudonym::person_field(kind).is_none() {
            return Ok(());
        }
        let key = self.keys.get(&submission.campaign).map_err(|error| {
            tracing::error!(error = error_chain(&error), campaign = %submission.campaign, "the campaign has no usable key");
            Rejection::new(ProblemCode::KeyMissing, Detail::KeyMissing)
        })?;
        pseudonym::replace(kind, &mut submission.data, &key)
    }
}

/// The refusal (503) while the register does not hold the whole log.
pub fn rebuilding() -> Rejection {
    Rejection::new(ProblemCode::Starting, Detail::Starting)
}
