//! Online logistic regression, one row after the other: FTRL-Proximal, which goes on where it stopped.
//!
//! The update is that of McMahan and others (2013, "Ad click prediction: a view from the trenches", algorithm 1) with an
//! intercept that is not penalised. linfa-ftrl has the same formulas, but it steps once per batch, in f32 probabilities,
//! starts from random z and cannot be given a stored state; held against its figures, ours differ by that f32 alone.

use linfa::dataset::AsSingleTargets;
use linfa::traits::{FitWith, PredictInplace};
use linfa::{DatasetBase, ParamGuard};
use ndarray::{Array1, ArrayBase, ArrayView2, Data, Ix2};
use serde::{Deserialize, Serialize};

use domain::error::{Coded, ErrorKind};
use domain::numeric::logistic;

/// Why nothing was learned; the state is then as it was.
#[derive(Debug, thiserror::Error)]
pub enum FtrlError {
    /// There are no rows.
    #[error("no_rows: there is nothing to learn from")]
    NoRows,
    /// Rows, labels and weights are not equally many.
    #[error("rows_differ: {rows} rows, {labels} labels or weights")]
    RowsDiffer {
        /// Rows of inputs.
        rows: usize,
        /// Labels, or weights.
        labels: usize,
    },
    /// The rows have other inputs than the state.
    #[error("inputs_differ: rows of {rows} inputs, a state of {state}")]
    InputsDiffer {
        /// Inputs of a row.
        rows: usize,
        /// Inputs of the state.
        state: usize,
    },
    /// An input is not finite.
    #[error("not_finite: an input is NaN or infinite")]
    NotFinite,
    /// A weight of a row is negative or not finite.
    #[error("bad_weights: a row weighs {0}; weights are finite and at least zero")]
    BadWeights(f64),
    /// A setting that cannot be used.
    #[error("bad_setting: {name} must be {wanted}, not {value}")]
    BadSetting {
        /// Which one.
        name: &'static str,
        /// What it may be.
        wanted: &'static str,
        /// What it is.
        value: f64,
    },
    /// A state that goes on under other settings is the state of neither.
    #[error("other_settings: the state was learned under other settings")]
    OtherSettings,
    /// A stored state that no run can have left.
    #[error("bad_state: {0}")]
    BadState(&'static str),
    /// The steps left the finite numbers: the inputs are not standardised.
    #[error("diverged: a weight is not finite any more; are the inputs standardised?")]
    Diverged,
    /// linfa refused the data set.
    #[error("bad_data_set: {0}")]
    DataSet(#[from] linfa::Error),
}

impl Coded for FtrlError {
    fn code(&self) -> &'static str {
        match self {
            FtrlError::NoRows => "no_rows",
            FtrlError::RowsDiffer { .. } => "rows_differ",
            FtrlError::InputsDiffer { .. } => "inputs_differ",
            FtrlError::NotFinite => "not_finite",
            FtrlError::BadWeights(_) => "bad_weights",
            FtrlError::BadSetting { .. } => "bad_setting",
            FtrlError::OtherSettings => "other_settings",
            FtrlError::BadState(_) => "bad_state",
            FtrlError::Diverged => "diverged",
            FtrlError::DataSet(_) => "bad_data_set",
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            FtrlError::NoRows
            | FtrlError::RowsDiffer { .. }
            | FtrlError::InputsDiffer { .. }
            | FtrlError::NotFinite
            | FtrlError::BadWeights(_)
            | FtrlError::BadSetting { .. }
            | FtrlError::OtherSettings
            | FtrlError::BadState(_)
            | FtrlError::Diverged
            | FtrlError::DataSet(_) => ErrorKind::Caller,
        }
    }
}

impl FtrlError {
    /// Does the error only mean that there is not enough data yet?
    pub fn is_not_enough_data(&self) -> bool {
        match self {
            FtrlError::NoRows => true,
            FtrlError::RowsDiffer { .. }
            | FtrlError::InputsDiffer { .. }
            | FtrlError::NotFinite
            | FtrlError::BadWeights(_)
            | FtrlError::BadSetting { .. }
            | FtrlError::OtherSettings
            | FtrlError::BadState(_)
            | FtrlError::Diverged
            | FtrlError::DataSet(_) => false,
        }
    }
}

/// Settings of the updates, checked by [`FtrlParams`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FtrlValidParams {
    rate: f64,
    beta: f64,
    l1: f64,
    l2: f64,
}

/// Settings to be checked: rate (α) 0.1, β 1, no penalties, unless set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FtrlParams(FtrlValidParams);

