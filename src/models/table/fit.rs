//! The recipe of a table's goal, a function of the rows that are known: weights or trees from all but the newest rows, and
//! intercept and slope from the newest, which the weights have not seen.

use linfa::traits::Fit;
use linfa::{DatasetBase, ParamGuard};
use ndarray::{Array1, Array2, ShapeBuilder};

use super::columns::columns_of;
use super::error::TableGoalError;
use super::rows::LabelledRows;
use super::shift::{intercept_and_slope, newest_alike};
use learners::boosting::GradientBoosting;
use learners::calibration::Calibration;
use learners::logistic::{TOLERANCE, fit_logistic_weighted};
use registry::model::{ModelKind, mean_and_scale, standardised};
use registry::table::TableColumn;

/// Standardised inputs are held within this many standard deviations.
pub(super) const CLIP: f64 = 3.0;
/// Learning rate of the trees.
pub(super) const TREE_RATE: f64 = 0.05;
/// Penalty on the squared values of leaves.
pub(super) const LEAF_PENALTY: f64 = 10.0;
/// Rows of a leaf at least.
const ROWS_PER_LEAF: usize = 30;
/// The newest rows calibrate: so many at least …
const CALIBRATION_ROWS: usize = 1_000;
/// … with so many of either outcome, but at most one in ten of the rows …
const CALIBRATION_OUTCOMES: usize = 50;
const CALIBRATION_SHARE: usize = 10;
/// … unless that leaves fewer than so many of an outcome; then at most one in four.
const FEWEST_OUTCOMES: usize = 20;
const LARGEST_SHARE: usize = 4;

/// What is fitted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Shape {
    /// Logistic regression with this penalty: the loss is a sum over rows.
    Logistic { penalty: f64 },
    /// Boosted trees.
    Boosting { trees: usize, leaves: usize },
}

/// A candidate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TableRecipe {
    pub(super) shape: Shape,
    /// Rows weigh half as much every so many shares of the rows.
    pub(super) half_life: Option<f64>,
}

impl TableRecipe {
    pub(super) fn kind(&self) -> ModelKind {
        match self.shape {
            Shape::Logistic { .. } => ModelKind::LogisticRegression,
            Shape::Boosting { .. } => ModelKind::GradientBoosting,
        }
    }

    /// Strength of the penalty.
    pub(super) fn penalty(&self) -> f64 {
        match self.shape {
            Shape::Logistic { penalty } => penalty,
            Shape::Boosting { .. } => LEAF_PENALTY,
        }
    }
}

/// The goal with its rows and the columns that may be inputs.
#[derive(Clone, Copy)]
pub(super) struct TableLearner<'a> {
    pub(super) goal: &'a str,
    pub(super) rows: &'a LabelledRows<'a>,
    pub(super) candidates: &'a [usize],
    pub(super) seed: u64,
}

/// What the recipe made of the rows that were known.
#[derive(Clone, Debug)]
pub(super) struct TableFit {
    pub(super) columns: Vec<TableColumn>,
    pub(super) means: Vec<f64>,
    pub(super) scales: Vec<f64>,
    pub(super) weights: Vec<f64>,
    pub(super) intercept: f64,
    pub(super) trees: Option<GradientBoosting>,
    pub(super) calibration: Calibration,
    /// Share of positives among the newest rows: what a model without inputs would say.
    pub(super) newest_rate: f64,
    /// First row that calibrates.
    pub(super) calibrates_from: usize,
}

/// Rows × inputs in columns.
pub(super) struct InputMatrix {
    pub(super) columns: Vec<Vec<f64>>,
}

impl TableFit {
    /// The raw logit of a row of inputs.
    pub(super) fn logit(&self, inputs: &[f64]) -> f64 {
        if let Some(trees) = &self.trees {
            return self.intercept + trees.logit_of(|index| inputs[index]);
        }
        let mut sum = self.intercept;
        for (index, value) in inputs.iter().enumerate() {
            sum += standardised(*value, self.means[index], self.scales[index], CLIP) * self.weights[index];
        }
        sum
    }
}

