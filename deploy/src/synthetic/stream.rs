//! The stream: everything that the field sends, each submission with the fate it must have, in order of simulated arrival.
//!
//! Guarantees: equal seeds give equal bytes; a submission's fate follows from how it was made, never from asking the services.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};

use jiff::SignedDuration;
use qamtu_schemas::{
    Data,
    event::{ConsentGiven, ConsentWithdrawn},
    id::{EventId, MeetingId},
};
use serde::Serialize;

use super::{
    World,
    dice::{Concern, Dice},
    emit_meetings,
    emitter::{EventEmitter, Fate, Sent, notice},
    meeting::{Anomaly, Meeting, Outcome},
    people::Who,
    reference,
};
use crate::submission::{Payload, Submission};

/// Counts of a stream: what was sent, what must become of it, and which kinds of anomalies it holds.
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
    /// How often each kind of anomalies occurs.
    pub anomalies: BTreeMap<&'static str, u64>,
}

/// Exact repetitions among everything accepted.
const DUPLICATES: f64 = 0.03;
const CONFLICTS: usize = 8;
/// People who take their consent back; so many give it again, and forty withdrawals stand.
const WITHDRAWALS: usize = 40 + WITHDRAWALS_TAKEN_BACK;
const WITHDRAWALS_TAKEN_BACK: usize = 6;

/// The whole stream and what the oracle must know of it.
pub(super) struct EventStream {
    pub sent: Vec<Sent>,
    pub counts: Counts,
    /// People whose withdrawal of consent stands.
    pub withdrawn: BTreeSet<Who>,
}

/// Tells everything.
pub(super) fn generate(world: &World<'_>, meetings: &[Meeting], imports: &[Vec<usize>], seed: u64) -> EventStream {
    let mut emitter = EventEmitter {
        world,
        dice: Dice::new(seed, Concern::Stream),
        campaign: Arc::new(world.campaign.id.clone()),
        sent: Vec::new(),
        anomalies: BTreeMap::new(),
        revealed_late: meetings
            .iter()
            .filter(|meeting| matches!(meeting.anomaly, Anomaly::RevealedLate { .. }))
            .map(|meeting| meeting.id.clone())
            .collect(),
    };
    emitter.count_anomaly("on-two-rolls", world.roll.listed_twice() as u64);
    reference::emit(&mut emitter);
    emit_meetings::emit(&mut emitter, meetings, imports);
    let withdrawn = emitter.consents(meetings);
    emitter.repeat();
    emitter.contradict();
    let mut sent = emitter.sent;
    sent.sort_by_key(|sent| sent.submission.receivedtime);
    let counts = counts(&sent, emitter.anomalies, world.roll.precincts.len() + world.roll.moved_away.len());
    EventStream { sent, counts, withdrawn }
}

impl EventEmitter<'_> {
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
        self.count_anomaly("consent-withdrawn", chosen.len() as u64);
        self.count_anomaly("consent-given-again", WITHDRAWALS_TAKEN_BACK as u64);
        chosen
    }

    /// Some of what was accepted is delivered again: mostly by a retry, sometimes by a phone that was away for days.
    fn repeat(&mut self) {
        for index in 0..self.sent.len() {
            if self.is_repeatable(&self.sent[index]) && self.dice.chance(DUPLICATES) {
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
        let fits = |sent: &Sent| self.is_repeatable(sent) && matches!(sent.submission.data, Payload::Attendance(_));
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

    fn is_repeatable(&self, sent: &Sent) -> bool {
        let names = |line: &MeetingId| self.revealed_late.contains(line);
        sent.fate == Fate::Accepted && !matches!(&sent.submission.data, Payload::Attendance(line) if names(&line.meeting))
    }

    fn again(&mut self, index: usize, later: i64, change: impl FnOnce(&mut Submission) -> Fate) {
        let mut submission = self.sent[index].submission.clone();
        let received = submission.receivedtime.map(|at| (at + SignedDuration::from_secs(later)).min(self.world.clock.ends));
        submission.receivedtime = received;
        let fate = change(&mut submission);
        self.sent.push(Sent { submission, fate });
    }
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

fn counts(sent: &[Sent], anomalies: BTreeMap<&'static str, u64>, roll: usize) -> Counts {
    let mut counts = Counts { sent: sent.len() as u64, anomalies, roll: roll as u64, ..Counts::default() };
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
