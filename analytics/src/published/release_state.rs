//! Disclosure control of successive releases: which states of the published figures may be shown one after another.
//!
//! Whoever compares two states sees the difference. If few people came in between, the differences disclose which meetings they attended,
//! and a withheld count may follow from later ones. So a state is shown only if every person count that follows from it, alone or with
//! others, differs from its last shown value by zero or by at least the threshold, and so does the withheld remainder of every table whose
//! total is shown. Until then the previous state stays.
//!
//! Guarantees: the rule needs only the two states and the last shown value of each count, so it works across restarts. It uses the cells of
//! the whole campaign, whatever the scope of a reader. [`crate::published`] decides which counts follow from one state; a test that attacks
//! sequences of states checks that no small count can be worked out.

mod tracked_count;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Published, PublishedAudience, gross_composition::reveals_list_length};
use crate::{
    cell::{Cell, Threshold},
    coverage::{self, Coverage, MeetingFigures},
};
use tracked_count::{CountColumn, TrackedCount};

/// The person counts of a published state, and the last shown value of each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseState {
    /// By name of table and column.
    #[serde(alias = "families")]
    columns: BTreeMap<String, CountColumn>,
}

/// What is published of some meetings, and their exact figures.
#[derive(Clone, Copy)]
struct PublishedRow<'a> {
    cells: &'a PublishedAudience,
    exact: &'a MeetingFigures,
}

impl PublishedRow<'_> {
    fn reached(&self) -> u64 {
        self.exact.audience.reach.reached
    }

    /// Attendances after a person's first one.
    fn repeats(&self) -> u64 {
        self.exact.audience.contacts.saturating_sub(self.reached())
    }
}

/// The row that a count belongs to.
#[derive(Clone, Copy)]
struct RowName<'a> {
    table: &'a str,
    row: &'a str,
}

/// Selects a cell of a row.
type CellOf = fn(&PublishedAudience) -> Cell;

fn is_shown(cell: Cell) -> bool {
    cell.shown().is_some()
}

impl ReleaseState {
    /// Collects the person counts of a whole campaign.
    pub fn of(coverage: &Coverage, published: &Published) -> Self {
        let mut state = Self::default();
        let threshold = published.threshold;
        let region = PublishedRow { cells: &published.total.audience, exact: &coverage.region.figures };
        state.row(RowName { table: "region", row: "all" }, region, None, threshold);
        let units = published.units.iter().zip(&coverage.units);
        let units = units.map(|(row, exact)| (row.unit.to_string(), PublishedRow { cells: &row.audience, exact: &exact.figures }));
        state.table("units", units.collect(), region, threshold);
        let coalitions = published.coalitions.iter().zip(&coverage.coalitions);
        let coalitions =
            coalitions.map(|(row, exact)| (row.coalition.to_string(), PublishedRow { cells: &row.audience, exact: &exact.figures }));
        state.table("coalitions", coalitions.collect(), region, threshold);
        let categories = published.categories.iter().zip(&coverage.categories);
        let categories =
            categories.map(|(row, exact)| (row.category.to_string(), PublishedRow { cells: &row.audience, exact: &exact.figures }));
        state.table("categories", categories.collect(), region, threshold);
        state.residents(coverage, published);
        state.weeks(coverage, published);
        state.frequencies(coverage, published);
        state.left_by_coalitions(coverage, published);
        state
    }

    /// The state to record if it is shown after another one; none if it may not be.
    pub fn after(mut self, last: &Self, threshold: Threshold) -> Option<Self> {
        for (name, column) in &last.columns {
            let empty = || CountColumn { has_total: column.has_total, rows: BTreeMap::new() };
            self.columns.entry(name.clone()).or_insert_with(empty);
        }
        let empty = CountColumn::default();
        for (name, column) in &mut self.columns {
            let last = last.columns.get(name).unwrap_or(&empty);
            column.add_rows_of(last);
            if !column.may_follow(last, threshold) {
                return None;
            }
            column.show_after(last);
        }
        Some(self)
    }

    /// The state to record if nothing was shown before.
    pub fn first(mut self) -> Self {
        self.columns.values_mut().flat_map(|column| column.rows.values_mut()).for_each(|count| count.show_after(None));
        self
    }

    fn put(&mut self, column: String, row: &str, has_total: bool, count: TrackedCount) {
        let column = self.columns.entry(column).or_insert_with(|| CountColumn { has_total, rows: BTreeMap::new() });
        column.rows.insert(row.to_owned(), count);
    }

