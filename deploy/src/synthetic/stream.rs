//! The stream: all submissions except the roll, each with its expected outcome, in order of simulated arrival.
//!
//! Equal seeds give equal bytes. The expected outcome follows from how a submission was generated; the services are never asked.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use qamtu_schemas::{
    Data,
    event::{ConsentGiven, ConsentWithdrawn},
    id::{EventId, MeetingId},
};
use serde::Serialize;

use super::{
    World,
    anomalies::Imports,
    emit_meetings, emit_verification,
    emitter::{EventEmitter, ExpectedOutcome, GeneratedSubmission, notice},
    meeting::{Anomaly, GeneratedMeeting, MeetingOutcome},
    people::Attendee,
    reference,
    rng::{RngStream, SeededRng},
};
use crate::submission::{Payload, Submission};

/// Numbers of submissions by expected outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StreamCounts {
    /// Submissions without the roll.
    pub sent: u64,
    /// Submissions accepted for the first time.
    pub accepted: u64,
    /// Submissions with a known id and body.
    pub duplicates: u64,
    /// Submissions with a known id and another body.
    pub conflicts: u64,
    /// Refusals by problem code, without conflicts.
    pub refused: BTreeMap<&'static str, u64>,
    /// Accepted with a warning, since the meeting or a superseded event was unknown.
    pub warnings: u64,
    /// Submissions of the roll.
    pub roll: u64,
}

/// Share of accepted submissions that are sent again.
const DUPLICATES: f64 = 0.03;
const CONFLICTS: usize = 8;
/// People who withdraw consent; some give it again, so that forty withdrawals remain.
const WITHDRAWALS: usize = 40 + REVOKED_WITHDRAWALS;
const REVOKED_WITHDRAWALS: usize = 6;

/// The whole stream and what the oracle needs of it.
pub(super) struct EventStream {
    pub sent: Vec<GeneratedSubmission>,
    pub counts: StreamCounts,
    /// People whose withdrawal of consent is in force.
    pub withdrawn: BTreeSet<Attendee>,
    /// Arrival of the first accepted report of each meeting, right or wrong.
    pub first_reports: BTreeMap<MeetingId, Timestamp>,
}

/// Emits reference data, meetings and consents, adds duplicates, conflicts, recounts and surveys, and sorts by arrival.
pub(super) fn generate(world: &World<'_>, meetings: &[GeneratedMeeting], imports: &Imports, seed: u64) -> EventStream {
    let mut emitter = EventEmitter {
        world,
        rng: SeededRng::new(seed, RngStream::Stream),
        campaign: Arc::new(world.campaign.id.clone()),
        sent: Vec::new(),
        revealed_late: meetings
            .iter()
            .filter(|meeting| matches!(meeting.anomaly, Anomaly::RevealedLate { .. }))
            .map(|meeting| meeting.id.clone())
            .collect(),
    };
    reference::emit(&mut emitter);
    emit_meetings::emit(&mut emitter, meetings, imports);
    let withdrawn = emitter.withdraw_consents(meetings);
    emitter.add_duplicates();
    emitter.add_conflicts();
    emitter.rng = SeededRng::new(seed, RngStream::Verification);
    emit_verification::emit(&mut emitter, meetings);
    let mut sent = emitter.sent;
    sent.sort_by_key(|sent| sent.submission.receivedtime);
    let counts = counts(&sent, world.roll.precincts.len() + world.roll.moved_away.len());
    let first_reports = first_reports(&sent);
    EventStream { sent, counts, withdrawn, first_reports }
}

