//! The generator's only source of random numbers: one seeded ChaCha8 stream per stage, so that a change in one stage leaves the draws
//! of the others unchanged.

use jiff::Timestamp;
use rand::{Rng, RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Gamma, StandardNormal};
use uuid::Uuid;

/// The stages with a random stream of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RngStream {
    Roll = 1,
    People,
    Meetings,
    Audience,
    Anomalies,
    Stream,
    RollIds,
    Verification,
}

/// A deterministic random number generator for one stage.
#[derive(Debug, Clone)]
pub(super) struct SeededRng(ChaCha8Rng);

impl SeededRng {
    pub fn new(seed: u64, stream: RngStream) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(stream as u64);
        Self(random)
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// Uniform in [0, 1).
    pub fn uniform(&mut self) -> f64 {
        self.0.random()
    }

    /// Uniform between two integers, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        self.0.random_range(low..=high.max(low))
    }

    /// Uniform below a length; 0 for an empty one.
    pub fn below(&mut self, length: usize) -> usize {
        if length < 2 { 0 } else { self.0.random_range(0..length) }
    }

    /// One of the items; panics if there are none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// An index with probability proportional to its weight.
    pub fn weighted(&mut self, weights: impl Iterator<Item = f64> + Clone) -> usize {
        let mut left = self.uniform() * weights.clone().sum::<f64>();
        let mut last = 0;
        for (index, weight) in weights.enumerate() {
            if weight > 0.0 {
                last = index;
                left -= weight;
                if left < 0.0 {
                    break;
                }
            }
        }
        last
    }

    /// Log-normal with this median.
    pub fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        let normal: f64 = StandardNormal.sample(&mut self.0);
        median * (sigma * normal).exp()
    }

    /// Gamma with mean 1.
    pub fn gamma(&mut self, shape: f64) -> f64 {
        // INVARIANT: the shapes are positive constants.
        Gamma::new(shape, 1.0 / shape).expect("a positive shape").sample(&mut self.0)
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        items.shuffle(&mut self.0);
    }

    /// An id with the layout of UUID version 7, from simulated time.
    pub fn id(&mut self, at: Timestamp) -> Uuid {
        let mut random = [0; 10];
        self.0.fill_bytes(&mut random);
        uuid::Builder::from_unix_timestamp_millis(at.as_millisecond().unsigned_abs(), &random).into_uuid()
    }
}
