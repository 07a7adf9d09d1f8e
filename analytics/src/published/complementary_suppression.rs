//! Complementary suppression over the tables of units and coalitions, which partition the same meetings.
//!
//! A unit and its coalitions are one group; a coalition of the whole region is a group of its own. If a unit's row is withheld, its
//! coalitions' rows are, since they have the same people. Groups are withheld until every table is safe beside the region, and until the
//! difference between a unit and its coalitions, in people or in gross attendance from lists, is zero or large enough. A row that has all
//! meetings is the region. Categories may overlap; they are treated as a partition, which withholds at least as much.

use super::{
    PublishedAudience,
    gross_composition::{GrossComposition, reveals_list_length},
    region_cells::{BaseCells, GroupedRow, RegionCells},
};
use crate::{
    cell::Cell,
    coverage::{self, Coverage, MeetingFigures},
};

/// Suppressed audiences of the rows of both tables.
pub(super) struct ComplementarySuppression {
    pub(super) units: Vec<PublishedAudience>,
    pub(super) coalitions: Vec<PublishedAudience>,
}

impl ComplementarySuppression {
    pub(super) fn of(coverage: &Coverage, region: &RegionCells<'_>) -> Self {
        let units = rows_of_own_groups(coverage.units.iter().map(|unit| &unit.figures));
        let mut groups = units.len();
        let mut group = |coalition: &coverage::CoalitionCoverage| {
            let own = coalition.unit.as_ref().and_then(|code| coverage.units.iter().position(|unit| unit.unit == *code));
            own.unwrap_or_else(|| {
                groups += 1;
                groups - 1
            })
        };
        let coalitions: Vec<GroupedRow<'_>> =
            coverage.coalitions.iter().map(|coalition| GroupedRow { group: group(coalition), figures: &coalition.figures }).collect();
        let tables = [units.as_slice(), coalitions.as_slice()];
        let people = withheld_people(region, tables, groups);
        let gross = withheld_gross(region, tables, &people);
        let outside = column(region, &units, |row| row.outside, region.audience.outside);
        let weak = column(region, &units, |row| row.weak, region.audience.weak);
        let gross_of = |row: &GroupedRow<'_>| Cell::unless(gross[row.group], row.figures.audience.gross);
        let unit = |row: &GroupedRow<'_>| {
            let exact = &row.figures.audience;
            let cells = BaseCells {
                gross: gross_of(row),
                contacts: Cell::unless(people[row.group], exact.contacts),
                reached: Cell::unless(people[row.group], exact.reach.reached),
                outside: outside[row.group],
                weak: weak[row.group],
            };
            cells.audience(exact)
        };
        let coalition = |row: &GroupedRow<'_>| without_additive_columns(row.figures, people[row.group], gross_of(row));
        let mut suppressed = Self { units: units.iter().map(unit).collect(), coalitions: coalitions.iter().map(coalition).collect() };
        for (table, audiences) in [(&units, &mut suppressed.units), (&coalitions, &mut suppressed.coalitions)] {
            row_with_all_meetings(region, table).into_iter().for_each(|place| audiences[place] = region.audience);
        }
        suppressed
    }
}

/// The rows of a table in which every row is a group.
fn rows_of_own_groups<'a>(figures: impl Iterator<Item = &'a MeetingFigures>) -> Vec<GroupedRow<'a>> {
    figures.enumerate().map(|(group, figures)| GroupedRow { group, figures }).collect()
}

/// The coalitions of a unit, which are in its group.
fn coalitions_of<'a>(unit: &GroupedRow<'_>, coalitions: &'a [GroupedRow<'a>]) -> impl Iterator<Item = &'a GroupedRow<'a>> {
    let group = unit.group;
    coalitions.iter().filter(move |coalition| coalition.group == group)
}

/// Index of the row that has all held meetings of the region: its figures are those of the region, so withholding them would protect
/// nothing.
fn row_with_all_meetings(region: &RegionCells<'_>, rows: &[GroupedRow<'_>]) -> Option<usize> {
    let mut with_meetings = rows.iter().enumerate().filter(|(_, row)| row.figures.fulfilment.held > 0);
    let (place, row) = with_meetings.next()?;
    (with_meetings.next().is_none() && row.figures.fulfilment.held == region.figures.fulfilment.held).then_some(place)
}

