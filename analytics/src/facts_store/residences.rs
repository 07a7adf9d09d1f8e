//! Residences of people.
//!
//! Guarantees: a person has one residence, so residents of precincts add up to residents of their unit.

use std::collections::BTreeMap;

use jiff::civil::Date;
use qamtu_schemas::{
    Reference,
    event::PrecinctCounted,
    id::{PrecinctId, UnitCode},
};

use crate::roll::Roll;

/// The count of every precinct that is valid on a day; its newest count if the first one is later.
pub(crate) fn precinct_counts(reference: &Reference, on: Date) -> BTreeMap<&PrecinctId, &PrecinctCounted> {
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

    /// Exclusive bound of the residence numbers.
    pub(super) fn len(&self) -> usize {
        self.precincts.len() + self.units.len()
    }

    /// Ids of the precincts, in the order of their residence numbers.
    pub(super) fn precinct_ids(&self) -> impl Iterator<Item = &str> {
        self.precincts.iter().map(PrecinctId::as_str)
    }

    /// Codes of the units, sorted.
    pub(super) fn unit_codes(&self) -> impl Iterator<Item = &str> {
        self.units.iter().map(UnitCode::as_str)
    }

    /// The precinct of a residence, which is the number itself; none if only a unit is known.
    pub(super) fn precinct_of(&self, residence: u32) -> Option<u32> {
        ((residence as usize) < self.precincts.len()).then_some(residence)
    }

    /// The unit of a residence, as an index of [`Self::unit_codes`]; none for a precinct without a unit.
    pub(super) fn unit_of(&self, residence: u32) -> Option<u32> {
        match self.unit_of.get(residence as usize) {
            Some(unit) => unit.map(|unit| unit as u32),
            None => Some(residence - self.precincts.len() as u32),
        }
    }
}
