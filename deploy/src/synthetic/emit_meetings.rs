//! Emits the events of meetings according to their anomalies: plan, moves, report, headcount, questions. Sheets are in
//! [`super::emit_sheets`].
//!
//! After all events have arrived, those that are not superseded give the final facts of the meeting.

use jiff::{SignedDuration, Timestamp};
use qamtu_schemas::{
    event::{
        HeadcountRecounted, MeetingCancelled, MeetingCorrected, MeetingHeld, MeetingPlanned, MeetingRescheduled, QuestionRaised, Report,
    },
    id::EventId,
};

use super::{
    emit_sheets,
    emitter::{EventEmitter, EventMetadata, ExpectedOutcome, form, hours, text},
    headcounts::{counts, reported},
    meeting::{Anomaly, CorrectionPattern, Delay, Headcount, Meeting, MeetingDetails, MeetingOutcome},
    misspelling::{UNKNOWN_UNIT, misspelt},
};
use crate::submission::Payload;

/// Arrival of report and sheet of a meeting.
#[derive(Debug, Clone, Copy)]
struct Times {
    report: Timestamp,
    sheet: Timestamp,
}

/// Emits all meetings; `imports` lists the meetings whose sheets share a file, the last of which is reversed and sent again.
pub(super) fn emit(emitter: &mut EventEmitter<'_>, meetings: &[Meeting], imports: &[Vec<usize>]) {
    let times: Vec<Times> = meetings.iter().map(|meeting| times(emitter, meeting)).collect();
    for (index, meeting) in meetings.iter().enumerate() {
        let at = times[index];
        plan(emitter, meeting, at);
        match (meeting.outcome, meeting.anomaly) {
            (MeetingOutcome::Held, _) | (_, Anomaly::NotHeld) => report(emitter, meeting, at.report),
            (MeetingOutcome::Cancelled, _) => drop(cancel(emitter, meeting)),
            (MeetingOutcome::Unreported, _) => {}
        }
        match meeting.anomaly {
            Anomaly::StraySheet => emitter.count_anomaly("stray-sheet", 1),
            Anomaly::HeldEarly => emitter.count_anomaly("held-before-planned-day", 1),
            Anomaly::MovedToUnlawfulDay => emitter.count_anomaly("moved-to-unlawful-day", 1),
            Anomaly::DateOnly => emitter.count_anomaly("held-at-local-midnight", 1),
            Anomaly::OtherUnit { .. } => emitter.count_anomaly("held-in-another-unit", 1),
            Anomaly::RevealedLate { .. } => emitter.count_anomaly("names-before-audience-is-known", 1),
            Anomaly::RefusedNames => emit_sheets::refused_names(emitter, meeting, at.sheet),
            _ => {}
        }
        headcount(emitter, meeting, at.report);
        if meeting.outcome == MeetingOutcome::Held {
            questions(emitter, meeting, at.report);
        }
        if meeting.import.is_none() && meeting.anomaly != Anomaly::ReversedImport {
            emit_sheets::sheet(emitter, meeting, (&meeting.lines, at.sheet, None));
        }
    }
    let arrival = |import: &[usize]| import.iter().map(|index| times[*index].sheet).max();
    let sheets_of =
        |import: &[usize]| import.iter().map(|index| (&meetings[*index], meetings[*index].lines.as_slice())).collect::<Vec<_>>();
    let Some((reversed, good)) = imports.split_last() else { return };
    for (number, import) in good.iter().enumerate() {
        if let Some(at) = arrival(import) {
            emit_sheets::import_file(emitter, &sheets_of(import), (number + 1, at));
        }
    }
    if let Some(at) = arrival(reversed) {
        emit_sheets::reversed_import(emitter, &sheets_of(reversed), at);
    }
}

fn ends_at(details: &MeetingDetails) -> Timestamp {
    details.starts + SignedDuration::from_mins(90)
}

fn times(emitter: &mut EventEmitter<'_>, meeting: &Meeting) -> Times {
    // If only the day was entered, the start is midnight and the report arrives late in the evening.
    let only_the_day = matches!(meeting.anomaly, Anomaly::StaleTimeZoneAtMidnight | Anomaly::DateOnly);
    let ends = ends_at(&meeting.report) + hours(if only_the_day { 21 } else { 0 });
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
        emitter.count_anomaly("sheet-before-report", u64::from(meeting.anomaly == Anomaly::SheetFirst));
        sheet = report;
        report += minutes(emitter, 3 * 60, 10 * 60);
    }
    Times { report, sheet }
}

