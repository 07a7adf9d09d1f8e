//! Disclosure control of slices: what a reader may see of the rows of any query.
//!
//! Numbers of meetings and of registered voters are public: a slice of these alone is exact. Figures of people are not, and a reader may
//! combine any number of slices. Rounding and suppression in each slice by itself do not help: with lists of values and ranges of days as
//! filters, the rounded counts of some hundred overlapping sets of meetings determine each of them. So:
//!
//! 1. Figures of people come from a fixed set of tables ([`ReaderTable`]): one for every set of up to three coarse dimensions, with its totals.
//!    A query with figures of people selects rows of one of them: its filters are of different dimensions and name one value each.
//! 2. Each table is protected as a whole ([`mod@hidden_rows`]), and a row that belongs to several tables is hidden in all of them or in none.
//! 3. Shown are attendances, different people and gross attendance, and no figure that is a part or the difference of those.
//! 4. Counts are withheld below twice the threshold `k` of the published tables, and the others are rounded down to a multiple of that.
//! 5. A slice with a dimension of people leaves out rows of nobody and rows of few alike: that nobody of a sex and an age came says something
//!    about a person, if there is one.
//! 6. There are no figures of people while a unit or coalition of the published tables is withheld.
//!
//! Guarantees: a row is shown or hidden whatever the query. The thresholds of all roles are multiples of each other, so a reader of one role learns
//! nothing from that of another. Each number of attendances below `k` that is not zero is meant to keep at least `k` possible values beside all
//! tables and the exact totals of the page; tests attack random campaigns of four dimensions with linear programs, which is no proof.

mod hidden_rows;
mod reader_table;

use crate::{
    access::{Reader, Scope},
    cell::Threshold,
    csv::field::Field,
    dimension::{Dimension, MeetingDimension},
    error::AnalyticsError,
    facts_store::FactsStore,
    slice::{Counted, Measure, MeasureValue, RowKey, RowValues, slice},
    slice_output::SliceLine,
    slice_query::{Comparison, Filter, InvalidSlice, SliceQuery},
    slice_request::SliceRequest,
};
use hidden_rows::hidden_rows;
use reader_table::ReaderTable;

/// Rows that a slice may have, which bounds the memory of a request.
const MAX_ROWS: usize = 50_000;

/// The rows of a slice as a reader may see them; none for a role that sees no figures. A reader of some units sees their meetings alone.
/// `is_complete` says whether the published tables show every unit and coalition.
pub fn published_lines(
    store: &FactsStore,
    request: &SliceRequest,
    reader: &Reader,
    is_complete: bool,
) -> Result<Option<Vec<SliceLine>>, AnalyticsError> {
    let Some(threshold) = Threshold::of(reader) else { return Ok(None) };
    let units = units_of(store, &reader.scope)?;
    let in_scope = in_scope(&request.query, units.as_deref());
    if is_public(request) {
        return public_lines(store, request, &in_scope).map(Some);
    }
    let selected = ReaderTable::of(request, units)?;
    selected.check_size(store)?;
    let table = slice(store, &selected.query)?;
    let measures = TableMeasures::of(request);
    let rows = table.values(&measures.all);
    let hidden = if is_complete { hidden_rows(threshold, &rows, measures.sums) } else { vec![true; rows.len()] };
    let of_people = selected.query.person_dimension().is_some();
    let mut lines = Vec::new();
    for (row, is_hidden) in rows.iter().zip(hidden) {
        if of_people && (is_hidden || count_of(row, measures.sums[0]) == 0) {
            continue;
        }
        let values = || measures.fields(threshold, row, is_hidden);
        lines.extend(selected.keys(row.keys).into_iter().map(|keys| SliceLine { keys, values: values() }));
    }
    if lines.is_empty() && !of_people {
        return zero_lines(store, request, &in_scope).map(Some);
    }
    lines.sort_by(|one, other| one.keys.cmp(&other.keys));
    Ok(Some(lines))
}

/// The units of a scope that the campaign has; none for the whole region.
fn units_of(store: &FactsStore, scope: &Scope) -> Result<Option<Vec<String>>, InvalidSlice> {
    let Scope::Units(units) = scope else { return Ok(None) };
    let known = store.meetings().values(MeetingDimension::Unit);
    let values: Vec<String> = units.iter().map(ToString::to_string).filter(|unit| known.number(unit).is_some()).collect();
    if values.is_empty() {
        return Err(InvalidSlice::UnknownScope(units.iter().map(ToString::to_string).collect()));
    }
    Ok(Some(values))
}

/// Whether a slice has figures of meetings and voters alone. In rows of people nothing is public, not even that there is a row.
fn is_public(request: &SliceRequest) -> bool {
    let is_public = |measure: &Measure| match measure.counted() {
        Counted::Share { part, whole } => [part, whole].iter().all(|one| one.counted() == Counted::Public),
        counted => counted == Counted::Public,
    };
    request.query.person_dimension().is_none() && request.measures.iter().all(is_public)
}

