//! Coalitions whose headcounts are round more often than counts are: guessed, not counted.
//!
//! Of counted numbers about one in ten ends in 0. The share is compared with that by a one-sided test of the normal approximation.

use std::collections::BTreeMap;

use serde::Serialize;

use super::HeldMeeting;
use crate::facts_store::FactsStore;

/// Headcounts from which a coalition is judged.
const MIN_HEADCOUNTS: u64 = 20;

/// Standard errors above one tenth from which the share is doubtful: by chance once in 30,000 coalitions.
const MIN_ERRORS: f64 = 4.0;

/// A coalition with too many round headcounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Heaping {
    /// Id of the coalition.
    pub coalition: String,
    /// Its headcounts of at least ten people.
    pub headcounts: u64,
    /// Those of them that end in 0.
    pub round: u64,
}

/// The coalitions, by id.
pub(super) fn find(store: &FactsStore, held: &[HeldMeeting<'_>]) -> Vec<Heaping> {
    let mut counts: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
    for meeting in held {
        if let Some(people) = meeting.meeting.headcount.map(|headcount| headcount.low).filter(|people| *people >= 10) {
            let (headcounts, round) = counts.entry(meeting.report.coalition).or_default();
            *headcounts += 1;
            *round += u64::from(people.is_multiple_of(10));
        }
    }
    let coalitions = store.facts().meetings.coalitions.keys();
    let heaped = counts.into_iter().filter(|(_, (headcounts, round))| is_heaped(*headcounts, *round));
    let mut found: Vec<Heaping> = heaped
        .map(|(coalition, (headcounts, round))| Heaping { coalition: coalitions[coalition as usize].to_string(), headcounts, round })
        .collect();
    found.sort_by(|one, other| one.coalition.cmp(&other.coalition));
    found
}

fn is_heaped(headcounts: u64, round: u64) -> bool {
    let expected = headcounts as f64 * 0.1;
    headcounts >= MIN_HEADCOUNTS && round as f64 > expected + MIN_ERRORS * (expected * 0.9).sqrt()
}

#[cfg(test)]
mod tests {
    use super::is_heaped;

    #[test]
    fn a_share_far_above_one_tenth_is_doubtful() {
        assert!(!is_heaped(100, 10) && !is_heaped(100, 22) && is_heaped(100, 23));
        assert!(!is_heaped(19, 19) && is_heaped(20, 8) && !is_heaped(20, 7));
    }
}
