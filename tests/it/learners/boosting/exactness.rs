//! Trees are those of the exact builder; weights are repeated rows; the order of rows is nothing.

use learners::boosting::GradientBoosting;
use linfa::DatasetBase;
use ndarray::{Array1, Axis};
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::naive::{self, BoostingPlan};
use super::{Data, data, fit, logits, loss, small, text, uniform};

fn weighted(data: Data, seed: u64) -> Data {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let weights: Array1<f32> =
        (0..data.targets.len()).map(|_| 0.1 + 3.0 * uniform(&mut random) as f32).collect();
    data.with_weights(weights)
}

fn params(plan: &BoostingPlan) -> learners::boosting::GradientBoostingParams {
    GradientBoosting::params()
        .trees(plan.trees)
        .leaves(plan.leaves)
        .rows_per_leaf(plan.rows_per_leaf)
        .learning_rate(plan.learning_rate)
        .l2(plan.l2)
        .hessian_per_leaf(plan.hessian_per_leaf)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn logits_are_those_of_the_exact_builder(
        seed in 0..u64::MAX,
        (rows, columns, levels) in (40_usize..300, 1_usize..6, 2_u32..200),
        (leaves, rows_per_leaf) in (2_usize..12, 1_usize..20),
        missing in prop_oneof![Just(0.0), 0.0..0.6],
        is_weighted: bool,
        l2 in prop_oneof![Just(0.0), 0.0..5.0],
    ) {
        let data = data(seed, rows, columns, levels, missing);
        let is_one_class = data.targets.iter().all(|label| *label == data.targets[0]);
        prop_assume!(!is_one_class);
        let data = if is_weighted { weighted(data, seed) } else { data };
        let plan = BoostingPlan { trees: 4, leaves, rows_per_leaf, learning_rate: 0.3, l2, hessian_per_leaf: 1e-3 };
        let ours = logits(&fit(&params(&plan), &data), &data.records);
        let (exact, has_tied) = naive::logits(&data, plan);
        let worst = ours.iter().zip(&exact).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        // Splits of equal gain may be chosen either way.
        prop_assume!(worst < 1e-6 || !has_tied);
        prop_assert!(worst < 1e-6, "{worst}");
    }
}

#[test]
fn a_weight_of_three_is_a_row_three_times() {
    let data = data(5, 400, 4, 40, 0.2);
    let times = |row: usize| 1 + row % 3;
    let rows: Vec<usize> = (0..400).flat_map(|row| std::iter::repeat_n(row, times(row))).collect();
    let repeated: Data =
        DatasetBase::new(data.records.select(Axis(0), &rows), data.targets.select(Axis(0), &rows));
    let weighted = data.clone().with_weights((0..400).map(|row| times(row) as f32).collect());
    let params = small().rows_per_leaf(1).hessian_per_leaf(2.0);
    let (a, b) = (fit(&params, &weighted), fit(&params, &repeated));
    let pairs = logits(&a, &data.records).into_iter().zip(logits(&b, &data.records));
    assert!(pairs.clone().all(|(a, b)| (a - b).abs() < 1e-9), "{:?}", pairs.collect::<Vec<_>>());
}

#[test]
fn the_order_of_rows_changes_no_bit() {
    let data = data(6, 3_000, 5, 1_000_000, 0.1);
    let backward: Vec<usize> = (0..3_000).rev().collect();
    let turned: Data =
        DatasetBase::new(data.records.select(Axis(0), &backward), data.targets.select(Axis(0), &backward));
    assert_eq!(text(&fit(&small(), &data)), text(&fit(&small(), &turned)));
}

#[test]
fn the_order_of_memory_changes_no_bit() {
    let data = data(7, 2_000, 5, 1_000, 0.1);
    let by_rows: Data =
        DatasetBase::new(data.records.as_standard_layout().into_owned(), data.targets.clone());
    assert_eq!(text(&fit(&small(), &data)), text(&fit(&small(), &by_rows)));
}

