//! Half-samples of meetings: what the spread of an estimate is measured with.
//!
//! Resampling with replacement would be wrong: a meeting that is drawn twice counts as full overlap of two. So each half-sample has half of the
//! meetings of every stratum, such as a unit's meetings of one format, without replacement. The variance of half-sample estimates
//! around their mean is then the delete-half jackknife's estimate of the variance.

use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use crate::mask_counter::BITS;

/// Half-samples that are drawn: one for each bit of a mask.
pub const HALF_SAMPLES: usize = BITS;

/// The half-samples that each meeting is in, as bits. `strata` has the number of each meeting's stratum. The same strata give the same masks.
pub fn masks(strata: &[usize]) -> Vec<u64> {
    let mut by_stratum: Vec<Vec<usize>> = vec![Vec::new(); strata.iter().max().map_or(0, |most| most + 1)];
    strata.iter().enumerate().for_each(|(meeting, stratum)| by_stratum[*stratum].push(meeting));
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let mut masks = vec![0; strata.len()];
    for mut meetings in by_stratum {
        for sample in 0..HALF_SAMPLES {
            meetings.shuffle(&mut random);
            // Whether half of an odd number is rounded up is drawn, too: strata must not be in the same samples.
            let half = (meetings.len() + usize::from(random.random_bool(0.5))) / 2;
            meetings[..half].iter().for_each(|meeting| masks[*meeting] |= 1 << sample);
        }
    }
    masks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_has_half_of_each_stratum() {
        let strata: Vec<usize> = (0..101).map(|meeting| meeting % 7).collect();
        let masks = masks(&strata);
        assert_eq!(masks, super::masks(&strata));
        for sample in 0..HALF_SAMPLES {
            for stratum in 0..7 {
                let own = || (0..101).filter(|meeting| strata[*meeting] == stratum);
                let (all, drawn) = (own().count(), own().filter(|meeting| masks[*meeting] >> sample & 1 == 1).count());
                assert!(drawn == all / 2 || drawn == all.div_ceil(2), "{drawn} of {all}");
            }
        }
        let drawn: Vec<u32> = masks.iter().map(|mask| mask.count_ones()).collect();
        assert!(drawn.iter().all(|drawn| (10..=54).contains(drawn)), "{drawn:?}");
        assert!(super::masks(&[]).is_empty());
    }
}
