//! Precincts, their voter counts, and the roll of voters.
//!
//! The last counts of a unit sum to exactly its voters, and no precinct exceeds the legal limit. The roll has as many different people as
//! the last counts, also by precinct, except one that is counted too low and a neighbour counted too high by the same number. The voters
//! of a precinct have consecutive indexes, so a precinct or a unit is a range.

use std::{ops::Range, sync::Arc};

use jiff::SignedDuration;
use qamtu_schemas::{
    event::{PrecinctEnrolled, PrecinctKind, PseudonymStrength, RollEntry, Sex},
    id::{EventId, PrecinctId},
};

use super::{
    clock::Clock,
    iin::{DAYS, Issuer},
    rng::{RngStream, SeededRng},
};
use crate::{
    campaign::{Campaign, PRECINCT_MAX_VOTERS, PRECINCT_MIN_VOTERS, Scenario, UnitScenario},
    submission::{Identifier, Iin, Payload, Submission},
};

/// Precincts whose roll has a second version, with other voters.
const RE_ENROLLED: usize = 12;
/// Voters of the first version who are not in the second.
const MOVED_AWAY: u32 = 10;
/// Voters of the smallest special precinct who are included in a neighbour's last count.
const MISPLACED: u32 = 20;
/// Number of pairs of precincts of different units of which one also lists voters of the other, and number of those voters.
const LISTED_TWICE: (usize, usize) = (6, 25);
/// Relative difference of the earlier counts from the last ones.
const DRIFT: [f64; 2] = [-0.004, 0.002];

/// A precinct with its counts and voters.
#[derive(Debug, Clone)]
pub(super) struct Precinct {
    pub id: PrecinctId,
    pub unit: usize,
    pub number: u32,
    pub kind: PrecinctKind,
    /// Voters by count date; the last equals the roll, except for [`MISPLACED`] voters.
    pub counts: Vec<u32>,
    pub voters: Range<u32>,
}

/// All precincts and registered voters.
#[derive(Debug)]
pub struct Roll {
    pub(super) precincts: Vec<Precinct>,
    /// Range of precincts by unit.
    pub(super) units: Vec<Range<usize>>,
    iins: Vec<Iin>,
    /// Whether a voter is the first of a household.
    first: Vec<bool>,
    /// Cumulative propensity to attend; one more entry than voters.
    propensity: Vec<f64>,
    /// People who are only on the first roll of a precinct, by precinct.
    pub(super) moved_away: Vec<(usize, Vec<Iin>)>,
    /// The precinct whose last count is too low.
    pub(super) undercounted: Option<usize>,
    /// Precincts whose rolls also list voters of another precinct, and those voters.
    listed_twice: Vec<(usize, Vec<u32>)>,
    vote_year: i16,
}

impl Roll {
    pub(super) fn draw(campaign: &Campaign, scenario: &Scenario, seed: u64, issuer: &mut Issuer) -> Self {
        let mut rng = SeededRng::new(seed, RngStream::Roll);
        let (precincts, units) = precincts(campaign, scenario, &mut rng);
        let voters = precincts.last().map_or(0, |precinct| precinct.voters.end) as usize;
        let mut roll = Self {
            iins: Vec::with_capacity(voters),
            first: Vec::with_capacity(voters),
            propensity: Vec::with_capacity(voters + 1),
            moved_away: Vec::new(),
            undercounted: None,
            listed_twice: Vec::new(),
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
            self.moved_away.push((precinct, gone));
        }
    }

