//! Emits the report of a meeting, with the wrong, contradicting or refused events that its anomaly requires.

use jiff::{SignedDuration, Timestamp};
use qamtu_schemas::{
    event::{MeetingCorrected, MeetingHeld, Report},
    id::EventId,
};

use super::{
    corrections::send_with_correction,
    emit_plans::cancel,
    emitter::{EventEmitter, EventMetadata, form, hours},
    meeting::{Anomaly, GeneratedMeeting},
    misspelling::{UNKNOWN_UNIT, misspelt},
};

/// Emits the report as its anomaly requires.
pub(super) fn report(emitter: &mut EventEmitter<'_>, meeting: &GeneratedMeeting, at: Timestamp) {
    let right = meeting.report.payload(emitter.world);
    let held = |report: &Report| MeetingHeld { meeting: meeting.id.clone(), report: report.clone() };
    let corrected = |gone: EventId, report: Option<&Report>| MeetingCorrected {
        meeting: meeting.id.clone(),
        supersedes: vec![gone],
        report: report.cloned(),
        reason: None,
    };
    let metadata = emitter.metadata(&form(emitter, meeting), meeting.report.ends().min(at), at);
    if let Some(rival) = rival_report(emitter, meeting, &right) {
        emitter.send(metadata.clone(), held(&rival));
        emitter.send(EventMetadata { source: "form/regional".into(), ..metadata.shifted_by(hours(2)) }, held(&right));
        return;
    }
    match meeting.anomaly {
        Anomaly::WrongDate(pattern) | Anomaly::WrongUnit(pattern) => {
            let [first, second] = wrong_reports(emitter, meeting);
            send_with_correction(emitter, metadata, pattern, held(&first).into(), |gone, last| {
                corrected(gone, Some(if last { &right } else { &second })).into()
            });
        }
        Anomaly::NotHeld => {
            let wrong = emitter.send(metadata.clone(), held(&right));
            emitter.send(metadata.shifted_by(hours(30)), corrected(wrong, None));
        }
        Anomaly::CancelledYetHeld => {
            cancel(emitter, meeting);
            emitter.send(metadata, held(&right));
        }
        Anomaly::CancellationCorrected => {
            let wrong = cancel(emitter, meeting);
            emitter.send(metadata, corrected(wrong, Some(&right)));
        }
        Anomaly::MisspeltUnit => {
            let misspelt = Report { unit: misspelt(emitter, meeting.report.unit), precinct: None, venue: None, ..right.clone() };
            emitter.send_refused(metadata.clone(), held(&misspelt), UNKNOWN_UNIT);
            emitter.send(metadata.shifted_by(SignedDuration::from_mins(25)), held(&right));
        }
        _ => drop(emitter.send(metadata, held(&right))),
    }
}

/// The report of another source that contradicts the right one and is in force too.
fn rival_report(emitter: &EventEmitter<'_>, meeting: &GeneratedMeeting, right: &Report) -> Option<Report> {
    let campaign = emitter.world.campaign;
    match meeting.anomaly {
        Anomaly::TwoReports => {
            let members = right.members.iter().take(1).cloned().collect();
            Some(Report { starts: right.starts - SignedDuration::from_mins(30), secondary: Vec::new(), members, ..right.clone() })
        }
        Anomaly::OtherUnit { contested: true } => {
            let planned = meeting.plan.as_ref().map_or(meeting.report.unit, |plan| plan.unit);
            Some(Report { unit: campaign.units[planned].code.clone(), ..right.clone() })
        }
        Anomaly::RevealedLate { contested: true } => {
            let revealing = campaign.categories.iter().find(|category| category.revealing).map(|category| category.code.clone());
            Some(Report { secondary: revealing.into_iter().collect(), ..right.clone() })
        }
        _ => None,
    }
}

/// Two wrong versions of a report, for its corrections.
fn wrong_reports(emitter: &mut EventEmitter<'_>, meeting: &GeneratedMeeting) -> [Report; 2] {
    let world = emitter.world;
    [1, 2].map(|step| {
        let mut wrong = meeting.report.clone();
        if matches!(meeting.anomaly, Anomaly::WrongDate(_)) {
            // At most one day ahead: ingest refuses reports that lie further in the future.
            let is_ahead = emitter.rng.chance(0.5) && step == 1;
            wrong.starts += hours(24 * if is_ahead { step } else { -step });
        } else {
            wrong.unit = (wrong.unit + step as usize) % world.campaign.units.len();
            wrong.precinct = None;
            wrong.venue = None;
        }
        wrong.payload(world)
    })
}
