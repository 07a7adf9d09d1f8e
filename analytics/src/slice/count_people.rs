//! Counts the different people of groups of meetings: exactly, in one pass over everybody's attendances, however many groups there are.
//!
//! Meetings that are in the same groups are a *cell*. A person's meetings lie together, so whether somebody was counted in a cell or group
//! before is a comparison with the last person counted there; no set of people is needed. Attendances are counted by cell alone, because each
//! is in one; people are counted by group when they come to another cell.
//!
//! Guarantees: people are counted in parallel, and the result does not depend on how they are divided. Memory: for each processor a counter
//! for each pair of a cell or group and a group of people.

use std::{
    collections::HashMap,
    ops::Range,
    panic::resume_unwind,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use super::{
    counted_people::CountedPeople,
    people_counts::{FREQUENCIES, PeopleCounts},
};
use crate::facts_store::{MeetingCounts, PersonMeetings};

/// People that a thread takes at once: few enough that no thread waits long for another at the end.
const PEOPLE_AT_ONCE: usize = 8_192;

/// Counters of one pass and thread; more groups are counted in several passes.
const MAX_COUNTERS: usize = 4_000_000;

/// Which people are counted, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counting<'a> {
    pub(super) attendance: &'a PersonMeetings,
    /// None counts everybody in one group.
    pub(super) people: Option<&'a CountedPeople>,
    pub(super) with_exposure: bool,
}

impl Counting<'_> {
    fn people_groups(&self) -> usize {
        self.people.map_or(1, CountedPeople::group_count)
    }
}

/// The people of each group of meetings, by number of a group of people; groups without anybody are left out. Lists of meetings may overlap.
pub(super) fn count_groups(groups: &[Vec<u32>], counting: Counting<'_>) -> Vec<Vec<(usize, PeopleCounts)>> {
    let at_once = (MAX_COUNTERS / counting.people_groups().max(1)).max(1);
    groups.chunks(at_once).flat_map(|groups| count_pass(groups, counting)).collect()
}

fn count_pass(groups: &[Vec<u32>], counting: Counting<'_>) -> Vec<Vec<(usize, PeopleCounts)>> {
    let cells = Cells::new(groups, counting.attendance.of_meetings.len());
    let people = counting.attendance.len();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut counters = Counters::new(&cells, groups.len(), counting);
        loop {
            let start = next.fetch_add(PEOPLE_AT_ONCE, Ordering::Relaxed).min(people);
            let taken = start..(start + PEOPLE_AT_ONCE).min(people);
            match taken.is_empty() {
                true => return counters,
                false => counters.count(taken),
            }
        }
    };
    let workers = thread::available_parallelism().map_or(1, usize::from).min(people.div_ceil(PEOPLE_AT_ONCE)).max(1);
    let counted: Vec<Counters<'_>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    let mut sums = vec![Vec::new(); groups.len()];
    for people in 0..counting.people_groups() {
        let mut of_people = vec![PeopleCounts::none(counting.with_exposure); groups.len()];
        counted.iter().for_each(|counters| counters.add_to(people, &mut of_people));
        if counting.people.is_none() {
            cells.add_attendances(&counting.attendance.of_meetings, &mut of_people);
        }
        let came = sums.iter_mut().zip(of_people).filter(|(_, counts)| counts.reached > 0);
        came.for_each(|(sums, counts)| sums.push((people, counts)));
    }
    sums
}

/// Meetings that are in the same groups. Meetings in no group are the first cell.
struct Cells {
    /// Cell of each meeting.
    cell_of: Vec<u32>,
    /// Exclusive end of each cell's groups.
    ends: Vec<u32>,
    groups: Vec<u32>,
}

