//! The negative binomial model of reach: each voter comes at a rate of their own, and the rates are gamma-distributed.
//!
//! With `k` the shape of the gamma distribution and `m` attendances for each voter, the share of voters who did not come is
//! `(1 + m / k)^-k` (Ehrenberg's model of repeated purchases, in media research the limit of the beta-binomial one). A small `k` means that few
//! people come often; for a large one everybody comes at random, and the share is `exp(-m)`.

/// Largest and smallest shape that is searched. Beyond, people come at random, or the same few come all the time.
const SHAPES: (f64, f64) = (1e-3, 1e3);

/// Steps of the bisection: the shape is then known to one in 10^12.
const STEPS: usize = 60;

/// Identified attendances of some voters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Contacts {
    pub(crate) voters: f64,
    pub(crate) contacts: f64,
    pub(crate) reached: f64,
}

/// How unequally often people come: the shape of the gamma distribution; none if they come at random.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Heterogeneity(Option<f64>);

impl Heterogeneity {
    /// Of this shape, which is more than 0; none is that of people who come at random.
    pub(crate) fn of_shape(shape: Option<f64>) -> Self {
        Self(shape)
    }

    /// Share of voters who did not come, at so many attendances for each voter.
    pub(crate) fn missed(self, rate: f64) -> f64 {
        match self.0 {
            Some(k) => (-k * (rate / k).ln_1p()).exp(),
            None => (-rate).exp(),
        }
    }
}

/// The heterogeneity at which the model reaches as many people as came in all groups together; none if no shape does.
pub(crate) fn solve(groups: &[Contacts]) -> Option<Heterogeneity> {
    let reached: f64 = groups.iter().map(|group| group.reached).sum();
    let contacts: f64 = groups.iter().map(|group| group.contacts).sum();
    let expected = |heterogeneity: Heterogeneity| -> f64 {
        groups.iter().map(|group| group.voters * (1.0 - heterogeneity.missed(group.contacts / group.voters))).sum()
    };
    let random = Heterogeneity(None);
    let at_random = expected(random);
    if contacts <= 0.0 {
        return None;
    }
    if reached >= at_random {
        // Of few repeated attendances, fewer or more come by chance.
        let repeated = (contacts - at_random).max(0.0);
        return (reached - at_random <= 2.0 * repeated.sqrt() + 1.0).then_some(random);
    }
    let (mut low, mut high) = (SHAPES.0.ln(), SHAPES.1.ln());
    let shape = |logarithm: f64| Heterogeneity(Some(logarithm.exp()));
    if expected(shape(low)) > reached {
        return None;
    }
    if expected(shape(high)) < reached {
        return Some(random);
    }
    for _ in 0..STEPS {
        let middle = (low + high) / 2.0;
        *(if expected(shape(middle)) < reached { &mut low } else { &mut high }) = middle;
    }
    Some(shape((low + high) / 2.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_of_a_population_is_found() {
        for k in [0.02, 0.3, 1.0, 20.0] {
            let group = |voters: f64, contacts: f64| {
                let reached = voters * (1.0 - (1.0 + contacts / voters / k).powf(-k));
                Contacts { voters, contacts, reached }
            };
            let Some(Heterogeneity(Some(found))) = solve(&[group(1e6, 2e5), group(3e4, 5e4)]) else { panic!("no shape for {k}") };
            assert!((found / k - 1.0).abs() < 1e-6, "{found} for {k}");
        }
    }

    #[test]
    fn people_who_come_at_random_have_no_shape_and_fewer_repetitions_no_solution() {
        let at_random = 1e4 * (1.0 - (-0.5_f64).exp());
        assert_eq!(solve(&[Contacts { voters: 1e4, contacts: 5e3, reached: at_random }]), Some(Heterogeneity(None)));
        assert_eq!(solve(&[Contacts { voters: 1e6, contacts: 300.0, reached: 300.0 }]), Some(Heterogeneity(None)));
        assert_eq!(solve(&[Contacts { voters: 1e4, contacts: 5e3, reached: 5e3 }]), None);
        assert_eq!(solve(&[Contacts { voters: 1e4, contacts: 5e3, reached: 1.0 }]), None);
        assert_eq!(solve(&[]), None);
    }

    #[test]
    fn more_attendances_miss_fewer_voters() {
        for heterogeneity in [Heterogeneity(None), Heterogeneity(Some(1e-3)), Heterogeneity(Some(0.3)), Heterogeneity(Some(1e3))] {
            let missed: Vec<f64> = (0..40).map(|rate| heterogeneity.missed(f64::from(rate) / 4.0)).collect();
            assert!(missed[0] == 1.0 && missed.windows(2).all(|pair| pair[0] > pair[1] && pair[1] > 0.0), "{heterogeneity:?}");
        }
    }
}
