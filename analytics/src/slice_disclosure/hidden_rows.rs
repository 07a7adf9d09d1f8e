//! Which rows of a table with all its totals are hidden from a reader.
//!
//! Rows with fewer keys first, so that whether a row is hidden depends on its own dimensions and never on further ones of the table: a row that
//! belongs to several tables is hidden in all of them or in none.

use std::collections::HashMap;

use super::{conditions, count_of, slice_threshold};
use crate::{
    cell::Threshold,
    slice::{RowKey, RowValues},
};

/// Rows that differ in one key, and the row that is their total. Numbers of rows.
#[derive(Default)]
struct Line {
    parts: Vec<usize>,
    total: Option<usize>,
}

/// Whether each row is hidden. `sums` are the indexes of attendances and people.
///
/// A row is hidden if a count of it is small, or what it leaves of the same row without some of its keys; then further rows are, until the
/// hidden ones of each line are at least two and have as many possible values as the threshold; and so are parts of a hidden total. What is
/// hidden from a role with a lower threshold is hidden from all.
pub(super) fn hidden_rows(threshold: Threshold, rows: &[RowValues<'_>], sums: [usize; 2]) -> Vec<bool> {
    let mut hidden = vec![false; rows.len()];
    let numbers: HashMap<&[RowKey], usize> = rows.iter().zip(0..).map(|(row, number)| (row.keys, number)).collect();
    let lines = lines(rows);
    for threshold in threshold.up_to_this().map(slice_threshold) {
        let is_small = |row: &RowValues<'_>| sums.iter().any(|at| !leaves_enough(threshold, row, *at, rows, &numbers));
        rows.iter().zip(&mut hidden).for_each(|(row, hidden)| *hidden |= is_small(row));
        for lines in &lines {
            protect_lines(threshold, rows, sums, lines, &mut hidden);
        }
    }
    hidden
}

/// Hides further rows of some lines until nothing changes: a row may be in several.
fn protect_lines(threshold: Threshold, rows: &[RowValues<'_>], sums: [usize; 2], lines: &[Line], hidden: &mut [bool]) {
    loop {
        let before = hidden.to_vec();
        for (line, at) in lines.iter().flat_map(|line| sums.map(|at| (line, at))) {
            let parts: Vec<u64> = line.parts.iter().map(|row| count_of(&rows[*row], at)).collect();
            let mut of_line: Vec<bool> = line.parts.iter().map(|row| hidden[*row]).collect();
            threshold.suppress_crossing_line(&parts, line.total.is_some_and(|total| hidden[total]), &mut of_line);
            line.parts.iter().zip(of_line).for_each(|(row, is_hidden)| hidden[*row] = is_hidden);
        }
        if *hidden == before {
            return;
        }
    }
}

/// The lines of a table, those of rows with fewer keys first.
fn lines(rows: &[RowValues<'_>]) -> Vec<Vec<Line>> {
    let dimensions = rows.first().map_or(0, |row| row.keys.len());
    let mut lines: HashMap<(usize, Vec<&RowKey>), Line> = HashMap::new();
    for (number, row) in rows.iter().enumerate() {
        for (at, key) in row.keys.iter().enumerate() {
            let others = row.keys.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, key)| key).collect();
            let line = lines.entry((at, others)).or_default();
            if *key == RowKey::Total { line.total = Some(number) } else { line.parts.push(number) }
        }
    }
    let mut by_keys: Vec<Vec<Line>> = (0..dimensions).map(|_| Vec::new()).collect();
    for line in lines.into_values() {
        if let Some(keys) = line.parts.first().map(|part| conditions(rows[*part].keys)) {
            by_keys[keys - 1].push(line);
        }
    }
    // The order of a hash map is random, and the result must not be.
    by_keys.iter_mut().for_each(|lines| lines.sort_unstable_by(|one, other| (&one.parts, one.total).cmp(&(&other.parts, other.total))));
    by_keys
}

/// Whether a count is zero or large enough, and leaves nobody or enough people of the same row without some of its keys.
fn leaves_enough(
    threshold: Threshold,
    row: &RowValues<'_>,
    at: usize,
    rows: &[RowValues<'_>],
    numbers: &HashMap<&[RowKey], usize>,
) -> bool {
    let count = count_of(row, at);
    let wider = |dropped: u32| {
        let key = |(at, key): (usize, &RowKey)| if dropped >> at & 1 == 1 { RowKey::Total } else { key.clone() };
        let keys: Vec<RowKey> = row.keys.iter().enumerate().map(key).collect();
        numbers.get(keys.as_slice()).map_or(count, |number| count_of(&rows[*number], at))
    };
    count == 0
        || threshold.allows(count) && (0..1_u32 << row.keys.len()).all(|dropped| threshold.allows(wider(dropped).saturating_sub(count)))
}
