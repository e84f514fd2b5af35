//! The candidates of a goal: what is fitted to its rows, and how strongly it is held back.

use domain::error::{Coded, ErrorKind};

use linfa::traits::Fit;
use linfa::{DatasetBase, ParamGuard};
use ndarray::{Array1, Array2};

use config::Method;
use learners::boosting::{BoostingError, GradientBoosting};
use learners::ftrl::{Ftrl, FtrlError};
use learners::logistic::{FitError, fit_logistic_within};
use registry::model::ModelKind;

/// Penalties that are tried: the loss is a sum over examples, so a penalty is worth that many of them.
const PENALTIES: [f64; 7] = [1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0];
/// Learning rates that are tried: a slow one believes all days alike, a fast one the newest.
const RATES: [f64; 4] = [0.01, 0.03, 0.1, 0.3];
/// Trees and leaves of each that are tried, the simplest first.
const FORESTS: [(usize, usize); 6] = [(50, 4), (50, 8), (100, 8), (200, 8), (100, 16), (200, 16)];
/// Learning rate of the trees.
const TREE_RATE: f64 = 0.05;
/// Rows of a leaf at least: people come back in the rows of many days.
const ROWS_PER_LEAF: usize = 50;
/// Penalty on the leaves' squared values.
const LEAF_PENALTY: f64 = 10.0;

/// A candidate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Recipe {
    /// Logistic regression with this penalty.
    Logistic(f64),
    /// One pass of FTRL in order of time with this learning rate.
    Ftrl(f64),
    /// Boosted trees.
    Boosting {
        /// How many.
        trees: usize,
        /// Leaves of each at most.
        leaves: usize,
    },
}

/// Why a candidate came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    /// Logistic regression.
    #[error(transparent)]
    Logistic(#[from] FitError),
    /// FTRL.
    #[error(transparent)]
    Ftrl(#[from] FtrlError),
    /// Gradient-boosted trees.
    #[error(transparent)]
    Boosting(#[from] BoostingError),
}

impl Coded for RecipeError {
    fn code(&self) -> &'static str {
        match self {
            RecipeError::Logistic(error) => error.code(),
            RecipeError::Ftrl(error) => error.code(),
            RecipeError::Boosting(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            RecipeError::Logistic(error) => error.kind(),
            RecipeError::Ftrl(error) => error.kind(),
            RecipeError::Boosting(error) => error.kind(),
        }
    }
}

impl RecipeError {
    /// Does the error only mean that there is not enough data yet? A refresh skips such a goal; any other error ends it.
    pub fn is_not_enough_data(&self) -> bool {
        match self {
            RecipeError::Logistic(error) => error.is_not_enough_data(),
            RecipeError::Ftrl(error) => error.is_not_enough_data(),
            RecipeError::Boosting(error) => error.is_not_enough_data(),
        }
    }
}

/// What a candidate learned.
#[derive(Clone, Debug)]
pub(super) struct LearnedRecipe {
    /// Of standardised inputs; 0 beside trees.
    pub(super) weights: Vec<f64>,
    pub(super) intercept: f64,
    /// What reads the inputs as they are.
    pub(super) trees: Option<GradientBoosting>,
    /// Where FTRL may go on.
    pub(super) state: Option<Ftrl>,
}

impl Recipe {
    /// What a method tries; the first of equally good ones wins.
    pub(super) fn of(method: Method) -> Vec<Recipe> {
        match method {
            Method::LogisticRegression => PENALTIES.into_iter().map(Recipe::Logistic).collect(),
            Method::Ftrl => RATES.into_iter().map(Recipe::Ftrl).collect(),
            Method::GradientBoosting => {
                FORESTS.into_iter().map(|(trees, leaves)| Recipe::Boosting { trees, leaves }).collect()
            }
        }
    }

    /// With nothing to choose by, a strong hand.
    pub(super) fn strong(method: Method) -> Recipe {
        match method {
            Method::LogisticRegression => Recipe::Logistic(100.0),
            Method::Ftrl => Recipe::Ftrl(0.03),
            Method::GradientBoosting => Recipe::Boosting { trees: 50, leaves: 4 },
        }
    }

    pub(super) fn kind(self) -> ModelKind {
        match self {
            Recipe::Logistic(_) => ModelKind::LogisticRegression,
            Recipe::Ftrl(_) => ModelKind::Ftrl,
            Recipe::Boosting { .. } => ModelKind::GradientBoosting,
        }
    }

    /// Strength of the penalty.
    pub(super) fn penalty(self) -> f64 {
        match self {
            Recipe::Logistic(penalty) => penalty,
            Recipe::Ftrl(_) => 0.0,
            Recipe::Boosting { .. } => LEAF_PENALTY,
        }
    }

    /// The learning rate, of a candidate that has one.
    pub(super) fn rate(self) -> Option<f64> {
        match self {
            Recipe::Logistic(_) => None,
            Recipe::Ftrl(rate) => Some(rate),
            Recipe::Boosting { .. } => Some(TREE_RATE),
        }
    }

    /// Trees and leaves of each, of a candidate that has some.
    pub(super) fn forest(self) -> Option<(usize, usize)> {
        match self {
            Recipe::Logistic(_) | Recipe::Ftrl(_) => None,
            Recipe::Boosting { trees, leaves } => Some((trees, leaves)),
        }
    }

    /// Does it read inputs as they are, NaN where one is missing, and not standardised?
    pub(super) fn reads_raw_inputs(self) -> bool {
        self.forest().is_some()
    }

    /// Fits rows × inputs in order of time.
    pub(super) fn fit(
        self,
        columns: &Array2<f64>,
        labels: &[bool],
        tolerance: f64,
    ) -> Result<LearnedRecipe, RecipeError> {
        match self {
            Recipe::Logistic(penalty) => {
                let (weights, intercept) = fit_logistic_within(columns, labels, penalty, tolerance)?;
                Ok(LearnedRecipe { weights, intercept, trees: None, state: None })
            }
            Recipe::Ftrl(rate) => {
                let mut state = Ftrl::params().rate(rate).check()?.start(columns.ncols());
                state.learn(columns.view(), labels, None)?;
                let (weights, intercept) = state.weights();
                Ok(LearnedRecipe { weights, intercept, trees: None, state: Some(state) })
            }
            Recipe::Boosting { trees, leaves } => {
                let labels = Array1::from(labels.to_vec());
                let params = GradientBoosting::params().trees(trees).leaves(leaves).learning_rate(TREE_RATE);
                let params = params.rows_per_leaf(ROWS_PER_LEAF).l2(LEAF_PENALTY).check()?;
                let trees = params.fit(&DatasetBase::new(columns.view(), labels))?;
                let weights = vec![0.0; columns.ncols()];
                Ok(LearnedRecipe { weights, intercept: 0.0, trees: Some(trees), state: None })
            }
        }
    }
}
