//! Ranks meetings by the new voters that each adds to those ranked before it: lazy greedy.
//!
//! The expected reach of a set of meetings is monotone and submodular: the more contacts a precinct has, the fewer of the next ones are new. So
//! the greedy order reaches at least 63 % of the best possible set at every length (Nemhauser, Wolsey and Fisher 1978) if all candidates have the same novelty, and a gain that was
//! computed earlier is an upper bound of the gain now. Only candidates whose bound is largest are computed again.
//!
//! Guarantees (tested): the order is that of plain greedy. Of equal gains the first candidate comes first.

use std::{cmp::Ordering, collections::BinaryHeap};

use crate::estimate::Heterogeneity;

/// The voters of a precinct.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Registered voters; more than 0.
    pub(super) voters: f64,
    /// Expected voters who were not reached.
    pub(super) missed: f64,
    /// Expected attendances of its voters so far.
    pub(super) contacts: f64,
    /// Number of its unit.
    pub(super) unit: usize,
}

/// A meeting that may be held: where its voters live.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    /// Number of the unit.
    pub(super) unit: usize,
    /// Number of the venue's precinct; none if only the unit is known.
    pub(super) venue: Option<usize>,
    /// Expected attendances of voters of the venue's precinct.
    pub(super) own: f64,
    /// Expected attendances of voters of the unit, in proportion to its precincts' voters, those of the venue included.
    pub(super) spread: f64,
    /// How often its people come for the first time, compared with all; the gain is that many times the model's, and at most all who come.
    pub(super) novelty: f64,
}

/// A ranked candidate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ranked {
    pub(super) candidate: usize,
    /// Expected new voters, after all candidates that are ranked before it.
    pub(super) gain: f64,
}

/// Places, and the attendances that the ranked candidates add.
pub(super) struct Expected<'a> {
    places: &'a [Place],
    heterogeneity: Heterogeneity,
    of_unit: Vec<Vec<usize>>,
    unit_voters: Vec<f64>,
    added: Vec<f64>,
}

impl<'a> Expected<'a> {
    pub(super) fn new(places: &'a [Place], heterogeneity: Heterogeneity, units: usize) -> Self {
        let mut of_unit = vec![Vec::new(); units];
        let mut unit_voters = vec![0.0; units];
        for (number, place) in places.iter().enumerate() {
            of_unit[place.unit].push(number);
            unit_voters[place.unit] += place.voters;
        }
        Self { places, heterogeneity, of_unit, unit_voters, added: vec![0.0; places.len()] }
    }

    /// Expected voters of a place who are not reached after so many more attendances.
    pub(super) fn missed(&self, place: usize, more: f64) -> f64 {
        let Place { voters, missed, contacts, .. } = self.places[place];
        let missed_at = |contacts: f64| self.heterogeneity.missed(contacts / voters);
        missed * missed_at(contacts + more) / missed_at(contacts)
    }

    /// The places that a candidate's voters live in, and their expected attendances.
    pub(super) fn contacts(&self, candidate: Candidate) -> impl Iterator<Item = (usize, f64)> {
        let spread = move |place: usize| candidate.spread * self.places[place].voters / self.unit_voters[candidate.unit];
        let own = move |place: usize| if candidate.venue == Some(place) { candidate.own } else { 0.0 };
        self.of_unit[candidate.unit].iter().map(move |place| (*place, spread(*place) + own(*place)))
    }

    /// Expected new voters of a candidate.
    pub(super) fn gain(&self, candidate: Candidate) -> f64 {
        let gain = |(place, contacts)| self.missed(place, self.added[place]) - self.missed(place, self.added[place] + contacts);
        let of_model: f64 = self.contacts(candidate).map(gain).sum();
        (candidate.novelty * of_model).min(candidate.own + candidate.spread)
    }

    fn add(&mut self, candidate: Candidate) {
        for (place, contacts) in self.contacts(candidate).collect::<Vec<_>>() {
            self.added[place] += contacts;
        }
    }

    /// The `count` candidates that add most, each after those before it. Their attendances stay added.
    pub(super) fn rank(&mut self, candidates: &[Candidate], count: usize) -> Vec<Ranked> {
        let bound = |(number, candidate): (usize, &Candidate)| Bound { candidate: number, gain: self.gain(*candidate) };
        let mut bounds: BinaryHeap<Bound> = candidates.iter().enumerate().map(bound).collect();
        let mut ranked = Vec::new();
        while ranked.len() < count
            && let Some(Bound { candidate, .. }) = bounds.pop()
        {
            let now = Bound { candidate, gain: self.gain(candidates[candidate]) };
            if bounds.peek().is_some_and(|next| *next > now) {
                bounds.push(now);
                continue;
            }
            self.add(candidates[candidate]);
            ranked.push(Ranked { candidate, gain: now.gain });
        }
        ranked
    }
}

