//! Disclosure control of slices: what a reader may see of the rows of any query.
//!
//! The published tables are fixed, so whole tables are checked there ([`crate::published`]). A slice is one of very many, and a reader may
//! ask for any two of them. So its counts of people, with the threshold `k` of the reader:
//!
//! 1. are withheld below `k`, except zero;
//! 2. are withheld if some people, but fewer than `k`, are left of the same row without one or more of its conditions: its filters and keys;
//! 3. are withheld with a row whose attendances or people are; and further rows are withheld until those of each sum protect each other;
//! 4. are rounded down to a multiple of `k`, and upper bounds up to the next one;
//! 5. are all withheld while a unit or coalition of the published tables is, because what a slice shows of the others would narrow it down.
//!
//! Guarantees: the difference of two counts that are shown, however close their filters or snapshots are, has at least `k` possible values.
//! The thresholds of all roles are multiples of each other, so a reader of one role learns nothing from that of another. Numbers of meetings
//! and of registered voters are public and exact. A share is that of the shown counts. Not guaranteed: that the exact totals of published
//! tables beside many slices leave `k` values for each withheld count; rounding makes it likely.

use std::collections::HashMap;

use crate::{
    access::{Reader, Scope},
    cell::Threshold,
    csv::field::Field,
    dimension::{Dimension, MeetingDimension},
    error::AnalyticsError,
    facts_store::FactsStore,
    slice::{Counted, Measure, MeasureValue, RowKey, RowValues, SliceTable, slice, slice_all},
    slice_output::SliceLine,
    slice_query::{Comparison, Filter, InvalidSlice, SliceQuery},
    slice_request::SliceRequest,
};

/// Filters of a reader's query: each one doubles the rows that are compared.
const MAX_FILTERS: usize = 4;

/// Rows of the slice without its filters, which bounds the memory of a request.
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
    let queries = with_filters_dropped(&in_scope(store, request.query.clone(), &reader.scope)?)?;
    let Some((widest, narrower)) = queries.split_last() else { return Ok(None) };
    // It has at least as many rows as each of the others.
    let widest = slice(store, widest)?;
    if widest.len() > MAX_ROWS {
        return Err(InvalidSlice::TooManyRows { rows: widest.len(), most: MAX_ROWS }.into());
    }
    let mut tables = slice_all(store, &narrower.iter().collect::<Vec<_>>())?;
    tables.push(widest);
    let measures = ShownMeasures::of(request);
    let all: Vec<KnownRows<'_>> = tables.iter().map(|table| known_rows(table, &measures.all)).collect();
    let Some(table) = tables.first() else { return Ok(None) };
    let rows = table.values(&measures.all);
    let mut hidden = vec![!is_complete; rows.len()];
    // What is withheld from a role with a lower threshold is withheld from this one.
    threshold.up_to_this().for_each(|threshold| hide_rows(threshold, &rows, &all, &measures, &mut hidden));
    let lines = rows.iter().zip(hidden).map(|(row, hidden)| SliceLine {
        keys: row.keys.to_vec(),
        values: measures.fields(|at, counted| count(threshold, counted, at, row, &all, hidden), &row.values),
    });
    Ok(Some(lines.collect()))
}

/// The query, restricted to the units of a scope.
fn in_scope(store: &FactsStore, mut query: SliceQuery, scope: &Scope) -> Result<SliceQuery, InvalidSlice> {
    let Scope::Units(units) = scope else { return Ok(query) };
    let known = store.meetings().values(MeetingDimension::Unit);
    let values: Vec<String> = units.iter().map(ToString::to_string).filter(|unit| known.number(unit).is_some()).collect();
    if values.is_empty() {
        return Err(InvalidSlice::UnknownScope(units.iter().map(ToString::to_string).collect()));
    }
    query.filters.push(Filter { dimension: Dimension::Meeting(MeetingDimension::Unit), comparison: Comparison::Equal, values });
    Ok(query)
}

/// The query, and every query that lacks one or more of its filters; the last one has none.
fn with_filters_dropped(query: &SliceQuery) -> Result<Vec<SliceQuery>, InvalidSlice> {
    let filters = &query.filters;
    if filters.len() > MAX_FILTERS {
        return Err(InvalidSlice::TooManyFilters { most: MAX_FILTERS });
    }
    let kept = |dropped: u32| filters.iter().enumerate().filter(move |(at, _)| dropped >> at & 1 == 0).map(|(_, filter)| filter.clone());
    Ok((0..1_u32 << filters.len()).map(|dropped| SliceQuery { filters: kept(dropped).collect(), ..query.clone() }).collect())
}

/// The measures that are computed: those to show, the parts and wholes of shares, attendances and people.
struct ShownMeasures {
    all: Vec<Measure>,
    /// How many of them are shown.
    shown: usize,
    contacts: usize,
    reached: usize,
}

impl ShownMeasures {
    fn of(request: &SliceRequest) -> Self {
        let mut all = request.measures.clone();
        for measure in &request.measures {
            if let Counted::Share { part, whole } = measure.counted() {
                all.extend([part, whole]);
            }
        }
        let (contacts, reached) = (all.len(), all.len() + 1);
        all.extend([Measure::CONTACTS, Measure::REACHED]);
        Self { all, shown: request.measures.len(), contacts, reached }
    }

