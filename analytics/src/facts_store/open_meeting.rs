//! The people of one meeting, collected until all of its attendances are known.

use super::attendance_run::{AttendanceRun, OUTSIDE, STRONG, UNSTATED};
use crate::{figures::AttendeeCounts, roll::PersonKey};

/// A person, and the residence number that they state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct StatedPerson {
    pub(super) key: PersonKey,
    pub(super) residence: u32,
}

/// The people of the meeting whose runs are being added.
#[derive(Debug, Default)]
pub(super) struct OpenMeeting {
    /// Attendances, those that were taken back included.
    pub(super) events: u32,
    /// Whether a report says that it was held.
    pub(super) is_held: bool,
    /// Attendance at the meeting would reveal sensitive data, or nobody there was eligible, so people are ignored.
    pub(super) is_headcount_only: bool,
    /// Numbers of different people on the roll.
    pub(super) on_roll: Vec<u32>,
    /// Pseudonyms of strongly identified people who are not on the roll.
    pub(super) off_roll: Vec<PersonKey>,
    pub(super) weak: Vec<PersonKey>,
    /// Strongly identified people, if the roll does not decide about eligibility.
    stated: Vec<StatedPerson>,
}

impl OpenMeeting {
    /// Forgets the people of the last meeting and starts another.
    pub(super) fn start(&mut self, is_held: bool, is_headcount_only: bool) {
        self.events = 0;
        self.is_held = is_held;
        self.is_headcount_only = is_headcount_only;
        self.on_roll.clear();
        self.off_roll.clear();
        self.weak.clear();
        self.stated.clear();
    }

    /// Adds people whose eligibility follows from what they state.
    pub(super) fn add_stated(&mut self, run: AttendanceRun<'_>) {
        for (row, key) in run.keys().enumerate().filter(|(row, _)| run.counts(*row)) {
            match run.strength[row] {
                STRONG => self.stated.push(StatedPerson { key, residence: run.residences.get(row).copied().unwrap_or(UNSTATED) }),
                _ => self.weak.push(key),
            }
        }
    }

    /// Removes duplicates and counts different people.
    pub(super) fn count_people(&mut self) -> AttendeeCounts {
        // Of several statements of a person, the one with the lowest residence number sorts first and is kept.
        self.stated.sort_unstable();
        self.stated.dedup_by_key(|person| person.key);
        let on_roll = self.on_roll.len() as u64;
        let stated = self.stated.len() as u64;
        let unstated = self.stated.iter().filter(|person| person.residence == UNSTATED).count() as u64;
        let identified = on_roll + count_different(&mut self.off_roll) + stated - unstated;
        let eligible = on_roll + self.stated_eligible().count() as u64;
        AttendeeCounts { identified, eligible, unstated, weak: count_different(&mut self.weak) }
    }

    /// People who are eligible by what they state.
    pub(super) fn stated_eligible(&self) -> impl Iterator<Item = StatedPerson> {
        self.stated.iter().copied().filter(|person| person.residence < OUTSIDE)
    }
}

/// Removes duplicates and returns the number of different keys.
fn count_different(keys: &mut Vec<PersonKey>) -> u64 {
    keys.sort_unstable();
    keys.dedup();
    keys.len() as u64
}
