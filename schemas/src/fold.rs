//! Folds the events of one meeting into its state.
//!
//! Guarantees: the state depends on the set of events alone, not on their order, repetition or a clock. Of two bodies of one event the
//! one received first wins; an attendance and another event with one id are two events. Corrections form a graph: superseded events are ignored. An event that no other one supersedes is a head; of
//! several heads the one with the highest id counts, and the meeting is contested. Events of a reversed import are ignored, so what they
//! superseded counts again. The caller passes the events of one meeting only: their meeting id is not checked.

mod corrections;

use std::collections::{BTreeMap, BTreeSet};

use corrections::{Node, heads, origin};
use jiff::Timestamp;

use crate::{
    envelope::{Event, Precedence},
    event::{
        Data,
        attendance::{AttendanceRecorded, Count},
        meeting::{Plan, Report},
    },
    id::{CategoryCode, EventId, ImportId},
};

/// Status of a meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// There are events, but neither a plan nor a report.
    Pending,
    /// There is a plan, but no report yet.
    Planned,
    /// It will not be held, or was not held.
    Cancelled,
    /// There is a report that it was held.
    Held,
}

/// Number of people who were counted in the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Headcount {
    /// The smaller of the counts.
    pub low: u32,
    /// The larger of the counts.
    pub high: u32,
    /// Lower bound of registered voters of the campaign's units among them.
    pub eligible_minimum: u32,
    /// Whether none of them is one.
    pub nobody_eligible: bool,
}

/// State of a meeting after all its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeetingState {
    /// Status by plan, report and cancellation.
    pub status: Status,
    /// The plan that counts.
    pub plan: Option<Plan>,
    /// Start time by the plan and its reschedulings.
    pub starts: Option<Timestamp>,
    /// Whether it was rescheduled.
    pub moved: bool,
    /// The report that counts.
    pub report: Option<Report>,
    /// Audiences of every plan and report that is not superseded, not only of the one that counts: all of them decide whether
    /// attendees may be recorded by pseudonym.
    pub audiences: BTreeSet<CategoryCode>,
    /// The headcount that counts.
    pub headcount: Option<Headcount>,
    /// The reported headcount that a recount replaced, directly or through other recounts; of several the one with the highest id. None if
    /// the headcount that counts is no recount, or the report that it replaced is not known.
    pub replaced_headcount: Option<Headcount>,
    /// Attendances that are not retracted, by event id.
    pub attendance: BTreeMap<EventId, AttendanceRecorded>,
    /// Whether events contradict each other: two reports, two headcounts, or held and cancelled.
    pub contested: bool,
    /// When the first report was received, if the meeting was held; a correction does not make a report late.
    pub reported: Option<Timestamp>,
}

/// Collects the events of one meeting and folds them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MeetingFold {
    events: BTreeMap<EventKey, WinningBody>,
}

/// Identity of an event among those of its meeting: the list of attendances and the other events have ids of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct EventKey {
    is_attendance: bool,
    id: EventId,
}

/// The body that wins among those of its event that were inserted.
#[derive(Debug, Clone, PartialEq, Eq)]
struct WinningBody {
    precedence: Precedence,
    import: Option<ImportId>,
    data: Data,
}

impl MeetingFold {
    /// Adds an event of the meeting; idempotent.
    pub fn insert(&mut self, Event { envelope, data }: Event) {
        let key = EventKey { is_attendance: matches!(data, Data::AttendanceRecorded(_)), id: envelope.id };
        let body = WinningBody { precedence: envelope.precedence(), import: envelope.import, data };
        self.events
            .entry(key)
            .and_modify(|winning| {
                if body.precedence < winning.precedence {
                    *winning = body.clone();
                }
            })
            .or_insert(body);
    }

    /// Whether the meeting has no event.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Folds all events except those of reversed imports.
    pub fn state(&self, reversed: &BTreeSet<ImportId>) -> MeetingState {
        let live: Vec<LiveEvent<'_>> = self
            .events
            .iter()
            .filter(|(_, body)| body.import.is_none_or(|import| !reversed.contains(&import)))
            .map(|(key, body)| LiveEvent { id: key.id, received: body.precedence.received, data: &body.data })
            .collect();
        let plans = PlanState::of(&live);
        let reports = ReportState::of(&live);
        let headcounts = HeadcountState::of(&live);
        let cancelled = reports.cancelled;
        let status = match (&reports.report, cancelled, &plans.plan) {
            (Some(_), _, _) => Status::Held,
            (None, true, _) => Status::Cancelled,
            (None, false, Some(_)) => Status::Planned,
            (None, false, None) => Status::Pending,
        };
        MeetingState {
            status,
            plan: plans.plan,
            starts: plans.starts,
            moved: plans.moved,
            contested: reports.contested || headcounts.contested || (reports.report.is_some() && cancelled),
            report: reports.report,
            audiences: plans.audiences.into_iter().chain(reports.audiences).collect(),
            reported: reports.received,
            headcount: headcounts.headcount,
            replaced_headcount: headcounts.replaced,
            attendance: attendance(&live),
        }
    }
}

/// An event that is not of a reversed import.
struct LiveEvent<'a> {
    id: EventId,
    received: Timestamp,
    data: &'a Data,
}

