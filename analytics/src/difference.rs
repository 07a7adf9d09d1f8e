//! Why two snapshots of a campaign differ: parts that add up to the change of each figure.
//!
//! The earlier state becomes the later one step by step, and each step has one cause. With meetings that are *unchanged* (held in both, and no
//! record since says anything about them), of the earlier (E) and the later facts (L):
//!
//! | step | from | to | cause |
//! |---|---|---|---|
//! | 1 | the earlier snapshot as stored | E, all meetings | [`Cause::Definition`] |
//! | 2 | E, all | E, unchanged ones | [`Cause::Corrections`] |
//! | 3 | E, unchanged | L, unchanged | [`Cause::Roll`] |
//! | 4 | L, unchanged | L, all that E has | [`Cause::Corrections`] |
//! | 5 | L, all that E has | and those held by the earlier instant | [`Cause::LateReports`] |
//! | 6 | L, held by the earlier instant | L, all | [`Cause::NewMeetings`] |
//! | 7 | L, all | the later snapshot as stored | [`Cause::Definition`] |
//!
//! Guarantees: the parts add up exactly, because each step begins where the last one ended. People are counted in each step, so a part of
//! the reach is what the step adds after those before it: a person who came to a late and to a new meeting belongs to the late one.

use std::collections::{BTreeMap, BTreeSet};

use qamtu_schemas::id::MeetingId;
use serde::Serialize;

use crate::{
    coverage::{Coverage, MeetingFigures},
    dimension::{Dimension, MeetingDimension},
    error::AnalyticsError,
    facts_store::FactsStore,
    slice::{RowKey, SliceRows, slice},
    slice_query::{Filter, SliceQuery},
};

/// Why a figure changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Meetings that began after the earlier instant.
    NewMeetings,
    /// Meetings that began by the earlier instant and were reported after it.
    LateReports,
    /// Corrected, retracted or added records of meetings that the earlier snapshot had.
    Corrections,
    /// The roll, the precincts or the settings of the campaign.
    Roll,
    /// The definition of the figures, or the program.
    Definition,
}

impl Cause {
    /// Every cause, in the order of the output.
    pub const ALL: [Self; 5] = [Self::NewMeetings, Self::LateReports, Self::Corrections, Self::Roll, Self::Definition];
}

/// Figures of meetings that can be explained, or changes of them, which may be negative.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ExplainedFigures {
    /// Held meetings.
    pub held: i64,
    /// Gross attendance.
    pub gross: i64,
    /// Attendances of voters.
    pub contacts: i64,
    /// Different voters.
    pub reached: i64,
}

/// The change of the whole campaign or of one unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DifferenceRow {
    /// Code of the unit; none for the whole campaign.
    pub unit: Option<String>,
    /// Figures of the earlier snapshot.
    pub before: ExplainedFigures,
    /// Figures of the later snapshot.
    pub after: ExplainedFigures,
    /// What each cause adds; together `after - before`.
    pub parts: BTreeMap<Cause, ExplainedFigures>,
    /// Registered voters in the earlier and the later snapshot, if they were counted.
    pub voters: (Option<u64>, Option<u64>),
}

/// The changes of the campaign, and of each unit in the order of codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The whole campaign.
    pub region: DifferenceRow,
    /// The units.
    pub units: Vec<DifferenceRow>,
    /// Whether meetings that did not change are known. If not, all of them are taken for corrected, and the roll has no part of its own.
    pub unchanged_are_known: bool,
}

/// A snapshot, and the facts of its selection as they are read now.
pub struct State<'a> {
    /// The snapshot as it is stored.
    pub coverage: &'a Coverage,
    /// Its facts.
    pub store: &'a FactsStore,
}

/// Figures by unit; none is the whole campaign.
type ByUnit = BTreeMap<Option<String>, ExplainedFigures>;

