//! The one fold of a meeting's events.
//!
//! Guarantees: the state depends on the set of events alone, never on their order, repetition or clock. Of two bodies with one id the
//! earliest received holds. Corrections form a graph: what is superseded is gone, of several heads the highest id holds and the
//! meeting is marked contested. Events of a reversed import are absent, and with them what they superseded is back.
//! The caller gives the events of one meeting: this does not look at which meeting they name.

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

/// Where a meeting stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Something is known of it, but neither its plan nor its report.
    Pending,
    /// Planned, not reported yet.
    Planned,
    /// Will not be held, or was not.
    Cancelled,
    /// Reported as held.
    Held,
}

/// Heads counted in the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Headcount {
    /// The smaller count: at least so many in the eyes of both counters.
    pub low: u32,
    /// The larger count.
    pub high: u32,
    /// Registered voters of the campaign's units among them, at least.
    pub eligible_minimum: u32,
}

/// State of a meeting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeetingState {
    /// Where it stands.
    pub status: Status,
    /// The plan that holds.
    pub plan: Option<Plan>,
    /// When the plan and its moves say that it begins.
    pub starts: Option<Timestamp>,
    /// Was it moved?
    pub moved: bool,
    /// The report that holds.
    pub report: Option<Report>,
    /// Every audience that a standing plan or report names, also one that another plan or report takes precedence over: whoever decides
    /// whether people may be named at the meeting looks at all of them.
    pub audiences: BTreeSet<CategoryCode>,
    /// The heads counted.
    pub headcount: Option<Headcount>,
    /// Attendances that hold, by the event that recorded them.
    pub attendance: BTreeMap<EventId, AttendanceRecorded>,
    /// Several answers to one question stand side by side: two reports, two counts, or held and cancelled.
    pub contested: bool,
    /// When the meeting was first reported as held, if it is; a correction does not make a report late.
    pub reported: Option<Timestamp>,
}

/// The events of one meeting, ready to be folded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MeetingFold {
    events: BTreeMap<EventId, Known>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    precedence: (Timestamp, BodyHash),
    import: Option<ImportId>,
    data: Data,
}

impl MeetingFold {
    /// Takes an event of the meeting; taking it again changes nothing.
    pub fn insert(&mut self, event: Event) {
        let known = Known { precedence: event.envelope.precedence(), import: event.envelope.import, data: event.data };
        self.events
            .entry(event.envelope.id)
            .and_modify(|held| {
                if known.precedence < held.precedence {
                    *held = known.clone();
                }
            })
            .or_insert(known);
    }

