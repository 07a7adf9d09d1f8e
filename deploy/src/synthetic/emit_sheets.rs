//! Emits attendance sheets line by line, single or as files, with the anomalies of their lines.
//!
//! After all events have arrived, exactly the valid lines are neither refused nor retracted.

use jiff::{SignedDuration, Timestamp};
use qamtu_schemas::{
    event::{AttendanceRecorded, AttendanceRetracted, ImportAccepted, ImportReversed, Residence, SheetLine},
    id::{EventId, ImportId},
};

use super::{
    emit_headcounts::reported,
    emitter::{EventEmitter, EventMetadata, form, hours, notice, text},
    meeting::{Anomaly, GeneratedHeadcount, GeneratedLine, GeneratedMeeting, LineAnomaly, StatedResidence},
    misspelling::{UNKNOWN_UNIT, misspelt},
    people::Attendee,
};
use crate::submission::{Identifier, Payload};

const INVALID_IIN: &str = "invalid-iin";
const HEADCOUNTS_ONLY: &str = "headcounts-only";

fn residence(emitter: &EventEmitter<'_>, residence: StatedResidence) -> Residence {
    match residence {
        StatedResidence::Unknown => Residence::Unknown,
        StatedResidence::OutsideRegion => Residence::Outside,
        StatedResidence::Unit(unit) => Residence::Unit(emitter.world.campaign.units[unit].code.clone()),
        StatedResidence::Precinct(precinct) => Residence::Precinct(emitter.world.roll.precincts[precinct].id.clone()),
    }
}

/// The attendance sheet of a meeting.
#[derive(Clone, Copy)]
pub(super) struct Sheet<'a> {
    meeting: &'a GeneratedMeeting,
    lines: &'a [GeneratedLine],
}

impl<'a> Sheet<'a> {
    pub fn of(meeting: &'a GeneratedMeeting) -> Self {
        Self { meeting, lines: &meeting.lines }
    }
}

/// Emits the lines of a sheet and the retraction of wrong ones.
pub(super) fn sheet(emitter: &mut EventEmitter<'_>, Sheet { meeting, lines }: Sheet<'_>, at: Timestamp, import: Option<ImportId>) {
    let copies = if meeting.anomaly == Anomaly::Rekeyed { 2 } else { 1 };
    for copy in 1..=copies {
        let source = import.map_or_else(|| form(emitter, meeting), |import| format!("import/{import}"));
        let mut metadata = emitter.metadata(&source, meeting.report.starts.min(at), at + hours(26 * (copy - 1)));
        metadata.import = import;
        let mut mistaken = Vec::new();
        for (index, line) in lines.iter().enumerate() {
            let number = index as u32 + 1;
            // INVARIANT: a meeting's id, which is short, and a suffix are a valid code.
            let sheet = format!("{}-S{copy}", meeting.id).parse().expect("a sheet id");
            let metadata = metadata.shifted_by(SignedDuration::from_secs(2 * index as i64));
            let position = Some(SheetLine { sheet, line: number });
            if let Some(wrong) = sheet_line(emitter, meeting, *line, position, metadata) {
                mistaken.push(wrong);
            }
        }
        if !mistaken.is_empty() {
            let early = import.is_none() && emitter.rng.chance(0.1);
            let later = if early { -SignedDuration::from_mins(30) } else { hours(emitter.rng.between(4, 70)) };
            let retracted = AttendanceRetracted { meeting: meeting.id.clone(), retracts: mistaken, reason: None };
            emitter.send(metadata.shifted_by(later), retracted);
        }
    }
}

