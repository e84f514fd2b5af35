//! Why a column of a table cannot be learned or scored.

use domain::error::{Coded, ErrorKind};
use evaluation::uplift::UpliftError;
use events::formats::InputError;
use learners::boosting::BoostingError;
use learners::logistic::FitError;
use learners::uplift::LearnError;

/// A table that cannot be a goal, or cannot be scored.
#[derive(Debug, thiserror::Error)]
pub enum TableGoalError {
    /// The file cannot be read, a column is missing, or a cell cannot be used.
    #[error(transparent)]
    Input(#[from] InputError),
    /// Too few rows to train, calibrate and test.
    #[error(
        "too_few_rows: goal {goal}: {rows} rows with a label; training, calibration and test need at least {needed}"
    )]
    TooFewRows {
        /// The goal.
        goal: String,
        /// Rows with a label.
        rows: usize,
        /// Rows it takes.
        needed: usize,
    },
    /// All rows of a part have the same label.
    #[error(
        "one_class: goal {goal}: {positives} of the {rows} rows of the {part} part are positive; a model needs both outcomes"
    )]
    OneClass {
        /// The goal.
        goal: String,
        /// train or test.
        part: &'static str,
        /// Its rows.
        rows: usize,
        /// Positive ones.
        positives: usize,
    },
    /// No column is left that could be an input.
    #[error("no_inputs: goal {goal}: no column can be an input; left out are {left_out}")]
    NoInputs {
        /// The goal.
        goal: String,
        /// Each column with the reason.
        left_out: String,
    },
    /// A regression has no fit.
    #[error("{source} (goal {goal})")]
    Logistic {
        /// The goal.
        goal: String,
        /// Why.
        source: FitError,
    },
    /// Boosting has no fit.
    #[error("{source} (goal {goal})")]
    Boosting {
        /// The goal.
        goal: String,
        /// Why.
        source: BoostingError,
    },
    /// Uplift has no fit.
    #[error("{source} (goal {goal})")]
    Learn {
        /// The goal.
        goal: String,
        /// Why.
        source: LearnError,
    },
    /// Uplift cannot be measured.
    #[error(transparent)]
    Uplift(#[from] UpliftError),
    /// The model does not read a table.
    #[error(
        "not_a_table_goal: goal {0} is declared by events; `smartpush score --goal {0}` scores its population without --table"
    )]
    NotATable(String),
}

impl Coded for TableGoalError {
    fn code(&self) -> &'static str {
        match self {
            TableGoalError::Input(error) => error.code(),
            TableGoalError::TooFewRows { .. } => "too_few_rows",
            TableGoalError::OneClass { .. } => "one_class",
            TableGoalError::NoInputs { .. } => "no_inputs",
            TableGoalError::Logistic { source, .. } => source.code(),
            TableGoalError::Boosting { source, .. } => source.code(),
            TableGoalError::Learn { source, .. } => source.code(),
            TableGoalError::Uplift(error) => error.code(),
            TableGoalError::NotATable(_) => "not_a_table_goal",
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            TableGoalError::Input(error) => error.kind(),
            TableGoalError::TooFewRows { .. }
            | TableGoalError::OneClass { .. }
            | TableGoalError::NoInputs { .. }
            | TableGoalError::NotATable(_) => ErrorKind::Caller,
            TableGoalError::Logistic { source, .. } => source.kind(),
            TableGoalError::Boosting { source, .. } => source.kind(),
            TableGoalError::Learn { source, .. } => source.kind(),
            TableGoalError::Uplift(error) => error.kind(),
        }
    }
}
