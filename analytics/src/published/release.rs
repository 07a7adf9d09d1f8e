//! Disclosure control of successive releases: which states of the published figures may be shown one after another.
//!
//! Whoever compares two states sees the difference. If few people came in between, the differences disclose where and for whom they came,
//! and a withheld count may follow from later ones. So a state is shown only if every person count that follows from it, alone or with
//! others, differs from its last shown value by zero or by at least the threshold, and so does the withheld remainder of every table whose
//! total is shown. Until then the previous state stays.
//!
//! Guarantees: the rule needs only the two states and the last shown value of each count, so it works across restarts. It uses the cells of
//! the whole campaign, whatever the scope of a reader. [`crate::published`] decides which counts follow from one state; a test that attacks
//! sequences of states checks that no small count can be worked out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    cell::{Cell, Threshold},
    coverage::{self, Coverage, Slice},
    published::{Audience, Published, region::reveals_list_length},
};

/// The person counts of a published state, and the last shown value of each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseState {
    /// By name of the column; the rows of each have names, too.
    families: BTreeMap<String, CountTable>,
}

/// The counts of one column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct CountTable {
    /// Whether they add up to a shown total, so that the sum of the withheld ones is known.
    has_total: bool,
    rows: BTreeMap<String, TrackedCount>,
}

/// A count, and what readers know of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct TrackedCount {
    truth: u64,
    /// Whether it follows from this state.
    open: bool,
    /// Whether it counts people; headcounts do not.
    people: bool,
    /// Its last shown value.
    shown: Option<u64>,
    /// Heads beyond the lists in it: if they change by enough, a change of the count discloses nothing about the lists.
    #[serde(default)]
    extra: u64,
    /// `extra` at the last shown value; none in states that were stored before it was recorded.
    #[serde(default)]
    shown_extra: Option<u64>,
}

impl TrackedCount {
    fn of(truth: u64, open: bool, people: bool) -> Self {
        Self { truth, open, people, shown: None, extra: 0, shown_extra: None }
    }
}

/// A missing row: known to be zero.
const ABSENT: TrackedCount = TrackedCount { truth: 0, open: true, people: true, shown: Some(0), extra: 0, shown_extra: Some(0) };

impl ReleaseState {
    /// Collects the person counts of a whole campaign.
    pub fn of(coverage: &Coverage, published: &Published) -> Self {
        let mut release = Self::default();
        let whole = (&published.total.audience, &coverage.region.slice);
        let threshold = published.threshold;
        release.row(("region", "all"), whole, (None, threshold));
        let slices = |rows: Vec<(String, &Audience, &Slice)>, release: &mut Self, table: &str| {
            release.several(table, &rows, whole);
            for (row, audience, slice) in rows {
                release.row((table, &row), (audience, slice), (Some(whole), threshold));
            }
        };
        let units = published.units.iter().zip(&coverage.units);
        slices(units.map(|(row, exact)| (row.unit.to_string(), &row.audience, &exact.slice)).collect(), &mut release, "units");
        let coalitions = published.coalitions.iter().zip(&coverage.coalitions);
        slices(
            coalitions.map(|(row, exact)| (row.coalition.to_string(), &row.audience, &exact.slice)).collect(),
            &mut release,
            "coalitions",
        );
        let categories = published.categories.iter().zip(&coverage.categories);
        slices(
            categories.map(|(row, exact)| (row.category.to_string(), &row.audience, &exact.slice)).collect(),
            &mut release,
            "categories",
        );
        release.residents(coverage, published);
        release.weeks(coverage, published);
        release.exposure(coverage, published);
        release.left_by_coalitions(coverage, published);
        release
    }

