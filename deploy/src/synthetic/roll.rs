//! Precincts, their voter counts, and the roll of voters.
//!
//! The last counts of a unit sum to exactly its voters, and no precinct exceeds the legal limit. The roll has as many different people as
//! the last counts, also by precinct, except one that is counted too low and a neighbour counted too high by the same number. The voters
//! of a precinct have consecutive indexes, so a precinct or a unit is a range.

use std::{collections::BTreeMap, ops::Range};

use qamtu_schemas::{event::PrecinctKind, id::PrecinctId};

use super::rng::SeededRng;
use crate::submission::Iin;

mod draw;
mod precincts;
mod submissions;

/// A precinct with its counts and voters.
#[derive(Debug, Clone)]
pub(super) struct GeneratedPrecinct {
    pub id: PrecinctId,
    pub unit: usize,
    pub number: u32,
    pub kind: PrecinctKind,
    /// Voters by count date; the last equals the roll, except for one precinct and a neighbour.
    pub counts: Vec<u32>,
    pub voters: Range<u32>,
}

/// All precincts and registered voters.
#[derive(Debug)]
pub struct GeneratedRoll {
    pub(super) precincts: Vec<GeneratedPrecinct>,
    /// Range of precincts by unit.
    pub(super) units: Vec<Range<usize>>,
    iins: Vec<Iin>,
    /// Whether a voter is the first of a household.
    first: Vec<bool>,
    /// Cumulative propensity to attend; one more entry than voters.
    propensity: Vec<f64>,
    /// People who are only on the first roll of a precinct, by precinct.
    pub(super) moved_away: BTreeMap<usize, Vec<Iin>>,
    /// The precinct whose last count is too low.
    pub(super) undercounted: Option<usize>,
    /// Voters of another precinct whom a roll also lists, by precinct.
    listed_twice: BTreeMap<usize, Vec<u32>>,
    vote_year: i16,
}

impl GeneratedRoll {
    /// The precinct that a voter is counted in: the one with the lowest id among those that list the voter.
    pub(super) fn residence_of(&self, voter: u32) -> usize {
        let home = self.precinct_of(voter);
        let others = self.listed_twice.iter().filter(|(_, voters)| voters.contains(&voter)).map(|(precinct, _)| *precinct);
        others.chain([home]).min_by_key(|precinct| &self.precincts[*precinct].id).unwrap_or(home)
    }

    /// Number of voters on the roll.
    pub fn number_of_voters(&self) -> usize {
        self.iins.len()
    }

    /// The national ids of all voters, by index.
    pub fn iins(&self) -> &[Iin] {
        &self.iins
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
}
