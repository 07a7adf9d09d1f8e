//! How the field tells of a meeting: plan, moves, report, heads, questions, with the quirks that were decided; sheets are in
//! [`super::sheets`].
//!
//! Guarantees: when everything has arrived, what stands is the meeting's truth.

use jiff::{SignedDuration, Timestamp};
use qamtu_schemas::{
    event::{
        HeadcountRecounted, MeetingCancelled, MeetingCorrected, MeetingHeld, MeetingPlanned, MeetingRescheduled, QuestionRaised, Report,
    },
    id::EventId,
};

use super::{
    emitter::{Desk, Fate, Note, form, hours, text},
    headcounts::{counts, reported},
    meeting::{Brief, Delay, Heads, Meeting, Mending, Outcome, Quirk},
    misspelling::{UNKNOWN_UNIT, misspelt},
    sheets,
};
use crate::submission::Payload;

/// When report and sheet of a meeting arrive.
#[derive(Debug, Clone, Copy)]
struct Times {
    report: Timestamp,
    sheet: Timestamp,
}

/// Tells of every meeting; `imports` are the meetings whose sheets come in one file, the last one taken back and sent again.
pub(super) fn tell(desk: &mut Desk<'_>, meetings: &[Meeting], imports: &[Vec<usize>]) {
    let times: Vec<Times> = meetings.iter().map(|meeting| times(desk, meeting)).collect();
    for (index, meeting) in meetings.iter().enumerate() {
        let at = times[index];
        plan(desk, meeting, at);
        match (meeting.outcome, meeting.quirk) {
            (Outcome::Held, _) | (_, Quirk::NotHeld) => report(desk, meeting, at.report),
            (Outcome::Cancelled, _) => drop(cancel(desk, meeting)),
            (Outcome::Unreported, _) => {}
        }
        match meeting.quirk {
            Quirk::Stray => desk.tally("stray-sheet", 1),
            Quirk::HeldEarly => desk.tally("held-before-planned-day", 1),
            Quirk::MovedTooLate => desk.tally("moved-to-unlawful-day", 1),
            Quirk::DateOnly => desk.tally("held-at-local-midnight", 1),
            Quirk::OtherUnit { .. } => desk.tally("held-in-another-unit", 1),
            Quirk::RevealedLate { .. } => desk.tally("names-before-audience-is-known", 1),
            Quirk::Named => sheets::named(desk, meeting, at.sheet),
            _ => {}
        }
        heads(desk, meeting, at.report);
        if meeting.outcome == Outcome::Held {
            questions(desk, meeting, at.report);
        }
        if meeting.import.is_none() && meeting.quirk != Quirk::ReversedImport {
            sheets::sheet(desk, meeting, (&meeting.lines, at.sheet, None));
        }
    }
    let arrival = |import: &[usize]| import.iter().map(|index| times[*index].sheet).max();
    let sheets_of =
        |import: &[usize]| import.iter().map(|index| (&meetings[*index], meetings[*index].lines.as_slice())).collect::<Vec<_>>();
    let Some((reversed, good)) = imports.split_last() else { return };
    for (number, import) in good.iter().enumerate() {
        if let Some(at) = arrival(import) {
            sheets::file(desk, &sheets_of(import), (number + 1, at));
        }
    }
    if let Some(at) = arrival(reversed) {
        sheets::reverse(desk, &sheets_of(reversed), at);
    }
}

fn ends(brief: &Brief) -> Timestamp {
    brief.starts + SignedDuration::from_mins(90)
}