impl TableLearner<'_> {
    /// The inputs of a row as some columns read it.
    pub(super) fn inputs(&self, columns: &[TableColumn], position: usize, inputs: &mut Vec<f64>) {
        inputs.clear();
        let row = self.rows.order[position];
        for (column, index) in columns.iter().zip(self.candidates) {
            column.read(self.rows.table.columns()[*index].cell(row), inputs);
        }
    }

    /// The inputs of some rows.
    pub(super) fn matrix(&self, columns: &[TableColumn], positions: &[usize]) -> InputMatrix {
        let width = columns.iter().map(|column| column.input_names().len()).sum();
        let mut matrix = InputMatrix { columns: vec![Vec::with_capacity(positions.len()); width] };
        let mut inputs = Vec::with_capacity(width);
        for position in positions {
            self.inputs(columns, *position, &mut inputs);
            matrix.columns.iter_mut().zip(&inputs).for_each(|(column, value)| column.push(*value));
        }
        matrix
    }

    /// Probabilities of some rows by a fit.
    pub(super) fn probabilities(&self, fit: &TableFit, positions: std::ops::Range<usize>) -> Vec<f64> {
        let mut inputs = Vec::new();
        positions
            .map(|position| {
                self.inputs(&fit.columns, position, &mut inputs);
                fit.calibration.probability(fit.logit(&inputs))
            })
            .collect()
    }

    /// Where the rows begin that calibrate, of the first `end` rows.
    pub(super) fn calibrates_from(&self, end: usize) -> usize {
        let least = end - end / LARGEST_SHARE;
        let (mut from, mut positives, mut negatives) = (end, 0, 0);
        while from > least {
            let (rows, rarer) = (end - from, positives.min(negatives));
            let is_enough = rows >= CALIBRATION_ROWS && rarer >= CALIBRATION_OUTCOMES;
            if is_enough || (rows >= end / CALIBRATION_SHARE && rarer >= FEWEST_OUTCOMES) {
                break;
            }
            from -= 1;
            *if self.rows.labels[from] { &mut positives } else { &mut negatives } += 1;
        }
        self.rows.boundary(from, least.saturating_sub(1)).max(1)
    }

    /// The recipe applied to the first `end` rows; every `stride`-th row teaches weights, all calibrate.
    ///
    /// # Errors
    /// When either outcome is missing among the rows that teach.
    pub(super) fn fit(
        &self,
        end: usize,
        recipe: TableRecipe,
        stride: usize,
    ) -> Result<TableFit, TableGoalError> {
        let from = self.calibrates_from(end);
        let known: Vec<usize> = (0..from).rev().step_by(stride.max(1)).collect();
        let known: Vec<usize> = known.into_iter().rev().collect();
        let positives = known.iter().filter(|position| self.rows.labels[**position]).count();
        if positives == 0 || positives == known.len() {
            let goal = self.goal.to_string();
            return Err(TableGoalError::OneClass { goal, part: "train", rows: known.len(), positives });
        }
        let columns = columns_of(self.rows, self.candidates, &known);
        let matrix = self.matrix(&columns, &known);
        let weights = weights_of(&known, from, recipe.half_life);
        let labels: Vec<bool> = known.iter().map(|position| self.rows.labels[*position]).collect();
        let mut fit = match recipe.shape {
            Shape::Logistic { penalty } => {
                self.fit_weights(columns, &matrix, &labels, &weights, penalty / stride as f64)?
            }
            Shape::Boosting { trees, leaves } => {
                self.fit_trees(columns, matrix, &labels, &weights, (trees, leaves))?
            }
        };
        self.calibrate(&mut fit, from, end);
        Ok(fit)
    }

    fn calibrate(&self, fit: &mut TableFit, from: usize, end: usize) {
        let mut inputs = Vec::new();
        let logits: Vec<f64> = (from..end)
            .map(|position| {
                self.inputs(&fit.columns, position, &mut inputs);
                fit.logit(&inputs)
            })
            .collect();
        let labels = &self.rows.labels[from..end];
        let alike = newest_alike(&logits, labels);
        let positives = labels[alike..].iter().filter(|label| **label).count() as f64;
        fit.calibration = intercept_and_slope(&logits[alike..], &labels[alike..]);
        fit.newest_rate = (positives + 0.5) / ((labels.len() - alike) as f64 + 1.0);
        fit.calibrates_from = from;
    }

    fn fit_weights(
        &self,
        columns: Vec<TableColumn>,
        matrix: &InputMatrix,
        labels: &[bool],
        row_weights: &[f64],
        penalty: f64,
    ) -> Result<TableFit, TableGoalError> {
        let all: Vec<usize> = (0..labels.len()).collect();
        let moments: Vec<(f64, f64)> =
            matrix.columns.iter().map(|column| mean_and_scale(column, &all)).collect();
        let (means, scales): (Vec<f64>, Vec<f64>) = moments.into_iter().unzip();
        let standard = standard_matrix(matrix, &means, &scales, labels.len());
        let fitted = fit_logistic_weighted(&standard, labels, Some(row_weights), penalty, TOLERANCE);
        let (weights, intercept) =
            fitted.map_err(|source| TableGoalError::Logistic { goal: self.goal.to_string(), source })?;
        Ok(TableFit { weights, intercept, trees: None, ..unfitted(columns, means, scales) })
    }

    fn fit_trees(
        &self,
        columns: Vec<TableColumn>,
        matrix: InputMatrix,
        labels: &[bool],
        row_weights: &[f64],
        (trees, leaves): (usize, usize),
    ) -> Result<TableFit, TableGoalError> {
        let failed = |source| TableGoalError::Boosting { goal: self.goal.to_string(), source };
        let all: Vec<usize> = (0..labels.len()).collect();
        let moments: Vec<(f64, f64)> =
            matrix.columns.iter().map(|column| mean_and_scale(column, &all)).collect();
        let (means, scales): (Vec<f64>, Vec<f64>) = moments.into_iter().unzip();
        let raw = Array2::from_shape_fn((labels.len(), matrix.columns.len()).f(), |(row, column)| {
            matrix.columns[column][row]
        });
        let weights = Array1::from_iter(row_weights.iter().map(|weight| *weight as f32));
        let data = DatasetBase::new(raw, Array1::from(labels.to_vec())).with_weights(weights);
        let params = GradientBoosting::params().trees(trees).leaves(leaves).learning_rate(TREE_RATE);
        let params = params.rows_per_leaf(ROWS_PER_LEAF).l2(LEAF_PENALTY).seed(self.seed);
        let grown = params.check().map_err(failed)?.fit(&data).map_err(failed)?;
        let weights = vec![0.0; means.len()];
        Ok(TableFit { weights, trees: Some(grown), ..unfitted(columns, means, scales) })
    }
}

fn unfitted(columns: Vec<TableColumn>, means: Vec<f64>, scales: Vec<f64>) -> TableFit {
    TableFit {
        columns,
        means,
        scales,
        weights: Vec::new(),
        intercept: 0.0,
        trees: None,
        calibration: Calibration::None,
        newest_rate: 0.5,
        calibrates_from: 0,
    }
}

/// Standardised inputs, column-major; a missing value is the mean.
pub(super) fn standard_matrix(
    matrix: &InputMatrix,
    means: &[f64],
    scales: &[f64],
    rows: usize,
) -> Array2<f64> {
    Array2::from_shape_fn((rows, matrix.columns.len()).f(), |(row, column)| {
        standardised(matrix.columns[column][row], means[column], scales[column], CLIP)
    })
}

/// 2^(−age / half-life), at most 1, the age being rows back from `end` and the half-life a share of them.
fn weights_of(known: &[usize], end: usize, half_life: Option<f64>) -> Vec<f64> {
    let Some(share) = half_life else { return vec![1.0; known.len()] };
    let half = share * end as f64;
    known.iter().map(|position| libm::exp2(-((end - 1 - position) as f64) / half)).collect()
}
