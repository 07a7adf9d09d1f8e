//! The planned meetings that remain, and what held meetings tell about them.

mod learned;

use jiff::civil::Date;
use qamtu_schemas::{Status, id::MeetingId};

use crate::{facts::meetings::InternedPlan, facts_store::FactsStore};
pub(crate) use learned::Learned;

/// A planned meeting that begins later, on a lawful day, and was neither cancelled nor reported.
pub(crate) struct RemainingPlan {
    pub(crate) meeting: MeetingId,
    pub(crate) day: Date,
    pub(crate) unit: String,
    pub(crate) precinct: Option<String>,
    pub(crate) format: String,
}

/// All of them, in the order of ids.
pub(crate) fn remaining(store: &FactsStore) -> Vec<RemainingPlan> {
    let facts = store.facts();
    let (meetings, calendar) = (&facts.meetings, store.calendar());
    let is_ahead = |plan: &InternedPlan| plan.starts > facts.selection.as_of && calendar.is_lawful(calendar.day(plan.starts));
    let all = meetings.ids().iter().zip(meetings.rows());
    all.filter_map(|(id, meeting)| {
        let plan = meeting.plan.as_ref().filter(|plan| is_ahead(plan))?;
        (meeting.status == Status::Planned && !meeting.premature).then(|| RemainingPlan {
            meeting: id.clone(),
            day: calendar.day(plan.starts),
            unit: meetings.units.keys()[plan.unit as usize].to_string(),
            precinct: plan.precinct.map(|precinct| meetings.precincts.keys()[precinct as usize].to_string()),
            format: meetings.formats.keys()[plan.format as usize].to_string(),
        })
    })
    .collect()
}
