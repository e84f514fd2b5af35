//! How trees are grown: parameters with their defaults and ranges, checked before use.

use std::fmt::Display;

use linfa::ParamGuard;

use super::error::BoostingError;

/// Checked parameters; the fields' meaning is told by the setters of [`GradientBoostingParams`].
#[derive(Clone, Debug, PartialEq)]
pub struct GradientBoostingValidParams {
    pub(super) trees: usize,
    pub(super) leaves: usize,
    pub(super) learning_rate: f64,
    pub(super) bins: usize,
    pub(super) rows_per_leaf: usize,
    pub(super) hessian_per_leaf: f64,
    pub(super) l2: f64,
    pub(super) gain: f64,
    pub(super) column_share: f64,
    pub(super) row_share: f64,
    pub(super) patience: Option<usize>,
    pub(super) validation_share: f64,
    pub(super) monotone: Vec<i8>,
    pub(super) seed: u64,
    pub(super) threads: Option<usize>,
}

/// Parameters as they were set, not yet checked.
#[derive(Clone, Debug, PartialEq)]
pub struct GradientBoostingParams(GradientBoostingValidParams);

/// A setter for each parameter.
macro_rules! setters {
    ($($(#[$about:meta])* $name:ident: $kind:ty;)*) => {
        impl GradientBoostingParams {
            $($(#[$about])* #[must_use] pub fn $name(mut self, $name: $kind) -> Self {
                self.0.$name = $name;
                self
            })*
        }
    };
}

setters! {
    /// Trees at most; 100 unless set.
    trees: usize;
    /// Leaves of a tree at most, from 2; 31 unless set.
    leaves: usize;
    /// Factor of every leaf's value, in (0, 1]; 0.1 unless set.
    learning_rate: f64;
    /// Bins of an input at most, 2 to 255; 255 unless set. Missing values have a bin of their own beside them.
    bins: usize;
    /// Rows of a leaf at least, from 1; 20 unless set.
    rows_per_leaf: usize;
    /// Σ hessian of a leaf at least; 0.001 unless set. May be 0 only if `l2` is above 0.
    hessian_per_leaf: f64;
    /// Penalty on squared leaf values, from 0; 0 unless set.
    l2: f64;
    /// What a split must lower the loss by, doubled as in XGBoost and LightGBM; 0 unless set.
    gain: f64;
    /// Share of the inputs, drawn anew for each tree, in (0, 1]; 1 unless set.
    column_share: f64;
    /// Share of the rows, drawn anew for each tree, in (0, 1]; 1 unless set.
    row_share: f64;
    /// Stops after so many trees that did not lower the validation loss; the trees after the best are dropped.
    patience: Option<usize>;
    /// Share of the rows set aside for validation, seeded, in [0, 1); 0 unless set.
    validation_share: f64;
    /// For each input +1 if the probability must not fall with it, −1 if it must not rise, 0 if it is free; empty:
    /// all are free. A missing value is not compared with others.
    monotone: Vec<i8>;
    /// Of all draws; 0 unless set.
    seed: u64;
    /// Threads; all cores unless set. The model does not depend on them.
    threads: Option<usize>;
}

impl Default for GradientBoostingParams {
    fn default() -> Self {
        GradientBoostingParams(GradientBoostingValidParams {
            trees: 100,
            leaves: 31,
            learning_rate: 0.1,
            bins: 255,
            rows_per_leaf: 20,
            hessian_per_leaf: 1e-3,
            l2: 0.0,
            gain: 0.0,
            column_share: 1.0,
            row_share: 1.0,
            patience: None,
            validation_share: 0.0,
            monotone: Vec::new(),
            seed: 0,
            threads: None,
        })
    }
}

impl ParamGuard for GradientBoostingParams {
    type Checked = GradientBoostingValidParams;
    type Error = BoostingError;

    fn check_ref(&self) -> Result<&Self::Checked, BoostingError> {
        self.0.check_sizes()?;
        self.0.check_amounts()?;
        Ok(&self.0)
    }

    fn check(self) -> Result<Self::Checked, BoostingError> {
        self.check_ref()?;
        Ok(self.0)
    }
}

impl GradientBoostingValidParams {
    fn check_sizes(&self) -> Result<(), BoostingError> {
        /// Keeps node numbers far inside 32 bits.
        const MOST_LEAVES: usize = 1 << 20;
        within("trees", self.trees, self.trees >= 1, "at least 1")?;
        within("leaves", self.leaves, (2..=MOST_LEAVES).contains(&self.leaves), "from 2 to 1048576")?;
        within("bins", self.bins, (2..=255).contains(&self.bins), "from 2 to 255")?;
        within("rows_per_leaf", self.rows_per_leaf, self.rows_per_leaf >= 1, "at least 1")?;
        let (patience, threads) = (self.patience.unwrap_or(1), self.threads.unwrap_or(1));
        within("patience", patience, patience >= 1, "at least 1")?;
        within("threads", threads, threads >= 1, "at least 1")?;
        let direction = self.monotone.iter().find(|direction| !(-1..=1).contains(*direction));
        within("monotone", direction.unwrap_or(&0), direction.is_none(), "−1, 0 or 1")
    }

    fn check_amounts(&self) -> Result<(), BoostingError> {
        let share = |share: f64| share > 0.0 && share <= 1.0;
        let amount = |amount: f64| amount >= 0.0 && amount.is_finite();
        within("learning_rate", self.learning_rate, share(self.learning_rate), "in (0, 1]")?;
        within("column_share", self.column_share, share(self.column_share), "in (0, 1]")?;
        within("row_share", self.row_share, share(self.row_share), "in (0, 1]")?;
        within("l2", self.l2, amount(self.l2), "at least 0 and finite")?;
        within("gain", self.gain, amount(self.gain), "at least 0 and finite")?;
        let (hessian, held_out) = (self.hessian_per_leaf, self.validation_share);
        let has_floor = hessian > 0.0 || self.l2 > 0.0;
        within(
            "hessian_per_leaf",
            hessian,
            amount(hessian) && has_floor,
            "above 0 (or 0 beside an l2 above 0)",
        )?;
        within("validation_share", held_out, (0.0..1.0).contains(&held_out), "in [0, 1)")
    }
}

fn within(
    name: &'static str,
    found: impl Display,
    is_within: bool,
    wanted: &'static str,
) -> Result<(), BoostingError> {
    let bad = || BoostingError::BadParameter { name, wanted, found: found.to_string() };
    if is_within { Ok(()) } else { Err(bad()) }
}