    /// The state of the meeting, without the events of reversed imports.
    pub fn state(&self, reversed: &BTreeSet<ImportId>) -> MeetingState {
        let live: Vec<(EventId, &Known)> = self
            .events
            .iter()
            .filter(|(_, known)| known.import.is_none_or(|import| !reversed.contains(&import)))
            .map(|(id, known)| (*id, known))
            .collect();
        let plans = Plans::of(&live);
        let reports = Reports::of(&live);
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

/// An event as a node of the graph of corrections: its id, what it supersedes, what it says.
type Node<'a, T> = (EventId, &'a [EventId], T);

/// Nodes that no other node supersedes, by id. Nodes that supersede each other in a circle hold only where nothing else does: then
/// the highest id of those that supersede anything.
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

struct Plans {
    plan: Option<Plan>,
    audiences: Vec<CategoryCode>,
    starts: Option<Timestamp>,
    moved: bool,
}

impl Plans {
    fn of(live: &[(EventId, &Known)]) -> Self {
        let plans: Vec<_> = live
            .iter()
            .filter_map(|(id, known)| match &known.data {
                Data::MeetingPlanned(planned) => Some((*id, planned.supersedes.as_slice(), &planned.plan)),
                _ => None,
            })
            .collect();
        let standing = heads(&plans);
        let audiences = standing.iter().flat_map(|(_, _, plan)| audiences(plan)).collect();
        let plan = standing.last().map(|(_, _, plan)| (*plan).clone());
        let times: Vec<_> = live
            .iter()
            .filter_map(|(id, known)| match &known.data {
                Data::MeetingPlanned(planned) => Some((*id, planned.supersedes.as_slice(), (planned.plan.starts, false))),
                Data::MeetingRescheduled(moved) => Some((*id, moved.supersedes.as_slice(), (moved.starts, true))),
                _ => None,
            })
            .collect();
        let last = heads(&times).last().map(|(_, _, time)| *time);
        Self { plan, audiences, starts: last.map(|(starts, _)| starts), moved: last.is_some_and(|(_, moved)| moved) }
    }
}

struct Reports {
    report: Option<Report>,
    audiences: Vec<CategoryCode>,
    received: Option<Timestamp>,
    cancelled: bool,
    contested: bool,
}

impl Reports {
    fn of(live: &[(EventId, &Known)]) -> Self {
        /// What an event says about whether the meeting was held.
        enum Says<'a> {
            Held(&'a Report, Timestamp),
            NotHeld,
        }
        // A cancellation may also be taken back by a new plan or a move, before there is any report.
        let reopened: BTreeSet<EventId> = live
            .iter()
            .flat_map(|(_, known)| match &known.data {
                Data::MeetingPlanned(planned) => planned.supersedes.as_slice(),
                Data::MeetingRescheduled(moved) => moved.supersedes.as_slice(),
                _ => &[],
            })
            .copied()
            .collect();
        let nodes: Vec<Node<'_, Says<'_>>> = live
            .iter()
            .filter_map(|(id, known)| {
                let held = |report| Says::Held(report, known.precedence.0);
                match &known.data {
                    Data::MeetingHeld(data) => Some((*id, &[][..], held(&data.report))),
                    Data::MeetingCancelled(_) if !reopened.contains(id) => Some((*id, &[][..], Says::NotHeld)),
                    Data::MeetingCorrected(data) => {
                        Some((*id, data.supersedes.as_slice(), data.report.as_ref().map_or(Says::NotHeld, held)))
                    }
                    _ => None,
                }
            })
            .collect();
        let heads = heads(&nodes);
        let reports = |node: &&Node<'_, Says<'_>>| matches!(node.2, Says::Held(..));
        let held = heads.iter().copied().filter(reports).count();
        let standing = heads.iter().filter_map(|(_, _, says)| match says {
            Says::Held(report, _) => Some(*report),
            Says::NotHeld => None,
        });
        let audiences = standing.flat_map(audiences).collect();
        let report = heads.iter().rev().find_map(|(_, _, says)| match says {
            Says::Held(report, _) => Some((*report).clone()),
            Says::NotHeld => None,
        });
        let first = nodes.iter().filter_map(|(_, _, says)| match says {
            Says::Held(_, received) => Some(*received),
            Says::NotHeld => None,
        });
        let received = first.min().filter(|_| report.is_some());
        Self { received, report, audiences, cancelled: held < heads.len(), contested: held > 1 }
    }
}

fn headcount(live: &[(EventId, &Known)]) -> (Option<Headcount>, bool) {
    let nodes: Vec<_> = live
        .iter()
        .filter_map(|(id, known)| match &known.data {
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

fn attendance(live: &[(EventId, &Known)]) -> BTreeMap<EventId, AttendanceRecorded> {
    let retracted: BTreeSet<EventId> = live
        .iter()
        .filter_map(|(_, known)| match &known.data {
            Data::AttendanceRetracted(data) => Some(&data.retracts),
            _ => None,
        })
        .flatten()
        .copied()
        .collect();
    live.iter()
        .filter_map(|(id, known)| match &known.data {
            Data::AttendanceRecorded(data) if !retracted.contains(id) => Some((*id, data.clone())),
            _ => None,
        })
        .collect()
}
