//! The whole campaign's cells, and when what stands beside them tells too much.
//!
//! Guarantees: nothing here looks at more than one table at a time; which rows go together is left to [`super::joint`].

use crate::{
    cell::{Cell, Threshold},
    coverage::{self, Coverage, Slice},
    published::{Audience, Whole},
};

/// A row of a table: the number of the group that is withheld together, and the truth about its meetings.
pub(super) type Row<'a> = (usize, &'a Slice);

/// The cells of the whole campaign, to which tables add up.
pub(super) struct Region<'a> {
    pub(super) threshold: Threshold,
    /// The truth.
    pub(super) slice: &'a Slice,
    pub(super) audience: Audience,
}

impl<'a> Region<'a> {
    /// How many were reached comes first: if few came again, their attendances give way, not they.
    pub(super) fn of(coverage: &'a Coverage, threshold: Threshold) -> Self {
        let slice = &coverage.region.slice;
        let held = &slice.audience;
        let all = threshold.cell(held.contacts);
        let contacts = all.beside(&[threshold.part(held.reach.reached, held.contacts, all)]);
        let (outside, weak) = (threshold.cell(held.outside), threshold.cell(held.weak));
        let gross = Cell::open(held.gross);
        let gross = if is_listed(slice) { gross.beside(&[contacts, outside, weak]) } else { gross };
        let columns = Columns { gross, contacts, reached: threshold.cell(held.reach.reached), outside, weak };
        Self { threshold, slice, audience: columns.audience(held) }
    }

    pub(super) fn whole(&self, coverage: &Coverage) -> Whole {
        Whole {
            plan: self.slice.fulfilment.clone(),
            denominator: self.slice.audience.reach.denominator.clone(),
            audience: self.audience,
            over: self.slice.audience.reach.over,
            // It is the gross attendance in other words.
            ceiling: coverage.region.ceiling.filter(|_| self.audience.gross.shown().is_some()),
            precincts_reached: Some(coverage.precincts_reached()),
            precincts_without_meeting: Some(coverage.precincts_without_meeting()),
        }
    }

    /// Whether a row's reach may not be seen: it, those who came again, or those who were reached elsewhere only are few.
    pub(super) fn is_small(&self, row: &coverage::Audience) -> bool {
        let (contacts, reached) = (row.contacts, row.reach.reached);
        let allows = |count: u64| self.threshold.allows(count);
        let elsewhere = match self.audience.reached.shown() {
            Some(all) => allows(all.saturating_sub(reached)),
            None => reached == 0,
        };
        !(allows(reached) && allows(contacts) && allows(contacts.saturating_sub(reached)) && elsewhere)
    }

    /// Whether the gross attendance of a part of a unit's meetings tells of few people in the unit: it comes from lists, and those on
    /// them, or those on the unit's other lists, are few of one kind.
    pub(super) fn is_telling(&self, part: Lists, unit: Lists) -> bool {
        let left = unit.without(part);
        part.is_listed() && part.people.iter().chain(&left.people).any(|people| !self.threshold.allows(*people))
    }

    /// Whether the reach of a table's rows can stand beside the region's. People reached are no more than the rows' sum, and no fewer than
    /// its largest; what the sum exceeds them by came to several rows. A withheld row has at most its attendances.
    pub(super) fn people_safe(&self, table: &[Row<'_>], hidden: &[bool]) -> bool {
        let hidden: Vec<bool> = table.iter().map(|(group, _)| hidden[*group]).collect();
        let contacts: Vec<u64> = table.iter().map(|(_, row)| row.audience.contacts).collect();
        if contacts.iter().sum::<u64>() < self.threshold.people() {
            return true;
        }
        let most =
            table.iter().zip(&hidden).map(|((_, row), hidden)| if *hidden { row.audience.contacts } else { row.audience.reach.reached });
        let several = most.sum::<u64>().saturating_sub(self.slice.audience.reach.reached);
        let total = self.audience.contacts.shown().is_some();
        if total && !self.threshold.allows(several) {
            return false;
        }
        (total && !hidden.contains(&true)) || self.threshold.covers(&contacts, &hidden)
    }

    /// Whether the gross attendances of a table's rows can stand beside the region's. The withheld rows are then known together. If all of
    /// them come from lists, they are a sum of people that may contain a withheld total, so they need every total, or a count of heads.
    pub(super) fn gross_safe(&self, table: &[Row<'_>], hidden: &[bool]) -> bool {
        let hidden: Vec<bool> = table.iter().map(|(group, _)| hidden[*group]).collect();
        let gross: Vec<u64> = table.iter().map(|(_, row)| row.audience.gross).collect();
        let Self { audience: Audience { gross: total, contacts, outside, weak, .. }, .. } = self;
        if total.shown().is_none() {
            return gross.iter().sum::<u64>() < self.threshold.people() || self.threshold.covers(&gross, &hidden);
        }
        let has_totals = [contacts, outside, weak].iter().all(|cell| cell.shown().is_some());
        let has_heads = table.iter().zip(&hidden).any(|((_, row), hidden)| *hidden && !is_listed(row));
        !hidden.contains(&true) || ((has_totals || has_heads) && self.threshold.covers(&gross, &hidden))
    }
}

/// People on the lists of some meetings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lists {
    /// Meetings at which heads were counted.
    heads: u64,
    /// Attendances of eligible people, of people from outside, and of weakly identified people.
    people: [u64; 3],
}

impl Lists {
    pub(super) fn of(row: &Slice) -> Self {
        let held = &row.audience;
        Self { heads: held.headcount_meetings, people: [held.contacts, held.outside, held.weak] }
    }

    /// The lists of the other meetings.
    pub(super) fn without(self, part: Self) -> Self {
        let [contacts, outside, weak] = self.people;
        let [part_contacts, part_outside, part_weak] = part.people;
        Self {
            heads: self.heads.saturating_sub(part.heads),
            people: [contacts.saturating_sub(part_contacts), outside.saturating_sub(part_outside), weak.saturating_sub(part_weak)],
        }
    }

    /// Whether the gross attendance of these meetings is what stands on their lists.
    pub(super) fn is_listed(self) -> bool {
        self.heads == 0
    }

    pub(super) fn is_empty(self) -> bool {
        self.people == [0; 3]
    }
}

/// Whether the gross attendance is what stands on lists of people, since nobody counted heads at any meeting. One count of heads is
/// enough for it to say nothing of them.
pub(super) fn is_listed(row: &Slice) -> bool {
    row.audience.headcount_meetings == 0
}

/// The cells of a row from which its others follow.
pub(super) struct Columns {
    pub(super) gross: Cell,
    pub(super) contacts: Cell,
    pub(super) reached: Cell,
    pub(super) outside: Cell,
    pub(super) weak: Cell,
}

impl Columns {
    /// The identified are attendances of eligible people and those from outside. The bounds give away how many in the rooms were not
    /// identified: with the gross attendance who was, and where only lists exist how many of them are weak.
    pub(super) fn audience(self, held: &coverage::Audience) -> Audience {
        let Self { gross, contacts, reached, outside, weak } = self;
        let beside = |count: u64, known: &[Cell]| Cell::open(count).beside(known);
        let known = [gross, reached, contacts, outside, weak];
        Audience {
            gross,
            identified_meetings: held.identified_meetings,
            uncounted_meetings: held.uncounted_meetings,
            identified: beside(held.identified, &[reached, contacts, outside]),
            contacts,
            reached,
            lower: beside(held.reach.lower, &known),
            upper: beside(held.reach.upper, &known),
            outside,
            weak,
        }
    }
}
