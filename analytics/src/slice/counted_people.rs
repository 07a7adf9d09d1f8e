//! Which people of a store count in a slice, and which group each of them is in.

use super::resolved_query::ResolvedQuery;
use crate::{
    dimension::PersonDimension,
    facts_store::{FactsStore, PersonGroups},
};

/// Group of people who do not count. No group has this number.
const NO_GROUP: u32 = u32::MAX;

/// People who count, and the groups that they are in.
#[derive(Debug)]
pub(super) struct CountedPeople {
    /// Number of each person's group, see [`ResolvedQuery::person_keys`]. [`NO_GROUP`] if the person does not count.
    group_of: Vec<u32>,
    groups: usize,
}

impl CountedPeople {
    /// The people who pass the filters of a query, by the dimensions of people that it groups by.
    pub(super) fn of(store: &FactsStore, query: &ResolvedQuery) -> Self {
        let mut people = Self { group_of: vec![0; store.people().len()], groups: 1 };
        for dimension in PersonDimension::ALL {
            if let Some(passing) = query.person_filter(dimension) {
                people.filter(&store.person_groups(dimension), passing);
            }
        }
        for (dimension, _) in &query.person_dimensions {
            people.divide(&store.person_groups(*dimension));
        }
        people
    }

    /// People in groups that are given, or who do not count.
    #[cfg(test)]
    pub(super) fn of_groups(groups: usize, people: impl Iterator<Item = Option<u32>>) -> Self {
        Self { group_of: people.map(|group| group.unwrap_or(NO_GROUP)).collect(), groups }
    }

    /// Leaves out people whose group does not pass; those without a value pass nothing.
    fn filter(&mut self, groups: &PersonGroups<'_>, passing: &[bool]) {
        for (group, person) in self.group_of.iter_mut().zip(0..) {
            if !passing.get(groups.of(person)).copied().unwrap_or(false) {
                *group = NO_GROUP;
            }
        }
    }

    /// Divides each group by a further dimension.
    fn divide(&mut self, groups: &PersonGroups<'_>) {
        for (group, person) in self.group_of.iter_mut().zip(0..).filter(|(group, _)| **group != NO_GROUP) {
            *group = *group * groups.len() as u32 + groups.of(person) as u32;
        }
        self.groups *= groups.len();
    }

    /// Number of a person's group, at least [`Self::group_count`] if they do not count.
    pub(super) fn group_of(&self, person: u32) -> u32 {
        self.group_of[person as usize]
    }

    /// How many groups there are.
    pub(super) fn group_count(&self) -> usize {
        self.groups
    }
}