/// Emits a line; returns its id if it must be retracted.
fn sheet_line(
    emitter: &mut EventEmitter<'_>,
    meeting: &GeneratedMeeting,
    line: GeneratedLine,
    sheet: Option<SheetLine>,
    metadata: EventMetadata,
) -> Option<EventId> {
    let recorded = |attendee, residence| {
        Payload::Attendance(AttendanceRecorded {
            meeting: meeting.id.clone(),
            attendee,
            consent: notice(),
            residence,
            adult: line.adult,
            sheet: sheet.clone(),
        })
    };
    let stated = residence(emitter, line.residence);
    let person = emitter.world.people.identifier(line.attendee, &emitter.world.roll);
    let right = recorded(person, stated.clone());
    match line.anomaly {
        LineAnomaly::None => drop(emitter.send(metadata, right)),
        LineAnomaly::Retracted => return Some(emitter.send(metadata, right)),
        LineAnomaly::Mistyped { typed, corrected } => {
            emitter.send_refused(metadata.clone(), recorded(Identifier::Iin(typed), stated), INVALID_IIN);
            if corrected {
                let later = hours(emitter.rng.between(2, 40));
                emitter.send(metadata.shifted_by(later), right);
            }
        }
        LineAnomaly::MisspeltUnit => {
            let unit = misspelt(emitter, meeting.report.unit);
            emitter.send_refused(metadata.clone(), recorded(person, Residence::Unit(unit)), UNKNOWN_UNIT);
            let later = hours(emitter.rng.between(2, 20));
            emitter.send(metadata.shifted_by(later), right);
        }
    }
    None
}

/// Emits a file with the sheets of several meetings and the event that accepts the import.
pub(super) fn import_file(emitter: &mut EventEmitter<'_>, sheets: &[Sheet<'_>], number: usize, at: Timestamp) -> ImportId {
    let import = ImportId(emitter.id(at).0);
    let mut lines = 0;
    for each in sheets {
        sheet(emitter, *each, at, Some(import));
        lines += each.lines.len() as u32;
    }
    let accepted = ImportAccepted { import, events: lines, name: text(&format!("sheets-{number:02}.csv")) };
    let metadata = emitter.metadata("import", at, at + SignedDuration::from_mins(30));
    emitter.send(metadata, accepted);
    import
}

/// Emits an import whose sheets are shifted by one meeting and have wrong headcounts; it is reversed a day later and sent again.
pub(super) fn reversed_import(emitter: &mut EventEmitter<'_>, right: &[Sheet<'_>], at: Timestamp) {
    let sound =
        |lines: &[GeneratedLine]| lines.iter().copied().filter(|line| line.anomaly == LineAnomaly::None).collect::<Vec<GeneratedLine>>();
    let next: Vec<Vec<GeneratedLine>> = right.iter().cycle().skip(1).take(right.len()).map(|sheet| sound(sheet.lines)).collect();
    let shifted: Vec<Sheet<'_>> = right.iter().zip(&next).map(|(sheet, lines)| Sheet { lines, ..*sheet }).collect();
    let import = import_file(emitter, &shifted, 98, at);
    for Sheet { meeting, .. } in right {
        let metadata = emitter.metadata("import", at, at);
        emitter.send(EventMetadata { import: Some(import), ..metadata }, reported(meeting, &GeneratedHeadcount::by_one_counter(999)));
    }
    let metadata = emitter.metadata("import", at + hours(25), at + hours(26));
    emitter.send(metadata, ImportReversed { import, reason: Some(text("SYNTHETIC: sheets shifted")) });
    import_file(emitter, right, 99, at + hours(28));
}

/// Emits names of a meeting where only heads may be counted; ingest refuses them.
pub(super) fn refused_names(emitter: &mut EventEmitter<'_>, meeting: &GeneratedMeeting, at: Timestamp) {
    let among = emitter.world.roll.voters_of(meeting.report.unit);
    for _ in 0..4 {
        let attendee = Attendee::Strong(emitter.world.roll.draw_voter(&among, &mut emitter.rng));
        let attendee = emitter.world.people.identifier(attendee, &emitter.world.roll);
        let line = AttendanceRecorded {
            meeting: meeting.id.clone(),
            attendee,
            consent: notice(),
            residence: Residence::Unknown,
            adult: None,
            sheet: None,
        };
        let metadata = emitter.metadata(&form(emitter, meeting), meeting.report.starts.min(at), at);
        emitter.send_refused(metadata, Payload::Attendance(line), HEADCOUNTS_ONLY);
    }
}
