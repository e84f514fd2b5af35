//! Why there is no model, or no answer from one.

use domain::error::{Coded, ErrorKind};

/// What is wrong with data, parameters or a file; messages start with a stable code.
#[derive(Debug, thiserror::Error)]
pub enum BoostingError {
    /// There are no rows, or validation leaves none.
    #[error("no_rows: there is nothing to learn from")]
    NoRows,
    /// There are more rows than a 31-bit number counts.
    #[error("too_many_rows: {0} rows, at most 2147483647 can be learned from")]
    TooManyRows(usize),
    /// There are no inputs.
    #[error("no_columns: rows have no inputs")]
    NoColumns,
    /// Rows and labels are not equally many.
    #[error("rows_differ: {rows} rows, {labels} labels")]
    RowsDiffer {
        /// Rows of inputs.
        rows: usize,
        /// Labels.
        labels: usize,
    },
    /// Rows and weights are not equally many.
    #[error("weights_differ: {rows} rows, {weights} weights")]
    WeightsDiffer {
        /// Rows of inputs.
        rows: usize,
        /// Weights.
        weights: usize,
    },
    /// A weight is zero, negative or not finite.
    #[error("bad_weight: row {row} weighs {weight}, a weight must be above zero and finite")]
    BadWeight {
        /// The first such row, from 0.
        row: usize,
        /// Its weight.
        weight: f32,
    },
    /// An input is infinite; a missing one is NaN.
    #[error("not_finite: input {column} of row {row} is infinite")]
    NotFinite {
        /// The row, from 0.
        row: usize,
        /// The input, from 0.
        column: usize,
    },
    /// All labels are the same.
    #[error("one_class: all labels are {0}")]
    OneClass(bool),
    /// A row has another number of inputs than the model or the training data.
    #[error("columns_differ: {found} inputs, {wanted} are wanted")]
    ColumnsDiffer {
        /// What is wanted.
        wanted: usize,
        /// What came.
        found: usize,
    },
    /// A parameter is out of its range.
    #[error("bad_parameter: {name} must be {wanted}, not {found}")]
    BadParameter {
        /// The parameter's name.
        name: &'static str,
        /// Its range in words.
        wanted: &'static str,
        /// What it was.
        found: String,
    },
    /// A stored model cannot be used.
    #[error("bad_model: {0}")]
    BadModel(String),
    /// linfa's own checks failed.
    #[error("linfa: {0}")]
    Linfa(#[from] linfa::error::Error),
}

impl Coded for BoostingError {
    fn code(&self) -> &'static str {
        match self {
            BoostingError::NoRows => "no_rows",
            BoostingError::TooManyRows(_) => "too_many_rows",
            BoostingError::NoColumns => "no_columns",
            BoostingError::RowsDiffer { .. } => "rows_differ",
            BoostingError::WeightsDiffer { .. } => "weights_differ",
            BoostingError::BadWeight { .. } => "bad_weight",
            BoostingError::NotFinite { .. } => "not_finite",
            BoostingError::OneClass(_) => "one_class",
            BoostingError::ColumnsDiffer { .. } => "columns_differ",
            BoostingError::BadParameter { .. } => "bad_parameter",
            BoostingError::BadModel(_) => "bad_model",
            BoostingError::Linfa(_) => "linfa",
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            BoostingError::NoRows
            | BoostingError::TooManyRows(_)
            | BoostingError::NoColumns
            | BoostingError::RowsDiffer { .. }
            | BoostingError::WeightsDiffer { .. }
            | BoostingError::BadWeight { .. }
            | BoostingError::NotFinite { .. }
            | BoostingError::OneClass(_)
            | BoostingError::ColumnsDiffer { .. }
            | BoostingError::BadParameter { .. }
            | BoostingError::BadModel(_)
            | BoostingError::Linfa(_) => ErrorKind::Caller,
        }
    }
}

impl BoostingError {
    /// Does the error only mean that there is not enough data yet?
    pub fn is_not_enough_data(&self) -> bool {
        match self {
            BoostingError::NoRows | BoostingError::OneClass(_) => true,
            BoostingError::TooManyRows(_)
            | BoostingError::NoColumns
            | BoostingError::RowsDiffer { .. }
            | BoostingError::WeightsDiffer { .. }
            | BoostingError::BadWeight { .. }
            | BoostingError::NotFinite { .. }
            | BoostingError::ColumnsDiffer { .. }
            | BoostingError::BadParameter { .. }
            | BoostingError::BadModel(_)
            | BoostingError::Linfa(_) => false,
        }
    }
}
