//! Meetings whose lists have nearly the same people.
//!
//! Comparing every two meetings costs too much, so candidates come from MinHash signatures (Broder 1997): two lists have the same smallest hash
//! with a probability that is their Jaccard index. Signatures are cut into bands, and lists with an equal band are compared exactly. Lists that
//! are equal by 80 % are missed with a probability of about 1 in 5,000; lists that are equal by 10 % are compared once in 600.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Doubt, HeldMeeting};
use crate::facts_store::FactsStore;

/// Hashes of a signature.
const HASHES: usize = 64;

/// Hashes of a band.
const BAND: usize = 4;

/// Jaccard index from which lists are doubtful, in percent.
const MIN_PERCENT: u64 = 70;

/// Voters on both lists from which they are compared: few people come together to several meetings.
const MIN_COMMON: u64 = 10;

type Signature = [u64; HASHES];

/// Adds doubts to both meetings of each pair: the most similar one of several.
pub(super) fn find(store: &FactsStore, held: &[HeldMeeting<'_>], doubts: &mut BTreeMap<u32, Vec<Doubt>>) {
    let lists: Vec<(usize, BTreeSet<u32>)> = {
        let mut all = store.person_meetings().lists();
        let people = |meeting: &HeldMeeting<'_>| std::mem::take(&mut all[meeting.number as usize]).into_iter().collect::<BTreeSet<u32>>();
        held.iter().map(people).enumerate().filter(|(_, people)| people.len() as u64 >= MIN_COMMON).collect()
    };
    let mut most: BTreeMap<usize, (u64, u64, usize)> = BTreeMap::new();
    for (one, other) in candidates(&lists) {
        let (common, percent) = similarity(&lists[one].1, &lists[other].1);
        if common >= MIN_COMMON && percent >= MIN_PERCENT {
            for (of, with) in [(one, other), (other, one)] {
                let found = (percent, common, usize::MAX - lists[with].0);
                let best = most.entry(lists[of].0).or_insert(found);
                *best = (*best).max(found);
            }
        }
    }
    for (index, (percent, common, other)) in most {
        let other = held[usize::MAX - other].id.clone();
        doubts.entry(held[index].number).or_default().push(Doubt::CopiedList { other, common, percent });
    }
}

/// Pairs of lists with an equal band.
fn candidates(lists: &[(usize, BTreeSet<u32>)]) -> BTreeSet<(usize, usize)> {
    let signatures: Vec<Signature> = lists.iter().map(|(_, people)| signature(people)).collect();
    let mut pairs = BTreeSet::new();
    for band in 0..HASHES / BAND {
        let mut buckets: HashMap<&[u64], Vec<usize>> = HashMap::new();
        for (index, signature) in signatures.iter().enumerate() {
            buckets.entry(&signature[band * BAND..(band + 1) * BAND]).or_default().push(index);
        }
        for bucket in buckets.values() {
            pairs.extend(bucket.iter().enumerate().flat_map(|(at, one)| bucket[at + 1..].iter().map(|other| (*one, *other))));
        }
    }
    pairs
}

fn signature(people: &BTreeSet<u32>) -> Signature {
    let mut smallest = [u64::MAX; HASHES];
    for person in people {
        for (number, smallest) in (0..).zip(&mut smallest) {
            *smallest = (*smallest).min(mixed(u64::from(*person) << 8 | number));
        }
    }
    smallest
}

/// The finalizer of SplitMix64 (Steele, Lea and Flood 2014), which spreads neighbouring numbers.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// People on both lists, and in percent of those on either.
fn similarity(one: &BTreeSet<u32>, other: &BTreeSet<u32>) -> (u64, u64) {
    let common = one.intersection(other).count() as u64;
    let either = one.len() as u64 + other.len() as u64 - common;
    (common, common * 100 / either.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_lists_are_candidates_and_others_hardly_are() {
        // Fifty pairs that share 90 of 110 people, and nobody with another pair.
        let lists: Vec<(usize, BTreeSet<u32>)> = (0..100_u32)
            .map(|list| {
                let first = list / 2 * 1_000 + list % 2 * 10;
                (list as usize, (first..first + 100).collect())
            })
            .collect();
        let found = candidates(&lists);
        assert!((0..50).all(|pair| found.contains(&(2 * pair, 2 * pair + 1))), "{found:?}");
        assert!(found.len() < 60, "{}", found.len());
        assert_eq!(similarity(&lists[0].1, &lists[1].1), (90, 81));
        assert_eq!(similarity(&lists[0].1, &lists[2].1), (0, 0));
        assert_eq!(similarity(&BTreeSet::new(), &BTreeSet::new()), (0, 0));
    }
}
