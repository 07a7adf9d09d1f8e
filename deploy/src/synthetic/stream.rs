//! The stream: everything that the field sends, each submission with the fate it must have, in order of simulated arrival.
//!
//! Guarantees: equal seeds give equal bytes; a submission's fate follows from how it was made, never from asking the services.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use qamtu_schemas::{
    Data,
    event::{ConsentGiven, ConsentWithdrawn},
    id::{BatchId, CampaignId, EventId, MeetingId, NoticeId},
};
use serde::Serialize;

use super::{
    World,
    dice::{Concern, Dice},
    meetings::{Meeting, Outcome},
    people::Who,
    reference, telling,
};
use crate::submission::{Payload, Submission};

/// What must become of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It stands in the log.
    Accepted,
    /// Delivered before: nothing more happens.
    Duplicate,
    /// Another body under the id of one that was accepted before.
    Conflict,
    /// Refused for this reason.
    Refused(&'static str),
}

/// A submission and its fate.
#[derive(Debug, Clone)]
pub struct Sent {
    /// What is sent.
    pub submission: Submission,
    /// What must become of it.
    pub fate: Fate,
}

/// Counts of a stream: what was sent, what must become of it, and which kinds of dirt it holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Submissions, the roll left out.
    pub sent: u64,
    /// Of them accepted for the first time.
    pub accepted: u64,
    /// Delivered again.
    pub duplicates: u64,
    /// Another body under a known id.
    pub conflicts: u64,
    /// Refused, by code; conflicts left out.
    pub refused: BTreeMap<&'static str, u64>,
    /// Accepted and warned about: nothing was known of the meeting.
    pub warnings: u64,
    /// Submissions of the roll.
    pub roll: u64,
    /// How often each kind of dirt occurs.
    pub dirt: BTreeMap<&'static str, u64>,
}

/// Exact repetitions among everything accepted.
const DUPLICATES: f64 = 0.03;
const CONFLICTS: usize = 8;
/// People who take their consent back; so many give it again, and forty withdrawals stand.
const WITHDRAWALS: usize = 40 + WITHDRAWALS_TAKEN_BACK;
const WITHDRAWALS_TAKEN_BACK: usize = 6;

/// When, by whom and with which import something is sent.
#[derive(Debug, Clone)]
pub(super) struct Note {
    pub source: Arc<str>,
    pub time: Timestamp,
    pub recorded: Timestamp,
    pub received: Timestamp,
    pub batch: Option<BatchId>,
}

impl Note {
    /// The same desk, later.
    pub fn later(&self, by: SignedDuration) -> Self {
        Self { recorded: self.recorded + by, received: self.received + by, ..self.clone() }
    }
}

/// Where everything is sent from.
pub(super) struct Desk<'a> {
    pub world: &'a World<'a>,
    pub dice: Dice,
    campaign: Arc<CampaignId>,
    sent: Vec<Sent>,
    dirt: BTreeMap<&'static str, u64>,
}

/// The whole stream and what the oracle must know of it.
pub(super) struct Told {
    pub sent: Vec<Sent>,
    pub counts: Counts,
    /// People whose withdrawal of consent stands.
    pub withdrawn: BTreeSet<Who>,
}

/// Tells everything.
pub(super) fn tell(world: &World<'_>, meetings: &[Meeting], imports: &[Vec<usize>], seed: u64) -> Told {
    let mut desk = Desk {
        world,
        dice: Dice::new(seed, Concern::Stream),
        campaign: Arc::new(world.campaign.id.clone()),
        sent: Vec::new(),
        dirt: BTreeMap::new(),
    };
    reference::tell(&mut desk);
    telling::tell(&mut desk, meetings, imports);
    let withdrawn = desk.consents(meetings);
    desk.repeat();
    desk.contradict();
    let mut sent = desk.sent;
    sent.sort_by_key(|sent| sent.submission.receivedtime);
    let counts = counts(&sent, desk.dirt, world.roll.precincts.len() + world.roll.moved_away.len());
    Told { sent, counts, withdrawn }
}

