//! Which people of a store count in a slice, and which groups they are in.

use super::group_key::GroupKey;
use crate::{dimension::PersonDimension, facts_store::PersonGroups};

/// People who count, and the groups that they are in.
#[derive(Debug)]
pub(super) struct SelectedPeople {
    /// Whether each person counts; empty if everybody does.
    pub(super) counts: Vec<bool>,
    /// Groups by each dimension of people, in the order of the query.
    pub(super) groups: Vec<(PersonDimension, PersonGroups)>,
}

impl SelectedPeople {
    /// Number of a person's group: each dimension is a digit, and the last dimension the lowest one.
    pub(super) fn group_of(&self, person: u32) -> usize {
        self.groups.iter().fold(0, |group, (_, by)| group * by.len() + by.of(person))
    }

    /// How many groups there are.
    pub(super) fn group_count(&self) -> usize {
        self.groups.iter().map(|(_, by)| by.len()).product()
    }

    /// Keys of a group, by the dimensions of people.
    pub(super) fn keys(&self, mut group: usize) -> Vec<GroupKey> {
        let mut keys = Vec::with_capacity(self.groups.len());
        for (_, by) in self.groups.iter().rev() {
            let number = group % by.len();
            group /= by.len();
            keys.push(if number + 1 == by.len() { GroupKey::Without } else { GroupKey::Value(number as u32) });
        }
        keys.reverse();
        keys
    }
}
