//! Simulated campaigns whose truth is known, and how far estimates of their reach are off.
//!
//! A campaign has the size of a region: 1.195 million voters in 17 units and 947 precincts, 1,959 meetings of five formats, each with people
//! from some precincts of one unit. How ready voters are to come follows one of four distributions, of which only the first two are the model's.
//! People are identified at some meetings and only counted at the others.

use std::collections::HashSet;

use qamtu_analytics::{
    estimate::{
        Estimate, HalfSample, Observed, ObservedGroup, estimates,
        half_samples::{HALF_SAMPLES, masks},
    },
    mask_counter::MaskCounter,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Gamma, LogNormal};

const UNITS: usize = 17;
const PRECINCTS: usize = 947;
const VOTERS: usize = 1_195_000;
/// Meetings of a whole campaign.
pub const MEETINGS: usize = 1_959;

/// Share of the meetings, median and standard deviation of the logarithm of their sizes, precincts that people come from (0 is the whole unit),
/// and share of meetings that are identified if that depends on the format.
const FORMATS: [(&str, f64, f64, f64, usize, f64); 5] = [
    ("workplace", 0.42, 55.0, 0.55, 6, 0.85),
    ("village", 0.30, 45.0, 0.50, 2, 0.60),
    ("education", 0.15, 120.0, 0.55, 12, 0.60),
    ("group", 0.10, 35.0, 0.45, 1, 0.60),
    ("hall", 0.03, 450.0, 0.45, 0, 0.05),
];

/// Distribution of how ready voters are to come.
#[derive(Clone, Copy)]
pub enum Readiness {
    Gamma(f64),
    LogNormal(f64),
    /// A share of voters is so many times as ready as the others.
    TwoClasses(f64, f64),
}

impl Readiness {
    #[allow(dead_code, reason = "the benchmark uses it, tests do not")]
    pub fn name(self) -> String {
        match self {
            Self::Gamma(shape) => format!("gamma, shape {shape}"),
            Self::LogNormal(sigma) => format!("log-normal, sigma {sigma}"),
            Self::TwoClasses(share, times) => format!("{}% are {times} times as ready", share * 100.0),
        }
    }

    fn draw(self, random: &mut ChaCha8Rng) -> f64 {
        match self {
            Self::Gamma(shape) => Gamma::new(shape, 1.0).unwrap().sample(random),
            Self::LogNormal(sigma) => LogNormal::new(0.0, sigma).unwrap().sample(random),
            Self::TwoClasses(share, times) => {
                if random.random_bool(share) {
                    times
                } else {
                    1.0
                }
            }
        }
    }
}

struct Meeting {
    unit: usize,
    format: usize,
    is_identified: bool,
    people: Vec<u32>,
}

/// A campaign whose people are all known.
fn campaign(readiness: Readiness, evidence: Evidence, random: &mut ChaCha8Rng) -> Vec<Meeting> {
    let mut until = Vec::with_capacity(VOTERS + 1);
    let mut sum = 0.0;
    until.push(sum);
    for _ in 0..VOTERS {
        sum += readiness.draw(random);
        until.push(sum);
    }
    (0..evidence.meetings).map(|_| meeting(&until, evidence.by_format, random)).collect()
}

fn precinct_start(precinct: usize) -> usize {
    precinct * VOTERS / PRECINCTS
}

fn unit_of_precinct(precinct: usize) -> usize {
    precinct * UNITS / PRECINCTS
}

fn meeting(until: &[f64], by_format: bool, random: &mut ChaCha8Rng) -> Meeting {
    let mut left = random.random::<f64>();
    let drawn = FORMATS.iter().position(|format| {
        left -= format.1;
        left < 0.0
    });
    let format = drawn.unwrap_or(0);
    let (_, _, median, sigma, width, identified) = FORMATS[format];
    let venue = random.random_range(0..PRECINCTS);
    let unit = unit_of_precinct(venue);
    let of_unit: Vec<usize> = (0..PRECINCTS).filter(|precinct| unit_of_precinct(*precinct) == unit).collect();
    let width = if width == 0 { of_unit.len() } else { width };
    let first = venue.min(of_unit[0] + of_unit.len() - width).max(of_unit[0]);
    let (from, to) = (precinct_start(first), precinct_start(first + width));
    let size = LogNormal::new(f64::ln(median), sigma).unwrap().sample(random) as usize;
    let mut people = HashSet::new();
    // A small place may have few who are ready, so the search for others ends.
    for _ in 0..size * 50 {
        if people.len() >= size.min((to - from) / 2) {
            break;
        }
        let point = random.random_range(until[from]..until[to]);
        people.insert((until.partition_point(|sum| *sum <= point) - 1) as u32);
    }
    let identified = if by_format { identified } else { 0.62 };
    let mut people: Vec<u32> = people.into_iter().collect();
    people.sort_unstable();
    Meeting { unit, format, is_identified: random.random_bool(identified), people }
}

