//! Fulfilment of the plan by one meeting: what it adds under the dimensions of its plan, and what under those of its report.

use jiff::SignedDuration;
use qamtu_schemas::Status;

use super::calendar::LocalCalendar;
use crate::{
    facts::meetings::{InternedMeeting, InternedPlan},
    figures::Fulfilment,
};

/// A report that was received by then after the start of its meeting is on time.
pub(crate) const ON_TIME: SignedDuration = SignedDuration::from_hours(24);
/// The wider limit that completeness is also stated for.
const WITHIN: SignedDuration = SignedDuration::from_hours(72);

/// Under the dimensions of the plan.
pub(super) fn of_plan(meeting: &InternedMeeting, plan: &InternedPlan, calendar: &LocalCalendar) -> Fulfilment {
    let is_cancelled = meeting.status == Status::Cancelled;
    let day = calendar.day(plan.starts);
    let is_due = !is_cancelled && calendar.is_lawful(day) && day <= calendar.today;
    let is_held_lawfully = meeting.report.as_ref().is_some_and(|report| calendar.is_lawful(calendar.day(report.starts)));
    let delay = meeting.report.as_ref().zip(meeting.reported).map(|(report, received)| received.duration_since(report.starts));
    let is_reported_within = |limit: SignedDuration| is_due && delay.is_some_and(|delay| delay <= limit);
    Fulfilment {
        planned: 1,
        due: is_due.into(),
        held_planned: (is_due && is_held_lawfully).into(),
        cancelled: is_cancelled.into(),
        moved: meeting.moved.into(),
        missing: (is_due && meeting.report.is_none()).into(),
        on_time: is_reported_within(ON_TIME).into(),
        late: (is_due && meeting.report.is_some() && !is_reported_within(ON_TIME)).into(),
        within_72_hours: is_reported_within(WITHIN).into(),
        contested: (meeting.contested && meeting.report.is_none()).into(),
        ..Fulfilment::default()
    }
}

/// Whether a plan is due and has no report.
pub(crate) fn is_missing(meeting: &InternedMeeting, plan: &InternedPlan, calendar: &LocalCalendar) -> bool {
    of_plan(meeting, plan, calendar).missing > 0
}

/// Under the dimensions of the report.
pub(super) fn of_report(meeting: &InternedMeeting, report: &InternedPlan, calendar: &LocalCalendar) -> Fulfilment {
    Fulfilment {
        held: 1,
        held_extra: meeting.plan.is_none().into(),
        unlawful: (!calendar.is_lawful(calendar.day(report.starts))).into(),
        contested: meeting.contested.into(),
        nobody_eligible: meeting.nobody_eligible().into(),
        ..Fulfilment::default()
    }
}

/// Of a meeting with neither plan nor report, which has no dimensions.
pub(super) fn of_neither(meeting: &InternedMeeting) -> Fulfilment {
    Fulfilment {
        pending: (meeting.status == Status::Pending && !meeting.premature).into(),
        contested: meeting.contested.into(),
        ..Fulfilment::default()
    }
}