    /// The state to record if it is shown after another one; none if it may not be.
    pub fn after(mut self, before: &Self, threshold: Threshold) -> Option<Self> {
        let empty = CountTable::default();
        for (name, family) in &before.families {
            self.families.entry(name.clone()).or_insert_with(|| CountTable { has_total: family.has_total, rows: BTreeMap::new() });
        }
        for (name, family) in &mut self.families {
            let before = before.families.get(name).unwrap_or(&empty);
            for row in before.rows.keys() {
                family.rows.entry(row.clone()).or_insert(ABSENT);
            }
            if !family.may_follow(before, threshold) {
                return None;
            }
            for (row, count) in &mut family.rows {
                let last = before.rows.get(row).unwrap_or(&ABSENT);
                let now = (Some(count.truth), Some(count.extra));
                (count.shown, count.shown_extra) = if count.open { now } else { (last.shown, last.shown_extra) };
            }
        }
        Some(self)
    }

    /// The state to record if nothing was shown before.
    pub fn first(mut self) -> Self {
        for count in self.families.values_mut().flat_map(|family| family.rows.values_mut()) {
            (count.shown, count.shown_extra) = (count.open.then_some(count.truth), count.open.then_some(count.extra));
        }
        self
    }

    fn put(&mut self, (family, row): (String, &str), has_total: bool, count: TrackedCount) {
        let family = self.families.entry(family).or_insert_with(|| CountTable { has_total, rows: BTreeMap::new() });
        family.rows.insert(row.to_owned(), count);
    }

    /// Adds a count that is in no table with a total.
    fn single(&mut self, name: &str, row: &str, (truth, open): (u64, bool)) {
        self.put((name.to_owned(), row), false, TrackedCount::of(truth, open, true));
    }

    /// Adds a row of a table and the counts that follow from it: repeated attendances, people reached elsewhere only.
    fn row(
        &mut self,
        (table, row): (&str, &str),
        (cells, slice): (&Audience, &Slice),
        (whole, threshold): (Option<(&Audience, &Slice)>, Threshold),
    ) {
        let is_open = |cell: Cell| cell.shown().is_some();
        let repeats = |exact: &coverage::Audience| exact.contacts.saturating_sub(exact.reach.reached);
        let exact = &slice.audience;
        let total = |cell: fn(&Audience) -> Cell| whole.is_some_and(|(whole, _)| is_open(cell(whole)));
        let columns = [
            ("contacts", exact.contacts, is_open(cells.contacts), total(|of| of.contacts)),
            ("reached", exact.reach.reached, is_open(cells.reached), total(|of| of.reached)),
            (
                "repeats",
                repeats(exact),
                is_open(cells.contacts.if_all_shown(&[cells.reached])),
                total(|of| of.contacts.if_all_shown(&[of.reached])),
            ),
            ("outside", exact.outside, is_open(cells.outside), total(|of| of.outside)),
            ("weak", exact.weak, is_open(cells.weak), total(|of| of.weak)),
            ("identified", exact.identified, is_open(cells.identified), total(|of| of.identified)),
        ];
        for (column, truth, open, has_total) in columns {
            self.put((format!("{table} {column}"), row), has_total, TrackedCount::of(truth, open, true));
        }
        self.gross((table, row), (cells, slice), (total(|of| of.gross), threshold));
        if let Some((whole, region)) = whole {
            let elsewhere = region.audience.reach.reached.saturating_sub(exact.reach.reached);
            self.single(&format!("{table} elsewhere"), row, (elsewhere, is_open(whole.reached.if_all_shown(&[cells.reached]))));
        }
    }

