//! Different people by slice, week, frequency and residence, counted from the rows of a [`PersonBitmap`].

use super::person_bitmap::{PersonBitmap, PersonRow};

/// Eligible people with the same residence, and their attendances.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ResidentCounts {
    pub(super) reached: u64,
    pub(super) contacts: u64,
}

impl std::ops::AddAssign for ResidentCounts {
    fn add_assign(&mut self, other: Self) {
        self.reached += other.reached;
        self.contacts += other.contacts;
    }
}

/// Different people, counted in several ways.
#[derive(Debug, Default)]
pub(super) struct DistinctPeople {
    /// By slice.
    pub(super) by_slice: Vec<u64>,
    /// By the first week that has them, under the week's slice.
    pub(super) by_first_week: Vec<u64>,
    /// By number of attendances: 1, 2, 3, 4, 5 or more.
    pub(super) exposure: [u64; 5],
    /// By residence number.
    pub(super) by_residence: Vec<ResidentCounts>,
}

impl DistinctPeople {
    /// Zeros. Slices from `first_week` on are weeks.
    pub(super) fn new(slices: usize, residences: usize) -> Self {
        Self {
            by_slice: vec![0; slices],
            by_first_week: vec![0; slices],
            exposure: [0; 5],
            by_residence: vec![ResidentCounts::default(); residences],
        }
    }

    /// Counts every person of a bitmap. `residences` has the residence number of each row; slices from `first_week` on are weeks.
    pub(super) fn count(mut self, bitmap: &PersonBitmap, residences: impl Iterator<Item = u32>, first_week: usize) -> Self {
        bitmap.rows().zip(residences).for_each(|(row, residence)| self.add(row, residence, first_week));
        self
    }

    fn add(&mut self, row: PersonRow<'_>, residence: u32, first_week: usize) {
        let contacts = row.attendances();
        if contacts == 0 {
            return;
        }
        self.exposure[contacts.min(5) as usize - 1] += 1;
        self.by_residence[residence as usize] += ResidentCounts { reached: 1, contacts: contacts.into() };
        let mut week = None;
        for slice in row.slices() {
            self.by_slice[slice] += 1;
            week = week.or((slice >= first_week).then_some(slice));
        }
        if let Some(week) = week {
            self.by_first_week[week] += 1;
        }
    }
}
