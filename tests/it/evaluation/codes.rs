//! Errors of evaluations have their code and kind.

use domain::error::ErrorKind::Caller;
use evaluation::off_policy::OffPolicyError;
use evaluation::uplift::UpliftError;

use crate::coded::check;

#[test]
fn every_error_of_a_comparison_of_arms_has_its_code_and_kind() {
    check(&[
        (&UpliftError::OneArm { treated: 3, control: 0 }, "one_arm", Caller),
        (&UpliftError::NotRandomised { unit: 1, value: 1.0 }, "not_randomised", Caller),
        (&UpliftError::RowsDiffer { units: 1, scores: 2 }, "rows_differ", Caller),
        (&UpliftError::BadScore { unit: 1 }, "bad_score", Caller),
    ]);
}

#[test]
fn every_error_of_an_off_policy_evaluation_has_its_code_and_kind() {
    let (position, action) = (String::new(), "milk".to_string());
    let bad = OffPolicyError::BadPolicyProbability { row: 1, action: action.clone(), value: 2.0 };
    let sum = OffPolicyError::NotADistribution { row: 1, position: position.clone(), sum: 0.5 };
    let missing = OffPolicyError::MissingSupport { row: 1, position, action, probability: 0.5 };
    check(&[
        (&OffPolicyError::NoRows, "no_rows", Caller),
        (&OffPolicyError::BadActionProbability { row: 1, value: 0.0 }, "bad_action_probability", Caller),
        (&OffPolicyError::BadReward { row: 1, value: f64::NAN }, "bad_reward", Caller),
        (&bad, "bad_policy_probability", Caller),
        (&sum, "not_a_distribution", Caller),
        (&missing, "missing_support", Caller),
        (&OffPolicyError::NoOverlap, "no_overlap", Caller),
    ]);
}
