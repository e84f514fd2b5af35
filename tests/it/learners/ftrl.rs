//! Online learning beside the published algorithm, scikit-learn's log-loss, and itself in parts.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use domain::numeric::logistic;
use evaluation::classification::log_loss;
use learners::ftrl::{Ftrl, FtrlError};
use learners::logistic::fit_logistic;
use linfa::Dataset;
use linfa::prelude::{FitWith, ParamGuard, Predict};
use ndarray::{Array1, Array2, Axis};
use serde::Deserialize;

use super::figures::happened;
use super::logistic::{stored, stored_matrix, world};

#[derive(Deserialize)]
struct Online {
    rate: f64,
    beta: f64,
    l1: f64,
    l2: f64,
    weights: Vec<f64>,
    intercept: f64,
}

fn code(error: &FtrlError) -> String {
    error.to_string().split(':').next().unwrap().to_string()
}

fn part(columns: &Array2<f64>, rows: impl IntoIterator<Item = usize>) -> Array2<f64> {
    columns.select(Axis(0), &rows.into_iter().collect::<Vec<usize>>())
}

fn learned(columns: &Array2<f64>, labels: &[bool]) -> Ftrl {
    let mut state = Ftrl::params().check().unwrap().start(columns.ncols());
    state.learn(columns.view(), labels, None).unwrap();
    state
}

#[test]
fn weights_are_those_of_the_published_algorithm() {
    let (columns, labels) = (stored_matrix(), happened(&stored::<Vec<u8>>("online_labels")));
    let cases: Vec<Online> = stored("online");
    assert!(cases.iter().any(|case| case.weights.contains(&0.0)), "a penalty that makes a weight zero");
    for case in cases {
        let params = Ftrl::params().rate(case.rate).beta(case.beta).l1(case.l1).l2(case.l2);
        let mut state = params.check().unwrap().start(5);
        state.learn(columns.view(), &labels, None).unwrap();
        let (weights, intercept) = state.weights();
        assert!(weights.iter().zip(&case.weights).all(|(a, b)| (a - b).abs() < 1e-12), "{weights:?}");
        assert!((intercept - case.intercept).abs() < 1e-12, "{intercept}");
    }
}

#[test]
fn weights_are_those_of_linfa_ftrl_given_one_row_after_the_other() {
    // linfa-ftrl 0.8.1: a column of ones, z of zero, alpha 0.5, beta 0.5, no penalties; its probabilities are f32.
    let theirs = [
        0.876_421_609_539_302,
        -0.664_691_900_399_472_9,
        -0.023_152_175_821_885_126,
        0.275_752_946_288_345_4,
        -1.121_143_815_407_041,
        -1.086_408_832_856_161_2,
    ];
    let labels = happened(&stored::<Vec<u8>>("online_labels"));
    let mut state = Ftrl::params().rate(0.5).beta(0.5).check().unwrap().start(5);
    state.learn(stored_matrix().view(), &labels, None).unwrap();
    let (weights, intercept) = state.weights();
    let ours = weights.iter().chain([&intercept]);
    assert!(ours.zip(theirs).all(|(ours, theirs)| (ours - theirs).abs() < 1e-7), "{weights:?} {intercept}");
}

#[test]
fn going_on_from_a_stored_state_gives_the_bits_of_one_run() {
    let (columns, labels) = world(3_000, 6, 21);
    let whole = learned(&columns, &labels);
    for cut in [1, 1_500, 2_999] {
        let first = learned(&part(&columns, 0..cut), &labels[..cut]);
        let stored = serde_json::to_string(&first).unwrap();
        let mut state: Ftrl = serde_json::from_str(&stored).unwrap();
        state.check().unwrap();
        state.learn(part(&columns, cut..3_000).view(), &labels[cut..], None).unwrap();
        assert_eq!(state, whole);
    }
    assert_eq!((whole.rows(), whole.inputs()), (3_000, 6));
}

#[test]
fn the_same_rows_give_the_same_bits_in_either_order_of_memory() {
    let (columns, labels) = world(2_000, 7, 22);
    let by_rows = columns.as_standard_layout().into_owned();
    assert_eq!(learned(&columns, &labels), learned(&by_rows, &labels));
}

#[test]
fn one_pass_comes_within_a_hundredth_of_the_best_log_loss() {
    let (columns, labels) = world(40_000, 12, 23);
    let loss = |weights: Vec<f64>, intercept: f64| {
        let logits = columns.dot(&Array1::from(weights)) + intercept;
        log_loss(&logits.mapv(logistic).to_vec(), &labels)
    };
    let (weights, intercept) = fit_logistic(&columns, &labels, 1.0).unwrap();
    let best = loss(weights, intercept);
    let (weights, intercept) = learned(&columns, &labels).weights();
    let online = loss(weights, intercept);
    assert!(online >= best && online < 1.01 * best, "{online} {best}");
}

