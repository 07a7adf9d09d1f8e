//! Complementary suppression over the tables of units and coalitions, which partition the same meetings.
//!
//! A unit and its coalitions are one group; a coalition of the whole region is a group of its own. If a unit's row is withheld, its
//! coalitions' rows are, since they have the same people. Groups are withheld until every table is safe beside the region, and until the
//! difference between a unit and its coalitions, in people or in gross attendance from lists, is zero or large enough. A row that has all
//! meetings is the region. Categories may overlap; they are treated as a partition, which withholds at least as much.

use crate::{
    cell::Cell,
    coverage::{self, Coverage, Slice},
    published::{
        Audience,
        region::{Columns, GrossComposition, Region, Row, reveals_list_length},
    },
};

/// Suppressed audiences of the rows of both tables.
pub(super) struct ComplementarySuppression {
    pub(super) units: Vec<Audience>,
    pub(super) coalitions: Vec<Audience>,
}

impl ComplementarySuppression {
    pub(super) fn of(coverage: &Coverage, region: &Region<'_>) -> Self {
        let units: Vec<Row<'_>> = coverage.units.iter().map(|unit| &unit.slice).enumerate().collect();
        let mut groups = units.len();
        let mut group = |coalition: &coverage::Coalition| {
            let own = coalition.unit.as_ref().and_then(|code| coverage.units.iter().position(|unit| unit.unit == *code));
            own.unwrap_or_else(|| {
                groups += 1;
                groups - 1
            })
        };
        let coalitions: Vec<Row<'_>> = coverage.coalitions.iter().map(|exact| (group(exact), &exact.slice)).collect();
        let tables = [units.as_slice(), coalitions.as_slice()];
        let people = withheld_people(region, tables, groups);
        let gross = withheld_gross(region, tables, &people);
        let outside = column(region, &units, |row| row.outside, region.audience.outside);
        let weak = column(region, &units, |row| row.weak, region.audience.weak);
        let shown = |group: usize, row: &Slice| Cell::unless(gross[group], row.audience.gross);
        let unit = |(group, row): &Row<'_>| {
            let columns = Columns {
                gross: shown(*group, row),
                contacts: Cell::unless(people[*group], row.audience.contacts),
                reached: Cell::unless(people[*group], row.audience.reach.reached),
                outside: outside[*group],
                weak: weak[*group],
            };
            columns.audience(&row.audience)
        };
        let coalition = |(group, row): &Row<'_>| without_additive_columns(row, people[*group], shown(*group, row));
        let mut suppressed = Self { units: units.iter().map(unit).collect(), coalitions: coalitions.iter().map(coalition).collect() };
        for (table, audiences) in [(&units, &mut suppressed.units), (&coalitions, &mut suppressed.coalitions)] {
            row_with_all_meetings(region, table).into_iter().for_each(|place| audiences[place] = region.audience);
        }
        suppressed
    }
}

/// Index of the row that has all held meetings of the region: its figures are those of the region, so withholding them would protect
/// nothing.
fn row_with_all_meetings(region: &Region<'_>, rows: &[Row<'_>]) -> Option<usize> {
    let mut held = rows.iter().enumerate().filter(|(_, (_, row))| row.fulfilment.held > 0);
    let (place, (_, row)) = held.next()?;
    (held.next().is_none() && row.fulfilment.held == region.slice.fulfilment.held).then_some(place)
}

/// Suppresses a column that adds up to the region's total.
fn column(region: &Region<'_>, rows: &[Row<'_>], count: fn(&coverage::Audience) -> u64, total: Cell) -> Vec<Cell> {
    region.threshold.suppress_parts(&rows.iter().map(|(_, row)| count(&row.audience)).collect::<Vec<_>>(), total)
}

/// Rows of which a column is withheld, or would be if it were published: eligible people, outsiders, people of unknown eligibility, or
/// weakly identified ones.
fn partial(region: &Region<'_>, rows: &[Row<'_>], people: &[bool]) -> Vec<bool> {
    let outside = column(region, rows, |row| row.outside, region.audience.outside);
    let weak = column(region, rows, |row| row.weak, region.audience.weak);
    let unstated = column(region, rows, |row| row.unstated, region.unstated());
    let is_partial = |place: usize| [outside[place], weak[place], unstated[place]].contains(&Cell::WITHHELD);
    rows.iter().enumerate().map(|(place, (group, _))| people[*group] || is_partial(place)).collect()
}

/// Which of `groups` have their people withheld.
fn withheld_people(region: &Region<'_>, tables: [&[Row<'_>]; 2], groups: usize) -> Vec<bool> {
    let mut hidden = vec![false; groups];
    let [units, coalitions] = tables;
    for (group, row) in units.iter().chain(coalitions) {
        hidden[*group] |= region.is_small(&row.audience);
    }
    for (group, unit) in units {
        let own: Vec<u64> = coalitions.iter().filter(|(own, _)| own == group).map(|(_, row)| row.audience.reach.reached).collect();
        let sum: u64 = own.iter().sum();
        let few = |part: u64| {
            let left = [unit.audience.contacts, unit.audience.reach.reached].map(|all| all.saturating_sub(part));
            !left.into_iter().all(|left| region.threshold.allows(left))
        };
        hidden[*group] |= own.into_iter().chain([sum]).any(few);
    }
    suppress_until_safe(&tables, &mut hidden, |row| row.audience.contacts, |table, hidden| region.people_safe(table, hidden));
    // A coalition of the whole region has meetings in several units, or in one of them alone.
    if hidden.contains(&true) {
        hidden[units.len()..].fill(true);
    }
    hidden
}

