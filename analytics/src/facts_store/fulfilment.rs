//! Fulfilment of the plan by one meeting: what it adds under the dimensions of its plan, and what under those of its report.

use qamtu_schemas::Status;

use super::calendar::LocalCalendar;
use crate::{
    facts::meetings::{InternedMeeting, InternedPlan},
    figures::Fulfilment,
};

/// Under the dimensions of the plan.
pub(super) fn of_plan(meeting: &InternedMeeting, plan: &InternedPlan, calendar: &LocalCalendar) -> Fulfilment {
    let is_cancelled = meeting.status == Status::Cancelled;
    let day = calendar.day(plan.starts);
    let is_due = !is_cancelled && calendar.is_lawful(day) && day <= calendar.today;
    let is_held_lawfully = meeting.report.as_ref().is_some_and(|report| calendar.is_lawful(calendar.day(report.starts)));
    Fulfilment {
        planned: 1,
        due: is_due.into(),
        held_planned: (is_due && is_held_lawfully).into(),
        cancelled: is_cancelled.into(),
        moved: meeting.moved.into(),
        missing: (is_due && meeting.report.is_none()).into(),
        contested: (meeting.contested && meeting.report.is_none()).into(),
        ..Fulfilment::default()
    }
}

/// Under the dimensions of the report.
pub(super) fn of_report(meeting: &InternedMeeting, report: &InternedPlan, calendar: &LocalCalendar) -> Fulfilment {
    Fulfilment {
        held: 1,
        held_extra: meeting.plan.is_none().into(),
        unlawful: (!calendar.is_lawful(calendar.day(report.starts))).into(),
        contested: meeting.contested.into(),
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
