//! Gradient boosting: beside an exact tree builder and LightGBM, on any thread count, and against bad input.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod drawing;
mod exactness;
mod explaining;
mod figures;
mod files;
mod monotone;
mod naive;
mod refusals;
mod stopping;

use learners::boosting::{GradientBoosting, GradientBoostingParams};
use linfa::DatasetBase;
use linfa::traits::Fit;
use ndarray::{Array1, Array2, ShapeBuilder};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Inputs beside labels.
pub type Data = DatasetBase<Array2<f64>, Array1<bool>>;

/// A number in [0, 1).
pub fn uniform(random: &mut ChaCha8Rng) -> f64 {
    f64::from(random.next_u32()) / 4_294_967_296.0
}

/// Rows of `levels` distinct values per column in [−1, 1], a share of them missing; labels that depend on the first
/// column, on a product of the next two, and on whether the last is missing.
pub fn data(seed: u64, rows: usize, columns: usize, levels: u32, missing: f64) -> Data {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut inputs = Array2::zeros((rows, columns).f());
    for input in &mut inputs {
        let level = (uniform(&mut random) * f64::from(levels)).floor();
        let is_missing = uniform(&mut random) < missing;
        *input = if is_missing { f64::NAN } else { 2.0 * level / f64::from(levels - 1) - 1.0 };
    }
    let present = |value: f64| if value.is_nan() { 0.3 } else { value };
    let labels = inputs.rows().into_iter().map(|row| {
        let product = present(row[1 % columns]) * present(row[2 % columns]);
        let absent = f64::from(u8::from(row[columns - 1].is_nan()));
        let logit = 2.0 * present(row[0]) + 4.0 * product + absent - 0.5;
        uniform(&mut random) < 1.0 / (1.0 + (-logit).exp())
    });
    let labels: Array1<bool> = labels.collect();
    DatasetBase::new(inputs, labels)
}

/// Few rows need small leaves.
pub fn small() -> GradientBoostingParams {
    GradientBoosting::params().rows_per_leaf(5).trees(10).leaves(8)
}

pub fn fit(params: &GradientBoostingParams, data: &Data) -> GradientBoosting {
    params.fit(data).unwrap()
}

/// Every bit of a model.
pub fn text(model: &GradientBoosting) -> String {
    serde_json::to_string(model).unwrap()
}

pub fn logits(model: &GradientBoosting, inputs: &Array2<f64>) -> Vec<f64> {
    inputs.rows().into_iter().map(|row| model.logit(&row.to_vec()).unwrap()).collect()
}

/// Mean −ln of the probability of what happened.
pub fn loss(model: &GradientBoosting, data: &Data) -> f64 {
    let of_row = |(logit, label): (&f64, &bool)| (1.0 + (if *label { -logit } else { *logit }).exp()).ln();
    let logits = logits(model, &data.records);
    logits.iter().zip(&data.targets).map(of_row).sum::<f64>() / logits.len() as f64
}
