//! Collects the generated submissions: adds id, source, times and the expected outcome. No submission arrives before the campaign or
//! after the end of the stream.

use std::{collections::HashSet, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use qamtu_schemas::{
    id::{CampaignId, EventId, ImportId, MeetingId, NoticeId},
    text::Text,
};

use super::{World, meeting::GeneratedMeeting, rng::SeededRng};
use crate::submission::{Payload, Submission};

/// The outcome that ingest must give a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedOutcome {
    /// Appended to the log.
    Accepted,
    /// The same body was accepted before under this id.
    Duplicate,
    /// Another body was accepted before under this id.
    Conflict,
    /// Refused with this problem code.
    Refused(&'static str),
}

/// A submission and its expected outcome.
#[derive(Debug, Clone)]
pub struct GeneratedSubmission {
    /// The event as a client sends it.
    pub submission: Submission,
    /// The outcome that ingest must give it.
    pub expected: ExpectedOutcome,
}

/// Source, times and import of an event.
#[derive(Debug, Clone)]
pub(super) struct EventMetadata {
    pub source: Arc<str>,
    pub time: Timestamp,
    pub recorded: Timestamp,
    pub received: Timestamp,
    pub import: Option<ImportId>,
}

impl EventMetadata {
    /// The same with recording and arrival shifted by a span, which may be negative.
    pub fn shifted_by(&self, by: SignedDuration) -> Self {
        Self { recorded: self.recorded + by, received: self.received + by, ..self.clone() }
    }
}

/// Collects all submissions of a campaign in the order of emission.
pub(super) struct EventEmitter<'a> {
    pub world: &'a World<'a>,
    pub rng: SeededRng,
    pub campaign: Arc<CampaignId>,
    pub sent: Vec<GeneratedSubmission>,
    /// Meetings whose names ingest refuses once it knows their audience, so they are never sent again.
    pub revealed_late: HashSet<MeetingId>,
}

impl EventEmitter<'_> {
    /// Metadata of an event of `time` that arrives at `received` and was recorded up to 90 s before.
    pub fn metadata(&self, source: &str, time: Timestamp, received: Timestamp) -> EventMetadata {
        let recorded = (received - SignedDuration::from_secs(90)).max(time.min(received));
        EventMetadata { source: source.into(), time, recorded, received, import: None }
    }

    /// A new id for an event or an import.
    pub fn id(&mut self, at: Timestamp) -> EventId {
        EventId(self.rng.id(at))
    }

    /// Emits an event that ingest must accept; returns its id.
    pub fn send(&mut self, metadata: EventMetadata, data: impl Into<Payload>) -> EventId {
        let id = self.id(metadata.recorded);
        self.send_as(id, metadata, data.into(), ExpectedOutcome::Accepted);
        id
    }

    /// Emits an event that ingest must refuse with this code.
    pub fn send_refused(&mut self, metadata: EventMetadata, data: impl Into<Payload>, code: &'static str) {
        let id = self.id(metadata.recorded);
        self.send_as(id, metadata, data.into(), ExpectedOutcome::Refused(code));
    }

    /// Emits an event under a given id; its arrival is clamped to the simulated period.
    pub fn send_as(&mut self, id: EventId, metadata: EventMetadata, data: Payload, expected: ExpectedOutcome) {
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

    /// Adds complete submissions that ingest must accept.
    pub fn add_submissions(&mut self, submissions: Vec<Submission>) {
        self.sent.extend(submissions.into_iter().map(|submission| GeneratedSubmission { submission, expected: ExpectedOutcome::Accepted }));
    }
}

/// The consent notice of the campaign's sheets.
pub(super) fn notice() -> NoticeId {
    // INVARIANT: a constant code.
    "2026-02-a".parse().expect("a notice id")
}

/// A text from a constant or a generated name.
pub(super) fn text(text: &str) -> Text {
    // INVARIANT: the texts of the generator are short, printable and have no twelve digits.
    Text::new(text).expect("a text")
}

/// A span of whole hours.
pub(super) fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

/// The event source of the form of a meeting's unit.
pub(super) fn form(emitter: &EventEmitter<'_>, meeting: &GeneratedMeeting) -> String {
    format!("form/{}", emitter.world.campaign.units[meeting.report.unit].code)
}
