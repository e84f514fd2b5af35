//! Beside LightGBM's stored figures: the same trees, so the same logits and contributions.

use learners::boosting::GradientBoosting;
use linfa::DatasetBase;
use ndarray::{Array1, Array2};
use serde::Deserialize;

use super::{Data, fit};

#[derive(Deserialize)]
struct Figures {
    trees: usize,
    leaves: usize,
    hessian_per_leaf: f64,
    learning_rate: f64,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    l2: f64,
    monotone: Vec<i8>,
    /// Rows; missing values are null.
    inputs: Vec<Vec<Option<f64>>>,
    labels: Vec<u8>,
    weights: Vec<f32>,
    logits: Vec<f64>,
    /// Of the first rows: each input's, then the mean.
    contributions: Vec<Vec<f64>>,
}

impl Case {
    fn data(&self) -> Data {
        let shape = (self.inputs.len(), self.inputs[0].len());
        let input = |(row, column): (usize, usize)| self.inputs[row][column].unwrap_or(f64::NAN);
        let labels: Array1<bool> = self.labels.iter().map(|label| *label == 1).collect();
        let data = DatasetBase::new(Array2::from_shape_fn(shape, input), labels);
        data.with_weights(Array1::from_vec(self.weights.clone()))
    }
}

fn figures() -> Figures {
    serde_json::from_str(include_str!("../../../data/boosting_figures.json")).unwrap()
}

#[test]
fn logits_and_contributions_are_those_of_lightgbm() {
    let figures = figures();
    for case in &figures.cases {
        let params = GradientBoosting::params()
            .trees(figures.trees)
            .leaves(figures.leaves)
            .hessian_per_leaf(figures.hessian_per_leaf)
            .learning_rate(figures.learning_rate)
            .rows_per_leaf(1)
            .l2(case.l2)
            .monotone(case.monotone.clone());
        let (model, data) = (fit(&params, &case.data()), case.data());
        for (index, (row, theirs)) in data.records.rows().into_iter().zip(&case.logits).enumerate() {
            let ours = model.logit(&row.to_vec()).unwrap();
            assert!((ours - theirs).abs() < 1e-5, "{} row {index}: {ours} {theirs}", case.name);
        }
        for (row, theirs) in data.records.rows().into_iter().zip(&case.contributions) {
            let parts = model.contributions(&row.to_vec()).unwrap();
            let ours = parts.inputs.iter().chain([&parts.bias]);
            assert!(
                ours.zip(theirs).all(|(a, b)| (a - b).abs() < 1e-5),
                "{}: {parts:?} {theirs:?}",
                case.name
            );
        }
    }
}
