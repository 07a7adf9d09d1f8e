//! Draws precincts and their numbers of voters.
//!
//! The voters of a unit's precincts sum to exactly those of the campaign file, and no precinct exceeds the legal limit.

use std::ops::Range;

use qamtu_schemas::event::PrecinctKind;

use super::GeneratedPrecinct;
use crate::{
    campaign::{Campaign, PRECINCT_MAX_VOTERS, PRECINCT_MIN_VOTERS, Scenario, UnitScenario},
    synthetic::rng::SeededRng,
};

/// Relative difference of the earlier counts from the last ones.
const DRIFT: [f64; 2] = [-0.004, 0.002];

/// Draws all precincts with their counts; also returns the range of precincts of each unit.
pub(super) fn draw(campaign: &Campaign, scenario: &Scenario, rng: &mut SeededRng) -> (Vec<GeneratedPrecinct>, Vec<Range<usize>>) {
    let sizes: Vec<UnitScenario> = campaign.units.iter().filter_map(|unit| unit.synthetic).collect();
    // Hospitals and barracks are in the largest units.
    let mut by_size: Vec<usize> = (0..sizes.len()).collect();
    by_size.sort_by_key(|unit| std::cmp::Reverse(sizes[*unit].voters));
    let mut precincts: Vec<GeneratedPrecinct> = Vec::new();
    let mut units = Vec::new();
    let (mut number, mut voter) = (0, 0);
    for (unit, size) in sizes.iter().enumerate() {
        let rank = by_size.iter().position(|other| *other == unit).unwrap_or(0);
        let special = (0..scenario.special_precincts as usize).filter(|index| index % sizes.len() == rank).count();
        let start = precincts.len();
        for (voters, kind) in unit_precincts(size, special, rng) {
            number += 1 + u32::from(rng.chance(0.03));
            let text = format!("{}-{number:03}", campaign.units[unit].code);
            // INVARIANT: a unit's code, a hyphen and a number are a valid code.
            let id = text.parse().expect("a precinct id");
            let counts = counts(voters, scenario.counts.len(), rng);
            precincts.push(GeneratedPrecinct { id, unit, number, kind, counts, voters: voter..voter + voters });
            voter += voters;
        }
        units.push(start..precincts.len());
    }
    (precincts, units)
}

/// Earlier counts differ by the drift of their date and by up to 0.4 % at random.
fn counts(voters: u32, dates: usize, rng: &mut SeededRng) -> Vec<u32> {
    let earlier = |date: usize| {
        let drift = DRIFT[date % DRIFT.len()] + 0.004 * (2.0 * rng.uniform() - 1.0);
        ((f64::from(voters) * (1.0 + drift)).round() as u32).min(PRECINCT_MAX_VOTERS)
    };
    let mut counts: Vec<u32> = (0..dates.saturating_sub(1)).map(earlier).collect();
    counts.push(voters);
    counts
}

/// Draws the sizes of a unit's precincts: log-normal, clipped to the legal limits, with exactly the unit's voters in total.
fn unit_precincts(size: &UnitScenario, special: usize, rng: &mut SeededRng) -> Vec<(u32, PrecinctKind)> {
    let ordinary = |special: usize| size.precincts as usize - special;
    let fits = |special: usize, taken: u32| {
        let left = size.voters.saturating_sub(taken);
        special < size.precincts as usize
            && (ordinary(special) as u32 * PRECINCT_MIN_VOTERS..=ordinary(special) as u32 * PRECINCT_MAX_VOTERS).contains(&left)
    };
    let mut sizes: Vec<(u32, PrecinctKind)> = Vec::new();
    let mut taken = 0;
    for _ in 0..special {
        let voters = rng.between(30, 300) as u32;
        if fits(sizes.len() + 1, taken + voters) {
            sizes.push((voters, PrecinctKind::Special));
            taken += voters;
        }
    }
    let weights: Vec<f64> = (0..ordinary(sizes.len())).map(|_| rng.log_normal(1.0, 0.55)).collect();
    let clip = |scale: f64| {
        weights.iter().map(move |weight| (weight * scale).clamp(f64::from(PRECINCT_MIN_VOTERS), f64::from(PRECINCT_MAX_VOTERS)))
    };
    let wanted = size.voters - taken;
    let (mut low, mut high) = (0.0, 1e9);
    for _ in 0..80 {
        let middle = (low + high) / 2.0;
        if clip(middle).sum::<f64>() <= f64::from(wanted) { low = middle } else { high = middle }
    }
    let mut voters: Vec<u32> = clip(low).map(|size| size as u32).collect();
    let mut missing = wanted - voters.iter().sum::<u32>();
    while missing > 0 {
        for slot in voters.iter_mut().filter(|size| **size < PRECINCT_MAX_VOTERS) {
            let step = missing.min(1);
            *slot += step;
            missing -= step;
        }
    }
    let mut all: Vec<(u32, PrecinctKind)> = voters.into_iter().map(|size| (size, PrecinctKind::Ordinary)).collect();
    all.append(&mut sizes);
    all
}