    /// Adds a count of people that is in no table with a total.
    fn put_single(&mut self, column: &str, row: &str, exact: u64, is_shown: bool) {
        self.put(column.to_owned(), row, false, TrackedCount::of_people(exact, is_shown));
    }

    /// Adds the rows of a table, and their excess over the region: people in several rows.
    fn table(&mut self, table: &str, rows: BTreeMap<String, PublishedRow<'_>>, region: PublishedRow<'_>, threshold: Threshold) {
        let cells: Vec<Cell> = rows.values().map(|row| row.cells.reached).collect();
        let sum: u64 = rows.values().map(PublishedRow::reached).sum();
        let excess = sum.saturating_sub(region.reached());
        self.put_single("several", table, excess, is_shown(region.cells.reached.if_all_shown(&cells)));
        for (name, row) in &rows {
            self.row(RowName { table, row: name }, *row, Some(region), threshold);
        }
    }

    /// Adds a row of a table and the counts that follow from it: repeated attendances, people reached elsewhere only. `region` has the
    /// totals of the table.
    fn row(&mut self, name: RowName<'_>, row: PublishedRow<'_>, region: Option<PublishedRow<'_>>, threshold: Threshold) {
        let PublishedRow { cells, exact } = row;
        let exact = &exact.audience;
        let repeats = |cells: &PublishedAudience| cells.contacts.if_all_shown(&[cells.reached]);
        let columns: [(&str, u64, CellOf); 5] = [
            ("contacts", exact.contacts, |cells| cells.contacts),
            ("reached", row.reached(), |cells| cells.reached),
            ("outside", exact.outside, |cells| cells.outside),
            ("weak", exact.weak, |cells| cells.weak),
            ("identified", exact.identified, |cells| cells.identified),
        ];
        for (column, exact, cell) in columns {
            let has_total = region.is_some_and(|region| is_shown(cell(region.cells)));
            let count = TrackedCount::of_people(exact, is_shown(cell(cells)));
            self.put(format!("{} {column}", name.table), name.row, has_total, count);
        }
        let has_total = region.is_some_and(|region| is_shown(repeats(region.cells)));
        let count = TrackedCount::of_people(row.repeats(), is_shown(repeats(cells)));
        self.put(format!("{} repeats", name.table), name.row, has_total, count);
        self.gross(name, row, region.is_some_and(|region| is_shown(region.cells.gross)), threshold);
        if let Some(region) = region {
            let elsewhere = region.reached().saturating_sub(row.reached());
            let both = region.cells.reached.if_all_shown(&[cells.reached]);
            self.put_single(&format!("{} elsewhere", name.table), name.row, elsewhere, is_shown(both));
        }
    }

    /// Adds the gross attendance, and what is left of it without reached people or contacts, without people from outside, and without weakly
    /// identified ones, in every combination. If another of these is withheld and the number of people counted beyond the lists hardly
    /// changed, a difference must change by at least the threshold, or it would disclose how few people came. People of unknown eligibility
    /// are in no other count.
    fn gross(&mut self, name: RowName<'_>, row: PublishedRow<'_>, has_total: bool, threshold: Threshold) {
        let PublishedRow { cells, exact: figures } = row;
        let exact = &figures.audience;
        let beyond_lists = exact.beyond_lists();
        let of_gross = |left: u64, cell: Cell, is_person_count: bool| TrackedCount {
            beyond_lists,
            is_person_count,
            ..TrackedCount::of_people(left, is_shown(cell))
        };
        let gross = of_gross(exact.gross, cells.gross, reveals_list_length(figures, threshold));
        self.put(format!("{} gross", name.table), name.row, has_total, gross);
        let is_withheld = [cells.contacts, cells.outside, cells.weak].map(|cell| !is_shown(cell));
        let none = (0, Cell::open(0));
        for (eligible_name, eligible) in
            [("", none), ("reached", (row.reached(), cells.reached)), ("contacts", (exact.contacts, cells.contacts))]
        {
            for (with_outside, with_weak) in [(false, false), (false, true), (true, false), (true, true)] {
                let outside = if with_outside { (exact.outside, cells.outside) } else { none };
                let weak = if with_weak { (exact.weak, cells.weak) } else { none };
                let is_part = [eligible_name == "contacts", with_outside, with_weak];
                let other_is_withheld = is_withheld.iter().zip(is_part).any(|(withheld, is_part)| *withheld && !is_part);
                let left = exact.gross.saturating_sub(eligible.0 + outside.0 + weak.0);
                let cell = cells.gross.if_all_shown(&[eligible.1, outside.1, weak.1]);
                let column = format!("{} beyond {eligible_name} {with_outside} {with_weak}", name.table);
                self.put(column, name.row, false, of_gross(left, cell, exact.unstated > 0 || other_is_withheld));
            }
        }
    }