/// Suppresses a column that adds up to the region's total.
fn column(region: &RegionCells<'_>, rows: &[GroupedRow<'_>], count: fn(&coverage::Audience) -> u64, total: Cell) -> Vec<Cell> {
    region.threshold.suppress_parts(&rows.iter().map(|row| count(&row.figures.audience)).collect::<Vec<_>>(), total)
}

/// Rows of which a column is withheld, or would be if it were published: eligible people, outsiders, people of unknown eligibility, or
/// weakly identified ones.
fn partly_withheld(region: &RegionCells<'_>, rows: &[GroupedRow<'_>], people: &[bool]) -> Vec<bool> {
    let outside = column(region, rows, |row| row.outside, region.audience.outside);
    let weak = column(region, rows, |row| row.weak, region.audience.weak);
    let unstated = column(region, rows, |row| row.unstated, region.unstated());
    let is_partial = |place: usize| [outside[place], weak[place], unstated[place]].contains(&Cell::WITHHELD);
    rows.iter().enumerate().map(|(place, row)| people[row.group] || is_partial(place)).collect()
}

/// Which of `groups` have their people withheld.
fn withheld_people(region: &RegionCells<'_>, tables: [&[GroupedRow<'_>]; 2], groups: usize) -> Vec<bool> {
    let mut hidden = vec![false; groups];
    let [units, coalitions] = tables;
    for row in units.iter().chain(coalitions) {
        hidden[row.group] |= region.is_small(&row.figures.audience);
    }
    for unit in units {
        let own: Vec<u64> = coalitions_of(unit, coalitions).map(|row| row.figures.audience.reach.reached).collect();
        let sum: u64 = own.iter().sum();
        let few = |part: u64| {
            let exact = &unit.figures.audience;
            let left = [exact.contacts, exact.reach.reached].map(|all| all.saturating_sub(part));
            !left.into_iter().all(|left| region.threshold.allows(left))
        };
        hidden[unit.group] |= own.into_iter().chain([sum]).any(few);
    }
    suppress_until_safe(&tables, &mut hidden, |row| row.audience.contacts, |table, hidden| region.people_safe(table, hidden));
    // A coalition of the whole region has meetings in several units, or in one of them alone.
    if hidden.contains(&true) {
        hidden[units.len()..].fill(true);
    }
    hidden
}

/// Which groups have their gross attendance withheld, given those whose people are.
fn withheld_gross(region: &RegionCells<'_>, tables: [&[GroupedRow<'_>]; 2], people: &[bool]) -> Vec<bool> {
    let [units, coalitions] = tables;
    // Gross attendance must not reveal complementary suppressions.
    let mut complementary = vec![false; people.len()];
    for table in tables {
        for (row, is_partial) in table.iter().zip(partly_withheld(region, table, people)) {
            complementary[row.group] |= is_partial;
        }
    }
    let mut hidden = vec![false; people.len()];
    for row in units.iter().chain(coalitions) {
        hidden[row.group] |= reveals_list_length(row.figures, region.threshold) && complementary[row.group];
    }
    for row in units {
        let unit = GrossComposition::of(row.figures);
        let own: Vec<GrossComposition> = coalitions_of(row, coalitions).map(|row| GrossComposition::of(row.figures)).collect();
        // The difference to the unit's own coalitions is the gross attendance of the meetings that a coalition of the whole region held
        // there.
        let left = own.iter().copied().fold(unit, GrossComposition::without);
        let discloses = |part: GrossComposition| region.is_disclosive(part, unit);
        let left_discloses =
            !left.is_empty() && (discloses(left) || (left.reveals_list_length(region.threshold) && complementary[row.group]));
        hidden[row.group] |= left_discloses || own.into_iter().any(discloses);
    }
    complementary[units.len()..].fill(true);
    hide_complementary(&mut hidden, &complementary);
    suppress_until_safe(&tables, &mut hidden, |row| row.audience.gross, |table, hidden| region.gross_safe(table, hidden));
    hide_complementary(&mut hidden, &complementary);
    hidden
}

