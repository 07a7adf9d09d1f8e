//! A query with numbers instead of words: which values pass, and by what meetings and people are grouped.

use std::collections::{BTreeMap, HashSet};

use super::group_key::GroupKey;
use crate::{
    dimension::{Dimension, MeetingDimension, PersonDimension},
    facts_store::{Catalog, Dictionary},
    slice_query::{Comparison, Filter, InvalidSlice, SliceQuery},
};

/// A query whose values were found in a catalog.
pub(crate) struct ResolvedQuery {
    /// Dimensions of meetings to group by.
    pub(crate) meeting_dimensions: Vec<MeetingDimension>,
    /// Dimensions of people to group by, and how many groups each has; the last group has no value.
    pub(crate) person_dimensions: Vec<(PersonDimension, usize)>,
    /// Whether the figures are those of people, because the query filters or groups by a property of theirs.
    pub(crate) is_of_people: bool,
    pub(super) by: Vec<Dimension>,
    pub(crate) with_frequencies: bool,
    pub(crate) with_totals: bool,
    /// Whether there are rows for values that no meeting or person has: by one dimension, without filters on others.
    pub(super) lists_all_values: bool,
    /// For each filter of meetings, whether each value passes. A meeting must have a value that passes for each of them.
    pub(crate) meeting_filters: Vec<(MeetingDimension, Vec<bool>)>,
    /// Whether each value of a filtered dimension passes all filters.
    passing: BTreeMap<Dimension, Vec<bool>>,
    values: BTreeMap<Dimension, Dictionary>,
}

impl ResolvedQuery {
    pub(crate) fn new(catalog: &Catalog, query: &SliceQuery) -> Result<Self, InvalidSlice> {
        let mut values: BTreeMap<Dimension, Dictionary> = BTreeMap::new();
        for dimension in query.by.iter().copied().chain(query.filters.iter().map(|filter| filter.dimension)) {
            values.insert(dimension, catalog.values(dimension).ok_or(InvalidSlice::NoRoll(dimension))?.clone());
        }
        let mut meeting_filters = Vec::new();
        let mut passing: BTreeMap<Dimension, Vec<bool>> = BTreeMap::new();
        for filter in &query.filters {
            let of_filter = values_passing(filter, &values[&filter.dimension])?;
            let all = passing.entry(filter.dimension).or_insert_with(|| vec![true; of_filter.len()]);
            all.iter_mut().zip(&of_filter).for_each(|(all, one)| *all &= one);
            if let Dimension::Meeting(dimension) = filter.dimension {
                meeting_filters.push((dimension, of_filter));
            }
        }
        let mut resolved = Self {
            meeting_dimensions: Vec::new(),
            person_dimensions: Vec::new(),
            is_of_people: query.person_dimension().is_some(),
            by: query.by.clone(),
            with_frequencies: query.with_frequencies,
            with_totals: query.with_totals,
            lists_all_values: query.by.len() == 1 && query.filters.iter().all(|filter| query.by.contains(&filter.dimension)),
            meeting_filters,
            passing,
            values,
        };
        for by in &query.by {
            match by {
                Dimension::Meeting(dimension) => resolved.meeting_dimensions.push(*dimension),
                Dimension::Person(dimension) => resolved.person_dimensions.push((*dimension, resolved.values(*by).len() + 1)),
            }
        }
        Ok(resolved)
    }

    /// The subsets of the dimensions of meetings that rows are grouped by; the others have totals.
    pub(crate) fn groupings(&self) -> Vec<Vec<bool>> {
        let dimensions = self.meeting_dimensions.len();
        let all = (1_u32 << dimensions) - 1;
        let subsets = if self.with_totals { 0..=all } else { all..=all };
        subsets.map(|subset| (0..dimensions).map(|at| subset >> at & 1 == 1).collect()).collect()
    }

    /// Keys of a group of people: its number is the group by the first dimension, times the number of groups by the second, plus the group by
    /// the second.
    pub(super) fn person_keys(&self, mut group: usize) -> Vec<GroupKey> {
        let mut keys = Vec::with_capacity(self.person_dimensions.len());
        for (_, groups) in self.person_dimensions.iter().rev() {
            let number = group % groups;
            group /= groups;
            keys.push(if number + 1 == *groups { GroupKey::Without } else { GroupKey::Value(number as u32) });
        }
        keys.reverse();
        keys
    }

    /// The group of people who are in these groups of each dimension; none if there is no such group.
    pub(crate) fn person_group(&self, of_dimensions: &[u32]) -> Option<usize> {
        let own = of_dimensions.iter().map(|own| *own as usize);
        let mut pairs = self.person_dimensions.iter().zip(own);
        pairs.try_fold(0, |group, ((_, groups), own)| (own < *groups).then_some(group * groups + own))
    }

    /// Whether a grouped dimension has a value with this number.
    pub(crate) fn has_value(&self, dimension: Dimension, number: u32) -> bool {
        (number as usize) < self.values(dimension).len()
    }

    /// Values of a dimension that is grouped or filtered by.
    pub(super) fn values(&self, dimension: Dimension) -> &[String] {
        self.values.get(&dimension).map(Dictionary::values).unwrap_or_default()
    }

    /// The values of a dimension that pass its filters; none without a filter.
    pub(super) fn filtered(&self, dimension: Dimension) -> Option<Vec<&str>> {
        let passing = self.passing.get(&dimension)?;
        Some(self.values(dimension).iter().zip(passing).filter(|(_, passes)| **passes).map(|(value, _)| value.as_str()).collect())
    }

    /// Whether a value passes the filters of its dimension.
    pub(super) fn passes(&self, dimension: Dimension, number: usize) -> bool {
        self.passing.get(&dimension).is_none_or(|passing| passing.get(number).copied().unwrap_or(false))
    }

    /// Whether each value of a dimension of people passes its filters; none without a filter.
    pub(crate) fn person_filter(&self, dimension: PersonDimension) -> Option<&[bool]> {
        self.passing.get(&Dimension::Person(dimension)).map(Vec::as_slice)
    }
}

/// Whether each value of a dictionary passes a filter.
fn values_passing(filter: &Filter, values: &Dictionary) -> Result<Vec<bool>, InvalidSlice> {
    let equal: HashSet<&String> = filter.values.iter().collect();
    let compare = |value: &String| match filter.comparison {
        Comparison::Equal => equal.contains(value),
        Comparison::AtLeast => filter.values.iter().all(|bound| value >= bound),
        Comparison::AtMost => filter.values.iter().all(|bound| value <= bound),
    };
    filter.check_values(values.values())?;
    Ok(values.values().iter().map(compare).collect())
}