impl Desk<'_> {
    /// A note about something that happened at `time`, received at `received`, written down a little earlier.
    pub fn note(&self, source: &str, time: Timestamp, received: Timestamp) -> Note {
        let recorded = (received - SignedDuration::from_secs(90)).max(time.min(received));
        Note { source: source.into(), time, recorded, received, batch: None }
    }

    /// A new event id, or the number of an import.
    pub fn id(&mut self, at: Timestamp) -> EventId {
        EventId(self.dice.id(at))
    }

    /// Sends something that is accepted.
    pub fn send(&mut self, note: Note, data: impl Into<Payload>) -> EventId {
        let id = self.id(note.recorded);
        self.send_as(id, note, (data.into(), Fate::Accepted));
        id
    }

    /// Sends something that is refused.
    pub fn send_refused(&mut self, note: Note, data: impl Into<Payload>, code: &'static str) {
        let id = self.id(note.recorded);
        self.send_as(id, note, (data.into(), Fate::Refused(code)));
    }

    /// Sends something under an id. Nothing arrives before the campaign or after its end.
    pub fn send_as(&mut self, id: EventId, note: Note, (data, fate): (Payload, Fate)) {
        let received = note.received.clamp(self.world.clock.begins, self.world.clock.ends);
        let submission = Submission {
            id,
            source: note.source,
            time: note.time,
            recordedtime: Some(note.recorded.min(received)),
            receivedtime: Some(received),
            campaign: self.campaign.clone(),
            batch: note.batch,
            data,
        };
        self.sent.push(Sent { submission, fate });
    }

    /// Sends submissions that are ready.
    pub fn publish(&mut self, submissions: Vec<Submission>) {
        self.sent.extend(submissions.into_iter().map(|submission| Sent { submission, fate: Fate::Accepted }));
    }

    /// Counts some dirt.
    pub fn tally(&mut self, what: &'static str, number: u64) {
        *self.dirt.entry(what).or_default() += number;
    }

    /// Some people take their consent back, and a few of them give it again.
    fn consents(&mut self, meetings: &[Meeting]) -> BTreeSet<Who> {
        let people: Vec<Who> = meetings
            .iter()
            .filter(|meeting| meeting.outcome == Outcome::Held)
            .flat_map(|meeting| meeting.lines.iter().filter_map(|line| line.holds()))
            .collect();
        let mut chosen = BTreeSet::new();
        for _ in 0..WITHDRAWALS * 20 {
            if chosen.len() < WITHDRAWALS && !people.is_empty() {
                chosen.insert(*self.dice.pick(&people));
            }
        }
        let mut order: Vec<Who> = chosen.iter().copied().collect();
        self.dice.shuffle(&mut order);
        let open = self.world.clock.ends.duration_since(self.world.clock.begins).as_secs();
        for (index, who) in order.into_iter().enumerate() {
            let person = self.world.people.identifier(who, &self.world.roll);
            let at = self.world.clock.begins + SignedDuration::from_secs(self.dice.between(open / 5, open * 9 / 10));
            let note = self.note("privacy-desk", at, at);
            let withdrawal = self.send(note.clone(), Payload::ConsentWithdrawn(ConsentWithdrawn { person }));
            if index < WITHDRAWALS_TAKEN_BACK {
                let given = ConsentGiven { person, notice: notice(), supersedes: vec![withdrawal] };
                self.send(note.later(SignedDuration::from_hours(20)), Payload::ConsentGiven(given));
                chosen.remove(&who);
            }
        }
        self.tally("consent-withdrawn", chosen.len() as u64);
        self.tally("consent-given-again", WITHDRAWALS_TAKEN_BACK as u64);
        chosen
    }

    /// Some of what was accepted is delivered again: mostly by a retry, sometimes by a phone that was away for days.
    fn repeat(&mut self) {
        for index in 0..self.sent.len() {
            if self.sent[index].fate == Fate::Accepted && self.dice.chance(DUPLICATES) {
                let later = match self.dice.weighted([0.7, 0.25, 0.05].into_iter()) {
                    0 => self.dice.between(1, 60),
                    1 => self.dice.between(60, 12 * 3_600),
                    _ => self.dice.between(24 * 3_600, 72 * 3_600),
                };
                self.again(index, later, |_| Fate::Duplicate);
            }
        }
    }

    /// Some ids are used again for something else.
    fn contradict(&mut self) {
        let fits = |sent: &Sent| sent.fate == Fate::Accepted && matches!(sent.submission.data, Payload::Attendance(_));
        let candidates: Vec<usize> = (0..self.sent.len()).filter(|index| fits(&self.sent[*index])).collect();
        for _ in 0..CONFLICTS.min(candidates.len()) {
            let index = *self.dice.pick(&candidates);
            let later = self.dice.between(600, 6 * 3_600);
            self.again(index, later, |submission| {
                if let Payload::Attendance(line) = &mut submission.data {
                    line.adult = if line.adult.is_some() { None } else { Some(true) };
                }
                Fate::Conflict
            });
        }
    }

    fn again(&mut self, index: usize, later: i64, change: impl FnOnce(&mut Submission) -> Fate) {
        let mut submission = self.sent[index].submission.clone();
        let received = submission.receivedtime.map(|at| (at + SignedDuration::from_secs(later)).min(self.world.clock.ends));
        submission.receivedtime = received;
        let fate = change(&mut submission);
        self.sent.push(Sent { submission, fate });
    }
}