impl EventEmitter<'_> {
    /// Some people withdraw consent; a few of them give it again.
    fn withdraw_consents(&mut self, meetings: &[GeneratedMeeting]) -> BTreeSet<Attendee> {
        let people: Vec<Attendee> = meetings
            .iter()
            .filter(|meeting| meeting.outcome == MeetingOutcome::Held)
            .flat_map(|meeting| meeting.lines.iter().filter_map(|line| line.holds()))
            .collect();
        let mut chosen = BTreeSet::new();
        for _ in 0..WITHDRAWALS * 20 {
            if chosen.len() < WITHDRAWALS && !people.is_empty() {
                chosen.insert(*self.rng.pick(&people));
            }
        }
        let mut order: Vec<Attendee> = chosen.iter().copied().collect();
        self.rng.shuffle(&mut order);
        let open = self.world.clock.ends.duration_since(self.world.clock.begins).as_secs();
        for (index, attendee) in order.into_iter().enumerate() {
            let person = self.world.people.identifier(attendee, &self.world.roll);
            let at = self.world.clock.begins + SignedDuration::from_secs(self.rng.between(open / 5, open * 9 / 10));
            let metadata = self.metadata("privacy-desk", at, at);
            let withdrawal = self.send(metadata.clone(), Payload::ConsentWithdrawn(ConsentWithdrawn { person }));
            if index < REVOKED_WITHDRAWALS {
                let given = ConsentGiven { person, notice: notice(), supersedes: vec![withdrawal] };
                self.send(metadata.shifted_by(SignedDuration::from_hours(20)), Payload::ConsentGiven(given));
                chosen.remove(&attendee);
            }
        }
        chosen
    }

    /// Sends some accepted submissions again: mostly soon, as a retry, sometimes after days, as a phone that was offline.
    fn add_duplicates(&mut self) {
        for index in 0..self.sent.len() {
            if self.is_repeatable(&self.sent[index]) && self.rng.chance(DUPLICATES) {
                let later = match self.rng.weighted([0.7, 0.25, 0.05].into_iter()) {
                    0 => self.rng.between(1, 60),
                    1 => self.rng.between(60, 12 * 3_600),
                    _ => self.rng.between(24 * 3_600, 72 * 3_600),
                };
                self.resend(index, later, |_| ExpectedOutcome::Duplicate);
            }
        }
    }

    /// Sends some accepted ids again with another body.
    fn add_conflicts(&mut self) {
        let fits = |sent: &GeneratedSubmission| self.is_repeatable(sent) && matches!(sent.submission.data, Payload::Attendance(_));
        let candidates: Vec<usize> = (0..self.sent.len()).filter(|index| fits(&self.sent[*index])).collect();
        for _ in 0..CONFLICTS.min(candidates.len()) {
            let index = *self.rng.pick(&candidates);
            let later = self.rng.between(600, 6 * 3_600);
            self.resend(index, later, |submission| {
                if let Payload::Attendance(line) = &mut submission.data {
                    line.adult = if line.adult.is_some() { None } else { Some(true) };
                }
                ExpectedOutcome::Conflict
            });
        }
    }

    fn is_repeatable(&self, sent: &GeneratedSubmission) -> bool {
        let names = |line: &MeetingId| self.revealed_late.contains(line);
        sent.expected == ExpectedOutcome::Accepted && !matches!(&sent.submission.data, Payload::Attendance(line) if names(&line.meeting))
    }

    fn resend(&mut self, index: usize, later: i64, change: impl FnOnce(&mut Submission) -> ExpectedOutcome) {
        let mut submission = self.sent[index].submission.clone();
        let received = submission.receivedtime.map(|at| (at + SignedDuration::from_secs(later)).min(self.world.clock.ends));
        submission.receivedtime = received;
        let expected = change(&mut submission);
        self.sent.push(GeneratedSubmission { submission, expected });
    }
}

/// The meeting that a payload is about.
fn meeting(payload: &Payload) -> Option<&MeetingId> {
    match payload {
        Payload::Plain(data) => data.meeting(),
        Payload::Attendance(line) => Some(&line.meeting),
        Payload::OldHeadcount(headcount) => Some(&headcount.meeting),
        _ => None,
    }
}

/// The events that a payload replaces or withdraws.
fn supersedes(payload: &Payload) -> &[EventId] {
    match payload {
        Payload::Plain(data) => data.supersedes(),
        Payload::ConsentGiven(given) => &given.supersedes,
        _ => &[],
    }
}

/// Arrivals of the first accepted reports, by meeting. No report comes in an import, so none is reversed.
fn first_reports(sent: &[GeneratedSubmission]) -> BTreeMap<MeetingId, Timestamp> {
    let mut first: BTreeMap<MeetingId, Timestamp> = BTreeMap::new();
    for sent in sent.iter().filter(|sent| sent.expected == ExpectedOutcome::Accepted) {
        let Submission { data: Payload::Plain(data), receivedtime: Some(received), .. } = &sent.submission else { continue };
        let meeting = match &**data {
            Data::MeetingHeld(held) => &held.meeting,
            Data::MeetingCorrected(corrected) if corrected.report.is_some() => &corrected.meeting,
            _ => continue,
        };
        first.entry(meeting.clone()).and_modify(|earliest| *earliest = (*earliest).min(*received)).or_insert(*received);
    }
    first
}

/// Whether ingest knows the meeting after this event.
fn makes_meeting_known(payload: &Payload) -> bool {
    let Payload::Plain(data) = payload else { return false };
    match &**data {
        Data::MeetingPlanned(_) | Data::MeetingHeld(_) => true,
        Data::MeetingCorrected(corrected) => corrected.report.is_some(),
        _ => false,
    }
}

fn counts(sent: &[GeneratedSubmission], roll: usize) -> StreamCounts {
    let mut counts = StreamCounts { sent: sent.len() as u64, roll: roll as u64, ..StreamCounts::default() };
    let mut known: HashSet<&MeetingId> = HashSet::new();
    let mut ids: HashSet<EventId> = HashSet::new();
    for sent in sent {
        match sent.expected {
            ExpectedOutcome::Duplicate => counts.duplicates += 1,
            ExpectedOutcome::Conflict => counts.conflicts += 1,
            ExpectedOutcome::Refused(code) => *counts.refused.entry(code).or_default() += 1,
            ExpectedOutcome::Accepted => {
                counts.accepted += 1;
                let data = &sent.submission.data;
                let mut warned = supersedes(data).iter().any(|id| !ids.contains(id));
                ids.insert(sent.submission.id);
                if makes_meeting_known(data) {
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
