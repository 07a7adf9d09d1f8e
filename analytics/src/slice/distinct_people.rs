//! A polars expression that counts the different people of each group of meetings: exactly, from their numbers.
//!
//! `n_unique` over pairs of group and person would hash or sort every attendance. Here a list costs one bit test for each of its attendances,
//! or one counter where frequencies or groups of people are asked for. Lists are counted in parallel. Memory: for each processor one bit, or
//! one byte, for each person; and a [`PeopleCounts`] for each pair of a list and a group of people at its meetings.

use std::{
    panic::resume_unwind,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use polars::prelude::{
    Column, DataType, Expr, Field, IntoColumn, ListBuilderTrait, ListPrimitiveChunkedBuilder, PlSmallStr, PolarsResult, UInt64Type,
};

use super::counted_people::CountedPeople;
use crate::facts_store::{AttendanceLists, FactsStore, PersonSet};

/// Frequencies that are told apart: 1, 2, 3, 4, and 5 or more attendances.
pub(super) const FREQUENCIES: usize = 5;

/// Eligible people in a group of meetings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PeopleCounts {
    /// Different people.
    pub reached: u64,
    /// Their attendances.
    pub contacts: u64,
    /// Those whose first counted meeting is in the group.
    pub first_reached: u64,
    /// People with exactly 1, 2, 3, 4 attendances, and with 5 or more; none unless it was asked for.
    pub exposure: Option<[u64; FREQUENCIES]>,
}

/// How many numbers a group and its [`PeopleCounts`] are in a column.
const NUMBERS: usize = 4 + FREQUENCIES;

impl PeopleCounts {
    /// Nobody.
    pub(super) fn none(with_exposure: bool) -> Self {
        Self { exposure: with_exposure.then_some([0; FREQUENCIES]), ..Self::default() }
    }

    fn numbers(self, group: usize) -> [u64; NUMBERS] {
        let [one, two, three, four, more] = self.exposure.unwrap_or_default();
        [group as u64, self.reached, self.contacts, self.first_reached, one, two, three, four, more]
    }

    fn from_numbers(numbers: &[u64], with_exposure: bool) -> Self {
        let mut exposure = [0; FREQUENCIES];
        exposure.iter_mut().zip(&numbers[3..]).for_each(|(to, from)| *to = *from);
        Self { reached: numbers[0], contacts: numbers[1], first_reached: numbers[2], exposure: with_exposure.then_some(exposure) }
    }

    /// Adds people of another group that nobody is in who is in this one.
    pub(super) fn add(&mut self, other: &Self) {
        self.reached += other.reached;
        self.contacts += other.contacts;
        self.first_reached += other.first_reached;
        if let (Some(sum), Some(more)) = (&mut self.exposure, other.exposure) {
            sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        }
    }
}

/// Name of the column that [`people_counts`] makes.
pub(super) const PEOPLE: &str = "people";

/// What an expression counts.
#[derive(Debug, Clone)]
pub(super) struct Counting {
    lists: Arc<AttendanceLists>,
    /// Number of people in the store.
    people: usize,
    counted: Option<Arc<CountedPeople>>,
    with_exposure: bool,
}

impl Counting {
    pub(super) fn new(store: &FactsStore, counted: Option<Arc<CountedPeople>>, with_exposure: bool) -> Self {
        Self { lists: Arc::clone(store.attendance()), people: store.people().len(), counted, with_exposure }
    }
}

/// The people at the meetings of each list, as a list of numbers: those of each group of people that came. [`read`] reads them.
pub(super) fn people_counts(meetings: Expr, counting: Counting) -> Expr {
    let numbers = DataType::List(Box::new(DataType::UInt64));
    meetings.map(move |lists| count(&lists, &counting), move |_, _| Ok(Field::new(PEOPLE.into(), numbers.clone()))).alias(PEOPLE)
}

/// Reads one list that [`people_counts`] made.
pub(super) fn read(column: &Column, row: usize, with_exposure: bool) -> PolarsResult<Vec<(usize, PeopleCounts)>> {
    let Some(list) = column.list()?.get_as_series(row) else { return Ok(Vec::new()) };
    let numbers: Vec<u64> = list.u64()?.iter().flatten().collect();
    Ok(numbers
        .chunks_exact(NUMBERS)
        .map(|numbers| (numbers[0] as usize, PeopleCounts::from_numbers(&numbers[1..], with_exposure)))
        .collect())
}

fn count(lists: &Column, counting: &Counting) -> PolarsResult<Column> {
    let mut groups: Vec<Vec<u32>> = Vec::with_capacity(lists.len());
    for list in lists.list()?.amortized_iter() {
        groups.push(match list {
            Some(list) => list.as_ref().u32()?.iter().flatten().collect(),
            None => Vec::new(),
        });
    }
    let counts = count_groups(&groups, counting);
    let total = counts.iter().map(|counts| counts.len() * NUMBERS).sum();
    let mut column = ListPrimitiveChunkedBuilder::<UInt64Type>::new(PlSmallStr::from_static(PEOPLE), counts.len(), total, DataType::UInt64);
    for counts in &counts {
        column.append_slice(&counts.iter().flat_map(|(group, counts)| counts.numbers(*group)).collect::<Vec<u64>>());
    }
    Ok(column.finish().into_column())
}

