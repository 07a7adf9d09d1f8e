//! The people of one meeting, collected until all of its attendances are known.

use super::{
    attendance_run::{AttendanceRun, OUTSIDE, STRONG, UNSTATED},
    person_bitmap::{PersonRowMut, SliceMask},
    sums::AttendeeCounts,
};
use crate::roll::PersonKey;

/// A person, and the residence number that they state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct StatedPerson {
    pub(super) key: PersonKey,
    pub(super) residence: u32,
}

/// The meeting whose runs are being added.
#[derive(Debug, Default)]
pub(super) struct OpenMeeting {
    pub(super) meeting: u32,
    /// Slices of the meeting; empty if it is not counted.
    pub(super) slices: Vec<usize>,
    /// Whether a report says that it was held.
    pub(super) is_counted: bool,
    /// Attendance at the meeting would reveal sensitive data, so people are ignored and only the headcount is used.
    pub(super) is_headcount_only: bool,
    /// The bits of its slices.
    mask: SliceMask,
    /// Number of strongly identified people on the roll.
    pub(super) on_roll: u64,
    /// Pseudonyms of strongly identified people who are not on the roll.
    pub(super) off_roll: Vec<PersonKey>,
    pub(super) weak: Vec<PersonKey>,
    /// Strongly identified people, if the roll does not decide about eligibility.
    stated: Vec<StatedPerson>,
}

impl OpenMeeting {
    /// Starts another meeting. `slices` are those of its report; none if it is not counted.
    pub(super) fn start(&mut self, meeting: u32, slices: Option<Vec<usize>>, is_headcount_only: bool) {
        self.meeting = meeting;
        self.is_counted = slices.is_some();
        self.slices = slices.unwrap_or_default();
        self.is_headcount_only = is_headcount_only;
        self.mask.set(&self.slices);
        self.on_roll = 0;
        self.off_roll.clear();
        self.weak.clear();
        self.stated.clear();
    }

    /// Records an attendance in a person's row; false if it was recorded before.
    pub(super) fn mark(&self, mut row: PersonRowMut<'_>) -> bool {
        row.attend(self.meeting, self.is_counted, &self.mask)
    }

    /// Adds people whose eligibility follows from what they state.
    pub(super) fn add_stated(&mut self, run: AttendanceRun<'_>) {
        for (row, key) in run.keys().enumerate() {
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
        let stated = self.stated.len() as u64;
        let unstated = self.stated.iter().filter(|person| person.residence == UNSTATED).count() as u64;
        let identified = self.on_roll + count_different(&mut self.off_roll) + stated - unstated;
        let eligible = self.on_roll + self.stated_eligible().count() as u64;
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
