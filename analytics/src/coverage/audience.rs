//! Counts attendance: how many people each meeting had, and how many different people each slice has.
//!
//! Guarantees: one person at one meeting counts once; the order of rows of a meeting does not matter. Memory is bounded by people and
//! meetings, not by attendances: a person has one row of bits, one per slice. Rows must be grouped by meeting; otherwise they are refused.

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

/// [`Run::residences`] of a person who is known not to be eligible: a minor, a resident of another region, or of an undefined place.
pub const OUTSIDE: u32 = u32::MAX - 1;

/// [`Run::residences`] of a person whose age or residence is not stated. It is greater than [`OUTSIDE`], so that any other statement at the
/// same meeting takes precedence.
pub const UNSTATED: u32 = u32::MAX;

/// Attendances of one meeting that count, as columns of equal length. A meeting may be split into consecutive runs.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// Index of the meeting in [`Meetings::rows`]; ascending numbers beyond the last one for meetings known by attendance alone.
    pub meeting: u32,
    /// First halves of the pseudonyms.
    pub hi: &'a [u64],
    /// Second halves of the pseudonyms.
    pub lo: &'a [u64],
    /// [`STRONG`], or else weak.
    pub strength: &'a [u8],
    /// Residence numbers of [`crate::coverage::ResidenceIndex`], [`OUTSIDE`] or [`UNSTATED`]. Empty if the roll decides about eligibility.
    pub residences: &'a [u32],
}

/// The meeting whose runs are being added.
#[derive(Debug, Default)]
struct OpenMeeting {
    meeting: u32,
    /// Slices of the meeting; empty if it is not counted.
    slices: Vec<usize>,
    /// 1 if the meeting is counted, else 0.
    counts: u64,
    /// Attendance at the meeting would reveal sensitive data, so people are ignored and only the headcount is used.
    heads_only: bool,
    /// Indexes of words of a [`PersonBitmap`] row, and the bits that this meeting sets in them.
    marks: Vec<(usize, u64)>,
    /// Strongly identified people on the roll.
    on_roll: u64,
    /// Pseudonyms of strongly identified people who are not on the roll.
    off_roll: Vec<Key>,
    weak: Vec<Key>,
    stated: Vec<(Key, u32)>,
}

impl OpenMeeting {
    /// Records a person's attendance in their row. Returns 1, or 0 if it was recorded before.
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

/// Adds up the attendance of all meetings.
#[derive(Debug)]
pub(crate) struct Attendance<'a> {
    /// The roll, if it decides about eligibility; else people are numbered in the order of arrival.
    pub(crate) roll: Option<&'a Roll>,
    meetings: &'a Meetings,
    pub(crate) slices: Slices,
    /// Sums of each slice, without reach.
    pub(crate) sums: Vec<Sums>,
    /// Whether runs of each known meeting were added.
    received: Vec<bool>,
    bitmap: PersonBitmap,
    /// Buffer for [`Roll::candidates`] of a run.
    candidates: Vec<u32>,
    /// Numbers of people if the roll does not decide; `residences` has their residence numbers.
    people: HashMap<Key, u32>,
    residences: Vec<u32>,
    open: Option<OpenMeeting>,
    /// Attendances of meetings that are not held.
    pub(crate) pending: u64,
    /// Meetings known by attendance alone.
    pub(crate) unknown: u64,
}

/// Different people by slice, week, frequency and residence.
#[derive(Debug, Default)]
pub(crate) struct Reached {
    /// Different people by slice.
    pub(crate) slices: Vec<u64>,
    /// Different people by the first week that has them, under the week's slice.
    pub(crate) first: Vec<u64>,
    /// Eligible people by number of attendances: 1, 2, 3, 4, 5 or more (M7).
    pub(crate) exposure: [u64; 5],
    /// Different people and their attendances by residence number.
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

    /// Adds attendances of one meeting.
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

    /// Eligible are people on the roll, whatever they state.
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

    /// Closes the previous meeting and opens the next one.
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

    /// Adds the people of a meeting to its slices, and returns the struct empty for reuse.
    fn close(&mut self, mut open: OpenMeeting) -> Result<OpenMeeting, AnalyticsError> {
        let (off_roll, weak) = (different(&mut open.off_roll), different(&mut open.weak));
        let mut people = People { identified: open.on_roll + off_roll, eligible: open.on_roll, unstated: 0, weak };
        // The lowest residence number of a person sorts first and is kept.
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

    /// Numbers a person if the roll does not decide, and keeps the lowest of their residence numbers.
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

    /// Closes the last meeting and adds the headcounts of meetings without any attendance.
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

    /// Counts different people. `enrolled` maps precincts of the roll to residence numbers; `residences` is the number of residences.
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
    /// Adds the row of a person with this residence number. Slices from `weeks` on are weeks.
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

/// Eligibility follows from what people state, once all rows of the meeting are known.
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

/// Removes duplicates and returns the number of different keys.
fn different(keys: &mut Vec<Key>) -> u64 {
    keys.sort_unstable();
    keys.dedup();
    keys.len() as u64
}
