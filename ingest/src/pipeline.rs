//! A chunk of submissions from bytes to the log: parse, pseudonymize, admit, claim the id, append, settle the claim.
//!
//! Guarantees: every outcome that [`store`] returns as accepted is durable in the log. Validation blocks the thread (CPU work, lookups
//! in the register's file), so it runs on the blocking pool. Other requests see nothing of a chunk before its append succeeded.

use std::{collections::HashMap, sync::Arc};

use jiff::Timestamp;
use qamtu_log::{Entry, LogWriter};
use qamtu_schemas::{Event, Kind, id::EventId};
use qamtu_service::telemetry::error_chain;
use tokio::sync::Semaphore;

use crate::{
    admit::{self, Admitted, KnownState},
    body::Chunk,
    config::Limits,
    conflicts::{Conflicts, OtherBody},
    metrics,
    pseudonym::{self, Keys},
    publish,
    register::{Claim, Claims, Register, campaign_data::CampaignData, identity::Identity, store::StoreError},
    rejection::{Detail, LISTED_MAX, Pointers, ProblemCode, Rejection, Warning},
    submission::{self, Submission},
};

/// What the steps of the pipeline use: log, register, keys and limits, shared by all requests.
pub struct Pipeline {
    /// Writer of the event log.
    pub writer: Arc<dyn LogWriter>,
    /// Ids, reference data and meetings that the log holds.
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
}

/// The result for one submission.
#[derive(Debug)]
pub enum Outcome {
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

/// Events of the running request that are not appended yet; only later submissions of the same request see them.
#[derive(Debug, Default)]
pub struct PendingState {
    ids: HashMap<EventId, Identity>,
    campaigns: CampaignData,
}

/// A chunk whose submissions are validated. Dropping it releases the ids that it claimed.
pub struct ValidatedChunk {
    /// Position (line number or index) and outcome of each submission; final only once [`store`] has succeeded.
    pub outcomes: Vec<(u64, Outcome)>,
    /// State for the next chunk of the same request.
    pub pending: Arc<PendingState>,
    entries: Vec<Entry>,
    other_bodies: Vec<OtherBody>,
    register_events: Vec<Event>,
    claims: Claims,
}

impl ValidatedChunk {
    fn has_duplicates(&self) -> bool {
        self.outcomes.iter().any(|(_, outcome)| matches!(outcome, Outcome::Duplicate { .. }))
    }

    /// Whether at least one submission is refused.
    pub fn has_refusals(&self) -> bool {
        self.outcomes.iter().any(|(_, outcome)| matches!(outcome, Outcome::Refused(_)))
    }
}

/// Validates the chunks of one request.
pub struct Validator<'a> {
    /// Pipeline with register, keys and limits.
    pub pipeline: &'a Pipeline,
    /// State from the chunk before this one.
    pub earlier: &'a PendingState,
    /// If set, events of any other type are refused.
    pub only: Option<Kind>,
    /// The server's clock, which stamps `receivedtime`.
    pub now: Timestamp,
}

