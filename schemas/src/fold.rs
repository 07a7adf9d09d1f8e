//! Folds the events of one meeting into its state.
//!
//! Guarantees: the state depends on the set of events alone, not on their order, repetition or a clock. Of two bodies with one id the
//! one received first counts. Corrections form a graph: superseded events are ignored; of several heads the highest id counts and the
//! meeting is contested. Events of a reversed import are ignored, so what they superseded counts again. The caller passes the
//! events of one meeting only: their meeting id is not checked.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::{
    envelope::Event,
    event::{
        Data,
        audience::{AttendanceRecorded, Count},
        meeting::{Plan, Report},
    },
    id::{BodyHash, CategoryCode, EventId, ImportId},
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
    events: BTreeMap<EventId, StoredEvent>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct StoredEvent {
    precedence: (Timestamp, BodyHash),
    import: Option<ImportId>,
    data: Data,
}

impl MeetingFold {
    /// Adds an event of the meeting; idempotent.
    pub fn insert(&mut self, Event { envelope, data }: Event) {
        let event = StoredEvent { precedence: envelope.precedence(), import: envelope.import, data };
        self.events
            .entry(envelope.id)
            .and_modify(|stored| {
                if event.precedence < stored.precedence {
                    *stored = event.clone();
                }
            })
            .or_insert(event);
    }

    /// Folds all events except those of reversed imports.
    pub fn state(&self, reversed: &BTreeSet<ImportId>) -> MeetingState {
        let live: Vec<(EventId, &StoredEvent)> = self
            .events
            .iter()
            .filter(|(_, event)| event.import.is_none_or(|import| !reversed.contains(&import)))
            .map(|(id, event)| (*id, event))
            .collect();
        let plans = PlanState::of(&live);
        let reports = ReportState::of(&live);
        let (headcount, recounted) = headcount(&live);
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
            contested: reports.contested || recounted || (reports.report.is_some() && cancelled),
            report: reports.report,
            audiences: plans.audiences.into_iter().chain(reports.audiences).collect(),
            reported: reports.received,
            headcount,
            attendance: attendance(&live),
        }
    }
}

/// A node of the correction graph: event id, superseded ids, content.
type Node<'a, T> = (EventId, &'a [EventId], T);

