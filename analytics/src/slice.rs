//! The slice query: the figures of any set of meetings and people, by one or two dimensions.
//!
//! 1. [`selection`] finds the values of a [`SliceQuery`] in a [`FactsStore`].
//! 2. [`meeting_groups`] groups the selected meetings and adds up what may be added up, as a polars query over the meetings. It counts the
//!    different people of each group with an expression of our own, [`distinct_people`]: exactly, with a bit for each person.
//! 3. [`table`] makes rows of both: their bounds, and what they are compared to.
//!
//! Guarantees: the reach of every row, totals included, is counted from its people and never added up from other rows. A table has either
//! figures of meetings or figures of people, because those are compared to different voters. Rows are sorted, totals last.

mod distinct_people;
mod group_key;
mod measure;
mod meeting_groups;
mod person_selection;
mod row_voters;
mod selection;
mod table;

pub use distinct_people::PeopleCounts;
pub use measure::{Measure, MeasureValue, PeopleMeasure, Ratio};
pub use table::{Figures, MeetingFigures, PersonFigures, RowKey, SliceRow, SliceTable};

use crate::{error::AnalyticsError, facts_store::FactsStore, slice_query::SliceQuery};
use selection::Selected;

/// Evaluates a query over a store.
pub fn slice(store: &FactsStore, query: &SliceQuery) -> Result<SliceTable, AnalyticsError> {
    let selected = Selected::new(store, query)?;
    let groups = meeting_groups::groups(store, &selected)?;
    Ok(table::table(store, &selected, groups))
}
