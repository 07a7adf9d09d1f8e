//! Where to meet next: the remaining planned meetings ranked by the new voters that each is expected to reach, and precincts to plan further
//! meetings in.
//!
//! 1. [`Learned`] has how large held meetings were, where their people live, how many plans are held and who comes for the first time.
//! 2. [`precincts`] estimates for each precinct how many voters were not reached, with those who were only counted.
//! 3. [`greedy`] ranks: a meeting adds most where few were reached, and less after others in the same precincts.
//!
//! Guarantees: figures are of precincts and meetings; no list of people is made. They are expectations for whoever plans, not counts, and for
//! those who may read the warehouse: nothing is withheld. The same facts give the same ranking.

mod greedy;
mod precincts;

use std::collections::BTreeSet;

use jiff::civil::Date;
use qamtu_schemas::{event::UnreachableReason, id::MeetingId};
use serde::Serialize;

use crate::{
    error::AnalyticsError,
    facts_store::FactsStore,
    remaining_plans::{Learned, RemainingPlan, RemainingPlans, remaining},
};
use greedy::{Candidate, Expected};
use precincts::{Precinct, Precincts};

/// Fewest voters of a precinct that is proposed: a proposal for very few people would point at them.
const MIN_VOTERS: f64 = 50.0;

/// Remaining meetings and proposals, best first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NextMeetings {
    /// Held meetings whose attendance is known, which everything here is learned from. Without one there is neither a ranking nor a proposal.
    pub learned_from: u64,
    /// Planned meetings that begin later on a lawful day.
    pub remaining: usize,
    /// Voters that all of them together are expected to reach for the first time.
    pub expected_new_voters: u64,
    /// The best of them.
    pub planned: Vec<NextMeeting>,
    /// Further planned meetings in precincts where none can be held: they are to be moved or cancelled.
    pub unreachable: Vec<UnreachablePlan>,
    /// Precincts where a further meeting can be held and would reach most new voters after all of those, each with a category. None once the
    /// last lawful day has passed.
    pub proposals: Vec<Proposal>,
}

/// A planned meeting.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NextMeeting {
    /// Its place in the ranking, from 1.
    pub rank: usize,
    /// Id of the meeting.
    pub meeting: MeetingId,
    /// Local day on which it begins.
    pub day: Date,
    /// Code of the unit.
    pub unit: String,
    /// Id of the precinct, if the plan names one.
    pub precinct: Option<String>,
    /// Code of the format.
    pub format: String,
    /// Expected attendance if it is held.
    pub people: u64,
    /// Expected voters who come for the first time, after the meetings that are ranked before it. That it may not be held is considered.
    pub new_voters: u64,
    /// Why it reaches many or few new voters.
    pub reason: Reason,
}

/// A planned meeting in a precinct where none can be held on its day.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UnreachablePlan {
    /// Id of the meeting.
    pub meeting: MeetingId,
    /// Local day on which it begins.
    pub day: Date,
    /// Code of the unit.
    pub unit: String,
    /// Id of the precinct, if the plan names one; otherwise it is that of the venue.
    pub precinct: Option<String>,
    /// Reason why the precinct cannot be reached, as reported.
    pub reason: UnreachableReason,
}

/// A precinct and a category for a further meeting of average size.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Proposal {
    /// Its place in the ranking, from 1.
    pub rank: usize,
    /// Code of the unit.
    pub unit: String,
    /// Id of the precinct.
    pub precinct: String,
    /// Code of the category whose people in the unit most often came for the first time.
    pub category: String,
    /// Expected attendance.
    pub people: u64,
    /// Expected voters who come for the first time, after all planned meetings and the proposals before it.
    pub new_voters: u64,
    /// Why it reaches many or few new voters.
    pub reason: Reason,
}

/// Why a meeting reaches many or few new voters.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Reason {
    /// No meeting has been held in the precinct yet.
    NoMeetingYet {
        /// Its registered voters.
        voters: u64,
    },
    /// Of its voters a smaller share came than of all.
    FewReached {
        /// Expected voters who came.
        reached: u64,
        /// Registered voters.
        voters: u64,
    },
    /// Many people are expected.
    LargeAudience {
        /// Expected attendance.
        people: u64,
    },
    /// Neither: of its voters as large a share came as of all, or a larger one.
    WellReached {
        /// Expected voters who came.
        reached: u64,
        /// Registered voters.
        voters: u64,
    },
}

