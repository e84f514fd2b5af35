//! Regularised logistic regression as a linfa estimator: weighted rows, Newton's method, the same bits on any cores.

mod cholesky;
mod dot;
mod rows;
mod solvers;

use linfa::dataset::AsSingleTargets;
use linfa::traits::{Fit, PredictInplace};
use linfa::{DatasetBase, ParamGuard};
use ndarray::{Array1, Array2, ArrayBase, ArrayView2, Data, Ix2};

use cholesky::Factor;
use domain::error::{Coded, ErrorKind};
use domain::numeric::logistic;
use rows::{BlockSubset, LogisticRows, Mass};
use solvers::{Iterate, PenalisedLoss};

/// Length of the loss's gradient per unit of weight at which the solver stops.
pub const TOLERANCE: f64 = 1e-6;
/// The same where fits are only compared with each other.
pub const ROUGH_TOLERANCE: f64 = 1e-4;
/// A fit whose gradient is longer than this many tolerances is none.
const SLACK: f64 = 100.0;
/// A standardised input is below √rows; what lies far beyond would overflow inside the solver.
const LARGEST_INPUT: f64 = 1e6;
/// Inputs up to which a matrix of inputs × inputs pays.
const WIDEST_FOR_NEWTON: usize = 300;
/// Steps of L-BFGS without a matrix at most.
const LBFGS_STEPS: usize = 5_000;
/// The same with one: if these do not do, Newton's method goes on.
const STEPS_FROM_NEAR: usize = 30;
/// One of so many blocks of rows at most finds the point from which all rows start.
const STRIDE: usize = 16;
/// Rows of such a part per input at least; with fewer, its minimum says little about the whole.
const ROWS_PER_INPUT: usize = 20;
/// The minimum of a part is itself off by more than this.
const START_TOLERANCE: f64 = 1e-3;

/// Why there is no fit.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// There are no rows.
    #[error("no_rows: there is nothing to learn from")]
    NoRows,
    /// Rows, labels and weights are not equally many.
    #[error("rows_differ: {rows} rows, {labels} labels")]
    RowsDiffer {
        /// Rows of inputs.
        rows: usize,
        /// Labels, or weights.
        labels: usize,
    },
    /// All labels of rows that weigh something are the same.
    #[error("one_class: all labels are {0}")]
    OneClass(bool),
    /// An input is not finite.
    #[error("not_finite: an input is NaN or infinite")]
    NotFinite,
    /// An input lies more than a million standard deviations out.
    #[error("not_standardised: an input is beyond ±{LARGEST_INPUT}")]
    NotStandardised,
    /// A weight of a row is negative or not finite, or none is above zero.
    #[error("bad_weights: a row weighs {0}; weights are finite, at least zero, and one is above zero")]
    BadWeights(f64),
    /// The penalty is zero, negative or not finite; without one, separable labels have no finite weights.
    #[error("bad_alpha: the penalty must be above zero and finite, not {0}")]
    BadAlpha(f64),
    /// The tolerance is zero, negative or not finite.
    #[error("bad_tolerance: the tolerance must be above zero and finite, not {0}")]
    BadTolerance(f64),
    /// linfa refused the data set.
    #[error("bad_data_set: {0}")]
    DataSet(#[from] linfa::Error),
    /// The solver stopped far from the minimum.
    #[error("not_converged: the gradient is {gradient:e} per row, at most {wanted:e} is wanted")]
    NotConverged {
        /// Length of the gradient per unit of weight.
        gradient: f64,
        /// What would do.
        wanted: f64,
    },
}

impl Coded for FitError {
    fn code(&self) -> &'static str {
        match self {
            FitError::NoRows => "no_rows",
            FitError::RowsDiffer { .. } => "rows_differ",
            FitError::OneClass(_) => "one_class",
            FitError::NotFinite => "not_finite",
            FitError::NotStandardised => "not_standardised",
            FitError::BadWeights(_) => "bad_weights",
            FitError::BadAlpha(_) => "bad_alpha",
            FitError::BadTolerance(_) => "bad_tolerance",
            FitError::DataSet(_) => "bad_data_set",
            FitError::NotConverged { .. } => "not_converged",
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            FitError::NoRows
            | FitError::RowsDiffer { .. }
            | FitError::OneClass(_)
            | FitError::NotFinite
            | FitError::NotStandardised
            | FitError::BadWeights(_)
            | FitError::BadAlpha(_)
            | FitError::BadTolerance(_)
            | FitError::DataSet(_)
            | FitError::NotConverged { .. } => ErrorKind::Caller,
        }
    }
}

