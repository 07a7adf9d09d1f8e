//! Attendance, meeting by meeting: how many people each had, and which people each slice has.
//!
//! Guarantees: one person at one meeting counts once; the order of rows inside a meeting changes nothing. Memory is bounded by people and
//! meetings, never by attendances: a person has one row of bits, one for each slice, and a row takes a meeting once. Attendance must
//! come meeting by meeting; anything else is refused.

use std::collections::HashMap;

use crate::{
    coverage::{
        meetings::Slices,
        person_bitmap::{HEADER_WORDS, PersonBitmap},
        sums::{People, Sums},
    },
    error::AnalyticsError,
    facts::meetings::Meetings,
    roll::{Key, Roll},
};

/// [`Run::strength`] of a person known by a national id.
pub const STRONG: u8 = 1;

/// [`Run::residences`] of a person who is known to be no eligible resident: not adult, from outside, or of a place that does not exist.
pub const OUTSIDE: u32 = u32::MAX - 1;

/// [`Run::residences`] of a person of whom age or residence is not stated: they may be eligible or not. Above [`OUTSIDE`], since whatever else is
/// stated at the same meeting says more.
pub const UNSTATED: u32 = u32::MAX;

/// Attendances of one meeting that hold, as columns of one length. A meeting may come in several runs, one after another.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// Place of the meeting in [`Meetings::rows`]; beyond the last, ascending, for meetings known by attendance alone.
    pub meeting: u32,
    /// Pseudonyms: the first halves.
    pub hi: &'a [u64],
    /// Second halves of the pseudonyms.
    pub lo: &'a [u64],
    /// [`STRONG`], or else weak.
    pub strength: &'a [u8],
    /// Where the person is stated to live, see [`crate::coverage::ResidenceIndex`], or [`OUTSIDE`] or [`UNSTATED`]. Empty if the roll decides.
    pub residences: &'a [u32],
}

/// The meeting whose attendance is being received.
#[derive(Debug, Default)]
struct OpenMeeting {
    meeting: u32,
    /// Its slices; none if it is not counted.
    slices: Vec<usize>,
    /// Added to a person's attendances: 1 if the meeting is counted.
    counts: u64,
    /// Its audience reveals, so nobody recorded at it is looked at.
    heads_only: bool,
    /// Translations of a person's row and the bits that this meeting sets.
    marks: Vec<(usize, u64)>,
    /// Strong people found on the roll.
    on_roll: u64,
    /// Strong people who are not on the roll.
    off_roll: Vec<Key>,
    weak: Vec<Key>,
    stated: Vec<(Key, u32)>,
}

impl OpenMeeting {
    /// Notes in a person's row that they are at this meeting; 0 if that was known, else 1.
    fn mark(&self, row: &mut [u64]) -> u64 {
        let stamp = u64::from(self.meeting) + 1;
        if row[2] >> 32 == stamp {
            return 0;
        }
        row[2] = stamp << 32 | ((row[2] & u64::from(u32::MAX)) + self.counts);
        for (word, bits) in &self.marks {
            row[*word] |= bits;
        }
        1
    }
}

/// Takes the attendance of all meetings.
#[derive(Debug)]
pub(crate) struct Attendance<'a> {
    /// The roll, if it decides who is eligible; else people are numbered as they come.
    pub(crate) roll: Option<&'a Roll>,
    meetings: &'a Meetings,
    pub(crate) slices: Slices,
    /// Sums of each slice, without reach.
    pub(crate) sums: Vec<Sums>,
    /// Meetings whose attendance came.
    received: Vec<bool>,
    bitmap: PersonBitmap,
    /// Whom the rows of a run belong to, in all likelihood.
    candidates: Vec<u32>,
    /// People of a campaign whose roll does not decide, numbered as they come, and where they live.
    people: HashMap<Key, u32>,
    residences: Vec<u32>,
    open: Option<OpenMeeting>,
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
    /// Eligible people by number of attendances: 1, 2, 3, 4, 5 or more (M7).
    pub(crate) exposure: [u64; 5],
    /// Different people and their attendances by place.
    pub(crate) residences: Vec<(u64, u64)>,
}