/// Nodes that no other node supersedes, by id. If there are none because of a cycle, the node with the highest id that supersedes
/// anything.
fn heads<'a, T>(nodes: &'a [Node<'a, T>]) -> Vec<&'a Node<'a, T>> {
    let superseded: BTreeSet<EventId> =
        nodes.iter().flat_map(|(id, gone, _)| gone.iter().copied().filter(move |gone| gone != id)).collect();
    let mut heads: Vec<_> = nodes.iter().filter(|(id, _, _)| !superseded.contains(id)).collect();
    heads.sort_by_key(|(id, _, _)| *id);
    if heads.is_empty() {
        heads.extend(nodes.iter().filter(|(_, gone, _)| !gone.is_empty()).max_by_key(|(id, _, _)| *id));
    }
    heads
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
    fn of(live: &[(EventId, &StoredEvent)]) -> Self {
        let plans: Vec<_> = live
            .iter()
            .filter_map(|(id, event)| match &event.data {
                Data::MeetingPlanned(planned) => Some((*id, planned.supersedes.as_slice(), &planned.plan)),
                _ => None,
            })
            .collect();
        let standing = heads(&plans);
        let audiences = standing.iter().flat_map(|(_, _, plan)| audiences(plan)).collect();
        let plan = standing.last().map(|(_, _, plan)| (*plan).clone());
        let times: Vec<_> = live
            .iter()
            .filter_map(|(id, event)| match &event.data {
                Data::MeetingPlanned(planned) => Some((*id, planned.supersedes.as_slice(), (planned.plan.starts, false))),
                Data::MeetingRescheduled(moved) => Some((*id, moved.supersedes.as_slice(), (moved.starts, true))),
                _ => None,
            })
            .collect();
        let last = heads(&times).last().map(|(_, _, time)| *time);
        Self { plan, audiences, starts: last.map(|(starts, _)| starts), moved: last.is_some_and(|(_, moved)| moved) }
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
    fn of(live: &[(EventId, &StoredEvent)]) -> Self {
        /// Whether an event reports the meeting as held.
        enum Outcome<'a> {
            Held(&'a Report, Timestamp),
            NotHeld,
        }
        // Before there is a report, a new plan or a rescheduling may also supersede a cancellation.
        let reopened: BTreeSet<EventId> = live
            .iter()
            .flat_map(|(_, event)| match &event.data {
                Data::MeetingPlanned(planned) => planned.supersedes.as_slice(),
                Data::MeetingRescheduled(moved) => moved.supersedes.as_slice(),
                _ => &[],
            })
            .copied()
            .collect();
        let nodes: Vec<Node<'_, Outcome<'_>>> = live
            .iter()
            .filter_map(|(id, event)| {
                let held = |report| Outcome::Held(report, event.precedence.0);
                match &event.data {
                    Data::MeetingHeld(data) => Some((*id, &[][..], held(&data.report))),
                    Data::MeetingCancelled(_) if !reopened.contains(id) => Some((*id, &[][..], Outcome::NotHeld)),
                    Data::MeetingCorrected(data) => {
                        Some((*id, data.supersedes.as_slice(), data.report.as_ref().map_or(Outcome::NotHeld, held)))
                    }
                    _ => None,
                }
            })
            .collect();
        let heads = heads(&nodes);
        let reports = |node: &&Node<'_, Outcome<'_>>| matches!(node.2, Outcome::Held(..));
        let held = heads.iter().copied().filter(reports).count();
        let standing = heads.iter().filter_map(|(_, _, outcome)| match outcome {
            Outcome::Held(report, _) => Some(*report),
            Outcome::NotHeld => None,
        });
        let audiences = standing.flat_map(audiences).collect();
        let report = heads.iter().rev().find_map(|(_, _, outcome)| match outcome {
            Outcome::Held(report, _) => Some((*report).clone()),
            Outcome::NotHeld => None,
        });
        let first = nodes.iter().filter_map(|(_, _, outcome)| match outcome {
            Outcome::Held(_, received) => Some(*received),
            Outcome::NotHeld => None,
        });
        let received = first.min().filter(|_| report.is_some());
        Self { received, report, audiences, cancelled: held < heads.len(), contested: held > 1 }
    }
}

fn headcount(live: &[(EventId, &StoredEvent)]) -> (Option<Headcount>, bool) {
    let nodes: Vec<_> = live
        .iter()
        .filter_map(|(id, event)| match &event.data {
            Data::HeadcountReported(heads) => Some((*id, &[][..], count(&heads.counts, heads.eligible_minimum))),
            Data::HeadcountRecounted(heads) => Some((*id, heads.supersedes.as_slice(), count(&heads.counts, heads.eligible_minimum))),
            _ => None,
        })
        .collect();
    let heads = heads(&nodes);
    (heads.last().map(|(_, _, count)| *count), heads.len() > 1)
}

fn count(counts: &[Count], eligible_minimum: Option<u32>) -> Headcount {
    let people = || counts.iter().map(|count| count.people);
    Headcount { low: people().min().unwrap_or(0), high: people().max().unwrap_or(0), eligible_minimum: eligible_minimum.unwrap_or(0) }
}

fn attendance(live: &[(EventId, &StoredEvent)]) -> BTreeMap<EventId, AttendanceRecorded> {
    let retracted: BTreeSet<EventId> = live
        .iter()
        .filter_map(|(_, event)| match &event.data {
            Data::AttendanceRetracted(data) => Some(&data.retracts),
            _ => None,
        })
        .flatten()
        .copied()
        .collect();
    live.iter()
        .filter_map(|(id, event)| match &event.data {
            Data::AttendanceRecorded(data) if !retracted.contains(id) => Some((*id, data.clone())),
            _ => None,
        })
        .collect()
}