impl Validator<'_> {
    /// Validates every submission of a chunk. An error is a failure of the service and concerns the whole request.
    pub fn validate(&self, chunk: &Chunk) -> Result<ValidatedChunk, Rejection> {
        admit::plausible_clock(self.now)?;
        let completion = self.pipeline.register.completion().ok_or_else(rebuilding)?;
        let validated = self.validate_items(chunk)?;
        // If the register was rebuilt meanwhile, it may have been incomplete when it was asked.
        if self.pipeline.register.completion() == Some(completion) { Ok(validated) } else { Err(rebuilding()) }
    }

    fn validate_items(&self, chunk: &Chunk) -> Result<ValidatedChunk, Rejection> {
        let mut pending = PendingState::default();
        let (mut entries, mut other_bodies, mut register_events) = (Vec::new(), Vec::new(), Vec::new());
        let mut claims = Claims::new(self.pipeline.register.clone());
        let mut outcomes = Vec::with_capacity(chunk.items.len());
        for item in &chunk.items {
            let result = self.admit(chunk.bytes_of(item), &pending).and_then(|admitted| {
                let claim = self.claim(&mut claims, &admitted.identity, &pending)?;
                let warnings = if claim == Claim::Fresh { self.warnings(&admitted, &pending)? } else { Vec::new() };
                Ok((admitted, claim, warnings))
            });
            let outcome = match result {
                Ok((admitted, Claim::Fresh, warnings)) => {
                    let (id, kind) = (admitted.identity.id, admitted.kind);
                    pending.ids.insert(id, admitted.identity);
                    if let Some(event) = admitted.register_event {
                        pending.campaigns.apply(&event);
                        register_events.push(event);
                    }
                    entries.push(publish::entry(admitted.encoded));
                    Outcome::Accepted { id, kind, warnings }
                }
                Ok((admitted, Claim::Duplicate, _)) => Outcome::Duplicate { id: admitted.identity.id },
                Ok((admitted, Claim::OtherPerson, _)) => {
                    let id = admitted.identity.id;
                    other_bodies.push(OtherBody::new(id, admitted.encoded, self.now));
                    Outcome::Duplicate { id }
                }
                Ok((admitted, Claim::Conflict, _)) => {
                    let rejection = self.pipeline.conflicts.reject(self.conflict_detail(&admitted, &pending));
                    Outcome::Refused(rejection.about(Some(admitted.identity.id)))
                }
                Err(rejection) if rejection.code.status().is_server_error() => return Err(rejection),
                Err(rejection) => Outcome::Refused(rejection),
            };
            outcomes.push((item.position, outcome));
        }
        Ok(ValidatedChunk { outcomes, pending: Arc::new(pending), entries, other_bodies, register_events, claims })
    }

    /// Parses, pseudonymizes and admits one submission. `bytes` is `None` for a line over the size limit, which was not buffered.
    fn admit(&self, bytes: Option<&[u8]>, pending: &PendingState) -> Result<Admitted, Rejection> {
        let largest = self.pipeline.limits.largest(self.only);
        let bytes = bytes.filter(|bytes| bytes.len() <= largest);
        let bytes = bytes.ok_or_else(|| Rejection::new(ProblemCode::EventTooLarge, Detail::EventMax { bytes: largest }))?;
        let mut submission = submission::read(bytes)?;
        let id = submission.id;
        let registered = self.pipeline.register.campaign_data();
        let layers = [&*registered, &self.earlier.campaigns, &pending.campaigns];
        let known = KnownState(&layers);
        self.pseudonymize(&mut submission, &known)
            .and_then(|()| admit::admit(&mut submission, &known, self.now))
            .map_err(|rejection| rejection.about(Some(id)))
    }

    /// Replaces raw identifiers by pseudonyms. Refuses unknown campaigns first, so that no key is created for them.
    fn pseudonymize(&self, submission: &mut Submission<'_>, known: &KnownState<'_>) -> Result<(), Rejection> {
        let kind = submission.kind.kind;
        if self.only.is_some_and(|only| kind != only) {
            return Err(Rejection::new(ProblemCode::RollOnly, Detail::TypeRoll).at("/type"));
        }
        admit::known_campaign(submission, known)?;
        if pseudonym::person_field(kind).is_none() {
            return Ok(());
        }
        let key = self.pipeline.keys.get(&submission.campaign).map_err(|error| {
            tracing::error!(error = error_chain(&error), campaign = %submission.campaign, "the campaign has no usable key");
            Rejection::new(ProblemCode::KeyMissing, Detail::KeyMissing)
        })?;
        pseudonym::replace(kind, &mut submission.data, &key)
    }

    /// How to correct an id that another body has: reference data is changed by raising its revision.
    fn conflict_detail(&self, admitted: &Admitted, pending: &PendingState) -> Detail {
        let registered = self.pipeline.register.campaign_data();
        let layers = [&*registered, &self.earlier.campaigns, &pending.campaigns];
        let revised = admitted.register_event.as_ref().and_then(|event| admit::revision(event, &KnownState(&layers)));
        revised.map_or(Detail::IdTaken, |(revision, pointers)| Detail::RaiseRevision { revision, pointers: Pointers(pointers) })
    }

    /// Claims the id of an admitted event: first against this request, then in the register. Two bodies of one request are compared with
    /// the person included, because their sender knows both.
    fn claim(&self, claims: &mut Claims, sent: &Identity, pending: &PendingState) -> Result<Claim, Rejection> {
        match self.pending_identity(sent.id, pending) {
            Some(known) if known.hash == sent.hash => Ok(Claim::Duplicate),
            Some(_) => Ok(Claim::Conflict),
            None => claims.claim(sent).map_err(|error| lookup_failed(&error)),
        }
    }

    /// The warnings about a new event, at most [`LISTED_MAX`]: unknown meeting, revision not raised, references without effect.
    fn warnings(&self, admitted: &Admitted, pending: &PendingState) -> Result<Vec<Warning>, Rejection> {
        let mut warnings: Vec<Warning> = admitted.warning.into_iter().collect();
        let registered = self.pipeline.register.campaign_data();
        let layers = [&*registered, &self.earlier.campaigns, &pending.campaigns];
        if admitted.register_event.as_ref().is_some_and(|event| admit::is_unraised(event, &KnownState(&layers))) {
            warnings.push(Warning::UnraisedRevision);
        }
        drop(registered);
        let Some(references) = &admitted.event_references else { return Ok(warnings) };
        for &id in references.ids() {
            let target = match self.pending_identity(id, pending) {
                // An event cannot replace itself.
                _ if id == admitted.identity.id => None,
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

    /// The identity of an event that an earlier submission of this request brought.
    fn pending_identity<'p>(&'p self, id: EventId, pending: &'p PendingState) -> Option<&'p Identity> {
        self.earlier.ids.get(&id).or_else(|| pending.ids.get(&id))
    }
}

fn lookup_failed(error: &StoreError) -> Rejection {
    tracing::error!(error = error_chain(error), "the lookup in the register failed");
    rebuilding()
}

/// The refusal (503) while the register does not hold the whole log.
pub fn rebuilding() -> Rejection {
    Rejection::new(ProblemCode::Starting, Detail::Starting)
}

/// Appends the accepted events of a chunk and waits until they are durable; then the register shows them to every request. The claimed
/// ids stay reserved until the append succeeds or fails, also after this call has timed out: a queued entry may still be written.
pub async fn store(pipeline: &Pipeline, validated: ValidatedChunk) -> Result<Vec<(u64, Outcome)>, Rejection> {
    let limits = &pipeline.limits;
    if validated.has_duplicates() {
        publish::verify(&*pipeline.writer).await?;
    }
    if tokio::time::timeout(limits.append, pipeline.register.wait_for_capacity(limits.unfolded_events)).await.is_err() {
        return Err(Rejection::new(ProblemCode::RegisterBehind, Detail::RegisterBehind));
    }
    let permit = tokio::time::timeout(limits.append, pipeline.append_permits.clone().acquire_owned()).await;
    let Ok(Ok(permit)) = permit else { return Err(publish::unacknowledged()) };
    let ValidatedChunk { outcomes, entries, other_bodies, register_events, claims, .. } = validated;
    pipeline.conflicts.append(&pipeline.writer, other_bodies);
    let settle = move |results: &publish::AppendResults| {
        claims.settle(results, &register_events);
        drop(permit);
    };
    publish::append(pipeline.writer.clone(), entries, limits.append, settle).await?;
    count(&outcomes);
    Ok(outcomes)
}

/// Adds the outcomes of a stored chunk to the metrics.
fn count(outcomes: &[(u64, Outcome)]) {
    let mut accepted: HashMap<Kind, u64> = HashMap::new();
    let mut duplicates = 0;
    for (_, outcome) in outcomes {
        match outcome {
            Outcome::Accepted { kind, warnings, .. } => {
                *accepted.entry(*kind).or_default() += 1;
                warnings.iter().copied().for_each(metrics::warning);
            }
            Outcome::Duplicate { .. } => duplicates += 1,
            Outcome::Refused(rejection) => metrics::refused(rejection.code),
        }
    }
    accepted.into_iter().for_each(|(kind, events)| metrics::events_accepted(kind, events));
    metrics::events_duplicate(duplicates);
}