    /// Adds the gross attendance and its differences to every combination of its components. If another component is withheld and the heads
    /// beyond the lists hardly changed, a difference must change by at least the threshold, or it would disclose how few people came.
    /// People of unknown eligibility are in no other count.
    fn gross(&mut self, (table, row): (&str, &str), (cells, slice): (&Audience, &Slice), (has_total, threshold): (bool, Threshold)) {
        let exact = &slice.audience;
        let is_open = |cell: Cell| cell.shown().is_some();
        let extra = exact.heads_beyond_lists();
        let count = |truth: u64, open: bool, people: bool| TrackedCount { extra, ..TrackedCount::of(truth, open, people) };
        let gross = count(exact.gross, is_open(cells.gross), reveals_list_length(slice, threshold));
        self.put((format!("{table} gross"), row), has_total, gross);
        let is_hidden = [cells.contacts, cells.outside, cells.weak].map(|cell| !is_open(cell));
        for (name, eligible, cell) in
            [("", 0, Cell::open(0)), ("reached", exact.reach.reached, cells.reached), ("contacts", exact.contacts, cells.contacts)]
        {
            for (with_outside, with_weak) in [(false, false), (false, true), (true, false), (true, true)] {
                let part = |is_part: bool, people: u64, cell: Cell| if is_part { (people, cell) } else { (0, Cell::open(0)) };
                let (outside, weak) = (part(with_outside, exact.outside, cells.outside), part(with_weak, exact.weak, cells.weak));
                let open = is_open(cells.gross.if_all_shown(&[cell, outside.1, weak.1]));
                let is_part = [name == "contacts", with_outside, with_weak];
                let withheld = exact.unstated > 0 || is_hidden.iter().zip(is_part).any(|(hidden, is_part)| *hidden && !is_part);
                let left = exact.gross.saturating_sub(eligible + outside.0 + weak.0);
                self.put((format!("{table} beyond {name} {with_outside} {with_weak}"), row), false, count(left, open, withheld));
            }
        }
    }

    /// Adds the excess of a table's rows over the region: people in several rows.
    fn several(&mut self, table: &str, rows: &[(String, &Audience, &Slice)], (whole, region): (&Audience, &Slice)) {
        let cells: Vec<Cell> = rows.iter().map(|(_, cells, _)| cells.reached).collect();
        let sum: u64 = rows.iter().map(|(_, _, slice)| slice.audience.reach.reached).sum();
        let open = whole.reached.if_all_shown(&cells).shown().is_some();
        self.single("several", table, (sum.saturating_sub(region.audience.reach.reached), open));
    }

    fn residents(&mut self, coverage: &Coverage, published: &Published) {
        let has_total = published.total.audience.reached.shown().is_some();
        for (row, exact) in published.units.iter().zip(&coverage.units) {
            let (truth, open) = (exact.residents.reach.reached, row.residents.shown().is_some());
            self.put(("residents".to_owned(), row.unit.as_str()), has_total, TrackedCount::of(truth, open, true));
        }
    }

    fn weeks(&mut self, coverage: &Coverage, published: &Published) {
        let whole = &published.total.audience;
        for (row, exact) in published.weeks.iter().zip(&coverage.weeks) {
            let first = TrackedCount::of(exact.first_reached, row.first_reached.shown().is_some(), true);
            self.put(("weeks first".to_owned(), &row.week), whole.reached.shown().is_some(), first);
            self.single("weeks to date", &row.week, (exact.reached_to_date, row.to_date.shown().is_some()));
            let audience = &exact.slice.audience;
            let of = TrackedCount::of(audience.gross, row.gross.shown().is_some(), audience.listed() > 0);
            let gross = TrackedCount { extra: audience.heads_beyond_lists(), ..of };
            let open = row.gross.if_all_shown(&[row.first_reached]).shown().is_some();
            let again = TrackedCount { truth: audience.gross.saturating_sub(exact.first_reached), open, ..gross };
            self.put(("weeks again".to_owned(), &row.week), false, again);
            self.put(("weeks gross".to_owned(), &row.week), whole.gross.shown().is_some(), gross);
        }
    }

