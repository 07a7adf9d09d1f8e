//! Collects attendance: finds the number of each person, removes repetitions, and makes a list of each meeting.
//!
//! Guarantees: one person at one meeting counts once; the order of rows of a meeting does not matter. Meetings must follow one another in
//! ascending order of their ids; otherwise they are refused.

use std::collections::HashMap;

use qamtu_schemas::id::MeetingId;

use super::{
    attendance_lists::{AttendanceLists, MeetingAttendance},
    attendance_run::{AttendanceRun, STRONG},
    open_meeting::{OpenMeeting, StatedPerson},
    person_set::PersonSet,
    residences::ResidenceIndex,
    revealing_audiences::RevealingAudiences,
};
use crate::{
    error::AnalyticsError,
    facts::{Facts, meetings::Meetings},
    roll::{MAX_PEOPLE, PersonKey, Roll},
};

/// Collects the attendance of meetings.
#[derive(Debug)]
pub struct AttendanceCollector<'a> {
    /// The roll, if it decides about eligibility; else people are numbered in the order of arrival.
    roll: Option<&'a Roll>,
    meetings: &'a Meetings,
    residence_index: &'a ResidenceIndex,
    revealing: RevealingAudiences,
    lists: AttendanceLists,
    /// People of the roll at the open meeting.
    present: PersonSet,
    /// Buffer for [`Roll::candidates`] of a run.
    candidates: Vec<u32>,
    /// Numbers of people if the roll does not decide; `residences` has their residence numbers.
    numbers: HashMap<PersonKey, u32>,
    residences: Vec<u32>,
    open: Option<(MeetingId, OpenMeeting)>,
}

impl<'a> AttendanceCollector<'a> {
    pub(super) fn new(roll: Option<&'a Roll>, facts: &'a Facts, residence_index: &'a ResidenceIndex) -> Self {
        Self {
            roll,
            meetings: &facts.meetings,
            residence_index,
            revealing: RevealingAudiences::of(facts),
            lists: AttendanceLists::default(),
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

    /// Adds attendances of one meeting; runs of a meeting must be consecutive.
    pub fn add_run(&mut self, run: AttendanceRun<'_>) -> Result<(), AnalyticsError> {
        let (meeting, mut open) = match self.open.take() {
            Some((meeting, open)) if meeting.as_str() == run.meeting => (meeting, open),
            previous => self.open_meeting(run.meeting, previous)?,
        };
        open.events += run.len() as u32;
        match self.roll {
            _ if open.is_headcount_only => {}
            Some(roll) => self.add_by_roll(roll, &mut open, run),
            None => open.add_stated(run),
        }
        self.open = Some((meeting, open));
        Ok(())
    }

    /// Eligible are people on the roll, whatever they state.
    fn add_by_roll(&mut self, roll: &Roll, open: &mut OpenMeeting, run: AttendanceRun<'_>) {
        roll.candidates(run.hi, run.lo, &mut self.candidates);
        for (row, (key, candidate)) in run.keys().zip(&self.candidates).enumerate().filter(|(row, _)| run.counts(*row)) {
            if run.strength[row] != STRONG {
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
    fn open_meeting(&mut self, id: &str, previous: Option<(MeetingId, OpenMeeting)>) -> Result<(MeetingId, OpenMeeting), AnalyticsError> {
        if previous.as_ref().is_some_and(|(previous, _)| previous.as_str() >= id) {
            return Err(AnalyticsError::AttendanceUnordered(id.to_owned()));
        }
        let invalid = |_| AnalyticsError::Value { view: "v_attendance_events", value: id.to_owned(), expected: "meeting" };
        let meeting: MeetingId = id.parse().map_err(invalid)?;
        let mut open = match previous {
            Some((meeting, open)) => self.close(meeting, open)?,
            None => OpenMeeting::default(),
        };
        let known = self.meetings.ids().binary_search(&meeting).ok().map(|number| &self.meetings.rows()[number]);
        let is_held = known.is_some_and(|meeting| meeting.report.is_some());
        open.start(is_held, known.is_some_and(|meeting| self.revealing.includes(meeting)));
        Ok((meeting, open))
    }

    /// Stores the people of a meeting, and returns the struct for reuse.
    fn close(&mut self, meeting: MeetingId, mut open: OpenMeeting) -> Result<OpenMeeting, AnalyticsError> {
        let counts = open.count_people();
        open.on_roll.iter().for_each(|person| self.present.remove(*person));
        let mut people = std::mem::take(&mut open.on_roll);
        // Without a deciding roll, people are numbered and have a residence because they attended a counted meeting.
        if open.is_held {
            for stated in open.stated_eligible() {
                people.push(self.number(stated)?);
            }
        }
        let attendance = MeetingAttendance { meeting, events: open.events, is_headcount_only: open.is_headcount_only, counts };
        self.lists.push(attendance, people.iter().copied());
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
        if let Some((meeting, open)) = self.open.take() {
            self.close(meeting, open)?;
        }
        Ok((self.lists, self.residences))
    }
}
