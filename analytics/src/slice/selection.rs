//! A query with the values that a store has: which meetings, which people, which groups.

use std::{collections::BTreeMap, sync::Arc};

use polars::prelude::{BooleanChunked, Column, DataType, Expr, Field, IntoColumn, PolarsResult, col};

use super::{distinct_people::Counting, person_selection::SelectedPeople};
use crate::{
    dimension::{Dimension, MeetingDimension, PersonDimension},
    facts_store::{Dictionary, FactsStore, PersonGroups},
    slice_query::{Comparison, Filter, InvalidSlice, SliceQuery},
};

/// A query, resolved for a store.
pub(super) struct Selected {
    /// Dimensions of meetings to group by.
    pub(super) meeting_dimensions: Vec<MeetingDimension>,
    /// Which people count, and their groups; none for figures of meetings.
    pub(super) people: Option<Arc<SelectedPeople>>,
    /// What is counted for each group of meetings.
    pub(super) counting: Counting,
    pub(super) by: Vec<Dimension>,
    pub(super) with_exposure: bool,
    pub(super) with_totals: bool,
    /// For each filter of meetings, whether each value passes.
    filters: Vec<(MeetingDimension, Vec<bool>)>,
    /// Whether each value of a filtered dimension passes all filters.
    passing: BTreeMap<Dimension, Vec<bool>>,
    values: BTreeMap<Dimension, Dictionary>,
}

impl Selected {
    pub(super) fn new(store: &FactsStore, query: &SliceQuery) -> Result<Self, InvalidSlice> {
        query.check_grouping()?;
        let by = &query.by;
        let mut selected = Self {
            meeting_dimensions: Vec::new(),
            people: None,
            counting: Counting::new(store, None, query.with_exposure),
            by: by.clone(),
            with_exposure: query.with_exposure,
            with_totals: query.with_totals,
            filters: Vec::new(),
            passing: BTreeMap::new(),
            values: BTreeMap::new(),
        };
        let mut groups: BTreeMap<PersonDimension, PersonGroups> = BTreeMap::new();
        for dimension in by.iter().copied().chain(query.filters.iter().map(|filter| filter.dimension)) {
            let values = match dimension {
                Dimension::Meeting(dimension) => store.meetings().values(dimension),
                Dimension::Person(PersonDimension::Birth | PersonDimension::Sex) if !store.people().has_roll() => {
                    return Err(InvalidSlice::NoRoll(dimension));
                }
                Dimension::Person(dimension) => &groups.entry(dimension).or_insert_with(|| store.person_groups(dimension)).values,
            };
            selected.values.insert(dimension, values.clone());
        }
        for filter in &query.filters {
            let passing = passing(filter, &selected.values[&filter.dimension])?;
            if let Dimension::Meeting(dimension) = filter.dimension {
                selected.filters.push((dimension, passing.clone()));
            }
            let all = selected.passing.entry(filter.dimension).or_insert_with(|| vec![true; passing.len()]);
            all.iter_mut().zip(passing).for_each(|(all, one)| *all &= one);
        }
        for dimension in by {
            if let Dimension::Meeting(dimension) = dimension {
                selected.meeting_dimensions.push(*dimension);
            }
        }
        selected.people = query.person_dimension().map(|_| Arc::new(selected.select_people(store, &groups)));
        selected.counting = Counting::new(store, selected.people.clone(), query.with_exposure);
        Ok(selected)
    }

    fn select_people(&self, store: &FactsStore, groups: &BTreeMap<PersonDimension, PersonGroups>) -> SelectedPeople {
        let mut people = SelectedPeople::new(store.people().len());
        for (dimension, groups) in groups {
            if let Some(passing) = self.passing.get(&Dimension::Person(*dimension)) {
                people.filter(groups, passing);
            }
        }
        for dimension in &self.by {
            if let Dimension::Person(dimension) = dimension {
                people.divide(*dimension, &groups[dimension]);
            }
        }
        people
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

/// Whether each value of a dictionary passes a filter.
fn passing(filter: &Filter, values: &Dictionary) -> Result<Vec<bool>, InvalidSlice> {
    let compare = |value: &String| match filter.comparison {
        Comparison::Equal => filter.values.contains(value),
        Comparison::AtLeast => filter.values.iter().all(|bound| value >= bound),
        Comparison::AtMost => filter.values.iter().all(|bound| value <= bound),
    };
    let unknown = filter.values.iter().find(|value| values.number(value).is_none()).filter(|_| !filter.is_open());
    if let Some(value) = unknown {
        return Err(InvalidSlice::Value { dimension: filter.dimension, value: value.clone(), known: values.values().to_vec() });
    }
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
