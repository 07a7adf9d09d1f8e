//! Which counted meetings each person attended: one list of meeting numbers after another, by person.
//!
//! The people of a group of meetings are counted along this order: a person's attendances lie together, so whether somebody was counted
//! before is a comparison with one number for each group, and ranges of people are counted in parallel without a merge of sets.
//!
//! Guarantees: a person's meetings are in the order of their starts, and of equal starts in that of their ids, so the first one is the
//! meeting at which they were reached first.

use std::{ops::Range, thread};

use jiff::Timestamp;

use super::attendance_lists::AttendanceLists;
use crate::{
    error::AnalyticsError,
    facts::meetings::{InternedMeeting, Meetings},
};

/// The meetings of the people who attended any. Memory: four bytes for each attendance, and eight for each of these people.
#[derive(Debug, Default)]
pub(crate) struct PersonMeetings {
    /// Numbers of the people, ascending.
    people: Vec<u32>,
    /// Exclusive end of each one's list.
    ends: Vec<u32>,
    meetings: Vec<u32>,
    /// Attendances by meeting number, those that are somebody's first one beside them.
    pub(crate) of_meetings: Vec<MeetingCounts>,
}

/// How many people attended a counted meeting.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct MeetingCounts {
    pub(crate) contacts: u32,
    /// Those who attended no counted meeting before.
    pub(crate) first_reached: u32,
}

impl PersonMeetings {
    /// Turns the lists of counted meetings around. `people` is the exclusive bound of person numbers.
    pub(super) fn of(lists: &AttendanceLists, meetings: &Meetings, people: usize) -> Result<Self, AnalyticsError> {
        let held = |(meeting, number): (&InternedMeeting, u32)| Some((meeting.report.as_ref()?.starts, number));
        let mut in_order: Vec<(Timestamp, u32)> = meetings.rows().iter().zip(0..).filter_map(held).collect();
        in_order.sort_unstable();
        let counted: Vec<(u32, &[u32])> = in_order.into_iter().map(|(_, meeting)| (meeting, lists.of(meeting))).collect();
        let attendances = counted.iter().map(|(_, people)| people.len()).sum();
        if u32::try_from(attendances).is_err() {
            return Err(AnalyticsError::TooMany(u32::MAX));
        }
        let mut ends = vec![0; people];
        for person in counted.iter().flat_map(|(_, people)| *people) {
            ends[*person as usize] += 1;
        }
        let mut end = 0;
        for count in &mut ends {
            end += *count;
            *count = end;
        }
        let mut turned = vec![0; attendances];
        fill(&ends, &mut turned, &counted);
        let mut of_meetings = vec![MeetingCounts::default(); meetings.rows().len()];
        counted.iter().for_each(|(meeting, people)| of_meetings[*meeting as usize].contacts = people.len() as u32);
        let mut of_people = Self { people: Vec::new(), ends: Vec::new(), meetings: turned, of_meetings };
        let mut start = 0;
        for (end, person) in ends.into_iter().zip(0..).filter(|(end, _)| *end > 0) {
            if end > start {
                of_people.people.push(person);
                of_people.ends.push(end);
                of_people.of_meetings[of_people.meetings[start as usize] as usize].first_reached += 1;
                start = end;
            }
        }
        Ok(of_people)
    }

    /// Number of people who attended a counted meeting.
    pub(crate) fn len(&self) -> usize {
        self.people.len()
    }

    /// Some of the people by index, each with their meetings in the order in which they attended them: at least one.
    pub(crate) fn people(&self, indexes: Range<usize>) -> impl Iterator<Item = (u32, &[u32])> {
        let mut start = if indexes.start == 0 { 0 } else { self.ends[indexes.start - 1] as usize };
        self.people[indexes.clone()].iter().zip(&self.ends[indexes]).map(move |(person, end)| {
            let meetings = &self.meetings[start..*end as usize];
            start = *end as usize;
            (*person, meetings)
        })
    }
}

/// Fills the lists of all people, which end at `ends`. Each thread fills those of a range of people, and skips everybody else on the lists of
/// meetings.
fn fill(ends: &[u32], meetings: &mut [u32], counted: &[(u32, &[u32])]) {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let share = meetings.len().div_ceil(workers).max(1);
    thread::scope(|scope| {
        let (mut first, mut start, mut rest) = (0, 0, meetings);
        for worker in 1..=workers {
            let last = ends.partition_point(|end| (*end as usize) < share * worker).saturating_add(1).min(ends.len()).max(first);
            let end = last.checked_sub(1).map_or(0, |last| ends[last]).max(start);
            let (own, others) = rest.split_at_mut((end - start) as usize);
            rest = others;
            let (people, offset) = (first..last, start);
            scope.spawn(move || fill_range(ends, people, offset, own, counted));
            (first, start) = (last, end);
        }
    });
}

/// `own` are the lists of `people`, which start at `offset`.
fn fill_range(ends: &[u32], people: Range<usize>, offset: u32, own: &mut [u32], counted: &[(u32, &[u32])]) {
    let start_of = |person: usize| if person == 0 { 0 } else { ends[person - 1] };
    let mut next: Vec<u32> = people.clone().map(|person| start_of(person) - offset).collect();
    for (meeting, list) in counted {
        for person in *list {
            if let Some(next) = next.get_mut((*person as usize).wrapping_sub(people.start)) {
                own[*next as usize] = *meeting;
                *next += 1;
            }
        }
    }
}
