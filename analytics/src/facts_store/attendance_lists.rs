//! Who attended which counted meeting: one list of person numbers after another.
//!
//! Guarantees: one person is on one list once. A list has eligible people only; the others are counted.

use crate::{facts::meetings::Meetings, figures::AttendeeCounts, roll::MAX_PEOPLE};

use super::person_set::PersonSet;

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

/// The attendees of one meeting.
#[derive(Debug, Clone, Copy, Default)]
struct List {
    start: usize,
    len: u32,
    /// Those who attended no counted meeting before.
    first_reached: u32,
    counts: AttendeeCounts,
}

/// The attendees of all meetings.
#[derive(Debug, Default)]
pub(crate) struct AttendanceLists {
    attendees: Vec<Attendee>,
    /// Indexed by meeting number.
    lists: Vec<List>,
    /// Attendances at meetings that are not counted.
    pub(crate) without_report: u64,
    /// Number of meetings known by attendance alone.
    pub(crate) unknown_meetings: u64,
    /// Attendance events, those that do not count included.
    pub(crate) events: u64,
}

impl AttendanceLists {
    pub(super) fn new(meetings: usize) -> Self {
        Self { lists: vec![List::default(); meetings], ..Self::default() }
    }

    /// Stores the list of a counted meeting.
    pub(super) fn push(&mut self, meeting: u32, counts: AttendeeCounts, people: impl Iterator<Item = u32>) {
        let start = self.attendees.len();
        self.attendees.extend(people.map(Attendee));
        self.lists[meeting as usize] = List { start, len: (self.attendees.len() - start) as u32, first_reached: 0, counts };
    }

    /// Marks each person's first counted meeting. `people` is the exclusive bound of their numbers.
    pub(super) fn mark_first(&mut self, meetings: &Meetings, people: usize) {
        let held = meetings.rows().iter().zip(0..).filter_map(|(meeting, number)| Some((meeting.report.as_ref()?.starts, number)));
        let mut in_order: Vec<(jiff::Timestamp, usize)> = held.collect();
        in_order.sort_unstable();
        let mut reached = PersonSet::new(people);
        for (_, meeting) in in_order {
            let list = &mut self.lists[meeting];
            for attendee in &mut self.attendees[list.start..][..list.len as usize] {
                if reached.insert(attendee.0) {
                    attendee.0 |= FIRST;
                    list.first_reached += 1;
                }
            }
        }
    }

    /// The eligible people at a meeting.
    pub(crate) fn of(&self, meeting: u32) -> &[Attendee] {
        let list = self.lists[meeting as usize];
        &self.attendees[list.start..][..list.len as usize]
    }

    /// All people at a meeting.
    pub(super) fn counts(&self, meeting: usize) -> AttendeeCounts {
        self.lists[meeting].counts
    }

    /// The people at a meeting who attended no counted meeting before.
    pub(crate) fn first_reached(&self, meeting: u32) -> u64 {
        self.lists[meeting as usize].first_reached.into()
    }
}