    /// Adds people by minimum and by exact number of attendances, and the attendances in excess of the last class's minimum.
    fn exposure(&mut self, coverage: &Coverage, published: &Published) {
        let people = coverage.region.exposure;
        let last = published.exposure.last().map_or(0, |class| class.times);
        for (times, place) in (1..).zip(0..people.len()) {
            let at_least: u64 = people[place..].iter().sum();
            self.single("times at least", &times.to_string(), (at_least, times <= last));
            self.single("times", &times.to_string(), (people[place], times < last));
            let counted: u64 = (0..=place).map(|class| people[class..].iter().sum::<u64>()).sum();
            let excess = coverage.region.slice.audience.contacts.saturating_sub(counted);
            let open = times == last && published.total.audience.contacts.shown().is_some();
            self.single("times beyond", &times.to_string(), (excess, open));
        }
    }

    /// Adds the difference between a unit and its coalitions: people at meetings of a coalition of the whole region.
    fn left_by_coalitions(&mut self, coverage: &Coverage, published: &Published) {
        for (row, exact) in published.units.iter().zip(&coverage.units) {
            let own = || {
                let both = published.coalitions.iter().zip(&coverage.coalitions);
                both.filter(|(coalition, _)| coalition.unit.as_ref() == Some(&row.unit))
            };
            let theirs: u64 = own().map(|(_, exact)| exact.slice.audience.reach.reached).sum();
            let cells: Vec<Cell> = own().map(|(coalition, _)| coalition.audience.reached).collect();
            let audience = &exact.slice.audience;
            for (name, truth, cell) in [
                ("left of contacts", audience.contacts, row.audience.contacts),
                ("left of reached", audience.reach.reached, row.audience.reached),
            ] {
                self.single(name, row.unit.as_str(), (truth.saturating_sub(theirs), cell.if_all_shown(&cells).shown().is_some()));
            }
            let of_own = |count: fn(&coverage::Audience) -> u64| own().map(|(_, exact)| count(&exact.slice.audience)).sum::<u64>();
            let gross: Vec<Cell> = own().map(|(coalition, _)| coalition.audience.gross).collect();
            let open = row.audience.gross.if_all_shown(&gross).shown().is_some();
            let left = audience.gross.saturating_sub(of_own(|of| of.gross));
            let extra = audience.heads_beyond_lists().saturating_sub(of_own(coverage::Audience::heads_beyond_lists));
            self.put(("left of gross".to_owned(), row.unit.as_str()), false, TrackedCount { extra, ..TrackedCount::of(left, open, true) });
        }
    }
}

impl CountTable {
    /// Whether these counts may be shown after others of the same rows.
    fn may_follow(&self, before: &Self, threshold: Threshold) -> bool {
        let last = |row: &String| before.rows.get(row).unwrap_or(&ABSENT);
        let shown = self.rows.iter().all(|(row, count)| {
            let (before, is_people) = (last(row), count.people || last(row).people);
            let heads_moved = before.shown_extra.is_some_and(|shown| shown.abs_diff(count.extra) >= threshold.min_heads());
            !(count.open && is_people && !heads_moved) || before.shown.is_none_or(|shown| threshold.allows(shown.abs_diff(count.truth)))
        });
        shown && (!(self.has_total && before.has_total) || self.hidden_part_is_safe(before, threshold))
    }

    /// Whether the withheld remainder of a known total, now or before, changed by enough people; or has the same rows and did not change;
    /// or is zero.
    fn hidden_part_is_safe(&self, before: &Self, threshold: Threshold) -> bool {
        let last = |row: &String| before.rows.get(row).unwrap_or(&ABSENT);
        let is_same = self.rows.iter().all(|(row, count)| count.open == last(row).open);
        let enough = |hidden: &dyn Fn(&String, &TrackedCount) -> bool| {
            let rows = || self.rows.iter().filter(|(row, count)| hidden(row, count)).map(|(row, count)| (last(row).truth, count.truth));
            let people: u64 = rows().map(|(before, now)| before + now).sum();
            let changed: u64 = rows().map(|(before, now)| before.abs_diff(now)).sum();
            people == 0 || changed >= threshold.people() || (changed == 0 && is_same)
        };
        enough(&|_, count| !count.open) && enough(&|row, _| !last(row).open)
    }
}
