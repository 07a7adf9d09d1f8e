//! The order by person of an earlier calculation, and how it is renewed: the lists of changed meetings are taken out and put in anew, all others
//! are copied. Sorting all attendances again would take several times as long.
//!
//! Guarantees: the result is that of sorting everything, see [`PersonMeetings::of_counted`]. If meetings that did not change have another order
//! now, the meetings of each person are sorted again.

use std::{panic::resume_unwind, thread};

use jiff::Timestamp;

use super::{
    attendance_lists::AttendanceLists,
    person_meetings::{CountedList, PersonMeetings, check_number, threads},
};
use crate::{
    error::AnalyticsError,
    facts::meetings::{InternedMeeting, Meetings},
};

/// Rank of a list that is not counted, or whose people are no longer taken from this order.
const NOT_COUNTED: u32 = u32::MAX;

/// Who attended which meeting, as it was saved: the lists of all meetings, and the people of the counted ones.
#[derive(Debug, Default)]
pub struct SavedAttendance {
    pub(crate) lists: AttendanceLists,
    pub(super) order: SavedOrder,
}

/// The numbers of each person's lists, in the order in which the meetings began.
#[derive(Debug, Default)]
pub(super) struct SavedOrder {
    /// Numbers of the people on any of these lists, ascending.
    pub(super) people: Vec<u32>,
    /// Exclusive end of each one's lists.
    pub(super) ends: Vec<u32>,
    pub(super) lists: Vec<u32>,
}

/// A counted meeting. The people who attended it are either in the saved order, under the number `saved`, or in `people`.
#[derive(Debug, Clone, Copy)]
pub(super) struct CountedMeeting<'a> {
    pub(super) meeting: u32,
    pub(super) saved: Option<u32>,
    pub(super) people: &'a [u32],
}

/// An attendance to add, at the meeting with this rank among the counted ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Added {
    person: u32,
    rank: u32,
}

/// Consecutive people of a saved order, and what is added to them and to people between them.
struct Part<'a> {
    people: &'a [u32],
    ends: &'a [u32],
    /// Start of the first one's lists.
    start: usize,
    added: &'a [Added],
}

impl SavedAttendance {
    /// The counted meetings of each person. `people` is the exclusive bound of their numbers. The order that was saved is renewed; without one
    /// the lists are sorted.
    pub(super) fn person_meetings(&self, meetings: &Meetings, people: usize) -> Result<PersonMeetings, AnalyticsError> {
        let Self { lists, order } = self;
        let held = |(meeting, number): (&InternedMeeting, u32)| Some((meeting.report.as_ref()?.starts, number));
        let mut in_order: Vec<(Timestamp, u32)> = meetings.rows().iter().zip(0..).filter_map(held).collect();
        in_order.sort_unstable();
        if order.people.is_empty() {
            let counted: Vec<CountedList<'_>> = in_order.into_iter().map(|(_, meeting)| (meeting, lists.of(meeting))).collect();
            return PersonMeetings::of_counted(&counted, meetings.rows().len(), people);
        }
        let counted =
            |(_, meeting): (Timestamp, u32)| CountedMeeting { meeting, saved: lists.order_number(meeting), people: lists.of(meeting) };
        let counted: Vec<CountedMeeting<'_>> = in_order.into_iter().map(counted).collect();
        check_number(order.lists.len() + counted.iter().map(|meeting| meeting.people.len()).sum::<usize>())?;
        Ok(order.renewed(&counted, meetings.rows().len()))
    }
}

