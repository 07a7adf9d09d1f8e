//! How evenly the campaign reaches: between units, between precincts, and within each unit between its precincts.
//!
//! All of it follows from a stored coverage. Reach is that of residents, wherever they attended.
//!
//! - **Gini coefficient** of precincts: 0 if every precinct has the same share of its voters reached, near 1 if all who were reached live in one.
//!   Precincts are weighted by their voters.
//! - **Effective precincts** of a unit: `(sum n)² / sum n²` for `n` meetings in each precinct (inverse Simpson index). Ten meetings in one
//!   precinct are 1, one in each of ten are 10; far fewer than there are meetings means much effort in few places.

use serde::Serialize;

use crate::coverage::{Coverage, PrecinctCoverage, UnitCoverage};

/// How evenly a campaign reaches.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Equity {
    /// Share of all voters that is to be reached, in percent, as configured; none without a target or a count of voters.
    pub target_percent: Option<f64>,
    /// Units with at least that share.
    pub units_at_target: Option<usize>,
    /// Largest minus smallest coverage of a unit, in percentage points; none if fewer than two units have counted voters.
    pub gap_points: Option<f64>,
    /// Gini coefficient of the precincts' coverage; none if nobody was reached.
    pub gini: Option<f64>,
    /// Precincts with counted voters.
    pub precincts: usize,
    /// Those of them where no meeting was held.
    pub precincts_without_meeting: usize,
    /// Those of them where nobody was reached.
    pub precincts_without_reach: usize,
    /// The units, the one with the smallest coverage first; those without counted voters last.
    pub units: Vec<UnitSpread>,
}

/// A unit: how many of its residents were reached, and how its meetings are spread over its precincts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UnitSpread {
    /// Code of the unit.
    pub unit: String,
    /// Registered voters, if they were counted.
    pub voters: Option<u64>,
    /// Different residents who were reached.
    pub reached: u64,
    /// The same in percent of the voters.
    pub coverage_percent: Option<f64>,
    /// Held meetings.
    pub held: u64,
    /// Precincts with counted voters.
    pub precincts: usize,
    /// Those of them where a meeting was held.
    pub precincts_with_meeting: usize,
    /// Effective precincts; 0 without a meeting in a known precinct.
    pub effective_precincts: f64,
}

/// Computes the equity of a coverage.
pub fn equity(coverage: &Coverage) -> Equity {
    let mut units: Vec<UnitSpread> = coverage.units.iter().map(|unit| unit_spread(unit, &coverage.precincts)).collect();
    let rank = |unit: &UnitSpread| unit.coverage_percent.unwrap_or(f64::INFINITY);
    units.sort_by(|one, other| rank(one).total_cmp(&rank(other)).then_with(|| one.unit.cmp(&other.unit)));
    let shares: Vec<f64> = units.iter().filter_map(|unit| unit.coverage_percent).collect();
    let target = u64::from(coverage.campaign.planned_reach);
    let target_percent = coverage.counts.voters.filter(|voters| *voters > 0 && target > 0).map(|voters| percent(target, voters));
    let counted: Vec<&PrecinctCoverage> = coverage.precincts.iter().filter(|precinct| is_counted(precinct)).collect();
    Equity {
        target_percent,
        units_at_target: target_percent.map(|target| shares.iter().filter(|share| **share >= target).count()),
        gap_points: (shares.len() > 1).then(|| shares[shares.len() - 1] - shares[0]),
        gini: gini(&counted),
        precincts: counted.len(),
        precincts_without_meeting: counted.iter().filter(|precinct| precinct.meetings == 0).count(),
        precincts_without_reach: counted.iter().filter(|precinct| precinct.residents.reach.reached == 0).count(),
        units,
    }
}

fn is_counted(precinct: &PrecinctCoverage) -> bool {
    precinct.residents.reach.denominator.is_known()
}

fn percent(part: u64, whole: u64) -> f64 {
    part as f64 * 100.0 / whole as f64
}

fn unit_spread(unit: &UnitCoverage, precincts: &[PrecinctCoverage]) -> UnitSpread {
    let own: Vec<&PrecinctCoverage> =
        precincts.iter().filter(|precinct| precinct.unit.as_ref() == Some(&unit.unit) && is_counted(precinct)).collect();
    let meetings: Vec<f64> = own.iter().map(|precinct| precinct.meetings as f64).filter(|meetings| *meetings > 0.0).collect();
    let (sum, squares) = meetings.iter().fold((0.0, 0.0), |(sum, squares), meetings| (sum + meetings, squares + meetings * meetings));
    let voters = unit.residents.reach.denominator.known();
    let reached = unit.residents.reach.reached;
    UnitSpread {
        unit: unit.unit.to_string(),
        voters,
        reached,
        coverage_percent: voters.filter(|voters| *voters > 0).map(|voters| percent(reached, voters)),
        held: unit.figures.fulfilment.held,
        precincts: own.len(),
        precincts_with_meeting: meetings.len(),
        effective_precincts: if squares > 0.0 { sum * sum / squares } else { 0.0 },
    }
}

/// Twice the area between the Lorenz curve of reached people over voters and the diagonal.
fn gini(precincts: &[&PrecinctCoverage]) -> Option<f64> {
    let mut places: Vec<(f64, f64)> = precincts
        .iter()
        .map(|precinct| (precinct.residents.reach.denominator.voters as f64, precinct.residents.reach.reached as f64))
        .filter(|(voters, _)| *voters > 0.0)
        .collect();
    places.sort_by(|one, other| (one.1 / one.0).total_cmp(&(other.1 / other.0)));
    let (voters, reached) = places.iter().fold((0.0, 0.0), |sums, place| (sums.0 + place.0, sums.1 + place.1));
    let mut before = 0.0;
    let mut area = 0.0;
    for (of_place, people) in &places {
        area += of_place / voters * (2.0 * before + people) / reached;
        before += people;
    }
    (reached > 0.0).then_some(1.0 - area)
}