impl<'a> LiveEvent<'a> {
    fn node<T>(&self, content: T) -> Node<'a, T> {
        Node { id: self.id, supersedes: self.data.supersedes(), content }
    }
}

/// The audiences of a plan or a report.
fn audiences(plan: &Plan) -> impl Iterator<Item = CategoryCode> + '_ {
    std::iter::once(&plan.category).chain(&plan.secondary).cloned()
}

struct PlanState {
    plan: Option<Plan>,
    audiences: Vec<CategoryCode>,
    starts: Option<Timestamp>,
    moved: bool,
}

impl PlanState {
    fn of(live: &[LiveEvent<'_>]) -> Self {
        struct StartTime {
            starts: Timestamp,
            moved: bool,
        }
        let plans: Vec<_> = live
            .iter()
            .filter_map(|event| match event.data {
                Data::MeetingPlanned(planned) => Some(event.node(&planned.plan)),
                _ => None,
            })
            .collect();
        let plan_heads = heads(&plans);
        let audiences = plan_heads.iter().flat_map(|node| audiences(node.content)).collect();
        let plan = plan_heads.last().map(|node| node.content.clone());
        let times: Vec<_> = live
            .iter()
            .filter_map(|event| match event.data {
                Data::MeetingPlanned(planned) => Some(event.node(StartTime { starts: planned.plan.starts, moved: false })),
                Data::MeetingRescheduled(moved) => Some(event.node(StartTime { starts: moved.starts, moved: true })),
                _ => None,
            })
            .collect();
        let last = heads(&times).last().map(|node| &node.content);
        Self { plan, audiences, starts: last.map(|time| time.starts), moved: last.is_some_and(|time| time.moved) }
    }
}

struct ReportState {
    report: Option<Report>,
    audiences: Vec<CategoryCode>,
    received: Option<Timestamp>,
    cancelled: bool,
    contested: bool,
}

impl ReportState {
    fn of(live: &[LiveEvent<'_>]) -> Self {
        /// What an event says about whether the meeting was held.
        struct ReportedOutcome<'a> {
            /// The report; none: the meeting was not held.
            report: Option<&'a Report>,
            received: Timestamp,
        }
        // Before there is a report, a new plan or a rescheduling may also supersede a cancellation.
        let reopened: BTreeSet<EventId> = live
            .iter()
            .filter(|event| matches!(event.data, Data::MeetingPlanned(_) | Data::MeetingRescheduled(_)))
            .flat_map(|event| event.data.supersedes())
            .copied()
            .collect();
        let outcomes: Vec<_> = live
            .iter()
            .filter_map(|event| {
                let report = match event.data {
                    Data::MeetingHeld(data) => Some(&data.report),
                    Data::MeetingCancelled(_) if !reopened.contains(&event.id) => None,
                    Data::MeetingCorrected(data) => data.report.as_ref(),
                    _ => return None,
                };
                Some(event.node(ReportedOutcome { report, received: event.received }))
            })
            .collect();
        let heads = heads(&outcomes);
        let reports: Vec<_> = heads.iter().filter_map(|node| node.content.report).collect();
        let report = reports.last().map(|report| (*report).clone());
        let first = outcomes.iter().filter(|node| node.content.report.is_some()).map(|node| node.content.received).min();
        Self {
            received: first.filter(|_| report.is_some()),
            audiences: reports.iter().flat_map(|report| audiences(report)).collect(),
            cancelled: reports.len() < heads.len(),
            contested: reports.len() > 1,
            report,
        }
    }
}

struct HeadcountState {
    headcount: Option<Headcount>,
    replaced: Option<Headcount>,
    contested: bool,
}

impl HeadcountState {
    fn of(live: &[LiveEvent<'_>]) -> Self {
        let counts: Vec<_> = live
            .iter()
            .filter_map(|event| match event.data {
                Data::HeadcountReported(heads) => Some(event.node(count(&heads.counts, heads.eligible_minimum, heads.nobody_eligible))),
                Data::HeadcountRecounted(heads) => Some(event.node(count(&heads.counts, heads.eligible_minimum, heads.nobody_eligible))),
                _ => None,
            })
            .collect();
        let heads = heads(&counts);
        Self {
            headcount: heads.last().map(|node| node.content),
            // A recount names what it replaces; a report names nothing.
            replaced: heads.last().and_then(|node| origin(&counts, node)).map(|node| node.content),
            contested: heads.len() > 1,
        }
    }
}

fn count(counts: &[Count], eligible_minimum: Option<u32>, nobody_eligible: bool) -> Headcount {
    let people = || counts.iter().map(|count| count.people);
    let (low, high) = (people().min().unwrap_or(0), people().max().unwrap_or(0));
    Headcount { low, high, eligible_minimum: eligible_minimum.unwrap_or(0), nobody_eligible }
}

fn attendance(live: &[LiveEvent<'_>]) -> BTreeMap<EventId, AttendanceRecorded> {
    let retracted: BTreeSet<EventId> = live
        .iter()
        .filter(|event| matches!(event.data, Data::AttendanceRetracted(_)))
        .flat_map(|event| event.data.supersedes())
        .copied()
        .collect();
    live.iter()
        .filter_map(|event| match event.data {
            Data::AttendanceRecorded(data) if !retracted.contains(&event.id) => Some((event.id, data.clone())),
            _ => None,
        })
        .collect()
}
