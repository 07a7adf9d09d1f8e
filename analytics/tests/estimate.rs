//! Estimates of reach against campaigns whose truth is known.

#![allow(clippy::unwrap_used, reason = "a simulation ends at a fault")]

#[path = "../benches/estimate/simulation.rs"]
mod simulation;

use simulation::{Evidence, MEETINGS, Readiness, simulate};

/// The mean error is at most 1 % (`analytics/estimate-accuracy.md`); a single campaign may be off a little more.
const MAX_ERROR: f64 = 0.02;

#[test]
fn estimates_are_close_to_the_truth_whatever_the_distribution_of_readiness() {
    for readiness in [Readiness::Gamma(0.3), Readiness::Gamma(1.0), Readiness::LogNormal(1.3), Readiness::TwoClasses(0.05, 8.0)] {
        for by_format in [false, true] {
            let found = simulate(readiness, Evidence { by_format, counted: 1.0, meetings: MEETINGS }, 2);
            let ((error, held), (_, held_of_units)) = (found.region.worst(), found.units.worst());
            assert_eq!(found.region.none + found.units.none, 0);
            assert!(error < MAX_ERROR && held == 1.0, "{error} {held}");
            assert!(held_of_units > 0.8, "{held_of_units}");
            assert!(found.at_random / 2.0 > 0.05, "assuming that people come at random overstates reach");
        }
    }
}

#[test]
fn intervals_of_few_meetings_hold_the_truth() {
    // Hardly anybody was seen twice, which does not mean that nobody came twice.
    for meetings in [15, 30, 80] {
        let found = simulate(Readiness::Gamma(0.3), Evidence { by_format: false, counted: 1.0, meetings }, 20);
        let ((error, held), (_, held_of_units)) = (found.region.worst(), found.units.worst());
        assert!(found.region.none < 5 && error < MAX_ERROR, "{} {error}", found.region.none);
        assert!(held >= 0.85 && held_of_units >= 0.9, "{held} {held_of_units}");
    }
}
