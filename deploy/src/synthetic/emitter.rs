//! Sends events of the invented campaign: each gets an id, a source and its times, and the outcome that ingest must give it.
//!
//! Guarantees: nothing arrives before the campaign or after its end. What is sent is decided by the callers.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use qamtu_schemas::{
    id::{CampaignId, EventId, ImportId, MeetingId, NoticeId},
    text::Text,
};

use super::{World, meeting::Meeting, rng::SeededRng};
use crate::submission::{Payload, Submission};

/// What must become of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedOutcome {
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
pub struct GeneratedSubmission {
    /// What is sent.
    pub submission: Submission,
    /// What must become of it.
    pub expected: ExpectedOutcome,
}

/// When, by whom and with which import something is sent.
#[derive(Debug, Clone)]
pub(super) struct EventMetadata {
    pub source: Arc<str>,
    pub time: Timestamp,
    pub recorded: Timestamp,
    pub received: Timestamp,
    pub import: Option<ImportId>,
}

impl EventMetadata {
    /// The same source, later.
    pub fn shifted_by(&self, by: SignedDuration) -> Self {
        Self { recorded: self.recorded + by, received: self.received + by, ..self.clone() }
    }
}

/// Where everything is sent from.
pub(super) struct EventEmitter<'a> {
    pub world: &'a World<'a>,
    pub rng: SeededRng,
    pub campaign: Arc<CampaignId>,
    pub sent: Vec<GeneratedSubmission>,
    pub anomalies: BTreeMap<&'static str, u64>,
    /// Meetings whose names are refused once their audience is known: nothing of them is delivered again.
    pub revealed_late: HashSet<MeetingId>,
}

impl EventEmitter<'_> {
    /// A note about something that happened at `time`, received at `received`, written down a little earlier.
    pub fn metadata(&self, source: &str, time: Timestamp, received: Timestamp) -> EventMetadata {
        let recorded = (received - SignedDuration::from_secs(90)).max(time.min(received));
        EventMetadata { source: source.into(), time, recorded, received, import: None }
    }

    /// A new event id, or the number of an import.
    pub fn id(&mut self, at: Timestamp) -> EventId {
        EventId(self.rng.id(at))
    }

    /// Sends something that is accepted.
    pub fn send(&mut self, metadata: EventMetadata, data: impl Into<Payload>) -> EventId {
        let id = self.id(metadata.recorded);
        self.send_as(id, metadata, (data.into(), ExpectedOutcome::Accepted));
        id
    }

    /// Sends something that is refused.
    pub fn send_refused(&mut self, metadata: EventMetadata, data: impl Into<Payload>, code: &'static str) {
        let id = self.id(metadata.recorded);
        self.send_as(id, metadata, (data.into(), ExpectedOutcome::Refused(code)));
    }

    /// Sends something under an id. Nothing arrives before the campaign or after its end.
    pub fn send_as(&mut self, id: EventId, metadata: EventMetadata, (data, expected): (Payload, ExpectedOutcome)) {
        let received = metadata.received.clamp(self.world.clock.begins, self.world.clock.ends);
        let submission = Submission {
            id,
            source: metadata.source,
            time: metadata.time,
            recordedtime: Some(metadata.recorded.min(received)),
            receivedtime: Some(received),
            campaign: self.campaign.clone(),
            import: metadata.import,
            data,
        };
        self.sent.push(GeneratedSubmission { submission, expected });
    }

    /// Sends submissions that are ready.
    pub fn publish(&mut self, submissions: Vec<Submission>) {
        self.sent.extend(submissions.into_iter().map(|submission| GeneratedSubmission { submission, expected: ExpectedOutcome::Accepted }));
    }

    /// Counts anomalies of one kind.
    pub fn count_anomaly(&mut self, what: &'static str, number: u64) {
        *self.anomalies.entry(what).or_default() += number;
    }
}

/// The consent notice of the campaign's sheets.
pub(super) fn notice() -> NoticeId {
    // INVARIANT: a constant code.
    "2026-02-a".parse().expect("a notice id")
}

/// A text of our own.
pub(super) fn text(text: &str) -> Text {
    // INVARIANT: texts made here are short, printable and hold no twelve digits.
    Text::new(text).expect("a text")
}

/// A span of whole hours.
pub(super) fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

/// The source of what the form of a meeting's unit sends.
pub(super) fn form(emitter: &EventEmitter<'_>, meeting: &Meeting) -> String {
    format!("form/{}", emitter.world.campaign.units[meeting.report.unit].code)
}