fn times(desk: &mut Desk<'_>, meeting: &Meeting) -> Times {
    // Whoever entered only the day did so when the meeting was over: late in the evening.
    let only_the_day = matches!(meeting.quirk, Quirk::StaleMidnight | Quirk::DateOnly);
    let ends = ends(&meeting.report) + hours(if only_the_day { 21 } else { 0 });
    let vote = desk.world.clock.at(desk.world.campaign.calendar.vote, 7);
    let minutes = |desk: &mut Desk<'_>, low: i64, high: i64| SignedDuration::from_mins(desk.dice.between(low, high));
    let mut report = match meeting.delay {
        Delay::Day => ends + SignedDuration::from_mins(10 + (desk.dice.unit() * desk.dice.unit() * 1_200.0) as i64),
        Delay::Week => {
            let most = vote.duration_since(ends).as_mins().min(165 * 60);
            ends + minutes(desk, 25 * 60, most)
        }
        Delay::Weeks => {
            let most = vote.duration_since(ends).as_mins().min(312 * 60);
            ends + minutes(desk, 172 * 60, most)
        }
        Delay::AfterVote => vote + hours(24) + minutes(desk, 0, 60 * 60),
    };
    let mut sheet = report + minutes(desk, 2, 90);
    if matches!(meeting.quirk, Quirk::SheetFirst | Quirk::RevealedLate { .. }) {
        desk.tally("sheet-before-report", u64::from(meeting.quirk == Quirk::SheetFirst));
        sheet = report;
        report += minutes(desk, 3 * 60, 10 * 60);
    }
    Times { report, sheet }
}

/// The plan and its moves.
fn plan(desk: &mut Desk<'_>, meeting: &Meeting, at: Times) {
    let Some(plan) = &meeting.plan else { return };
    let world = desk.world;
    // The first plans go out on the first morning.
    let earliest = world.clock.at(world.scenario.first_meeting, 8) + SignedDuration::from_secs(desk.dice.between(0, 3 * 3_600));
    let usual = plan.starts - SignedDuration::from_mins(desk.dice.between(2 * 24 * 60, 10 * 24 * 60));
    let mut received = usual.max(earliest);
    if meeting.quirk == Quirk::LatePlan {
        desk.tally("plan-after-report", 1);
        received = at.report + hours(desk.dice.between(4, 20));
    }
    let note = desk.note("plan-form", received - SignedDuration::from_mins(20), received);
    let planned = |brief: &Brief, supersedes| MeetingPlanned { meeting: meeting.id.clone(), supersedes, plan: brief.payload(world) };
    let other = || {
        let unit = (plan.unit + 1) % world.campaign.units.len();
        Brief { unit, precinct: None, venue: None, starts: plan.starts - hours(2), ..plan.clone() }
    };
    let mut last = match meeting.quirk {
        Quirk::Replanned { early } => {
            desk.tally("plan-replaced", 1);
            desk.tally("plan-replaced-before-it-arrived", u64::from(early));
            let replaced = desk.id(note.recorded);
            let replaced_note = if early { note.later(hours(5)) } else { note.clone() };
            desk.send_as(replaced, replaced_note, (planned(&other(), Vec::new()).into(), Fate::Accepted));
            let note = if early { note.clone() } else { note.later(hours(5)) };
            desk.send(note, planned(plan, vec![replaced]))
        }
        Quirk::RivalPlans => {
            desk.tally("two-plans", 1);
            // The plan that holds has the later id and arrives first.
            let rival = desk.id(note.recorded);
            desk.send_as(rival, note.later(hours(2)), (planned(&other(), Vec::new()).into(), Fate::Accepted));
            desk.send(note.later(SignedDuration::from_secs(60)), planned(plan, Vec::new()))
        }
        _ => desk.send(note.clone(), planned(plan, Vec::new())),
    };
    for (step, starts) in meeting.moves.iter().enumerate() {
        desk.tally("moved", 1);
        let moved = MeetingRescheduled { meeting: meeting.id.clone(), supersedes: vec![last], starts: *starts, reason: None };
        let late = desk.dice.chance(0.1);
        // Some moves are told only after the meeting.
        let told = if late { ends(&meeting.report) + hours(3) } else { received + hours(6) + SignedDuration::from_mins(40 * step as i64) };
        last = desk.send(desk.note("plan-form", told, told + SignedDuration::from_mins(step as i64)), moved);
    }
}

fn cancel(desk: &mut Desk<'_>, meeting: &Meeting) -> EventId {
    let starts = meeting.planned_start().unwrap_or(meeting.report.starts);
    let told = starts + hours(desk.dice.between(-20, 20));
    let cancelled = MeetingCancelled { meeting: meeting.id.clone(), reason: Some(text("SYNTHETIC")) };
    let note = desk.note("plan-form", told, told + SignedDuration::from_mins(5));
    desk.send(note, cancelled)
}