    /// Moves voters of the smallest special precinct into the last count of another precinct of its unit.
    fn misplace(&mut self) -> Option<usize> {
        let enough = |precinct: &Precinct| precinct.kind == PrecinctKind::Special && precinct.voters.len() as u32 > MISPLACED;
        let special = (0..self.precincts.len()).filter(|index| enough(&self.precincts[*index]));
        let from = special.min_by_key(|index| self.precincts[*index].voters.len())?;
        let has_capacity = |precinct: &Precinct| precinct.counts.last().is_some_and(|last| last + MISPLACED <= PRECINCT_MAX_VOTERS);
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
            !is_special && self.moved_away.iter().all(|(moved, _)| moved != index)
        };
        let mut order: Vec<usize> = (0..self.precincts.len()).filter(free).collect();
        rng.shuffle(&mut order);
        let (pairs, voters) = LISTED_TWICE;
        let mut chosen: Vec<(usize, usize)> = Vec::new();
        for pair in order.chunks_exact(2) {
            let (mut lower, mut higher) = (pair[0], pair[1]);
            if self.precincts[lower].id > self.precincts[higher].id {
                std::mem::swap(&mut lower, &mut higher);
            }
            if chosen.len() < pairs && self.precincts[lower].unit != self.precincts[higher].unit {
                chosen.push(if chosen.len().is_multiple_of(2) { (lower, higher) } else { (higher, lower) });
            }
        }
        let active = |precinct: usize| {
            let mut people: Vec<u32> = self.precincts[precinct].voters.clone().collect();
            let propensity = |voter: u32| self.propensity[voter as usize + 1] - self.propensity[voter as usize];
            people.sort_by(|a, b| propensity(*b).total_cmp(&propensity(*a)));
            people.truncate(voters);
            people
        };
        self.listed_twice = chosen.into_iter().map(|(also, home)| (also, active(home))).collect();
    }

    /// Number of voters on the rolls of two precincts.
    pub fn listed_twice(&self) -> usize {
        self.listed_twice.iter().map(|(_, voters)| voters.len()).sum()
    }

    /// The precinct that a voter is counted in: the one with the lowest id among those that list the voter.
    pub(super) fn residence_of(&self, voter: u32) -> usize {
        let home = self.precinct_of(voter);
        let others = self.listed_twice.iter().filter(|(_, voters)| voters.contains(&voter)).map(|(precinct, _)| *precinct);
        others.chain([home]).min_by_key(|precinct| &self.precincts[*precinct].id).unwrap_or(home)
    }

    /// Number of voters on the roll.
    pub fn len(&self) -> usize {
        self.iins.len()
    }

    /// Whether the roll has no voters.
    pub fn is_empty(&self) -> bool {
        self.iins.is_empty()
    }

    /// The national ids of all voters, by index.
    pub fn iins(&self) -> &[Iin] {
        &self.iins
    }

    /// Registered voters of every precinct as of the last count.
    pub fn precinct_voters(&self) -> impl Iterator<Item = (&PrecinctId, u32)> {
        self.precincts.iter().map(|precinct| (&precinct.id, precinct.counts.last().copied().unwrap_or(0)))
    }

    /// The precinct in which a voter was drawn.
    pub(super) fn precinct_of(&self, voter: u32) -> usize {
        self.precincts.partition_point(|precinct| precinct.voters.end <= voter)
    }

    /// The indexes of all voters of a unit.
    pub(super) fn voters_of(&self, unit: usize) -> Range<u32> {
        let precincts = &self.units[unit];
        self.precincts[precincts.start].voters.start..self.precincts[precincts.end - 1].voters.end
    }

    /// Draws a voter of a range with probability proportional to the propensity to attend.
    pub(super) fn draw_voter(&self, among: &Range<u32>, rng: &mut SeededRng) -> u32 {
        let (low, high) = (self.propensity[among.start as usize], self.propensity[among.end as usize]);
        let at = low + rng.uniform() * (high - low);
        let index = self.propensity[among.start as usize + 1..among.end as usize].partition_point(|sum| *sum <= at);
        among.start + index as u32
    }

    /// The members of a voter's household, including the voter.
    pub(super) fn household(&self, voter: u32) -> Range<u32> {
        let end = self.precincts[self.precinct_of(voter)].voters.end;
        let start = (0..=voter).rev().find(|index| self.first[*index as usize]).unwrap_or(voter);
        let next = (voter + 1..end).find(|index| self.first[*index as usize]).unwrap_or(end);
        start..next
    }

    /// One submission per precinct and version, in order of arrival. Generated lazily, since each is large.
    pub(super) fn submissions<'a>(
        &'a self,
        campaign: &'a Campaign,
        scenario: &'a Scenario,
        seed: u64,
    ) -> impl Iterator<Item = Submission> + 'a {
        let clock = Clock::new(campaign, scenario);
        let mut rng = SeededRng::new(seed, RngStream::RollIds);
        let id = Arc::new(campaign.id.clone());
        let again = clock.at(scenario.counts.get(1).copied().unwrap_or(scenario.first_meeting), 9);
        let first =
            (0..self.precincts.len()).map(move |precinct| (precinct, 1, clock.begins + SignedDuration::from_secs(3_600 + precinct as i64)));
        let second = self.moved_away.iter().map(move |(precinct, _)| (*precinct, 2, again + SignedDuration::from_secs(*precinct as i64)));
        first.chain(second).map(move |(precinct, version, received)| Submission {
            id: EventId(rng.id(received)),
            source: "roll-import".into(),
            time: received,
            recordedtime: None,
            receivedtime: Some(received),
            campaign: id.clone(),
            import: None,
            data: Payload::Roll(self.enrolled(precinct, version)),
        })
    }

    fn enrolled(&self, precinct: usize, version: u32) -> PrecinctEnrolled<Identifier> {
        let listed = &self.precincts[precinct];
        let mut voters: Vec<Iin> = listed.voters.clone().map(|voter| self.iins[voter as usize]).collect();
        if version == 1
            && let Some((_, gone)) = self.moved_away.iter().find(|(index, _)| *index == precinct)
        {
            voters.truncate(voters.len() - gone.len());
            voters.extend(gone);
        }
        let twice = self.listed_twice.iter().filter(|(index, _)| *index == precinct).flat_map(|(_, twice)| twice);
        voters.extend(twice.map(|voter| self.iins[*voter as usize]));
        let entry = |iin: Iin| RollEntry(Identifier::Iin(iin), self.birth_band(iin), iin.sex());
        PrecinctEnrolled {
            precinct: listed.id.clone(),
            version,
            strength: PseudonymStrength::Strong,
            voters: voters.into_iter().map(entry).collect(),
        }
    }

    /// First year of the five-year band of the year of birth.
    fn birth_band(&self, iin: Iin) -> u16 {
        let this = self.vote_year.unsigned_abs();
        let century = this - this % 100;
        let year = century + iin.year_digits() as u16;
        let born = if year + 17 < this { year } else { year - 100 };
        born - born % 5
    }
}

