//! Counts the different people of groups of meetings: exactly, in one pass over everybody's attendances or, if the counters of all groups
//! would take too much memory, in few.
//!
//! Meetings that are in the same groups are a *class*. A person's meetings lie together, so whether somebody was counted in a class or group
//! before is a comparison with the last person counted there; no set of people is needed. Attendances are counted by class alone, because each
//! is in one; people are counted by group when they come to another class. If all meetings are in one class, as in a slice of people alone,
//! a person's list is not visited: its length says everything. Up to some hundred groups are counted 64 at once, by masks.
//!
//! Guarantees: people are counted in parallel, and the result does not depend on how they are divided. Memory: for each processor a counter
//! for each pair of a class or group and a group of people.

use std::{
    ops::Range,
    panic::resume_unwind,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use super::{
    class_masks::ClassMasks,
    counted_people::CountedPeople,
    meeting_classes::MeetingClasses,
    people_counts::{FREQUENCIES, PeopleCounts},
};
use crate::{
    facts_store::PersonMeetings,
    mask_counter::{BITS, MaskCounter},
};

/// How the work is divided.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// People that a thread takes at once: few enough that no thread waits long for another at the end.
    people_at_once: usize,
    /// Counters of all threads together, of 8 bytes or, with frequencies, 32; those of masks included. If there were more, fewer threads count,
    /// or fewer groups at once, or without masks.
    counters: usize,
}

const LIMITS: Limits = Limits { people_at_once: 8_192, counters: 16_000_000 };

/// Which people are counted, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct CountInput<'a> {
    pub(super) attendance: &'a PersonMeetings,
    /// None counts everybody in one group.
    pub(super) people: Option<&'a CountedPeople>,
    pub(super) with_frequencies: bool,
}

impl CountInput<'_> {
    fn people_groups(&self) -> usize {
        self.people.map_or(1, CountedPeople::group_count)
    }
}

/// The people of each group of meetings, by number of a group of people; groups without anybody are left out. Lists of meetings may overlap.
pub(super) fn count_groups(groups: &[Vec<u32>], input: CountInput<'_>) -> Vec<Vec<(usize, PeopleCounts)>> {
    count_within(groups, input, LIMITS)
}

fn count_within(groups: &[Vec<u32>], input: CountInput<'_>, limits: Limits) -> Vec<Vec<(usize, PeopleCounts)>> {
    let classes = MeetingClasses::new(groups, input.attendance.of_meetings.len());
    let counters = (classes.len() + groups.len()) * input.people_groups();
    if counters > limits.counters && groups.len() > 1 {
        let (some, others) = groups.split_at(groups.len() / 2);
        return [some, others].into_iter().flat_map(|groups| count_within(groups, input, limits)).collect();
    }
    let blocks = input.attendance.len().div_ceil(limits.people_at_once);
    let processors = thread::available_parallelism().map_or(1, usize::from).min(blocks).max(1);
    let threads_for = |counters: usize| processors.min(limits.counters / counters.max(1));
    let masked = counters + ClassMasks::counters(groups.len()) * input.people_groups();
    // Masks are worth their memory only if all threads have room for them.
    let uses_masks = !input.with_frequencies && groups.len() >= MIN_MASKED && threads_for(masked) == processors;
    let threads = threads_for(counters).max(1);
    count_pass(groups, &classes, input, Division { threads, people_at_once: limits.people_at_once, uses_masks })
}

/// How one pass is divided.
#[derive(Clone, Copy)]
struct Division {
    threads: usize,
    people_at_once: usize,
    /// Whether groups of meetings are counted by masks.
    uses_masks: bool,
}

/// Groups of meetings from which on a mask costs less than a comparison for each.
const MIN_MASKED: usize = 8;