impl FitError {
    /// Does the error only mean that there is not enough data yet?
    pub fn is_not_enough_data(&self) -> bool {
        match self {
            FitError::NoRows | FitError::OneClass(_) => true,
            FitError::RowsDiffer { .. }
            | FitError::NotFinite
            | FitError::NotStandardised
            | FitError::BadWeights(_)
            | FitError::BadAlpha(_)
            | FitError::BadTolerance(_)
            | FitError::DataSet(_)
            | FitError::NotConverged { .. } => false,
        }
    }
}

/// How the minimum is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Solver {
    /// Newton's method up to 300 inputs, L-BFGS beyond.
    ByWidth,
    /// Newton's method.
    Newton,
    /// L-BFGS.
    Lbfgs,
}

/// Settings of a fit; [`LogisticRegression::params`] makes them, `fit` checks them.
///
/// Minimises Σ weight · −ln P(label) + `alpha` / 2 · |weights|², the intercept being free: a sum over rows, so `alpha` is
/// 1 / C of scikit-learn.
#[derive(Clone, Debug, PartialEq)]
pub struct LogisticParams(LogisticValidParams);

/// Checked settings.
#[derive(Clone, Debug, PartialEq)]
pub struct LogisticValidParams {
    alpha: f64,
    tolerance: f64,
    solver: Solver,
    threads: usize,
}

impl LogisticParams {
    /// Strength of the penalty; above zero, 1 unless set.
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.0.alpha = alpha;
        self
    }

    /// Length of the gradient per unit of weight at which the solver stops; [`TOLERANCE`] unless set.
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.0.tolerance = tolerance;
        self
    }

    /// How the minimum is found; by width unless set.
    pub fn solver(mut self, solver: Solver) -> Self {
        self.0.solver = solver;
        self
    }

    /// Threads at most, all cores unless set: the time depends on them, the result does not.
    pub fn threads(mut self, threads: usize) -> Self {
        self.0.threads = threads.max(1);
        self
    }
}

impl ParamGuard for LogisticParams {
    type Checked = LogisticValidParams;
    type Error = FitError;

    fn check_ref(&self) -> Result<&LogisticValidParams, FitError> {
        let LogisticValidParams { alpha, tolerance, .. } = self.0;
        if !alpha.is_finite() || alpha <= 0.0 {
            return Err(FitError::BadAlpha(alpha));
        }
        if !tolerance.is_finite() || tolerance <= 0.0 {
            return Err(FitError::BadTolerance(tolerance));
        }
        Ok(&self.0)
    }

    fn check(self) -> Result<LogisticValidParams, FitError> {
        self.check_ref()?;
        Ok(self.0)
    }
}

/// P(true) = 1 / (1 + e^−(weights · inputs + intercept)).
#[derive(Clone, Debug, PartialEq)]
pub struct LogisticRegression {
    /// One weight an input.
    pub weights: Array1<f64>,
    /// Added to every logit.
    pub intercept: f64,
}

impl LogisticRegression {
    /// Settings to start from: `alpha` 1, [`TOLERANCE`], all cores.
    pub fn params() -> LogisticParams {
        let threads = parallel::cores();
        LogisticParams(LogisticValidParams {
            alpha: 1.0,
            tolerance: TOLERANCE,
            solver: Solver::ByWidth,
            threads,
        })
    }

    /// P(true) of each row of rows × inputs.
    ///
    /// # Panics
    /// When the rows have not as many inputs as the model has weights.
    pub fn probabilities<D: Data<Elem = f64>>(&self, rows: &ArrayBase<D, Ix2>) -> Array1<f64> {
        (rows.dot(&self.weights) + self.intercept).mapv(logistic)
    }
}

