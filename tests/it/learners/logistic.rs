//! Logistic regression beside scikit-learn's coefficients: the same side up whichever class is larger.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use evaluation::classification::auc;
use learners::logistic::{FitError, LogisticRegression, Solver, fit_logistic, fit_logistic_weighted};
use linfa::prelude::{Fit, ParamGuard, Predict};
use linfa::{Dataset, DatasetBase};
use ndarray::{Array1, Array2, Axis, ShapeBuilder};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::Deserialize;

use super::figures::{figures, happened};

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

/// What `tests/data/logistic_figures.py` stored.
pub fn stored<T: for<'a> Deserialize<'a>>(key: &str) -> T {
    let text = include_str!("../../data/logistic_figures.json");
    let mut all: serde_json::Value = serde_json::from_str(text).unwrap();
    serde_json::from_value(all[key].take()).unwrap()
}

/// The rows behind the stored fits.
pub fn stored_matrix() -> Array2<f64> {
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

#[derive(Deserialize)]
struct WeightedFigures {
    name: String,
    alpha: f64,
    labels: Vec<u8>,
    weights: Vec<f64>,
    intercept: f64,
}

#[test]
fn coefficients_of_weighted_rows_are_those_of_scikit_learn() {
    let (columns, row_weights): (_, Vec<f64>) = (stored_matrix(), stored("row_weights"));
    for case in stored::<Vec<WeightedFigures>>("weighted") {
        let labels = happened(&case.labels);
        let (weights, intercept) =
            fit_logistic_weighted(&columns, &labels, Some(&row_weights), case.alpha, 1e-9).unwrap();
        let what = format!("{} {}: {weights:?} {intercept}", case.name, case.alpha);
        assert!(weights.iter().zip(&case.weights).all(|(a, b)| (a - b).abs() < 1e-5), "{what}");
        assert!((intercept - case.intercept).abs() < 1e-5, "{what}");
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

/// Rows of seeded, correlated inputs, with labels that follow them.
pub fn world(rows: usize, inputs: usize, seed: u64) -> (Array2<f64>, Vec<bool>) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut uniform = move || (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
    let mut columns = Array2::zeros((rows, inputs).f());
    columns.iter_mut().for_each(|input| *input = 3.4 * (uniform() - 0.5));
    for input in 1..inputs {
        let before = columns.column(input - 1).to_owned();
        columns.column_mut(input).scaled_add(0.4, &before);
    }
    let weight = |input: usize| [0.9, -0.5, 0.3, 0.0][input % 4] / (1.0 + input as f64 / 8.0);
    let logits = columns.dot(&(0..inputs).map(weight).collect::<Array1<f64>>()) - 1.5;
    let labels = logits.iter().map(|logit| uniform() < 1.0 / (1.0 + (-logit).exp())).collect();
    (columns, labels)
}

fn all_bits(fitted: &LogisticRegression) -> Vec<u64> {
    fitted.weights.iter().chain([&fitted.intercept]).map(|value| value.to_bits()).collect()
}

fn largest_difference(a: &LogisticRegression, b: &LogisticRegression) -> f64 {
    let weights = a.weights.iter().zip(&b.weights).map(|(a, b)| (a - b).abs());
    weights.fold((a.intercept - b.intercept).abs(), f64::max)
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    for (rows, inputs, solver) in
        [(50_000, 9, Solver::ByWidth), (9_000, 5, Solver::Lbfgs), (300, 3, Solver::Newton)]
    {
        let (columns, labels) = world(rows, inputs, 11);
        let weights: Vec<f64> = (0..rows).map(|row| [1.0, 0.25, 3.0][row % 3]).collect();
        let fit = |threads: usize| {
            let params = LogisticRegression::params().threads(threads).solver(solver).check().unwrap();
            all_bits(&params.fit_weighted(columns.view(), &labels, Some(&weights)).unwrap())
        };
        assert!([2, 3, 8].map(fit).iter().all(|bits| *bits == fit(1)), "{rows} rows");
    }
}

#[test]
fn a_weight_of_two_is_a_row_written_twice_and_a_weight_of_zero_a_row_left_out() {
    let (columns, labels) = world(6_000, 4, 12);
    let times: Vec<usize> = (0..6_000).map(|row| row * 7 % 4).collect();
    let rows: Vec<usize> = (0..6_000).flat_map(|row| std::iter::repeat_n(row, times[row])).collect();
    let repeated = matrix(&rows.iter().map(|row| columns.row(*row).to_vec()).collect::<Vec<_>>());
    let their_labels: Vec<bool> = rows.iter().map(|row| labels[*row]).collect();
    let weights: Vec<f64> = times.iter().map(|times| *times as f64).collect();
    let (a, b) = fit_logistic_weighted(&columns, &labels, Some(&weights), 2.0, 1e-10).unwrap();
    let (c, d) = fit_logistic_weighted(&repeated, &their_labels, None, 2.0, 1e-10).unwrap();
    assert!(a.iter().zip(&c).all(|(a, c)| (a - c).abs() < 1e-8) && (b - d).abs() < 1e-8, "{a:?} {c:?}");
}

#[test]
fn ones_for_weights_change_not_one_bit() {
    let (columns, labels) = world(20_000, 6, 13);
    let plain = fit_logistic_weighted(&columns, &labels, None, 1.0, 1e-6).unwrap();
    let weighted = fit_logistic_weighted(&columns, &labels, Some(&[1.0; 20_000]), 1.0, 1e-6).unwrap();
    assert_eq!(plain, weighted);
}

#[test]
fn both_solvers_find_the_same_minimum() {
    for (rows, inputs) in [(40_000, 12), (2_000, 30), (600, 320)] {
        let (columns, labels) = world(rows, inputs, 14);
        let fit = |solver: Solver| {
            let params = LogisticRegression::params().alpha(3.0).tolerance(1e-9).solver(solver);
            params.check().unwrap().fit_weighted(columns.view(), &labels, None).unwrap()
        };
        let difference = largest_difference(&fit(Solver::Newton), &fit(Solver::Lbfgs));
        assert!(difference < 1e-5, "{rows} × {inputs}: {difference:e}");
        assert!(largest_difference(&fit(Solver::ByWidth), &fit(Solver::Newton)) < 1e-5);
    }
}

#[test]
fn a_part_of_the_rows_that_is_unlike_the_whole_misleads_nobody() {
    // The blocks that the solver looks at first say the opposite of all others.
    let (columns, mut labels) = world(60_000, 3, 15);
    for (row, label) in labels.iter_mut().enumerate() {
        *label ^= row / 256 % 16 == 0;
    }
    let fit = |solver: Solver| {
        let params = LogisticRegression::params().tolerance(1e-8).solver(solver).check().unwrap();
        params.fit_weighted(columns.view(), &labels, None).unwrap()
    };
    assert!(largest_difference(&fit(Solver::Newton), &fit(Solver::Lbfgs)) < 1e-5);
    let sorted: Vec<bool> = (0..60_000).map(|row| row >= 30_000).collect();
    let (weights, intercept) = fit_logistic(&columns, &sorted, 1.0).unwrap();
    assert!(weights.iter().chain([&intercept]).all(|value| value.abs() < 0.1), "{weights:?} {intercept}");
}

#[test]
fn it_is_a_linfa_estimator_whose_data_set_may_be_weighted() {
    let (columns, labels) = world(2_000, 3, 16);
    let labels_array = Array1::from(labels.clone());
    let data = Dataset::new(columns.clone(), labels_array.clone());
    let fitted = LogisticRegression::params().alpha(0.5).fit(&data).unwrap();
    let weighted = data.with_weights(Array1::from_elem(2_000, 2.0_f32));
    let twice = LogisticRegression::params().alpha(1.0).fit(&weighted).unwrap();
    assert!(largest_difference(&fitted, &twice) < 1e-4, "twice the loss, twice the penalty");
    let predicted: Array1<bool> = fitted.predict(&columns);
    let right = predicted.iter().zip(&labels).filter(|(a, b)| a == b).count();
    assert!(right > 1_500, "{right}");
    let probabilities = fitted.probabilities(&columns);
    assert!(probabilities.iter().zip(&predicted).all(|(p, label)| (*p >= 0.5) == *label));
    let view = DatasetBase::new(columns.view(), labels_array.view());
    assert_eq!(LogisticRegression::params().alpha(0.5).fit(&view).unwrap(), fitted);
}

#[test]
fn weights_and_tolerances_that_mean_nothing_are_refused_by_name() {
    let columns = matrix(&[vec![1.0], vec![-1.0], vec![0.5]]);
    let labels = [true, false, true];
    let fit = |weights: &[f64], tolerance: f64| -> String {
        let result = fit_logistic_weighted(&columns, &labels, Some(weights), 1.0, tolerance);
        result.unwrap_err().to_string().split(':').next().unwrap().to_string()
    };
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(fit(&[1.0, 1.0, bad], 1e-6), "bad_weights");
        assert_eq!(fit(&[1.0; 3], bad), "bad_tolerance");
    }
    assert_eq!(fit(&[0.0; 3], 1e-6), "bad_weights");
    assert_eq!(fit(&[1e308; 3], 1e-6), "bad_weights");
    assert_eq!(fit(&[1.0, 0.0, 1.0], 1e-6), "one_class");
    assert_eq!(fit(&[0.0, 1.0, 0.0], 1e-6), "one_class");
    assert_eq!(fit(&[1.0; 2], 1e-6), "rows_differ");
}

#[test]
fn degenerate_rows_end_in_a_finite_answer_or_an_error_with_a_name() {
    let finite = |columns: &Array2<f64>, labels: &[bool], weights: Option<&[f64]>| {
        for (alpha, tolerance) in
            [1e-12, 1e-6, 1.0, 1e6].into_iter().flat_map(|a| [1e-6, 1e-10].map(|t| (a, t)))
        {
            for solver in [Solver::Newton, Solver::Lbfgs] {
                let params = LogisticRegression::params().alpha(alpha).tolerance(tolerance).solver(solver);
                match params.check().unwrap().fit_weighted(columns.view(), labels, weights) {
                    Ok(fitted) => {
                        assert!(fitted.weights.iter().chain([&fitted.intercept]).all(|w| w.is_finite()))
                    }
                    Err(error) => {
                        assert!(
                            error.to_string().starts_with("not_converged: ") && solver == Solver::Lbfgs,
                            "{error}"
                        );
                    }
                }
            }
        }
    };
    finite(&matrix(&[vec![1.0], vec![-1.0]]), &[true, false], None);
    finite(&matrix(&[vec![0.0, 0.0], vec![0.0, 0.0]]), &[true, false], None);
    finite(&matrix(&[vec![1e6, 1e6], vec![-1e6, 1e6], vec![1e6, -1e6]]), &[true, false, true], None);
    let (columns, labels) = world(30_000, 4, 17);
    let first = columns.column(0).to_owned();
    let mut alike = columns.clone();
    (1..4).for_each(|input| alike.column_mut(input).assign(&first));
    finite(&alike, &labels, None);
    finite(&columns, &first.iter().map(|input| *input > 0.1).collect::<Vec<bool>>(), None);
    let tiny: Vec<f64> = (0..30_000).map(|row| if row % 2 == 0 { 1e-300 } else { 1.0 }).collect();
    finite(&columns, &labels, Some(&tiny));
    let wide: Array2<f64> = columns.select(Axis(0), &(0..40).collect::<Vec<_>>()).dot(&world(4, 90, 18).0);
    finite(&wide, &labels[..40], None);
}
