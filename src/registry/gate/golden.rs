//! Golden rows: made-up inputs with the probability that the trained model gave them, so that a file that was written,
//! carried or read otherwise shows before it is served.

use serde::{Deserialize, Serialize};

use crate::model::Model;
use domain::identity::hash_of;

/// Drawn rows, beside the row of means and the one of which nothing is known.
const DRAWN: usize = 14;

/// Inputs and what was made of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GoldenRow {
    /// A value per input, blocks in order; `None` where nothing is known.
    pub inputs: Vec<Option<f64>>,
    /// The calibrated probability.
    pub probability: f64,
}

impl GoldenRow {
    fn of(model: &Model, inputs: Vec<Option<f64>>) -> GoldenRow {
        let probability = probability(model, &inputs);
        GoldenRow { inputs, probability }
    }

    /// Does the model give the row the same bits?
    pub fn is_reproduced_by(&self, model: &Model) -> bool {
        self.inputs.len() == model.inputs.len()
            && probability(model, &self.inputs).to_bits() == self.probability.to_bits()
    }
}

fn probability(model: &Model, inputs: &[Option<f64>]) -> f64 {
    let values: Vec<f64> = inputs.iter().map(|value| value.unwrap_or(f64::NAN)).collect();
    model.score_row(&values)
}

/// The rows of a model: its means, nothing known, and values up to four deviations from the means, one in nine missing.
pub fn golden_rows(model: &Model) -> Vec<GoldenRow> {
    let means = model.inputs.iter().map(|input| Some(input.mean)).collect();
    let nothing = vec![None; model.inputs.len()];
    let mut rows = vec![GoldenRow::of(model, means), GoldenRow::of(model, nothing)];
    rows.extend((0..DRAWN).map(|row| GoldenRow::of(model, drawn(model, row))));
    rows
}

fn drawn(model: &Model, row: usize) -> Vec<Option<f64>> {
    const FARTHEST: f64 = 4.0;
    let value = |(index, input): (usize, &crate::model::WeightedInput)| {
        let draw = hash_of(format!("golden:{row}:{index}").as_bytes());
        let unit = (draw >> 11) as f64 / (1_u64 << 53) as f64;
        (!draw.is_multiple_of(9)).then_some(input.mean + input.scale * FARTHEST * (2.0 * unit - 1.0))
    };
    model.inputs.iter().enumerate().map(value).collect()
}
