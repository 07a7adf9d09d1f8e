//! Attendance, meeting by meeting: how many people each had, and which people each slice has.
//!
//! Guarantees: one person at one meeting counts once; the order of rows inside a meeting changes nothing. Memory is bounded by people and
//! meetings, never by attendances: a person has one row of bits, one for each slice, and a row takes a meeting once. Attendance must
//! come meeting by meeting; anything else is refused.

use std::collections::HashMap;

use crate::{
    coverage::{
        exposure,
        meetings::Slices,
        sums::{People, Sums},
    },
    error::AnalyticsError,
    facts::meetings::Meetings,
    roll::{Key, Roll},
};

/// [`Run::strength`] of a person known by a national id.
pub const STRONG: u8 = 1;

/// [`Run::homes`] of a person who is not stated to be an adult resident.
pub const NOWHERE: u32 = u32::MAX;

/// Attendances of one meeting that hold, as columns of one length. A meeting may come in several runs, one after another.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// Place of the meeting in [`Meetings::rows`]; beyond the last, ascending, for meetings known by attendance alone.
    pub meeting: u32,
    /// Pseudonyms: the first halves.
    pub hi: &'a [u64],
    /// The second halves.
    pub lo: &'a [u64],
    /// [`STRONG`], or else weak.
    pub strength: &'a [u8],
    /// Where the person is stated to live, see [`crate::coverage::Places`], or [`NOWHERE`]. Empty for a campaign with a roll.
    pub homes: &'a [u32],
}

/// The meeting whose attendance is being taken.
#[derive(Debug, Default)]
struct Open {
    meeting: u32,
    /// Its slices; none if it is not counted.
    slices: Vec<usize>,
    /// Added to a person's attendances: 1 if the meeting is counted.
    counts: u64,
    /// Words of a person's row and the bits that this meeting sets.
    marks: Vec<(usize, u64)>,
    /// Strong people found on the roll.
    enrolled: u64,
    /// Strong people who are not on the roll.
    strays: Vec<Key>,
    weak: Vec<Key>,
    stated: Vec<(Key, u32)>,
}

/// One row a person: the last meeting and how many there were, then a bit for each slice.
#[derive(Debug)]
struct Ledger {
    words: Vec<u64>,
    stride: usize,
}

impl Ledger {
    /// Notes that a person was at the open meeting; false if that was known.
    fn attend(&mut self, person: u32, open: &Open) -> bool {
        let row = &mut self.words[person as usize * self.stride..][..self.stride];
        let stamp = u64::from(open.meeting) + 1;
        if row[0] >> 32 == stamp {
            return false;
        }
        row[0] = stamp << 32 | ((row[0] & u64::from(u32::MAX)) + open.counts);
        for (word, bits) in &open.marks {
            row[*word] |= bits;
        }
        true
    }
}

/// Takes the attendance of all meetings.
#[derive(Debug)]
pub(crate) struct Attendance<'a> {
    roll: &'a Roll,
    meetings: &'a Meetings,
    pub(crate) slices: Slices,
    /// By slice.
    pub(crate) sums: Vec<Sums>,
    /// Meetings whose attendance came.
    taken: Vec<bool>,
    ledger: Ledger,
    /// People of a campaign without a roll, numbered as they come, and where they live.
    people: HashMap<Key, u32>,
    homes: Vec<u32>,
    open: Option<Open>,
    /// Attendances of meetings that are not held.
    pub(crate) pending: u64,
    /// Meetings known by attendance alone.
    pub(crate) unknown: u64,
}

/// What the people amount to.
#[derive(Debug, Default)]
pub(crate) struct Reached {
    /// Different people by slice.
    pub(crate) slices: Vec<u64>,
    /// Different people by the first week that has them, under the week's slice.
    pub(crate) first: Vec<u64>,
    /// M7.
    pub(crate) exposure: [u64; 5],
    /// Different people and their attendances by place.
    pub(crate) places: Vec<(u64, u64)>,
}

impl<'a> Attendance<'a> {
    pub(crate) fn new(roll: &'a Roll, meetings: &'a Meetings, slices: Slices) -> Self {
        let stride = 1 + slices.len().div_ceil(64);
        Self {
            roll,
            meetings,
            sums: vec![Sums::default(); slices.len()],
            slices,
            taken: vec![false; meetings.rows().len()],
            ledger: Ledger { words: vec![0; roll.len() * stride], stride },
            people: HashMap::new(),
            homes: Vec::new(),
            open: None,
            pending: 0,
            unknown: 0,
        }
    }

    /// Takes some attendances of one meeting.
    pub(crate) fn take(&mut self, run: Run<'_>) -> Result<(), AnalyticsError> {
        let mut open = match self.open.take() {
            Some(open) if open.meeting == run.meeting => open,
            before => self.turn_to(run.meeting, before)?,
        };
        if self.roll.is_empty() {
            for (at, key) in run.hi.iter().copied().zip(run.lo.iter().copied()).enumerate() {
                match run.strength[at] {
                    STRONG => open.stated.push((key, run.homes.get(at).copied().unwrap_or(NOWHERE))),
                    _ => open.weak.push(key),
                }
            }
        } else {
            let ledger = &mut self.ledger;
            self.roll.find_all((run.hi, run.lo), |at, found| match (run.strength[at], found) {
                (STRONG, Some(person)) => open.enrolled += u64::from(ledger.attend(person, &open)),
                (STRONG, None) => open.strays.push((run.hi[at], run.lo[at])),
                _ => open.weak.push((run.hi[at], run.lo[at])),
            });
        }
        self.open = Some(open);
        Ok(())
    }

