//! The whole campaign's cells, and the rules for what may be published beside them.
//!
//! Guarantees: nothing here looks at more than one table at a time; [`super::complementary_suppression`] decides which rows are withheld
//! together.

use super::{
    PublishedAudience, RoundedEstimate, ScopeTotal,
    gross_composition::{GrossComposition, reveals_list_length},
};
use crate::{
    cell::{Cell, Threshold},
    coverage::{self, Coverage, MeetingFigures},
};

/// A row of a table, before suppression.
#[derive(Clone, Copy)]
pub(super) struct GroupedRow<'a> {
    /// Number of its group. The rows of a group are withheld together.
    pub(super) group: usize,
    pub(super) figures: &'a MeetingFigures,
}

/// Cells of the whole campaign, the totals of the tables.
pub(super) struct RegionCells<'a> {
    pub(super) threshold: Threshold,
    /// Exact figures of the region, before suppression.
    pub(super) figures: &'a MeetingFigures,
    pub(super) audience: PublishedAudience,
}

impl<'a> RegionCells<'a> {
    /// Of contacts and reach, reach is shown: contacts are withheld if they exceed it by too little, because few people came again then.
    pub(super) fn of(coverage: &'a Coverage, threshold: Threshold) -> Self {
        let figures = &coverage.region.figures;
        let exact = &figures.audience;
        let all = threshold.cell(exact.contacts);
        let contacts = all.if_all_shown(&[threshold.cell_of_part(exact.reach.reached, exact.contacts, all)]);
        let (outside, weak) = (threshold.cell(exact.outside), threshold.cell(exact.weak));
        let gross = Cell::open(exact.gross);
        let unstated = threshold.cell(exact.unstated);
        let gross = if reveals_list_length(figures, threshold) { gross.if_all_shown(&[contacts, outside, weak, unstated]) } else { gross };
        let cells = BaseCells { gross, contacts, reached: threshold.cell(exact.reach.reached), outside, weak };
        Self { threshold, figures, audience: cells.audience(exact) }
    }

    /// Attendances of people of unknown eligibility. Not published, but they may follow from the other columns.
    pub(super) fn unstated(&self) -> Cell {
        self.threshold.cell(self.figures.audience.unstated)
    }

    /// Attendances after a person's first one.
    pub(super) fn repeats(&self) -> Cell {
        let exact = &self.figures.audience;
        Cell::open(exact.contacts.saturating_sub(exact.reach.reached)).if_all_shown(&[self.audience.contacts, self.audience.reached])
    }

    pub(super) fn total(&self, coverage: &Coverage) -> ScopeTotal {
        ScopeTotal {
            plan: self.figures.fulfilment.clone(),
            denominator: self.figures.audience.reach.denominator.clone(),
            audience: self.audience,
            over: self.figures.audience.reach.over,
            // The gross attendance follows from it.
            ceiling: coverage.region.ceiling.filter(|_| self.audience.gross.shown().is_some()),
            estimate: RoundedEstimate::of(coverage.region.estimate, self.audience.lower, self.audience.upper),
            precincts_reached: Some(coverage.precincts_reached()),
            precincts_without_meeting: Some(coverage.precincts_without_meeting()),
        }
    }

    /// Whether a row's reach must be withheld: it, the repeated attendances, or the people reached elsewhere only are few.
    pub(super) fn is_small(&self, row: &coverage::Audience) -> bool {
        let (contacts, reached) = (row.contacts, row.reach.reached);
        let allows = |count: u64| self.threshold.allows(count);
        let elsewhere = match self.audience.reached.shown() {
            Some(all) => allows(all.saturating_sub(reached)),
            None => reached == 0,
        };
        !(allows(reached) && allows(contacts) && allows(contacts.saturating_sub(reached)) && elsewhere)
    }