/// Explains the change between two snapshots of a campaign. `changed` has every meeting that records say something about which the earlier one
/// does not have; none if it may be any.
pub fn difference(earlier: &State<'_>, later: &State<'_>, changed: Option<&BTreeSet<MeetingId>>) -> Result<Difference, AnalyticsError> {
    let (held_before, held_after) = (held(earlier.store), held(later.store));
    let is_unchanged = |id: &MeetingId| changed.is_some_and(|changed| !changed.contains(id));
    let common = || held_before.keys().copied().filter(|id| held_after.contains_key(id));
    let unchanged: Vec<&MeetingId> = common().filter(|id| is_unchanged(id)).collect();
    let instant = earlier.coverage.identity.as_of;
    let late = held_after.iter().filter(|(id, starts)| !held_before.contains_key(*id) && **starts <= instant).map(|(id, _)| *id);
    let known: Vec<&MeetingId> = common().collect();
    let until_instant: Vec<&MeetingId> = known.iter().copied().chain(late).collect();
    let steps = [
        (stored(earlier.coverage), None),
        (counted(earlier.store, None)?, Some(Cause::Definition)),
        (counted(earlier.store, Some(&unchanged))?, Some(Cause::Corrections)),
        (counted(later.store, Some(&unchanged))?, Some(Cause::Roll)),
        (counted(later.store, Some(&known))?, Some(Cause::Corrections)),
        (counted(later.store, Some(&until_instant))?, Some(Cause::LateReports)),
        (counted(later.store, None)?, Some(Cause::NewMeetings)),
        (stored(later.coverage), Some(Cause::Definition)),
    ];
    let units: BTreeSet<&Option<String>> = steps.iter().flat_map(|(figures, _)| figures.keys()).collect();
    let row = |unit: &Option<String>| {
        let mut parts: BTreeMap<Cause, ExplainedFigures> = BTreeMap::new();
        for pair in steps.windows(2) {
            let [(before, _), (after, Some(cause))] = pair else { continue };
            parts.entry(*cause).or_default().add_change(of_unit(before, unit), of_unit(after, unit));
        }
        let [first, .., last] = &steps;
        let voters = (voters(earlier.coverage, unit.as_deref()), voters(later.coverage, unit.as_deref()));
        DifferenceRow { unit: unit.clone(), before: of_unit(&first.0, unit), after: of_unit(&last.0, unit), parts, voters }
    };
    Ok(Difference {
        region: row(&None),
        units: units.into_iter().filter(|unit| unit.is_some()).map(row).collect(),
        unchanged_are_known: changed.is_some(),
    })
}

/// Held meetings and when they began.
fn held(store: &FactsStore) -> BTreeMap<&MeetingId, jiff::Timestamp> {
    let meetings = &store.facts().meetings;
    meetings.ids().iter().zip(meetings.rows()).filter_map(|(id, meeting)| Some((id, meeting.report.as_ref()?.starts))).collect()
}

fn of_unit(figures: &ByUnit, unit: &Option<String>) -> ExplainedFigures {
    figures.get(unit).copied().unwrap_or_default()
}

fn voters(coverage: &Coverage, unit: Option<&str>) -> Option<u64> {
    match unit {
        None => coverage.counts.voters,
        Some(unit) => coverage.units.iter().find(|other| other.unit.as_str() == unit)?.figures.audience.reach.denominator.known(),
    }
}

fn stored(coverage: &Coverage) -> ByUnit {
    let units = coverage.units.iter().map(|unit| (Some(unit.unit.to_string()), ExplainedFigures::of(&unit.figures)));
    units.chain([(None, ExplainedFigures::of(&coverage.region.figures))]).collect()
}

/// Figures of some meetings; without a list, of all.
fn counted(store: &FactsStore, meetings: Option<&[&MeetingId]>) -> Result<ByUnit, AnalyticsError> {
    let query = SliceQuery {
        filters: meetings.map(|meetings| Filter::of_meetings(meetings.iter())).into_iter().collect(),
        with_totals: true,
        ..SliceQuery::by([Dimension::Meeting(MeetingDimension::Unit)])
    };
    let SliceRows::Meetings(rows) = slice(store, &query)?.rows else { return Ok(ByUnit::new()) };
    let by_unit = |row: crate::slice::SliceRow<crate::slice::MeetingRow>| {
        let unit = match row.keys.into_iter().next()? {
            RowKey::Value(unit) => Some(unit),
            RowKey::Total => None,
            RowKey::Without => return None,
        };
        Some((unit, ExplainedFigures::of(&row.figures.figures)))
    };
    Ok(rows.into_iter().filter_map(by_unit).collect())
}

impl ExplainedFigures {
    fn of(figures: &MeetingFigures) -> Self {
        let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        Self {
            held: count(figures.fulfilment.held),
            gross: count(figures.audience.gross),
            contacts: count(figures.audience.contacts),
            reached: count(figures.audience.reach.reached),
        }
    }

    fn add_change(&mut self, before: Self, after: Self) {
        self.held += after.held - before.held;
        self.gross += after.gross - before.gross;
        self.contacts += after.contacts - before.contacts;
        self.reached += after.reached - before.reached;
    }

    /// The figures in the order of the output.
    pub fn values(self) -> [i64; 4] {
        [self.held, self.gross, self.contacts, self.reached]
    }
}