/// Counts the people of groups of meetings in parallel.
fn count_groups(groups: &[Vec<u32>], counting: &Counting) -> Vec<Vec<(usize, PeopleCounts)>> {
    let mut order: Vec<usize> = (0..groups.len()).collect();
    // The largest first, so that no processor is left with a large one at the end.
    order.sort_by_key(|group| std::cmp::Reverse(groups[*group].len()));
    let next = AtomicUsize::new(0);
    let work = || {
        let mut counter = Counter::new(counting);
        let taken = std::iter::from_fn(|| order.get(next.fetch_add(1, Ordering::Relaxed)).copied());
        taken.map(|group| (group, counter.count(&groups[group]))).collect::<Vec<_>>()
    };
    let workers = thread::available_parallelism().map_or(1, usize::from).min(groups.len());
    let mut counts = vec![Vec::new(); groups.len()];
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            for (group, count) in worker.join().unwrap_or_else(|panic| resume_unwind(panic)) {
                counts[group] = count;
            }
        }
    });
    counts
}

/// Counts one group after another, with the same memory.
struct Counter<'a> {
    counting: &'a Counting,
    /// People of the current group; without room if frequencies are asked for.
    set: PersonSet,
    /// Attendances of each person at the current group's meetings, up to 255; empty unless frequencies are asked for.
    attendances: Vec<u8>,
    /// Counts of each group of people; nobody between two groups of meetings.
    groups: Vec<PeopleCounts>,
    /// Buffer for the groups of the people on a list.
    group_of: Vec<u32>,
}

impl<'a> Counter<'a> {
    fn new(counting: &'a Counting) -> Self {
        let people_with_frequencies = if counting.with_exposure { counting.people } else { 0 };
        Self {
            counting,
            set: PersonSet::new(counting.people - people_with_frequencies),
            attendances: vec![0; people_with_frequencies],
            groups: Vec::new(),
            group_of: Vec::new(),
        }
    }

    fn count(&mut self, meetings: &[u32]) -> Vec<(usize, PeopleCounts)> {
        match &self.counting.counted {
            None if !self.counting.with_exposure => vec![(0, self.count_different(meetings))],
            _ => self.count_by_person(meetings),
        }
    }

    fn count_different(&mut self, meetings: &[u32]) -> PeopleCounts {
        let lists = &self.counting.lists;
        let mut counts = PeopleCounts::default();
        for meeting in meetings {
            counts.contacts += lists.of(*meeting).len() as u64;
            counts.first_reached += lists.first_reached(*meeting);
            for attendee in lists.of(*meeting) {
                counts.reached += u64::from(self.set.insert(attendee.person()));
            }
        }
        self.forget(meetings, (counts.contacts as usize) < self.counting.people / 64);
        counts
    }

    fn count_by_person(&mut self, meetings: &[u32]) -> Vec<(usize, PeopleCounts)> {
        let Counting { lists, counted, with_exposure, people } = self.counting;
        let nobody = PeopleCounts::none(*with_exposure);
        self.groups.resize(counted.as_deref().map_or(1, CountedPeople::group_count), nobody);
        let mut visited = 0;
        for list in meetings.iter().map(|meeting| lists.of(*meeting)) {
            visited += list.len();
            // All groups are looked up first: these reads do not depend on each other, so the processor overlaps them.
            self.group_of.clear();
            match counted.as_deref() {
                Some(people) => self.group_of.extend(list.iter().map(|attendee| people.group_of(attendee.person()))),
                None => self.group_of.resize(list.len(), 0),
            }
            for (attendee, group) in list.iter().zip(&self.group_of) {
                let person = attendee.person();
                let Some(count) = self.groups.get_mut(*group as usize) else { continue };
                count.contacts += 1;
                count.first_reached += u64::from(attendee.is_first());
                if let Some(exposure) = &mut count.exposure {
                    let attendances = &mut self.attendances[person as usize];
                    count.reached += u64::from(*attendances == 0);
                    move_up(exposure, (*attendances).into());
                    *attendances = attendances.saturating_add(1);
                } else {
                    count.reached += u64::from(self.set.insert(person));
                }
            }
        }
        self.forget(meetings, visited < people / 64);
        let came = self.groups.iter_mut().enumerate().filter(|(_, counts)| counts.reached > 0);
        came.map(|(group, counts)| (group, std::mem::replace(counts, nobody))).collect()
    }

    /// Forgets the people of a group, one by one if they are few.
    fn forget(&mut self, meetings: &[u32], are_few: bool) {
        if are_few {
            let people = || meetings.iter().flat_map(|meeting| self.counting.lists.of(*meeting)).map(|attendee| attendee.person());
            people().for_each(|person| {
                self.attendances.get_mut(person as usize).map_or_else(|| self.set.remove(person), |attendances| *attendances = 0);
            });
        } else {
            self.set.clear();
            self.attendances.fill(0);
        }
    }
}

/// Counts a further attendance of a person who had so many before.
fn move_up(exposure: &mut [u64; FREQUENCIES], before: usize) {
    if before < FREQUENCIES {
        exposure[before] += 1;
        if let Some(lower) = before.checked_sub(1) {
            exposure[lower] -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_has_one_frequency() {
        let mut exposure = [0; FREQUENCIES];
        for before in 0..3 {
            move_up(&mut exposure, before);
        }
        assert_eq!(exposure, [0, 0, 1, 0, 0]);
        for before in 3..300 {
            move_up(&mut exposure, before.min(255));
        }
        assert_eq!(exposure, [0, 0, 0, 0, 1]);
    }
}
