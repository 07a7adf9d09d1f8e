//! Where people live: precincts and units as places, and the voters registered there.
//!
//! Guarantees: a person lives at one place, so residents of precincts add up to residents of their unit. A place that nobody counted has
//! no voters, and shows as above 100 % as soon as one of its residents is reached.

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

/// The count of every precinct: the one that is true on a day or, of a precinct that is first counted later, the newest.
pub(crate) fn counts(reference: &Reference, on: Date) -> BTreeMap<&PrecinctId, &PrecinctCounted> {
    let true_then = reference.precincts(on);
    reference.precincts(Date::MAX).chain(true_then).map(|count| (&count.precinct, count)).collect()
}

/// How many precincts of the denominator have no roll.
pub(crate) fn without_roll(reference: &Reference, roll: &Roll, on: Date) -> u64 {
    reference.precincts(on).filter(|count| roll.precincts().binary_search(&count.precinct).is_err()).count() as u64
}

/// Every place that a person can live at, numbered: precincts by id, then units by code for those who state no precinct. The more
/// precise place has the lower number.
#[derive(Debug, Clone)]
pub struct ResidenceIndex {
    precincts: Vec<PrecinctId>,
    /// Of each precinct its unit's place in `units`, on the as-of day.
    unit_of: Vec<Option<usize>>,
    units: Vec<UnitCode>,
    /// How many precincts the reference data knows are the first of `known`.
    known: Vec<bool>,
}

impl ResidenceIndex {
    pub(crate) fn of(reference: &Reference, roll: &Roll, on: Date) -> Self {
        let units: Vec<UnitCode> = reference.units().map(|unit| unit.unit.clone()).collect();
        let mut found: BTreeMap<&PrecinctId, Option<usize>> = roll.precincts().iter().map(|precinct| (precinct, None)).collect();
        for (precinct, count) in counts(reference, on) {
            found.insert(precinct, units.binary_search(&count.unit).ok());
        }
        let (precincts, unit_of): (Vec<PrecinctId>, Vec<Option<usize>>) = found.into_iter().map(|(id, unit)| (id.clone(), unit)).unzip();
        let known = precincts.iter().map(|precinct| reference.precinct(precinct).is_some()).collect();
        Self { precincts, unit_of, units, known }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.precincts.len() + self.units.len()
    }

    /// The place of a precinct of the campaign.
    pub fn precinct(&self, id: &str) -> Option<u32> {
        let at = self.precincts.binary_search_by(|held| held.as_str().cmp(id)).ok()?;
        self.known[at].then_some(at as u32)
    }

    /// The place of a unit of the campaign, for those who state no precinct.
    pub fn unit(&self, code: &str) -> Option<u32> {
        let at = self.units.binary_search_by(|held| held.as_str().cmp(code)).ok()?;
        Some((self.precincts.len() + at) as u32)
    }

    /// Of each precinct of the roll its place.
    pub(crate) fn enrolled(&self, roll: &Roll) -> Vec<u32> {
        roll.precincts().iter().map(|precinct| self.precincts.binary_search(precinct).unwrap_or_default() as u32).collect()
    }

    /// Precincts in order, each with its people and attendances.
    pub(crate) fn precincts<'p>(&'p self, places: &'p [(u64, u64)]) -> impl Iterator<Item = (&'p PrecinctId, (u64, u64))> {
        self.precincts.iter().zip(places.iter().copied())
    }

    /// People and attendances of a unit's residents, whatever they state.
    pub(crate) fn residents(&self, unit: &UnitCode, places: &[(u64, u64)]) -> (u64, u64) {
        let Ok(at) = self.units.binary_search(unit) else { return (0, 0) };
        let of_unit = self.unit_of.iter().zip(places).filter(|(unit, _)| **unit == Some(at)).map(|(_, people)| people);
        let unsaid = places.get(self.precincts.len() + at);
        of_unit.chain(unsaid).fold((0, 0), |sum, people| (sum.0 + people.0, sum.1 + people.1))
    }
}

/// Registered voters on the as-of day: of each precinct its newest count up to that day. Counts of several dates are added up, and a sum
/// bears the date of the newest of them.
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
            let mine = voters.precincts.entry(count.precinct.clone()).or_default();
            for sum in [&mut voters.region, voters.units.entry(count.unit.clone()).or_default(), mine] {
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

/// The figures of a place's residents.
pub(crate) fn figures((reached, contacts): (u64, u64), audience: &Audience, voters: Denominator) -> Residents {
    Residents { contacts, reach: bounds::of_residents(reached, audience, voters) }
}
