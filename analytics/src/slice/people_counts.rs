//! Numbers of different people, their attendances and frequencies.

/// Frequencies that are told apart: 1, 2, 3, 4, and 5 or more attendances.
pub(super) const FREQUENCIES: usize = 5;

/// Eligible people in a group of meetings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PeopleCounts {
    /// Different people.
    pub reached: u64,
    /// Their attendances.
    pub contacts: u64,
    /// Those whose first counted meeting is in the group.
    pub first_reached: u64,
    /// People with exactly 1, 2, 3, 4 attendances, and with 5 or more; none unless it was asked for.
    pub frequencies: Option<[u64; FREQUENCIES]>,
}

/// How many numbers a group of people and its [`PeopleCounts`] are.
pub(super) const NUMBERS: usize = 4 + FREQUENCIES;

impl PeopleCounts {
    /// Nobody.
    pub(crate) fn none(with_frequencies: bool) -> Self {
        Self { frequencies: with_frequencies.then_some([0; FREQUENCIES]), ..Self::default() }
    }

    pub(super) fn numbers(self, group: usize) -> [u64; NUMBERS] {
        let [one, two, three, four, more] = self.frequencies.unwrap_or_default();
        [group as u64, self.reached, self.contacts, self.first_reached, one, two, three, four, more]
    }

    pub(super) fn from_numbers(numbers: &[u64], with_frequencies: bool) -> Self {
        let mut frequencies = [0; FREQUENCIES];
        frequencies.iter_mut().zip(&numbers[3..]).for_each(|(to, from)| *to = *from);
        Self { reached: numbers[0], contacts: numbers[1], first_reached: numbers[2], frequencies: with_frequencies.then_some(frequencies) }
    }

    /// Adds people of another group that nobody is in who is in this one.
    pub(crate) fn add(&mut self, other: &Self) {
        self.reached += other.reached;
        self.contacts += other.contacts;
        self.first_reached += other.first_reached;
        if let (Some(sum), Some(more)) = (&mut self.frequencies, other.frequencies) {
            sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        }
    }
}