impl SavedOrder {
    /// The meetings of each person. `counted` are all counted meetings in the order of their starts, `meetings` is the exclusive bound of their
    /// numbers.
    pub(super) fn renewed(&self, counted: &[CountedMeeting<'_>], meetings: usize) -> PersonMeetings {
        let mut rank_of = vec![NOT_COUNTED; self.lists.iter().max().map_or(0, |last| *last as usize + 1)];
        let mut added: Vec<Added> = Vec::new();
        for (meeting, rank) in counted.iter().zip(0..) {
            added.extend(meeting.people.iter().map(|person| Added { person: *person, rank }));
            if let Some(own) = meeting.saved.and_then(|number| rank_of.get_mut(number as usize)) {
                *own = rank;
            }
        }
        added.sort_unstable();
        let in_order: Vec<u32> = counted.iter().map(|counted| counted.meeting).collect();
        let (rank_of, in_order, capacity) = (&rank_of, &in_order, self.lists.len() + added.len());
        let mut renewed = PersonMeetings::with_capacity(meetings, 0);
        thread::scope(|scope| {
            let renew = |(at, part): (usize, Part<'_>)| {
                // The others are appended to the first one.
                let capacity = if at == 0 { capacity } else { part.attendances() };
                Renewal { rank_of, in_order, renewed: PersonMeetings::with_capacity(meetings, capacity) }.run(&part, &self.lists)
            };
            let parts: Vec<_> =
                self.parts(&added, threads()).into_iter().enumerate().map(|part| scope.spawn(move || renew(part))).collect();
            for part in parts {
                renewed.append(part.join().unwrap_or_else(|panic| resume_unwind(panic)));
            }
        });
        renewed
    }

    /// Divides the people into parts with about as many attendances each, at least one.
    fn parts<'a>(&'a self, mut added: &'a [Added], parts: usize) -> Vec<Part<'a>> {
        let mut divided = Vec::with_capacity(parts);
        let mut first = 0;
        for part in 1..=parts {
            let end = match part < parts {
                true => self.ends.partition_point(|end| (*end as usize) <= self.lists.len() * part / parts).max(first),
                false => self.people.len(),
            };
            let next = self.people.get(end);
            let (own, others) = added.split_at(next.map_or(added.len(), |next| added.partition_point(|added| added.person < *next)));
            let start = if first == 0 { 0 } else { self.ends[first - 1] as usize };
            divided.push(Part { people: &self.people[first..end], ends: &self.ends[first..end], start, added: own });
            (first, added) = (end, others);
        }
        divided
    }
}

impl Part<'_> {
    fn attendances(&self) -> usize {
        self.ends.last().map_or(0, |end| *end as usize - self.start) + self.added.len()
    }
}

/// Copies the meetings of some people.
struct Renewal<'a> {
    /// Rank of each list of the saved order.
    rank_of: &'a [u32],
    /// Meeting of each rank.
    in_order: &'a [u32],
    renewed: PersonMeetings,
}