/// The report, by the way its quirk takes.
fn report(desk: &mut Desk<'_>, meeting: &Meeting, at: Timestamp) {
    let world = desk.world;
    let right = meeting.report.payload(world);
    let held = |report: &Report| MeetingHeld { meeting: meeting.id.clone(), report: report.clone() };
    let corrected = |gone: EventId, report: Option<&Report>| MeetingCorrected {
        meeting: meeting.id.clone(),
        supersedes: vec![gone],
        report: report.cloned(),
        reason: None,
    };
    let note = desk.note(&form(desk, meeting), ends(&meeting.report).min(at), at);
    lateness(desk, meeting, at);
    match meeting.quirk {
        Quirk::WrongDate(mending) | Quirk::WrongUnit(mending) => {
            let [first, second] = wrong_reports(desk, meeting);
            desk.tally(if matches!(meeting.quirk, Quirk::WrongDate(_)) { "corrected-date" } else { "corrected-unit" }, 1);
            mend(desk, (note, mending), held(&first).into(), |gone, last| {
                corrected(gone, Some(if last { &right } else { &second })).into()
            });
        }
        Quirk::NotHeld => {
            desk.tally("report-withdrawn", 1);
            let wrong = desk.send(note.clone(), held(&right));
            desk.send(note.later(hours(30)), corrected(wrong, None));
        }
        Quirk::CancelledYetHeld => {
            desk.tally("cancelled-yet-held", 1);
            cancel(desk, meeting);
            desk.send(note, held(&right));
        }
        Quirk::CancellationCorrected => {
            desk.tally("cancellation-corrected", 1);
            let wrong = cancel(desk, meeting);
            desk.send(note, corrected(wrong, Some(&right)));
        }
        Quirk::TwoReports => {
            desk.tally("two-reports", 1);
            let mut other = right.clone();
            other.starts -= SignedDuration::from_mins(30);
            other.secondary.clear();
            other.members.truncate(1);
            desk.send(note.clone(), held(&other));
            desk.send(Note { source: "form/regional".into(), ..note.later(hours(2)) }, held(&right));
        }
        Quirk::OtherUnit { contested: true } => {
            let planned = meeting.plan.as_ref().map_or(meeting.report.unit, |plan| plan.unit);
            let other = Report { unit: world.campaign.units[planned].code.clone(), ..right.clone() };
            desk.send(note.clone(), held(&other));
            desk.send(Note { source: "form/regional".into(), ..note.later(hours(2)) }, held(&right));
        }
        Quirk::RevealedLate { rival: true } => {
            let revealing = world.campaign.categories.iter().find(|category| category.revealing).map(|category| category.code.clone());
            let other = Report { secondary: revealing.into_iter().collect(), ..right.clone() };
            desk.send(note.clone(), held(&other));
            desk.send(Note { source: "form/regional".into(), ..note.later(hours(2)) }, held(&right));
        }
        Quirk::Misspelt => {
            desk.tally("unit-misspelt-in-report", 1);
            let misspelt = Report { unit: misspelt(desk, meeting.report.unit), precinct: None, venue: None, ..right.clone() };
            desk.send_refused(note.clone(), held(&misspelt), UNKNOWN_UNIT);
            desk.send(note.later(SignedDuration::from_mins(25)), held(&right));
        }
        quirk => {
            match quirk {
                Quirk::StaleZone => desk.tally("stale-time-zone", 1),
                Quirk::StaleMidnight => {
                    desk.tally("stale-time-zone", 1);
                    desk.tally("stale-time-zone-at-midnight", 1);
                }
                Quirk::Uncounted => desk.tally("held-uncounted", 1),
                Quirk::Crowded => desk.tally("more-reached-than-counted", 1),
                Quirk::Silence => desk.tally("dated-after-last-day", 1),
                Quirk::Copied => desk.tally("copied-sheet", 1),
                _ => {}
            }
            desk.send(note, held(&right));
        }
    }
}

