//! Whom does a push change? Two learners of uplift from a randomised arm, each a logistic regression or two.

use ndarray::{Array2, ArrayView1, Axis, ShapeBuilder};
use serde::{Deserialize, Serialize};

use super::logistic::{FitError, TOLERANCE, fit_logistic_weighted};
use domain::error::{Coded, ErrorKind};
use domain::numeric::logistic;

/// Why there is no learner.
#[derive(Debug, thiserror::Error)]
pub enum LearnError {
    /// Rows, arms and outcomes are not equally many.
    #[error("rows_differ: {rows} rows, {arms} arms, {outcomes} outcomes")]
    RowsDiffer {
        /// Rows of inputs.
        rows: usize,
        /// Arms.
        arms: usize,
        /// Outcomes.
        outcomes: usize,
    },
    /// Assigned without chance.
    #[error("not_randomised: treated with probability {0}, which is not between 0 and 1")]
    NotRandomised(f64),
    /// A regression has no fit.
    #[error(transparent)]
    Fit(#[from] FitError),
}

impl Coded for LearnError {
    fn code(&self) -> &'static str {
        match self {
            LearnError::RowsDiffer { .. } => "rows_differ",
            LearnError::NotRandomised(_) => "not_randomised",
            LearnError::Fit(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            LearnError::RowsDiffer { .. } | LearnError::NotRandomised(_) => ErrorKind::Caller,
            LearnError::Fit(error) => error.kind(),
        }
    }
}

/// A learner of uplift as a model's file holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Uplift {
    /// Two regressions, one for each arm.
    TLearner(TLearner),
    /// One regression on the transformed class.
    ClassTransformation(ClassTransformation),
}

impl Uplift {
    /// The word used in files and reports.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Uplift::TLearner(_) => "t_learner",
            Uplift::ClassTransformation(_) => "class_transformation",
        }
    }

    /// The uplift of each row of standardised inputs.
    pub fn uplift(&self, columns: &Array2<f64>) -> Vec<f64> {
        match self {
            Uplift::TLearner(learner) => learner.uplift(columns),
            Uplift::ClassTransformation(learner) => learner.uplift(columns),
        }
    }
}

/// Weights and intercept of a logistic regression.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Regression(Vec<f64>, f64);

impl Regression {
    /// `penalty` is for each unit of the rows' weight: the loss is a sum.
    fn fit(
        columns: &Array2<f64>,
        labels: &[bool],
        rows: &[f64],
        penalty: f64,
    ) -> Result<Regression, FitError> {
        if rows.is_empty() {
            return Err(FitError::NoRows);
        }
        let alpha = penalty * rows.iter().sum::<f64>();
        let (weights, intercept) = fit_logistic_weighted(columns, labels, Some(rows), alpha, TOLERANCE)?;
        Ok(Regression(weights, intercept))
    }

    /// On those of the rows that are kept.
    fn fit_some(
        columns: &Array2<f64>,
        labels: &[bool],
        kept: &[bool],
        penalty: f64,
    ) -> Result<Regression, FitError> {
        let rows: Vec<usize> = (0..labels.len()).filter(|row| kept[*row]).collect();
        let shape = (rows.len(), columns.ncols()).f();
        let some = Array2::from_shape_fn(shape, |(row, column)| columns[[rows[row], column]]);
        let labels: Vec<bool> = rows.iter().map(|row| labels[*row]).collect();
        Regression::fit(&some, &labels, &vec![1.0; rows.len()], penalty)
    }

    fn probability(&self, row: ArrayView1<f64>) -> f64 {
        let logit = row.iter().zip(&self.0).fold(self.1, |sum, (input, weight)| sum + input * weight);
        logistic(logit)
    }
}

/// Uplift by two regressions: P(goal | treated) − P(goal | held out).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TLearner {
    treated: Regression,
    control: Regression,
}

impl TLearner {
    /// Learns each arm by itself; inputs are standardised, the penalty is for each row.
    ///
    /// # Errors
    /// When lengths differ, or an arm has no fit: it is empty, or all or none of it reached the goal.
    pub fn fit(
        columns: &Array2<f64>,
        treated: &[bool],
        reached: &[bool],
        penalty: f64,
    ) -> Result<TLearner, LearnError> {
        check(columns, treated, reached)?;
        let held: Vec<bool> = treated.iter().map(|treated| !treated).collect();
        Ok(TLearner {
            treated: Regression::fit_some(columns, reached, treated, penalty)?,
            control: Regression::fit_some(columns, reached, &held, penalty)?,
        })
    }

    /// The uplift of each row.
    pub fn uplift(&self, columns: &Array2<f64>) -> Vec<f64> {
        let one = |row: ArrayView1<f64>| self.treated.probability(row) - self.control.probability(row);
        columns.axis_iter(Axis(0)).map(one).collect()
    }
}

/// Uplift by one regression on the transformed class (Jaskowski and Jaroszewicz 2012): Z is true for those who were treated
/// and reached the goal, and for those who were held out and did not; where both arms are equally probable the uplift is
/// 2 P(Z) − 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassTransformation(Regression);

impl ClassTransformation {
    /// Learns from all rows; those of the more probable arm weigh less, so that both arms are equally probable by weight.
    /// The penalty is for each unit of weight.
    ///
    /// # Errors
    /// When lengths differ, the probability is not between 0 and 1, or the rows have no fit.
    pub fn fit(
        columns: &Array2<f64>,
        treated: &[bool],
        reached: &[bool],
        treated_probability: f64,
        penalty: f64,
    ) -> Result<ClassTransformation, LearnError> {
        check(columns, treated, reached)?;
        if !(treated_probability > 0.0 && treated_probability < 1.0) {
            return Err(LearnError::NotRandomised(treated_probability));
        }
        let control_probability = 1.0 - treated_probability;
        let least = treated_probability.min(control_probability);
        let weight =
            |treated: &bool| least / if *treated { treated_probability } else { control_probability };
        let weights: Vec<f64> = treated.iter().map(weight).collect();
        let transformed: Vec<bool> =
            treated.iter().zip(reached).map(|(treated, reached)| treated == reached).collect();
        Ok(ClassTransformation(Regression::fit(columns, &transformed, &weights, penalty)?))
    }

    /// The uplift of each row.
    pub fn uplift(&self, columns: &Array2<f64>) -> Vec<f64> {
        columns.axis_iter(Axis(0)).map(|row| 2.0 * self.0.probability(row) - 1.0).collect()
    }
}

fn check(columns: &Array2<f64>, treated: &[bool], reached: &[bool]) -> Result<(), LearnError> {
    let (rows, arms, outcomes) = (columns.nrows(), treated.len(), reached.len());
    match rows == arms && arms == outcomes {
        true => Ok(()),
        false => Err(LearnError::RowsDiffer { rows, arms, outcomes }),
    }
}
