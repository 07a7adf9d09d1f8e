//! The path of a chunk of submissions, on one screen: read, replace identifiers, admit, claim, append, settle.
//!
//! Guarantees: what [`store`] returns stands durably in the log. Judging blocks (it computes, and may ask the register's file) and
//! runs beside the async tasks; nothing of a chunk is shown to others before it stands in the log.

use std::{collections::HashMap, sync::Arc};

use jiff::Timestamp;
use qamtu_log::{Entry, LogWriter};
use qamtu_schemas::{Event, Kind, id::EventId};
use tokio::sync::Semaphore;

use crate::{
    admit::{self, Admitted, Scope},
    answer::LISTED_MAX,
    body::Chunk,
    config::Limits,
    conflicts::{Conflicts, OtherBody},
    metrics,
    pseudonym::{self, Keys},
    publish,
    register::{Claim, Claims, Register, identity::Identity, known::Known, store::StoreError},
    rejection::{Detail, Places, Reason, Rejection, Warning},
    submission::{self, Submission},
    telemetry::chain,
};

/// What the path leads through.
pub struct Path {
    /// The log.
    pub writer: Arc<dyn LogWriter>,
    /// What is known.
    pub register: Arc<Register>,
    /// Keys of pseudonyms.
    pub keys: Arc<Keys>,
    /// What may be sent.
    pub limits: Limits,
    /// Ids that come again with another content.
    pub conflicts: Conflicts,
    /// Places for appends: those that nobody waits for any more keep theirs, so that a log that hangs does not gather entries here.
    appends: Arc<Semaphore>,
}

impl Path {
    /// A path with a place for one append of every request that may run.
    pub fn new(writer: Arc<dyn LogWriter>, register: Arc<Register>, keys: Arc<Keys>, limits: Limits) -> Self {
        let appends = Arc::new(Semaphore::new(limits.requests + limits.streams));
        let conflicts = Conflicts::new(limits.conflicts_per_minute);
        Self { writer, register, keys, limits, conflicts, appends }
    }
}

/// What became of one submission.
#[derive(Debug)]
pub enum Fate {
    /// New.
    Accepted {
        /// Its id.
        id: EventId,
        /// Its type.
        kind: Kind,
        /// What is worth saying.
        warnings: Vec<Warning>,
    },
    /// Sent before, with the same body; the person that it names is not compared.
    Duplicate {
        /// Its id.
        id: EventId,
    },
    /// Not taken.
    Refused(Rejection),
}

/// What a request has brought that is not in the log yet: seen by the rest of the same request alone.
#[derive(Debug, Default)]
pub struct Layer {
    ids: HashMap<EventId, Identity>,
    known: Known,
}

/// A chunk after judgement. Dropping it gives its ids back.
pub struct Judged {
    /// One per submission, with its place; true once the chunk is stored.
    pub fates: Vec<(u64, Fate)>,
    /// What the next chunk of the same request may build on.
    pub layer: Arc<Layer>,
    entries: Vec<Entry>,
    others: Vec<OtherBody>,
    learned: Vec<Event>,
    claims: Claims,
}

impl Judged {
    /// Was any submission sent before?
    fn has_duplicates(&self) -> bool {
        self.fates.iter().any(|(_, fate)| matches!(fate, Fate::Duplicate { .. }))
    }

    /// Was any submission refused?
    pub fn has_refusals(&self) -> bool {
        self.fates.iter().any(|(_, fate)| matches!(fate, Fate::Refused(_)))
    }
}

/// Judges chunks of one kind of request.
pub struct Judge<'a> {
    /// What it asks.
    pub path: &'a Path,
    /// What the request brought before this chunk.
    pub earlier: &'a Layer,
    /// The only type that is taken, if not all are.
    pub only: Option<Kind>,
    /// The server's clock.
    pub now: Timestamp,
}