fn count_pass(groups: &[Vec<u32>], classes: &MeetingClasses, input: CountInput<'_>, division: Division) -> Vec<Vec<(usize, PeopleCounts)>> {
    let people = input.attendance.len();
    let next = AtomicUsize::new(0);
    let only_class = classes.only(&input.attendance.of_meetings);
    let masks = if division.uses_masks && only_class.is_none() { ClassMasks::new(classes, groups.len()) } else { None };
    let work = || {
        let mut counters = Counters { only_class, ..Counters::new(classes, masks.as_ref(), groups.len(), input) };
        loop {
            let start = next.fetch_add(division.people_at_once, Ordering::Relaxed).min(people);
            let taken = start..(start + division.people_at_once).min(people);
            match taken.is_empty() {
                true => return counters.finish(),
                false => counters.count(taken),
            }
        }
    };
    let counted: Vec<Counters<'_>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..division.threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    let mut sums = vec![Vec::new(); groups.len()];
    for people in 0..input.people_groups() {
        let mut of_people = vec![PeopleCounts::none(input.with_frequencies); groups.len()];
        counted.iter().for_each(|counters| counters.add_to(people, &mut of_people));
        if input.people.is_none() {
            classes.add_attendances(&input.attendance.of_meetings, &mut of_people);
        }
        let came = sums.iter_mut().zip(of_people).filter(|(_, counts)| counts.reached > 0);
        came.for_each(|(sums, counts)| sums.push((people, counts)));
    }
    sums
}

/// Attendances in a class. An attendance is in one, and a store has fewer than 2^32.
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
    classes: &'a MeetingClasses,
    /// The class of all meetings, if there is only one.
    only_class: Option<usize>,
    masks: Option<&'a ClassMasks>,
    /// One for each word of a mask, by group of people; empty without masks.
    mask_counters: Vec<MaskCounter>,
    input: CountInput<'a>,
    attendances: Vec<Attendances>,
    /// Different people by group of meetings.
    reached: Vec<u32>,
    /// Frequencies by group of meetings; empty unless they are asked for.
    frequencies: Vec<[u32; FREQUENCIES]>,
    /// The last person who was counted in each class, plus one.
    last_in_class: Vec<u32>,
    /// The last person who was counted in each group of meetings, plus one.
    last: Vec<u32>,
    /// Attendances of the current person by class and by group of meetings; empty unless frequencies are asked for.
    times_in_class: Vec<Times>,
    times_in_group: Vec<Times>,
    /// Buffers for the classes and groups of the current person.
    own_classes: Vec<usize>,
    own_groups: Vec<usize>,
}

impl<'a> Counters<'a> {
    fn new(classes: &'a MeetingClasses, masks: Option<&'a ClassMasks>, groups: usize, input: CountInput<'a>) -> Self {
        let people_groups = input.people_groups();
        let if_frequencies = |len| if input.with_frequencies { len } else { 0 };
        Self {
            classes,
            only_class: None,
            masks,
            mask_counters: vec![MaskCounter::default(); masks.map_or(0, |masks| masks.words() * people_groups)],
            input,
            attendances: vec![Attendances::default(); if input.people.is_some() { classes.len() * people_groups } else { 0 }],
            reached: vec![0; groups * people_groups],
            frequencies: vec![[0; FREQUENCIES]; if_frequencies(groups * people_groups)],
            last_in_class: vec![0; classes.len()],
            last: vec![0; groups],
            times_in_class: vec![Times::default(); if_frequencies(classes.len())],
            times_in_group: vec![Times::default(); if_frequencies(groups)],
            own_classes: Vec::new(),
            own_groups: Vec::new(),
        }
    }

    fn count(&mut self, people: Range<usize>) {
        let CountInput { attendance, people: divided, with_frequencies } = self.input;
        let people_groups = self.input.people_groups();
        for (person, meetings) in attendance.people(people) {
            let group = divided.map_or(0, |people| people.group_of(person) as usize);
            if let Some(class) = self.only_class {
                // People who do not count have the number of no group.
                if group < people_groups {
                    self.count_all_meetings(class, meetings.len(), group);
                }
                continue;
            }
            match divided {
                None if self.masks.is_some() => self.count_by_mask(meetings, group),
                Some(_) if self.masks.is_some() && group < people_groups => self.count_by_mask(meetings, group),
                None => self.count_person::<false>(person + 1, meetings, group),
                Some(_) if group < people_groups => self.count_person::<true>(person + 1, meetings, group),
                // People who do not count have the number of no group.
                Some(_) => continue,
            }
            if with_frequencies {
                self.count_frequencies(person + 1, meetings, group);
            }
        }
    }

