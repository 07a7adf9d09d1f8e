//! Who attended which meeting: one list of person numbers after another.
//!
//! Guarantees: one person is on one list once. A list has eligible people only; the others are counted. Lists are kept by meeting id, so
//! that they stay true when the meetings are numbered anew; [`AttendanceLists::index`] finds them by number.

use std::collections::BTreeSet;

use qamtu_schemas::id::MeetingId;

use super::person_set::PersonSet;
use crate::{facts::meetings::Meetings, figures::AttendeeCounts, roll::MAX_PEOPLE};

/// Bit of an attendee: this is the person's first counted meeting.
const FIRST: u32 = MAX_PEOPLE;

/// A person on a list, and whether they attended no counted meeting before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attendee(u32);

impl Attendee {
    /// Number of the person, below [`MAX_PEOPLE`].
    pub(crate) fn person(self) -> u32 {
        self.0 & !FIRST
    }

    /// Whether the meeting is the person's first counted one: by start, and of equal starts the one with the lowest id.
    pub(crate) fn is_first(self) -> bool {
        self.0 & FIRST != 0
    }
}

/// What is known of the attendances of a meeting, without the eligible people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MeetingAttendance {
    pub(super) meeting: MeetingId,
    /// Attendance events, those that were taken back included.
    pub(super) events: u32,
    /// Attendance at the meeting would reveal sensitive data, so nobody is counted.
    pub(super) is_headcount_only: bool,
    pub(super) counts: AttendeeCounts,
}

/// The list of a meeting.
#[derive(Debug, Clone)]
struct List {
    attendance: MeetingAttendance,
    start: usize,
    len: u32,
    /// Those who attended no counted meeting before.
    first_reached: u32,
}

/// The attendees of all meetings.
#[derive(Debug, Default)]
pub struct AttendanceLists {
    attendees: Vec<Attendee>,
    /// In ascending order of meeting ids.
    lists: Vec<List>,
    /// Index in `lists`, by meeting number.
    list_of: Vec<Option<u32>>,
    /// Attendances at meetings that are not counted.
    pub(crate) without_report: u64,
    /// Number of meetings known by attendance alone.
    pub(crate) unknown_meetings: u64,
}

impl AttendanceLists {
    /// Stores the list of a meeting, whose id must be greater than those before.
    pub(super) fn push(&mut self, attendance: MeetingAttendance, people: impl Iterator<Item = u32>) {
        let start = self.attendees.len();
        self.attendees.extend(people.map(Attendee));
        let len = (self.attendees.len() - start) as u32;
        self.lists.push(List { attendance, start, len, first_reached: 0 });
    }

    /// Removes the lists of some meetings.
    pub(crate) fn remove(&mut self, meetings: &BTreeSet<MeetingId>) {
        self.lists.retain(|list| !meetings.contains(&list.attendance.meeting));
    }

    /// Adds the lists of other meetings.
    pub(super) fn extend(&mut self, others: Self) {
        let before = self.attendees.len();
        if before == 0 {
            self.attendees = others.attendees;
        } else {
            self.attendees.extend(others.attendees);
        }
        self.lists.extend(others.lists.into_iter().map(|list| List { start: list.start + before, ..list }));
        // Two sorted sequences, which a stable sort merges in one pass.
        self.lists.sort_by(|one, other| one.attendance.meeting.cmp(&other.attendance.meeting));
    }

    /// Meetings whose attendances were counted or ignored under another audience than `is_headcount_only` says now.
    pub(super) fn with_another_audience(&self, is_headcount_only: impl Fn(&MeetingId) -> bool) -> impl Iterator<Item = &MeetingId> {
        let changed = move |list: &&List| is_headcount_only(&list.attendance.meeting) != list.attendance.is_headcount_only;
        self.lists.iter().filter(changed).map(|list| &list.attendance.meeting)
    }

    /// Finds the list of each meeting by number, and marks each person's first counted meeting. `people` is the exclusive bound of their
    /// numbers.
    pub(super) fn index(&mut self, meetings: &Meetings, people: usize) {
        self.list_of = vec![None; meetings.ids().len()];
        (self.without_report, self.unknown_meetings) = (0, 0);
        for (List { attendance, .. }, at) in self.lists.iter().zip(0..) {
            let recorded = attendance.counts.recorded();
            let number = meetings.ids().binary_search(&attendance.meeting).ok();
            let is_held = number.is_some_and(|number| meetings.rows()[number].report.is_some());
            self.without_report += if is_held { 0 } else { recorded };
            match number {
                Some(number) => self.list_of[number] = Some(at),
                None => self.unknown_meetings += u64::from(recorded > 0),
            }
        }
        self.mark_first(meetings, people);
    }

    fn mark_first(&mut self, meetings: &Meetings, people: usize) {
        let held =
            |(meeting, list): (&crate::facts::meetings::InternedMeeting, &Option<u32>)| Some((meeting.report.as_ref()?.starts, (*list)?));
        let mut in_order: Vec<(jiff::Timestamp, u32)> = meetings.rows().iter().zip(&self.list_of).filter_map(held).collect();
        // Lists are in the order of meeting ids.
        in_order.sort_unstable();
        let mut reached = PersonSet::new(people);
        for (_, list) in in_order {
            let list = &mut self.lists[list as usize];
            list.first_reached = 0;
            for attendee in &mut self.attendees[list.start..][..list.len as usize] {
                let person = attendee.person();
                let is_first = reached.insert(person);
                attendee.0 = person | if is_first { FIRST } else { 0 };
                list.first_reached += u32::from(is_first);
            }
        }
    }

    fn list(&self, meeting: u32) -> Option<&List> {
        self.list_of[meeting as usize].map(|list| &self.lists[list as usize])
    }

    fn people(&self, list: &List) -> &[Attendee] {
        &self.attendees[list.start..][..list.len as usize]
    }

    /// The eligible people at a meeting.
    pub(crate) fn of(&self, meeting: u32) -> &[Attendee] {
        self.list(meeting).map_or(&[], |list| self.people(list))
    }

    /// All people at a meeting.
    pub(super) fn counts(&self, meeting: u32) -> AttendeeCounts {
        self.list(meeting).map(|list| list.attendance.counts).unwrap_or_default()
    }

    /// The people at a meeting who attended no counted meeting before.
    pub(crate) fn first_reached(&self, meeting: u32) -> u64 {
        self.list(meeting).map_or(0, |list| list.first_reached.into())
    }

    /// Ids of the meetings that have attendances, also if none counts.
    pub(super) fn meetings(&self) -> impl Iterator<Item = &MeetingId> {
        self.lists.iter().map(|list| &list.attendance.meeting)
    }

    /// Attendance events, those that do not count included.
    pub(crate) fn events(&self) -> u64 {
        self.lists.iter().map(|list| u64::from(list.attendance.events)).sum()
    }

    /// All lists in ascending order of meeting ids.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&MeetingAttendance, &[Attendee])> {
        self.lists.iter().map(|list| (&list.attendance, self.people(list)))
    }
}
