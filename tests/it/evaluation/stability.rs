//! The population stability index against sums by hand.

use evaluation::stability::{BINS, Reference};
use proptest::prelude::*;

fn rows(values: &[f64]) -> Vec<(f64, f64)> {
    values.iter().map(|value| (*value, 1.0)).collect()
}

#[test]
fn the_same_rows_have_not_moved() {
    let values: Vec<f64> = (0..1_000).map(|n| f64::from(n * 37 % 211)).collect();
    assert_eq!(Reference::of(&rows(&values)).psi(&rows(&values)), 0.0);
}

#[test]
fn two_bins_give_the_sum_of_the_formula() {
    // 60 zeros and 40 ones, then 30 and 70; the bins are "≤ 0", "above" and "missing", with half a row more in each.
    let spread = |zeros: usize, ones: usize| rows(&[vec![0.0; zeros], vec![1.0; ones]].concat());
    let share = |count: f64| (count + 0.5) / 101.5;
    let term = |was: f64, is: f64| (share(is) - share(was)) * (share(is) / share(was)).ln();
    let expected = term(60.0, 30.0) + term(40.0, 70.0);
    let psi = Reference::of(&spread(60, 40)).psi(&spread(30, 70));
    assert!((psi - expected).abs() < 1e-12, "{psi} is not {expected}");
}

#[test]
fn values_that_vanish_are_a_move() {
    let values: Vec<f64> = (0..500).map(f64::from).collect();
    let gone = vec![f64::NAN; 500];
    assert!(Reference::of(&rows(&values)).psi(&rows(&gone)) > 5.0);
}

#[test]
fn nothing_to_compare_is_no_figure() {
    assert!(Reference::of(&[]).psi(&rows(&[1.0])).is_nan());
    assert!(Reference::of(&rows(&[1.0])).psi(&[]).is_nan());
}

#[test]
fn a_shift_by_one_standard_deviation_is_far_beyond_the_usual_limit() {
    // Quantiles of a logistic distribution, then the same moved by one standard deviation (π/√3).
    let quantile = |n: u32| (f64::from(n) / f64::from(2_000 - n)).ln();
    let before: Vec<f64> = (1..2_000).map(quantile).collect();
    let after: Vec<f64> = before.iter().map(|value| value + std::f64::consts::PI / 3.0_f64.sqrt()).collect();
    let psi = Reference::of(&rows(&before)).psi(&rows(&after));
    assert!(psi > 0.5, "{psi}");
}

proptest! {
    #[test]
    fn it_is_never_negative_and_does_not_depend_on_the_order(
        before in prop::collection::vec(-5.0..5.0_f64, 1..200),
        after in prop::collection::vec(-5.0..5.0_f64, 1..200),
    ) {
        let psi = Reference::of(&rows(&before)).psi(&rows(&after));
        let mut turned = after.clone();
        turned.reverse();
        let mut mixed = before.clone();
        mixed.reverse();
        prop_assert!(psi >= 0.0);
        prop_assert!((psi - Reference::of(&rows(&mixed)).psi(&rows(&turned))).abs() < 1e-9);
    }

    #[test]
    fn two_draws_of_one_distribution_differ_by_about_their_chance(seed in 0u64..1_000) {
        // A linear congruential draw, 4,000 + 4,000 rows: the mean is 9 · (1/4000 + 1/4000) = 0.0045.
        let mut state = seed;
        let mut draw = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        let before: Vec<f64> = (0..4_000).map(|_| draw()).collect();
        let after: Vec<f64> = (0..4_000).map(|_| draw()).collect();
        let psi = Reference::of(&rows(&before)).psi(&rows(&after));
        prop_assert!(psi < 0.03, "{psi} over {BINS} bins");
    }
}
