//! Adds up the meetings that pass by their dimensions, and for each total, with one polars query each; then counts their people.

use std::sync::Arc;

use polars::{
    frame::DataFrame,
    prelude::{BooleanChunked, Column, DataType, ExplodeOptions, Expr, Field, IntoColumn, IntoLazy, NULL, PolarsResult, by_name, col, lit},
};

use super::{
    class_masks::MAX_GROUPS,
    counted_people::CountedPeople,
    distinct_people::{self, Counting, PEOPLE, people_counts},
    group_key::GroupKey,
    people_counts::PeopleCounts,
    resolved_query::ResolvedQuery,
};
use crate::{
    dimension::MeetingDimension,
    error::AnalyticsError,
    facts_store::{ELIGIBLE_MINIMUM, FactsStore, MEETING},
    figures::MeetingSums,
};

/// Meetings with the same values.
#[derive(Debug, Clone)]
pub(crate) struct MeetingGroup {
    /// In the order of [`ResolvedQuery::meeting_dimensions`].
    pub(crate) keys: Vec<GroupKey>,
    pub(crate) sums: MeetingSums,
    /// Their people, by number of a group of people; groups without anybody are left out.
    pub(crate) people: Vec<(usize, PeopleCounts)>,
}

/// The groups of each query, and their totals over one and over all dimensions.
pub(super) fn groups(store: &FactsStore, queries: &[ResolvedQuery]) -> Result<Vec<Vec<MeetingGroup>>, AnalyticsError> {
    all_groups(store, queries).map_err(|source| AnalyticsError::Frame { what: "the groups of a slice", source })
}

fn all_groups(store: &FactsStore, queries: &[ResolvedQuery]) -> PolarsResult<Vec<Vec<MeetingGroup>>> {
    let mut groups = vec![Vec::new(); queries.len()];
    let countings: Vec<Counting> = queries.iter().map(|query| counting(store, query)).collect();
    let mut left: Vec<usize> = (0..queries.len()).collect();
    while let Some(first) = left.first() {
        let counting = &countings[*first];
        let (same, others) = left.into_iter().partition(|query| countings[*query].is_same(counting));
        left = others;
        count_together(store, queries, counting, same, &mut groups)?;
    }
    Ok(groups)
}

/// What is counted for each group of meetings of a query.
fn counting(store: &FactsStore, query: &ResolvedQuery) -> Counting {
    let people = query.is_of_people.then(|| Arc::new(CountedPeople::of(store, query)));
    Counting::new(store, people, query.with_frequencies)
}

/// Counts the people of queries that count the same people in the same way: in one pass for those with few groups, and in one for the others.
fn count_together(
    store: &FactsStore,
    queries: &[ResolvedQuery],
    counting: &Counting,
    same: Vec<usize>,
    groups: &mut [Vec<MeetingGroup>],
) -> PolarsResult<()> {
    // Many groups are counted in another way than few, so they do not share a pass.
    let (mut few, mut many, mut groups_of_few) = (Vec::new(), Vec::new(), 0);
    for query in same {
        let summed = SummedGroups::new(store, &queries[query])?;
        let is_few = groups_of_few + summed.frame.height() <= MAX_GROUPS;
        groups_of_few += if is_few { summed.frame.height() } else { 0 };
        if is_few { &mut few } else { &mut many }.push((query, summed));
    }
    [few, many].into_iter().try_for_each(|summed| count_pass(queries, counting, &summed, groups))
}

fn count_pass(
    queries: &[ResolvedQuery],
    counting: &Counting,
    summed: &[(usize, SummedGroups)],
    groups: &mut [Vec<MeetingGroup>],
) -> PolarsResult<()> {
    let Some((first, others)) = summed.split_first() else { return Ok(()) };
    let mut lists = first.1.frame.column(MEETING)?.clone();
    for (_, others) in others {
        lists.append(others.frame.column(MEETING)?)?;
    }
    let lists = DataFrame::new_infer_height(vec![lists.rechunk()])?.lazy();
    let people = lists.select([people_counts(col(MEETING), counting.clone())]).collect()?;
    let mut start = 0;
    for (query, summed) in summed {
        let people = people.column(PEOPLE)?.slice(start as i64, summed.frame.height());
        start += summed.frame.height();
        groups[*query] = summed.read(&people, &queries[*query])?;
    }
    Ok(())
}