    /// Counts a person in a group of people, if all meetings are in one class.
    fn count_all_meetings(&mut self, class: usize, meetings: usize, group: usize) {
        let (classes, groups) = (self.last_in_class.len(), self.last.len());
        if let Some(attendances) = self.attendances.get_mut(group * classes + class) {
            attendances.all += meetings as u32;
            attendances.first += 1;
        }
        for of_meetings in self.classes.groups(class).iter().map(|of_meetings| group * groups + *of_meetings as usize) {
            self.reached[of_meetings] += 1;
            if let Some(frequencies) = self.frequencies.get_mut(of_meetings) {
                frequencies[meetings.min(FREQUENCIES) - 1] += 1;
            }
        }
    }

    /// Counts a person in a group of people, in up to 64 groups of meetings at once.
    fn count_by_mask(&mut self, meetings: &[u32], group: usize) {
        let classes = self.last_in_class.len();
        if let Some(attendances) = self.attendances.get_mut(group * classes..(group + 1) * classes) {
            attendances[self.classes.of(meetings[0])].first += 1;
            meetings.iter().for_each(|meeting| attendances[self.classes.of(*meeting)].all += 1);
        }
        match self.masks.map_or(0, ClassMasks::words) {
            1 => self.add_mask::<1>(meetings, group),
            2 => self.add_mask::<2>(meetings, group),
            4 => self.add_mask::<4>(meetings, group),
            _ => self.add_mask::<8>(meetings, group),
        }
    }

    fn add_mask<const WORDS: usize>(&mut self, meetings: &[u32], group: usize) {
        let Some(masks) = self.masks else { return };
        let union = masks.union::<WORDS>(meetings.iter().map(|meeting| self.classes.of(*meeting)));
        self.mask_counters[group * WORDS..][..WORDS].iter_mut().zip(union).for_each(|(counter, mask)| counter.add(mask));
    }

    /// Adds what was counted by masks to the other counters.
    fn finish(mut self) -> Self {
        let (groups, words) = (self.last.len(), self.masks.map_or(1, ClassMasks::words));
        for (at, counter) in std::mem::take(&mut self.mask_counters).into_iter().enumerate() {
            let (people, first) = (at / words, at % words * BITS);
            for (group, count) in (first..groups).zip(counter.counts()) {
                self.reached[people * groups + group] += count as u32;
            }
        }
        self
    }

