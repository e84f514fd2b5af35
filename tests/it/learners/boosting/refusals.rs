//! What cannot be learned from, or asked for, ends in a named error.

use learners::boosting::{BoostingError, GradientBoosting, GradientBoostingParams};
use linfa::traits::{Fit, Predict};
use linfa::{DatasetBase, ParamGuard};
use ndarray::{Array1, Array2};

use super::{Data, data, fit, small};

fn code<T>(result: Result<T, BoostingError>) -> String {
    let text = result.err().map_or_else(|| "none".to_string(), |error| error.to_string());
    text.split(':').next().unwrap_or_default().to_string()
}

fn of(records: Array2<f64>, labels: &[bool]) -> Data {
    DatasetBase::new(records, Array1::from_vec(labels.to_vec()))
}

#[test]
fn data_that_cannot_be_learned_from_is_refused_by_name() {
    let column = |values: &[f64]| Array2::from_shape_fn((values.len(), 1), |(row, _)| values[row]);
    let (two, labels) = (column(&[1.0, 2.0]), [true, false]);
    let refused = |data: Data| code(GradientBoosting::params().fit(&data));
    assert_eq!(refused(of(Array2::zeros((0, 3)), &[])), "no_rows");
    assert_eq!(refused(of(Array2::zeros((2, 0)), &labels)), "no_columns");
    assert_eq!(refused(of(two.clone(), &labels[..1])), "rows_differ");
    assert_eq!(refused(of(two.clone(), &[true, true])), "one_class");
    assert_eq!(refused(of(two.clone(), &[false, false])), "one_class");
    assert_eq!(refused(of(column(&[1.0]), &[true])), "one_class");
    for bad in [f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(refused(of(column(&[1.0, bad]), &labels)), "not_finite");
    }
    for bad in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let weighted = of(two.clone(), &labels).with_weights(Array1::from_vec(vec![1.0, bad]));
        assert_eq!(refused(weighted), "bad_weight");
    }
    assert_eq!(refused(of(two.clone(), &labels).with_weights(Array1::ones(3))), "weights_differ");
    assert_eq!(refused(of(two, &labels)), "none");
}

#[test]
fn parameters_out_of_range_are_refused_by_name() {
    let data = data(70, 100, 2, 10, 0.0);
    let bad: [GradientBoostingParams; 21] = [
        small().trees(0),
        small().leaves(1),
        small().leaves(usize::MAX),
        small().learning_rate(0.0),
        small().learning_rate(f64::NAN),
        small().learning_rate(1.5),
        small().bins(1),
        small().bins(256),
        small().rows_per_leaf(0),
        small().hessian_per_leaf(-1.0),
        small().hessian_per_leaf(0.0),
        small().l2(-1.0),
        small().l2(f64::INFINITY),
        small().gain(f64::NAN),
        small().column_share(0.0),
        small().row_share(1.1),
        small().patience(Some(0)),
        small().validation_share(1.0),
        small().validation_share(-0.1),
        small().monotone(vec![2, 0]),
        small().threads(Some(0)),
    ];
    for params in bad {
        assert_eq!(code(params.fit(&data)), "bad_parameter", "{params:?}");
    }
    assert_eq!(code(small().monotone(vec![1]).fit(&data)), "columns_differ");
    assert_eq!(code(small().hessian_per_leaf(0.0).l2(1.0).fit(&data)), "none");
}

#[test]
fn rows_of_another_width_are_refused() {
    let (narrow, wide) = (data(71, 100, 2, 10, 0.0), data(72, 100, 3, 10, 0.0));
    let model = fit(&small(), &narrow);
    assert_eq!(code(model.logit(&[1.0])), "columns_differ");
    assert_eq!(code(model.contributions(&[1.0; 3])), "columns_differ");
    assert_eq!(code(model.predict_probabilities(&wide.records)), "columns_differ");
    assert_eq!(code(small().check().unwrap().fit_validated(&narrow, &wide)), "columns_differ");
}

#[test]
fn rows_that_leave_nothing_to_judge_or_learn_are_refused() {
    let tiny = of(Array2::from_shape_fn((2, 1), |(row, _)| row as f64), &[true, false]);
    let refused = code(small().validation_share(0.999).fit(&tiny));
    assert_eq!(refused, "no_rows");
}

#[test]
fn extreme_weights_stay_finite() {
    let data = data(73, 500, 3, 50, 0.1);
    for (small_weight, large_weight) in [(1e-38, 1e-37), (1e37, 1e38), (1e-30, 1e30)] {
        let weights = (0..500).map(|row| if row % 2 == 0 { small_weight } else { large_weight }).collect();
        let model = fit(&small().hessian_per_leaf(0.0).l2(1e-40), &data.clone().with_weights(weights));
        let probabilities = model.predict_probabilities(&data.records).unwrap();
        assert!(probabilities.iter().all(|p| (0.0..=1.0).contains(p)));
    }
    let by_label = data.targets.iter().map(|label| if *label { 1e30 } else { 1e-30 }).collect();
    let model = fit(&small(), &data.clone().with_weights(by_label));
    assert!(model.logit(&[0.0; 3]).unwrap().is_finite());
}

#[test]
fn linfa_predicts_through_its_own_trait() {
    let data = data(74, 500, 3, 50, 0.1);
    let model = fit(&small(), &data);
    let predicted: Array1<bool> = model.predict(&data.records);
    let probabilities = model.predict_probabilities(&data.records).unwrap();
    assert!(predicted.iter().zip(&probabilities).all(|(label, p)| *label == (*p >= 0.5)));
    let right = predicted.iter().zip(&data.targets).filter(|(a, b)| a == b).count();
    assert!(right > 350, "{right}");
}
