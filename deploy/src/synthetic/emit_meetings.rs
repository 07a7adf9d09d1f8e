//! Emits the events of meetings according to their anomalies, and decides when report and sheet arrive.
//!
//! After all events have arrived, those that are not superseded give the final facts of the meeting.

use jiff::{SignedDuration, Timestamp};
use qamtu_schemas::event::QuestionRaised;

use super::{
    anomalies::Imports,
    emit_headcounts, emit_plans, emit_reports,
    emit_sheets::{self, Sheet},
    emitter::{EventEmitter, form, hours},
    meeting::{Anomaly, Delay, GeneratedMeeting, MeetingOutcome},
};

/// Arrival of report and sheet of a meeting.
#[derive(Debug, Clone, Copy)]
struct Times {
    report: Timestamp,
    sheet: Timestamp,
}

/// Emits all meetings, then the import files.
pub(super) fn emit(emitter: &mut EventEmitter<'_>, meetings: &[GeneratedMeeting], imports: &Imports) {
    let times: Vec<Times> = meetings.iter().map(|meeting| times(emitter, meeting)).collect();
    for (index, meeting) in meetings.iter().enumerate() {
        let at = times[index];
        emit_plans::plan(emitter, meeting, at.report);
        match (meeting.outcome, meeting.anomaly) {
            (MeetingOutcome::Held, _) | (_, Anomaly::NotHeld) => emit_reports::report(emitter, meeting, at.report),
            (MeetingOutcome::Cancelled, _) => drop(emit_plans::cancel(emitter, meeting)),
            (MeetingOutcome::Unreported, _) => {}
        }
        if meeting.anomaly == Anomaly::RefusedNames {
            emit_sheets::refused_names(emitter, meeting, at.sheet);
        }
        emit_headcounts::headcount(emitter, meeting, at.report);
        if meeting.outcome == MeetingOutcome::Held {
            questions(emitter, meeting, at.report);
        }
        if !meeting.is_imported && meeting.anomaly != Anomaly::ReversedImport {
            emit_sheets::sheet(emitter, Sheet::of(meeting), at.sheet, None);
        }
    }
    let arrival = |import: &[usize]| import.iter().map(|index| times[*index].sheet).max();
    let sheets_of = |import: &[usize]| import.iter().map(|index| Sheet::of(&meetings[*index])).collect::<Vec<_>>();
    for (number, import) in imports.accepted.iter().enumerate() {
        if let Some(at) = arrival(import) {
            emit_sheets::import_file(emitter, &sheets_of(import), number + 1, at);
        }
    }
    if let Some(at) = arrival(&imports.reversed) {
        emit_sheets::reversed_import(emitter, &sheets_of(&imports.reversed), at);
    }
}

fn times(emitter: &mut EventEmitter<'_>, meeting: &GeneratedMeeting) -> Times {
    // If only the day was entered, the start is midnight and the report arrives late in the evening.
    let only_the_day = matches!(meeting.anomaly, Anomaly::StaleTimeZoneAtMidnight | Anomaly::DateOnly);
    let ends = meeting.report.ends() + hours(if only_the_day { 21 } else { 0 });
    let vote = emitter.world.clock.at(emitter.world.campaign.calendar.vote, 7);
    let minutes = |emitter: &mut EventEmitter<'_>, low: i64, high: i64| SignedDuration::from_mins(emitter.rng.between(low, high));
    let mut report = match meeting.delay {
        Delay::Day => ends + SignedDuration::from_mins(10 + (emitter.rng.uniform() * emitter.rng.uniform() * 1_200.0) as i64),
        Delay::Week => {
            let most = vote.duration_since(ends).as_mins().min(165 * 60);
            ends + minutes(emitter, 25 * 60, most)
        }
        Delay::Weeks => {
            let most = vote.duration_since(ends).as_mins().min(312 * 60);
            ends + minutes(emitter, 172 * 60, most)
        }
        Delay::AfterVote => vote + hours(24) + minutes(emitter, 0, 60 * 60),
    };
    let mut sheet = report + minutes(emitter, 2, 90);
    if matches!(meeting.anomaly, Anomaly::SheetFirst | Anomaly::RevealedLate { .. }) {
        sheet = report;
        report += minutes(emitter, 3 * 60, 10 * 60);
    }
    Times { report, sheet }
}

/// Emits the numbers of questions by theme.
fn questions(emitter: &mut EventEmitter<'_>, meeting: &GeneratedMeeting, at: Timestamp) {
    if emitter.world.scenario.themes.is_empty() || !emitter.rng.chance(0.2) {
        return;
    }
    for _ in 0..emitter.rng.between(1, 3) {
        let theme = emitter.rng.pick(&emitter.world.scenario.themes).clone();
        let count = emitter.rng.between(1, 9) as u32;
        let metadata = emitter.metadata(&form(emitter, meeting), meeting.report.ends().min(at), at + SignedDuration::from_mins(1));
        emitter.send(metadata, QuestionRaised { meeting: meeting.id.clone(), theme, count });
    }
}
