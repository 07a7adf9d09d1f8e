//! Who attended which meeting: what is known of the attendances of each meeting, and the people on its list unless they are in an order by person. This is how attendance arrives;
//! figures are counted by person, see [`super::person_meetings`].
//!
//! Guarantees: one person is on one list once. A list has eligible people only; the others are counted. Lists are kept by meeting id, so
//! that they stay true when the meetings are numbered anew; [`AttendanceLists::index`] finds them by number.

use std::collections::BTreeSet;

use qamtu_schemas::id::MeetingId;

use crate::{
    facts::meetings::{InternedMeeting, Meetings},
    figures::AttendeeCounts,
};

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

impl MeetingAttendance {
    fn of_nobody(meeting: MeetingId) -> Self {
        Self { meeting, events: 0, is_headcount_only: false, counts: AttendeeCounts::default() }
    }
}

/// Where the people of a list are.
#[derive(Debug, Clone, Copy)]
enum People {
    /// They are a range of [`AttendanceLists::attendees`].
    Here { start: usize, len: u32 },
    /// In an order by person, which has this number in place of the meeting.
    InOrder(u32),
}

/// The list of a meeting.
#[derive(Debug, Clone)]
struct List {
    attendance: MeetingAttendance,
    people: People,
}

/// The attendees of all meetings.
#[derive(Debug, Default)]
pub struct AttendanceLists {
    attendees: Vec<u32>,
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
        self.attendees.extend(people);
        let len = (self.attendees.len() - start) as u32;
        self.lists.push(List { attendance, people: People::Here { start, len } });
    }

    /// Stores a list whose people are in an order by person, by the number of lists before this one.
    pub(super) fn push_in_order(&mut self, attendance: MeetingAttendance) {
        let number = self.lists.len() as u32;
        self.lists.push(List { attendance, people: People::InOrder(number) });
    }

    pub(super) fn len(&self) -> usize {
        self.lists.len()
    }

    /// Replaces the lists of meetings by newer ones.
    pub(super) fn replace(&mut self, newer: Self) {
        self.remove(&newer.meetings().cloned().collect());
        self.extend(newer);
    }

    /// Removes the lists of meetings that nobody attended.
    pub(super) fn remove_empty(&mut self) {
        self.lists.retain(|list| list.attendance.events > 0);
    }

    /// Removes the lists of some meetings.
    pub(crate) fn remove(&mut self, meetings: &BTreeSet<MeetingId>) {
        self.lists.retain(|list| !meetings.contains(&list.attendance.meeting));
    }

    /// Adds the lists of other meetings, whose people are here.
    pub(super) fn extend(&mut self, others: Self) {
        let before = self.attendees.len();
        if before == 0 {
            self.attendees = others.attendees;
        } else {
            self.attendees.extend(others.attendees);
        }
        let moved = |people| match people {
            People::Here { start, len } => People::Here { start: start + before, len },
            People::InOrder(number) => People::InOrder(number),
        };
        self.lists.extend(others.lists.into_iter().map(|list| List { people: moved(list.people), ..list }));
        // Two sorted sequences, which a stable sort merges in one pass.
        self.lists.sort_by(|one, other| one.attendance.meeting.cmp(&other.attendance.meeting));
    }

    /// Whether the lists are those of other states of their meetings: attendances were counted or ignored under another audience, or people who
    /// were counted when the order by person was saved are not counted now.
    pub(super) fn differ_from(&self, meetings: &Meetings, is_headcount_only: impl Fn(&InternedMeeting) -> bool) -> bool {
        self.lists.iter().any(|List { attendance, people }| {
            let meeting = meetings.ids().binary_search(&attendance.meeting).ok().map(|number| &meetings.rows()[number]);
            meeting.is_some_and(&is_headcount_only) != attendance.is_headcount_only
                || matches!(people, People::InOrder(_)) && meeting.is_none_or(|meeting| meeting.report.is_none())
        })
    }

    /// Finds the list of each meeting by number.
    pub(super) fn index(&mut self, meetings: &Meetings) {
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
    }

    fn list(&self, meeting: u32) -> Option<&List> {
        self.list_of[meeting as usize].map(|list| &self.lists[list as usize])
    }

    fn people(&self, list: &List) -> Option<&[u32]> {
        match list.people {
            People::Here { start, len } => Some(&self.attendees[start..][..len as usize]),
            People::InOrder(_) => None,
        }
    }

    /// The eligible people at a meeting; nobody if they are in an order by person.
    pub(super) fn of(&self, meeting: u32) -> &[u32] {
        self.list(meeting).and_then(|list| self.people(list)).unwrap_or(&[])
    }

    /// The number that a meeting has in the order by person; none if its people are here.
    pub(super) fn order_number(&self, meeting: u32) -> Option<u32> {
        match self.list(meeting)?.people {
            People::InOrder(number) => Some(number),
            People::Here { .. } => None,
        }
    }

    /// The number of a meeting among all lists; none if it has no list.
    pub(super) fn list_number(&self, meeting: u32) -> Option<u32> {
        self.list_of[meeting as usize]
    }

    /// All people at a meeting.
    pub(super) fn counts(&self, meeting: u32) -> AttendeeCounts {
        self.list(meeting).map(|list| list.attendance.counts).unwrap_or_default()
    }

    /// Ids of the meetings that have attendances, also if none counts.
    pub(super) fn meetings(&self) -> impl Iterator<Item = &MeetingId> {
        self.lists.iter().map(|list| &list.attendance.meeting)
    }

    /// Attendance events, those that do not count included.
    pub(crate) fn events(&self) -> u64 {
        self.lists.iter().map(|list| u64::from(list.attendance.events)).sum()
    }

    /// The lists of some meetings in ascending order of their ids; an empty one for a meeting that nobody attended.
    pub(super) fn of_meetings(&self, meetings: &BTreeSet<MeetingId>) -> impl Iterator<Item = (MeetingAttendance, Option<&[u32]>)> {
        meetings.iter().map(|meeting| match self.lists.binary_search_by(|list| list.attendance.meeting.cmp(meeting)) {
            Ok(at) => (self.lists[at].attendance.clone(), self.people(&self.lists[at])),
            Err(_) => (MeetingAttendance::of_nobody(meeting.clone()), Some(&[][..])),
        })
    }

    /// All lists in ascending order of meeting ids. Those of counted meetings have no people: these are in the order by person.
    pub(super) fn beside_order(&self, meetings: &Meetings) -> impl Iterator<Item = (MeetingAttendance, Option<&[u32]>)> {
        self.lists.iter().map(|list| {
            let people = if is_counted(meetings, &list.attendance.meeting) { None } else { self.people(list) };
            (list.attendance.clone(), people)
        })
    }
}

/// Whether the people at a meeting are counted.
fn is_counted(meetings: &Meetings, id: &MeetingId) -> bool {
    meetings.ids().binary_search(id).is_ok_and(|number| meetings.rows()[number].report.is_some())
}
