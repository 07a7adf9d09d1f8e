//! Estimates of reach: how many different voters came, with those who were counted and not identified.
//!
//! A headcount says how many people were in the room, not whether they came before. How often identified people come again is known; the
//! estimate assumes that the others come again as often. It is a negative binomial model ([`nbd`]): the readiness to come differs between
//! voters and is gamma-distributed. [`half_samples`] divides the identified meetings for the interval.
//!
//! Guarantees: an estimate is never below the people who were identified nor outside the bounds of headcounts. With nobody unidentified there
//! is nothing to estimate. Below [`MIN_IDENTIFIED`] identified, or without a solution, there is no estimate but a reason. An estimate is a
//! type of its own, so no table or file can show it as a count by mistake. People at meetings that nobody counted are not in it.
//!
//! How far estimates are off for other distributions, and how often intervals hold the truth, is in `analytics/estimate-accuracy.md`, made by
//! `cargo bench --bench estimate`.

pub mod half_samples;
mod nbd;

use serde::{Deserialize, Serialize};

pub(crate) use nbd::{Contacts, Heterogeneity, solve};

/// Smallest share of the attendances that must be identified, in percent, unless another one is asked for.
pub const MIN_IDENTIFIED: f64 = 30.0;

/// Half the width of a 90 % interval, in standard deviations.
const NORMAL_90: f64 = 1.645;

/// Standard error of the model, as a share of the unidentified attendances that reach nobody new: other distributions than gamma shift
/// estimates by 4 to 7 % of these. Calibrated by the simulation. If the distribution is gamma, intervals are wider than needed.
const MODEL_ERROR: f64 = 0.08;

/// Repeated attendances that are assumed besides those seen: that nobody was seen twice does not mean that nobody came twice.
const MIN_REPEATS: f64 = 2.0;

/// How much more repeated attendances vary than if each were independent: two meetings share several people or none. Calibrated by the
/// simulation of few meetings.
const CLUSTERING: f64 = 2.0;

/// Half-samples that must have a solution.
const MIN_SOLVED: usize = 32;

/// An estimate of the different voters who came, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Estimate {
    /// Everybody was identified, so the count is exact.
    Exact,
    /// Estimated number, with a 90 % interval.
    Estimated {
        /// The most likely number of different voters.
        reached: u64,
        /// Lower end of the interval.
        low: u64,
        /// Upper end of the interval.
        high: u64,
    },
    /// Fewer than [`MIN_IDENTIFIED`] of the attendances were identified.
    FewIdentified,
    /// People came again less often than at random, or too often for the model; or more came than are registered; or too few half-samples of
    /// the meetings have a solution.
    NoSolution,
    /// The registered voters were not counted, nobody came, or nobody counted who came.
    #[default]
    NotApplicable,
}

/// What was observed of a group of meetings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observed {
    /// Registered voters.
    pub voters: u64,
    /// Attendances of identified voters.
    pub contacts: u64,
    /// Different identified voters.
    pub reached: u64,
    /// Attendances of unidentified people who are expected to be voters.
    pub unidentified: f64,
    /// Bounds of the different voters: at least and at most.
    pub bounds: (u64, u64),
}

/// Identified attendances and voters at half of the meetings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HalfSample {
    /// Attendances of identified voters.
    pub contacts: u64,
    /// Different identified voters.
    pub reached: u64,
}

/// A group of meetings, and what half-samples of them have.
#[derive(Debug, Clone, PartialEq)]
pub struct ObservedGroup {
    /// Figures of all of its meetings.
    pub observed: Observed,
    /// Figures of each half-sample, in the same order in all groups.
    pub half_samples: Vec<HalfSample>,
}

/// Estimates the reach of groups that share one heterogeneity, such as the units of a region; one group is a region.
pub fn estimates(groups: &[ObservedGroup]) -> Vec<Estimate> {
    estimates_above(groups, MIN_IDENTIFIED)
}