    /// The fields to show of a row; `count` gives those of counts by index. A share is unknown or does not apply if the exact one is or does.
    fn fields(&self, count: impl Fn(usize, Counted) -> Field, exact: &[MeasureValue]) -> Vec<Field> {
        let counts: Vec<Field> = self.all.iter().enumerate().map(|(at, measure)| count(at, measure.counted())).collect();
        let of = |wanted: Measure| self.all.iter().position(|measure| *measure == wanted).map_or(Field::Empty, |at| counts[at].clone());
        let field = |at: usize| match (self.all[at].counted(), exact[at]) {
            (Counted::Share { .. }, MeasureValue::Unknown) => Field::Unknown,
            (Counted::Share { .. }, MeasureValue::NotApplicable) => Field::Empty,
            (Counted::Share { whole, .. }, _) if of(whole) == Field::Withheld => Field::Withheld,
            (Counted::Share { part, whole }, _) => Field::share(&of(part), &of(whole)),
            _ => counts[at].clone(),
        };
        (0..self.shown).map(field).collect()
    }
}

/// Values of the measures by the keys of their row.
type KnownRows<'a> = HashMap<&'a [RowKey], Vec<MeasureValue>>;

fn known_rows<'a>(table: &'a SliceTable, measures: &[Measure]) -> KnownRows<'a> {
    table.values(measures).into_iter().map(|row| (row.keys, row.values)).collect()
}

/// Hides rows of which attendances or people are withheld: by their own, or to protect those of other rows in a sum. Rows of meetings overlap
/// in people and, by some dimensions, in meetings; they are treated as parts of a sum, which withholds at least as much.
fn hide_rows(threshold: Threshold, rows: &[RowValues<'_>], all: &[KnownRows<'_>], measures: &ShownMeasures, hidden: &mut [bool]) {
    let count_of = |row: &RowValues<'_>, at: usize| if let MeasureValue::Count(count) = row.values[at] { count } else { 0 };
    let is_small = |row: &RowValues<'_>, at: usize| {
        let count = count_of(row, at);
        count > 0 && !(threshold.allows(count) && leaves_nobody_few(threshold, count, at, row.keys, all))
    };
    let sums = [measures.contacts, measures.reached];
    rows.iter().zip(&mut *hidden).for_each(|(row, hidden)| *hidden |= sums.iter().any(|at| is_small(row, *at)));
    let lines = lines(rows);
    loop {
        let before = hidden.to_vec();
        for (line, at) in lines.iter().flat_map(|line| sums.map(|at| (line, at))) {
            let parts: Vec<u64> = line.parts.iter().map(|row| count_of(&rows[*row], at)).collect();
            let mut of_line: Vec<bool> = line.parts.iter().map(|row| hidden[*row]).collect();
            threshold.suppress_line(&parts, line.total.is_some_and(|total| hidden[total]), &mut of_line);
            line.parts.iter().zip(of_line).for_each(|(row, is_hidden)| hidden[*row] = is_hidden);
        }
        if *hidden == before {
            return;
        }
    }
}

/// Rows that differ in one key, and the row that is their total. Numbers of rows.
#[derive(Default)]
struct Line {
    parts: Vec<usize>,
    total: Option<usize>,
}

fn lines(rows: &[RowValues<'_>]) -> Vec<Line> {
    let mut lines: HashMap<(usize, Vec<&RowKey>), Line> = HashMap::new();
    for (number, row) in rows.iter().enumerate() {
        for (at, key) in row.keys.iter().enumerate() {
            let others = row.keys.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, key)| key).collect();
            let line = lines.entry((at, others)).or_default();
            if *key == RowKey::Total { line.total = Some(number) } else { line.parts.push(number) }
        }
    }
    let mut lines: Vec<Line> = lines.into_values().collect();
    // The order of a hash map is random, and the result must not be.
    lines.sort_unstable_by(|one, other| (&one.parts, one.total).cmp(&(&other.parts, other.total)));
    lines
}

/// A count as it is shown; empty for a share. Of a hidden row no count of people is.
fn count(threshold: Threshold, counted: Counted, at: usize, row: &RowValues<'_>, all: &[KnownRows<'_>], is_hidden: bool) -> Field {
    let count = match row.values[at] {
        MeasureValue::Count(count) => count,
        MeasureValue::Unknown => return Field::Unknown,
        MeasureValue::NotApplicable | MeasureValue::Share(..) => return Field::Empty,
    };
    let k = threshold.people();
    match counted {
        Counted::Public | Counted::Share { .. } => Field::Count(count),
        _ if is_hidden || !threshold.allows(count) => Field::Withheld,
        _ if count == 0 => Field::Count(0),
        Counted::AtMostPeople => Field::Count(count - count % k + k),
        Counted::AtLeastPeople => Field::Count(count - count % k),
        Counted::People if leaves_nobody_few(threshold, count, at, row.keys, all) => Field::Count(count - count % k),
        Counted::People => Field::Withheld,
    }
}

/// Whether a count leaves nobody or enough people of the same row without some of its conditions.
fn leaves_nobody_few(threshold: Threshold, count: u64, at: usize, keys: &[RowKey], all: &[KnownRows<'_>]) -> bool {
    (0..1_u32 << keys.len()).all(|dropped| {
        let key = |(at, key): (usize, &RowKey)| if dropped >> at & 1 == 1 { RowKey::Total } else { key.clone() };
        let wider: Vec<RowKey> = keys.iter().enumerate().map(key).collect();
        let counts = all.iter().filter_map(|rows| rows.get(wider.as_slice()));
        counts.into_iter().all(|values| match values[at] {
            MeasureValue::Count(wider) => threshold.allows(wider.saturating_sub(count)),
            _ => true,
        })
    })
}
