//! The voters that each row is compared to: those of the places that its keys and the filters name.

use std::collections::BTreeMap;

use super::{group_key::GroupKey, resolved_query::ResolvedQuery};
use crate::{
    dimension::{Dimension, MeetingDimension, PersonDimension},
    facts_store::{Catalog, Voters},
    figures::Denominator,
};

/// Voters of a row.
#[derive(Debug, Clone)]
pub(super) struct ComparedVoters {
    /// Those that its reach is divided by.
    pub(super) compared: Denominator,
    /// Those of its places: the same, but for rows of a sex or a birth band, of which the number of voters is not known.
    pub(super) of_places: Denominator,
}

/// Finds the voters of rows, once for each place.
pub(super) struct RowVoters<'a> {
    voters: &'a Voters,
    query: &'a ResolvedQuery,
    /// Dimensions that decide about the voters.
    places: Vec<Dimension>,
    known: BTreeMap<Vec<Option<GroupKey>>, ComparedVoters>,
}

impl<'a> RowVoters<'a> {
    pub(super) fn new(catalog: &'a Catalog, query: &'a ResolvedQuery) -> Self {
        let places = match query.is_of_people {
            false => [MeetingDimension::Precinct, MeetingDimension::Unit, MeetingDimension::Coalition].map(Dimension::Meeting).to_vec(),
            true => PersonDimension::ALL.map(Dimension::Person).to_vec(),
        };
        Self { voters: &catalog.voters, query, places, known: BTreeMap::new() }
    }

    /// Voters of a row with these keys, in the order of [`ResolvedQuery::by`].
    pub(super) fn of(&mut self, keys: &[GroupKey]) -> ComparedVoters {
        let key_of = |place: &Dimension| self.query.by.iter().zip(keys).find(|(by, _)| *by == place).map(|(_, key)| *key);
        let place: Vec<Option<GroupKey>> = self.places.iter().map(key_of).collect();
        if let Some(known) = self.known.get(&place) {
            return known.clone();
        }
        let restrictions: Vec<Option<Vec<&str>>> =
            self.places.iter().zip(&place).map(|(dimension, key)| self.restriction(*dimension, *key)).collect();
        let of_places = match &restrictions[..] {
            [precincts, units, coalitions] => self.of_meetings(precincts.as_deref(), units.as_deref(), coalitions.as_deref()),
            [precincts, units, ..] => self.of_places(precincts.as_deref(), units.as_deref()),
            _ => Denominator::default(),
        };
        // Of people, the other restrictions are those of sex and birth band.
        let is_of_everybody = !self.query.is_of_people || restrictions.iter().skip(2).all(Option::is_none);
        let compared = if is_of_everybody { of_places.clone() } else { Denominator::default() };
        let voters = ComparedVoters { compared, of_places };
        self.known.insert(place, voters.clone());
        voters
    }

    /// The values of a dimension that a row is restricted to, by its key or by filters; none if it has all of them.
    fn restriction(&self, dimension: Dimension, key: Option<GroupKey>) -> Option<Vec<&'a str>> {
        match key {
            Some(GroupKey::Value(number)) => self.query.values(dimension).get(number as usize).map(|value| vec![value.as_str()]),
            Some(GroupKey::Without) => Some(Vec::new()),
            Some(GroupKey::Total) | None => self.query.filtered(dimension),
        }
    }

    /// Meetings are compared to the voters of their precinct, else of their unit, else of their coalition, else to all.
    fn of_meetings(&self, precincts: Option<&[&str]>, units: Option<&[&str]>, coalitions: Option<&[&str]>) -> Denominator {
        match (precincts, units, coalitions) {
            (None, None, Some([coalition])) => self.voters.coalition(coalition),
            _ => self.of_places(precincts, units),
        }
    }

    /// The voters of some precincts, as far as they are in some units.
    fn of_places(&self, precincts: Option<&[&str]>, units: Option<&[&str]>) -> Denominator {
        let voters = self.voters;
        match (precincts, units) {
            (None, None) => voters.region.clone(),
            (None, Some(units)) => Denominator::sum(units.iter().map(|unit| voters.unit(unit))),
            (Some(precincts), None) => Denominator::sum(precincts.iter().map(|precinct| voters.precinct(precinct))),
            (Some(precincts), Some(units)) => {
                let inside = precincts.iter().filter(|precinct| voters.unit_of(precinct).is_some_and(|unit| units.contains(&unit)));
                Denominator::sum(inside.map(|precinct| voters.precinct(precinct)))
            }
        }
    }
}