/// The same, for groups with at least so many percent identified.
pub fn estimates_above(groups: &[ObservedGroup], min_identified: f64) -> Vec<Estimate> {
    let used: Vec<&ObservedGroup> = groups.iter().filter(|group| group.observed.contacts > 0 && group.observed.voters > 0).collect();
    let contacts = |group: &&ObservedGroup| group.observed.identified();
    let all = solve(&used.iter().map(contacts).collect::<Vec<_>>());
    let replicates = used.iter().map(|group| group.half_samples.len()).min().unwrap_or(0);
    let of_half = |replicate: usize| {
        let of = |group: &&ObservedGroup| {
            let HalfSample { contacts, reached } = group.half_samples[replicate];
            Contacts { voters: group.observed.voters as f64, contacts: contacts as f64, reached: reached as f64 }
        };
        solve(&used.iter().map(of).collect::<Vec<_>>())
    };
    let halves: Vec<Heterogeneity> = (0..replicates).filter_map(of_half).collect();
    groups.iter().map(|group| group.observed.estimate(min_identified, all, &halves, &group.half_samples)).collect()
}

/// The reach of a group with further attendances.
#[derive(Debug, Clone)]
pub struct Projection {
    observed: Observed,
    halves: Vec<Heterogeneity>,
    own_halves: Vec<HalfSample>,
}

impl ObservedGroup {
    /// The group, if its reach can be estimated; otherwise the estimate that says why not.
    pub fn projection(&self) -> Result<Projection, Estimate> {
        if let estimate @ (Estimate::FewIdentified | Estimate::NoSolution | Estimate::NotApplicable) =
            estimates(std::slice::from_ref(self))[0]
        {
            return Err(estimate);
        }
        let contacts = |half: &HalfSample| Contacts {
            voters: self.observed.voters as f64,
            contacts: half.contacts as f64,
            reached: half.reached as f64,
        };
        let halves: Vec<Heterogeneity> = self.half_samples.iter().filter_map(|half| solve(&[contacts(half)])).collect();
        if halves.len() < MIN_SOLVED {
            Err(Estimate::NoSolution)
        } else {
            Ok(Projection { observed: self.observed, halves, own_halves: self.half_samples.clone() })
        }
    }
}

impl Projection {
    /// Different voters with so many further attendances of voters: one possibility of many, with the heterogeneity of half-sample `draw`, and with
    /// errors of the model and of the repeated attendances so far that are so many standard deviations.
    pub fn reached(&self, more: f64, draw: usize, [of_model, of_repeats]: [f64; 2]) -> f64 {
        let with_more = Observed { unidentified: self.observed.unidentified + more, ..self.observed };
        let heterogeneity = self.halves[draw % self.halves.len()];
        let reached = with_more.reached_with(heterogeneity);
        let chance = self.observed.variance_of_repeats(heterogeneity, &self.own_halves).sqrt();
        let repeats = (with_more.unidentified - (reached - self.observed.reached as f64)).max(0.0);
        let most = (self.observed.reached as f64 + with_more.unidentified).min(self.observed.voters as f64);
        (reached + of_model * MODEL_ERROR * repeats + of_repeats * chance)
            .clamp(self.observed.reached as f64, most.max(self.observed.reached as f64))
    }
}

impl Observed {
    fn identified(&self) -> Contacts {
        Contacts { voters: self.voters as f64, contacts: self.contacts as f64, reached: self.reached as f64 }
    }

