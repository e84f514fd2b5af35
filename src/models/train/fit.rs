//! One fit of a recipe: rows standardised, or as they are, weights or trees, negatives that were left out made up for.

use ndarray::{Array2, ShapeBuilder};

use super::{CLIP, Learner, TrainError};
use crate::examples::Examples;
use crate::recipe::Recipe;
use learners::boosting::GradientBoosting;
use learners::ftrl::Ftrl;
use learners::logistic::{FitError, TOLERANCE};
use registry::model::{mean_and_scale, standardised};

/// Weights with the standardisation that belongs to them, or trees.
#[derive(Clone, Debug)]
pub(super) struct Fitted {
    pub(super) trees: Option<GradientBoosting>,
    pub(super) state: Option<Ftrl>,
    pub(super) recipe: Recipe,
    pub(super) intercept: f64,
    pub(super) means: Vec<f64>,
    pub(super) scales: Vec<f64>,
    pub(super) weights: Vec<f64>,
    pub(super) base_rate: f64,
}

impl Fitted {
    pub(super) fn logit(&self, examples: &Examples, row: usize) -> f64 {
        if let Some(trees) = &self.trees {
            return self.intercept + trees.logit_of(|index| examples.columns[index][row]);
        }
        let mut sum = self.intercept;
        for (index, column) in examples.columns.iter().enumerate() {
            let value = standardised(column[row], self.means[index], self.scales[index], CLIP);
            sum += value * self.weights[index];
        }
        sum
    }
}

/// Standardised rows, column-major, and which they are.
pub(super) struct Prepared {
    rows: Vec<usize>,
    means: Vec<f64>,
    scales: Vec<f64>,
    matrix: Array2<f64>,
    labels: Vec<bool>,
}

impl Learner<'_> {
    /// Standardises some rows.
    pub(super) fn prepare(&self, rows: &[usize]) -> Result<Prepared, TrainError> {
        let columns = &self.examples.columns;
        let moments: Vec<(f64, f64)> =
            parallel::map_each(columns.len(), |index| mean_and_scale(&columns[index], rows));
        let (means, scales): (Vec<f64>, Vec<f64>) = moments.into_iter().unzip();
        let standard = parallel::map_each(columns.len(), |index| -> Vec<f64> {
            let column = &columns[index];
            rows.iter().map(|row| standardised(column[*row], means[index], scales[index], CLIP)).collect()
        });
        let labels: Vec<bool> = rows.iter().map(|row| self.examples.labels[*row]).collect();
        let matrix = Array2::from_shape_vec((rows.len(), columns.len()).f(), standard.concat())
            .map_err(|_| self.failed(FitError::NoRows.into()))?;
        Ok(Prepared { rows: rows.to_vec(), means, scales, matrix, labels })
    }

    /// The rows as they are, column-major.
    fn raw(&self, rows: &[usize]) -> Array2<f64> {
        let columns = &self.examples.columns;
        Array2::from_shape_fn((rows.len(), columns.len()).f(), |(row, index)| columns[index][rows[row]])
    }

    /// What a recipe learns from some rows. Negatives of which only a share was kept would make every probability too
    /// large: the intercept is moved by ln(share) (King and Zeng 2001, prior correction).
    pub(super) fn fit_prepared(
        &self,
        rows: &Prepared,
        recipe: Recipe,
        tolerance: f64,
    ) -> Result<Fitted, TrainError> {
        let learned = match recipe.reads_raw_inputs() {
            true => recipe.fit(&self.raw(&rows.rows), &rows.labels, tolerance),
            false => recipe.fit(&rows.matrix, &rows.labels, tolerance),
        };
        let learned = learned.map_err(|source| self.failed(source))?;
        let kept = 1.0 / f64::from(self.examples.one_kept_of);
        let positives = rows.labels.iter().filter(|label| **label).count() as f64;
        let negatives = (rows.labels.len() as f64 - positives) / kept;
        Ok(Fitted {
            trees: learned.trees,
            state: learned.state,
            recipe,
            intercept: learned.intercept + libm::log(kept),
            means: rows.means.clone(),
            scales: rows.scales.clone(),
            weights: learned.weights,
            base_rate: positives / (positives + negatives),
        })
    }

    pub(super) fn fit(&self, rows: &[usize], recipe: Recipe) -> Result<Fitted, TrainError> {
        self.fit_prepared(&self.prepare(rows)?, recipe, TOLERANCE)
    }
}