/// Which groups have their gross attendance withheld, given those whose people are.
fn withheld_gross(region: &Region<'_>, tables: [&[Row<'_>]; 2], people: &[bool]) -> Vec<bool> {
    let [units, coalitions] = tables;
    // Gross attendance must not reveal complementary suppressions.
    let mut complementary = vec![false; people.len()];
    for table in tables {
        for ((group, _), partial) in table.iter().zip(partial(region, table, people)) {
            complementary[*group] |= partial;
        }
    }
    let mut hidden = vec![false; people.len()];
    for (group, row) in units.iter().chain(coalitions) {
        hidden[*group] |= reveals_list_length(row, region.threshold) && complementary[*group];
    }
    for (group, unit) in units {
        let unit = GrossComposition::of(unit);
        let own = coalitions.iter().filter(|(own, _)| own == group).map(|(_, row)| GrossComposition::of(row));
        // The difference to the unit's own coalitions is the gross attendance of the meetings that a coalition of the whole region held
        // there.
        let rest = own.clone().fold(unit, GrossComposition::without);
        let discloses = |part: GrossComposition| region.is_disclosive(part, unit);
        hidden[*group] |= own.into_iter().any(discloses);
        hidden[*group] |= !rest.is_empty() && (discloses(rest) || (rest.reveals_list_length(region.threshold) && complementary[*group]));
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
pub(super) fn categories(region: &Region<'_>, slices: &[&Slice]) -> Vec<Audience> {
    let rows: Vec<Row<'_>> = slices.iter().copied().enumerate().collect();
    let mut people: Vec<bool> = slices.iter().map(|row| region.is_small(&row.audience)).collect();
    suppress_until_safe(&[rows.as_slice()], &mut people, |row| row.audience.contacts, |table, hidden| region.people_safe(table, hidden));
    let gross = gross_of_rows(region, &rows, &people);
    let mut audiences: Vec<Audience> =
        rows.iter().zip(gross).map(|((group, row), gross)| without_additive_columns(row, people[*group], gross)).collect();
    row_with_all_meetings(region, &rows).into_iter().for_each(|place| audiences[place] = region.audience);
    audiences
}

/// Suppresses the gross attendance of weeks. Published beside it is only who was reached for the first time; the difference are people who
/// had come before.
pub(super) fn weeks(region: &Region<'_>, slices: &[&Slice], firsts: &[u64]) -> Vec<Cell> {
    let rows: Vec<Row<'_>> = slices.iter().copied().enumerate().collect();
    let contacts = column(region, &rows, |row| row.contacts, region.audience.contacts);
    let again: Vec<u64> = slices.iter().zip(firsts).map(|(row, first)| row.audience.contacts.saturating_sub(*first)).collect();
    let again = region.threshold.suppress_parts(&again, region.repeats());
    let people: Vec<bool> = contacts.iter().zip(again).map(|(contacts, again)| [*contacts, again].contains(&Cell::WITHHELD)).collect();
    let mut gross = gross_of_rows(region, &rows, &people);
    row_with_all_meetings(region, &rows).into_iter().for_each(|place| gross[place] = region.audience.gross);
    gross
}

/// Suppresses the gross attendance of rows that are groups of their own, given those whose people are withheld.
fn gross_of_rows(region: &Region<'_>, rows: &[Row<'_>], people: &[bool]) -> Vec<Cell> {
    let complementary = partial(region, rows, people);
    let mut hidden: Vec<bool> =
        rows.iter().zip(&complementary).map(|((_, row), partial)| reveals_list_length(row, region.threshold) && *partial).collect();
    hide_complementary(&mut hidden, &complementary);
    suppress_until_safe(&[rows], &mut hidden, |row| row.audience.gross, |table, hidden| region.gross_safe(table, hidden));
    rows.iter().zip(hidden).map(|((_, row), hidden)| Cell::unless(hidden, row.audience.gross)).collect()
}

/// A row without additive columns: compared with the same columns of the units they would disclose who came to which coalition there.
fn without_additive_columns(row: &Slice, withheld: bool, gross: Cell) -> Audience {
    let reached = Cell::unless(withheld, row.audience.reach.reached);
    let none = Cell::WITHHELD;
    Columns { gross, contacts: none, reached, outside: none, weak: none }.audience(&row.audience)
}

/// Withholds further groups, the smallest first, until every table is safe; all groups if that is not enough.
fn suppress_until_safe(tables: &[&[Row<'_>]], hidden: &mut [bool], count: fn(&Slice) -> u64, safe: impl Fn(&[Row<'_>], &[bool]) -> bool) {
    loop {
        let mut next = None;
        let mut done = true;
        for table in tables.iter().copied() {
            if safe(table, hidden) {
                continue;
            }
            done = false;
            let open = table.iter().filter(|(group, row)| !hidden[*group] && count(row) > 0).map(|(group, row)| (count(row), *group));
            next = next.into_iter().chain(open).min();
        }
        match next {
            _ if done => return,
            Some((_, group)) => hidden[group] = true,
            None => return hidden.fill(true),
        }
    }
}