fn plan(emitter: &mut EventEmitter<'_>, meeting: &Meeting, at: Times) {
    let Some(plan) = &meeting.plan else { return };
    let world = emitter.world;
    // No plan arrives before the first morning.
    let earliest = world.clock.at(world.scenario.first_meeting, 8) + SignedDuration::from_secs(emitter.rng.between(0, 3 * 3_600));
    let usual = plan.starts - SignedDuration::from_mins(emitter.rng.between(2 * 24 * 60, 10 * 24 * 60));
    let mut received = usual.max(earliest);
    if meeting.anomaly == Anomaly::LatePlan {
        emitter.count_anomaly("plan-after-report", 1);
        received = at.report + hours(emitter.rng.between(4, 20));
    }
    let metadata = emitter.metadata("plan-form", received - SignedDuration::from_mins(20), received);
    let planned =
        |details: &MeetingDetails, supersedes| MeetingPlanned { meeting: meeting.id.clone(), supersedes, plan: details.payload(world) };
    let other = || {
        let unit = (plan.unit + 1) % world.campaign.units.len();
        MeetingDetails { unit, precinct: None, venue: None, starts: plan.starts - hours(2), ..plan.clone() }
    };
    let mut last = match meeting.anomaly {
        Anomaly::Replanned { early } => {
            emitter.count_anomaly("plan-replaced", 1);
            emitter.count_anomaly("plan-replaced-before-it-arrived", u64::from(early));
            let replaced = emitter.id(metadata.recorded);
            let replaced_metadata = if early { metadata.shifted_by(hours(5)) } else { metadata.clone() };
            emitter.send_as(replaced, replaced_metadata, (planned(&other(), Vec::new()).into(), ExpectedOutcome::Accepted));
            let metadata = if early { metadata.clone() } else { metadata.shifted_by(hours(5)) };
            emitter.send(metadata, planned(plan, vec![replaced]))
        }
        Anomaly::TwoPlans => {
            emitter.count_anomaly("two-plans", 1);
            // The plan in force has the later id and arrives first.
            let rival = emitter.id(metadata.recorded);
            emitter.send_as(rival, metadata.shifted_by(hours(2)), (planned(&other(), Vec::new()).into(), ExpectedOutcome::Accepted));
            emitter.send(metadata.shifted_by(SignedDuration::from_secs(60)), planned(plan, Vec::new()))
        }
        _ => emitter.send(metadata.clone(), planned(plan, Vec::new())),
    };
    for (step, starts) in meeting.moves.iter().enumerate() {
        emitter.count_anomaly("moved", 1);
        let moved = MeetingRescheduled { meeting: meeting.id.clone(), supersedes: vec![last], starts: *starts, reason: None };
        let late = emitter.rng.chance(0.1);
        // Some moves are reported only after the meeting.
        let reported_at =
            if late { ends_at(&meeting.report) + hours(3) } else { received + hours(6) + SignedDuration::from_mins(40 * step as i64) };
        last = emitter.send(emitter.metadata("plan-form", reported_at, reported_at + SignedDuration::from_mins(step as i64)), moved);
    }
}

fn cancel(emitter: &mut EventEmitter<'_>, meeting: &Meeting) -> EventId {
    let starts = meeting.planned_start().unwrap_or(meeting.report.starts);
    let reported_at = starts + hours(emitter.rng.between(-20, 20));
    let cancelled = MeetingCancelled { meeting: meeting.id.clone(), reason: Some(text("SYNTHETIC")) };
    let metadata = emitter.metadata("plan-form", reported_at, reported_at + SignedDuration::from_mins(5));
    emitter.send(metadata, cancelled)
}