/// If any group is withheld, withholds the complementary ones, too.
fn hide_complementary(hidden: &mut [bool], complementary: &[bool]) {
    if hidden.contains(&true) {
        hidden.iter_mut().zip(complementary).for_each(|(hidden, complementary)| *hidden |= *complementary);
    }
}

/// Suppresses a table of which only reach and gross attendance are published; every row is a group.
pub(super) fn categories(region: &RegionCells<'_>, figures: &[&MeetingFigures]) -> Vec<PublishedAudience> {
    let rows = rows_of_own_groups(figures.iter().copied());
    let mut people: Vec<bool> = figures.iter().map(|row| region.is_small(&row.audience)).collect();
    suppress_until_safe(&[rows.as_slice()], &mut people, |row| row.audience.contacts, |table, hidden| region.people_safe(table, hidden));
    let gross = gross_of_rows(region, &rows, &people);
    let mut audiences: Vec<PublishedAudience> =
        rows.iter().zip(gross).map(|(row, gross)| without_additive_columns(row.figures, people[row.group], gross)).collect();
    row_with_all_meetings(region, &rows).into_iter().for_each(|place| audiences[place] = region.audience);
    audiences
}

/// Suppresses the gross attendance of weeks. Published beside it is only who was reached for the first time; the difference are people who
/// had come before.
pub(super) fn weeks(region: &RegionCells<'_>, figures: &[&MeetingFigures], firsts: &[u64]) -> Vec<Cell> {
    let rows = rows_of_own_groups(figures.iter().copied());
    let contacts = column(region, &rows, |row| row.contacts, region.audience.contacts);
    let again: Vec<u64> = figures.iter().zip(firsts).map(|(row, first)| row.audience.contacts.saturating_sub(*first)).collect();
    let again = region.threshold.suppress_parts(&again, region.repeats());
    let people: Vec<bool> = contacts.iter().zip(again).map(|(contacts, again)| [*contacts, again].contains(&Cell::WITHHELD)).collect();
    let mut gross = gross_of_rows(region, &rows, &people);
    row_with_all_meetings(region, &rows).into_iter().for_each(|place| gross[place] = region.audience.gross);
    gross
}

/// Suppresses the gross attendance of rows that are groups of their own, given those whose people are withheld.
fn gross_of_rows(region: &RegionCells<'_>, rows: &[GroupedRow<'_>], people: &[bool]) -> Vec<Cell> {
    let complementary = partly_withheld(region, rows, people);
    let mut hidden: Vec<bool> =
        rows.iter().zip(&complementary).map(|(row, partial)| reveals_list_length(row.figures, region.threshold) && *partial).collect();
    hide_complementary(&mut hidden, &complementary);
    suppress_until_safe(&[rows], &mut hidden, |row| row.audience.gross, |table, hidden| region.gross_safe(table, hidden));
    rows.iter().zip(hidden).map(|(row, hidden)| Cell::unless(hidden, row.figures.audience.gross)).collect()
}

/// A row without additive columns: compared with the same columns of the units they would disclose who came to which coalition there.
fn without_additive_columns(row: &MeetingFigures, withheld: bool, gross: Cell) -> PublishedAudience {
    let reached = Cell::unless(withheld, row.audience.reach.reached);
    let none = Cell::WITHHELD;
    BaseCells { gross, contacts: none, reached, outside: none, weak: none }.audience(&row.audience)
}

/// Withholds further groups, the smallest first, until every table is safe; all groups if that is not enough.
fn suppress_until_safe(
    tables: &[&[GroupedRow<'_>]],
    hidden: &mut [bool],
    count: fn(&MeetingFigures) -> u64,
    safe: impl Fn(&[GroupedRow<'_>], &[bool]) -> bool,
) {
    loop {
        let mut next = None;
        let mut done = true;
        for table in tables.iter().copied() {
            if safe(table, hidden) {
                continue;
            }
            done = false;
            let open = table.iter().filter(|row| !hidden[row.group] && count(row.figures) > 0).map(|row| (count(row.figures), row.group));
            next = next.into_iter().chain(open).min();
        }
        match next {
            _ if done => return,
            Some((_, group)) => hidden[group] = true,
            None => return hidden.fill(true),
        }
    }
}
