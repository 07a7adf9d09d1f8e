//! The campaign's strong roll: a hash table from pseudonyms to consecutive person numbers, sorted by precinct.
//!
//! Guarantees: one number per person, the same for the same roll; a person on the rolls of several precincts belongs to the lowest precinct
//! id. Numbers depend on the roll alone. People of one precinct have neighbouring numbers, so that the attendance of a meeting
//! touches little memory. Memory per voter: 19 bytes for key, birth band and sex, and 8 to 16 for the table.

use std::{fmt, ops::Range};

use qamtu_schemas::{event::Sex, id::PrecinctId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::AnalyticsError;

/// A pseudonym as two big-endian halves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonKey {
    /// Its first eight bytes.
    pub hi: u64,
    /// Its last eight bytes.
    pub lo: u64,
}

/// Identifies the contents of a roll: a hash over the versions that it is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RollId(String);

impl RollId {
    /// Hashes the parts that identify the versions; each is prefixed with its length.
    pub(crate) fn of(parts: impl Iterator<Item = Vec<u8>>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl fmt::Display for RollId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A person on the roll of a precinct.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RollLine {
    /// Index of the precinct.
    pub precinct: u32,
    /// Pseudonym of the person.
    pub key: PersonKey,
    /// First year of the five years in which they were born; 0 for unknown.
    pub birth_band: u16,
    /// Sex of the person.
    pub sex: Sex,
}

/// Spreads keys over the table even where their leading bits are equal (2^64 divided by the golden ratio).
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// People of the strong roll, numbered without gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roll {
    precincts: Vec<PrecinctId>,
    /// Exclusive end of each precinct's range of person numbers.
    ends: Vec<u32>,
    keys: Vec<PersonKey>,
    birth_bands: Vec<u16>,
    sexes: Vec<Sex>,
    table: HashTable,
}

/// Exclusive bound of person numbers.
pub const MAX_PEOPLE: u32 = 1 << 31;

/// Open addressing with linear probing. A slot has some bits of the key and the person's number plus one; zero is free.
#[derive(Debug, Clone, PartialEq, Eq)]
struct HashTable {
    slots: Vec<u32>,
    shift: u32,
    /// Mask of the low bits of a slot, which contain the number.
    number_mask: u32,
}

impl Default for Roll {
    fn default() -> Self {
        Self {
            precincts: Vec::new(),
            ends: Vec::new(),
            keys: Vec::new(),
            birth_bands: Vec::new(),
            sexes: Vec::new(),
            table: HashTable::with_capacity_for(0),
        }
    }
}

impl Roll {
    /// Builds a roll; lines have indexes of `precincts`, which may be unsorted.
    pub fn new(mut lines: Vec<RollLine>, precincts: Vec<PrecinctId>) -> Result<Self, AnalyticsError> {
        if lines.len() >= MAX_PEOPLE as usize {
            return Err(AnalyticsError::TooMany(MAX_PEOPLE));
        }
        let mut sorted: Vec<(PrecinctId, u32)> = precincts.into_iter().zip(0..).collect();
        sorted.sort_unstable();
        let mut rank = vec![0; sorted.len()];
        for ((_, from), to) in sorted.iter().zip(0..) {
            rank[*from as usize] = to;
        }
        lines.iter_mut().for_each(|line| line.precinct = rank[line.precinct as usize]);
        // They arrive in a few sorted runs, which this sort merges.
        lines.sort();
        let mut roll = Self::with_room(sorted.into_iter().map(|(id, _)| id).collect(), lines.len());
        for line in lines {
            // Lines are sorted by precinct, so a person gets the lowest one.
            roll.insert(line);
            roll.ends[line.precinct as usize] = roll.keys.len() as u32;
        }
        Ok(roll)
    }

    fn with_room(precincts: Vec<PrecinctId>, people: usize) -> Self {
        Self {
            ends: vec![0; precincts.len()],
            precincts,
            keys: Vec::with_capacity(people),
            birth_bands: Vec::with_capacity(people),
            sexes: Vec::with_capacity(people),
            table: HashTable::with_capacity_for(people),
        }
    }

    /// Gives a person the next number, unless they have one.
    fn insert(&mut self, RollLine { key, birth_band, sex, .. }: RollLine) {
        let Err(free) = self.search(key) else { return };
        self.keys.push(key);
        self.birth_bands.push(birth_band);
        self.sexes.push(sex);
        self.table.slots[free] = self.table.tag(key) | self.keys.len() as u32;
    }