/// Rows × inputs, already standardised, with labels; the data set's weights, if it has any, weigh the rows.
impl<D: Data<Elem = f64>, T: AsSingleTargets<Elem = bool>> Fit<ArrayBase<D, Ix2>, T, FitError>
    for LogisticValidParams
{
    type Object = LogisticRegression;

    fn fit(&self, data: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<LogisticRegression, FitError> {
        let labels = data.as_single_targets().to_vec();
        let weights: Option<Vec<f64>> =
            data.weights().map(|weights| weights.iter().copied().map(f64::from).collect());
        self.fit_weighted(data.records().view(), &labels, weights.as_deref())
    }
}

/// The more probable label of each row.
impl<D: Data<Elem = f64>> PredictInplace<ArrayBase<D, Ix2>, Array1<bool>> for LogisticRegression {
    fn predict_inplace(&self, rows: &ArrayBase<D, Ix2>, labels: &mut Array1<bool>) {
        labels.assign(&self.probabilities(rows).mapv(|probability| probability >= 0.5));
    }

    fn default_target(&self, rows: &ArrayBase<D, Ix2>) -> Array1<bool> {
        Array1::from_elem(rows.nrows(), false)
    }
}

impl LogisticValidParams {
    /// Fits rows × inputs, already standardised; a row of weight two counts like two rows. linfa's own data sets weigh
    /// in f32, this in f64. What is not column-major is copied.
    ///
    /// # Errors
    /// What cannot be fitted, by name.
    pub fn fit_weighted<'a>(
        &self,
        columns: ArrayView2<'a, f64>,
        labels: &'a [bool],
        weights: Option<&'a [f64]>,
    ) -> Result<LogisticRegression, FitError> {
        self.fit_from(columns, labels, weights, None)
    }

    /// [`LogisticValidParams::fit_weighted`] of rows whose logits begin with known numbers: what is learned adds to them,
    /// and without evidence stays at zero. That is how weights are drawn toward other values than zero.
    ///
    /// # Errors
    /// What cannot be fitted, by name.
    pub fn fit_from<'a>(
        &self,
        columns: ArrayView2<'a, f64>,
        labels: &'a [bool],
        weights: Option<&'a [f64]>,
        offsets: Option<&'a [f64]>,
    ) -> Result<LogisticRegression, FitError> {
        check_shapes(columns, labels, weights, offsets)?;
        if let Some(bad) =
            weights.and_then(|all| all.iter().find(|weight| !weight.is_finite() || **weight < 0.0))
        {
            return Err(FitError::BadWeights(*bad));
        }
        let rows = LogisticRows::new(columns, labels, weights, self.threads).with_offsets(offsets);
        let mass = rows.mass(BlockSubset::ALL);
        check_mass(mass)?;
        check_inputs(&rows)?;
        let end = self.minimum(&rows, mass);
        let gradient = end.steepness() / mass.total();
        let mut point = end.point;
        match point.pop() {
            Some(intercept) if gradient <= SLACK * self.tolerance && point.iter().all(|w| w.is_finite()) => {
                Ok(LogisticRegression { weights: point.into(), intercept })
            }
            _ => Err(FitError::NotConverged { gradient, wanted: SLACK * self.tolerance }),
        }
    }

    /// Newton's method on some of the rows finds a point near the minimum of all and the curvature there; L-BFGS, which
    /// starts from both, needs a handful of passes over all rows. What that does not reach is left to Newton's method.
    fn minimum(&self, rows: &LogisticRows<'_>, mass: Mass) -> Iterate {
        let short = self.tolerance * mass.total();
        let problem = PenalisedLoss { rows, part: BlockSubset::ALL, penalty: self.alpha, short };
        let mut alike = vec![0.0; rows.width()];
        alike.push(libm::log(mass.trues / mass.falses));
        let by_newton = match self.solver {
            Solver::ByWidth => rows.width() <= WIDEST_FOR_NEWTON,
            other => other == Solver::Newton,
        };
        if !by_newton {
            return problem.lbfgs(problem.at(alike), None, LBFGS_STEPS);
        }
        match self.near_minimum(&problem, mass, &alike) {
            Some((start, factor)) => {
                let end = problem.lbfgs(start, Some(&factor), STEPS_FROM_NEAR);
                problem.newton(end, None).0
            }
            None => problem.newton(problem.at(alike), None).0,
        }
    }

    /// The minimum of a part of the rows with the curvature there, if there are rows enough.
    fn near_minimum(
        &self,
        whole: &PenalisedLoss<'_>,
        mass: Mass,
        start: &[f64],
    ) -> Option<(Iterate, Factor)> {
        let stride = whole.rows.count() / (ROWS_PER_INPUT * (whole.rows.width() + 1));
        if stride < 2 {
            return None;
        }
        let part = BlockSubset { stride: stride.min(STRIDE) };
        let share = whole.rows.mass(part).total() / mass.total();
        let short = START_TOLERANCE.max(self.tolerance) * share * mass.total();
        let sample = PenalisedLoss { rows: whole.rows, part, penalty: self.alpha * share, short };
        let (near, factor) = sample.newton(sample.at(start.to_vec()), None);
        let near = whole.at(near.point);
        // Rows in an unlucky order make the part unlike the whole.
        let helps = near.loss <= entropy(mass);
        factor.filter(|_| helps).map(|factor| (near, factor.times(1.0 / share)))
    }
}