/// An upper bound of a candidate's gain.
#[derive(Clone, Copy)]
struct Bound {
    candidate: usize,
    gain: f64,
}

impl Ord for Bound {
    fn cmp(&self, other: &Self) -> Ordering {
        self.gain.total_cmp(&other.gain).then(other.candidate.cmp(&self.candidate))
    }
}

impl PartialOrd for Bound {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Bound {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Bound {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const UNITS: usize = 3;

    fn places() -> impl Strategy<Value = Vec<Place>> {
        let place = (1..3_000_u32, 0.0..1.0, 0.0..3.0, 0..UNITS).prop_map(|(voters, missed, rate, unit)| {
            let voters = f64::from(voters);
            Place { voters, missed: voters * missed, contacts: voters * rate, unit }
        });
        proptest::collection::vec(place, 1..8)
    }

    fn candidates() -> impl Strategy<Value = Vec<(usize, f64, f64)>> {
        proptest::collection::vec((any::<prop::sample::Index>().prop_map(|index| index.index(8)), 0.0..500.0, 0.0..300.0), 0..9)
    }

    fn of_places(places: &[Place], candidates: &[(usize, f64, f64)]) -> Vec<Candidate> {
        let candidate = |(venue, own, spread): &(usize, f64, f64)| {
            let venue = venue % places.len();
            Candidate { unit: places[venue].unit, venue: Some(venue), own: *own, spread: *spread, novelty: 1.0 }
        };
        candidates.iter().map(candidate).collect()
    }

    /// Expected new voters of a set, in any order.
    fn reach_of(places: &[Place], heterogeneity: Heterogeneity, chosen: &[Candidate]) -> f64 {
        let mut expected = Expected::new(places, heterogeneity, UNITS);
        chosen
            .iter()
            .map(|candidate| {
                let gain = expected.gain(*candidate);
                expected.add(*candidate);
                gain
            })
            .sum()
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_plain_greedy_and_close_to_the_best_set(places in places(), candidates in candidates(), shape in 0..4_usize) {
            let heterogeneity = [None, Some(0.05), Some(0.5), Some(20.0)].map(Heterogeneity::of_shape)[shape];
            let candidates = of_places(&places, &candidates);
            let ranked = Expected::new(&places, heterogeneity, UNITS).rank(&candidates, usize::MAX);
            prop_assert_eq!(ranked.len(), candidates.len());
            let mut expected = Expected::new(&places, heterogeneity, UNITS);
            let mut left: Vec<usize> = (0..candidates.len()).collect();
            for found in &ranked {
                let best = left.iter().map(|number| expected.gain(candidates[*number])).fold(f64::MIN, f64::max);
                prop_assert!((found.gain - best).abs() <= 1e-9 * best.abs().max(1.0), "{} of {}", found.gain, best);
                expected.add(candidates[found.candidate]);
                left.retain(|number| *number != found.candidate);
            }
            for length in 1..=candidates.len() {
                let best = (0..1_u32 << candidates.len()).filter(|set| set.count_ones() as usize == length).map(|set| {
                    let chosen: Vec<Candidate> = candidates.iter().enumerate().filter(|(number, _)| set >> number & 1 == 1).map(|(_, one)| *one).collect();
                    reach_of(&places, heterogeneity, &chosen)
                }).fold(0.0, f64::max);
                let greedy: f64 = ranked[..length].iter().map(|found| found.gain).sum();
                prop_assert!(greedy >= best * (1.0 - 1.0 / std::f64::consts::E) - 1e-6, "{} of {}", greedy, best);
                prop_assert!(greedy <= best + 1e-6 * best.max(1.0), "{} above {}", greedy, best);
            }
        }
    }

    #[test]
    fn of_equal_candidates_the_first_comes_first() {
        let places = [Place { voters: 1_000.0, missed: 900.0, contacts: 100.0, unit: 0 }];
        let candidate = Candidate { unit: 0, venue: Some(0), own: 50.0, spread: 10.0, novelty: 1.0 };
        let ranked = Expected::new(&places, Heterogeneity::of_shape(Some(0.3)), 1).rank(&[candidate; 4], 3);
        assert_eq!(ranked.iter().map(|found| found.candidate).collect::<Vec<_>>(), [0, 1, 2]);
        assert!(ranked.windows(2).all(|pair| pair[0].gain > pair[1].gain));
    }
}
