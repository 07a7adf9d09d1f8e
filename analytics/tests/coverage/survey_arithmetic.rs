//! Intervals and decisions of surveys, against published values and a naive count.

use proptest::prelude::*;
use qamtu_analytics::verification::{
    lqas::{LqasDecision, LqasDesign, LqasRule, LqasTask},
    wilson::ShareInterval,
};

fn interval(part: u32, whole: u32, design_effect: f64) -> ShareInterval {
    ShareInterval::of(part, whole, design_effect).expect("somebody was asked")
}

fn task(higher: f64, lower: f64) -> LqasTask {
    LqasTask { higher, lower, tolerated_reject: 0.1, tolerated_accept: 0.1 }
}

/// The errors of a decision value, from binomial coefficients.
fn errors(task: &LqasTask, sample: u32, decision_value: u32) -> [f64; 2] {
    let coefficient = |count: u32| (0..count).fold(1.0, |product, at| product * f64::from(sample - at) / f64::from(at + 1));
    let probability = |share: f64, count: u32| coefficient(count) * share.powi(count as i32) * (1.0 - share).powi((sample - count) as i32);
    let rejects = (0..decision_value).map(|count| probability(task.higher, count)).sum();
    let accepts = (decision_value..=sample).map(|count| probability(task.lower, count)).sum();
    [rejects, accepts]
}

/// The examples of Newcombe 1998, table I, and the precision that 1,200 people in clusters have at 11 %.
#[test]
fn intervals_are_those_of_published_examples() {
    for (part, whole, low, high) in
        [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718), (29, 29, 0.8830, 1.0)]
    {
        let found = interval(part, whole, 1.0);
        assert!((found.low - low).abs() < 0.000_06 && (found.high - high).abs() < 0.000_06, "{part} of {whole}: {found:?}");
    }
    let region = interval(132, 1_200, 1.5);
    assert!((region.low - 0.0902).abs() < 0.000_06 && (region.high - 0.1336).abs() < 0.000_06, "{region:?}");
    let half = (region.high - region.low) / 2.0;
    assert!((0.021..0.022).contains(&half), "{half}");
    assert_eq!(ShareInterval::of(0, 0, 1.5), None);
}

#[test]
fn the_errors_of_a_decision_are_those_of_published_designs() {
    let rule = task(0.8, 0.5).rule(19);
    assert_eq!(rule.decision_value, 13);
    assert!((rule.rejects_higher - 0.0676).abs() < 0.000_1 && (rule.accepts_lower - 0.0835).abs() < 0.000_1, "{rule:?}");
    assert!(task(0.8, 0.5).tolerates(&rule));
    assert_eq!(LqasDesign::of(task(0.8, 0.5)).smallest_sample, Some(19));
}

#[test]
fn a_sample_that_is_too_small_decides_nothing() {
    let close = task(0.12, 0.06);
    let sixty = close.rule(60);
    assert!(!close.tolerates(&sixty) && sixty.rejects_higher > 0.25 && sixty.accepts_lower > 0.14, "{sixty:?}");
    assert_eq!(close.decide(&sixty, 60), LqasDecision::SampleTooSmall);
    // Two decision values are good enough for 200 people; the better one is taken.
    let [rejects, accepts] = errors(&close, 200, 17);
    assert!(rejects < 0.1 && accepts < 0.1);
    let two_hundred = close.rule(200);
    assert_eq!(two_hundred.decision_value, 18);
    assert_eq!([17, 18].map(|reached| close.decide(&two_hundred, reached)), [LqasDecision::AtMostLower, LqasDecision::AtLeastHigher]);
    // 155 people are enough, but 160 to 164 and 174 are not: the possible decision values lie unfavourably.
    let enough = |sample| close.tolerates(&close.rule(sample));
    assert!(enough(155) && !enough(160) && enough(173) && !enough(174) && (175..400).all(enough));
    assert_eq!(LqasDesign::of(close).smallest_sample, Some(175));
    assert_eq!(LqasDesign::of(task(0.11, 0.10)).smallest_sample, None);
}

#[test]
fn a_large_survey_is_judged_too() {
    let rule = task(0.12, 0.06).rule(100_000);
    assert!((6_000..12_000).contains(&rule.decision_value) && rule.rejects_higher < 1e-9 && rule.accepts_lower < 1e-9, "{rule:?}");
}

proptest! {
    #[test]
    fn intervals_contain_the_share_and_widen_with_the_design_effect(whole in 1_u32..2_000, share in 0.0..=1.0_f64, effect in 1.0..5.0_f64) {
        let part = (f64::from(whole) * share) as u32;
        let (narrow, wide) = (interval(part, whole, 1.0), interval(part, whole, effect));
        prop_assert!(0.0 <= wide.low && wide.low <= narrow.low && narrow.low <= narrow.share);
        prop_assert!(narrow.share <= narrow.high && narrow.high <= wide.high && wide.high <= 1.0);
        let other = interval(whole - part, whole, effect);
        prop_assert!((other.low + wide.high - 1.0).abs() < 1e-9, "not symmetric");
    }

    #[test]
    fn no_other_decision_value_has_smaller_errors(sample in 1_u32..120, higher in 0.02..0.99_f64, lower in 0.01..0.98_f64) {
        prop_assume!(lower < higher);
        let task = task(higher, lower);
        let LqasRule { decision_value, rejects_higher, accepts_lower, .. } = task.rule(sample);
        let [rejects, accepts] = errors(&task, sample, decision_value);
        prop_assert!((rejects - rejects_higher).abs() < 1e-9 && (accepts - accepts_lower).abs() < 1e-9);
        let larger = |[rejects, accepts]: [f64; 2]| f64::max(rejects, accepts);
        let best = (0..=sample + 1).map(|value| larger(errors(&task, sample, value))).fold(f64::INFINITY, f64::min);
        prop_assert!(larger([rejects, accepts]) < best + 1e-9);
    }
}