impl<'a> Attendance<'a> {
    pub(crate) fn new(roll: Option<&'a Roll>, meetings: &'a Meetings, slices: Slices) -> Self {
        Self {
            roll,
            meetings,
            sums: vec![Sums::default(); slices.len()],
            bitmap: PersonBitmap::new(slices.len(), roll.map(Roll::keys).unwrap_or_default()),
            slices,
            received: vec![false; meetings.rows().len()],
            candidates: Vec::new(),
            people: HashMap::new(),
            residences: Vec::new(),
            open: None,
            pending: 0,
            unknown: 0,
        }
    }

    /// Takes some attendances of one meeting.
    pub(crate) fn add_run(&mut self, run: Run<'_>) -> Result<(), AnalyticsError> {
        let mut open = match self.open.take() {
            Some(open) if open.meeting == run.meeting => open,
            before => self.open_meeting(run.meeting, before)?,
        };
        match self.roll {
            _ if open.heads_only => {}
            Some(roll) => self.add_by_roll(roll, &mut open, run),
            None => add_stated(&mut open, run),
        }
        self.open = Some(open);
        Ok(())
    }

    /// The roll decides: who is on it is eligible, whatever they state.
    fn add_by_roll(&mut self, roll: &Roll, open: &mut OpenMeeting, run: Run<'_>) {
        roll.candidates((run.hi, run.lo), &mut self.candidates);
        for ((key, strength), candidate) in keys(run).zip(run.strength).zip(&self.candidates) {
            if *strength != STRONG {
                open.weak.push(key);
                continue;
            }
            let row = self.bitmap.row(*candidate);
            if (row[0] == key.0) & (row[1] == key.1) {
                open.on_roll += open.mark(row);
            } else if let Some(person) = roll.find(key) {
                open.on_roll += open.mark(self.bitmap.row(person));
            } else {
                open.off_roll.push(key);
            }
        }
    }

    /// Closes the meeting before and opens the next.
    fn open_meeting(&mut self, meeting: u32, before: Option<OpenMeeting>) -> Result<OpenMeeting, AnalyticsError> {
        let mut open = match before {
            Some(before) => self.close(before)?,
            None => OpenMeeting::default(),
        };
        let next = self.received.len() as u64 + self.unknown;
        match self.received.get_mut(meeting as usize) {
            Some(received) if !*received => *received = true,
            None if u64::from(meeting) == next => self.unknown += 1,
            _ => return Err(AnalyticsError::AttendanceNotGrouped(meeting)),
        }
        let known = self.meetings.rows().get(meeting as usize);
        let report = known.and_then(|meeting| meeting.held.as_ref());
        open.meeting = meeting;
        open.slices = report.map(|report| self.slices.of_details(report)).unwrap_or_default();
        open.counts = u64::from(report.is_some());
        open.heads_only = known.is_some_and(|meeting| self.slices.is_revealing(meeting));
        for slice in &open.slices {
            let (word, bit) = (HEADER_WORDS + slice / 64, 1 << (slice % 64));
            match open.marks.last_mut() {
                Some((last, bits)) if *last == word => *bits |= bit,
                _ => open.marks.push((word, bit)),
            }
        }
        Ok(open)
    }

    /// Counts the people of a meeting, adds it to its slices, and gives its lists back empty.
    fn close(&mut self, mut open: OpenMeeting) -> Result<OpenMeeting, AnalyticsError> {
        let (off_roll, weak) = (different(&mut open.off_roll), different(&mut open.weak));
        let mut people = People { identified: open.on_roll + off_roll, eligible: open.on_roll, unstated: 0, weak };
        // The lowest residence of a person comes first and stays.
        open.stated.sort_unstable();
        open.stated.dedup_by_key(|(key, _)| *key);
        people.unstated = open.stated.iter().filter(|(_, residence)| *residence == UNSTATED).count() as u64;
        people.identified += open.stated.len() as u64 - people.unstated;
        for (key, residence) in std::mem::take(&mut open.stated).into_iter().filter(|(_, residence)| *residence < OUTSIDE) {
            people.eligible += 1;
            if open.counts > 0 {
                let person = self.person(key, residence)?;
                open.mark(self.bitmap.row(person));
            }
        }
        if open.counts > 0 {
            let headcount = self.meetings.rows()[open.meeting as usize].headcount;
            self.add(&open.slices, &Sums::of(headcount, people));
        } else {
            self.pending += people.identified + people.unstated + people.weak;
        }
        open.on_roll = 0;
        open.marks.clear();
        open.off_roll.clear();
        open.weak.clear();
        Ok(open)
    }

