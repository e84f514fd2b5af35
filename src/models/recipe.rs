//! The linear candidates of a goal: what is fitted to standardised rows, and how strongly it is held back.

use linfa::ParamGuard;
use ndarray::Array2;

use super::ftrl::{Ftrl, FtrlError};
use super::linear::ModelKind;
use super::logistic::{FitError, fit_logistic_within};
use crate::config::Method;

/// Penalties that are tried: the loss is a sum over examples, so a penalty is worth that many of them.
const PENALTIES: [f64; 7] = [1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0];
/// Learning rates that are tried: a slow one believes all days alike, a fast one the newest.
const RATES: [f64; 4] = [0.01, 0.03, 0.1, 0.3];

/// A candidate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Recipe {
    /// Logistic regression with this penalty.
    Logistic(f64),
    /// One pass of FTRL in order of time with this learning rate.
    Ftrl(f64),
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
}

/// What a candidate learned.
#[derive(Clone, Debug)]
pub(super) struct Learned {
    pub(super) weights: Vec<f64>,
    pub(super) intercept: f64,
    /// Where FTRL may go on.
    pub(super) state: Option<Ftrl>,
}

impl Recipe {
    /// What a method tries; the first of equally good ones wins.
    pub(super) fn of(method: Method) -> Vec<Recipe> {
        match method {
            Method::LogisticRegression => PENALTIES.into_iter().map(Recipe::Logistic).collect(),
            Method::Ftrl => RATES.into_iter().map(Recipe::Ftrl).collect(),
        }
    }

    /// With nothing to choose by, a strong hand.
    pub(super) fn strong(method: Method) -> Recipe {
        match method {
            Method::LogisticRegression => Recipe::Logistic(100.0),
            Method::Ftrl => Recipe::Ftrl(0.03),
        }
    }

    pub(super) fn kind(self) -> ModelKind {
        match self {
            Recipe::Logistic(_) => ModelKind::LogisticRegression,
            Recipe::Ftrl(_) => ModelKind::Ftrl,
        }
    }

    /// Strength of the penalty.
    pub(super) fn penalty(self) -> f64 {
        match self {
            Recipe::Logistic(penalty) => penalty,
            Recipe::Ftrl(_) => 0.0,
        }
    }

    /// The learning rate, of a candidate that has one.
    pub(super) fn rate(self) -> Option<f64> {
        match self {
            Recipe::Logistic(_) => None,
            Recipe::Ftrl(rate) => Some(rate),
        }
    }

    /// Fits standardised rows × inputs in order of time.
    pub(super) fn fit(
        self,
        columns: &Array2<f64>,
        labels: &[bool],
        tolerance: f64,
    ) -> Result<Learned, RecipeError> {
        match self {
            Recipe::Logistic(penalty) => {
                let (weights, intercept) = fit_logistic_within(columns, labels, penalty, tolerance)?;
                Ok(Learned { weights, intercept, state: None })
            }
            Recipe::Ftrl(rate) => {
                let mut state = Ftrl::params().rate(rate).check()?.start(columns.ncols());
                state.learn(columns.view(), labels, None)?;
                let (weights, intercept) = state.weights();
                Ok(Learned { weights, intercept, state: Some(state) })
            }
        }
    }
}
