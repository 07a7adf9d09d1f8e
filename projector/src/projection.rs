//! Projection: maps a record and its decode result to rows. Pure: no clock, no randomness, no lookups.
//!
//! The same record always gives the same rows; exactly one of them is a row of the log copy. A change of the mapping must raise
//! [`PROJECTION_VERSION`], so that the server does not drop changed rows as duplicates.

use jiff::Timestamp;
use qamtu_log::Record;
use qamtu_schemas::{
    Data, Event,
    id::{EventId, Pseudonym},
};
use uuid::Uuid;

use crate::{
    decode_result::{DecodeResult, InvalidRecord},
    rows::{LogRow, Micros, Millis, Origin, RecordStatus, Row},
};

mod attendance;
mod consent;
mod meeting;
mod reference;
mod roll;

/// Version of the mapping; part of every deduplication token.
pub const PROJECTION_VERSION: u32 = 2;

/// Maps a record and its decode result to rows, the log copy row last.
pub fn project<'a>(record: &'a Record, decoded: &'a DecodeResult) -> Vec<Row<'a>> {
    match decoded {
        DecodeResult::Event { event, body } => {
            let mut rows = Vec::with_capacity(2);
            fact_rows(&DecodedRecord { record, event, body }, &mut rows);
            rows.push(Row::Log(accepted(record, event, body)));
            rows
        }
        DecodeResult::Rejected(invalid) => vec![Row::Log(rejected(record, invalid))],
    }
}

/// An event with its record and its stored body.
struct DecodedRecord<'a> {
    record: &'a Record,
    event: &'a Event,
    body: &'a str,
}

fn fact_rows<'a>(record: &DecodedRecord<'a>, rows: &mut Vec<Row<'a>>) {
    match &record.event.data {
        Data::AttendanceRecorded(data) => rows.push(attendance::recorded(record, data)),
        Data::AttendanceRetracted(data) => attendance::retracted(record, data, rows),
        Data::MeetingPlanned(_)
        | Data::MeetingRescheduled(_)
        | Data::MeetingCancelled(_)
        | Data::MeetingHeld(_)
        | Data::MeetingCorrected(_)
        | Data::HeadcountReported(_)
        | Data::HeadcountRecounted(_)
        | Data::QuestionRaised(_) => rows.extend(meeting::event(record)),
        Data::PrecinctEnrolled(data) => roll::enrolled(record, data, rows),
        Data::ConsentGiven(data) => rows.push(consent::given(record, data)),
        Data::ConsentWithdrawn(data) => rows.push(consent::withdrawn(record, data)),
        Data::CampaignConfigured(data) => rows.push(reference::event(record, data.campaign.as_str())),
        Data::UnitDefined(data) => rows.push(reference::event(record, data.unit.as_str())),
        Data::PrecinctCounted(data) => rows.push(reference::event(record, data.precinct.as_str())),
        Data::AccessReported(data) => rows.push(reference::event(record, data.precinct.as_str())),
        Data::CoalitionFormed(data) => rows.push(reference::event(record, data.coalition.as_str())),
        Data::MemberJoined(data) => rows.push(reference::event(record, data.member.as_str())),
        Data::VenueDescribed(data) => rows.push(reference::event(record, data.venue.as_str())),
        Data::SurveyReported(data) => rows.push(reference::event(record, data.survey.as_str())),
        Data::ImportAccepted(data) => rows.push(reference::import(record, data.import)),
        Data::ImportReversed(data) => rows.push(reference::import(record, data.import)),
    }
}

impl<'a> DecodedRecord<'a> {
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
        status: RecordStatus::Event,
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

fn rejected<'a>(record: &'a Record, invalid: &'a InvalidRecord) -> LogRow<'a> {
    LogRow {
        topic: &record.partition.topic,
        partition: record.partition.number,
        offset: record.offset,
        appended: Millis(record.appended_ms),
        status: RecordStatus::Rejected,
        reason: invalid.reason.label(),
        event_id: invalid.event_id.unwrap_or(EventId(Uuid::nil())),
        r#type: invalid.kind,
        campaign: invalid.campaign.as_ref().map_or("", |campaign| campaign.as_str()),
        received: Micros(Timestamp::from_millisecond(record.appended_ms).unwrap_or_default()),
        bodyhash: invalid.hash,
        body: &invalid.body,
        skipped: record.skipped,
    }
}

/// The big-endian halves of a pseudonym, as stored in two columns.
struct PseudonymHalves {
    high: u64,
    low: u64,
}

impl From<Pseudonym> for PseudonymHalves {
    fn from(person: Pseudonym) -> Self {
        let number = u128::from_be_bytes(person.0);
        Self { high: (number >> 64) as u64, low: number as u64 }
    }
}