    fn estimate(&self, min_identified: f64, all: Option<Heterogeneity>, halves: &[Heterogeneity], own_halves: &[HalfSample]) -> Estimate {
        let gross = self.contacts as f64 + self.unidentified;
        if self.voters == 0 || gross <= 0.0 {
            return Estimate::NotApplicable;
        }
        if self.unidentified <= 0.0 {
            return Estimate::Exact;
        }
        if self.contacts as f64 * 100.0 < gross * min_identified {
            return Estimate::FewIdentified;
        }
        let (Some(all), true, true) = (all, self.reached <= self.voters, halves.len() >= MIN_SOLVED) else { return Estimate::NoSolution };
        let reached = self.reached_with(all);
        let width = NORMAL_90 * self.variance(all, halves, own_halves).sqrt();
        let (least, most) = (self.bounds.0.max(self.reached) as f64, self.bounds.1 as f64);
        let within = |count: f64| count.min(most).max(least);
        Estimate::Estimated {
            reached: within(reached).round() as u64,
            low: within(reached - width).floor() as u64,
            high: within(reached + width).ceil() as u64,
        }
    }

    /// Variance of the estimate: of the heterogeneity, of the group's own repeated attendances, and of the model.
    ///
    /// 1. The spread over the heterogeneities of half-samples: the delete-half jackknife, whose scale is 1 (Shao and Wu 1989).
    /// 2. Any two meetings may share people. A half-sample has a quarter of the pairs of identified meetings, each drawn with a variance of
    ///    `1/4 · 3/4`; and for each identified pair of attendances there are `1 / f² - 1` others, if `f` of all are identified. So it is the
    ///    spread of the people in half-samples around those expected of their attendances, times `16/3 (1 / f² - 1)`. Few meetings show no
    ///    spread; so it is at least that of repeated attendances that come by chance: `r` seen ones have the variance `r`, the
    ///    `r (1 / f² - 1)` unseen ones theirs, together `r (1 / f² - 1) / f²`, with [`MIN_REPEATS`] and [`CLUSTERING`].
    /// 3. [`MODEL_ERROR`].
    fn variance(&self, all: Heterogeneity, halves: &[Heterogeneity], own_halves: &[HalfSample]) -> f64 {
        let of_heterogeneity = variance(halves.iter().map(|half| self.reached_with(*half)));
        let repeats = (self.unidentified - (self.reached_with(all) - self.reached as f64)).max(0.0);
        of_heterogeneity + self.variance_of_repeats(all, own_halves) + (MODEL_ERROR * repeats).powi(2)
    }

    /// The second part of [`Self::variance`].
    fn variance_of_repeats(&self, all: Heterogeneity, own_halves: &[HalfSample]) -> f64 {
        let voters = self.voters as f64;
        let unexpected = |half: &HalfSample| half.reached as f64 - voters * (1.0 - all.missed(half.contacts as f64 / voters));
        let identified_share = self.contacts as f64 / (self.contacts as f64 + self.unidentified);
        let unseen_pairs = identified_share.powi(-2) - 1.0;
        let of_halves = variance(own_halves.iter().map(unexpected)) * 16.0 / 3.0 * unseen_pairs;
        let seen_repeats = self.contacts.saturating_sub(self.reached) as f64 + MIN_REPEATS;
        of_halves.max(CLUSTERING * seen_repeats * unseen_pairs / identified_share.powi(2))
    }

    /// Different voters if the unidentified attendances came on top. The share of voters not reached shrinks by the model's ratio, so without
    /// unidentified attendances this is the exact count.
    fn reached_with(&self, heterogeneity: Heterogeneity) -> f64 {
        let voters = self.voters as f64;
        let rate = |contacts: f64| contacts / voters;
        let missed_by_identified = heterogeneity.missed(rate(self.contacts as f64));
        let missed_by_all = heterogeneity.missed(rate(self.contacts as f64 + self.unidentified));
        voters - (voters - self.reached as f64) * missed_by_all / missed_by_identified
    }
}