impl Cells {
    fn new(groups: &[Vec<u32>], meetings: usize) -> Self {
        let mut groups_of: Vec<Vec<u32>> = vec![Vec::new(); meetings];
        for (group, list) in (0..).zip(groups) {
            for meeting in list {
                let own = &mut groups_of[*meeting as usize];
                if own.last() != Some(&group) {
                    own.push(group);
                }
            }
        }
        let mut numbers: HashMap<Vec<u32>, u32> = HashMap::from([(Vec::new(), 0)]);
        let mut cells = Self { cell_of: Vec::with_capacity(meetings), ends: vec![0], groups: Vec::new() };
        for groups in groups_of {
            let next = cells.len() as u32;
            let cell = *numbers.entry(groups).or_insert_with_key(|groups| {
                cells.groups.extend(groups);
                cells.ends.push(cells.groups.len() as u32);
                next
            });
            cells.cell_of.push(cell);
        }
        cells
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    /// Adds everybody's attendances at the meetings, by group of meetings.
    fn add_attendances(&self, of_meetings: &[MeetingCounts], sums: &mut [PeopleCounts]) {
        for (cell, meeting) in self.cell_of.iter().zip(of_meetings) {
            for group in self.groups(*cell as usize) {
                sums[*group as usize].contacts += u64::from(meeting.contacts);
                sums[*group as usize].first_reached += u64::from(meeting.first_reached);
            }
        }
    }

    /// Cell of a meeting.
    fn of(&self, meeting: u32) -> usize {
        self.cell_of[meeting as usize] as usize
    }

    /// Groups of a cell.
    fn groups(&self, cell: usize) -> &[u32] {
        let start = if cell == 0 { 0 } else { self.ends[cell - 1] };
        &self.groups[start as usize..self.ends[cell] as usize]
    }
}

/// Attendances in a cell. An attendance is in one, so 32 bits are enough.
#[derive(Clone, Copy, Default)]
struct Attendances {
    all: u32,
    /// Those at which somebody was reached first.
    first: u32,
}

/// How often somebody attended.
#[derive(Clone, Copy, Default)]
struct Times {
    /// Number of the person plus one.
    person: u32,
    times: u32,
}

impl Times {
    /// Adds attendances of a person and forgets those of anybody else; whether these are the person's first ones.
    fn add(&mut self, person: u32, times: u32) -> bool {
        let is_new = self.person != person;
        *self = Self { person, times: if is_new { times } else { self.times + times } };
        is_new
    }
}

/// Counts of one thread. Counters are ordered by group of people.
struct Counters<'a> {
    cells: &'a Cells,
    counting: Counting<'a>,
    attendances: Vec<Attendances>,
    /// Different people by group of meetings.
    reached: Vec<u32>,
    /// Frequencies by group of meetings; empty unless they are asked for.
    exposure: Vec<[u32; FREQUENCIES]>,
    /// The last person who was counted in each cell, plus one.
    last_in_cell: Vec<u32>,
    /// The last person who was counted in each group of meetings, plus one.
    last: Vec<u32>,
    /// Attendances of the current person by cell and by group of meetings; empty unless frequencies are asked for.
    times_in_cell: Vec<Times>,
    times_in_group: Vec<Times>,
    /// Buffers for the cells and groups of the current person.
    own_cells: Vec<usize>,
    own_groups: Vec<usize>,
}

impl<'a> Counters<'a> {
    fn new(cells: &'a Cells, groups: usize, counting: Counting<'a>) -> Self {
        let people_groups = counting.people_groups();
        let if_exposure = |len| if counting.with_exposure { len } else { 0 };
        Self {
            cells,
            counting,
            attendances: vec![Attendances::default(); cells.len() * people_groups],
            reached: vec![0; groups * people_groups],
            exposure: vec![[0; FREQUENCIES]; if_exposure(groups * people_groups)],
            last_in_cell: vec![0; cells.len()],
            last: vec![0; groups],
            times_in_cell: vec![Times::default(); if_exposure(cells.len())],
            times_in_group: vec![Times::default(); if_exposure(groups)],
            own_cells: Vec::new(),
            own_groups: Vec::new(),
        }
    }

