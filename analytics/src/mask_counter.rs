//! Counts the bits of many masks: how many people are in each of 64 sets.
//!
//! Sixty-four counters are incremented at once. Their low bits lie in planes, one bit of each counter to a plane, so that adding a mask is a few
//! operations on words instead of sixty-four additions.

/// Bits of a mask, each with a counter.
pub const BITS: usize = u64::BITS as usize;

/// Bits of a counter that lie in planes.
const PLANES: usize = 16;

/// A counter for each bit of a mask.
#[derive(Debug, Clone)]
pub struct MaskCounter {
    planes: [u64; PLANES],
    /// Masks in the planes.
    pending: u32,
    counts: [u64; BITS],
}

impl Default for MaskCounter {
    fn default() -> Self {
        Self { planes: [0; PLANES], pending: 0, counts: [0; BITS] }
    }
}

impl MaskCounter {
    /// Increments the counter of each set bit.
    pub fn add(&mut self, mask: u64) {
        let mut carry = mask;
        for plane in &mut self.planes {
            if carry == 0 {
                break;
            }
            (*plane, carry) = (*plane ^ carry, *plane & carry);
        }
        self.pending += 1;
        if self.pending == (1 << PLANES) - 1 {
            self.flush();
        }
    }

    /// Adds the counts of another one.
    pub fn merge(&mut self, mut other: Self) {
        other.flush();
        self.counts.iter_mut().zip(other.counts).for_each(|(count, more)| *count += more);
    }

    /// The count of each bit.
    pub fn counts(mut self) -> [u64; BITS] {
        self.flush();
        self.counts
    }

    fn flush(&mut self) {
        for (bit, plane) in self.planes.iter_mut().enumerate() {
            let word = std::mem::take(plane);
            self.counts.iter_mut().enumerate().for_each(|(at, count)| *count += (word >> at & 1) << bit);
        }
        self.pending = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_equal_those_of_a_loop_over_bits() {
        let masks = (0..200_000_u64).map(|number| if number % 3 == 0 { u64::MAX } else { number.wrapping_mul(0x9E37_79B9_7F4A_7C15) });
        let (mut one, mut other, mut expected) = (MaskCounter::default(), MaskCounter::default(), [0; BITS]);
        for mask in masks {
            if mask % 5 == 0 {
                one.add(mask)
            } else {
                other.add(mask)
            }
            expected.iter_mut().enumerate().for_each(|(at, count)| *count += mask >> at & 1);
        }
        one.merge(other);
        assert_eq!(one.counts(), expected);
    }
}