/// The loss of giving every row the share of true labels.
fn entropy(mass: Mass) -> f64 {
    let share = mass.trues / mass.total();
    -mass.trues * libm::log(share) - mass.falses * libm::log1p(-share)
}

fn check_shapes(
    columns: ArrayView2<'_, f64>,
    labels: &[bool],
    weights: Option<&[f64]>,
    offsets: Option<&[f64]>,
) -> Result<(), FitError> {
    if labels.is_empty() {
        return Err(FitError::NoRows);
    }
    if offsets.is_some_and(|offsets| offsets.iter().any(|offset| !offset.is_finite())) {
        return Err(FitError::NotFinite);
    }
    let rows = columns.nrows();
    let lengths = [Some(labels.len()), weights.map(<[f64]>::len), offsets.map(<[f64]>::len)];
    match lengths.into_iter().flatten().find(|length| *length != rows) {
        Some(other) => Err(FitError::RowsDiffer { rows, labels: other }),
        None => Ok(()),
    }
}

fn check_mass(mass: Mass) -> Result<(), FitError> {
    if mass.total() <= 0.0 || !mass.total().is_finite() {
        return Err(FitError::BadWeights(mass.total()));
    }
    match (mass.trues > 0.0, mass.falses > 0.0) {
        (true, true) => Ok(()),
        (any, _) => Err(FitError::OneClass(any)),
    }
}

fn check_inputs(rows: &LogisticRows<'_>) -> Result<(), FitError> {
    let largest = rows.largest();
    if !largest.is_finite() {
        return Err(FitError::NotFinite);
    }
    if largest > LARGEST_INPUT { Err(FitError::NotStandardised) } else { Ok(()) }
}

/// Fits with `alpha` and [`TOLERANCE`] on all cores; returns weights and intercept.
///
/// # Errors
/// What cannot be fitted, by name.
pub fn fit_logistic(columns: &Array2<f64>, labels: &[bool], alpha: f64) -> Result<(Vec<f64>, f64), FitError> {
    fit_logistic_within(columns, labels, alpha, TOLERANCE)
}

/// [`fit_logistic`] that stops when the gradient per row is shorter than `tolerance`.
///
/// # Errors
/// What cannot be fitted, by name.
pub fn fit_logistic_within(
    columns: &Array2<f64>,
    labels: &[bool],
    alpha: f64,
    tolerance: f64,
) -> Result<(Vec<f64>, f64), FitError> {
    fit_logistic_weighted(columns, labels, None, alpha, tolerance)
}

/// [`fit_logistic_within`] of rows that weigh: each loss is multiplied by its row's weight, and the gradient is
/// measured per unit of weight.
///
/// # Errors
/// What cannot be fitted, by name.
pub fn fit_logistic_weighted(
    columns: &Array2<f64>,
    labels: &[bool],
    weights: Option<&[f64]>,
    alpha: f64,
    tolerance: f64,
) -> Result<(Vec<f64>, f64), FitError> {
    let params = LogisticRegression::params().alpha(alpha).tolerance(tolerance).check()?;
    let fitted = params.fit_weighted(columns.view(), labels, weights)?;
    Ok((fitted.weights.to_vec(), fitted.intercept))
}