impl FtrlParams {
    /// How far a row moves a weight at first (α of the paper); above zero.
    pub fn rate(mut self, rate: f64) -> Self {
        self.0.rate = rate;
        self
    }

    /// Damps the first steps (β of the paper); at least zero.
    pub fn beta(mut self, beta: f64) -> Self {
        self.0.beta = beta;
        self
    }

    /// Penalty of Σ |weight| (λ₁): makes weights exactly zero; at least zero.
    pub fn l1(mut self, l1: f64) -> Self {
        self.0.l1 = l1;
        self
    }

    /// Penalty of Σ weight² / 2 (λ₂), as strong as `alpha` of the logistic regression; at least zero.
    pub fn l2(mut self, l2: f64) -> Self {
        self.0.l2 = l2;
        self
    }
}

impl ParamGuard for FtrlParams {
    type Checked = FtrlValidParams;
    type Error = FtrlError;

    fn check_ref(&self) -> Result<&FtrlValidParams, FtrlError> {
        self.0.check()?;
        Ok(&self.0)
    }

    fn check(self) -> Result<FtrlValidParams, FtrlError> {
        self.check_ref()?;
        Ok(self.0)
    }
}

impl FtrlValidParams {
    /// The penalty of squared weights.
    pub fn l2(&self) -> f64 {
        self.l2
    }

    /// α.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// A state that has seen nothing.
    pub fn start(&self, inputs: usize) -> Ftrl {
        Ftrl { settings: *self, rows: 0, z: vec![0.0; inputs + 1], n: vec![0.0; inputs + 1] }
    }

    fn check(&self) -> Result<(), FtrlError> {
        if !self.rate.is_finite() || self.rate <= 0.0 {
            return Err(FtrlError::BadSetting { name: "rate", wanted: "above zero", value: self.rate });
        }
        let others = [("beta", self.beta), ("l1", self.l1), ("l2", self.l2)];
        match others.into_iter().find(|(_, value)| !value.is_finite() || *value < 0.0) {
            Some((name, value)) => Err(FtrlError::BadSetting { name, wanted: "at least zero", value }),
            None => Ok(()),
        }
    }

    /// The weight that z and n stand for.
    fn weight(&self, z: f64, n: f64, is_penalised: bool) -> f64 {
        let (l1, l2) = if is_penalised { (self.l1, self.l2) } else { (0.0, 0.0) };
        let beyond = libm::fabs(z) - l1;
        let slowness = (self.beta + libm::sqrt(n)) / self.rate + l2;
        if beyond <= 0.0 || slowness <= 0.0 { 0.0 } else { -libm::copysign(beyond, z) / slowness }
    }
}

/// All that was learned: P(true) = 1 / (1 + e^−(weights · inputs + intercept)), and where to go on. It may be stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ftrl {
    settings: FtrlValidParams,
    rows: u64,
    /// z of each input, then of the intercept.
    z: Vec<f64>,
    /// Sum of squared gradients, likewise.
    n: Vec<f64>,
}

impl Ftrl {
    /// Settings to start from.
    pub fn params() -> FtrlParams {
        FtrlParams(FtrlValidParams { rate: 0.1, beta: 1.0, l1: 0.0, l2: 0.0 })
    }

    /// Checks a state that was stored.
    ///
    /// # Errors
    /// A state that no run can have left.
    pub fn check(&self) -> Result<(), FtrlError> {
        self.settings.check()?;
        if self.z.is_empty() || self.z.len() != self.n.len() {
            return Err(FtrlError::BadState("z and n are not equally many, or none"));
        }
        let finite = self.z.iter().chain(&self.n).all(|value| value.is_finite());
        if !finite || self.n.iter().any(|n| *n < 0.0) {
            return Err(FtrlError::BadState("z or n is not finite, or n below zero"));
        }
        Ok(())
    }

    /// What it learns under.
    pub fn settings(&self) -> FtrlValidParams {
        self.settings
    }

    /// Rows it has seen.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Inputs of a row.
    pub fn inputs(&self) -> usize {
        self.z.len().saturating_sub(1)
    }

    /// One weight an input, and the intercept.
    pub fn weights(&self) -> (Vec<f64>, f64) {
        let mut weights = vec![0.0; self.z.len()];
        self.fill_weights(&mut weights);
        let intercept = weights.pop().unwrap_or_default();
        (weights, intercept)
    }