impl Judge<'_> {
    /// Judges every submission of a chunk. An error is a fault of ours and is about the whole request.
    pub fn chunk(&self, chunk: &Chunk) -> Result<Judged, Rejection> {
        admit::plausible_clock(self.now)?;
        let complete = self.path.register.complete().ok_or_else(rebuilding)?;
        let judged = self.each(chunk)?;
        // A register that was rebuilt meanwhile may have known too little.
        if self.path.register.complete() == Some(complete) { Ok(judged) } else { Err(rebuilding()) }
    }

    fn each(&self, chunk: &Chunk) -> Result<Judged, Rejection> {
        let mut layer = Layer::default();
        let (mut entries, mut others, mut learned) = (Vec::new(), Vec::new(), Vec::new());
        let mut claims = Claims::new(self.path.register.clone());
        let mut fates = Vec::with_capacity(chunk.parts.len());
        for part in &chunk.parts {
            let step = self.admit(chunk.bytes_of(part), &layer).and_then(|admitted| {
                let claim = self.claim(&mut claims, &admitted.identity, &layer)?;
                let warnings = if claim == Claim::Fresh { self.warnings(&admitted, &layer)? } else { Vec::new() };
                Ok((admitted, claim, warnings))
            });
            let fate = match step {
                Ok((admitted, Claim::Fresh, warnings)) => {
                    let (id, kind) = (admitted.identity.id, admitted.kind);
                    layer.ids.insert(id, admitted.identity);
                    layer.known.extend(&admitted.learned);
                    learned.extend(admitted.learned);
                    entries.push(publish::entry(admitted.encoded));
                    Fate::Accepted { id, kind, warnings }
                }
                Ok((admitted, Claim::Duplicate, _)) => Fate::Duplicate { id: admitted.identity.id },
                Ok((admitted, Claim::OtherPerson, _)) => {
                    let id = admitted.identity.id;
                    others.push(OtherBody::new(id, admitted.encoded, self.now));
                    Fate::Duplicate { id }
                }
                Ok((admitted, Claim::Conflict, _)) => {
                    let rejection = self.path.conflicts.tell(self.conflict(&admitted, &layer));
                    Fate::Refused(rejection.about(Some(admitted.identity.id)))
                }
                Err(rejection) if rejection.reason.status().is_server_error() => return Err(rejection),
                Err(rejection) => Fate::Refused(rejection),
            };
            fates.push((part.place, fate));
        }
        Ok(Judged { fates, layer: Arc::new(layer), entries, others, learned, claims })
    }

    /// One submission: bytes, Submission, identifiers replaced, Event. No bytes: there were too many to be kept.
    fn admit(&self, bytes: Option<&[u8]>, layer: &Layer) -> Result<Admitted, Rejection> {
        let largest = self.path.limits.largest(self.only);
        let bytes = bytes.filter(|bytes| bytes.len() <= largest);
        let bytes = bytes.ok_or_else(|| Rejection::new(Reason::EventTooLarge, Detail::EventMax { bytes: largest }))?;
        let mut submission = submission::read(bytes)?;
        let id = submission.id;
        let known = self.path.register.known();
        let layers = [&*known, &self.earlier.known, &layer.known];
        let scope = Scope(&layers);
        self.replace(&mut submission, &scope)
            .and_then(|()| admit::admit(&mut submission, &scope, self.now))
            .map_err(|rejection| rejection.about(Some(id)))
    }

    /// Makes pseudonyms of raw identifiers, with the key of a campaign that is known.
    fn replace(&self, submission: &mut Submission<'_>, scope: &Scope<'_>) -> Result<(), Rejection> {
        let kind = submission.kind.kind;
        if self.only.is_some_and(|only| kind != only) {
            return Err(Rejection::new(Reason::RollOnly, Detail::TypeRoll).at("/type"));
        }
        admit::known_campaign(submission, scope)?;
        if pseudonym::person_field(kind).is_none() {
            return Ok(());
        }
        let key = self.path.keys.of(&submission.campaign).map_err(|error| {
            tracing::error!(error = chain(&error), campaign = %submission.campaign, "a campaign has no key");
            Rejection::new(Reason::KeyMissing, Detail::KeyMissing)
        })?;
        pseudonym::replace(kind, &mut submission.data, &key)
    }

    /// What to do about an id that stands for another content: reference data is changed by a higher revision.
    fn conflict(&self, admitted: &Admitted, layer: &Layer) -> Detail {
        let known = self.path.register.known();
        let layers = [&*known, &self.earlier.known, &layer.known];
        let revised = admitted.learned.as_ref().and_then(|event| admit::revision(event, &Scope(&layers)));
        revised.map_or(Detail::IdTaken, |(revision, places)| Detail::RaiseRevision { revision, places: Places(places) })
    }

    /// Asks for the id of an admitted event: in this request first, then in the register. Two bodies of one request are compared whole:
    /// whoever sends them knows both.
    fn claim(&self, claims: &mut Claims, sent: &Identity, layer: &Layer) -> Result<Claim, Rejection> {
        match self.brought(sent.id, layer) {
            Some(held) if held.hash == sent.hash => Ok(Claim::Duplicate),
            Some(_) => Ok(Claim::Conflict),
            None => claims.claim(sent).map_err(|error| cannot_ask(&error)),
        }
    }

    /// What is worth saying of a new event: also which of the events that it names it cannot replace.
    fn warnings(&self, admitted: &Admitted, layer: &Layer) -> Result<Vec<Warning>, Rejection> {
        let mut warnings: Vec<Warning> = admitted.warning.into_iter().collect();
        let known = self.path.register.known();
        let layers = [&*known, &self.earlier.known, &layer.known];
        if admitted.learned.as_ref().is_some_and(|event| admit::is_unraised(event, &Scope(&layers))) {
            warnings.push(Warning::UnraisedRevision);
        }
        drop(known);
        let Some(named) = &admitted.named else { return Ok(warnings) };
        for &id in named.ids() {
            let known = match self.brought(id, layer) {
                // An event cannot replace itself.
                _ if id == admitted.identity.id => None,
                Some(known) => Some(*known),
                None => self.path.register.find(id).map_err(|error| cannot_ask(&error))?,
            };
            warnings.extend(named.judge(id, known.as_ref()));
            if warnings.len() == LISTED_MAX {
                break;
            }
        }
        Ok(warnings)
    }

    /// An event that the same request has brought.
    fn brought<'l>(&'l self, id: EventId, layer: &'l Layer) -> Option<&'l Identity> {
        self.earlier.ids.get(&id).or_else(|| layer.ids.get(&id))
    }
}