    /// Whether the gross attendance of a part of a unit's meetings discloses a small count: hardly anybody was counted beyond its lists,
    /// one kind of people on its lists, or on the unit's other lists, is small, and the other kinds leave few possible values for it.
    pub(super) fn is_disclosive(&self, part: GrossComposition, unit: GrossComposition) -> bool {
        let left = unit.without(part);
        let few = |kind: usize| [part, left].iter().any(|lists| !self.threshold.allows(lists.people[kind]));
        let exact = |kind: usize| [part, left].iter().any(|lists| lists.uncertainty(kind) < self.threshold.min_beyond_lists());
        part.reveals_list_length(self.threshold) && (0..part.people.len()).any(|kind| few(kind) && exact(kind))
    }

    /// Whether the reach of a table's rows can be published beside the region's. The region's reach is at most the sum of the rows and at
    /// least the largest one; the excess of the sum are people in several rows. The reach of a withheld row is at most its attendances.
    pub(super) fn people_safe(&self, table: &[GroupedRow<'_>], hidden: &[bool]) -> bool {
        let hidden: Vec<bool> = table.iter().map(|row| hidden[row.group]).collect();
        let contacts: Vec<u64> = table.iter().map(|row| row.figures.audience.contacts).collect();
        if contacts.iter().sum::<u64>() < self.threshold.people() {
            return true;
        }
        let most = table.iter().map(|row| &row.figures.audience).zip(&hidden);
        let most = most.map(|(row, hidden)| if *hidden { row.contacts } else { row.reach.reached });
        let several = most.sum::<u64>().saturating_sub(self.figures.audience.reach.reached);
        let total = self.audience.contacts.shown().is_some();
        if total && !self.threshold.allows(several) {
            return false;
        }
        (total && !hidden.contains(&true)) || self.threshold.protects(&contacts, &hidden)
    }

    /// Whether the gross attendances of a table's rows can be published beside the region's, so that the sum of the withheld rows is known.
    /// Unless enough people were counted beyond their lists, that sum is a number of people on lists, from which a withheld total may
    /// follow. So every total must be shown then.
    pub(super) fn gross_safe(&self, table: &[GroupedRow<'_>], hidden: &[bool]) -> bool {
        let hidden: Vec<bool> = table.iter().map(|row| hidden[row.group]).collect();
        let gross: Vec<u64> = table.iter().map(|row| row.figures.audience.gross).collect();
        let Self { audience: PublishedAudience { gross: total, contacts, outside, weak, .. }, .. } = self;
        if total.shown().is_none() {
            return gross.iter().sum::<u64>() < self.threshold.people() || self.threshold.protects(&gross, &hidden);
        }
        let has_totals = [*contacts, *outside, *weak, self.unstated()].iter().all(|cell| cell.shown().is_some());
        let beyond_lists = table.iter().zip(&hidden).filter(|(_, hidden)| **hidden).map(|(row, _)| row.figures.audience.beyond_lists());
        let has_enough_beyond_lists = beyond_lists.sum::<u64>() >= self.threshold.min_beyond_lists();
        !hidden.contains(&true) || ((has_totals || has_enough_beyond_lists) && self.threshold.protects(&gross, &hidden))
    }
}

/// The cells of a row from which the others follow.
pub(super) struct BaseCells {
    pub(super) gross: Cell,
    pub(super) contacts: Cell,
    pub(super) reached: Cell,
    pub(super) outside: Cell,
    pub(super) weak: Cell,
}

impl BaseCells {
    /// Derives the other cells. `identified` is the sum of eligible people and outsiders. The bounds disclose the number of unidentified
    /// attendees: with the gross attendance, who was identified; where only lists exist, how many are weakly identified.
    pub(super) fn audience(self, exact: &coverage::Audience) -> PublishedAudience {
        let Self { gross, contacts, reached, outside, weak } = self;
        let beside = |count: u64, known: &[Cell]| Cell::open(count).if_all_shown(known);
        let known = [gross, reached, contacts, outside, weak];
        PublishedAudience {
            gross,
            identified_meetings: exact.identified_meetings,
            uncounted_meetings: exact.uncounted_meetings,
            identified: beside(exact.identified, &[reached, contacts, outside]),
            contacts,
            reached,
            lower: beside(exact.reach.lower, &known),
            upper: beside(exact.reach.upper, &known),
            outside,
            weak,
        }
    }
}
