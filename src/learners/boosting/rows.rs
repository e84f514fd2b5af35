//! The rows of a data set that take part, checked once.

use linfa::DatasetBase;
use linfa::dataset::AsSingleTargets;
use ndarray::{ArrayBase, ArrayView1, ArrayView2, Data, Ix2};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::error::BoostingError;

/// Inputs, labels and weights of a data set, and which of its rows are meant.
#[derive(Clone, Debug)]
pub(super) struct BoostingRows<'a> {
    /// Rows × inputs, NaN being missing.
    pub(super) inputs: ArrayView2<'a, f64>,
    pub(super) labels: ArrayView1<'a, bool>,
    /// One a row, or none at all.
    weights: Option<&'a [f32]>,
    /// The rows that are meant, rising.
    pub(super) chosen: Vec<u32>,
}

impl<'a> BoostingRows<'a> {
    /// All rows of a data set.
    ///
    /// # Errors
    /// When there are none or too many, lists differ in length, an input is infinite or a weight not positive.
    pub(super) fn of<D: Data<Elem = f64>, T: AsSingleTargets<Elem = bool>>(
        dataset: &'a DatasetBase<ArrayBase<D, Ix2>, T>,
    ) -> Result<BoostingRows<'a>, BoostingError> {
        let (inputs, labels) = (dataset.records.view(), dataset.targets.as_single_targets());
        let (rows, weights) = (inputs.nrows(), dataset.weights());
        if rows == 0 {
            return Err(BoostingError::NoRows);
        }
        if rows > i32::MAX as usize {
            return Err(BoostingError::TooManyRows(rows));
        }
        if inputs.ncols() == 0 {
            return Err(BoostingError::NoColumns);
        }
        if labels.len() != rows {
            return Err(BoostingError::RowsDiffer { rows, labels: labels.len() });
        }
        check_weights(weights, rows)?;
        check_inputs(inputs)?;
        Ok(BoostingRows { inputs, labels, weights, chosen: (0..rows as u32).collect() })
    }

    /// A row's weight: 1 where there are none.
    pub(super) fn weight(&self, row: u32) -> f64 {
        self.weights.map_or(1.0, |weights| f64::from(weights[row as usize]))
    }

    pub(super) fn label(&self, row: u32) -> bool {
        self.labels[row as usize]
    }

    /// Σ weight of the chosen rows that are false, and of those that are true.
    ///
    /// # Errors
    /// When all labels are the same.
    pub(super) fn weigh(&self) -> Result<(f64, f64), BoostingError> {
        let first = self.label(*self.chosen.first().ok_or(BoostingError::NoRows)?);
        if self.chosen.iter().all(|row| self.label(*row) == first) {
            return Err(BoostingError::OneClass(first));
        }
        let of = |label: bool| {
            let rows = self.chosen.iter().filter(|row| self.label(**row) == label);
            rows.map(|row| self.weight(*row)).sum()
        };
        Ok((of(false), of(true)))
    }

    /// Two parts, the second a seeded share of the rows, each row drawn by itself.
    pub(super) fn split(self, share: f64, seed: u64) -> (BoostingRows<'a>, BoostingRows<'a>) {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(u64::MAX - 1);
        let (second, first): (Vec<u32>, Vec<u32>) =
            self.chosen.iter().partition(|_| f64::from(random.next_u32()) < share * 4_294_967_296.0);
        (BoostingRows { chosen: first, ..self.clone() }, BoostingRows { chosen: second, ..self })
    }
}

fn check_weights(weights: Option<&[f32]>, rows: usize) -> Result<(), BoostingError> {
    let weights = weights.unwrap_or_default();
    if !weights.is_empty() && weights.len() != rows {
        return Err(BoostingError::WeightsDiffer { rows, weights: weights.len() });
    }
    let bad = weights.iter().position(|weight| *weight <= 0.0 || !weight.is_finite());
    bad.map_or(Ok(()), |row| Err(BoostingError::BadWeight { row, weight: weights[row] }))
}

fn check_inputs(inputs: ArrayView2<f64>) -> Result<(), BoostingError> {
    // In the order of memory this is several times faster than with indices, which only an error needs.
    if inputs.fold(true, |sound, input| sound & !input.is_infinite()) {
        return Ok(());
    }
    let infinite = inputs.indexed_iter().find(|(_, input)| input.is_infinite());
    infinite.map_or(Ok(()), |((row, column), _)| Err(BoostingError::NotFinite { row, column }))
}