/// Variance of a sample around its mean: half of a stratum has fewer than a quarter of its pairs of meetings, which shifts all half-samples
/// alike.
fn variance(numbers: impl Iterator<Item = f64> + Clone) -> f64 {
    let count = numbers.clone().count() as f64;
    if count < 2.0 {
        return 0.0;
    }
    let mean = numbers.clone().sum::<f64>() / count;
    numbers.map(|number| (number - mean).powi(2)).sum::<f64>() / (count - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a negative binomial model of this heterogeneity gives.
    fn observed(voters: u64, contacts: u64, unidentified: u64, k: f64) -> (Observed, f64) {
        let reached = |contacts: u64| voters as f64 * (1.0 - (1.0 + contacts as f64 / voters as f64 / k).powf(-k));
        let observed = Observed {
            voters,
            contacts,
            reached: reached(contacts).round() as u64,
            unidentified: unidentified as f64,
            bounds: (0, contacts + unidentified),
        };
        (observed, reached(contacts + unidentified))
    }

    fn group(observed: Observed) -> ObservedGroup {
        let half = |parts: u64| {
            let (half, _) = self::observed(observed.voters, observed.contacts / 2, 0, 0.3 + parts as f64 / 10_000.0);
            HalfSample { contacts: half.contacts, reached: half.reached }
        };
        ObservedGroup { observed, half_samples: (0..64).map(half).collect() }
    }

    #[test]
    fn a_population_of_the_model_is_estimated_exactly() {
        for (voters, contacts, unidentified) in [(1_195_000, 100_000, 60_000), (50_000, 30_000, 20_000), (10_000, 40_000, 10_000)] {
            let (observed, truth) = observed(voters, contacts, unidentified, 0.3);
            let Estimate::Estimated { reached, low, high } = estimates(&[group(observed)])[0] else { panic!("no estimate") };
            assert!((reached as f64 - truth).abs() < 20.0, "{reached} of {truth}");
            assert!(low <= reached && reached <= high && observed.reached < reached);
        }
    }

    #[test]
    fn units_share_one_heterogeneity_and_keep_their_own_counts() {
        let (one, truth) = observed(100_000, 20_000, 12_000, 0.3);
        let (other, other_truth) = observed(40_000, 2_000, 500, 0.3);
        let found = estimates(&[group(one), group(other)]);
        for (found, truth) in found.into_iter().zip([truth, other_truth]) {
            let Estimate::Estimated { reached, .. } = found else { panic!("no estimate") };
            assert!((reached as f64 - truth).abs() < 20.0, "{reached} of {truth}");
        }
    }

    #[test]
    fn there_is_no_estimate_without_enough_to_estimate_from() {
        let (known, _) = observed(100_000, 20_000, 0, 0.3);
        assert_eq!(estimates(&[group(known)]), [Estimate::Exact]);
        let (few, _) = observed(100_000, 2_900, 7_100, 0.3);
        assert_eq!(estimates(&[group(few)]), [Estimate::FewIdentified]);
        let below_random = Observed { voters: 10_000, contacts: 9_000, reached: 9_000, unidentified: 500.0, bounds: (9_000, 9_500) };
        assert_eq!(estimates(&[group(below_random)]), [Estimate::NoSolution]);
        let one_person = Observed { reached: 1, ..below_random };
        assert_eq!(estimates(&[group(one_person)]), [Estimate::NoSolution]);
        let over = Observed { reached: 10_001, contacts: 20_000, ..below_random };
        assert_eq!(estimates(&[group(over)]), [Estimate::NoSolution]);
        let nobody = Observed { contacts: 0, reached: 0, unidentified: 0.0, ..below_random };
        assert_eq!(estimates(&[group(nobody)]), [Estimate::NotApplicable]);
        assert_eq!(estimates(&[group(Observed { voters: 0, ..below_random })]), [Estimate::NotApplicable]);
        assert_eq!(estimates(&[]), []);
    }

    #[test]
    fn an_estimate_is_never_outside_its_bounds() {
        let (observed, _) = observed(100_000, 20_000, 12_000, 0.3);
        let bounds = (observed.reached + 10, observed.reached + 20);
        let found = estimates(&[group(Observed { bounds, ..observed })]);
        assert_eq!(found, [Estimate::Estimated { reached: bounds.1, low: bounds.1, high: bounds.1 }]);
    }
}