/// Emits the report as its anomaly requires.
fn report(emitter: &mut EventEmitter<'_>, meeting: &Meeting, at: Timestamp) {
    let world = emitter.world;
    let right = meeting.report.payload(world);
    let held = |report: &Report| MeetingHeld { meeting: meeting.id.clone(), report: report.clone() };
    let corrected = |gone: EventId, report: Option<&Report>| MeetingCorrected {
        meeting: meeting.id.clone(),
        supersedes: vec![gone],
        report: report.cloned(),
        reason: None,
    };
    let metadata = emitter.metadata(&form(emitter, meeting), ends_at(&meeting.report).min(at), at);
    count_lateness(emitter, meeting, at);
    match meeting.anomaly {
        Anomaly::WrongDate(pattern) | Anomaly::WrongUnit(pattern) => {
            let [first, second] = wrong_reports(emitter, meeting);
            emitter.count_anomaly(if matches!(meeting.anomaly, Anomaly::WrongDate(_)) { "corrected-date" } else { "corrected-unit" }, 1);
            send_with_correction(emitter, (metadata, pattern), held(&first).into(), |gone, last| {
                corrected(gone, Some(if last { &right } else { &second })).into()
            });
        }
        Anomaly::NotHeld => {
            emitter.count_anomaly("report-withdrawn", 1);
            let wrong = emitter.send(metadata.clone(), held(&right));
            emitter.send(metadata.shifted_by(hours(30)), corrected(wrong, None));
        }
        Anomaly::CancelledYetHeld => {
            emitter.count_anomaly("cancelled-yet-held", 1);
            cancel(emitter, meeting);
            emitter.send(metadata, held(&right));
        }
        Anomaly::CancellationCorrected => {
            emitter.count_anomaly("cancellation-corrected", 1);
            let wrong = cancel(emitter, meeting);
            emitter.send(metadata, corrected(wrong, Some(&right)));
        }
        Anomaly::TwoReports => {
            emitter.count_anomaly("two-reports", 1);
            let mut other = right.clone();
            other.starts -= SignedDuration::from_mins(30);
            other.secondary.clear();
            other.members.truncate(1);
            emitter.send(metadata.clone(), held(&other));
            emitter.send(EventMetadata { source: "form/regional".into(), ..metadata.shifted_by(hours(2)) }, held(&right));
        }
        Anomaly::OtherUnit { contested: true } => {
            let planned = meeting.plan.as_ref().map_or(meeting.report.unit, |plan| plan.unit);
            let other = Report { unit: world.campaign.units[planned].code.clone(), ..right.clone() };
            emitter.send(metadata.clone(), held(&other));
            emitter.send(EventMetadata { source: "form/regional".into(), ..metadata.shifted_by(hours(2)) }, held(&right));
        }
        Anomaly::RevealedLate { contested: true } => {
            let revealing = world.campaign.categories.iter().find(|category| category.revealing).map(|category| category.code.clone());
            let other = Report { secondary: revealing.into_iter().collect(), ..right.clone() };
            emitter.send(metadata.clone(), held(&other));
            emitter.send(EventMetadata { source: "form/regional".into(), ..metadata.shifted_by(hours(2)) }, held(&right));
        }
        Anomaly::MisspeltUnit => {
            emitter.count_anomaly("unit-misspelt-in-report", 1);
            let misspelt = Report { unit: misspelt(emitter, meeting.report.unit), precinct: None, venue: None, ..right.clone() };
            emitter.send_refused(metadata.clone(), held(&misspelt), UNKNOWN_UNIT);
            emitter.send(metadata.shifted_by(SignedDuration::from_mins(25)), held(&right));
        }
        anomaly => {
            match anomaly {
                Anomaly::StaleTimeZone => emitter.count_anomaly("stale-time-zone", 1),
                Anomaly::StaleTimeZoneAtMidnight => {
                    emitter.count_anomaly("stale-time-zone", 1);
                    emitter.count_anomaly("stale-time-zone-at-midnight", 1);
                }
                Anomaly::Uncounted => emitter.count_anomaly("held-uncounted", 1),
                Anomaly::MoreReachedThanCounted => emitter.count_anomaly("more-reached-than-counted", 1),
                Anomaly::DatedOnSilenceDay => emitter.count_anomaly("dated-after-last-day", 1),
                Anomaly::CopiedSheet => emitter.count_anomaly("copied-sheet", 1),
                _ => {}
            }
            emitter.send(metadata, held(&right));
        }
    }
}

