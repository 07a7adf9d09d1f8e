//! Rows of attendances and of their retractions: `attendance`, `attendance_retractions`.

use qamtu_schemas::event::{AttendanceRecorded, AttendanceRetracted, Residence};

use super::{DecodedRecord, PseudonymHalves, meeting};
use crate::rows::{AttendanceRow, Micros, ResidenceKind, RetractionRow, Row};

/// Row of an attendance, in `attendance`.
pub(super) fn recorded<'a>(record: &DecodedRecord<'a>, data: &'a AttendanceRecorded) -> Row<'a> {
    let person = PseudonymHalves::from(data.attendee.id);
    let (residence_kind, residence) = match &data.residence {
        Residence::Unknown => (ResidenceKind::Unknown, ""),
        Residence::Outside => (ResidenceKind::Outside, ""),
        Residence::Unit(unit) => (ResidenceKind::Unit, unit.as_str()),
        Residence::Precinct(precinct) => (ResidenceKind::Precinct, precinct.as_str()),
    };
    let row = AttendanceRow {
        meeting_id: data.meeting.as_str(),
        occurred: Micros(record.event.envelope.time),
        person_hi: person.high,
        person_lo: person.low,
        strength: data.attendee.strength,
        residence_kind,
        residence,
        adult: data.adult.into(),
        sheet: data.sheet.as_ref().map_or("", |sheet| sheet.sheet.as_str()),
        line: data.sheet.as_ref().map_or(0, |sheet| sheet.line),
    };
    Row::Attendance(record.origin(), row)
}

/// Rows of a retraction: one for each retracted attendance, and one for the event in `meeting_events`.
pub(super) fn retracted<'a>(record: &DecodedRecord<'a>, data: &'a AttendanceRetracted, rows: &mut Vec<Row<'a>>) {
    let envelope = &record.event.envelope;
    rows.extend(data.retracts.iter().map(|retracted| {
        Row::Retractions(RetractionRow {
            campaign: envelope.campaign.as_str(),
            meeting_id: data.meeting.as_str(),
            retracted_id: *retracted,
            event_id: envelope.id,
            bodyhash: envelope.bodyhash,
        })
    }));
    rows.extend(meeting::event(record));
}
