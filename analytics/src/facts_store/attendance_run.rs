//! Input of the count: attendances of one meeting as columns.

use crate::roll::PersonKey;

/// [`AttendanceRun::strength`] of a person known by a national id.
pub const STRONG: u8 = 1;

/// [`AttendanceRun::residences`] of a person who is known not to be eligible: a minor, a resident of another region, or of an undefined
/// place.
pub const OUTSIDE: u32 = u32::MAX - 1;

/// [`AttendanceRun::residences`] of a person whose age or residence is not stated. It is greater than [`OUTSIDE`], so that any other
/// statement at the same meeting takes precedence.
pub const UNSTATED: u32 = u32::MAX;

/// Attendances of one meeting, as columns of equal length. A meeting may be split into consecutive runs.
#[derive(Debug, Clone, Copy)]
pub struct AttendanceRun<'a> {
    /// Id of the meeting.
    pub meeting: &'a str,
    /// First halves of the pseudonyms.
    pub hi: &'a [u64],
    /// Second halves of the pseudonyms.
    pub lo: &'a [u64],
    /// [`STRONG`], or else weak.
    pub strength: &'a [u8],
    /// 0 for attendances that were taken back. Empty if all count.
    pub is_counted: &'a [u8],
    /// Residence numbers of [`super::ResidenceIndex`], [`OUTSIDE`] or [`UNSTATED`]. Empty if the roll decides about eligibility.
    pub residences: &'a [u32],
}

impl AttendanceRun<'_> {
    pub(super) fn len(&self) -> usize {
        self.hi.len()
    }

    /// Whether an attendance counts.
    pub(super) fn counts(&self, row: usize) -> bool {
        self.is_counted.get(row) != Some(&0)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = PersonKey> {
        self.hi.iter().zip(self.lo).map(|(hi, lo)| PersonKey { hi: *hi, lo: *lo })
    }
}
