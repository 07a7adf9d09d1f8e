//! Every kind of anomaly of plans, reports, clocks and reference data is a fact of the submissions, in the expected number.

use jiff::{SignedDuration, Timestamp, civil::Date};
use qamtu::{submission::Payload, synthetic::ExpectedOutcome};
use qamtu_schemas::{
    Data, Event, Kind, Status,
    event::{Plan, Report},
    id::PrecinctId,
};

use crate::{
    about, assert_within, campaign, figure, full,
    observed::{ObservedMeeting, accepted, is_lawful, observed, report},
};

fn day(at: Timestamp) -> Date {
    at.to_zoned(campaign().zone()).date()
}

/// Hour and minute of an instant's local time.
fn clock(at: Timestamp) -> (i8, i8) {
    let local = at.to_zoned(campaign().zone());
    (local.hour(), local.minute())
}

/// Start by the report in force, if the meeting was held.
fn held_at(meeting: &ObservedMeeting) -> Option<Timestamp> {
    meeting.state.report.as_ref().map(|report| report.starts)
}

/// Arrival of the first event of a kind.
fn arrival(meeting: &ObservedMeeting, kind: Kind) -> Option<Timestamp> {
    meeting.events.iter().find(|event| event.data.kind() == kind).map(|event| event.envelope.receivedtime)
}

/// Number of events of a kind that are in force.
fn in_force(meeting: &ObservedMeeting, kind: Kind) -> usize {
    meeting.in_force().filter(|event| event.data.kind() == kind).count()
}

/// Whether a corrected report of the meeting differs from the one in force.
fn was_wrong(meeting: &ObservedMeeting, differs: impl Fn(&Report, &Report) -> bool) -> bool {
    let Some(right) = &meeting.state.report else { return false };
    meeting.replacements().filter_map(|(_, old)| report(old)).any(|wrong| differs(wrong, right))
}

/// Whether an event replaces another one of these kinds.
fn replaces(meeting: &ObservedMeeting, new: &[Kind], old: &[Kind]) -> bool {
    meeting.replacements().any(|(by, gone)| new.contains(&by.data.kind()) && old.contains(&gone.data.kind()))
}

fn arrives_before(event: &Event, other: &Event) -> bool {
    event.envelope.receivedtime < other.envelope.receivedtime
}

const REPORTS: [Kind; 2] = [Kind::MeetingHeld, Kind::MeetingCorrected];
const CORRECTIONS: [Kind; 2] = [Kind::MeetingCorrected, Kind::HeadcountRecounted];

#[test]
fn reports_are_corrected_contradicted_and_withdrawn() {
    let held = figure("/plan/held");
    let count = |condition: &dyn Fn(&ObservedMeeting) -> bool| observed().count(condition);
    let dates = count(&|meeting| was_wrong(meeting, |wrong, right| wrong.starts != right.starts));
    assert_within("wrong dates", dates, about(20, held));
    let units = count(&|meeting| was_wrong(meeting, |wrong, right| wrong.unit != right.unit));
    assert_within("wrong units", units, about(10, held));
    let recounted = |meeting: &ObservedMeeting| meeting.state.headcount.zip(meeting.state.replaced_headcount);
    let is_wrong = |meeting: &ObservedMeeting| recounted(meeting).is_some_and(|(right, wrong)| wrong.low > 2 * right.low);
    assert_within("wrong headcounts", count(&is_wrong), about(20, held));
    let two_reports = count(&|meeting| {
        let reports: Vec<_> = meeting.in_force().filter_map(report).collect();
        reports.windows(2).any(|pair| pair[0].unit == pair[1].unit && pair[0].starts != pair[1].starts)
    });
    assert_within("two reports", two_reports, about(10, held));
    let two_counts = count(&|meeting| meeting.state.contested && in_force(meeting, Kind::HeadcountReported) == 2);
    assert_within("two headcounts", two_counts, about(10, held));
    assert_within("corrections of corrections", count(&|meeting| replaces(meeting, &CORRECTIONS, &CORRECTIONS)), 4..=held / 50);
    let early = |meeting: &ObservedMeeting| {
        let corrected = |event: &Event| CORRECTIONS.contains(&event.data.kind());
        meeting.replacements().any(|(new, old)| corrected(new) && arrives_before(new, old))
    };
    assert_within("corrections before the original", count(&early), 4..=held / 50);
    let withdrawn = |meeting: &ObservedMeeting| {
        meeting.in_force().any(|event| matches!(&event.data, Data::MeetingCorrected(data) if data.report.is_none()))
    };
    assert_within("withdrawn reports", count(&withdrawn), 4..=held / 100);
    let both = |meeting: &ObservedMeeting| in_force(meeting, Kind::MeetingCancelled) > 0 && meeting.state.status == Status::Held;
    assert_within("cancelled, yet held", count(&both), 4..=held / 100);
    let undone = count(&|meeting| replaces(meeting, &REPORTS, &[Kind::MeetingCancelled]) && meeting.state.status == Status::Held);
    assert_within("corrected cancellations", undone, 4..=held / 100);
    let other_unit = |contested| {
        count(&|meeting| {
            let (plan, report) = (&meeting.state.plan, &meeting.state.report);
            let differ = plan.as_ref().zip(report.as_ref()).is_some_and(|(plan, report)| plan.unit != report.unit);
            differ && meeting.state.contested == contested
        })
    };
    assert_eq!((other_unit(false), other_unit(true)), (4, 4), "held in another unit than planned");
}

