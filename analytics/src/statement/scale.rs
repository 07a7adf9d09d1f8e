//! Colour scale of the map: quantile classes of shares, so that similar shares have different shades, too.
//!
//! Guarantees: shares are classed by their rounded value, so tiles with the same text have the same shade. A class is described by the
//! lowest and highest share in it, so the legend has only shares that exist. Shares above 100 % belong to no class.

use crate::locale::RoundedPercent;

/// Number of shades of the scale.
pub(super) const SHADES: usize = 5;

/// Shares with the same shade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ShareClass {
    /// The shade, 0 lightest.
    pub(super) shade: u8,
    pub(super) lowest: RoundedPercent,
    pub(super) highest: RoundedPercent,
}

/// Classes of shares, from the lowest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scale {
    pub(super) classes: Vec<ShareClass>,
}

impl Scale {
    /// Divides shares into classes; equal shares are in one class.
    pub(super) fn new(mut shares: Vec<RoundedPercent>) -> Self {
        shares.sort_unstable();
        let mut distinct = shares.clone();
        distinct.dedup();
        let count = distinct.len().min(SHADES);
        let class_of = |share: &RoundedPercent| {
            let place = if distinct.len() <= SHADES {
                distinct.partition_point(|other| other < share)
            } else {
                // Classed by the median rank of equal shares, so that a large group is in the class of most of its ranks.
                let (first, after) = (shares.partition_point(|other| other < share), shares.partition_point(|other| other <= share));
                (first + after - 1) * count / (2 * shares.len())
            };
            place.min(count.saturating_sub(1))
        };
        let mut classes: Vec<ShareClass> = Vec::new();
        let mut last_class = None;
        for share in &distinct {
            let class = class_of(share);
            match classes.last_mut().filter(|_| last_class == Some(class)) {
                Some(last) => last.highest = *share,
                None => classes.push(ShareClass { shade: 0, lowest: *share, highest: *share }),
            }
            last_class = Some(class);
        }
        let last = classes.len().saturating_sub(1);
        for (place, class) in classes.iter_mut().enumerate() {
            // A single class has the middle shade, or the lowest if its share is 0.
            let single = if class.highest.hundredths == 0 { 0 } else { SHADES / 2 };
            class.shade = (place * (SHADES - 1)).checked_div(last).unwrap_or(single) as u8;
        }
        Self { classes }
    }

    /// The shade of a share of this map.
    pub(super) fn shade(&self, share: RoundedPercent) -> Option<u8> {
        self.classes.iter().find(|class| (class.lowest..=class.highest).contains(&share)).map(|class| class.shade)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(hundredths: u64) -> RoundedPercent {
        RoundedPercent { hundredths, step: 10 }
    }

    fn class(shade: u8, lowest: u64, highest: u64) -> ShareClass {
        ShareClass { shade, lowest: percent(lowest), highest: percent(highest) }
    }

    fn scale(shares: &[u64]) -> Scale {
        Scale::new(shares.iter().copied().map(percent).collect())
    }

    #[test]
    fn no_shade_takes_more_than_its_part_of_similar_shares() {
        let shares = [970, 860, 620, 970, 780, 830, 670, 740, 1470, 430, 880, 570, 660, 890, 820, 1040, 670];
        let scale = scale(&shares);
        for shade in 0..SHADES as u8 {
            let tiles = shares.iter().filter(|share| scale.shade(percent(**share)) == Some(shade)).count();
            assert!((2..=5).contains(&tiles), "{tiles} tiles have shade {shade}");
        }
        assert_eq!((scale.classes[0].lowest, scale.classes[4].highest), (percent(430), percent(1470)));
    }

    #[test]
    fn a_class_names_shares_that_exist() {
        assert_eq!(scale(&[430, 430]).classes, [class(2, 430, 430)]);
        assert_eq!(scale(&[430, 1470]).classes, [class(0, 430, 430), class(4, 1470, 1470)]);
        assert_eq!(scale(&[]).classes, []);
    }

    #[test]
    fn nobody_has_the_lowest_shade() {
        assert_eq!(scale(&[0, 0, 0]).classes, [class(0, 0, 0)]);
        assert_eq!((scale(&[0, 430]).shade(percent(0)), scale(&[0, 430]).shade(percent(430))), (Some(0), Some(4)));
    }

    #[test]
    fn equal_shares_are_never_parted() {
        let shares = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100, 200, 300, 400, 500, 600];
        let scale = scale(&shares);
        assert_eq!(scale.classes[0].lowest, scale.classes[0].highest);
        assert!(scale.classes.len() > 2);
    }
}
