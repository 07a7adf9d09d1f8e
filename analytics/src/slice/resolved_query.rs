//! A query with the values that a store has: which meetings, which people, which groups.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use polars::prelude::{BooleanChunked, Column, DataType, Expr, Field, IntoColumn, PolarsResult, col};

use super::{counted_people::CountedPeople, distinct_people::Counting};
use crate::{
    dimension::{Dimension, MeetingDimension, PersonDimension},
    facts_store::{Dictionary, FactsStore, PersonGroups},
    slice_query::{Comparison, Filter, InvalidSlice, SliceQuery},
};

/// A query, resolved for a store.
pub(super) struct ResolvedQuery {
    /// Dimensions of meetings to group by.
    pub(super) meeting_dimensions: Vec<MeetingDimension>,
    /// Which people count, and their groups; none for figures of meetings.
    pub(super) people: Option<Arc<CountedPeople>>,
    /// What is counted for each group of meetings.
    pub(super) counting: Counting,
    pub(super) by: Vec<Dimension>,
    pub(super) with_frequencies: bool,
    pub(super) with_totals: bool,
    /// Whether there are rows for values that no meeting or person has: by one dimension, without filters on others.
    pub(super) lists_all_values: bool,
    /// For each filter of meetings, whether each value passes.
    filters: Vec<(MeetingDimension, Vec<bool>)>,
    /// Whether each value of a filtered dimension passes all filters.
    passing: BTreeMap<Dimension, Vec<bool>>,
    values: BTreeMap<Dimension, Dictionary>,
}

impl ResolvedQuery {
    pub(super) fn new(store: &FactsStore, query: &SliceQuery) -> Result<Self, InvalidSlice> {
        let mut values: BTreeMap<Dimension, Dictionary> = BTreeMap::new();
        let mut groups: BTreeMap<PersonDimension, PersonGroups> = BTreeMap::new();
        for dimension in query.by.iter().copied().chain(query.filters.iter().map(|filter| filter.dimension)) {
            let of_dimension = match dimension {
                Dimension::Meeting(dimension) => store.meetings().values(dimension),
                Dimension::Person(PersonDimension::Birth | PersonDimension::Sex) if !store.people().has_roll() => {
                    return Err(InvalidSlice::NoRoll(dimension));
                }
                Dimension::Person(dimension) => &groups.entry(dimension).or_insert_with(|| store.person_groups(dimension)).values,
            };
            values.insert(dimension, of_dimension.clone());
        }
        let mut filters = Vec::new();
        let mut passing: BTreeMap<Dimension, Vec<bool>> = BTreeMap::new();
        for filter in &query.filters {
            let of_filter = values_passing(filter, &values[&filter.dimension])?;
            let all = passing.entry(filter.dimension).or_insert_with(|| vec![true; of_filter.len()]);
            all.iter_mut().zip(&of_filter).for_each(|(all, one)| *all &= one);
            if let Dimension::Meeting(dimension) = filter.dimension {
                filters.push((dimension, of_filter));
            }
        }
        let people = query.person_dimension().map(|_| Arc::new(counted_people(store, query, &passing, &groups)));
        let of_meetings = |dimension: &Dimension| if let Dimension::Meeting(dimension) = dimension { Some(*dimension) } else { None };
        Ok(Self {
            meeting_dimensions: query.by.iter().filter_map(of_meetings).collect(),
            counting: Counting::new(store, people.clone(), query.with_frequencies),
            people,
            by: query.by.clone(),
            with_frequencies: query.with_frequencies,
            with_totals: query.with_totals,
            lists_all_values: query.by.len() == 1 && query.filters.iter().all(|filter| query.by.contains(&filter.dimension)),
            filters,
            passing,
            values,
        })
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

    /// The condition on rows of the meeting frame; none if all rows pass.
    pub(super) fn condition(&self) -> Option<Expr> {
        self.filters.iter().map(|(dimension, passing)| condition(*dimension, passing)).reduce(Expr::and)
    }
}

/// The people who pass the filters, by the dimensions of people that the query groups by.
fn counted_people(
    store: &FactsStore,
    query: &SliceQuery,
    passing: &BTreeMap<Dimension, Vec<bool>>,
    groups: &BTreeMap<PersonDimension, PersonGroups>,
) -> CountedPeople {
    let mut people = CountedPeople::new(store.people().len());
    for (dimension, groups) in groups {
        if let Some(passing) = passing.get(&Dimension::Person(*dimension)) {
            people.filter(groups, passing);
        }
    }
    for dimension in &query.by {
        if let Dimension::Person(dimension) = dimension {
            people.divide(*dimension, &groups[dimension]);
        }
    }
    people
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

/// Rows whose value, or one of whose values, passes.
fn condition(dimension: MeetingDimension, passing: &[bool]) -> Expr {
    let passing = passing.to_vec();
    let passes = move |column: Column| passes(&column, &passing, dimension.is_multi_valued());
    col(dimension.name()).map(passes, |_, field| Ok(Field::new(field.name().clone(), DataType::Boolean)))
}

/// Whether the number in each row, or one of the numbers of its list, passes.
fn passes(column: &Column, passing: &[bool], are_lists: bool) -> PolarsResult<Column> {
    let passes = |number: Option<u32>| number.is_some_and(|number| passing.get(number as usize).copied().unwrap_or(false));
    let found: BooleanChunked = if are_lists {
        let mut found = Vec::with_capacity(column.len());
        for list in column.list()?.amortized_iter() {
            found.push(match list {
                Some(list) => list.as_ref().u32()?.iter().any(passes),
                None => false,
            });
        }
        found.into_iter().collect()
    } else {
        column.u32()?.iter().map(passes).collect()
    };
    Ok(found.with_name(column.name().clone()).into_column())
}