    fn add(&mut self, slices: &[usize], meeting: &Sums) {
        slices.iter().for_each(|slice| self.sums[*slice].add(meeting));
    }

    /// The number of a person of a campaign whose roll does not decide, who lives at the lowest residence ever stated.
    fn person(&mut self, key: Key, residence: u32) -> Result<u32, AnalyticsError> {
        let next = u32::try_from(self.residences.len()).map_err(|_| AnalyticsError::TooMany(u32::MAX))?;
        let person = *self.people.entry(key).or_insert(next);
        if person == next {
            self.residences.push(residence);
            self.bitmap.push(key);
        } else {
            self.residences[person as usize] = self.residences[person as usize].min(residence);
        }
        Ok(person)
    }

    /// Closes the last meeting and adds the counted meetings that nobody is recorded for.
    pub(crate) fn finish(&mut self) -> Result<(), AnalyticsError> {
        if let Some(open) = self.open.take() {
            self.close(open)?;
        }
        let meetings = self.meetings;
        for (meeting, _) in meetings.rows().iter().zip(self.received.clone()).filter(|(_, received)| !received) {
            if let Some(report) = &meeting.held {
                self.add(&self.slices.of_details(report), &Sums::of(meeting.headcount, People::default()));
            }
        }
        Ok(())
    }

    /// Counts people. `enrolled` has the place of each precinct of the roll, of all `residences`.
    pub(crate) fn reached(&self, enrolled: &[u32], residences: usize) -> Reached {
        let zeros = vec![0; self.slices.len()];
        let mut reached = Reached { slices: zeros.clone(), first: zeros, exposure: [0; 5], residences: vec![(0, 0); residences] };
        let weeks = self.slices.first_week();
        let people = self.roll.into_iter().flat_map(Roll::people);
        let enrolled = people.zip(enrolled).flat_map(|(people, residence)| people.map(|_| *residence));
        self.bitmap
            .rows()
            .zip(enrolled.chain(self.residences.iter().copied()))
            .for_each(|(row, residence)| reached.add(row, residence, weeks));
        reached
    }
}

impl Reached {
    /// Adds a person who lives at `residence`. Weeks are the slices from `weeks` on.
    fn add(&mut self, row: &[u64], residence: u32, weeks: usize) {
        let contacts = row[2] as u32;
        if contacts == 0 {
            return;
        }
        self.exposure[contacts.min(5) as usize - 1] += 1;
        let place = &mut self.residences[residence as usize];
        *place = (place.0 + 1, place.1 + u64::from(contacts));
        let mut first = None;
        for (word, bits) in row[HEADER_WORDS..].iter().enumerate() {
            let mut bits = *bits;
            while bits != 0 {
                let slice = word * 64 + bits.trailing_zeros() as usize;
                self.slices[slice] += 1;
                first = first.or((slice >= weeks).then_some(slice));
                bits &= bits - 1;
            }
        }
        if let Some(week) = first {
            self.first[week] += 1;
        }
    }
}

/// The roll does not decide: who is eligible is what they state, and is decided once all of the meeting is known.
fn add_stated(open: &mut OpenMeeting, run: Run<'_>) {
    for (at, key) in keys(run).enumerate() {
        match run.strength[at] {
            STRONG => open.stated.push((key, run.residences.get(at).copied().unwrap_or(UNSTATED))),
            _ => open.weak.push(key),
        }
    }
}

fn keys(run: Run<'_>) -> impl Iterator<Item = Key> {
    run.hi.iter().copied().zip(run.lo.iter().copied())
}

/// How many different keys there are.
fn different(keys: &mut Vec<Key>) -> u64 {
    keys.sort_unstable();
    keys.dedup();
    keys.len() as u64
}
