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

use crate::{
    coverage::{Audience, Denominator, Residents, bounds},
    roll::Roll,
};

/// The count of every precinct that is valid on a day; its newest count if the first one is later.
pub(crate) fn counts(reference: &Reference, on: Date) -> BTreeMap<&PrecinctId, &PrecinctCounted> {
    let true_then = reference.precincts(on);
    reference.precincts(Date::MAX).chain(true_then).map(|count| (&count.precinct, count)).collect()
}

/// Number of precincts in the denominator that have no roll.
pub(crate) fn without_roll(reference: &Reference, roll: &Roll, on: Date) -> u64 {
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
    pub(crate) fn of(reference: &Reference, roll: &Roll, on: Date) -> Self {
        let units: Vec<UnitCode> = reference.units().map(|unit| unit.unit.clone()).collect();
        let mut unit_by_precinct: BTreeMap<&PrecinctId, Option<usize>> = roll.precincts().iter().map(|precinct| (precinct, None)).collect();
        for (precinct, count) in counts(reference, on) {
            unit_by_precinct.insert(precinct, units.binary_search(&count.unit).ok());
        }
        let (precincts, unit_of): (Vec<PrecinctId>, Vec<Option<usize>>) =
            unit_by_precinct.into_iter().map(|(id, unit)| (id.clone(), unit)).unzip();
        let known = precincts.iter().map(|precinct| reference.precinct(precinct).is_some()).collect();
        Self { precincts, unit_of, units, known }
    }

    /// Number of residences.
    pub(crate) fn len(&self) -> usize {
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

    /// Residence number of each precinct of the roll.
    pub(crate) fn enrolled(&self, roll: &Roll) -> Vec<u32> {
        roll.precincts().iter().map(|precinct| self.precincts.binary_search(precinct).unwrap_or_default() as u32).collect()
    }

    /// Precincts sorted by id, with people and attendances of their residents.
    pub(crate) fn precincts<'p>(&'p self, places: &'p [(u64, u64)]) -> impl Iterator<Item = (&'p PrecinctId, (u64, u64))> {
        self.precincts.iter().zip(places.iter().copied())
    }

    /// People and attendances of a unit's residents, in its precincts or with only the unit stated.
    pub(crate) fn residents(&self, unit: &UnitCode, places: &[(u64, u64)]) -> (u64, u64) {
        let Ok(at) = self.units.binary_search(unit) else { return (0, 0) };
        let of_unit = self.unit_of.iter().zip(places).filter(|(unit, _)| **unit == Some(at)).map(|(_, people)| people);
        let unit_only = places.get(self.precincts.len() + at);
        of_unit.chain(unit_only).fold((0, 0), |sum, people| (sum.0 + people.0, sum.1 + people.1))
    }
}

/// Registered voters on the as-of day: each precinct's newest count up to that day. A sum has the date of its newest count.
#[derive(Debug, Clone, Default)]
pub(crate) struct Voters {
    pub(crate) region: Denominator,
    pub(crate) precincts: BTreeMap<PrecinctId, Denominator>,
    units: BTreeMap<UnitCode, Denominator>,
}

impl Voters {
    pub(crate) fn of(reference: &Reference, on: Date) -> Self {
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

    pub(crate) fn unit(&self, unit: &UnitCode) -> Denominator {
        self.units.get(unit).cloned().unwrap_or_default()
    }
}

/// Reach and contacts of residents, given the audience of all meetings.
pub(crate) fn figures((reached, contacts): (u64, u64), audience: &Audience, voters: Denominator) -> Residents {
    Residents { contacts, reach: bounds::of_residents(reached, audience, voters) }
}
