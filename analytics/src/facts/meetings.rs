//! Meetings as facts: where each stands, after its events were folded, in a form small enough for a whole country.
//!
//! Guarantees: meetings stand in the order of their ids; every code is kept once and named by number; a report says nothing before its
//! meeting begins.

use std::{collections::HashMap, hash::Hash};

use jiff::Timestamp;
use qamtu_schemas::{
    MeetingState, Status,
    event::Plan,
    fold::Headcount,
    id::{CategoryCode, CoalitionId, MeetingId, PrecinctId, UnitCode},
};

/// Codes by number, in the order in which they came.
#[derive(Debug, Clone)]
pub struct Interner<K> {
    numbers: HashMap<K, u32>,
    keys: Vec<K>,
}

impl<K> Default for Interner<K> {
    fn default() -> Self {
        Self { numbers: HashMap::new(), keys: Vec::new() }
    }
}

impl<K: Clone + Eq + Hash> Interner<K> {
    fn intern(&mut self, key: &K) -> u32 {
        if let Some(number) = self.numbers.get(key) {
            return *number;
        }
        let number = self.keys.len() as u32;
        self.numbers.insert(key.clone(), number);
        self.keys.push(key.clone());
        number
    }

    /// The codes by number.
    pub fn keys(&self) -> &[K] {
        &self.keys
    }
}

/// What a plan or a report says, codes by number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeetingDetails {
    /// Interned code of the unit.
    pub unit: u32,
    /// Interned id of the coalition.
    pub coalition: u32,
    /// The first audience and the others.
    pub categories: Box<[u32]>,
    /// The precinct, if named.
    pub precinct: Option<u32>,
    /// When it begins; of a plan, after moves.
    pub starts: Timestamp,
}

/// State of a meeting at the as-of instant.
#[derive(Debug, Clone)]
pub struct Meeting {
    /// Planned, held, cancelled or pending.
    pub status: Status,
    /// Whether the start of its plan comes from a move.
    pub moved: bool,
    /// Do two answers stand side by side?
    pub contested: bool,
    /// Result of its headcount, if there is one.
    pub headcount: Option<Headcount>,
    /// The audiences that any standing plan or report names.
    pub audiences: Box<[u32]>,
    /// The plan that takes precedence, if any.
    pub planned: Option<MeetingDetails>,
    /// The report: it was held, and counts.
    pub held: Option<MeetingDetails>,
    /// Its report says that it begins later than now, so it does not count.
    pub premature: bool,
}

/// All meetings of a campaign of which a live event is known.
#[derive(Debug, Clone, Default)]
pub struct Meetings {
    ids: Vec<MeetingId>,
    rows: Vec<Meeting>,
    /// Units that plans and reports name.
    pub units: Interner<UnitCode>,
    /// Coalitions that they name.
    pub coalitions: Interner<CoalitionId>,
    /// Categories that they name.
    pub categories: Interner<CategoryCode>,
    /// Precincts that they name.
    pub precincts: Interner<PrecinctId>,
}

impl Meetings {
    /// Adds a meeting as it stands at an instant. False, and nothing is added, if its id is not above the last one's.
    #[must_use]
    pub fn push(&mut self, id: MeetingId, state: &MeetingState, now: Timestamp) -> bool {
        if self.ids.last().is_some_and(|last| *last >= id) {
            return false;
        }
        let planned = state.plan.as_ref().map(|plan| self.details(plan, state.starts.unwrap_or(plan.starts)));
        let report = state.report.as_ref().filter(|report| report.starts <= now);
        let held = report.map(|report| self.details(report, report.starts));
        let premature = state.report.is_some() && held.is_none();
        let status = match (premature, &planned) {
            (true, Some(_)) => Status::Planned,
            (true, None) => Status::Pending,
            (false, _) => state.status,
        };
        let audiences = state.audiences.iter().map(|code| self.categories.intern(code)).collect();
        let MeetingState { moved, contested, headcount, .. } = *state;
        self.rows.push(Meeting { status, moved, contested, headcount, audiences, planned, held, premature });
        self.ids.push(id);
        true
    }

    fn details(&mut self, plan: &Plan, starts: Timestamp) -> MeetingDetails {
        MeetingDetails {
            unit: self.units.intern(&plan.unit),
            coalition: self.coalitions.intern(&plan.coalition),
            categories: std::iter::once(&plan.category).chain(&plan.secondary).map(|code| self.categories.intern(code)).collect(),
            precinct: plan.precinct.as_ref().map(|precinct| self.precincts.intern(precinct)),
            starts,
        }
    }

    /// The meetings in the order of their ids.
    pub fn rows(&self) -> &[Meeting] {
        &self.rows
    }

    /// Ids of the meetings, sorted.
    pub fn ids(&self) -> &[MeetingId] {
        &self.ids
    }
}
