//! Registered voters: what figures are compared to.
//!
//! Guarantees: a precinct or unit without a count has unknown voters, not none.

use std::collections::BTreeMap;

use jiff::civil::Date;
use qamtu_schemas::{
    Reference,
    id::{CoalitionId, PrecinctId, UnitCode},
};
use serde::{Deserialize, Serialize};

use crate::figures::Denominator;

/// Registered voters on the as-of day: each precinct's newest count up to that day. A sum has the date of its newest count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Voters {
    pub(crate) region: Denominator,
    pub(crate) precincts: BTreeMap<PrecinctId, Denominator>,
    units: BTreeMap<UnitCode, Denominator>,
    unit_of: BTreeMap<PrecinctId, UnitCode>,
    /// Units of the coalitions that have one.
    coalitions: BTreeMap<CoalitionId, UnitCode>,
}

impl Voters {
    pub(super) fn of(reference: &Reference, on: Date) -> Self {
        let of_unit = |coalition: &qamtu_schemas::event::CoalitionFormed| Some((coalition.coalition.clone(), coalition.unit.clone()?));
        let mut voters = Self { coalitions: reference.coalitions().filter_map(of_unit).collect(), ..Self::default() };
        for count in reference.precincts(on) {
            voters.unit_of.insert(count.precinct.clone(), count.unit.clone());
            let precinct = voters.precincts.entry(count.precinct.clone()).or_default();
            for sum in [&mut voters.region, voters.units.entry(count.unit.clone()).or_default(), precinct] {
                sum.voters += u64::from(count.voters);
                sum.date = sum.date.max(Some(count.as_of));
            }
        }
        voters
    }

    /// Voters of a precinct; unknown without a count.
    pub(crate) fn precinct(&self, id: &str) -> Denominator {
        id.parse().ok().and_then(|id: PrecinctId| self.precincts.get(&id).cloned()).unwrap_or_default()
    }

    /// Unit of a precinct that has a count.
    pub(crate) fn unit_of(&self, precinct: &str) -> Option<&str> {
        precinct.parse().ok().and_then(|id: PrecinctId| self.unit_of.get(&id)).map(UnitCode::as_str)
    }

    /// Voters of a unit; unknown without a count.
    pub(crate) fn unit(&self, code: &str) -> Denominator {
        code.parse().ok().and_then(|code: UnitCode| self.units.get(&code).cloned()).unwrap_or_default()
    }

    /// Voters that a coalition is compared to: those of its unit, or else the region's.
    pub(crate) fn coalition(&self, id: &str) -> Denominator {
        let unit = id.parse().ok().and_then(|id: CoalitionId| self.coalitions.get(&id));
        unit.map_or_else(|| self.region.clone(), |unit| self.unit(unit.as_str()))
    }
}