/// A query, restricted to some units.
fn in_scope(query: &SliceQuery, units: Option<&[String]>) -> SliceQuery {
    let dimension = Dimension::Meeting(MeetingDimension::Unit);
    let scope = units.map(|units| Filter { dimension, comparison: Comparison::Equal, values: units.to_vec() });
    SliceQuery { filters: query.filters.iter().cloned().chain(scope).collect(), ..query.clone() }
}

/// The exact rows of a slice that has no figures of people.
fn public_lines(store: &FactsStore, request: &SliceRequest, query: &SliceQuery) -> Result<Vec<SliceLine>, AnalyticsError> {
    let table = slice(store, query)?;
    match table.len() {
        rows if rows > MAX_ROWS => Err(InvalidSlice::TooManyRows { rows, most: MAX_ROWS }.into()),
        _ => Ok(SliceLine::exact(&table, &request.measures)),
    }
}

/// The rows of a slice of no meetings; none if there is one after all.
fn zero_lines(store: &FactsStore, request: &SliceRequest, query: &SliceQuery) -> Result<Vec<SliceLine>, AnalyticsError> {
    let table = slice(store, query)?;
    let is_empty = table.values(&[Measure::GROSS, Measure::CONTACTS]).iter().all(|row| count_of(row, 0) + count_of(row, 1) == 0);
    Ok(if is_empty { SliceLine::exact(&table, &request.measures) } else { Vec::new() })
}

/// A count by its index; 0 if it is not known or does not apply.
fn count_of(row: &RowValues<'_>, at: usize) -> u64 {
    if let MeasureValue::Count(count) = row.values[at] { count } else { 0 }
}

/// The measures that are computed: those to show, the parts and wholes of shares, attendances, people and gross attendance.
struct TableMeasures {
    all: Vec<Measure>,
    /// How many of them are shown.
    shown: usize,
    /// Indexes of attendances and people.
    sums: [usize; 2],
    gross: usize,
}

impl TableMeasures {
    fn of(request: &SliceRequest) -> Self {
        let mut all = request.measures.clone();
        for measure in &request.measures {
            if let Counted::Share { part, whole } = measure.counted() {
                all.extend([part, whole]);
            }
        }
        let first = all.len();
        all.extend([Measure::CONTACTS, Measure::REACHED, Measure::GROSS]);
        Self { all, shown: request.measures.len(), sums: [first, first + 1], gross: first + 2 }
    }

    /// The fields to show of a row. A share is that of the shown counts; unknown or not applicable if the exact one is.
    fn fields(&self, threshold: Threshold, row: &RowValues<'_>, is_hidden: bool) -> Vec<Field> {
        let of = |wanted: Measure| {
            self.all.iter().position(|measure| *measure == wanted).map_or(Field::Empty, |at| self.count(threshold, row, at, is_hidden))
        };
        let field = |at: usize| match (self.all[at].counted(), row.values[at]) {
            (Counted::Share { part, whole }, _) if [part, whole].map(of).contains(&Field::Withheld) => Field::Withheld,
            (Counted::Share { .. }, MeasureValue::Unknown) => Field::Unknown,
            (Counted::Share { .. }, MeasureValue::NotApplicable) => Field::Empty,
            (Counted::Share { part, whole }, _) => Field::share(&of(part), &of(whole)),
            _ => self.count(threshold, row, at, is_hidden),
        };
        (0..self.shown).map(field).collect()
    }

    /// A count as it is shown. Of a hidden row no figure of people is, not even that it is unknown.
    fn count(&self, threshold: Threshold, row: &RowValues<'_>, at: usize, is_hidden: bool) -> Field {
        let is_public = self.all[at].counted() == Counted::Public;
        let others = || count_of(row, self.gross).saturating_sub(count_of(row, self.sums[0]));
        match row.values[at] {
            _ if is_hidden && !is_public => Field::Withheld,
            // Who came and is no voter, or was not identified, follows from it.
            MeasureValue::Count(_) if self.all[at] == Measure::GROSS && (1..threshold.min_beyond_lists()).contains(&others()) => {
                Field::Withheld
            }
            MeasureValue::Count(count) if is_public => Field::Count(count),
            MeasureValue::Count(count) => Field::Count(count - count % slice_threshold(threshold).people()),
            MeasureValue::Unknown => Field::Unknown,
            MeasureValue::NotApplicable | MeasureValue::Share(..) => Field::Empty,
        }
    }
}

/// The threshold of slices: twice that of the published tables. An attacker can intersect the ranges of several slices; with twice the threshold, a
/// count below the published one is meant to keep at least that many possible values.
pub(crate) fn slice_threshold(published: Threshold) -> Threshold {
    published.times(2)
}

/// Number of keys that are no totals.
fn conditions(keys: &[RowKey]) -> usize {
    keys.iter().filter(|key| **key != RowKey::Total).count()
}