/// The figures of a group of meetings, and how many different voters really came.
fn observed(meetings: &[&Meeting], masks: &[u64], voters: u64) -> (ObservedGroup, u64) {
    let mut at: Vec<u64> = vec![0; VOTERS];
    let mut came = vec![false; VOTERS];
    let mut half_samples = vec![HalfSample::default(); HALF_SAMPLES];
    let (mut contacts, mut unidentified) = (0, 0.0);
    for (meeting, mask) in meetings.iter().zip(masks) {
        meeting.people.iter().for_each(|person| came[*person as usize] = true);
        if !meeting.is_identified {
            unidentified += meeting.people.len() as f64;
            continue;
        }
        contacts += meeting.people.len() as u64;
        for (sample, half) in half_samples.iter_mut().enumerate() {
            half.contacts += (mask >> sample & 1) * meeting.people.len() as u64;
        }
        meeting.people.iter().for_each(|person| at[*person as usize] |= *mask);
    }
    let mut counter = MaskCounter::default();
    at.iter().for_each(|mask| counter.add(*mask));
    half_samples.iter_mut().zip(counter.counts()).for_each(|(half, reached)| half.reached = reached);
    let identified: HashSet<u32> =
        meetings.iter().filter(|meeting| meeting.is_identified).flat_map(|meeting| meeting.people.iter().copied()).collect();
    let reached = identified.len() as u64;
    let bounds = (reached, (contacts + unidentified as u64).min(voters));
    let observed = Observed { voters, contacts, reached, unidentified, bounds };
    (ObservedGroup { observed, half_samples }, came.iter().filter(|came| **came).count() as u64)
}

/// Relative errors of estimates, and how many intervals hold the truth.
#[derive(Default)]
pub struct Accuracy {
    errors: Vec<f64>,
    held: usize,
    /// Groups without an estimate.
    pub none: usize,
}

impl Accuracy {
    fn add(&mut self, estimate: Estimate, truth: u64) {
        match estimate {
            Estimate::Estimated { reached, low, high } => {
                self.errors.push(reached as f64 / truth as f64 - 1.0);
                self.held += usize::from((low..=high).contains(&truth));
            }
            _ => self.none += 1,
        }
    }

    /// Largest error and share of intervals that hold the truth.
    #[allow(dead_code, reason = "tests use it, the benchmark does not")]
    pub fn worst(&self) -> (f64, f64) {
        let largest = self.errors.iter().fold(0.0_f64, |largest, error| largest.max(error.abs()));
        (largest, self.held as f64 / self.errors.len().max(1) as f64)
    }

    /// Mean error, root of the mean square error, and intervals that hold the truth, in percent.
    #[allow(dead_code, reason = "the benchmark uses it, tests do not")]
    pub fn cells(&self) -> String {
        let mean = |of: &dyn Fn(f64) -> f64| self.errors.iter().map(|error| of(*error)).sum::<f64>() / self.errors.len().max(1) as f64;
        let (bias, square) = (mean(&|error| error), mean(&|error| error * error));
        let held = self.held as f64 / self.errors.len().max(1) as f64;
        format!("{:+.1} | {:.1} | {:.0}", bias * 100.0, square.sqrt() * 100.0, held * 100.0)
    }
}

/// Different voters if everybody comes at random: the estimator that is commonly used, for comparison.
fn random_duplication(observed: &Observed) -> f64 {
    let voters = observed.voters as f64;
    voters * (1.0 - (-(observed.contacts as f64 + observed.unidentified) / voters).exp())
}

/// Which meetings are identified, and how well the others are counted.
#[derive(Clone, Copy)]
pub struct Evidence {
    /// Whether the share of identified meetings depends on the format; else 62 %.
    pub by_format: bool,
    /// Headcounts as a multiple of the truth.
    pub counted: f64,
    /// Meetings that are held.
    pub meetings: usize,
}

/// Accuracy of the estimates of some campaigns.
#[derive(Default)]
pub struct Accuracies {
    pub region: Accuracy,
    pub units: Accuracy,
    /// Sum of the relative errors if everybody is assumed to come at random.
    pub at_random: f64,
}

/// Simulates so many campaigns and estimates their reach.
pub fn simulate(readiness: Readiness, evidence: Evidence, campaigns: u64) -> Accuracies {
    let mut found = Accuracies::default();
    for seed in 0..campaigns {
        let meetings = campaign(readiness, evidence, &mut ChaCha8Rng::seed_from_u64(seed));
        let strata: Vec<usize> = meetings.iter().map(|meeting| meeting.unit * FORMATS.len() + meeting.format).collect();
        let masks = masks(&strata);
        let observe = |meetings: &[&Meeting], masks: &[u64], voters: usize| {
            let (mut group, truth) = observed(meetings, masks, voters as u64);
            group.observed.unidentified *= evidence.counted;
            (group, truth)
        };
        let (group, truth) = observe(&meetings.iter().collect::<Vec<_>>(), &masks, VOTERS);
        found.at_random += random_duplication(&group.observed) / truth as f64 - 1.0;
        found.region.add(estimates(&[group])[0], truth);
        let of_unit = |unit: usize| {
            let (own, masks): (Vec<&Meeting>, Vec<u64>) = meetings.iter().zip(&masks).filter(|(meeting, _)| meeting.unit == unit).unzip();
            let precincts = (0..PRECINCTS).filter(|precinct| unit_of_precinct(*precinct) == unit);
            observe(&own, &masks, precincts.map(|precinct| precinct_start(precinct + 1) - precinct_start(precinct)).sum())
        };
        let (groups, truths): (Vec<ObservedGroup>, Vec<u64>) = (0..UNITS).map(of_unit).unzip();
        estimates(&groups).into_iter().zip(truths).for_each(|(estimate, truth)| found.units.add(estimate, truth));
    }
    found
}
