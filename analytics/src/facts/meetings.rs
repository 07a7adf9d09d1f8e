//! Folded states of meetings, in a compact form: codes are interned.
//!
//! Guarantees: meetings are sorted by id; every code is stored once; a report is ignored before its meeting begins.

use std::{collections::HashMap, hash::Hash};

use jiff::Timestamp;
use qamtu_schemas::{
    MeetingState, Status,
    event::Plan,
    fold::Headcount,
    id::{CategoryCode, CoalitionId, FormatCode, LanguageCode, MeetingId, MemberId, PrecinctId, UnitCode, VenueId},
};

/// Maps codes to consecutive numbers, in the order of arrival.
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

    /// The codes, indexed by number.
    pub fn keys(&self) -> &[K] {
        &self.keys
    }
}

/// Place, host, audience and time of a plan or of a report, which has the contents of a plan; codes are interned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InternedPlan {
    /// Interned code of the unit.
    pub unit: u32,
    /// Interned id of the coalition.
    pub coalition: u32,
    /// Interned codes of the first category and the others.
    pub categories: Box<[u32]>,
    /// Interned id of the precinct, if the plan or report names one.
    pub precinct: Option<u32>,
    /// Interned id of the venue, if the plan or report names one.
    pub venue: Option<u32>,
    /// Interned code of the format.
    pub format: u32,
    /// Interned code of the language.
    pub language: u32,
    /// Interned ids of the members who speak.
    pub members: Box<[u32]>,
    /// Start of the meeting; of a plan, after moves.
    pub starts: Timestamp,
}

/// State of a meeting at the as-of instant.
#[derive(Debug, Clone)]
pub struct InternedMeeting {
    /// Planned, held, cancelled or pending.
    pub status: Status,
    /// Whether the start of its plan comes from a move.
    pub moved: bool,
    /// Whether two reports or headcounts, or a report and a cancellation, contradict each other.
    pub contested: bool,
    /// Result of its headcount, if there is one.
    pub headcount: Option<Headcount>,
    /// The reported headcount that it replaced, if it is a recount.
    pub replaced_headcount: Option<Headcount>,
    /// Interned categories of all plans and reports that are valid.
    pub audiences: Box<[u32]>,
    /// The plan that takes precedence, if any.
    pub plan: Option<InternedPlan>,
    /// The report, if it says that the meeting was held and the meeting has begun.
    pub report: Option<InternedPlan>,
    /// When the first report was received; a correction does not make a report late.
    pub reported: Option<Timestamp>,
    /// The report came before the meeting begins, so the meeting does not count yet.
    pub premature: bool,
}

impl InternedMeeting {
    /// Whether the headcount that counts says that nobody in the room was a voter here.
    pub fn nobody_eligible(&self) -> bool {
        self.headcount.is_some_and(|count| count.nobody_eligible)
    }
}

/// Meetings of a campaign with at least one event that was not reversed.
#[derive(Debug, Clone, Default)]
pub struct Meetings {
    ids: Vec<MeetingId>,
    rows: Vec<InternedMeeting>,
    /// Units that plans and reports name.
    pub units: Interner<UnitCode>,
    /// Coalitions that plans and reports name.
    pub coalitions: Interner<CoalitionId>,
    /// Categories that plans and reports name.
    pub categories: Interner<CategoryCode>,
    /// Precincts that plans and reports name.
    pub precincts: Interner<PrecinctId>,
    /// Venues that plans and reports name.
    pub venues: Interner<VenueId>,
    /// Formats that plans and reports name.
    pub formats: Interner<FormatCode>,
    /// Languages that plans and reports name.
    pub languages: Interner<LanguageCode>,
    /// Members that plans and reports name.
    pub members: Interner<MemberId>,
}

impl Meetings {
    /// Adds a meeting as of `now`. Returns false, and adds nothing, if its id is not greater than the last one.
    #[must_use]
    pub fn push(&mut self, id: MeetingId, state: &MeetingState, now: Timestamp) -> bool {
        if self.ids.last().is_some_and(|last| *last >= id) {
            return false;
        }
        let plan = state.plan.as_ref().map(|plan| self.intern(plan, state.starts.unwrap_or(plan.starts)));
        let begun = state.report.as_ref().filter(|report| report.starts <= now);
        let report = begun.map(|report| self.intern(report, report.starts));
        let premature = state.report.is_some() && report.is_none();
        let status = match (premature, &plan) {
            (true, Some(_)) => Status::Planned,
            (true, None) => Status::Pending,
            (false, _) => state.status,
        };
        let audiences = state.audiences.iter().map(|code| self.categories.intern(code)).collect();
        let MeetingState { moved, contested, headcount, replaced_headcount, reported, .. } = *state;
        self.rows.push(InternedMeeting {
            status,
            moved,
            contested,
            headcount,
            replaced_headcount,
            audiences,
            plan,
            report,
            reported,
            premature,
        });
        self.ids.push(id);
        true
    }

    fn intern(&mut self, plan: &Plan, starts: Timestamp) -> InternedPlan {
        InternedPlan {
            unit: self.units.intern(&plan.unit),
            coalition: self.coalitions.intern(&plan.coalition),
            categories: std::iter::once(&plan.category).chain(&plan.secondary).map(|code| self.categories.intern(code)).collect(),
            precinct: plan.precinct.as_ref().map(|precinct| self.precincts.intern(precinct)),
            venue: plan.venue.as_ref().map(|venue| self.venues.intern(venue)),
            format: self.formats.intern(&plan.format),
            language: self.languages.intern(&plan.language),
            members: plan.members.iter().map(|member| self.members.intern(member)).collect(),
            starts,
        }
    }

    /// The meetings in the order of their ids.
    pub fn rows(&self) -> &[InternedMeeting] {
        &self.rows
    }

    /// Ids of the meetings, sorted.
    pub fn ids(&self) -> &[MeetingId] {
        &self.ids
    }
}
