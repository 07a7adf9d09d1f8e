//! The path of a chunk of submissions, on one screen: read, replace identifiers, admit, claim, append, settle.
//!
//! Guarantees: what [`store`] returns stands durably in the log. Judging blocks (it computes, and may ask the register's file) and
//! runs beside the async tasks; nothing of a chunk is shown to others before it stands in the log.

use std::{collections::HashMap, sync::Arc};

use jiff::Timestamp;
use qamtu_log::{Entry, LogWriter};
use qamtu_schemas::{
    Event, Kind,
    id::{BodyHash, EventId},
};
use tokio::sync::Semaphore;

use crate::{
    admit::{self, Admitted, Scope},
    body::Chunk,
    config::Limits,
    error::chain,
    metrics,
    pseudonym::{self, Keys},
    publish,
    register::{Claim, Claims, Register, known::Known},
    rejection::{Detail, Places, Reason, Rejection, Warning},
    submission::{self, Submission},
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
    /// Places for appends: those that nobody waits for any more keep theirs, so that a log that hangs does not gather entries here.
    appends: Arc<Semaphore>,
}

impl Path {
    /// A path with a place for one append of every request that may run.
    pub fn new(writer: Arc<dyn LogWriter>, register: Arc<Register>, keys: Arc<Keys>, limits: Limits) -> Self {
        let appends = Arc::new(Semaphore::new(limits.requests + limits.streams));
        Self { writer, register, keys, limits, appends }
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
        warning: Option<Warning>,
    },
    /// Sent before, with the same body.
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
    ids: HashMap<EventId, BodyHash>,
    known: Known,
}

/// A chunk after judgement. Dropping it gives its ids back.
pub struct Judged {
    /// One per submission, with its place; true once the chunk is stored.
    pub fates: Vec<(u64, Fate)>,
    /// What the next chunk of the same request may build on.
    pub layer: Arc<Layer>,
    entries: Vec<Entry>,
    learned: Vec<Event>,
    claims: Claims,
}

impl Judged {
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
        let mut layer = Layer::default();
        let (mut entries, mut learned, mut claims) = (Vec::new(), Vec::new(), Claims::new(self.path.register.clone()));
        let mut fates = Vec::with_capacity(chunk.parts.len());
        for part in &chunk.parts {
            let step = self.admit(chunk.bytes_of(part), &layer).and_then(|admitted| {
                let fate = self.claim(&mut claims, &admitted, &layer)?;
                Ok((admitted, fate))
            });
            let fate = match step {
                Ok((admitted, fate)) => {
                    if matches!(fate, Fate::Accepted { .. }) {
                        layer.ids.insert(admitted.id, admitted.hash);
                        layer.known.extend(&admitted.learned);
                        learned.extend(admitted.learned);
                        entries.push(publish::entry(admitted.encoded));
                    }
                    fate
                }
                Err(rejection) if rejection.reason.status().is_server_error() => return Err(rejection),
                Err(rejection) => Fate::Refused(rejection),
            };
            fates.push((part.place, fate));
        }
        Ok(Judged { fates, layer: Arc::new(layer), entries, learned, claims })
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
            .and_then(|()| admit::admit(&submission, &scope, self.now))
            .map_err(|rejection| rejection.about(Some(id)))
    }

    /// Makes pseudonyms of raw identifiers, with the key of a campaign that is known.
    fn replace(&self, submission: &mut Submission<'_>, scope: &Scope<'_>) -> Result<(), Rejection> {
        let kind = submission.kind.kind;
        if self.only.is_some_and(|only| kind != only) {
            return Err(Rejection::new(Reason::RollOnly, Detail::TypeRoll).at("/type"));
        }
        admit::known_campaign(submission, scope)?;
        if !pseudonym::names_people(kind) {
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

    /// Asks for the id of an admitted event: in this request first, then in the register.
    fn claim(&self, claims: &mut Claims, admitted: &Admitted, layer: &Layer) -> Result<Fate, Rejection> {
        let &Admitted { id, hash, kind, warning, .. } = admitted;
        let claim = match self.earlier.ids.get(&id).or_else(|| layer.ids.get(&id)) {
            Some(held) if *held == hash => Claim::Duplicate,
            Some(_) => Claim::Conflict,
            None => claims.claim(id, hash).map_err(|error| {
                tracing::error!(error = chain(&error), "the register cannot be asked");
                Rejection::new(Reason::Internal, Detail::RegisterSilent)
            })?,
        };
        match claim {
            Claim::Fresh => Ok(Fate::Accepted { id, kind, warning }),
            Claim::Duplicate => Ok(Fate::Duplicate { id }),
            Claim::Conflict => {
                let detail = self.conflict(admitted, layer);
                Err(Rejection::new(Reason::ConflictingId, detail).at("/id").about(Some(id)))
            }
        }
    }
}

/// Appends what was judged good and waits until it is durable; then it is known to everybody. Its ids stay claimed until the log has
/// spoken, also when the answer was given before: an entry that waits in the log's queue may still become the first of its id.
pub async fn store(path: &Path, judged: Judged) -> Result<Vec<(u64, Fate)>, Rejection> {
    let room = tokio::time::timeout(path.limits.append, path.register.room(path.limits.unfolded_events)).await;
    if room.is_err() {
        return Err(Rejection::new(Reason::RegisterBehind, Detail::RegisterBehind));
    }
    let place = tokio::time::timeout(path.limits.append, path.appends.clone().acquire_owned()).await;
    let Ok(Ok(place)) = place else { return Err(publish::unacknowledged()) };
    let Judged { fates, entries, learned, claims, .. } = judged;
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
    let (mut duplicates, mut warned) = (0, 0);
    for (_, fate) in fates {
        match fate {
            Fate::Accepted { kind, warning, .. } => {
                *accepted.entry(*kind).or_default() += 1;
                warned += u64::from(warning.is_some());
            }
            Fate::Duplicate { .. } => duplicates += 1,
            Fate::Refused(rejection) => metrics::refused(rejection.reason),
        }
    }
    accepted.into_iter().for_each(|(kind, events)| metrics::events_accepted(kind, events));
    metrics::events_duplicate(duplicates);
    metrics::warnings(Warning::UnknownMeeting, warned);
}
