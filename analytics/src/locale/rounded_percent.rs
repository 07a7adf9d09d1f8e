//! Rounds a share to a percentage.

/// A percentage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoundedPercent {
    /// In hundredths of a percent.
    pub hundredths: u64,
    /// The step that it is rounded to, in hundredths: 1 or 10.
    pub step: u64,
}

impl RoundedPercent {
    /// Rounds to the nearest tenth, below 1 % to the nearest hundredth. Bounds, too: rounded outwards, a bound equal to the count would seem
    /// to differ from it. A positive share is never 0, one below 100 % never 100, one above never 100. None if the whole is 0.
    pub fn of(part: u64, whole: u64) -> Option<Self> {
        if whole == 0 {
            return None;
        }
        let (part, whole) = (u128::from(part), u128::from(whole));
        if part == 0 || part == whole {
            return Some(Self { hundredths: if part == 0 { 0 } else { 10_000 }, step: 10 });
        }
        let step: u128 = if part * 100 < whole { 1 } else { 10 };
        let (scaled, unit) = (part * 10_000, whole * step);
        let steps = (2 * scaled + unit) / (2 * unit);
        let hundredths = match (steps * step).max(step) {
            whole_or_more if whole_or_more >= 10_000 && part < whole => 10_000 - step,
            whole_or_less if whole_or_less <= 10_000 && part > whole => 10_000 + step,
            other => other,
        };
        Some(Self { hundredths: u64::try_from(hundredths).unwrap_or(u64::MAX), step: step as u64 })
    }

    /// Decimals that the step needs: 1 or 2.
    pub fn decimals(self) -> i16 {
        if self.step == 1 { 2 } else { 1 }
    }
}