/// The consent notice of the campaign's sheets.
pub(super) fn notice() -> NoticeId {
    // INVARIANT: a constant code.
    "2026-02-a".parse().expect("a notice id")
}

/// The meeting that a payload is about.
fn meeting(payload: &Payload) -> Option<&MeetingId> {
    match payload {
        Payload::Plain(data) => data.meeting(),
        Payload::Attendance(line) => Some(&line.meeting),
        Payload::OldHeadcount(heads) => Some(&heads.meeting),
        _ => None,
    }
}

/// The events that a payload replaces or takes back.
fn supersedes(payload: &Payload) -> &[EventId] {
    match payload {
        Payload::Plain(data) => data.supersedes(),
        Payload::ConsentGiven(given) => &given.supersedes,
        _ => &[],
    }
}

/// Is a meeting known from this on?
fn announces(payload: &Payload) -> bool {
    let Payload::Plain(data) = payload else { return false };
    match &**data {
        Data::MeetingPlanned(_) | Data::MeetingHeld(_) => true,
        Data::MeetingCorrected(corrected) => corrected.report.is_some(),
        _ => false,
    }
}

fn counts(sent: &[Sent], dirt: BTreeMap<&'static str, u64>, roll: usize) -> Counts {
    let mut counts = Counts { sent: sent.len() as u64, dirt, roll: roll as u64, ..Counts::default() };
    let mut known: HashSet<&MeetingId> = HashSet::new();
    let mut ids: HashSet<EventId> = HashSet::new();
    for sent in sent {
        match sent.fate {
            Fate::Duplicate => counts.duplicates += 1,
            Fate::Conflict => counts.conflicts += 1,
            Fate::Refused(code) => *counts.refused.entry(code).or_default() += 1,
            Fate::Accepted => {
                counts.accepted += 1;
                let data = &sent.submission.data;
                let mut warned = supersedes(data).iter().any(|id| !ids.contains(id));
                ids.insert(sent.submission.id);
                if announces(data) {
                    known.extend(meeting(data));
                } else {
                    warned |= meeting(data).is_some_and(|meeting| !known.contains(meeting));
                }
                counts.warnings += u64::from(warned);
            }
        }
    }
    counts
}
