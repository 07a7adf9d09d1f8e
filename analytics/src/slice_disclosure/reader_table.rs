//! The tables that figures of people are taken from, and the rows that a query selects.

use crate::{
    dimension::{Dimension, MeetingDimension},
    facts_store::FactsStore,
    slice::{Measure, RowKey},
    slice_query::{Comparison, Filter, InvalidSlice, SliceQuery},
    slice_request::SliceRequest,
};

/// Dimensions that a table has at most.
const MAX_DIMENSIONS: usize = 3;

/// Rows that a table may have, by the numbers of values of its dimensions.
const MAX_TABLE_ROWS: usize = 500_000;

const UNIT: Dimension = Dimension::Meeting(MeetingDimension::Unit);

/// A table, and which of its rows a query selects.
#[derive(Debug)]
pub(super) struct ReaderTable {
    /// All rows of the table. Its dimensions are in a fixed order, so that the same rows are hidden whatever the query.
    pub(super) query: SliceQuery,
    /// For each dimension of the table the values that the query selects; none selects all.
    selected: Vec<Option<Vec<String>>>,
    /// Whether totals over each dimension are in the slice: not over several units of a reader, which may share people.
    has_total: Vec<bool>,
    /// For each dimension of the slice, its index in the table.
    places: Vec<usize>,
}

impl ReaderTable {
    /// The table that a query with figures of people is answered from. `units` are those of the reader; none for all.
    pub(super) fn of(request: &SliceRequest, units: Option<Vec<String>>) -> Result<Self, InvalidSlice> {
        if let Some(measure) = request.measures.iter().find(|measure| !measure.is_for_readers()) {
            let known = Measure::all().filter(|measure| measure.is_for_readers()).map(Measure::name).collect::<Vec<_>>().join(", ");
            return Err(InvalidSlice::ReaderMeasure { measure: measure.name(), known });
        }
        let query = &request.query;
        let mut by = query.by.clone();
        let mut conditions: Vec<(Dimension, Vec<String>)> = Vec::new();
        for filter in &query.filters {
            let (Comparison::Equal, [_]) = (filter.comparison, &filter.values[..]) else {
                return Err(InvalidSlice::ReaderFilter { filter: filter.to_string() });
            };
            // A meeting may have both of two categories, so two filters would select what no row of the table has.
            if conditions.iter().any(|(dimension, _)| *dimension == filter.dimension) {
                return Err(InvalidSlice::ReaderFilter { filter: filter.to_string() });
            }
            conditions.push((filter.dimension, filter.values.clone()));
        }
        let names_unit = by.contains(&UNIT) || conditions.iter().any(|(dimension, _)| *dimension == UNIT);
        match units {
            Some(units) if units.len() > 1 && !names_unit => return Err(InvalidSlice::ReaderUnits { units }),
            Some(units) => conditions.push((UNIT, units)),
            None => {}
        }
        by.extend(conditions.iter().map(|(dimension, _)| *dimension));
        by.sort_unstable();
        by.dedup();
        if let Some(dimension) = by.iter().find(|dimension| !dimension.is_for_readers()) {
            return Err(InvalidSlice::ReaderDimension { dimension: *dimension });
        }
        if by.len() > MAX_DIMENSIONS {
            return Err(InvalidSlice::ReaderDimensions { most: MAX_DIMENSIONS });
        }
        let values_of = |dimension: &Dimension| {
            let mut own = conditions.iter().filter(|(of, _)| of == dimension).map(|(_, values)| values.clone());
            let first = own.next()?;
            Some(own.fold(first, |common, values| common.into_iter().filter(|value| values.contains(value)).collect()))
        };
        let selected: Vec<Option<Vec<String>>> = by.iter().map(values_of).collect();
        Ok(Self {
            has_total: selected.iter().map(|values| values.as_ref().is_none_or(|values| values.len() == 1)).collect(),
            places: query.by.iter().filter_map(|dimension| by.iter().position(|other| other == dimension)).collect(),
            selected,
            query: SliceQuery { filters: Vec::new(), with_frequencies: false, with_totals: true, by },
        })
    }

    /// Fails if the table could have too many rows, or a filter names a value that there is not.
    pub(super) fn check_size(&self, store: &FactsStore) -> Result<(), InvalidSlice> {
        let mut rows: usize = 1;
        for (dimension, selected) in self.query.by.iter().zip(&self.selected) {
            let values = store.catalog().values(*dimension).ok_or(InvalidSlice::NoRoll(*dimension))?;
            let filter = |values: &Vec<String>| Filter { dimension: *dimension, comparison: Comparison::Equal, values: values.clone() };
            selected.iter().map(filter).try_for_each(|filter| filter.check_values(values.values()))?;
            rows = rows.saturating_mul(values.values().len() + 2);
        }
        if rows > MAX_TABLE_ROWS { Err(InvalidSlice::TooManyRows { rows, most: MAX_TABLE_ROWS }) } else { Ok(()) }
    }

    /// The keys under which the slice has a row of the table; none if it is not selected. A row is also the total over a dimension of which one
    /// value is selected.
    pub(super) fn keys(&self, row: &[RowKey]) -> Vec<Vec<RowKey>> {
        let is_selected =
            row.iter().zip(&self.selected).zip(&self.has_total).enumerate().all(|(at, ((key, selected), has_total))| {
                match (key, selected) {
                    (RowKey::Value(value), Some(selected)) => selected.contains(value),
                    (RowKey::Without, Some(_)) | (RowKey::Total, Some(_)) => false,
                    (RowKey::Total, None) => *has_total,
                    (_, None) => self.places.contains(&at),
                }
            });
        if !is_selected {
            return Vec::new();
        }
        let mut keys: Vec<Vec<RowKey>> = vec![Vec::new()];
        for at in &self.places {
            let is_total_too = self.selected[*at].is_some() && self.has_total[*at];
            let with = |end: &RowKey| keys.iter().map(|keys| keys.iter().chain([end]).cloned().collect()).collect::<Vec<Vec<RowKey>>>();
            let totals = if is_total_too { with(&RowKey::Total) } else { Vec::new() };
            keys = with(&row[*at]).into_iter().chain(totals).collect();
        }
        keys
    }
}
