//! Collects attendance: finds the number of each person, removes repetitions, and makes a list of each counted meeting.
//!
//! Guarantees: one person at one meeting counts once; the order of rows of a meeting does not matter. Rows must be grouped by meeting;
//! otherwise they are refused.

use std::collections::HashMap;

use super::{
    attendance_lists::AttendanceLists,
    attendance_run::{AttendanceRun, STRONG},
    open_meeting::{OpenMeeting, StatedPerson},
    person_set::PersonSet,
    residences::ResidenceIndex,
};
use crate::{
    error::AnalyticsError,
    facts::{Facts, meetings::Meetings},
    roll::{MAX_PEOPLE, PersonKey, Roll},
};

/// Collects the attendance of all meetings.
#[derive(Debug)]
pub struct AttendanceCollector<'a> {
    /// The roll, if it decides about eligibility; else people are numbered in the order of arrival.
    roll: Option<&'a Roll>,
    meetings: &'a Meetings,
    residence_index: &'a ResidenceIndex,
    /// Whether being in an audience reveals belief, origin or health; by interned category.
    revealing: Vec<bool>,
    lists: AttendanceLists,
    /// Whether runs of each known meeting were added.
    received: Vec<bool>,
    /// People of the roll at the open meeting.
    present: PersonSet,
    /// Buffer for [`Roll::candidates`] of a run.
    candidates: Vec<u32>,
    /// Numbers of people if the roll does not decide; `residences` has their residence numbers.
    numbers: HashMap<PersonKey, u32>,
    residences: Vec<u32>,
    open: Option<OpenMeeting>,
}

impl<'a> AttendanceCollector<'a> {
    pub(super) fn new(roll: Option<&'a Roll>, facts: &'a Facts, residence_index: &'a ResidenceIndex) -> Self {
        let configured = || facts.reference.campaign().into_iter().flat_map(|campaign| &campaign.categories);
        let meetings = &facts.meetings;
        Self {
            roll,
            meetings,
            residence_index,
            revealing: meetings
                .categories
                .keys()
                .iter()
                .map(|code| configured().any(|category| category.revealing && category.code == *code))
                .collect(),
            lists: AttendanceLists::new(meetings.rows().len()),
            received: vec![false; meetings.rows().len()],
            present: PersonSet::new(roll.map_or(0, Roll::len)),
            candidates: Vec::new(),
            numbers: HashMap::new(),
            residences: Vec::new(),
            open: None,
        }
    }

    /// Whether the roll decides who is eligible; then runs need no residences.
    pub fn uses_roll(&self) -> bool {
        self.roll.is_some()
    }

    /// The residences that stated residences are numbered by.
    pub fn residences(&self) -> &'a ResidenceIndex {
        self.residence_index
    }

    /// Adds to the number of attendance events, those that do not count as attendance included.
    pub fn add_events(&mut self, events: u64) {
        self.lists.events += events;
    }

    /// Adds attendances of one meeting that count; runs of a meeting must be consecutive.
    pub fn add_run(&mut self, run: AttendanceRun<'_>) -> Result<(), AnalyticsError> {
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
            let is_right = roll.keys()[*candidate as usize] == key;
            match if is_right { Some(*candidate) } else { roll.find(key) } {
                Some(person) if self.present.insert(person) => open.on_roll.push(person),
                Some(_) => {}
                None => open.off_roll.push(key),
            }
        }
    }

    /// Closes the previous meeting and opens the next one.
    fn open_meeting(&mut self, meeting: u32, previous: Option<OpenMeeting>) -> Result<OpenMeeting, AnalyticsError> {
        let mut open = match previous {
            Some(previous) => self.close(previous)?,
            None => OpenMeeting::default(),
        };
        let next = self.received.len() as u64 + self.lists.unknown_meetings;
        match self.received.get_mut(meeting as usize) {
            Some(received) if !*received => *received = true,
            None if u64::from(meeting) == next => self.lists.unknown_meetings += 1,
            _ => return Err(AnalyticsError::AttendanceNotGrouped(meeting)),
        }
        let known = self.meetings.rows().get(meeting as usize);
        let is_counted = known.is_some_and(|meeting| meeting.report.is_some());
        // A valid plan or report for a revealing audience is enough.
        let is_revealing = known.is_some_and(|meeting| meeting.audiences.iter().any(|category| self.revealing[*category as usize]));
        open.start(meeting, is_counted, is_revealing);
        Ok(open)
    }

    /// Stores the people of a meeting, and returns the struct for reuse.
    fn close(&mut self, mut open: OpenMeeting) -> Result<OpenMeeting, AnalyticsError> {
        let counts = open.count_people();
        open.on_roll.iter().for_each(|person| self.present.remove(*person));
        if !open.is_counted {
            self.lists.without_report += counts.recorded();
            return Ok(open);
        }
        let mut people = std::mem::take(&mut open.on_roll);
        for stated in open.stated_eligible() {
            people.push(self.number(stated)?);
        }
        self.lists.push(open.meeting, counts, people.iter().copied());
        open.on_roll = people;
        Ok(open)
    }

    /// Numbers a person if the roll does not decide, and keeps the lowest of their residence numbers.
    fn number(&mut self, StatedPerson { key, residence }: StatedPerson) -> Result<u32, AnalyticsError> {
        let next = self.residences.len() as u32;
        let person = *self.numbers.entry(key).or_insert(next);
        if person < next {
            self.residences[person as usize] = self.residences[person as usize].min(residence);
        } else if next < MAX_PEOPLE {
            self.residences.push(residence);
        } else {
            return Err(AnalyticsError::TooMany(MAX_PEOPLE));
        }
        Ok(person)
    }

    /// Closes the last meeting. Returns the lists and, if the roll does not decide, the residence number of each person.
    pub(super) fn finish(mut self) -> Result<(AttendanceLists, Vec<u32>), AnalyticsError> {
        if let Some(open) = self.open.take() {
            self.close(open)?;
        }
        Ok((self.lists, self.residences))
    }
}
