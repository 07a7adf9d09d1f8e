//! Residences of people, and the registered voters of precincts and units.
//!
//! Guarantees: a person has one residence, so residents of precincts add up to residents of their unit. A precinct or unit without a count
//! has unknown voters.

use std::collections::BTreeMap;

use jiff::civil::Date;
use qamtu_schemas::{
    Reference,
    event::PrecinctCounted,
    id::{PrecinctId, UnitCode},
};

use super::{
    bounds,
    distinct_people::ResidentCounts,
    slice::{Audience, Denominator, Residents},
};
use crate::roll::Roll;

/// The count of every precinct that is valid on a day; its newest count if the first one is later.
pub(super) fn precinct_counts(reference: &Reference, on: Date) -> BTreeMap<&PrecinctId, &PrecinctCounted> {
    let valid = reference.precincts(on);
    reference.precincts(Date::MAX).chain(valid).map(|count| (&count.precinct, count)).collect()
}

/// Number of precincts in the denominator that have no roll.
pub(super) fn precincts_without_roll(reference: &Reference, roll: &Roll, on: Date) -> u64 {
    reference.precincts(on).filter(|count| roll.precincts().binary_search(&count.precinct).is_err()).count() as u64
}

/// Numbers residences: precincts by id, then units by code for people who state no precinct. The more precise residence has the lower
/// number.
#[derive(Debug, Clone)]
pub struct ResidenceIndex {
    precincts: Vec<PrecinctId>,
    /// Index in `units` of each precinct's unit on the as-of day.
    unit_of: Vec<Option<usize>>,
    units: Vec<UnitCode>,
    /// Whether the reference data defines each precinct.
    known: Vec<bool>,
}

impl ResidenceIndex {
    pub(super) fn of(reference: &Reference, roll: &Roll, on: Date) -> Self {
        let units: Vec<UnitCode> = reference.units().map(|unit| unit.unit.clone()).collect();
        let mut unit_by_precinct: BTreeMap<&PrecinctId, Option<usize>> = roll.precincts().iter().map(|precinct| (precinct, None)).collect();
        for (precinct, count) in precinct_counts(reference, on) {
            unit_by_precinct.insert(precinct, units.binary_search(&count.unit).ok());
        }
        let (precincts, unit_of): (Vec<PrecinctId>, Vec<Option<usize>>) =
            unit_by_precinct.into_iter().map(|(id, unit)| (id.clone(), unit)).unzip();
        let known = precincts.iter().map(|precinct| reference.precinct(precinct).is_some()).collect();
        Self { precincts, unit_of, units, known }
    }

    /// How many residences have a number.
    pub(super) fn len(&self) -> usize {
        self.precincts.len() + self.units.len()
    }

    /// Residence number of a precinct of the campaign.
    pub fn precinct(&self, id: &str) -> Option<u32> {
        let at = self.precincts.binary_search_by(|known| known.as_str().cmp(id)).ok()?;
        self.known[at].then_some(at as u32)
    }

    /// Residence number of a unit of the campaign, for people who state no precinct.
    pub fn unit(&self, code: &str) -> Option<u32> {
        let at = self.units.binary_search_by(|known| known.as_str().cmp(code)).ok()?;
        Some((self.precincts.len() + at) as u32)
    }

    /// Residence numbers of the roll's precincts.
    pub(super) fn of_roll(&self, roll: &Roll) -> Vec<u32> {
        roll.precincts().iter().map(|precinct| self.precincts.binary_search(precinct).unwrap_or_default() as u32).collect()
    }

    /// Precincts sorted by id, with the counts of their residents.
    pub(super) fn precincts<'p>(&'p self, by_residence: &'p [ResidentCounts]) -> impl Iterator<Item = (&'p PrecinctId, ResidentCounts)> {
        self.precincts.iter().zip(by_residence.iter().copied())
    }

    /// Counts of a unit's residents, in its precincts or with only the unit stated.
    pub(super) fn residents(&self, unit: &UnitCode, by_residence: &[ResidentCounts]) -> ResidentCounts {
        let mut sum = ResidentCounts::default();
        let Ok(at) = self.units.binary_search(unit) else { return sum };
        let of_unit = self.unit_of.iter().zip(by_residence).filter(|(unit, _)| **unit == Some(at)).map(|(_, counts)| counts);
        let unit_only = by_residence.get(self.precincts.len() + at);
        of_unit.chain(unit_only).for_each(|counts| sum += *counts);
        sum
    }
}

/// Registered voters on the as-of day: each precinct's newest count up to that day. A sum has the date of its newest count.
#[derive(Debug, Clone, Default)]
pub(super) struct Voters {
    pub(super) region: Denominator,
    pub(super) precincts: BTreeMap<PrecinctId, Denominator>,
    units: BTreeMap<UnitCode, Denominator>,
}

impl Voters {
    pub(super) fn of(reference: &Reference, on: Date) -> Self {
        let mut voters = Self::default();
        for count in reference.precincts(on) {
            let precinct = voters.precincts.entry(count.precinct.clone()).or_default();
            for sum in [&mut voters.region, voters.units.entry(count.unit.clone()).or_default(), precinct] {
                sum.voters += u64::from(count.voters);
                sum.date = sum.date.max(Some(count.as_of));
            }
        }
        voters
    }

    pub(super) fn unit(&self, unit: &UnitCode) -> Denominator {
        self.units.get(unit).cloned().unwrap_or_default()
    }
}

/// Reach and contacts of residents, given the audience of all meetings.
pub(super) fn figures(counts: ResidentCounts, audience: &Audience, voters: Denominator) -> Residents {
    Residents { contacts: counts.contacts, reach: bounds::of_residents(counts.reached, audience, voters) }
}
