//! Counts attendance: how many people each meeting had, and how many different people each slice has.
//!
//! Guarantees: one person at one meeting counts once; the order of rows of a meeting does not matter. Memory is bounded by people and
//! meetings, not by attendances: a person has one row of bits, one per slice. Rows must be grouped by meeting; otherwise they are refused.

use std::collections::HashMap;

use super::{
    attendance_run::{AttendanceRun, STRONG},
    distinct_people::DistinctPeople,
    open_meeting::{OpenMeeting, StatedPerson},
    person_bitmap::PersonBitmap,
    slices::Slices,
    sums::{AttendeeCounts, MeetingSums},
};
use crate::{
    error::AnalyticsError,
    facts::meetings::Meetings,
    roll::{PersonKey, Roll},
};

/// Adds up the attendance of all meetings.
#[derive(Debug)]
pub(super) struct AttendanceCounter<'a> {
    /// The roll, if it decides about eligibility; else people are numbered in the order of arrival.
    roll: Option<&'a Roll>,
    meetings: &'a Meetings,
    slices: Slices,
    sums: Vec<MeetingSums>,
    /// Whether runs of each known meeting were added.
    received: Vec<bool>,
    bitmap: PersonBitmap,
    /// Buffer for [`Roll::candidates`] of a run.
    candidates: Vec<u32>,
    /// Numbers of people if the roll does not decide; `residences` has their residence numbers.
    people: HashMap<PersonKey, u32>,
    residences: Vec<u32>,
    open: Option<OpenMeeting>,
    without_report: u64,
    unknown_meetings: u64,
}

impl<'a> AttendanceCounter<'a> {
    pub(super) fn new(roll: Option<&'a Roll>, meetings: &'a Meetings, slices: Slices) -> Self {
        Self {
            roll,
            meetings,
            sums: vec![MeetingSums::default(); slices.len()],
            bitmap: PersonBitmap::new(slices.len(), roll.map(Roll::keys).unwrap_or_default()),
            slices,
            received: vec![false; meetings.rows().len()],
            candidates: Vec::new(),
            people: HashMap::new(),
            residences: Vec::new(),
            open: None,
            without_report: 0,
            unknown_meetings: 0,
        }
    }

    pub(super) fn uses_roll(&self) -> bool {
        self.roll.is_some()
    }

    pub(super) fn slices(&self) -> &Slices {
        &self.slices
    }

    /// Sums of each slice, without reach.
    pub(super) fn sums(&self) -> &[MeetingSums] {
        &self.sums
    }

    /// Attendances at meetings that are not counted.
    pub(super) fn without_report(&self) -> u64 {
        self.without_report
    }

    /// Number of meetings known by attendance alone.
    pub(super) fn unknown_meetings(&self) -> u64 {
        self.unknown_meetings
    }

    /// Adds attendances of one meeting.
    pub(super) fn add_run(&mut self, run: AttendanceRun<'_>) -> Result<(), AnalyticsError> {
        let mut open = match self.open.take() {
            Some(open) if open.meeting == run.meeting => open,
            previous => self.open_meeting(run.meeting, previous)?,
        };
        match self.roll {
            _ if open.is_headcount_only => {}
            Some(roll) => self.add_by_roll(roll, &mut open, run),
            None => open.add_stated(run),
        }
        self.open = Some(open);
        Ok(())
    }

    /// Eligible are people on the roll, whatever they state.
    fn add_by_roll(&mut self, roll: &Roll, open: &mut OpenMeeting, run: AttendanceRun<'_>) {
        roll.candidates(run.hi, run.lo, &mut self.candidates);
        for ((key, strength), candidate) in run.keys().zip(run.strength).zip(&self.candidates) {
            if *strength != STRONG {
                open.weak.push(key);
                continue;
            }
            let row = self.bitmap.row_mut(*candidate);
            if row.has_key(key) {
                open.on_roll += u64::from(open.mark(row));
            } else if let Some(person) = roll.find(key) {
                open.on_roll += u64::from(open.mark(self.bitmap.row_mut(person)));
            } else {
                open.off_roll.push(key);
            }
        }
    }

    /// Closes the previous meeting and opens the next one.
    fn open_meeting(&mut self, meeting: u32, previous: Option<OpenMeeting>) -> Result<OpenMeeting, AnalyticsError> {
        let mut open = match previous {
            Some(previous) => self.close(previous)?,
            None => OpenMeeting::default(),
        };
        let next = self.received.len() as u64 + self.unknown_meetings;
        match self.received.get_mut(meeting as usize) {
            Some(received) if !*received => *received = true,
            None if u64::from(meeting) == next => self.unknown_meetings += 1,
            _ => return Err(AnalyticsError::AttendanceNotGrouped(meeting)),
        }
        let known = self.meetings.rows().get(meeting as usize);
        let slices = known.and_then(|meeting| meeting.report.as_ref()).map(|report| self.slices.of(report));
        open.start(meeting, slices, known.is_some_and(|meeting| self.slices.is_revealing(meeting)));
        Ok(open)
    }

    /// Adds the people of a meeting to its slices, and returns the struct for reuse.
    fn close(&mut self, mut open: OpenMeeting) -> Result<OpenMeeting, AnalyticsError> {
        let people = open.count_people();
        if !open.is_counted {
            self.without_report += people.recorded();
            return Ok(open);
        }
        for stated in open.stated_eligible() {
            let person = self.number(stated)?;
            open.mark(self.bitmap.row_mut(person));
        }
        let headcount = self.meetings.rows()[open.meeting as usize].headcount;
        self.add_sums(&open.slices, &MeetingSums::of(headcount, people));
        Ok(open)
    }

    fn add_sums(&mut self, slices: &[usize], meeting: &MeetingSums) {
        slices.iter().for_each(|slice| self.sums[*slice].add(meeting));
    }

    /// Numbers a person if the roll does not decide, and keeps the lowest of their residence numbers.
    fn number(&mut self, StatedPerson { key, residence }: StatedPerson) -> Result<u32, AnalyticsError> {
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
    pub(super) fn finish(&mut self) -> Result<(), AnalyticsError> {
        if let Some(open) = self.open.take() {
            self.close(open)?;
        }
        let meetings = self.meetings;
        for (meeting, _) in meetings.rows().iter().zip(self.received.clone()).filter(|(_, received)| !received) {
            if let Some(report) = &meeting.report {
                self.add_sums(&self.slices.of(report), &MeetingSums::of(meeting.headcount, AttendeeCounts::default()));
            }
        }
        Ok(())
    }

    /// Counts different people. `precincts` maps precincts of the roll to residence numbers; `residences` is the number of residences.
    pub(super) fn distinct_people(&self, precincts: &[u32], residences: usize) -> DistinctPeople {
        let people = self.roll.into_iter().flat_map(Roll::people);
        let of_roll = people.zip(precincts).flat_map(|(people, residence)| people.map(|_| *residence));
        let residence_of_each = of_roll.chain(self.residences.iter().copied());
        DistinctPeople::new(self.slices.len(), residences).count(&self.bitmap, residence_of_each, self.slices.first_week())
    }
}
