//! Which people of a store count in a slice, and which group each of them is in.

use super::group_key::GroupKey;
use crate::{dimension::PersonDimension, facts_store::PersonGroups};

/// Group of people who do not count. No group has this number.
const NO_GROUP: u32 = u32::MAX;

/// People who count, and the groups that they are in.
#[derive(Debug)]
pub(super) struct CountedPeople {
    /// Dimensions in the order of the query, and how many groups each has; the last group has no value.
    pub(super) dimensions: Vec<(PersonDimension, usize)>,
    /// Number of each person's group: the group by the first dimension, times the number of groups by the second, plus the group by the second.
    /// [`NO_GROUP`] if the person does not count.
    group_of: Vec<u32>,
}

impl CountedPeople {
    /// Everybody, in one group.
    pub(super) fn new(people: usize) -> Self {
        Self { dimensions: Vec::new(), group_of: vec![0; people] }
    }

    /// People in groups that are given, or who do not count.
    #[cfg(test)]
    pub(super) fn of_groups(groups: usize, people: impl Iterator<Item = Option<u32>>) -> Self {
        Self { dimensions: vec![(PersonDimension::Sex, groups)], group_of: people.map(|group| group.unwrap_or(NO_GROUP)).collect() }
    }

    /// Leaves out people whose group does not pass; those without a value pass nothing.
    pub(super) fn filter(&mut self, groups: &PersonGroups, passing: &[bool]) {
        for (person, group) in self.group_of.iter_mut().enumerate() {
            if !passing.get(groups.of(person as u32)).copied().unwrap_or(false) {
                *group = NO_GROUP;
            }
        }
    }

    /// Divides each group by a further dimension.
    pub(super) fn divide(&mut self, dimension: PersonDimension, groups: &PersonGroups) {
        for (person, group) in self.group_of.iter_mut().enumerate().filter(|(_, group)| **group != NO_GROUP) {
            *group = *group * groups.len() as u32 + groups.of(person as u32) as u32;
        }
        self.dimensions.push((dimension, groups.len()));
    }

    /// Number of a person's group, at least [`Self::group_count`] if they do not count.
    pub(super) fn group_of(&self, person: u32) -> u32 {
        self.group_of[person as usize]
    }

    /// How many groups there are.
    pub(super) fn group_count(&self) -> usize {
        self.dimensions.iter().map(|(_, groups)| groups).product()
    }

    /// Keys of a group, by the dimensions of people.
    pub(super) fn keys(&self, mut group: usize) -> Vec<GroupKey> {
        let mut keys = Vec::with_capacity(self.dimensions.len());
        for (_, groups) in self.dimensions.iter().rev() {
            let number = group % groups;
            group /= groups;
            keys.push(if number + 1 == *groups { GroupKey::Without } else { GroupKey::Value(number as u32) });
        }
        keys.reverse();
        keys
    }
}