/// Ranks the remaining meetings and proposes precincts; at most `count` of each.
pub fn next_meetings(store: &FactsStore, count: usize) -> Result<NextMeetings, AnalyticsError> {
    let learned = Learned::of(store)?;
    let RemainingPlans { reachable: remaining, unreachable } = remaining(store);
    let unreachable = unreachable.into_iter().filter_map(unreachable_plan).collect();
    if learned.meetings() == 0 {
        let (planned, proposals) = (Vec::new(), Vec::new());
        return Ok(NextMeetings { learned_from: 0, remaining: remaining.len(), expected_new_voters: 0, planned, unreachable, proposals });
    }
    let precincts = Precincts::of(store, &learned)?;
    let mut expected = precincts.expected();
    let placed = remaining.iter().filter_map(|plan| Some((plan, precincts.candidate_of_plan(&learned, plan)?)));
    let (plans, candidates): (Vec<&RemainingPlan>, Vec<Candidate>) = placed.unzip();
    let ranked = expected.rank(&candidates, usize::MAX);
    let planned = ranked.iter().take(count).enumerate().map(|(before, found)| {
        let plan = plans[found.candidate];
        let people = learned.people(&plan.unit, &plan.format);
        NextMeeting {
            rank: before + 1,
            meeting: plan.meeting.clone(),
            day: plan.day,
            unit: plan.unit.clone(),
            precinct: plan.precinct.clone(),
            format: plan.format.clone(),
            people: people.round() as u64,
            new_voters: found.gain.round() as u64,
            reason: precincts.reason(&plan.unit, plan.precinct.as_deref(), (people > 1.5 * learned.mean_people()).then_some(people)),
        }
    });
    Ok(NextMeetings {
        learned_from: learned.meetings(),
        remaining: remaining.len(),
        expected_new_voters: ranked.iter().map(|found| found.gain).sum::<f64>().round() as u64,
        planned: planned.collect(),
        unreachable,
        proposals: if store.calendar().is_over() { Vec::new() } else { proposals(store, &learned, &precincts, &mut expected, count) },
    })
}

fn unreachable_plan(plan: RemainingPlan) -> Option<UnreachablePlan> {
    let RemainingPlan { meeting, day, unit, precinct, unreachable, .. } = plan;
    Some(UnreachablePlan { meeting, day, unit, precinct, reason: unreachable? })
}

/// The precincts where a meeting of average size adds most, after everything that is planned.
fn proposals(store: &FactsStore, learned: &Learned, precincts: &Precincts, expected: &mut Expected<'_>, count: usize) -> Vec<Proposal> {
    let until = store.calendar().last_lawful_day();
    let unreachable: BTreeSet<&str> = store.facts().reference.unreachable(until).map(|(precinct, _)| precinct.as_str()).collect();
    let is_possible = |precinct: &Precinct| precinct.voters >= MIN_VOTERS && !unreachable.contains(precinct.id.as_str());
    let mut keys = Vec::new();
    let mut candidates = Vec::new();
    for (number, precinct) in precincts.list().iter().enumerate().filter(|(_, precinct)| is_possible(precinct)) {
        let Some((category, novelty)) = learned.newest_category(&precinct.unit) else { continue };
        let people = learned.mean_people() * learned.eligible_share();
        let (own, spread) = learned.overall_shares();
        keys.push((precinct, category));
        candidates.push(Candidate { unit: precinct.unit_number, venue: Some(number), own: people * own, spread: people * spread, novelty });
    }
    let ranked = expected.rank(&candidates, count);
    let proposal = |(before, found): (usize, &greedy::Ranked)| {
        let (precinct, category) = &keys[found.candidate];
        Proposal {
            rank: before + 1,
            unit: precinct.unit.clone(),
            precinct: precinct.id.clone(),
            category: (*category).to_owned(),
            people: learned.mean_people().round() as u64,
            new_voters: found.gain.round() as u64,
            reason: precincts.reason(&precinct.unit, Some(&precinct.id), None),
        }
    };
    ranked.iter().enumerate().map(proposal).collect()
}
