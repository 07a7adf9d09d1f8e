//! A set of people by their dense numbers: one bit each, so that counting different people costs one bit test for each attendance.

/// A set of person numbers.
#[derive(Debug, Clone, Default)]
pub(crate) struct PersonSet {
    words: Vec<u64>,
}

impl PersonSet {
    /// An empty set with room for numbers below `people`.
    pub(crate) fn new(people: usize) -> Self {
        Self { words: vec![0; people.div_ceil(64)] }
    }

    /// Adds a person, whose number must be below the size of the set; false if the set had them.
    pub(crate) fn insert(&mut self, person: u32) -> bool {
        let word = &mut self.words[person as usize / 64];
        let bit = 1 << (person % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    /// Removes a person. Of few people this is cheaper than [`Self::clear`].
    pub(crate) fn remove(&mut self, person: u32) {
        self.words[person as usize / 64] &= !(1 << (person % 64));
    }

    /// Removes everybody, with one write for 64 people.
    pub(crate) fn clear(&mut self) {
        self.words.fill(0);
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
        set.clear();
        assert!(set.insert(0));
    }
}