#[test]
fn a_weight_multiplies_the_gradient_and_without_weight_a_row_says_nothing() {
    let (columns, labels) = world(400, 3, 24);
    let weights: Vec<f64> = (0..400).map(|row| f64::from(u8::from(row % 2 == 0))).collect();
    let mut weighted = Ftrl::params().check().unwrap().start(3);
    weighted.learn(columns.view(), &labels, Some(&weights)).unwrap();
    let halves: Vec<bool> = labels.iter().step_by(2).copied().collect();
    let half = learned(&part(&columns, (0..400).step_by(2)), &halves);
    assert_eq!(weighted.weights(), half.weights());
}

#[test]
fn it_is_a_linfa_estimator_that_goes_on() {
    let (columns, labels) = world(1_000, 3, 25);
    let data = |from: usize, to: usize| {
        Dataset::new(part(&columns, from..to), Array1::from(labels[from..to].to_vec()))
    };
    let params = Ftrl::params().l2(0.5);
    let first = params.fit_with(None, &data(0, 600)).unwrap();
    let both = params.fit_with(Some(first.clone()), &data(600, 1_000)).unwrap();
    assert_eq!(both, params.fit_with(None, &data(0, 1_000)).unwrap());
    let predicted: Array1<bool> = both.predict(&columns);
    assert!(predicted.iter().zip(&labels).filter(|(a, b)| a == b).count() > 700);
    let other = Ftrl::params().l2(0.6).fit_with(Some(first), &data(600, 1_000));
    assert_eq!(code(&other.unwrap_err()), "other_settings");
}

#[test]
fn what_cannot_be_learned_is_refused_by_name_and_leaves_the_state_alone() {
    let (columns, labels) = world(50, 2, 26);
    let before = learned(&columns, &labels);
    let mut state = before.clone();
    let mut refused = |columns: &Array2<f64>, labels: &[bool], weights: Option<&[f64]>| {
        let error = state.learn(columns.view(), labels, weights).unwrap_err();
        assert_eq!(state, before, "{error}");
        code(&error)
    };
    assert_eq!(refused(&Array2::zeros((0, 2)), &[], None), "no_rows");
    assert_eq!(refused(&columns, &labels[1..], None), "rows_differ");
    assert_eq!(refused(&columns, &labels, Some(&[1.0])), "rows_differ");
    assert_eq!(refused(&Array2::zeros((50, 3)), &labels, None), "inputs_differ");
    assert_eq!(refused(&Array2::from_elem((50, 2), f64::NAN), &labels, None), "not_finite");
    assert_eq!(refused(&columns, &labels, Some(&[-1.0; 50])), "bad_weights");
    assert_eq!(refused(&Array2::from_elem((50, 2), 1e300), &labels, None), "diverged");
    for (params, name) in [
        (Ftrl::params().rate(0.0), "rate"),
        (Ftrl::params().rate(f64::NAN), "rate"),
        (Ftrl::params().beta(-1.0), "beta"),
        (Ftrl::params().l1(f64::INFINITY), "l1"),
        (Ftrl::params().l2(-0.1), "l2"),
    ] {
        assert!(params.check().unwrap_err().to_string().starts_with(&format!("bad_setting: {name} ")));
    }
}

#[test]
fn one_class_identical_columns_and_separable_rows_stay_finite() {
    let (columns, _) = world(5_000, 3, 27);
    let first = columns.column(0).to_owned();
    let separable: Vec<bool> = first.iter().map(|input| *input > 0.2).collect();
    let alike = Array2::from_shape_fn((5_000, 4), |(row, _)| first[row]);
    for state in [
        learned(&columns, &[true; 5_000]),
        learned(&columns, &[false; 5_000]),
        learned(&columns, &separable),
        learned(&alike, &separable),
    ] {
        let (weights, intercept) = state.weights();
        assert!(weights.iter().chain([&intercept]).all(|weight| weight.is_finite()));
        state.check().unwrap();
    }
}

#[test]
fn a_state_that_no_run_can_have_left_is_refused() {
    let text = |z: &str, n: &str| {
        format!(r#"{{"settings":{{"rate":0.1,"beta":1,"l1":0,"l2":0}},"rows":1,"z":{z},"n":{n}}}"#)
    };
    for (z, n) in [("[]", "[]"), ("[1]", "[1,2]"), ("[1,2]", "[1,-1]")] {
        let state: Ftrl = serde_json::from_str(&text(z, n)).unwrap();
        assert_eq!(code(&state.check().unwrap_err()), "bad_state");
    }
}
