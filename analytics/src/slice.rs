//! The slice query: the figures of any set of meetings and people, by up to two dimensions.
//!
//! 1. [`resolved_query`] finds the values of a [`SliceQuery`] in the catalog of a [`FactsStore`].
//! 2. [`meeting_groups`] groups the meetings that pass and adds up what may be added up, as a polars query over the meetings. It counts the
//!    different people of each group with an expression of our own, [`distinct_people`]: exactly, along everybody's attendances.
//! 3. [`table`](mod@table) makes rows of both: their bounds, and what they are compared to.
//!
//! Guarantees: rows of meetings, totals included, are counted from their people and never added up from other rows. A person is in one group of
//! each dimension of people, so totals over those are sums. A table has either figures of meetings or figures of people, because those are
//! compared to different voters. Rows are sorted, totals last.

mod class_masks;
mod counted_people;
mod distinct_people;
mod group_counts;
mod group_key;
mod measure;
mod meeting_classes;
mod meeting_groups;
mod people_counts;
mod resolved_query;
mod row_values;
mod row_voters;
mod table;

pub use measure::{Counted, Measure, MeasureValue};
pub use people_counts::PeopleCounts;
pub use row_values::RowValues;
pub use table::{MeetingRow, PersonRow, RowKey, SliceRow, SliceRows, SliceTable};

pub(crate) use group_key::GroupKey;
pub(crate) use meeting_groups::MeetingGroup;
pub(crate) use resolved_query::ResolvedQuery;
pub(crate) use table::table;

use crate::{error::AnalyticsError, facts_store::FactsStore, slice_query::SliceQuery};

/// Evaluates a query over a store.
pub fn slice(store: &FactsStore, query: &SliceQuery) -> Result<SliceTable, AnalyticsError> {
    let [table] = slices(store, [query])?;
    Ok(table)
}

/// Evaluates several queries over a store. Those that count everybody share a visit of each attendance, if all or none of them count
/// frequencies.
pub fn slices<const QUERIES: usize>(store: &FactsStore, queries: [&SliceQuery; QUERIES]) -> Result<[SliceTable; QUERIES], AnalyticsError> {
    let mut tables = slice_all(store, &queries)?.into_iter();
    // INVARIANT: there are as many tables as queries.
    Ok(std::array::from_fn(|_| tables.next().expect("a table for each query")))
}

/// [`slices`] of any number of queries: a table for each, in their order.
pub fn slice_all(store: &FactsStore, queries: &[&SliceQuery]) -> Result<Vec<SliceTable>, AnalyticsError> {
    let mut resolved = Vec::with_capacity(queries.len());
    for query in queries {
        resolved.push(ResolvedQuery::new(store.catalog(), query)?);
    }
    let groups = meeting_groups::groups(store, &resolved)?;
    Ok(resolved.iter().zip(groups).map(|(query, groups)| table(store.catalog(), query, groups)).collect())
}
