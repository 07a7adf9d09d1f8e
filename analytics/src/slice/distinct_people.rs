//! A polars expression that counts the different people of each group of meetings: exactly, from their numbers.
//!
//! `n_unique` over pairs of group and person would hash or sort every attendance; [`count_groups`] compares.

use std::sync::Arc;

use polars::prelude::{
    Column, DataType, Expr, Field, IntoColumn, ListBuilderTrait, ListPrimitiveChunkedBuilder, PlSmallStr, PolarsResult, UInt64Type,
};

use super::{
    counted_people::CountedPeople,
    group_counts::{CountInput, count_groups},
    people_counts::{NUMBERS, PeopleCounts},
};
use crate::facts_store::{FactsStore, PersonMeetings};

/// Name of the column that [`people_counts`] makes.
pub(super) const PEOPLE: &str = "people";

/// What an expression counts.
#[derive(Debug, Clone)]
pub(super) struct Counting {
    attendance: Arc<PersonMeetings>,
    people: Option<Arc<CountedPeople>>,
    with_frequencies: bool,
}

impl Counting {
    pub(super) fn new(store: &FactsStore, people: Option<Arc<CountedPeople>>, with_frequencies: bool) -> Self {
        Self { attendance: Arc::clone(store.person_meetings()), people, with_frequencies }
    }

    /// Whether another one counts the same people in the same way.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let same_people = match (&self.people, &other.people) {
            (None, None) => true,
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => false,
        };
        same_people && self.with_frequencies == other.with_frequencies
    }
}

/// The people at the meetings of each list, as a list of numbers: those of each group of people that came. [`read`] reads them.
pub(super) fn people_counts(meetings: Expr, counting: Counting) -> Expr {
    let numbers = DataType::List(Box::new(DataType::UInt64));
    meetings.map(move |lists| count(&lists, &counting), move |_, _| Ok(Field::new(PEOPLE.into(), numbers.clone()))).alias(PEOPLE)
}

/// Reads one list that [`people_counts`] made.
pub(super) fn read(column: &Column, row: usize, with_frequencies: bool) -> PolarsResult<Vec<(usize, PeopleCounts)>> {
    let Some(list) = column.list()?.get_as_series(row) else { return Ok(Vec::new()) };
    let numbers: Vec<u64> = list.u64()?.iter().flatten().collect();
    Ok(numbers
        .chunks_exact(NUMBERS)
        .map(|numbers| (numbers[0] as usize, PeopleCounts::from_numbers(&numbers[1..], with_frequencies)))
        .collect())
}

fn count(lists: &Column, Counting { attendance, people, with_frequencies }: &Counting) -> PolarsResult<Column> {
    let mut groups: Vec<Vec<u32>> = Vec::with_capacity(lists.len());
    for list in lists.list()?.amortized_iter() {
        groups.push(match list {
            Some(list) => list.as_ref().u32()?.iter().flatten().collect(),
            None => Vec::new(),
        });
    }
    let input = CountInput { attendance, people: people.as_deref(), with_frequencies: *with_frequencies };
    let counts = count_groups(&groups, input);
    let total = counts.iter().map(|counts| counts.len() * NUMBERS).sum();
    let mut column = ListPrimitiveChunkedBuilder::<UInt64Type>::new(PlSmallStr::from_static(PEOPLE), counts.len(), total, DataType::UInt64);
    for counts in &counts {
        column.append_slice(&counts.iter().flat_map(|(group, counts)| counts.numbers(*group)).collect::<Vec<u64>>());
    }
    Ok(column.finish().into_column())
}