    fn count(&mut self, people: Range<usize>) {
        let Counting { attendance, people: groups, with_exposure } = self.counting;
        for (person, meetings) in attendance.people(people) {
            match groups {
                None => self.count_person::<false>(person + 1, meetings, 0),
                // People who do not count have the number of no group.
                Some(groups) if groups.group_of(person) as usize >= groups.group_count() => continue,
                Some(groups) => self.count_person::<true>(person + 1, meetings, groups.group_of(person) as usize),
            }
            if with_exposure {
                self.count_frequencies(person + 1, meetings, groups.map_or(0, |groups| groups.group_of(person) as usize));
            }
        }
    }

    /// Counts a person in a group of people. Attendances are only counted if there are several such groups; else the lists of meetings have
    /// their number.
    fn count_person<const BY_PEOPLE: bool>(&mut self, person: u32, meetings: &[u32], group: usize) {
        let cells = self.last_in_cell.len();
        let attendances = &mut self.attendances[group * cells..][..cells];
        let reached = &mut self.reached[group * self.last.len()..][..self.last.len()];
        if BY_PEOPLE {
            attendances[self.cells.of(meetings[0])].first += 1;
        }
        for meeting in meetings {
            let cell = self.cells.of(*meeting);
            if BY_PEOPLE {
                attendances[cell].all += 1;
            }
            if self.last_in_cell[cell] != person {
                self.last_in_cell[cell] = person;
                for group in self.cells.groups(cell) {
                    let last = &mut self.last[*group as usize];
                    reached[*group as usize] += u32::from(*last != person);
                    *last = person;
                }
            }
        }
    }

    /// Counts how often a person attended, in each group of meetings that they are in.
    fn count_frequencies(&mut self, person: u32, meetings: &[u32], group: usize) {
        let groups = self.last.len();
        let exposure = &mut self.exposure[group * groups..][..groups];
        self.own_cells.clear();
        for cell in meetings.iter().map(|meeting| self.cells.of(*meeting)) {
            if self.times_in_cell[cell].add(person, 1) {
                self.own_cells.push(cell);
            }
        }
        self.own_groups.clear();
        for cell in &self.own_cells {
            for group in self.cells.groups(*cell).iter().map(|group| *group as usize) {
                if self.times_in_group[group].add(person, self.times_in_cell[*cell].times) {
                    self.own_groups.push(group);
                }
            }
        }
        for group in &self.own_groups {
            exposure[*group][(self.times_in_group[*group].times as usize).min(FREQUENCIES) - 1] += 1;
        }
    }

    /// Adds the counts of a group of people, by group of meetings.
    fn add_to(&self, people: usize, sums: &mut [PeopleCounts]) {
        let (cells, groups) = (self.last_in_cell.len(), self.last.len());
        for (cell, attendances) in self.attendances[people * cells..][..cells].iter().enumerate() {
            for group in self.cells.groups(cell) {
                sums[*group as usize].contacts += u64::from(attendances.all);
                sums[*group as usize].first_reached += u64::from(attendances.first);
            }
        }
        sums.iter_mut().zip(&self.reached[people * groups..]).for_each(|(sum, reached)| sum.reached += u64::from(*reached));
        for (sum, exposure) in sums.iter_mut().zip(self.exposure.iter().skip(people * groups)) {
            sum.exposure.iter_mut().flatten().zip(exposure).for_each(|(sum, people)| *sum += u64::from(*people));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meetings_in_the_same_groups_are_one_cell() {
        let cells = Cells::new(&[vec![0, 2, 4, 4], vec![2, 3, 4]], 6);
        assert_eq!(cells.cell_of, [1, 0, 2, 3, 2, 0]);
        assert_eq!((0..cells.len()).map(|cell| cells.groups(cell)).collect::<Vec<_>>(), [&[][..], &[0], &[0, 1], &[1]]);
    }
}
