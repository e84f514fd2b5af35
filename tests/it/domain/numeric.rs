//! The shared functions of numbers: their ends, their middle, and that they never leave their range.

use domain::numeric::{decay_factor, logistic, softplus};
use proptest::prelude::*;

#[test]
fn the_logistic_function_turns_log_odds_into_probabilities() {
    assert_eq!(logistic(0.0), 0.5);
    assert!((logistic(3.0_f64.ln()) - 0.75).abs() < 1e-15, "odds of three to one");
    assert_eq!((logistic(f64::NEG_INFINITY), logistic(f64::INFINITY)), (0.0, 1.0));
}

#[test]
fn the_softplus_of_a_large_number_is_the_number_and_never_infinite() {
    assert_eq!((softplus(1e300), softplus(-1e300)), (1e300, 0.0));
    assert!((softplus(0.0) - 2.0_f64.ln()).abs() < 1e-15);
}

#[test]
fn half_is_left_after_each_half_life_and_everything_after_an_infinite_one() {
    assert_eq!([0.0, 3.0, 6.0, -3.0].map(|age| decay_factor(age, 3.0)), [1.0, 0.5, 0.25, 2.0]);
    assert_eq!(decay_factor(1e9, f64::INFINITY), 1.0);
    assert_eq!(decay_factor(1e9, 1e-9), 0.0);
}

proptest! {
    #[test]
    fn a_probability_and_its_complement_come_of_opposite_logits(logit in -700.0..700.0_f64) {
        let (probability, complement) = (logistic(logit), logistic(-logit));
        prop_assert!((probability + complement - 1.0).abs() < 1e-15);
        // ln(1 + e^x) = −ln(1 − p), with what rounding leaves of 1 − p.
        prop_assert!((softplus(logit) + complement.ln()).abs() < 1e-9 * (1.0 + logit.abs()));
    }
}
