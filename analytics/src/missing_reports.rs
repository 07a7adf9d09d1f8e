//! Due meetings without a report, with the members who can send it.
//!
//! Guarantees: the list has exactly the meetings that the figure `missing` counts ([`crate::coverage::definition`]), sorted by coalition, start and id.
//! Members are those of the plan; they are staff, so they may be named.

use jiff::Timestamp;
use qamtu_schemas::id::MeetingId;
use serde::Serialize;

use crate::{
    facts::meetings::{InternedMeeting, InternedPlan},
    facts_store::{FactsStore, ON_TIME, is_missing},
};

/// A due meeting without a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MissingReport {
    /// Id of the meeting.
    pub meeting: MeetingId,
    /// When it was to begin, after moves.
    pub starts: Timestamp,
    /// The same as local date and time of the campaign, such as `2026-02-20 15:00`.
    pub local_start: String,
    /// Code of the unit.
    pub unit: String,
    /// Id of the precinct, if the plan names one.
    pub precinct: Option<String>,
    /// Id of the coalition that holds it.
    pub coalition: String,
    /// The members who were to speak.
    pub members: Vec<ResponsibleMember>,
    /// Whether a report that comes now is late. If not, the meeting began less than a day ago, or begins later today.
    pub is_overdue: bool,
    /// Whole days since the start; negative before it.
    pub days: i64,
}

/// A member of a coalition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResponsibleMember {
    /// Id of the member.
    pub member: String,
    /// The name, if the coalition gave it.
    pub name: Option<String>,
}

/// The due meetings without a report.
pub fn missing_reports(store: &FactsStore) -> Vec<MissingReport> {
    let meetings = &store.facts().meetings;
    let all = meetings.ids().iter().zip(meetings.rows());
    let mut missing: Vec<MissingReport> = all.filter_map(|(id, meeting)| missing_report(store, id, meeting)).collect();
    missing.sort_by(|one, other| (&one.coalition, one.starts, &one.meeting).cmp(&(&other.coalition, other.starts, &other.meeting)));
    missing
}

fn missing_report(store: &FactsStore, id: &MeetingId, meeting: &InternedMeeting) -> Option<MissingReport> {
    let plan = meeting.plan.as_ref().filter(|plan| is_missing(meeting, plan, store.calendar()))?;
    let meetings = &store.facts().meetings;
    let since = store.facts().selection.as_of.duration_since(plan.starts);
    Some(MissingReport {
        meeting: id.clone(),
        starts: plan.starts,
        local_start: store.calendar().local(plan.starts).strftime("%Y-%m-%d %H:%M").to_string(),
        unit: meetings.units.keys()[plan.unit as usize].to_string(),
        precinct: plan.precinct.map(|precinct| meetings.precincts.keys()[precinct as usize].to_string()),
        coalition: meetings.coalitions.keys()[plan.coalition as usize].to_string(),
        members: members(store, plan),
        is_overdue: since > ON_TIME,
        days: since.as_secs().div_euclid(86_400),
    })
}

fn members(store: &FactsStore, plan: &InternedPlan) -> Vec<ResponsibleMember> {
    let of = |number: &u32| {
        let id = &store.facts().meetings.members.keys()[*number as usize];
        let name = store.facts().reference.member(id).and_then(|joined| joined.name.as_ref());
        ResponsibleMember { member: id.to_string(), name: name.map(ToString::to_string) }
    };
    plan.members.iter().map(of).collect()
}
