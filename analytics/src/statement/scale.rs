//! Colour scale of the map: quantile classes of shares, so that similar shares have different shades, too.
//!
//! Guarantees: shares are classed by their rounded value, so tiles with the same text have the same shade. A class is described by the
//! lowest and highest share in it, so the legend has only shares that exist. Shares above 100 % belong to no class.

/// Number of shades of the scale.
pub(super) const SHADES: usize = 5;

/// A rounded share in hundredths of a percent, and the step it is rounded to.
pub(super) type RoundedPercent = (u64, u64);

/// Classes of shares, from the lowest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scale {
    /// Shade, lowest and highest share of each class.
    pub(super) classes: Vec<(u8, RoundedPercent, RoundedPercent)>,
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
        let mut classes: Vec<(usize, RoundedPercent, RoundedPercent)> = Vec::new();
        for share in &distinct {
            let class = class_of(share);
            match classes.last_mut() {
                Some((last, _, highest)) if *last == class => *highest = *share,
                _ => classes.push((class, *share, *share)),
            }
        }
        let last = classes.len().saturating_sub(1);
        // A single class has the middle shade, or the lowest if its share is 0.
        let shade =
            |place: usize, to: RoundedPercent| (place * (SHADES - 1)).checked_div(last).unwrap_or(if to.0 == 0 { 0 } else { SHADES / 2 });
        Self { classes: classes.into_iter().enumerate().map(|(place, (_, from, to))| (shade(place, to) as u8, from, to)).collect() }
    }

    /// The shade of a share of this map.
    pub(super) fn shade(&self, share: RoundedPercent) -> Option<u8> {
        self.classes.iter().find(|(_, from, to)| (*from..=*to).contains(&share)).map(|(shade, ..)| *shade)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(shares: &[u64]) -> Scale {
        Scale::new(shares.iter().map(|share| (*share, 10)).collect())
    }

    #[test]
    fn no_shade_takes_more_than_its_part_of_similar_shares() {
        let shares = [970, 860, 620, 970, 780, 830, 670, 740, 1470, 430, 880, 570, 660, 890, 820, 1040, 670];
        let scale = scale(&shares);
        for shade in 0..SHADES as u8 {
            let tiles = shares.iter().filter(|share| scale.shade((**share, 10)) == Some(shade)).count();
            assert!((2..=5).contains(&tiles), "{tiles} tiles have shade {shade}");
        }
        assert_eq!((scale.classes[0].1.0, scale.classes[4].2.0), (430, 1470));
    }

    #[test]
    fn a_class_names_shares_that_exist() {
        assert_eq!(scale(&[430, 430]).classes, [(2, (430, 10), (430, 10))]);
        assert_eq!(scale(&[430, 1470]).classes, [(0, (430, 10), (430, 10)), (4, (1470, 10), (1470, 10))]);
        assert_eq!(scale(&[]).classes, []);
    }

    #[test]
    fn nobody_has_the_lowest_shade() {
        assert_eq!(scale(&[0, 0, 0]).classes, [(0, (0, 10), (0, 10))]);
        assert_eq!((scale(&[0, 430]).shade((0, 10)), scale(&[0, 430]).shade((430, 10))), (Some(0), Some(4)));
    }

    #[test]
    fn equal_shares_are_never_parted() {
        let shares = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100, 200, 300, 400, 500, 600];
        let scale = scale(&shares);
        assert_eq!(scale.classes[0].1, scale.classes[0].2);
        assert!(scale.classes.len() > 2);
    }
}
