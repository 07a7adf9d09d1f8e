//! Lot quality assurance sampling: a decision from a small sample whether a place has at least a higher or at most a lower share.
//!
//! A place is taken to have at least the higher share if at least `d` of the `n` people asked had been at a meeting (the decision value),
//! else at most the lower one. Two errors are possible, for `X` binomially distributed:
//!
//! - **rejects the higher share**: `P(X < d)` if the share is the higher one;
//! - **accepts the lower share**: `P(X >= d)` if the share is the lower one.
//!
//! The decision value is the one whose larger error, as a multiple of what is tolerated, is smallest. If that is still above what is
//! tolerated, the sample is too small to tell the shares apart, and nothing is decided.
//!
//! Guarantees: the errors are exact sums of the binomial distribution. They are those of a simple random sample; people who were asked in
//! clusters resemble each other, so the errors of such a sample are larger.

use serde::Serialize;

/// Samples that [`LqasDesign::smallest_sample`] searches.
const LARGEST_SAMPLE: u32 = 2_000;

/// What a sample is to tell apart, and how often it may be wrong. All numbers are between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LqasTask {
    /// The higher share.
    pub higher: f64,
    /// The lower share, below the higher one.
    pub lower: f64,
    /// Tolerated probability of rejecting the higher share.
    pub tolerated_reject: f64,
    /// Tolerated probability of accepting the lower share.
    pub tolerated_accept: f64,
}

/// A decision rule for a sample, with its errors.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LqasRule {
    /// People in the sample.
    pub sample: u32,
    /// At least so many of them had been at a meeting: the share is taken to be at least the higher one.
    pub decision_value: u32,
    /// Probability of rejecting the higher share.
    pub rejects_higher: f64,
    /// Probability of accepting the lower share.
    pub accepts_lower: f64,
}

/// A task, and the smallest sample that is enough for it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LqasDesign {
    /// What is to be told apart.
    #[serde(flatten)]
    pub task: LqasTask,
    /// The size from which on the errors of every sample are tolerated; none if it would be larger than 2,000.
    pub smallest_sample: Option<u32>,
}

/// What a sample says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LqasDecision {
    /// The share is at least the higher one.
    AtLeastHigher,
    /// The share is at most the lower one.
    AtMostLower,
    /// The sample is too small to tell the shares apart.
    SampleTooSmall,
}

/// Probabilities of 0, 1, 2 ... of a sample, each of which has a share.
fn binomial(sample: u32, share: f64) -> impl Iterator<Item = f64> {
    let odds = (share / (1.0 - share)).ln();
    let mut logarithm = f64::from(sample) * (1.0 - share).ln();
    (0..=sample).map(move |count| {
        let probability = logarithm.exp();
        logarithm += odds + (f64::from(sample - count) / f64::from(count + 1)).ln();
        probability
    })
}

impl LqasTask {
    /// The best rule for a sample.
    pub fn rule(&self, sample: u32) -> LqasRule {
        let mut best = LqasRule { sample, decision_value: 0, rejects_higher: 0.0, accepts_lower: 1.0 };
        let (mut higher_below, mut lower_below) = (0.0, 0.0);
        for (count, (higher, lower)) in (1..).zip(binomial(sample, self.higher).zip(binomial(sample, self.lower))) {
            higher_below += higher;
            lower_below += lower;
            let rule = LqasRule {
                sample,
                decision_value: count,
                rejects_higher: f64::min(higher_below, 1.0),
                accepts_lower: f64::max(1.0 - lower_below, 0.0),
            };
            if self.excess(&rule) < self.excess(&best) {
                best = rule;
            }
        }
        best
    }

    /// Whether both errors of a rule are tolerated.
    pub fn tolerates(&self, rule: &LqasRule) -> bool {
        self.excess(rule) <= 1.0
    }

    /// What a sample says in which so many people had been at a meeting.
    pub fn decide(&self, rule: &LqasRule, reached: u32) -> LqasDecision {
        match (self.tolerates(rule), reached >= rule.decision_value) {
            (false, _) => LqasDecision::SampleTooSmall,
            (true, true) => LqasDecision::AtLeastHigher,
            (true, false) => LqasDecision::AtMostLower,
        }
    }

    /// The larger error of a rule, as a multiple of what is tolerated.
    fn excess(&self, rule: &LqasRule) -> f64 {
        f64::max(rule.rejects_higher / self.tolerated_reject, rule.accepts_lower / self.tolerated_accept)
    }
}

impl LqasDesign {
    /// Finds the smallest sample. Errors of one more person may be larger, so it is the size after the last one that is not enough.
    pub fn of(task: LqasTask) -> Self {
        let too_small = (1..=LARGEST_SAMPLE).rev().find(|sample| !task.tolerates(&task.rule(*sample))).unwrap_or(0);
        Self { task, smallest_sample: (too_small < LARGEST_SAMPLE).then_some(too_small + 1) }
    }
}