    fn residents(&mut self, coverage: &Coverage, published: &Published) {
        let has_total = is_shown(published.total.audience.reached);
        for (row, exact) in published.units.iter().zip(&coverage.units) {
            let count = TrackedCount::of_people(exact.residents.reach.reached, is_shown(row.residents));
            self.put("residents".to_owned(), row.unit.as_str(), has_total, count);
        }
    }

    fn weeks(&mut self, coverage: &Coverage, published: &Published) {
        let total = &published.total.audience;
        for (row, exact) in published.weeks.iter().zip(&coverage.weeks) {
            let first = TrackedCount::of_people(exact.first_reached, is_shown(row.first_reached));
            self.put("weeks first".to_owned(), &row.week, is_shown(total.reached), first);
            self.put_single("weeks to date", &row.week, exact.reached_to_date, is_shown(row.to_date));
            let audience = &exact.figures.audience;
            let of_gross = |left: u64, cell: Cell| TrackedCount {
                is_person_count: audience.listed() > 0,
                beyond_lists: audience.beyond_lists(),
                ..TrackedCount::of_people(left, is_shown(cell))
            };
            let again = of_gross(audience.gross.saturating_sub(exact.first_reached), row.gross.if_all_shown(&[row.first_reached]));
            self.put("weeks again".to_owned(), &row.week, false, again);
            self.put("weeks gross".to_owned(), &row.week, is_shown(total.gross), of_gross(audience.gross, row.gross));
        }
    }

    /// Adds people by minimum and by exact number of attendances, and the attendances in excess of the last class's minimum.
    fn frequencies(&mut self, coverage: &Coverage, published: &Published) {
        let people = coverage.region.frequencies;
        let last = published.frequencies.last().map_or(0, |class| class.times);
        for (times, place) in (1..).zip(0..people.len()) {
            let row = times.to_string();
            self.put_single("times at least", &row, people[place..].iter().sum(), times <= last);
            self.put_single("times", &row, people[place], times < last);
            let minimum: u64 = (0..=place).map(|class| people[class..].iter().sum::<u64>()).sum();
            let excess = coverage.region.figures.audience.contacts.saturating_sub(minimum);
            self.put_single("times beyond", &row, excess, times == last && is_shown(published.total.audience.contacts));
        }
    }

    /// Adds the difference between a unit and its coalitions: people at meetings of a coalition of the whole region.
    fn left_by_coalitions(&mut self, coverage: &Coverage, published: &Published) {
        for (unit, exact) in published.units.iter().zip(&coverage.units) {
            let coalitions = published.coalitions.iter().zip(&coverage.coalitions);
            let of_unit = coalitions.filter(|(coalition, _)| coalition.unit.as_ref() == Some(&unit.unit));
            let own: Vec<PublishedRow<'_>> =
                of_unit.map(|(coalition, exact)| PublishedRow { cells: &coalition.audience, exact: &exact.figures }).collect();
            let row = unit.unit.as_str();
            let reached: Vec<Cell> = own.iter().map(|coalition| coalition.cells.reached).collect();
            let own_reached: u64 = own.iter().map(PublishedRow::reached).sum();
            let audience = &exact.figures.audience;
            let left = audience.contacts.saturating_sub(own_reached);
            self.put_single("left of contacts", row, left, is_shown(unit.audience.contacts.if_all_shown(&reached)));
            let left = audience.reach.reached.saturating_sub(own_reached);
            self.put_single("left of reached", row, left, is_shown(unit.audience.reached.if_all_shown(&reached)));
            let gross: Vec<Cell> = own.iter().map(|coalition| coalition.cells.gross).collect();
            let of_own = |count: fn(&coverage::Audience) -> u64| own.iter().map(|coalition| count(&coalition.exact.audience)).sum::<u64>();
            let left = audience.gross.saturating_sub(of_own(|audience| audience.gross));
            let beyond_lists = audience.beyond_lists().saturating_sub(of_own(coverage::Audience::beyond_lists));
            let count = TrackedCount::of_people(left, is_shown(unit.audience.gross.if_all_shown(&gross)));
            self.put("left of gross".to_owned(), row, false, TrackedCount { beyond_lists, ..count });
        }
    }
}