impl Renewal<'_> {
    fn run(mut self, part: &Part<'_>, lists: &[u32]) -> PersonMeetings {
        let (mut start, mut added) = (part.start, part.added);
        for (person, end) in part.people.iter().zip(part.ends) {
            let saved = &lists[start..*end as usize];
            start = *end as usize;
            if added.first().is_none_or(|next| next.person > *person) {
                self.add(*person, saved, &[]);
                continue;
            }
            let (before, others) = added.split_at(added.partition_point(|added| added.person < *person));
            let (own, after) = others.split_at(others.partition_point(|added| added.person == *person));
            self.add_others(before);
            self.add(*person, saved, own);
            added = after;
        }
        self.add_others(added);
        self.renewed
    }

    /// People who have only added attendances.
    fn add_others(&mut self, added: &[Added]) {
        added.chunk_by(|one, other| one.person == other.person).for_each(|own| self.add(own[0].person, &[], own));
    }

    fn add(&mut self, person: u32, lists: &[u32], added: &[Added]) {
        let renewed = &mut self.renewed;
        let start = renewed.meetings.len();
        let (mut last, mut is_sorted) = (0, true);
        let saved = lists.iter().map(|list| self.rank_of[*list as usize]).filter(|rank| *rank != NOT_COUNTED);
        for rank in saved.chain(added.iter().map(|added| added.rank)) {
            is_sorted &= last <= rank;
            last = rank;
            renewed.meetings.push(rank);
        }
        let own = &mut renewed.meetings[start..];
        if !is_sorted {
            own.sort_unstable();
        }
        for meeting in &mut *own {
            *meeting = self.in_order[*meeting as usize];
            renewed.of_meetings[*meeting as usize].contacts += 1;
        }
        if let Some(first) = own.first() {
            renewed.of_meetings[*first as usize].first_reached += 1;
            renewed.people.push(person);
            renewed.ends.push(renewed.meetings.len() as u32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEOPLE: u32 = 90;

    /// Makes pseudo-random numbers of neighbouring ones.
    fn mix(number: u32) -> u32 {
        let mixed = number.wrapping_mul(0x9E37_79B9);
        (mixed ^ (mixed >> 15)).wrapping_mul(0x85EB_CA6B) >> 3
    }

    /// The people at a meeting in some round; a meeting may be that of an earlier round.
    fn people(meeting: u32, round: u32) -> Vec<u32> {
        (0..PEOPLE).filter(|person| mix(mix(meeting) ^ mix(round * 1_000 + person)).is_multiple_of(4)).collect()
    }

    fn order_of(lists: &[(u32, Vec<u32>)], meetings: u32) -> PersonMeetings {
        let counted: Vec<(u32, &[u32])> = lists.iter().map(|(meeting, people)| (*meeting, &people[..])).collect();
        PersonMeetings::of_counted(&counted, meetings as usize, PEOPLE as usize).expect("few attendances")
    }

    fn rows(order: &PersonMeetings) -> Vec<(u32, Vec<u32>)> {
        order.people(0..order.len()).map(|(person, meetings)| (person, meetings.to_vec())).collect()
    }

    #[test]
    fn a_renewed_order_is_that_of_sorting_everything() {
        for round in 0..60 {
            let meetings = 1 + mix(round) % 25;
            // Numbers of meetings in the order of their starts, which may have changed since.
            let starts = |round: u32| {
                let mut numbers: Vec<u32> = (0..meetings).collect();
                numbers.sort_by_key(|meeting| mix(meeting + round / 2 * 100));
                numbers
            };
            let before: Vec<(u32, Vec<u32>)> = starts(round - round % 2).into_iter().map(|meeting| (meeting, people(meeting, 0))).collect();
            let saved = order_of(&before, meetings);
            // Lists have other numbers than meetings.
            let lists = saved.meetings.iter().map(|meeting| meeting + 3).collect();
            let saved = SavedOrder { people: saved.people, ends: saved.ends, lists };
            let is_changed = |meeting: u32| mix(meeting + round * 7).is_multiple_of(3);
            let mut in_order = starts(round);
            in_order.retain(|meeting| !mix(meeting + round * 11).is_multiple_of(7));
            let now: Vec<(u32, Vec<u32>)> =
                in_order.iter().map(|meeting| (*meeting, people(*meeting, if is_changed(*meeting) { round + 1 } else { 0 }))).collect();
            let counted: Vec<CountedMeeting<'_>> = now
                .iter()
                .map(|(meeting, people)| match is_changed(*meeting) {
                    true => CountedMeeting { meeting: *meeting, saved: None, people },
                    false => CountedMeeting { meeting: *meeting, saved: Some(*meeting + 3), people: &[] },
                })
                .collect();
            let (renewed, expected) = (saved.renewed(&counted, meetings as usize), order_of(&now, meetings));
            assert_eq!(rows(&renewed), rows(&expected), "round {round}");
            let counts = |order: &PersonMeetings| order.of_meetings.iter().map(|of| (of.contacts, of.first_reached)).collect::<Vec<_>>();
            assert_eq!(counts(&renewed), counts(&expected), "round {round}");
            for (meeting, own) in &now {
                assert_eq!(renewed.lists()[*meeting as usize], *own, "round {round}");
            }
        }
    }
}
