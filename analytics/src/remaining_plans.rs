//! The planned meetings that remain, and what held meetings tell about them.

mod learned;

use jiff::civil::Date;
use qamtu_schemas::{Status, event::UnreachableReason, id::MeetingId};

use crate::{facts::meetings::InternedPlan, facts_store::FactsStore};
pub(crate) use learned::Learned;

/// A planned meeting that begins later, on a lawful day, and was neither cancelled nor reported.
pub(crate) struct RemainingPlan {
    pub(crate) meeting: MeetingId,
    pub(crate) day: Date,
    pub(crate) unit: String,
    pub(crate) precinct: Option<String>,
    pub(crate) format: String,
    /// Why no meeting can be held in its precinct on its day; none if it can.
    pub(crate) unreachable: Option<UnreachableReason>,
}

/// Remaining plans, in the order of ids.
pub(crate) struct RemainingPlans {
    pub(crate) reachable: Vec<RemainingPlan>,
    /// Those in precincts where no meeting can be held on their day.
    pub(crate) unreachable: Vec<RemainingPlan>,
}

/// Why no meeting can be held where and when one is planned; none if it can. The precinct is that of the plan or of its venue.
pub(crate) fn unreachable(store: &FactsStore, plan: &InternedPlan) -> Option<UnreachableReason> {
    let (reference, meetings) = (&store.facts().reference, &store.facts().meetings);
    let of_venue = || reference.venue(&meetings.venues.keys()[plan.venue? as usize])?.precinct.as_ref();
    let precinct = plan.precinct.map(|precinct| &meetings.precincts.keys()[precinct as usize]).or_else(of_venue)?;
    let unreachable = reference.access(precinct)?.unreachable.as_ref()?;
    (unreachable.since <= store.calendar().day(plan.starts)).then_some(unreachable.reason)
}

/// The planned meetings that remain.
pub(crate) fn remaining(store: &FactsStore) -> RemainingPlans {
    let (reachable, unreachable) = plans_ahead(store).partition(|plan| plan.unreachable.is_none());
    RemainingPlans { reachable, unreachable }
}

fn plans_ahead(store: &FactsStore) -> impl Iterator<Item = RemainingPlan> {
    let facts = store.facts();
    let (meetings, calendar) = (&facts.meetings, store.calendar());
    let is_ahead = |plan: &InternedPlan| plan.starts > facts.selection.as_of && calendar.is_lawful(calendar.day(plan.starts));
    let all = meetings.ids().iter().zip(meetings.rows());
    all.filter_map(move |(id, meeting)| {
        let plan = meeting.plan.as_ref().filter(|plan| is_ahead(plan))?;
        (meeting.status == Status::Planned && !meeting.premature).then(|| RemainingPlan {
            meeting: id.clone(),
            day: calendar.day(plan.starts),
            unit: meetings.units.keys()[plan.unit as usize].to_string(),
            precinct: plan.precinct.map(|precinct| meetings.precincts.keys()[precinct as usize].to_string()),
            format: meetings.formats.keys()[plan.format as usize].to_string(),
            unreachable: unreachable(store, plan),
        })
    })
}
