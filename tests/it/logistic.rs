//! Logistic regression beside scikit-learn's coefficients: the same side up whichever class is larger.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use ndarray::{Array2, ShapeBuilder};
use serde::Deserialize;
use smartpush::evaluation::classification::auc;
use smartpush::models::logistic::{FitError, fit_logistic};

use super::classification::{figures, happened};

#[derive(Deserialize)]
struct LogisticFigures {
    name: String,
    alpha: f64,
    positives: usize,
    labels: Vec<u8>,
    weights: Vec<f64>,
    intercept: f64,
}

/// Rows as a column-major matrix.
fn matrix(rows: &[Vec<f64>]) -> Array2<f64> {
    let shape = (rows.len(), rows[0].len()).f();
    Array2::from_shape_fn(shape, |(row, column)| rows[row][column])
}

fn stored_matrix() -> Array2<f64> {
    matrix(&figures::<Vec<Vec<f64>>>("matrix"))
}

#[test]
fn coefficients_are_those_of_scikit_learn_for_rare_and_for_common_positives() {
    let (columns, cases): (_, Vec<LogisticFigures>) = (stored_matrix(), figures("logistic"));
    assert_eq!(cases.len(), 9);
    assert!(cases.iter().any(|case| case.positives < 100) && cases.iter().any(|case| case.positives > 100));
    for case in cases {
        let (weights, intercept) = fit_logistic(&columns, &happened(&case.labels), case.alpha).unwrap();
        let what = format!("{} {}: {weights:?} {intercept}", case.name, case.alpha);
        assert_eq!(weights.len(), case.weights.len());
        assert!(weights.iter().zip(&case.weights).all(|(a, b)| (a - b).abs() < 1e-4), "{what}");
        assert!((intercept - case.intercept).abs() < 1e-4, "{what}");
    }
}

#[test]
fn weights_point_the_same_way_whichever_label_comes_first() {
    let rows: Vec<Vec<f64>> = (0..40).map(|row| vec![(f64::from(row) - 19.5) / 11.5]).collect();
    let labels: Vec<bool> = (0..40).map(|row| row >= 20).collect();
    let (forward, _) = fit_logistic(&matrix(&rows), &labels, 1.0).unwrap();
    let reversed: Vec<Vec<f64>> = rows.iter().rev().cloned().collect();
    let labels: Vec<bool> = labels.into_iter().rev().collect();
    let (backward, _) = fit_logistic(&matrix(&reversed), &labels, 1.0).unwrap();
    assert!(forward[0] > 1.0 && (forward[0] - backward[0]).abs() < 1e-4, "{forward:?} {backward:?}");
}

#[test]
fn the_same_rows_give_the_same_bits() {
    let columns = stored_matrix();
    let labels = happened(&figures::<Vec<LogisticFigures>>("logistic")[0].labels);
    let bits = || {
        let (weights, intercept) = fit_logistic(&columns, &labels, 0.5).unwrap();
        weights.into_iter().chain([intercept]).map(f64::to_bits).collect::<Vec<u64>>()
    };
    assert_eq!(bits(), bits());
}

#[test]
fn the_order_of_memory_changes_nothing_but_the_time() {
    let columns = stored_matrix();
    let by_rows = columns.as_standard_layout().into_owned();
    let labels = happened(&figures::<Vec<LogisticFigures>>("logistic")[0].labels);
    let (a, _) = fit_logistic(&columns, &labels, 1.0).unwrap();
    let (b, _) = fit_logistic(&by_rows, &labels, 1.0).unwrap();
    assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-5), "{a:?} {b:?}");
}

#[test]
fn what_cannot_be_fitted_is_refused_by_name() {
    let columns = matrix(&[vec![1.0], vec![-1.0], vec![0.5]]);
    let labels = [true, false, true];
    let code = |result: Result<_, FitError>| -> String {
        let text = result.map(|_: (Vec<f64>, f64)| ()).unwrap_err().to_string();
        text.split(':').next().unwrap().to_string()
    };
    assert_eq!(code(fit_logistic(&Array2::zeros((0, 1)), &[], 1.0)), "no_rows");
    assert_eq!(code(fit_logistic(&columns, &labels[..2], 1.0)), "rows_differ");
    assert_eq!(code(fit_logistic(&columns, &[true; 3], 1.0)), "one_class");
    assert_eq!(code(fit_logistic(&columns, &[false; 3], 1.0)), "one_class");
    for alpha in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(code(fit_logistic(&columns, &labels, alpha)), "bad_alpha");
    }
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(
            code(fit_logistic(&matrix(&[vec![1.0], vec![bad], vec![0.5]]), &labels, 1.0)),
            "not_finite"
        );
    }
    assert_eq!(
        code(fit_logistic(&matrix(&[vec![1.0], vec![1e9], vec![0.5]]), &labels, 1.0)),
        "not_standardised"
    );
}

#[test]
fn labels_that_are_easy_or_hard_or_rare_still_end_in_a_minimum() {
    let rows: Vec<Vec<f64>> = (0..3_000_u32)
        .map(|row| {
            (1..7_u32)
                .map(|input| f64::from(row * (2 * input + 1) * 7_919 % 10_007) / 2_888.0 - 1.73)
                .collect()
        })
        .collect();
    let columns = matrix(&rows);
    let separable: Vec<bool> = rows.iter().map(|row| row[0] > 0.5).collect();
    let noise: Vec<bool> = (0..3_000_u32).map(|row| row * 104_729 % 1_009 < 400).collect();
    let one: Vec<bool> = (0..3_000).map(|row| row == 1_234).collect();
    for (labels, alpha) in
        [&separable, &noise, &one].into_iter().flat_map(|l| [1e-6, 1e-2, 1.0, 1e4].map(|a| (l, a)))
    {
        let (weights, intercept) = fit_logistic(&columns, labels, alpha).unwrap();
        assert!(weights.iter().chain([&intercept]).all(|value| value.is_finite()), "{alpha} {weights:?}");
    }
    let (weights, _) = fit_logistic(&columns, &separable, 1.0).unwrap();
    assert!(auc(&columns.dot(&ndarray::Array1::from(weights)).to_vec(), &separable) > 0.999);
}

#[test]
fn without_inputs_the_intercept_is_the_base_rate() {
    let labels: Vec<bool> = (0..400).map(|row| row % 8 == 0).collect();
    let (weights, intercept) = fit_logistic(&Array2::zeros((400, 0)), &labels, 1.0).unwrap();
    assert!(weights.is_empty());
    assert!((intercept - (1.0_f64 / 7.0).ln()).abs() < 1e-4, "{intercept}");
    let (weights, intercept) = fit_logistic(&Array2::zeros((400, 2)), &labels, 1.0).unwrap();
    assert_eq!(weights, [0.0, 0.0]);
    assert!((intercept - (1.0_f64 / 7.0).ln()).abs() < 1e-4, "{intercept}");
}