fn cannot_ask(error: &StoreError) -> Rejection {
    tracing::error!(error = chain(error), "the register cannot be asked");
    rebuilding()
}

/// The refusal of events that nothing can be said about before the register holds the whole log.
pub fn rebuilding() -> Rejection {
    Rejection::new(Reason::Starting, Detail::Starting)
}

/// Appends what was judged good and waits until it is durable; then it is known to everybody. Its ids stay claimed until the log has
/// spoken, also when the answer was given before: an entry that waits in the log's queue may still become the first of its id.
pub async fn store(path: &Path, judged: Judged) -> Result<Vec<(u64, Fate)>, Rejection> {
    if judged.has_duplicates() {
        publish::verify(&*path.writer).await?;
    }
    let room = tokio::time::timeout(path.limits.append, path.register.room(path.limits.unfolded_events)).await;
    if room.is_err() {
        return Err(Rejection::new(Reason::RegisterBehind, Detail::RegisterBehind));
    }
    let place = tokio::time::timeout(path.limits.append, path.appends.clone().acquire_owned()).await;
    let Ok(Ok(place)) = place else { return Err(publish::unacknowledged()) };
    let Judged { fates, entries, others, learned, claims, .. } = judged;
    path.conflicts.keep(&path.writer, others);
    let settle = move |outcomes: &publish::Outcomes| {
        claims.settle(outcomes, &learned);
        drop(place);
    };
    publish::append(path.writer.clone(), entries, path.limits.append, settle).await?;
    count(&fates);
    Ok(fates)
}

/// Counts what became of a chunk, each metric once.
fn count(fates: &[(u64, Fate)]) {
    let mut accepted: HashMap<Kind, u64> = HashMap::new();
    let mut duplicates = 0;
    for (_, fate) in fates {
        match fate {
            Fate::Accepted { kind, warnings, .. } => {
                *accepted.entry(*kind).or_default() += 1;
                warnings.iter().copied().for_each(metrics::warning);
            }
            Fate::Duplicate { .. } => duplicates += 1,
            Fate::Refused(rejection) => metrics::refused(rejection.reason),
        }
    }
    accepted.into_iter().for_each(|(kind, events)| metrics::events_accepted(kind, events));
    metrics::events_duplicate(duplicates);
}