#[test]
fn observers_recount_some_meetings_and_surveys_are_made() {
    let held = figure("/plan/held");
    let recount = |meeting: &ObservedMeeting| {
        let (right, reported) = meeting.state.headcount.zip(meeting.state.replaced_headcount)?;
        (reported.low <= 2 * right.low).then_some(reported.low > right.low)
    };
    assert_within("recounts", observed().count(|meeting| recount(meeting).is_some()), about(12, held));
    assert_within("recounts that found fewer people", observed().count(|meeting| recount(meeting) == Some(true)), about(6, held));
    let surveys = accepted().filter_map(|submission| match &submission.data {
        Payload::Plain(data) => match &**data {
            Data::SurveyReported(survey) => Some(survey.survey.as_str()),
            _ => None,
        },
        _ => None,
    });
    let mut surveys: Vec<&str> = surveys.collect();
    surveys.sort_unstable();
    assert_eq!(surveys.len(), 7, "{surveys:?}");
    surveys.dedup();
    assert_eq!(surveys.len(), 6, "one survey is reported twice: {surveys:?}");
}

#[test]
fn reports_and_plans_are_late() {
    let held = figure("/plan/held");
    let delay = |meeting: &ObservedMeeting| {
        let ends = held_at(meeting)? + SignedDuration::from_mins(90);
        meeting.state.reported.map(|reported| reported.duration_since(ends).as_hours())
    };
    let later_than = |hours: i64| observed().count(|meeting| delay(meeting).is_some_and(|delay| delay >= hours));
    assert_within("reports a day late", later_than(24), about(180, held));
    assert_within("reports a week late", later_than(7 * 24), about(40, held));
    let vote = campaign().calendar.vote;
    let after_vote = observed().count(|meeting| meeting.state.reported.is_some_and(|reported| day(reported) > vote));
    assert_within("reports after the vote", after_vote, about(5, held));
    let sheet_first =
        |meeting: &ObservedMeeting| arrival(meeting, Kind::AttendanceRecorded).is_some_and(|sheet| Some(sheet) < meeting.state.reported);
    assert_within("sheets before the report", observed().count(sheet_first), about(100, held));
    let plan_last = |meeting: &ObservedMeeting| arrival(meeting, Kind::MeetingPlanned) > meeting.state.reported.or(Some(Timestamp::MAX));
    assert_within("plans after the report", observed().count(plan_last), 4..=held / 50);
}

#[test]
fn plans_are_moved_replaced_and_contradicted() {
    let moves = accepted().filter(|submission| submission.kind().kind == Kind::MeetingRescheduled).count() as u64;
    assert_within("moves", moves, about(103, 1_959));
    assert_within("cancelled", figure("/plan/cancelled"), about(62, 1_959));
    assert_within("never reported", figure("/plan/missing"), about(20, 1_959));
    assert_within("late reports", figure("/plan/late"), about(177, 1_959));
    assert_within("extra meetings", figure("/plan/held_extra"), about(30, 1_959));
    let count = |condition: &dyn Fn(&ObservedMeeting) -> bool| observed().count(condition);
    let replaced_early = |meeting: &ObservedMeeting| {
        let plans = |new: &Event, old: &Event| new.data.kind() == Kind::MeetingPlanned && old.data.kind() == Kind::MeetingPlanned;
        meeting.replacements().any(|(new, old)| plans(new, old) && arrives_before(new, old))
    };
    assert_within(
        "replaced plans",
        count(&|meeting| replaces(meeting, &[Kind::MeetingPlanned], &[Kind::MeetingPlanned])),
        about(20, 1_959),
    );
    assert_within("plans replaced before they arrive", count(&replaced_early), 4..=20);
    assert_within("two plans in force", count(&|meeting| in_force(meeting, Kind::MeetingPlanned) == 2), 4..=20);
    let planned_first = |meeting: &ObservedMeeting| meeting.state.plan.as_ref().map(|plan| plan.starts);
    let early = count(&|meeting| {
        let is_early = held_at(meeting).map(day) < meeting.state.starts.map(day);
        meeting.state.starts.is_some_and(is_lawful)
            && meeting.state.moved
            && is_early
            && held_at(meeting).is_some()
            && held_at(meeting) == planned_first(meeting)
    });
    assert_eq!(early, 6, "moved, but held on the day planned first");
    let unlawful = |meeting: &ObservedMeeting| {
        meeting.state.starts.is_some_and(|starts| !is_lawful(starts)) && held_at(meeting).is_some_and(is_lawful)
    };
    assert_within("moved to an unlawful day", count(&unlawful), 4..=20);
}

