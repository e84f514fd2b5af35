//! Regularised logistic regression by linfa, turned so that weights always speak of what happened.

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2, ArrayView1};

use super::calibration::logistic;

/// Length of the loss's gradient per row at which the solver stops.
pub const TOLERANCE: f64 = 1e-6;
/// The same where fits are only compared with each other.
pub const ROUGH_TOLERANCE: f64 = 1e-4;
/// A fit whose gradient is longer than this many tolerances is none.
const SLACK: f64 = 100.0;
/// Iterations of one run of the solver.
const ITERATIONS: u64 = 500;
/// Runs: its line search may give up early, and a new run from where it stopped forgets what misled it.
const RUNS: usize = 5;
/// A standardised input is below √rows; what lies far beyond would overflow inside the solver.
const LARGEST_INPUT: f64 = 1e6;

/// Why there is no fit.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// There are no rows.
    #[error("no_rows: there is nothing to learn from")]
    NoRows,
    /// Rows and labels are not equally many.
    #[error("rows_differ: {rows} rows, {labels} labels")]
    RowsDiffer {
        /// Rows of inputs.
        rows: usize,
        /// Labels.
        labels: usize,
    },
    /// All labels are the same.
    #[error("one_class: all labels are {0}")]
    OneClass(bool),
    /// An input is not finite.
    #[error("not_finite: an input is NaN or infinite")]
    NotFinite,
    /// An input lies more than a million standard deviations out.
    #[error("not_standardised: an input is beyond ±{LARGEST_INPUT}")]
    NotStandardised,
    /// The penalty is zero, negative or not finite; without one, separable labels have no finite weights.
    #[error("bad_alpha: the penalty must be above zero and finite, not {0}")]
    BadAlpha(f64),
    /// The solver failed.
    #[error("solver_failed: {0}")]
    Solver(#[from] linfa_logistic::error::Error),
    /// The solver stopped far from the minimum.
    #[error("not_converged: the gradient is {gradient:e} per row, at most {wanted:e} is wanted")]
    NotConverged {
        /// Length of the gradient per row.
        gradient: f64,
        /// What would do.
        wanted: f64,
    },
}

/// Fits P(true) = 1 / (1 + e^−(weights · inputs + intercept)); returns weights and intercept.
///
/// Minimises Σ −ln P(label) + `alpha` / 2 · |weights|², the intercept being free: a sum over rows, so `alpha` is 1 / C
/// of scikit-learn. `columns` is rows × inputs, already standardised; column-major memory is several times faster.
/// The same input gives the same bits on the same machine.
pub fn fit_logistic(columns: &Array2<f64>, labels: &[bool], alpha: f64) -> Result<(Vec<f64>, f64), FitError> {
    fit_logistic_within(columns, labels, alpha, TOLERANCE)
}

/// [`fit_logistic`] that stops when the gradient per row is shorter than `tolerance`.
pub fn fit_logistic_within(
    columns: &Array2<f64>,
    labels: &[bool],
    alpha: f64,
    tolerance: f64,
) -> Result<(Vec<f64>, f64), FitError> {
    check(columns, labels, alpha)?;
    let (labels, rows) = (ArrayView1::from(labels), labels.len() as f64);
    let mut start = Array1::zeros(columns.ncols() + 1);
    let mut gradient = f64::INFINITY;
    for _ in 0..RUNS {
        start = run(columns, labels, alpha, tolerance, &start)?;
        gradient = gradient_length(columns, labels, alpha, &start) / rows;
        if gradient <= tolerance {
            break;
        }
    }
    let mut weights = start.to_vec();
    match weights.pop() {
        Some(intercept) if gradient <= SLACK * tolerance => Ok((weights, intercept)),
        _ => Err(FitError::NotConverged { gradient, wanted: SLACK * tolerance }),
    }
}

fn check(columns: &Array2<f64>, labels: &[bool], alpha: f64) -> Result<(), FitError> {
    let Some(first) = labels.first() else { return Err(FitError::NoRows) };
    if columns.nrows() != labels.len() {
        return Err(FitError::RowsDiffer { rows: columns.nrows(), labels: labels.len() });
    }
    if labels.iter().all(|label| label == first) {
        return Err(FitError::OneClass(*first));
    }
    if !alpha.is_finite() || alpha <= 0.0 {
        return Err(FitError::BadAlpha(alpha));
    }
    if columns.iter().any(|input| !input.is_finite()) {
        return Err(FitError::NotFinite);
    }
    if columns.iter().any(|input| input.abs() > LARGEST_INPUT) {
        return Err(FitError::NotStandardised);
    }
    Ok(())
}

/// One run of the solver from `start` (weights, then the intercept), both speaking of P(true).
fn run(
    columns: &Array2<f64>,
    labels: ArrayView1<bool>,
    alpha: f64,
    tolerance: f64,
    start: &Array1<f64>,
) -> Result<Array1<f64>, FitError> {
    // linfa's own weights speak of the class with more rows, of the first row's class when both have as many.
    let trues = labels.iter().filter(|label| **label).count();
    let falses = labels.len() - trues;
    let towards_true = |majority: bool| if majority { 1.0 } else { -1.0 };
    let majority = if trues == falses { labels[0] } else { trues > falses };
    let fitted = LogisticRegression::default()
        .alpha(alpha)
        .gradient_tolerance(tolerance * labels.len() as f64)
        .max_iterations(ITERATIONS)
        .initial_params(start * towards_true(majority))
        .fit(&DatasetBase::new(columns.view(), labels))?;
    // What the weights that came back speak of is not guessed but read.
    let sign = towards_true(fitted.labels().pos.class);
    let weights = fitted.params().iter().chain([&fitted.intercept()]).map(|value| value * sign).collect();
    Ok(weights)
}

/// Length of the loss's gradient at `point` (weights, then the intercept).
fn gradient_length(columns: &Array2<f64>, labels: ArrayView1<bool>, alpha: f64, point: &Array1<f64>) -> f64 {
    let (weights, intercept) = point.view().split_at(ndarray::Axis(0), columns.ncols());
    let logits = columns.dot(&weights) + intercept[0];
    let label = |label: &bool| f64::from(u8::from(*label));
    let misses: Array1<f64> =
        logits.iter().zip(labels).map(|(logit, happened)| logistic(*logit) - label(happened)).collect();
    let slopes = columns.t().dot(&misses) + &weights * alpha;
    libm::sqrt(slopes.dot(&slopes) + misses.sum() * misses.sum())
}