    /// Learns rows × inputs, standardised, in their order: a list learned in parts gives the same bits as learned at once.
    /// A row's gradient is multiplied by its weight.
    ///
    /// # Errors
    /// What cannot be learned, by name; nothing of it is then learned.
    pub fn learn(
        &mut self,
        columns: ArrayView2<'_, f64>,
        labels: &[bool],
        weights: Option<&[f64]>,
    ) -> Result<(), FtrlError> {
        self.check_rows(columns, labels, weights)?;
        let mut learned = self.clone();
        let mut buffers = (vec![1.0; self.z.len()], vec![0.0; self.z.len()]);
        for (index, (inputs, label)) in columns.rows().into_iter().zip(labels).enumerate() {
            let (row, current) = (&mut buffers.0, &mut buffers.1);
            row.iter_mut().zip(inputs).for_each(|(to, from)| *to = *from);
            learned.step(row, current, *label, weights.map_or(1.0, |weights| weights[index]));
        }
        learned.rows = learned.rows.saturating_add(labels.len() as u64);
        learned.check().map_err(|_| FtrlError::Diverged)?;
        *self = learned;
        Ok(())
    }

    /// One row, which ends in a one; `current` is room for the weights.
    fn step(&mut self, row: &[f64], current: &mut [f64], label: bool, weight: f64) {
        self.fill_weights(current);
        let logit: f64 = row.iter().zip(&*current).map(|(input, weight)| input * weight).sum();
        let miss = weight * (logistic(logit) - if label { 1.0 } else { 0.0 });
        let rate = self.settings.rate;
        for (((z, n), input), current) in self.z.iter_mut().zip(&mut self.n).zip(row).zip(current) {
            let gradient = miss * input;
            let grown = *n + gradient * gradient;
            *z += gradient - (libm::sqrt(grown) - libm::sqrt(*n)) / rate * *current;
            *n = grown;
        }
    }

    fn fill_weights(&self, weights: &mut [f64]) {
        let inputs = self.inputs();
        let states = self.z.iter().zip(&self.n).enumerate();
        weights.iter_mut().zip(states).for_each(|(weight, (index, (z, n)))| {
            *weight = self.settings.weight(*z, *n, index < inputs);
        });
    }

    fn check_rows(
        &self,
        columns: ArrayView2<'_, f64>,
        labels: &[bool],
        weights: Option<&[f64]>,
    ) -> Result<(), FtrlError> {
        let rows = columns.nrows();
        if labels.is_empty() && rows == 0 {
            return Err(FtrlError::NoRows);
        }
        let lengths = [Some(labels.len()), weights.map(<[f64]>::len)];
        if let Some(other) = lengths.into_iter().flatten().find(|length| *length != rows) {
            return Err(FtrlError::RowsDiffer { rows, labels: other });
        }
        if columns.ncols() != self.inputs() {
            return Err(FtrlError::InputsDiffer { rows: columns.ncols(), state: self.inputs() });
        }
        if columns.iter().any(|input| !input.is_finite()) {
            return Err(FtrlError::NotFinite);
        }
        let bad = |weight: &&f64| !weight.is_finite() || **weight < 0.0;
        match weights.and_then(|weights| weights.iter().find(bad)) {
            Some(weight) => Err(FtrlError::BadWeights(*weight)),
            None => Ok(()),
        }
    }
}

/// Starts from nothing, or goes on from a state. Rows × inputs, standardised; the data set's weights weigh the rows.
impl<D: Data<Elem = f64>, T: AsSingleTargets<Elem = bool>> FitWith<'_, ArrayBase<D, Ix2>, T, FtrlError>
    for FtrlValidParams
{
    type ObjectIn = Option<Ftrl>;
    type ObjectOut = Ftrl;

    fn fit_with(
        &self,
        state: Option<Ftrl>,
        data: &DatasetBase<ArrayBase<D, Ix2>, T>,
    ) -> Result<Ftrl, FtrlError> {
        let columns = data.records().view();
        let mut state = state.unwrap_or_else(|| self.start(columns.ncols()));
        if state.settings != *self {
            return Err(FtrlError::OtherSettings);
        }
        let labels = data.as_single_targets().to_vec();
        let weights: Option<Vec<f64>> =
            data.weights().map(|weights| weights.iter().copied().map(f64::from).collect());
        state.learn(columns, &labels, weights.as_deref())?;
        Ok(state)
    }
}

/// The more probable label of each row.
impl<D: Data<Elem = f64>> PredictInplace<ArrayBase<D, Ix2>, Array1<bool>> for Ftrl {
    fn predict_inplace(&self, rows: &ArrayBase<D, Ix2>, labels: &mut Array1<bool>) {
        let (weights, intercept) = self.weights();
        labels.assign(&(rows.dot(&Array1::from(weights)) + intercept).mapv(|logit| logit >= 0.0));
    }

    fn default_target(&self, rows: &ArrayBase<D, Ix2>) -> Array1<bool> {
        Array1::from_elem(rows.nrows(), false)
    }
}
