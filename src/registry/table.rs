//! How a model reads the columns of a table: which are numbers, which are categories, and what of them is an input.

use serde::{Deserialize, Serialize};

use learners::uplift::Uplift;

/// A table whose rows a model scores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableSchema {
    /// The column that is predicted.
    pub label: String,
    /// The column that orders the rows in time; `None`: the rows of the file are in order.
    pub time: Option<String>,
    /// The column that names a row; scores carry it.
    pub id: Option<String>,
    /// The columns that are inputs, in the order of the file it was trained on.
    pub columns: Vec<TableColumn>,
    /// Rows weigh half as much every so many shares of the training rows; `None`: all weigh the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub half_life: Option<f64>,
    /// What the treatment changes, of a goal that was trained with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uplift: Option<TableUplift>,
}

/// Uplift of a treatment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableUplift {
    /// The column that says which rows were treated.
    pub treatment: String,
    /// The columns that it reads.
    pub columns: Vec<TableColumn>,
    /// What was learned; it reads the columns' inputs, standardised.
    pub learner: Uplift,
    /// Mean of each input in training.
    pub means: Vec<f64>,
    /// Standard deviation of each input in training.
    pub scales: Vec<f64>,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableColumn {
    /// Its name.
    pub name: String,
    /// What its cells are.
    pub cells: CellKind,
    /// Is a missing cell an input of its own? Only where enough rows of training had none.
    pub missing_is_input: bool,
}

/// What the cells of a column are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CellKind {
    /// Numbers; anything else is missing.
    Number,
    /// Categories.
    Category {
        /// The levels with an input of their own, sorted.
        levels: Vec<String>,
        /// Do all other levels share an input? Only where enough rows of training had one.
        rare_is_input: bool,
    },
}

impl TableSchema {
    /// Names of all inputs in order.
    pub fn input_names(&self) -> Vec<String> {
        self.columns.iter().flat_map(TableColumn::input_names).collect()
    }
}

impl TableColumn {
    /// Names of the column's inputs: `age`, `age=(missing)`, `job=student`, `job=(rare)`, `job=(missing)`.
    pub fn input_names(&self) -> Vec<String> {
        let mut names = match &self.cells {
            CellKind::Number => vec![self.name.clone()],
            CellKind::Category { levels, .. } => {
                levels.iter().map(|level| format!("{}={level}", self.name)).collect()
            }
        };
        if let CellKind::Category { rare_is_input: true, .. } = self.cells {
            names.push(format!("{}=(rare)", self.name));
        }
        if self.missing_is_input {
            names.push(format!("{}=(missing)", self.name));
        }
        names
    }

    /// Appends the inputs of a cell, `None` being a missing one. A level that training did not know is a rare one; where
    /// rare levels have no input it is none of the known levels.
    pub fn read(&self, cell: Option<&str>, inputs: &mut Vec<f64>) {
        let one = |is: bool| f64::from(u8::from(is));
        let is_missing = match &self.cells {
            CellKind::Number => {
                let number = cell.and_then(number_of);
                inputs.push(number.unwrap_or(f64::NAN));
                number.is_none()
            }
            CellKind::Category { levels, rare_is_input } => {
                let known =
                    cell.and_then(|cell| levels.binary_search_by(|level| level.as_str().cmp(cell)).ok());
                inputs.extend((0..levels.len()).map(|level| one(known == Some(level))));
                if *rare_is_input {
                    inputs.push(one(cell.is_some() && known.is_none()));
                }
                cell.is_none()
            }
        };
        if self.missing_is_input {
            inputs.push(one(is_missing));
        }
    }
}

/// A finite number as a table writes it.
pub fn number_of(cell: &str) -> Option<f64> {
    const LARGEST: f64 = 1e150;
    cell.parse().ok().filter(|number: &f64| number.is_finite() && number.abs() <= LARGEST)
}