#[test]
fn clocks_and_dates_are_wrong() {
    let count = |condition: &dyn Fn(&ObservedMeeting) -> bool| observed().count(condition);
    let an_hour_early = |meeting: &ObservedMeeting| {
        let late = held_at(meeting).zip(meeting.state.starts).map(|(held, planned)| held.duration_since(planned).as_mins());
        late.is_some_and(|late| (-65..=-35).contains(&late))
    };
    // With only the day entered, the start is one hour before midnight, so on the day before.
    let before_midnight = |meeting: &ObservedMeeting| held_at(meeting).is_some_and(|starts| clock(starts) == (23, 0));
    assert_within("an hour before midnight", count(&before_midnight), 2..=5);
    let stale = count(&|meeting| an_hour_early(meeting) || before_midnight(meeting));
    assert_within("stale time zones", stale, about(5, figure("/plan/held")));
    let at_midnight = |meeting: &ObservedMeeting| held_at(meeting).is_some_and(|starts| clock(starts) == (0, 0));
    assert_within("at local midnight", count(&at_midnight), 4..=20);
    let silence = count(&|meeting| held_at(meeting).is_some_and(|starts| day(starts) == campaign().calendar.silence));
    assert_eq!(silence, 2, "held after the last lawful day");
}

#[test]
fn submissions_are_sent_again() {
    let expected = |outcome| full().stream.iter().filter(|sent| sent.expected == outcome).count() as u64;
    assert_within("duplicates", expected(ExpectedOutcome::Duplicate), about(30, expected(ExpectedOutcome::Accepted)));
    assert_eq!(expected(ExpectedOutcome::Conflict), 8);
    assert!(full().oracle.stream.warnings > 100, "hardly any event refers to an unknown meeting or event");
}

#[test]
fn reference_data_is_corrected_and_some_names_are_in_an_old_code_page() {
    let venues = accepted().filter_map(|submission| match &submission.data {
        Payload::Plain(data) => match &**data {
            Data::VenueDescribed(venue) => Some(venue.name.to_string()),
            _ => None,
        },
        _ => None,
    });
    let (legacy, sound): (Vec<String>, Vec<String>) = venues.partition(|name| name.contains(['Ј', 'Є', 'Ќ', 'Ѕ', 'Ґ', 'Ў', 'Ї']));
    assert!(!legacy.is_empty());
    assert_within("names in an old code page", legacy.len() as u64, about(5, (legacy.len() + sound.len()) as u64));
    let raised = observed().reference.precincts(campaign().calendar.closes).filter(|count| count.revision == 2).count();
    assert_eq!(raised, 5, "precincts whose count was first sent wrong");
    assert!(observed().reference.members().any(|member| member.revision == 2), "no name of a member was corrected");
}

#[test]
fn some_precincts_without_a_meeting_cannot_be_reached() {
    let reference = &observed().reference;
    let unreachable: Vec<_> = reference.unreachable(campaign().calendar.closes).collect();
    assert_eq!(unreachable.len(), 3, "{unreachable:?}");
    let met = |precinct: &PrecinctId| {
        observed().count(|meeting| {
            let at = |plan: &Option<Plan>| plan.as_ref().is_some_and(|plan| plan.precinct.as_ref() == Some(precinct));
            at(&meeting.state.plan) || at(&meeting.state.report)
        })
    };
    assert!(unreachable.iter().all(|(precinct, _)| met(precinct) == 0));
    let again = reference.precincts(campaign().calendar.closes).filter_map(|counted| reference.access(&counted.precinct));
    assert_eq!(again.filter(|access| access.unreachable.is_none()).count(), 1, "reachable again");
}
