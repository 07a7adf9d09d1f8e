//! An estimate as it is published: rounded, since its last digits mean nothing.

use crate::{cell::Cell, coverage::Estimate};

/// Significant digits of a published estimate.
const DIGITS: u32 = 3;

/// An estimate of different voters with its 90 % interval, rounded to three digits or, below a thousand, to tens; the interval is rounded
/// outwards. All three stay within the published bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "as in `Estimate`")]
pub struct RoundedEstimate {
    pub reached: u64,
    pub low: u64,
    pub high: u64,
}

impl RoundedEstimate {
    /// None if there is no estimate, or its bounds are withheld.
    pub(super) fn of(estimate: Estimate, lower: Cell, upper: Cell) -> Option<Self> {
        let Estimate::Estimated { reached, low, high } = estimate else { return None };
        let (least, most) = lower.shown().zip(upper.shown())?;
        let within = |count: u64| count.min(most).max(least);
        let step = 10_u64.pow((reached.max(1).ilog10() + 1).saturating_sub(DIGITS).max(1));
        Some(Self {
            reached: within((reached + step / 2) / step * step),
            low: within(low / step * step),
            high: within(high.div_ceil(step) * step),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_is_rounded_to_three_digits_and_its_interval_outwards() {
        let rounded = |reached, low, high| {
            let estimate = RoundedEstimate::of(Estimate::Estimated { reached, low, high }, Cell::open(0), Cell::open(1_000_000))?;
            Some((estimate.reached, estimate.low, estimate.high))
        };
        assert_eq!(rounded(131_449, 128_001, 133_901), Some((131_000, 128_000, 134_000)));
        assert_eq!(rounded(131_501, 130_999, 131_501), Some((132_000, 130_000, 132_000)));
        assert_eq!(rounded(94, 80, 101), Some((90, 80, 110)));
        assert_eq!(rounded(0, 0, 0), Some((0, 0, 0)));
        let within = |lower, upper| RoundedEstimate::of(Estimate::Estimated { reached: 9, low: 7, high: 12 }, lower, upper);
        let bounds = RoundedEstimate { reached: 10, low: 7, high: 12 };
        assert_eq!(within(Cell::open(7), Cell::open(12)), Some(bounds), "rounding leaves the bounds");
        assert_eq!(within(Cell::WITHHELD, Cell::open(12)), None);
        assert_eq!(RoundedEstimate::of(Estimate::Exact, Cell::open(0), Cell::open(9)), None);
    }
}