fn count_lateness(emitter: &mut EventEmitter<'_>, meeting: &Meeting, at: Timestamp) {
    let late = at.duration_since(ends_at(&meeting.report));
    let after_vote = emitter.world.clock.day(at) > emitter.world.campaign.calendar.vote;
    let found = [(late > hours(24), "report-late-day"), (late > hours(7 * 24), "report-late-week"), (after_vote, "report-after-vote")];
    found.into_iter().filter(|(found, _)| *found).for_each(|(_, what)| emitter.count_anomaly(what, 1));
}

/// Two wrong versions of a report, for its corrections.
fn wrong_reports(emitter: &mut EventEmitter<'_>, meeting: &Meeting) -> [Report; 2] {
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

/// Emits a wrong event and its corrections. `then(id, is_last)` returns the correction of event `id`; the last one is right.
fn send_with_correction(
    emitter: &mut EventEmitter<'_>,
    (metadata, pattern): (EventMetadata, CorrectionPattern),
    first: Payload,
    then: impl Fn(EventId, bool) -> Payload,
) {
    let original = emitter.id(metadata.recorded);
    match pattern {
        CorrectionPattern::Once => {
            emitter.send_as(original, metadata.clone(), (first, ExpectedOutcome::Accepted));
            let later = hours(emitter.rng.between(3, 60));
            emitter.send(metadata.shifted_by(later), then(original, true));
        }
        CorrectionPattern::Twice => {
            emitter.count_anomaly("correction-of-correction", 1);
            emitter.send_as(original, metadata.clone(), (first, ExpectedOutcome::Accepted));
            let second = emitter.send(metadata.shifted_by(hours(6)), then(original, false));
            emitter.send(metadata.shifted_by(hours(24)), then(second, true));
        }
        CorrectionPattern::Early => {
            emitter.count_anomaly("correction-before-original", 1);
            emitter.send(metadata.shifted_by(SignedDuration::from_mins(3)), then(original, true));
            let late = EventMetadata { received: metadata.received + hours(4), ..metadata };
            emitter.send_as(original, late, (first, ExpectedOutcome::Accepted));
        }
    }
}

/// Emits the headcount as the anomaly requires.
fn headcount(emitter: &mut EventEmitter<'_>, meeting: &Meeting, at: Timestamp) {
    let Some(headcount) = &meeting.headcount else { return };
    let reported_at = at + SignedDuration::from_mins(emitter.rng.between(-8, 30));
    let metadata = emitter.metadata(&form(emitter, meeting), meeting.report.starts.min(reported_at), reported_at);
    match meeting.anomaly {
        Anomaly::WrongHeadcount(pattern) => {
            emitter.count_anomaly("recounted", 1);
            let wrong = |factor: u32| Headcount {
                first: headcount.first * factor + 3,
                second: None,
                eligible_minimum: None,
                old_form: headcount.old_form,
            };
            send_with_correction(emitter, (metadata, pattern), reported(meeting, &wrong(10)), |gone, last| {
                let counted = if last { *headcount } else { wrong(2) };
                HeadcountRecounted {
                    meeting: meeting.id.clone(),
                    supersedes: vec![gone],
                    counts: counts(&counted),
                    eligible_minimum: counted.eligible_minimum,
                    reason: None,
                }
                .into()
            });
        }
        Anomaly::TwoHeadcounts => {
            emitter.count_anomaly("two-counts", 1);
            let other = Headcount { first: headcount.first + 7, second: None, eligible_minimum: None, old_form: false };
            emitter.send(metadata.clone(), reported(meeting, &other));
            emitter.send(EventMetadata { source: "observer".into(), ..metadata.shifted_by(hours(3)) }, reported(meeting, headcount));
        }
        _ => drop(emitter.send(metadata, reported(meeting, headcount))),
    }
}

/// Emits the numbers of questions by theme.
fn questions(emitter: &mut EventEmitter<'_>, meeting: &Meeting, at: Timestamp) {
    if emitter.world.scenario.themes.is_empty() || !emitter.rng.chance(0.2) {
        return;
    }
    for _ in 0..emitter.rng.between(1, 3) {
        let theme = emitter.rng.pick(&emitter.world.scenario.themes).clone();
        let count = emitter.rng.between(1, 9) as u32;
        let metadata = emitter.metadata(&form(emitter, meeting), ends_at(&meeting.report).min(at), at + SignedDuration::from_mins(1));
        emitter.send(metadata, QuestionRaised { meeting: meeting.id.clone(), theme, count });
    }
}
