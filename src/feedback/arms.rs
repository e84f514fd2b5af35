//! Randomised arms: rows of an experiment with the unit of each, and reasons to doubt the units.

use std::collections::BTreeMap;

use serde::Serialize;

use evaluation::uplift::{Rows, UpliftUnit};

/// Rows of an experiment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArmRows {
    /// The rows, in the order in which they came.
    pub rows: Vec<UpliftUnit>,
    /// The unit of each, numbered from 0 in that order; `None` when every row is a unit.
    pub units: Option<Vec<u32>>,
}

impl ArmRows {
    /// As the estimators take them.
    pub fn as_rows(&self) -> Rows<'_> {
        Rows { rows: &self.rows, units: self.units.as_deref() }
    }
}

/// The arms of an experiment, or of several campaigns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arms {
    /// Of all campaigns together.
    pub all: ArmRows,
    /// Of each campaign.
    pub campaigns: BTreeMap<String, ArmRows>,
    /// A score of each row in `all`, when there are any.
    pub scores: Option<Vec<f64>>,
    /// What is known of units.
    pub units: UnitReport,
}

/// What a file says of its units.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct UnitReport {
    /// The column that names them, as it is called in the file; `None` when every row is a unit.
    pub column: Option<String>,
    /// Units.
    pub n: u64,
    /// Rows of them.
    pub rows: u64,
    /// Units with rows in both arms, of a campaign where there are several.
    pub both_arms: BothArms,
    /// Without a column of units: columns that look like one.
    pub repeating: Vec<RepeatingColumn>,
}

/// Units with rows in both arms.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct BothArms {
    /// How many.
    pub n: u64,
    /// Of how many.
    pub of: u64,
    /// The first of them, in order of id.
    pub examples: Vec<String>,
    /// Rows of theirs that were left out; 0 when rows were assigned one by one.
    pub excluded_rows: u64,
}

/// A column whose values repeat as the ids of units do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RepeatingColumn {
    /// Its name.
    pub column: String,
    /// Different values.
    pub values: u64,
    /// Rows with a value.
    pub rows: u64,
}