    /// Closes the meeting before and opens the next.
    fn turn_to(&mut self, meeting: u32, before: Option<Open>) -> Result<Open, AnalyticsError> {
        let mut open = match before {
            Some(before) => self.close(before)?,
            None => Open::default(),
        };
        let next = self.taken.len() as u64 + self.unknown;
        match self.taken.get_mut(meeting as usize) {
            Some(taken) if !*taken => *taken = true,
            None if u64::from(meeting) == next => self.unknown += 1,
            _ => return Err(AnalyticsError::Scattered(meeting)),
        }
        let report = self.meetings.rows().get(meeting as usize).and_then(|meeting| meeting.held.as_ref());
        open.meeting = meeting;
        open.slices = report.map(|report| self.slices.of_session(report)).unwrap_or_default();
        open.counts = u64::from(report.is_some());
        for slice in &open.slices {
            let (word, bit) = (1 + slice / 64, 1 << (slice % 64));
            match open.marks.last_mut() {
                Some((last, bits)) if *last == word => *bits |= bit,
                _ => open.marks.push((word, bit)),
            }
        }
        Ok(open)
    }

    /// Counts the people of a meeting, adds it to its slices, and gives its lists back empty.
    fn close(&mut self, mut open: Open) -> Result<Open, AnalyticsError> {
        let strays = different(&mut open.strays);
        let mut people = People { strong: open.enrolled + strays, eligible: open.enrolled, weak: different(&mut open.weak) };
        // The lowest home of a person comes first and stays.
        open.stated.sort_unstable();
        open.stated.dedup_by_key(|(key, _)| *key);
        people.strong += open.stated.len() as u64;
        for (key, home) in std::mem::take(&mut open.stated).into_iter().filter(|(_, home)| *home != NOWHERE) {
            people.eligible += 1;
            if open.counts > 0 {
                let person = self.person(key, home)?;
                self.ledger.attend(person, &open);
            }
        }
        if open.counts > 0 {
            let headcount = self.meetings.rows()[open.meeting as usize].headcount;
            self.add(&open.slices, &Sums::of(headcount, people));
        } else {
            self.pending += people.strong + people.weak;
        }
        open.enrolled = 0;
        open.marks.clear();
        open.strays.clear();
        open.weak.clear();
        Ok(open)
    }

    fn add(&mut self, slices: &[usize], meeting: &Sums) {
        slices.iter().for_each(|slice| self.sums[*slice].add(meeting));
    }

    /// The number of a person of a campaign without a roll, who lives at the lowest home ever stated.
    fn person(&mut self, key: Key, home: u32) -> Result<u32, AnalyticsError> {
        let next = u32::try_from(self.homes.len()).map_err(|_| AnalyticsError::TooMany(u32::MAX))?;
        let person = *self.people.entry(key).or_insert(next);
        if person == next {
            self.homes.push(home);
            self.ledger.words.resize(self.homes.len() * self.ledger.stride, 0);
        } else {
            self.homes[person as usize] = self.homes[person as usize].min(home);
        }
        Ok(person)
    }

    /// Closes the last meeting and adds the counted meetings that nobody is recorded for.
    pub(crate) fn end(&mut self) -> Result<(), AnalyticsError> {
        if let Some(open) = self.open.take() {
            self.close(open)?;
        }
        let meetings = self.meetings;
        for (meeting, _) in meetings.rows().iter().zip(self.taken.clone()).filter(|(_, taken)| !taken) {
            if let Some(report) = &meeting.held {
                self.add(&self.slices.of_session(report), &Sums::of(meeting.headcount, People::default()));
            }
        }
        Ok(())
    }

    /// Counts people. `enrolled` has the place of each precinct of the roll, of all `places`.
    pub(crate) fn reached(&self, enrolled: &[u32], places: usize) -> Reached {
        let (zeros, weeks) = (vec![0; self.slices.len()], self.slices.first_week());
        let mut reached = Reached { slices: zeros.clone(), first: zeros, exposure: [0; 5], places: vec![(0, 0); places] };
        for (person, row) in self.ledger.words.chunks_exact(self.ledger.stride).enumerate() {
            let contacts = row[0] as u32;
            if contacts == 0 {
                continue;
            }
            exposure::add(&mut reached.exposure, contacts);
            let home = if self.roll.is_empty() { self.homes[person] } else { enrolled[self.roll.homes()[person] as usize] };
            let place = &mut reached.places[home as usize];
            *place = (place.0 + 1, place.1 + u64::from(contacts));
            let mut first = None;
            for (word, bits) in row[1..].iter().enumerate() {
                let mut bits = *bits;
                while bits != 0 {
                    let slice = word * 64 + bits.trailing_zeros() as usize;
                    reached.slices[slice] += 1;
                    first = first.or((slice >= weeks).then_some(slice));
                    bits &= bits - 1;
                }
            }
            if let Some(week) = first {
                reached.first[week] += 1;
            }
        }
        reached
    }
}

/// How many different keys there are.
fn different(keys: &mut Vec<Key>) -> u64 {
    keys.sort_unstable();
    keys.dedup();
    keys.len() as u64
}