    /// The people by number, with indexes of [`Self::precincts`].
    pub fn lines(&self) -> impl Iterator<Item = RollLine> {
        let in_precinct = |(people, precinct): (Range<usize>, u32)| people.map(move |person| (person, precinct));
        self.people().zip(0..).flat_map(in_precinct).map(|(person, precinct)| RollLine {
            precinct,
            key: self.keys[person],
            birth_band: self.birth_bands[person],
            sex: self.sexes[person],
        })
    }

    /// An empty roll to which the [`lines`](Self::lines) of another one are added in their order; `people` are expected.
    pub(crate) fn to_fill(precincts: Vec<PrecinctId>, people: usize) -> Self {
        Self::with_room(precincts, people)
    }

    /// Adds people in the order of their precincts, who are on the roll once. Their numbers are found after [`Self::filled`].
    pub(crate) fn fill(&mut self, lines: impl Iterator<Item = RollLine>) -> Option<()> {
        for RollLine { precinct, key, birth_band, sex } in lines {
            self.keys.push(key);
            self.birth_bands.push(birth_band);
            self.sexes.push(sex);
            *self.ends.get_mut(precinct as usize)? = self.keys.len() as u32;
        }
        Some(())
    }

    /// The roll with the people that were added; none if they are not as many as expected.
    pub(crate) fn filled(mut self, people: usize) -> Option<Self> {
        if self.len() != people {
            return None;
        }
        // The people of a precinct without anybody end where the previous ones do.
        let mut end = 0;
        for precinct in &mut self.ends {
            end = end.max(*precinct);
            *precinct = end;
        }
        for (key, person) in self.keys.iter().zip(1..) {
            let mut at = self.table.slot(*key);
            while self.table.slots[at] != 0 {
                at = self.table.after(at);
            }
            self.table.slots[at] = self.table.tag(*key) | person;
        }
        Some(self)
    }

    /// Number of different people on the roll.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether the campaign has no strong roll.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Ids of its precincts, sorted.
    pub fn precincts(&self) -> &[PrecinctId] {
        &self.precincts
    }

    /// Person numbers of each precinct, in the order of [`Self::precincts`].
    pub fn people(&self) -> impl Iterator<Item = Range<usize>> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| start as usize..*end as usize)
    }

    /// Pseudonyms, indexed by person number.
    pub fn keys(&self) -> &[PersonKey] {
        &self.keys
    }

    /// Birth bands, indexed by person number; 0 for unknown.
    pub fn birth_bands(&self) -> &[u16] {
        &self.birth_bands
    }

    /// Sexes, indexed by person number.
    pub fn sexes(&self) -> &[Sex] {
        &self.sexes
    }

    /// A hash over who has which number. Rolls of the same versions have different ones if one was read while rows were missing.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mix = |hash: u64, value: u64| (hash.rotate_left(5) ^ value).wrapping_mul(SPREAD);
        let ends = self.ends.iter().fold(0, |hash, end| mix(hash, u64::from(*end)));
        self.keys.iter().fold(ends, |hash, key| mix(mix(hash, key.hi), key.lo))
    }

    /// Number of a person; none if they are not on the roll.
    pub fn find(&self, key: PersonKey) -> Option<u32> {
        self.search(key).ok()
    }

    /// Number of a person, or the free slot where the search ended.
    fn search(&self, key: PersonKey) -> Result<u32, usize> {
        let mut at = self.table.slot(key);
        loop {
            let slot = self.table.slots[at];
            let person = (slot & self.table.number_mask).wrapping_sub(1);
            if slot == 0 {
                return Err(at);
            }
            if slot & !self.table.number_mask == self.table.tag(key) && self.keys[person as usize] == key {
                return Ok(person);
            }
            at = self.table.after(at);
        }
    }

    /// Writes the probable number of each key to `candidates`: the caller compares the pseudonym and searches only if it differs. The loop has
    /// no branch that depends on memory, so that the processor prefetches many slots.
    pub fn candidates(&self, hi: &[u64], lo: &[u64], candidates: &mut Vec<u32>) {
        let mask = self.table.number_mask;
        candidates.clear();
        candidates.extend(hi.iter().zip(lo).map(|(hi, lo)| {
            let key = PersonKey { hi: *hi, lo: *lo };
            let (tag, slot) = (self.table.tag(key), self.table.slot(key));
            let (first, second) = (self.table.slots[slot], self.table.slots[self.table.after(slot)]);
            let likely = if first & !mask == tag { first } else { second };
            (likely & mask).saturating_sub(1)
        }));
    }
}