    /// Counts a person in a group of people. Attendances are only counted if people are filtered or divided; else the lists of meetings have
    /// their number.
    fn count_person<const BY_PEOPLE: bool>(&mut self, person: u32, meetings: &[u32], group: usize) {
        let classes = self.last_in_class.len();
        let attendances = if BY_PEOPLE { &mut self.attendances[group * classes..][..classes] } else { &mut [][..] };
        let reached = &mut self.reached[group * self.last.len()..][..self.last.len()];
        if BY_PEOPLE {
            attendances[self.classes.of(meetings[0])].first += 1;
        }
        for meeting in meetings {
            let class = self.classes.of(*meeting);
            if BY_PEOPLE {
                attendances[class].all += 1;
            }
            if self.last_in_class[class] != person {
                self.last_in_class[class] = person;
                for group in self.classes.groups(class) {
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
        let frequencies = &mut self.frequencies[group * groups..][..groups];
        self.own_classes.clear();
        for class in meetings.iter().map(|meeting| self.classes.of(*meeting)) {
            if self.times_in_class[class].add(person, 1) {
                self.own_classes.push(class);
            }
        }
        self.own_groups.clear();
        for class in &self.own_classes {
            for group in self.classes.groups(*class).iter().map(|group| *group as usize) {
                if self.times_in_group[group].add(person, self.times_in_class[*class].times) {
                    self.own_groups.push(group);
                }
            }
        }
        for group in &self.own_groups {
            frequencies[*group][(self.times_in_group[*group].times as usize).min(FREQUENCIES) - 1] += 1;
        }
    }

    /// Adds the counts of a group of people, by group of meetings.
    fn add_to(&self, people: usize, sums: &mut [PeopleCounts]) {
        let (classes, groups) = (self.last_in_class.len(), self.last.len());
        for (class, attendances) in self.attendances.iter().skip(people * classes).take(classes).enumerate() {
            for group in self.classes.groups(class) {
                sums[*group as usize].contacts += u64::from(attendances.all);
                sums[*group as usize].first_reached += u64::from(attendances.first);
            }
        }
        sums.iter_mut().zip(&self.reached[people * groups..]).for_each(|(sum, reached)| sum.reached += u64::from(*reached));
        for (sum, frequencies) in sums.iter_mut().zip(self.frequencies.iter().skip(people * groups)) {
            sum.frequencies.iter_mut().flatten().zip(frequencies).for_each(|(sum, people)| *sum += u64::from(*people));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts one group of meetings and people by searching every list.
    fn naive(meetings: &[u32], lists: &[Vec<u32>], counts: impl Fn(u32) -> bool) -> PeopleCounts {
        let mut naive = PeopleCounts::none(true);
        for person in (0..200).filter(|person| counts(*person)) {
            let attended = |meeting: &u32| lists[*meeting as usize].contains(&person);
            let times = meetings.iter().filter(|meeting| attended(meeting)).count();
            let first = (0..lists.len() as u32).find(attended);
            naive.contacts += times as u64;
            naive.first_reached += u64::from(first.is_some_and(|first| meetings.contains(&first)));
            if times > 0 {
                naive.reached += 1;
                naive.frequencies.iter_mut().for_each(|frequencies| frequencies[times.min(FREQUENCIES) - 1] += 1);
            }
        }
        naive
    }

    #[test]
    fn counts_equal_a_naive_count_however_the_work_is_divided() {
        let mix = |number: u32| number.wrapping_mul(2_654_435_761).rotate_left(7);
        let lists: Vec<Vec<u32>> =
            (0..30).map(|meeting| (0..200).filter(|person| mix(meeting * 200 + person) % 5 == 0).collect()).collect();
        let counted: Vec<(u32, &[u32])> = (0..).zip(&lists).map(|(meeting, people)| (meeting, &people[..])).collect();
        let attendance = PersonMeetings::of_counted(&counted, lists.len(), 200).expect("few attendances");
        let random =
            |groups: u32| (0..groups).map(|group| (0..30).filter(|meeting| mix(group * 31 + meeting) % 3 == 0).collect()).collect();
        let (some, many): (Vec<Vec<u32>>, Vec<Vec<u32>>) = (random(130), random(600));
        let all: Vec<Vec<u32>> = vec![(0..30).collect(), Vec::new(), (0..30).collect()];
        let people = CountedPeople::of_groups(3, (0..200).map(|person| if person % 7 == 0 { None } else { Some(mix(person) % 3) }));
        let kinds = [&some, &many, &all].into_iter().flat_map(|groups| [(groups, None, 1), (groups, Some(&people), 3)]);
        for ((groups, people, people_groups), with_frequencies) in kinds.flat_map(|kind| [(kind, true), (kind, false)]) {
            for (people_at_once, counters) in [(1, 600), (7, 2_000), (64, 10_000), (1_000, 1_000_000)] {
                let input = CountInput { attendance: &attendance, people, with_frequencies };
                let found = count_within(groups, input, Limits { people_at_once, counters });
                for (meetings, found) in groups.iter().zip(&found) {
                    for group in 0..people_groups {
                        let is_in = |person| people.is_none_or(|people| people.group_of(person) as usize == group);
                        let own = found.iter().find(|(number, _)| *number == group).map(|(_, counts)| *counts);
                        let mut expected = naive(meetings, &lists, is_in);
                        expected.frequencies = expected.frequencies.filter(|_| with_frequencies);
                        assert_eq!(own.unwrap_or(PeopleCounts::none(with_frequencies)), expected, "{people_at_once} {counters}");
                    }
                }
            }
        }
    }
}