fn lateness(desk: &mut Desk<'_>, meeting: &Meeting, at: Timestamp) {
    let late = at.duration_since(ends(&meeting.report));
    let after_vote = desk.world.clock.day(at) > desk.world.campaign.calendar.vote;
    let found = [(late > hours(24), "report-late-day"), (late > hours(7 * 24), "report-late-week"), (after_vote, "report-after-vote")];
    found.into_iter().filter(|(found, _)| *found).for_each(|(_, what)| desk.tally(what, 1));
}

/// Two wrong versions of a report.
fn wrong_reports(desk: &mut Desk<'_>, meeting: &Meeting) -> [Report; 2] {
    let world = desk.world;
    [1, 2].map(|step| {
        let mut wrong = meeting.report.clone();
        if matches!(meeting.quirk, Quirk::WrongDate(_)) {
            // At most a day ahead: ingest refuses reports of what lies further in the future.
            let is_ahead = desk.dice.chance(0.5) && step == 1;
            wrong.starts += hours(24 * if is_ahead { step } else { -step });
        } else {
            wrong.unit = (wrong.unit + step as usize) % world.campaign.units.len();
            wrong.precinct = None;
            wrong.venue = None;
        }
        wrong.payload(world)
    })
}

/// A wrong statement and what makes it good; `then` gives the correction of an event, the last one the right one.
fn mend(desk: &mut Desk<'_>, (note, mending): (Note, Mending), first: Payload, then: impl Fn(EventId, bool) -> Payload) {
    let original = desk.id(note.recorded);
    match mending {
        Mending::Once => {
            desk.send_as(original, note.clone(), (first, Fate::Accepted));
            let later = hours(desk.dice.between(3, 60));
            desk.send(note.later(later), then(original, true));
        }
        Mending::Twice => {
            desk.tally("correction-of-correction", 1);
            desk.send_as(original, note.clone(), (first, Fate::Accepted));
            let second = desk.send(note.later(hours(6)), then(original, false));
            desk.send(note.later(hours(24)), then(second, true));
        }
        Mending::Early => {
            desk.tally("correction-before-original", 1);
            desk.send(note.later(SignedDuration::from_mins(3)), then(original, true));
            let late = Note { received: note.received + hours(4), ..note };
            desk.send_as(original, late, (first, Fate::Accepted));
        }
    }
}

/// Heads counted.
fn heads(desk: &mut Desk<'_>, meeting: &Meeting, at: Timestamp) {
    let Some(heads) = &meeting.heads else { return };
    let told = at + SignedDuration::from_mins(desk.dice.between(-8, 30));
    let note = desk.note(&form(desk, meeting), meeting.report.starts.min(told), told);
    match meeting.quirk {
        Quirk::WrongHeads(mending) => {
            desk.tally("recounted", 1);
            let wrong =
                |factor: u32| Heads { first: heads.first * factor + 3, second: None, eligible_minimum: None, old_form: heads.old_form };
            mend(desk, (note, mending), reported(meeting, &wrong(10)), |gone, last| {
                let counted = if last { *heads } else { wrong(2) };
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
        Quirk::TwoCounts => {
            desk.tally("two-counts", 1);
            let other = Heads { first: heads.first + 7, second: None, eligible_minimum: None, old_form: false };
            desk.send(note.clone(), reported(meeting, &other));
            desk.send(Note { source: "observer".into(), ..note.later(hours(3)) }, reported(meeting, heads));
        }
        _ => drop(desk.send(note, reported(meeting, heads))),
    }
}

/// Themes that were asked about.
fn questions(desk: &mut Desk<'_>, meeting: &Meeting, at: Timestamp) {
    if desk.world.scenario.themes.is_empty() || !desk.dice.chance(0.2) {
        return;
    }
    for _ in 0..desk.dice.between(1, 3) {
        let theme = desk.dice.pick(&desk.world.scenario.themes).clone();
        let count = desk.dice.between(1, 9) as u32;
        let note = desk.note(&form(desk, meeting), ends(&meeting.report).min(at), at + SignedDuration::from_mins(1));
        desk.send(note, QuestionRaised { meeting: meeting.id.clone(), theme, count });
    }
}
