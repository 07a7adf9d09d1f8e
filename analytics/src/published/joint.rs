//! Units and coalitions share the same meetings out twice, so their rows are withheld together.
//!
//! A unit and its coalitions are one group, a coalition of the whole region is one of its own: where a unit's row is withheld, the same
//! people must not stand in its coalition's. Groups are withheld until every table is safe beside the region, and what a unit's row
//! leaves of its coalitions is nobody or enough people. Categories may overlap; their table is treated as if they did not, which
//! withholds no less.

use crate::{
    cell::Cell,
    coverage::{self, Coverage, Slice},
    published::{
        Audience,
        region::{Columns, Region, Row, is_listed},
    },
};

/// Audiences of the rows of the tables, cleared.
pub(super) struct Joint {
    pub(super) units: Vec<Audience>,
    pub(super) coalitions: Vec<Audience>,
}

impl Joint {
    pub(super) fn of(coverage: &Coverage, region: &Region<'_>) -> Self {
        let units: Vec<Row<'_>> = coverage.units.iter().map(|unit| &unit.slice).enumerate().collect();
        let mut next = units.len();
        let mut group = |coalition: &coverage::Coalition| {
            let own = coalition.unit.as_ref().and_then(|code| coverage.units.iter().position(|unit| unit.unit == *code));
            own.unwrap_or_else(|| {
                next += 1;
                next - 1
            })
        };
        let coalitions: Vec<Row<'_>> = coverage.coalitions.iter().map(|held| (group(held), &held.slice)).collect();
        let tables = [units.as_slice(), coalitions.as_slice()];
        let people = people(region, tables, next);
        let family = |count: fn(&coverage::Audience) -> u64, total: Cell| {
            let parts: Vec<u64> = units.iter().map(|(_, row)| count(&row.audience)).collect();
            region.threshold.family(&parts, total)
        };
        let outside = family(|row| row.outside, region.audience.outside);
        let weak = family(|row| row.weak, region.audience.weak);
        let columns = |group: usize, row: &Slice| Columns {
            gross: Cell::WITHHELD,
            contacts: Cell::unless(people[group], row.audience.contacts),
            reached: Cell::unless(people[group], row.audience.reach.reached),
            outside: outside[group],
            weak: weak[group],
        };
        let partial: Vec<bool> = units
            .iter()
            .map(|(group, row)| {
                let Columns { contacts, outside, weak, .. } = columns(*group, row);
                [contacts, outside, weak].contains(&Cell::WITHHELD)
            })
            .collect();
        let gross = gross(region, tables, (&people, &partial));
        let shown = |group: usize, row: &Slice| Cell::unless(gross[group], row.audience.gross);
        let unit = |(group, row): &Row<'_>| Columns { gross: shown(*group, row), ..columns(*group, row) }.audience(&row.audience);
        let coalition = |(group, row): &Row<'_>| reach_alone(row, people[*group], shown(*group, row));
        Self { units: units.iter().map(unit).collect(), coalitions: coalitions.iter().map(coalition).collect() }
    }
}

/// The groups whose people are withheld, of `groups`.
fn people(region: &Region<'_>, tables: [&[Row<'_>]; 2], groups: usize) -> Vec<bool> {
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
    extend(&tables, &mut hidden, |row| row.audience.contacts, |table, hidden| region.people_safe(table, hidden));
    hidden
}

/// The groups whose gross attendance is withheld, given those whose people are, and the units that have a withheld count.
fn gross(region: &Region<'_>, tables: [&[Row<'_>]; 2], (people, partial): (&[bool], &[bool])) -> Vec<bool> {
    let [units, coalitions] = tables;
    let mut hidden = vec![false; people.len()];
    let all = &region.slice.audience;
    for (group, row) in units {
        hidden[*group] |= is_listed(row) && partial[*group];
    }
    for (group, row) in coalitions {
        let unit = units.get(*group).map(|(_, unit)| &unit.audience);
        let larger: Vec<&coverage::Audience> = [Some(all), unit].into_iter().flatten().collect();
        hidden[*group] |= (is_listed(row) && people[*group]) || region.is_telling(row, &larger);
    }
    // Counts are withheld in company; the company must not be given away by heads either.
    if hidden.contains(&true) {
        hidden.iter_mut().zip(partial).for_each(|(hidden, partial)| *hidden |= partial);
    }
    extend(&tables, &mut hidden, |row| row.audience.gross, |table, hidden| region.gross_safe(table, hidden));
    hidden
}

/// A table of which reach and gross attendance alone are published: every row is a group of its own.
pub(super) fn categories(region: &Region<'_>, slices: &[&Slice]) -> Vec<Audience> {
    let rows: Vec<Row<'_>> = slices.iter().copied().enumerate().collect();
    let tables = [rows.as_slice()];
    let mut people: Vec<bool> = slices.iter().map(|row| region.is_small(&row.audience)).collect();
    extend(&tables, &mut people, |row| row.audience.contacts, |table, hidden| region.people_safe(table, hidden));
    let gross = gross_of_rows(region, slices, &people);
    rows.iter().zip(gross).map(|((group, row), gross)| reach_alone(row, people[*group], gross)).collect()
}

/// The gross attendance of rows that share the campaign's meetings out, or overlap; `withheld` are those whose people are.
pub(super) fn gross_of_rows(region: &Region<'_>, slices: &[&Slice], withheld: &[bool]) -> Vec<Cell> {
    let rows: Vec<Row<'_>> = slices.iter().copied().enumerate().collect();
    let is_hidden = |(row, withheld): (&&Slice, &bool)| (is_listed(row) && *withheld) || region.is_telling(row, &[&region.slice.audience]);
    let mut hidden: Vec<bool> = slices.iter().zip(withheld).map(is_hidden).collect();
    extend(&[rows.as_slice()], &mut hidden, |row| row.audience.gross, |table, hidden| region.gross_safe(table, hidden));
    slices.iter().zip(hidden).map(|(row, hidden)| Cell::unless(hidden, row.audience.gross)).collect()
}

/// A row whose additive columns are left out: beside the same columns of the units they would tell who came to which coalition there.
fn reach_alone(row: &Slice, withheld: bool, gross: Cell) -> Audience {
    let reached = Cell::unless(withheld, row.audience.reach.reached);
    let none = Cell::WITHHELD;
    Columns { gross, contacts: none, reached, outside: none, weak: none }.audience(&row.audience)
}

/// Withholds further groups, the smallest first, until every table is safe; all of them if that is not enough.
fn extend(tables: &[&[Row<'_>]], hidden: &mut [bool], count: fn(&Slice) -> u64, safe: impl Fn(&[Row<'_>], &[bool]) -> bool) {
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