#[test]
fn constant_and_repeated_columns_change_nothing() {
    let data = data(8, 1_000, 3, 100, 0.1);
    let with = |column: Array1<f64>| -> Data {
        let mut records = data.records.clone();
        records.push_column(column.view()).unwrap();
        DatasetBase::new(records, data.targets.clone())
    };
    let plain = logits(&fit(&small(), &data), &data.records);
    let columns =
        [Array1::zeros(1_000), Array1::from_elem(1_000, f64::NAN), data.records.column(0).to_owned()];
    for column in columns {
        let wider = with(column);
        assert_eq!(logits(&fit(&small(), &wider), &wider.records), plain);
    }
    let nothing: Data = DatasetBase::new(ndarray::Array2::zeros((1_000, 1)), data.targets.clone());
    let model = fit(&small(), &nothing);
    let rate = data.targets.iter().filter(|label| **label).count() as f64 / 1_000.0;
    assert_eq!(model.trees(), 0);
    assert!((model.predict_probabilities(&nothing.records).unwrap()[0] - rate).abs() < 1e-12);
}

#[test]
fn extreme_inputs_are_divided_like_any_others() {
    let data = data(9, 600, 3, 50, 0.1);
    let stretched = data.records.mapv(|input| input * 1e308);
    let tiny = data.records.mapv(|input| input * 1e-320);
    let plain = fit(&small(), &data);
    for records in [stretched, tiny] {
        let other: Data = DatasetBase::new(records, data.targets.clone());
        assert!((loss(&fit(&small(), &other), &other) - loss(&plain, &data)).abs() < 0.02);
    }
}

#[test]
fn perfect_separation_stays_finite() {
    let records = ndarray::Array2::from_shape_fn((500, 1), |(row, _)| row as f64);
    let targets = (0..500).map(|row| row >= 250).collect();
    let data: Data = DatasetBase::new(records, targets);
    let model = fit(&small().trees(500), &data);
    let probabilities = model.predict_probabilities(&data.records).unwrap();
    assert!(probabilities.iter().zip(&data.targets).all(|(p, label)| p.is_finite() && (*p > 0.5) == *label));
}

#[test]
fn far_more_values_than_bins_lose_little() {
    let (many, fresh) = (data(10, 20_000, 4, 1_000_000, 0.05), data(11, 20_000, 4, 1_000_000, 0.05));
    let coarse = fit(&small().trees(60).bins(16), &many);
    let fine = fit(&small().trees(60), &many);
    let base = fit(&small().trees(1).learning_rate(1e-9), &many);
    let (base, coarse, fine) = (loss(&base, &fresh), loss(&coarse, &fresh), loss(&fine, &fresh));
    assert!(fine.max(coarse) < base - 0.14 && (coarse - fine).abs() < 0.02, "{base} {coarse} {fine}");
}

#[test]
fn a_missing_value_goes_where_missing_values_went() {
    let records = ndarray::Array2::from_shape_fn((400, 1), |(row, _)| [f64::NAN, 1.0, 2.0, 3.0][row % 4]);
    let targets = (0..400).map(|row| [row % 8 != 0, false, row % 16 == 2, row % 16 != 3][row % 4]).collect();
    let data: Data = DatasetBase::new(records, targets);
    let model = fit(&small().trees(100), &data);
    let p = |value: f64| 1.0 / (1.0 + (-model.logit(&[value]).unwrap()).exp());
    assert!((p(f64::NAN) - 0.5).abs() < 0.02 && p(1.0) < 0.02, "{} {}", p(f64::NAN), p(1.0));
    assert!((p(2.0) - 0.25).abs() < 0.02 && (p(3.0) - 0.75).abs() < 0.02, "{} {}", p(2.0), p(3.0));
}

#[test]
fn a_missing_value_that_never_came_goes_with_most_rows() {
    let records = ndarray::Array2::from_shape_fn((400, 1), |(row, _)| if row < 300 { 1.0 } else { 2.0 });
    let targets = (0..400).map(|row| if row < 300 { row % 10 == 0 } else { row % 10 != 0 }).collect();
    let model = fit(&small(), &DatasetBase::new(records, targets));
    let logit = |value: f64| model.logit(&[value]).unwrap();
    assert_eq!(logit(f64::NAN), logit(1.0));
    assert!(logit(1.0) < logit(2.0));
}
