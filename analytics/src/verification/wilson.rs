//! The score interval of a share (Wilson 1927) of a sample that is not a simple random one.
//!
//! Formula: with `p = part / whole`, `n = whole / design effect` and `z = 1.96`, the interval is
//! `(p + z²/2n ± z √(p(1 - p)/n + z²/4n²)) / (1 + z²/n)`. The WHO manual on surveys of vaccination coverage recommends it, also for few
//! people and for shares near 0 and 1.
//!
//! Guarantees: `0 <= low <= p <= high <= 1`. Errors other than those of sampling, such as people who were missed by survey and campaign alike,
//! are in no interval.

/// Quantile of the normal distribution for a confidence of 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// A share with its interval, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShareInterval {
    /// The share of the sample.
    pub share: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

impl ShareInterval {
    /// The share of `part` in `whole`, with a design effect of at least 1; none if `whole` is 0.
    pub fn of(part: u32, whole: u32, design_effect: f64) -> Option<Self> {
        if whole == 0 {
            return None;
        }
        let share = f64::from(part) / f64::from(whole);
        let size = f64::from(whole) / design_effect;
        let scale = 1.0 + Z * Z / size;
        let middle = (share + Z * Z / (2.0 * size)) / scale;
        let half = Z / scale * (share * (1.0 - share) / size + Z * Z / (4.0 * size * size)).sqrt();
        Some(Self { share, low: (middle - half).clamp(0.0, share), high: (middle + half).clamp(share, 1.0) })
    }
}