/// Draws an adult. Ages follow the national table of adults by sex (Bureau of National Statistics), slightly younger, as in the region.
fn person(rng: &mut SeededRng, issuer: &mut Issuer, vote_year: i16) -> Iin {
    let sex = if rng.chance(0.492) { Sex::Male } else { Sex::Female };
    let shares = if sex == Sex::Male { [62.0, 23.5, 12.5, 2.0] } else { [59.0, 24.0, 13.5, 3.5] };
    let (youngest, oldest) = [(18, 44), (45, 59), (60, 74), (75, 95)][rng.weighted(shares.into_iter())];
    let year = i64::from(vote_year) - rng.between(youngest, oldest);
    // People who turn 18 in the year of the vote were born in the first two months.
    let month = rng.between(1, if i64::from(vote_year) - year == 18 { 2 } else { 12 });
    let born = (year.unsigned_abs(), month.unsigned_abs(), rng.between(1, DAYS as i64).unsigned_abs());
    issuer.issue(born, sex)
}

fn precincts(campaign: &Campaign, scenario: &Scenario, rng: &mut SeededRng) -> (Vec<Precinct>, Vec<Range<usize>>) {
    let sizes: Vec<UnitScenario> = campaign.units.iter().filter_map(|unit| unit.synthetic).collect();
    // Hospitals and barracks are in the largest units.
    let mut by_size: Vec<usize> = (0..sizes.len()).collect();
    by_size.sort_by_key(|unit| std::cmp::Reverse(sizes[*unit].voters));
    let mut precincts: Vec<Precinct> = Vec::new();
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
            precincts.push(Precinct { id, unit, number, kind, counts, voters: voter..voter + voters });
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
