//! Draws the voters of all precincts, and the errors of their rolls and counts.

use std::collections::BTreeMap;

use qamtu_schemas::event::{PrecinctKind, Sex};

use super::{GeneratedPrecinct, GeneratedRoll, precincts};
use crate::{
    campaign::{Campaign, PRECINCT_MAX_VOTERS, Scenario},
    submission::Iin,
    synthetic::{
        iin::{Issuer, birthday},
        rng::{RngStream, SeededRng},
    },
};

/// Precincts whose roll has a second version, with other voters.
const RE_ENROLLED: usize = 12;
/// Voters of the first version who are not in the second.
const MOVED_AWAY: u32 = 10;
/// Voters of the smallest special precinct who are included in a neighbour's last count.
const MISPLACED: u32 = 20;
/// Pairs of precincts of different units of which one also lists voters of the other.
const PAIRS: usize = 6;
/// Voters of the one precinct whom the other lists too.
const LISTED_TWICE: usize = 25;

impl GeneratedRoll {
    pub(in crate::synthetic) fn draw(campaign: &Campaign, scenario: &Scenario, seed: u64, issuer: &mut Issuer) -> Self {
        let mut rng = SeededRng::new(seed, RngStream::Roll);
        let (precincts, units) = precincts::draw(campaign, scenario, &mut rng);
        let voters = precincts.last().map_or(0, |precinct| precinct.voters.end) as usize;
        let mut roll = Self {
            iins: Vec::with_capacity(voters),
            first: Vec::with_capacity(voters),
            propensity: Vec::with_capacity(voters + 1),
            moved_away: BTreeMap::new(),
            undercounted: None,
            listed_twice: BTreeMap::new(),
            vote_year: campaign.calendar.vote.year(),
            precincts,
            units,
        };
        roll.propensity.push(0.0);
        for precinct in 0..roll.precincts.len() {
            roll.enrol(precinct, &mut rng, issuer);
        }
        roll.re_enrol(&mut rng, issuer);
        roll.undercounted = roll.misplace();
        roll.list_twice(&mut rng);
        roll
    }

    /// Draws the voters of a precinct, household by household.
    fn enrol(&mut self, precinct: usize, rng: &mut SeededRng, issuer: &mut Issuer) {
        // In some precincts a few people attend often; in others attendance is spread evenly.
        let shape = if self.precincts[precinct].number.is_multiple_of(2) { 0.3 } else { 1.0 };
        let mut left = 0;
        for _ in self.precincts[precinct].voters.clone() {
            self.first.push(left == 0);
            left = if left == 0 { 1 + rng.weighted([0.18, 0.28, 0.22, 0.16, 0.1, 0.06].into_iter()) } else { left } - 1;
            self.iins.push(person(rng, issuer, self.vote_year));
            let sum = self.propensity.last().copied().unwrap_or_default() + rng.gamma(shape);
            self.propensity.push(sum);
        }
    }

    fn re_enrol(&mut self, rng: &mut SeededRng, issuer: &mut Issuer) {
        let mut order: Vec<usize> =
            (0..self.precincts.len()).filter(|index| self.precincts[*index].kind == PrecinctKind::Ordinary).collect();
        rng.shuffle(&mut order);
        order.truncate(RE_ENROLLED);
        order.sort_unstable();
        for precinct in order {
            let gone = (0..MOVED_AWAY).map(|_| person(rng, issuer, self.vote_year)).collect();
            self.moved_away.insert(precinct, gone);
        }
    }

    /// Moves voters of the smallest special precinct into the last count of another precinct of its unit.
    fn misplace(&mut self) -> Option<usize> {
        let enough = |precinct: &GeneratedPrecinct| precinct.kind == PrecinctKind::Special && precinct.voters.len() as u32 > MISPLACED;
        let special = (0..self.precincts.len()).filter(|index| enough(&self.precincts[*index]));
        let from = special.min_by_key(|index| self.precincts[*index].voters.len())?;
        let has_capacity =
            |precinct: &GeneratedPrecinct| precinct.counts.last().is_some_and(|last| last + MISPLACED <= PRECINCT_MAX_VOTERS);
        let mut others = self.units[self.precincts[from].unit].clone().filter(|index| *index != from);
        let to = others.find(|index| has_capacity(&self.precincts[*index]))?;
        *self.precincts[from].counts.last_mut()? -= MISPLACED;
        *self.precincts[to].counts.last_mut()? += MISPLACED;
        Some(from)
    }

    /// Adds the most active voters of some precincts to the roll of a precinct in another unit as well: as often to one with a lower id,
    /// which becomes their residence, as to one with a higher id.
    fn list_twice(&mut self, rng: &mut SeededRng) {
        let free = |index: &usize| {
            let precinct = &self.precincts[*index];
            let is_special = precinct.kind == PrecinctKind::Special || self.undercounted == Some(*index);
            !is_special && !self.moved_away.contains_key(index)
        };
        let mut order: Vec<usize> = (0..self.precincts.len()).filter(free).collect();
        rng.shuffle(&mut order);
        let mut chosen: Vec<(usize, usize)> = Vec::new();
        for pair in order.chunks_exact(2) {
            let (mut lower, mut higher) = (pair[0], pair[1]);
            if self.precincts[lower].id > self.precincts[higher].id {
                std::mem::swap(&mut lower, &mut higher);
            }
            if chosen.len() < PAIRS && self.precincts[lower].unit != self.precincts[higher].unit {
                chosen.push(if chosen.len().is_multiple_of(2) { (lower, higher) } else { (higher, lower) });
            }
        }
        let active = |precinct: usize| {
            let mut people: Vec<u32> = self.precincts[precinct].voters.clone().collect();
            let propensity = |voter: u32| self.propensity[voter as usize + 1] - self.propensity[voter as usize];
            people.sort_by(|a, b| propensity(*b).total_cmp(&propensity(*a)));
            people.truncate(LISTED_TWICE);
            people
        };
        self.listed_twice = chosen.into_iter().map(|(also, home)| (also, active(home))).collect();
    }
}

/// Draws an adult. Ages follow the national table of adults by sex (Bureau of National Statistics), slightly younger, as in the region.
fn person(rng: &mut SeededRng, issuer: &mut Issuer, vote_year: i16) -> Iin {
    let sex = if rng.chance(0.492) { Sex::Male } else { Sex::Female };
    let shares = if sex == Sex::Male { [62.0, 23.5, 12.5, 2.0] } else { [59.0, 24.0, 13.5, 3.5] };
    let (youngest, oldest) = [(18, 44), (45, 59), (60, 74), (75, 95)][rng.weighted(shares.into_iter())];
    let year = vote_year - rng.between(youngest, oldest) as i16;
    // People who turn 18 in the year of the vote were born in the first two months.
    let last_month = if vote_year - year == 18 { 2 } else { 12 };
    issuer.issue(birthday(year, last_month, rng), sex)
}
