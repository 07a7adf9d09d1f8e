//! Assigns meetings to slices, and adds them to the fulfilment of the plan.
//!
//! Guarantees: every unit, coalition and category of the reference data, of a plan or of a report has a slice; unknown codes are not
//! dropped. Days are local days in the campaign's time zone.

use std::collections::BTreeSet;

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, Weekday},
    tz::TimeZone,
};
use qamtu_schemas::{
    Reference, Status,
    event::CampaignConfigured,
    id::{CategoryCode, CoalitionId, UnitCode},
    instant::time_zone,
};

use crate::{
    coverage::Fulfilment,
    error::AnalyticsError,
    facts::meetings::{Meeting, MeetingDetails, Meetings},
};

/// The slice of the whole campaign.
pub(crate) const REGION: usize = 0;

/// Lawful days of the campaign and the as-of day, in its time zone.
#[derive(Debug, Clone)]
pub(crate) struct Calendar {
    zone: TimeZone,
    opens: Date,
    closes: Date,
    /// The local day of the as-of instant.
    pub(crate) today: Date,
}

impl Calendar {
    pub(crate) fn of(campaign: &CampaignConfigured, as_of: Timestamp) -> Result<Self, AnalyticsError> {
        let zone = time_zone(&campaign.time_zone).map_err(|source| AnalyticsError::TimeZone {
            campaign: campaign.campaign.clone(),
            time_zone: campaign.time_zone.to_string(),
            source,
        })?;
        let today = as_of.to_zoned(zone.clone()).date();
        Ok(Self { zone, opens: campaign.opens, closes: campaign.closes, today })
    }

    /// The local day of an instant.
    fn day(&self, at: Timestamp) -> Date {
        self.zone.to_datetime(at).date()
    }

    /// Whether meetings are lawful on this day.
    fn lawful(&self, day: Date) -> bool {
        (self.opens..=self.closes).contains(&day)
    }
}

/// Monday of a day's ISO week; the day itself where that is before the first date of the calendar.
fn monday(day: Date) -> Date {
    day.checked_sub(day.weekday().since(Weekday::Monday).days()).unwrap_or(day)
}

/// ISO week of a Monday, such as `2026-W07`.
pub(crate) fn week_name(monday: Date) -> String {
    let week = monday.iso_week_date();
    format!("{:04}-W{:02}", week.year(), week.week())
}

/// Sorted keys of one kind and their slices, which are consecutive.
#[derive(Debug, Clone)]
pub(crate) struct SliceKeys<K> {
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
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, usize)> {
        self.keys.iter().zip(self.first..)
    }

    /// The first slice after these.
    pub(crate) fn end(&self) -> usize {
        self.first + self.keys.len()
    }
}

/// The slices: the whole region, then units, coalitions, categories and weeks, each sorted.
#[derive(Debug, Clone)]
pub(crate) struct Slices {
    pub(crate) calendar: Calendar,
    pub(crate) units: SliceKeys<UnitCode>,
    pub(crate) coalitions: SliceKeys<CoalitionId>,
    pub(crate) categories: SliceKeys<CategoryCode>,
    /// ISO weeks, by their Mondays.
    pub(crate) weeks: SliceKeys<Date>,
    /// Whether being in an audience reveals belief, origin or health; by interned category.
    revealing: Vec<bool>,
}

impl Slices {
    pub(crate) fn of(calendar: Calendar, reference: &Reference, meetings: &Meetings) -> Self {
        let units = SliceKeys::new(reference.units().map(|unit| unit.unit.clone()), meetings.units.keys(), REGION + 1);
        let formed = reference.coalitions().map(|coalition| coalition.coalition.clone());
        let coalitions = SliceKeys::new(formed, meetings.coalitions.keys(), units.end());
        let listed = || reference.campaign().into_iter().flat_map(|campaign| &campaign.categories);
        let categories = SliceKeys::new(listed().map(|category| category.code.clone()), meetings.categories.keys(), coalitions.end());
        let reveals = |code: &CategoryCode| listed().any(|category| category.revealing && category.code == *code);
        let revealing = meetings.categories.keys().iter().map(reveals).collect();
        let all_details = meetings.rows().iter().flat_map(|meeting| meeting.planned.iter().chain(&meeting.held));
        let weeks = SliceKeys::new(all_details.map(|details| monday(calendar.day(details.starts))), &[], categories.end());
        Self { calendar, units, coalitions, categories, weeks, revealing }
    }

    /// How many slices there are.
    pub(crate) fn len(&self) -> usize {
        self.weeks.end()
    }

    /// The first slice of a week.
    pub(crate) fn first_week(&self) -> usize {
        self.weeks.first
    }

    /// The slices of a plan or a report, each once, ascending.
    pub(crate) fn of_details(&self, details: &MeetingDetails) -> Vec<usize> {
        let mut slices =
            vec![REGION, self.units.slice_of_code[details.unit as usize], self.coalitions.slice_of_code[details.coalition as usize]];
        slices.extend(details.categories.iter().map(|category| self.categories.slice_of_code[*category as usize]));
        slices[3..].sort_unstable();
        slices.dedup();
        let monday = monday(self.calendar.day(details.starts));
        slices.push(self.weeks.first + self.weeks.keys.partition_point(|week| *week < monday));
        slices
    }

    /// Whether a valid plan or report of the meeting has a revealing audience. Then only its headcount is used.
    pub(crate) fn is_revealing(&self, meeting: &Meeting) -> bool {
        meeting.audiences.iter().any(|category| self.revealing[*category as usize])
    }

    /// Adds a meeting to the fulfilment (M1) of its slices.
    pub(crate) fn add_fulfilment(&self, meeting: &Meeting, slices: &mut [Fulfilment]) {
        let planned = meeting.planned.as_ref().map(|plan| self.of_details(plan)).unwrap_or_default();
        let held = meeting.held.as_ref().map(|report| self.of_details(report)).unwrap_or_default();
        let lawful = |details: &MeetingDetails| self.calendar.lawful(self.calendar.day(details.starts));
        let passed = |details: &MeetingDetails| self.calendar.day(details.starts) <= self.calendar.today;
        let is_cancelled = meeting.status == Status::Cancelled;
        let is_due = !is_cancelled && meeting.planned.as_ref().is_some_and(|plan| lawful(plan) && passed(plan));
        let is_lawful = meeting.held.as_ref().is_some_and(lawful);
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
