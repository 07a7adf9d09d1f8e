//! Precincts where no meeting can be held. They change no figure: their voters stay in every denominator, and those who came elsewhere are
//! reached.

use std::collections::BTreeMap;

use jiff::civil::Date;
use qamtu_schemas::{
    event::UnreachableReason,
    id::{PrecinctId, UnitCode},
};
use serde::{Deserialize, Serialize};

use crate::facts_store::{FactsStore, precinct_counts};

/// A precinct where no meeting can be held on the as-of day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreachablePrecinct {
    /// Id of the precinct.
    pub precinct: PrecinctId,
    /// Unit that it belongs to; none if it was never counted.
    pub unit: Option<UnitCode>,
    /// Number that the election commission gave it.
    pub number: Option<u32>,
    /// Its registered voters in the denominators of the as-of day; none if they were counted later, or never.
    pub voters: Option<u64>,
    /// First day on which no meeting could be held.
    pub since: Date,
    /// Reason that was reported with it.
    pub reason: UnreachableReason,
}

/// All of them, sorted by id.
pub(super) fn unreachable(store: &FactsStore) -> Vec<UnreachablePrecinct> {
    let reference = &store.facts().reference;
    let counts = precinct_counts(reference, store.today());
    let in_denominator: BTreeMap<&PrecinctId, u32> =
        reference.precincts(store.today()).map(|count| (&count.precinct, count.voters)).collect();
    let precinct = |(precinct, unreachable): (&PrecinctId, &qamtu_schemas::event::Unreachable)| {
        let counted = counts.get(precinct);
        UnreachablePrecinct {
            precinct: precinct.clone(),
            unit: counted.map(|count| count.unit.clone()),
            number: counted.map(|count| count.number),
            voters: in_denominator.get(precinct).map(|voters| u64::from(*voters)),
            since: unreachable.since,
            reason: unreachable.reason,
        }
    };
    reference.unreachable(store.today()).map(precinct).collect()
}
