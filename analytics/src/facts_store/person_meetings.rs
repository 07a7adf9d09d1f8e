//! Which counted meetings each person attended: one list of meeting numbers after another, by person.
//!
//! The people of a group of meetings are counted along this order: a person's attendances lie together, so whether somebody was counted
//! before is a comparison with one number for each group, and ranges of people are counted in parallel without a merge of sets.
//!
//! Guarantees: a person's meetings are in the order of their starts, and of equal starts in that of their ids, so the first one is the
//! meeting at which they were reached first.

use std::{
    ops::Range,
    panic::resume_unwind,
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use crate::error::AnalyticsError;

/// Threads that put attendances in order: to turn lists around, each has four bytes for everybody.
const MAX_THREADS: usize = 4;

/// The meetings of the people who attended any. Memory: four bytes for each attendance, and eight for each of these people.
#[derive(Debug, Default)]
pub(crate) struct PersonMeetings {
    /// Numbers of the people, ascending.
    pub(super) people: Vec<u32>,
    /// Exclusive end of each one's list.
    pub(super) ends: Vec<u32>,
    pub(super) meetings: Vec<u32>,
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
    /// Nobody yet at so many meetings, with room for so many attendances.
    pub(super) fn with_capacity(meetings: usize, attendances: usize) -> Self {
        let of_meetings = vec![MeetingCounts::default(); meetings];
        Self { people: Vec::new(), ends: Vec::new(), meetings: Vec::with_capacity(attendances), of_meetings }
    }

    /// Adds people with greater numbers, at the same meetings.
    pub(super) fn append(&mut self, others: Self) {
        if self.people.is_empty() {
            *self = others;
            return;
        }
        let before = self.meetings.len() as u32;
        self.people.extend(others.people);
        self.ends.extend(others.ends.into_iter().map(|end| before + end));
        self.meetings.extend(others.meetings);
        for (own, other) in self.of_meetings.iter_mut().zip(others.of_meetings) {
            own.contacts += other.contacts;
            own.first_reached += other.first_reached;
        }
    }

    /// Turns lists around that are in the order of their meetings' starts. `meetings` and `people` are the exclusive bounds of numbers.
    pub(crate) fn of_counted(counted: &[CountedList<'_>], meetings: usize, people: usize) -> Result<Self, AnalyticsError> {
        let attendances = counted.iter().map(|(_, people)| people.len()).sum();
        check_number(attendances)?;
        let (ends, turned) = turn_around(counted, attendances, people);
        let mut of_meetings = vec![MeetingCounts::default(); meetings];
        counted.iter().for_each(|(meeting, people)| of_meetings[*meeting as usize].contacts = people.len() as u32);
        let mut of_people = Self { people: Vec::new(), ends: Vec::new(), meetings: turned, of_meetings };
        let mut start = 0;
        for (end, person) in ends.into_iter().zip(0..) {
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

    /// The people at each meeting, by meeting number.
    pub(crate) fn lists(&self) -> Vec<Vec<u32>> {
        let mut lists: Vec<Vec<u32>> = self.of_meetings.iter().map(|counts| Vec::with_capacity(counts.contacts as usize)).collect();
        for (person, meetings) in self.people(0..self.len()) {
            meetings.iter().for_each(|meeting| lists[*meeting as usize].push(person));
        }
        lists
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

/// Fails if there are more attendances than numbers for them.
pub(super) fn check_number(attendances: usize) -> Result<(), AnalyticsError> {
    u32::try_from(attendances).map(|_| ()).map_err(|_| AnalyticsError::TooMany(u32::MAX))
}

/// How many threads put attendances in order.
pub(super) fn threads() -> usize {
    thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS)
}

/// A counted meeting and the people on its list.
pub(super) type CountedList<'a> = (u32, &'a [u32]);

/// The meetings of each person, one list after another, and where each person's list ends: a counting sort by person. Each thread counts and
/// places the people of some meetings that follow one another; in a person's list, the meetings of an earlier thread come first.
fn turn_around(counted: &[CountedList<'_>], attendances: usize, people: usize) -> (Vec<u32>, Vec<u32>) {
    let parts = split(counted, attendances, threads());
    let count = |part: &[CountedList<'_>]| {
        let mut counts = vec![0; people];
        for person in part.iter().flat_map(|(_, people)| *people) {
            counts[*person as usize] += 1;
        }
        counts
    };
    let mut places: Vec<Vec<u32>> = thread::scope(|scope| {
        let counting: Vec<_> = parts.iter().map(|part| scope.spawn(|| count(part))).collect();
        counting.into_iter().map(|counting| counting.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    let mut end = 0;
    let mut end_of = |person: usize| {
        for places in &mut places {
            end += std::mem::replace(&mut places[person], end);
        }
        end
    };
    let ends: Vec<u32> = (0..people).map(&mut end_of).collect();
    let turned: Vec<AtomicU32> = (0..attendances).map(|_| AtomicU32::new(0)).collect();
    thread::scope(|scope| {
        for (part, mut places) in parts.iter().zip(places) {
            let turned = &turned;
            scope.spawn(move || {
                for (meeting, people) in *part {
                    for person in *people {
                        let place = &mut places[*person as usize];
                        turned[*place as usize].store(*meeting, Ordering::Relaxed);
                        *place += 1;
                    }
                }
            });
        }
    });
    (ends, turned.into_iter().map(AtomicU32::into_inner).collect())
}

/// Divides lists into parts with about as many attendances each.
fn split<'a, 'b>(counted: &'a [CountedList<'b>], attendances: usize, parts: usize) -> Vec<&'a [CountedList<'b>]> {
    let share = attendances.div_ceil(parts).max(1);
    let mut before = 0;
    let part_of = |(_, people): &CountedList<'_>| {
        before += people.len();
        (before.saturating_sub(people.len()) / share).min(parts - 1)
    };
    let numbers: Vec<usize> = counted.iter().map(part_of).collect();
    (0..parts)
        .map(|part| &counted[numbers.partition_point(|number| *number < part)..numbers.partition_point(|number| *number <= part)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_turned_around_in_order_however_they_are_split() {
        let lists: Vec<Vec<u32>> =
            (0..40_u32).map(|meeting| (0..meeting % 7).map(|seat| (meeting * 3 + seat * 5) % 11).collect()).collect();
        let counted: Vec<CountedList<'_>> = (0..).zip(&lists).map(|(meeting, people)| (meeting, &people[..])).collect();
        let attendances = lists.iter().map(Vec::len).sum();
        for parts in 1..6 {
            assert_eq!(split(&counted, attendances, parts).concat(), counted);
        }
        let (ends, turned) = turn_around(&counted, attendances, 12);
        let mut start = 0;
        for (person, end) in (0..).zip(ends) {
            let own: Vec<u32> = counted.iter().filter(|(_, people)| people.contains(&person)).map(|(meeting, _)| *meeting).collect();
            assert_eq!(turned[start..end as usize], own);
            start = end as usize;
        }
    }
}