impl HashTable {
    /// A table that is at most half full, so that most keys are in their first or second slot.
    fn with_capacity_for(keys: usize) -> Self {
        let bits = (2 * keys).max(2).next_power_of_two().ilog2();
        Self { slots: vec![0; 1 << bits], shift: 64 - bits, number_mask: ((keys + 1).next_power_of_two() - 1) as u32 }
    }

    fn slot(&self, key: PersonKey) -> usize {
        (key.hi.wrapping_mul(SPREAD) >> self.shift) as usize
    }

    fn after(&self, slot: usize) -> usize {
        (slot + 1) & (self.slots.len() - 1)
    }

    /// The bits of a key that are stored in its slot.
    fn tag(&self, key: PersonKey) -> u32 {
        key.lo as u32 & !self.number_mask
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn key(hi: u64, lo: u64) -> PersonKey {
        PersonKey { hi, lo }
    }

    fn line(precinct: u32, key: PersonKey) -> RollLine {
        RollLine { precinct, key, birth_band: 0, sex: Sex::Unknown }
    }

    fn precincts(names: &[&str]) -> Vec<PrecinctId> {
        names.iter().map(|name| name.parse().expect("a precinct")).collect()
    }

    #[test]
    fn a_person_on_two_rolls_lives_in_the_lowest_precinct() {
        let lines = [(0, 1), (1, 9), (1, 1), (2, 1), (2, 0), (1, 9)].map(|(precinct, half)| line(precinct, key(half, half)));
        let roll = Roll::new(lines.to_vec(), precincts(&["B", "A", "C"])).expect("a roll");
        assert_eq!(roll.precincts(), precincts(&["A", "B", "C"]));
        // A: 1 and 9; B: nobody is left; C: 0.
        assert_eq!((roll.len(), roll.people().collect::<Vec<_>>()), (3, vec![0..2, 2..2, 2..3]));
        assert_eq!([(1, 1), (9, 9), (0, 0), (1, 2)].map(|(hi, lo)| roll.find(key(hi, lo))), [Some(0), Some(1), Some(2), None]);
    }

    #[test]
    fn an_empty_roll_has_nobody() {
        let roll = Roll::default();
        assert!(roll.is_empty() && roll.find(key(0, 0)).is_none());
        assert!(Roll::new(Vec::new(), Vec::new()).is_ok_and(|same| same == roll));
    }

    /// Keys that are evenly spread, and keys of few bits that fall on one another.
    fn any_key() -> impl Strategy<Value = PersonKey> {
        (prop_oneof![0..4_u64, any::<u64>()], prop_oneof![0..3_u64, any::<u64>()]).prop_map(|(hi, lo)| key(hi, lo))
    }

    fn roll_of<'a>(keys: impl Iterator<Item = &'a PersonKey>) -> Roll {
        Roll::new(keys.map(|key| line(0, *key)).collect(), precincts(&["A"])).expect("a roll")
    }

    proptest! {
        #[test]
        fn everyone_on_the_roll_has_one_number_and_nobody_else(
            keys in proptest::collection::btree_set(any_key(), 0..600),
            others in proptest::collection::vec(any_key(), 0..300),
        ) {
            let roll = roll_of(keys.iter().rev());
            let all: Vec<PersonKey> = keys.iter().chain(&others).copied().collect();
            let found: BTreeSet<u32> = all.iter().filter_map(|key| roll.find(*key)).collect();
            prop_assert_eq!(found, (0..keys.len() as u32).collect::<BTreeSet<u32>>());
            for key in &all {
                prop_assert_eq!(roll.find(*key).map(|person| roll.keys()[person as usize]), keys.get(key).copied());
            }
        }

        #[test]
        fn the_candidate_of_evenly_spread_keys_is_mostly_right(halves in proptest::collection::btree_set((any::<u64>(), any::<u64>()), 300..900)) {
            let keys: Vec<PersonKey> = halves.iter().map(|(hi, lo)| key(*hi, *lo)).collect();
            let roll = roll_of(keys.iter());
            let (hi, lo): (Vec<u64>, Vec<u64>) = halves.into_iter().unzip();
            let mut candidates = vec![7];
            roll.candidates(&hi, &lo, &mut candidates);
            prop_assert_eq!(candidates.len(), keys.len());
            let right = keys.iter().zip(&candidates).filter(|(key, candidate)| roll.keys()[**candidate as usize] == **key).count();
            prop_assert!(right * 10 >= keys.len() * 7, "{} of {}", right, keys.len());
        }
    }
}
