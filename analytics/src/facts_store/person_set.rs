//! A set of people by their numbers: one bit each, so that finding a repetition on a list costs one bit test for each attendance.

/// A set of person numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct PersonSet {
    words: Vec<u64>,
}

impl PersonSet {
    /// An empty set with room for numbers below `people`.
    pub(super) fn new(people: usize) -> Self {
        Self { words: vec![0; people.div_ceil(64)] }
    }

    /// Adds a person, whose number must be below the size of the set; false if the set had them.
    pub(super) fn insert(&mut self, person: u32) -> bool {
        let word = &mut self.words[person as usize / 64];
        let bit = 1 << (person % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    pub(super) fn remove(&mut self, person: u32) {
        self.words[person as usize / 64] &= !(1 << (person % 64));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_new_once() {
        let mut set = PersonSet::new(65);
        assert!(set.insert(64) && set.insert(0) && !set.insert(64));
        set.remove(64);
        assert!(set.insert(64) && !set.insert(0));
    }
}
