//! Project: Record and Fate -> Rows. Pure: no clock, no randomness, no other row.
//!
//! Guarantees: the same record gives the same rows, for ever; exactly one of them is a row of the log copy. A change of what a
//! record gives raises [`PROJECTION`], so that the server does not take new rows for a repetition of old ones.

use jiff::Timestamp;
use qamtu_log::Record;
use qamtu_schemas::{
    Data, Event,
    id::{EventId, Pseudonym},
};
use uuid::Uuid;

use crate::{
    fate::{Fate, Rejection},
    rows::{LogRow, Micros, Millis, Origin, Row, Status},
};

mod audience;
mod consent;
mod meeting;
mod reference;
mod roll;

/// Number of what this file and its children do; part of every deduplication token.
pub const PROJECTION: u32 = 2;

/// The rows of a record.
pub fn project<'a>(record: &'a Record, fate: &'a Fate) -> Vec<Row<'a>> {
    match fate {
        Fate::Event { event, body } => {
            let mut rows = Vec::with_capacity(2);
            facts(&Source { record, event, body }, &mut rows);
            rows.push(Row::Log(accepted(record, event, body)));
            rows
        }
        Fate::Rejected(rejection) => vec![Row::Log(rejected(record, rejection))],
    }
}

/// An event and where it stands.
struct Source<'a> {
    record: &'a Record,
    event: &'a Event,
    body: &'a str,
}

fn facts<'a>(source: &Source<'a>, rows: &mut Vec<Row<'a>>) {
    match &source.event.data {
        Data::AttendanceRecorded(data) => rows.push(audience::recorded(source, data)),
        Data::AttendanceRetracted(data) => audience::retracted(source, data, rows),
        Data::MeetingPlanned(_)
        | Data::MeetingRescheduled(_)
        | Data::MeetingCancelled(_)
        | Data::MeetingHeld(_)
        | Data::MeetingCorrected(_)
        | Data::HeadcountReported(_)
        | Data::HeadcountRecounted(_)
        | Data::QuestionRaised(_) => rows.extend(meeting::event(source)),
        Data::PrecinctEnrolled(data) => roll::enrolled(source, data, rows),
        Data::ConsentGiven(data) => rows.push(consent::given(source, data)),
        Data::ConsentWithdrawn(data) => rows.push(consent::withdrawn(source, data)),
        Data::CampaignConfigured(data) => rows.push(reference::event(source, data.campaign.as_str())),
        Data::UnitDefined(data) => rows.push(reference::event(source, data.unit.as_str())),
        Data::PrecinctCounted(data) => rows.push(reference::event(source, data.precinct.as_str())),
        Data::CoalitionFormed(data) => rows.push(reference::event(source, data.coalition.as_str())),
        Data::MemberJoined(data) => rows.push(reference::event(source, data.member.as_str())),
        Data::VenueDescribed(data) => rows.push(reference::event(source, data.venue.as_str())),
        Data::SurveyReported(data) => rows.push(reference::event(source, data.survey.as_str())),
        Data::ImportAccepted(data) => rows.push(reference::import(source, data.import)),
        Data::ImportReversed(data) => rows.push(reference::import(source, data.import)),
    }
}

impl<'a> Source<'a> {
    fn origin(&self) -> Origin<'a> {
        let envelope = &self.event.envelope;
        Origin {
            topic: &self.record.partition.topic,
            partition: self.record.partition.number,
            offset: self.record.offset,
            campaign: envelope.campaign.as_str(),
            event_id: envelope.id,
            r#type: envelope.kind,
            bodyhash: envelope.bodyhash,
            received: Micros(envelope.receivedtime),
            import: envelope.import,
        }
    }
}

fn accepted<'a>(record: &'a Record, event: &'a Event, body: &'a str) -> LogRow<'a> {
    let envelope = &event.envelope;
    LogRow {
        topic: &record.partition.topic,
        partition: record.partition.number,
        offset: record.offset,
        appended: Millis(record.appended_ms),
        status: Status::Event,
        reason: "",
        event_id: envelope.id,
        r#type: Some(envelope.kind),
        campaign: envelope.campaign.as_str(),
        received: Micros(envelope.receivedtime),
        bodyhash: envelope.bodyhash,
        body,
        skipped: record.skipped,
    }
}

fn rejected<'a>(record: &'a Record, rejection: &'a Rejection) -> LogRow<'a> {
    LogRow {
        topic: &record.partition.topic,
        partition: record.partition.number,
        offset: record.offset,
        appended: Millis(record.appended_ms),
        status: Status::Rejected,
        reason: rejection.reason.label(),
        event_id: rejection.event_id.unwrap_or(EventId(Uuid::nil())),
        r#type: rejection.kind,
        campaign: rejection.campaign.as_ref().map_or("", |campaign| campaign.as_str()),
        received: Micros(Timestamp::from_millisecond(record.appended_ms).unwrap_or_default()),
        bodyhash: rejection.hash,
        body: &rejection.body,
        skipped: record.skipped,
    }
}

/// The two halves of a pseudonym, as numbers.
fn halves(person: Pseudonym) -> (u64, u64) {
    let whole = u128::from_be_bytes(person.0);
    ((whole >> 64) as u64, whole as u64)
}
