//! The campaign's strong roll as a dense index: a person is the rank of their pseudonym.
//!
//! Guarantees: one number per person, the same for the same roll; a person on several precincts' rolls lives in the lowest precinct
//! id. The numbers are private to one calculation and leave it only as counts. Sixteen bytes a voter, no hashing: pseudonyms are evenly
//! spread, so their leading bits say where in the sorted list to look.

use qamtu_schemas::id::PrecinctId;

use crate::error::AnalyticsError;

/// A pseudonym as two big-endian halves.
pub type Key = (u64, u64);

/// Persons looked up together: enough for the processor to wait for many cache lines at once.
const BLOCK: usize = 256;

/// The roll.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roll {
    keys: Vec<Key>,
    /// Where the keys with these leading bits begin; one more at the end.
    starts: Vec<u32>,
    shift: u32,
    homes: Vec<u32>,
    precincts: Vec<PrecinctId>,
}

impl Roll {
    /// The roll of these lines: who, and the place of their precinct in `precincts`, which may come in any order.
    pub fn new(lines: Vec<(Key, u32)>, precincts: Vec<PrecinctId>) -> Result<Self, AnalyticsError> {
        let mut sorted: Vec<(PrecinctId, u32)> = precincts.into_iter().zip(0..).collect();
        sorted.sort_unstable();
        let mut rank = vec![0; sorted.len()];
        for ((_, from), to) in sorted.iter().zip(0..) {
            rank[*from as usize] = to;
        }
        let mut lines: Vec<(Key, u32)> = lines.into_iter().map(|(key, home)| (key, rank[home as usize])).collect();
        lines.sort_unstable();
        lines.dedup_by_key(|(key, _)| *key);
        if u32::try_from(lines.len()).is_err() {
            return Err(AnalyticsError::TooMany(u32::MAX));
        }
        let (keys, homes): (Vec<Key>, Vec<u32>) = lines.into_iter().unzip();
        // About two places for each key: most keys are then the first or the second of their place.
        let bits = keys.len().checked_ilog2().unwrap_or(0) + 1;
        let mut roll =
            Self { starts: Vec::new(), shift: 64 - bits, keys, homes, precincts: sorted.into_iter().map(|(id, _)| id).collect() };
        roll.starts = vec![0; (1 << bits) + 1];
        for (hi, _) in &roll.keys {
            roll.starts[(hi >> roll.shift) as usize + 1] += 1;
        }
        for bucket in 1..roll.starts.len() {
            roll.starts[bucket] += roll.starts[bucket - 1];
        }
        Ok(roll)
    }

    /// Different people on it.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Does the campaign have no strong roll?
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Its precincts, sorted.
    pub fn precincts(&self) -> &[PrecinctId] {
        &self.precincts
    }

    /// Of each person the place of their precinct in [`Self::precincts`].
    pub fn homes(&self) -> &[u32] {
        &self.homes
    }

    /// The number of a person; none if they are not on the roll.
    pub fn find(&self, key: Key) -> Option<u32> {
        let bucket = (key.0 >> self.shift) as usize;
        let (start, end) = (*self.starts.get(bucket)? as usize, *self.starts.get(bucket + 1)? as usize);
        self.keys[start..end].binary_search(&key).ok().map(|at| (start + at) as u32)
    }

    /// Calls `each` with the place of every key in the columns and its number. The first two steps have no branch that waits for
    /// memory, so that the look-ups of a block overlap.
    pub fn find_all(&self, (hi, lo): (&[u64], &[u64]), mut each: impl FnMut(usize, Option<u32>)) {
        if self.is_empty() {
            return (0..hi.len()).for_each(|at| each(at, None));
        }
        let last = self.keys.len() - 1;
        let (mut start, mut step) = ([0_u32; BLOCK], [0_u8; BLOCK]);
        for (block, (hi, lo)) in hi.chunks(BLOCK).zip(lo.chunks(BLOCK)).enumerate() {
            for (start, hi) in start.iter_mut().zip(hi) {
                *start = self.starts[(hi >> self.shift) as usize];
            }
            for ((step, start), (hi, lo)) in step.iter_mut().zip(&start).zip(hi.iter().zip(lo)) {
                let is = |at: usize| {
                    let held = self.keys[at.min(last)];
                    u8::from((held.0 == *hi) & (held.1 == *lo))
                };
                let (first, second) = (is(*start as usize), is(*start as usize + 1));
                *step = 2 - 2 * first - second * (1 - first);
            }
            for (at, key) in hi.iter().zip(lo).enumerate() {
                let found = match step[at] {
                    0 => Some(start[at]),
                    1 => Some(start[at] + 1),
                    _ => self.find((*key.0, *key.1)),
                };
                each(block * BLOCK + at, found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn precinct(name: &str) -> PrecinctId {
        name.parse().expect("a precinct")
    }

    #[test]
    fn a_person_on_two_rolls_lives_in_the_lowest_precinct() {
        let roll = Roll::new(vec![((1, 1), 0), ((9, 9), 1), ((1, 1), 1)], vec![precinct("B"), precinct("A")]).expect("a roll");
        assert_eq!(roll.len(), 2);
        assert_eq!(roll.precincts(), [precinct("A"), precinct("B")]);
        assert_eq!(roll.find((1, 1)).map(|person| roll.homes()[person as usize]), Some(0));
    }

    proptest! {
        #[test]
        fn everyone_on_the_roll_is_found_by_rank_and_nobody_else(
            keys in proptest::collection::btree_set((prop_oneof![0..4_u64, any::<u64>()], 0..3_u64), 0..600),
            others in proptest::collection::vec((prop_oneof![0..4_u64, any::<u64>()], 0..3_u64), 0..300),
        ) {
            let sorted: Vec<Key> = keys.iter().copied().collect();
            let roll = Roll::new(sorted.iter().rev().map(|key| (*key, 0)).collect(), vec![precinct("A")]).expect("a roll");
            let asked: Vec<Key> = sorted.iter().chain(&others).copied().collect();
            let (hi, lo): (Vec<u64>, Vec<u64>) = asked.iter().copied().unzip();
            let mut answers = Vec::new();
            roll.find_all((&hi, &lo), |at, found| { assert_eq!(at, answers.len()); answers.push(found); });
            for (key, found) in asked.iter().zip(answers) {
                let expected = sorted.binary_search(key).ok().map(|rank| rank as u32);
                prop_assert_eq!(found, expected);
                prop_assert_eq!(roll.find(*key), expected);
            }
        }
    }
}