/// The meetings of a query: what may be added up, and a list of meetings for each group.
struct SummedGroups {
    frame: DataFrame,
    /// Which dimensions each row is grouped by.
    kinds: Vec<Vec<bool>>,
}

impl SummedGroups {
    fn new(store: &FactsStore, query: &ResolvedQuery) -> PolarsResult<Self> {
        let mut kinds = Vec::new();
        let mut frame: Option<DataFrame> = None;
        for is_grouped in query.groupings() {
            let rows = sum_groups(store, query, &is_grouped)?;
            kinds.extend(std::iter::repeat_n(is_grouped, rows.height()));
            match &mut frame {
                Some(frame) => _ = frame.vstack_mut(&rows)?,
                None => frame = Some(rows),
            }
        }
        Ok(Self { frame: frame.unwrap_or_default(), kinds })
    }

    fn read(&self, people: &Column, query: &ResolvedQuery) -> PolarsResult<Vec<MeetingGroup>> {
        let mut groups = Vec::with_capacity(self.kinds.len());
        for (row, is_grouped) in self.kinds.iter().enumerate() {
            let mut keys = Vec::new();
            for (dimension, is_grouped) in query.meeting_dimensions.iter().zip(is_grouped) {
                keys.push(if *is_grouped {
                    self.frame.column(dimension.name())?.u32()?.get(row).map_or(GroupKey::Without, GroupKey::Value)
                } else {
                    GroupKey::Total
                });
            }
            let mut sums = MeetingSums::default();
            for (name, sum) in MeetingSums::ALL {
                *sum(&mut sums) = self.frame.column(name)?.u64()?.get(row).unwrap_or(0);
            }
            sums.eligible_minimum = self.frame.column(ELIGIBLE_MINIMUM)?.u32()?.get(row).unwrap_or(0).into();
            groups.push(MeetingGroup { keys, sums, people: distinct_people::read(people, row, query.with_frequencies)? });
        }
        Ok(groups)
    }
}

/// Sums and lists of meetings by those dimensions that are grouped; the others have no value.
fn sum_groups(store: &FactsStore, query: &ResolvedQuery, is_grouped: &[bool]) -> PolarsResult<DataFrame> {
    let mut frame = store.meetings().frame().clone().lazy();
    if let Some(condition) = query.meeting_filters.iter().map(|(dimension, passing)| condition(*dimension, passing)).reduce(Expr::and) {
        frame = frame.filter(condition);
    }
    let mut keys: Vec<Expr> = Vec::new();
    let mut totals: Vec<Expr> = Vec::new();
    for (dimension, is_grouped) in query.meeting_dimensions.iter().zip(is_grouped) {
        if !is_grouped {
            totals.push(lit(NULL).cast(DataType::UInt32).alias(dimension.name()));
            continue;
        }
        if dimension.is_multi_valued() {
            // A meeting without a value stays, in a group of its own.
            let options = ExplodeOptions { empty_as_null: true, keep_nulls: true };
            frame = frame.explode(by_name([dimension.name()], true, false), options);
        }
        keys.push(col(dimension.name()));
    }
    let mut figures: Vec<Expr> = MeetingSums::ALL.iter().map(|(name, _)| col(*name).cast(DataType::UInt64).sum()).collect();
    figures.push(col(ELIGIBLE_MINIMUM).max());
    let columns = query.meeting_dimensions.iter().map(|dimension| dimension.name());
    let columns: Vec<Expr> = columns.chain(MeetingSums::ALL.map(|(name, _)| name)).chain([ELIGIBLE_MINIMUM, MEETING]).map(col).collect();
    let grouped = if keys.is_empty() {
        figures.push(col(MEETING).implode(false));
        frame.select(figures)
    } else {
        figures.push(col(MEETING));
        frame.group_by(keys).agg(figures)
    };
    grouped.with_columns(totals).select(columns).collect()
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
