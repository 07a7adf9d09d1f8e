//! Assigns meetings to slices, and adds them to the fulfilment of the plan.
//!
//! Guarantees: every unit, coalition and category of the reference data, of a plan or of a report has a slice; unknown codes are not
//! dropped.

use std::collections::BTreeSet;

use jiff::civil::Date;
use qamtu_schemas::{
    Reference, Status,
    id::{CategoryCode, CoalitionId, UnitCode},
};

use super::{
    calendar::{LocalCalendar, monday},
    slice::Fulfilment,
};
use crate::facts::meetings::{InternedMeeting, InternedPlan, Meetings};

/// The slice of the whole campaign.
pub(super) const REGION: usize = 0;

/// Sorted keys of one kind and their slices, which are consecutive.
#[derive(Debug, Clone)]
pub(super) struct SliceKeys<K> {
    keys: Vec<K>,
    first: usize,
    /// Slice of each interned code of the facts.
    slice_of_code: Vec<usize>,
}

impl<K: Ord + Clone> SliceKeys<K> {
    fn new(listed: impl Iterator<Item = K>, codes: &[K], first: usize) -> Self {
        let keys: BTreeSet<K> = listed.chain(codes.iter().cloned()).collect();
        let keys: Vec<K> = keys.into_iter().collect();
        let slice_of_code = codes.iter().map(|code| first + keys.partition_point(|key| key < code)).collect();
        Self { keys, first, slice_of_code }
    }

    /// Keys and slices, sorted by key.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, usize)> {
        self.keys.iter().zip(self.first..)
    }

    /// The first slice after these.
    pub(super) fn end(&self) -> usize {
        self.first + self.keys.len()
    }
}

/// The slices: the whole region, then units, coalitions, categories and weeks, each sorted.
#[derive(Debug, Clone)]
pub(super) struct Slices {
    pub(super) calendar: LocalCalendar,
    pub(super) units: SliceKeys<UnitCode>,
    pub(super) coalitions: SliceKeys<CoalitionId>,
    pub(super) categories: SliceKeys<CategoryCode>,
    /// ISO weeks, by their Mondays.
    pub(super) weeks: SliceKeys<Date>,
    /// Whether being in an audience reveals belief, origin or health; by interned category.
    revealing: Vec<bool>,
}

impl Slices {
    pub(super) fn new(calendar: LocalCalendar, reference: &Reference, meetings: &Meetings) -> Self {
        let units = SliceKeys::new(reference.units().map(|unit| unit.unit.clone()), meetings.units.keys(), REGION + 1);
        let formed = reference.coalitions().map(|coalition| coalition.coalition.clone());
        let coalitions = SliceKeys::new(formed, meetings.coalitions.keys(), units.end());
        let listed = || reference.campaign().into_iter().flat_map(|campaign| &campaign.categories);
        let categories = SliceKeys::new(listed().map(|category| category.code.clone()), meetings.categories.keys(), coalitions.end());
        let reveals = |code: &CategoryCode| listed().any(|category| category.revealing && category.code == *code);
        let revealing = meetings.categories.keys().iter().map(reveals).collect();
        let plans_and_reports = meetings.rows().iter().flat_map(|meeting| meeting.plan.iter().chain(&meeting.report));
        let weeks = SliceKeys::new(plans_and_reports.map(|plan| monday(calendar.day(plan.starts))), &[], categories.end());
        Self { calendar, units, coalitions, categories, weeks, revealing }
    }

    /// How many slices there are.
    pub(super) fn len(&self) -> usize {
        self.weeks.end()
    }

    /// The first slice of a week.
    pub(super) fn first_week(&self) -> usize {
        self.weeks.first
    }

    /// The slices of a plan or a report, without repetition, ascending.
    pub(super) fn of(&self, plan: &InternedPlan) -> Vec<usize> {
        let mut slices = vec![REGION, self.units.slice_of_code[plan.unit as usize], self.coalitions.slice_of_code[plan.coalition as usize]];
        slices.extend(plan.categories.iter().map(|category| self.categories.slice_of_code[*category as usize]));
        slices[3..].sort_unstable();
        slices.dedup();
        let monday = monday(self.calendar.day(plan.starts));
        slices.push(self.weeks.first + self.weeks.keys.partition_point(|week| *week < monday));
        slices
    }

    /// Whether a valid plan or report of the meeting has a revealing audience. Then only its headcount is used.
    pub(super) fn is_revealing(&self, meeting: &InternedMeeting) -> bool {
        meeting.audiences.iter().any(|category| self.revealing[*category as usize])
    }

    /// Adds a meeting to the fulfilment of its slices.
    pub(super) fn add_fulfilment(&self, meeting: &InternedMeeting, slices: &mut [Fulfilment]) {
        let planned = meeting.plan.as_ref().map(|plan| self.of(plan)).unwrap_or_default();
        let held = meeting.report.as_ref().map(|report| self.of(report)).unwrap_or_default();
        let lawful = |plan: &InternedPlan| self.calendar.is_lawful(self.calendar.day(plan.starts));
        let passed = |plan: &InternedPlan| self.calendar.day(plan.starts) <= self.calendar.today;
        let is_cancelled = meeting.status == Status::Cancelled;
        let is_due = !is_cancelled && meeting.plan.as_ref().is_some_and(|plan| lawful(plan) && passed(plan));
        let is_lawful = meeting.report.as_ref().is_some_and(lawful);
        for slice in &planned {
            let sums = &mut slices[*slice];
            sums.planned += 1;
            sums.due += u64::from(is_due);
            sums.held_planned += u64::from(is_due && is_lawful);
            sums.cancelled += u64::from(is_cancelled);
            sums.moved += u64::from(meeting.moved);
            sums.missing += u64::from(is_due && held.is_empty());
        }
        for slice in &held {
            let sums = &mut slices[*slice];
            sums.held += 1;
            sums.held_extra += u64::from(planned.is_empty());
            sums.unlawful += u64::from(!is_lawful);
        }
        // A meeting without plan and report is in the region only.
        let contested = [held.as_slice(), planned.as_slice(), &[REGION]].into_iter().find(|slices| !slices.is_empty());
        for slice in contested.unwrap_or_default() {
            slices[*slice].contested += u64::from(meeting.contested);
        }
        slices[REGION].pending += u64::from(meeting.status == Status::Pending && !meeting.premature);
    }
}
