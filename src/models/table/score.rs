//! Scores of a table's rows by a model of one of its columns.

use super::error::TableGoalError;
use super::fit::InputMatrix;
use super::read::{CellColumn, CellTable};
use super::uplift::uplift_of;
use events::formats::InputError;
use polars::prelude::{Column, DataFrame, PolarsResult};
use registry::model::{Model, ModelKind};
use registry::table::TableColumn;

/// Scores of each row, in the order of the file.
#[derive(Clone, Debug)]
pub struct TableScores {
    /// Calibrated probability.
    pub propensities: Vec<f64>,
    /// What the treatment changes, of a model with one.
    pub uplifts: Option<Vec<f64>>,
    /// Cells whose level training did not know, by column; they count as rare, or as none of the known levels.
    pub unknown_levels: Vec<(String, usize)>,
}

impl TableScores {
    /// The mean propensity; NaN without rows.
    pub fn mean_propensity(&self) -> f64 {
        self.propensities.iter().sum::<f64>() / self.propensities.len() as f64
    }

    /// The scores as a frame: row (from 1), the id if the goal has one, propensity, and uplift if the goal has a treatment.
    ///
    /// # Errors
    /// When polars cannot build it.
    pub fn frame(&self, table: &CellTable, model: &Model) -> PolarsResult<DataFrame> {
        let rows: Vec<u64> = (1..=self.propensities.len() as u64).collect();
        let mut columns = vec![Column::new("row".into(), rows)];
        let id = model.table.as_ref().and_then(|schema| schema.id.as_ref());
        if let Some((name, column)) = id.and_then(|id| Some((id, table.find(id)?))) {
            let cells: Vec<Option<&str>> = (0..table.rows()).map(|row| column.cell(row)).collect();
            columns.push(Column::new(name.as_str().into(), cells));
        }
        columns.push(Column::new("propensity".into(), self.propensities.clone()));
        if let Some(uplifts) = &self.uplifts {
            columns.push(Column::new("uplift".into(), uplifts.clone()));
        }
        DataFrame::new(self.propensities.len(), columns)
    }
}

/// Scores every row of a table.
///
/// # Errors
/// When the model is not one of a table, or the table lacks a column that it reads.
pub fn score_table(table: &CellTable, model: &Model) -> Result<TableScores, TableGoalError> {
    let all: Vec<usize> = (0..table.rows()).collect();
    let propensities = probabilities_at(table, model, &all)?;
    let schema = model.table.as_ref().ok_or_else(|| TableGoalError::NotATable(model.goal.clone()))?;
    let uplifts = match &schema.uplift {
        Some(uplift) => {
            let found = found(table, &uplift.columns)?;
            let width = uplift.columns.iter().map(|column| column.input_names().len()).sum();
            let mut matrix = InputMatrix { columns: vec![Vec::with_capacity(all.len()); width] };
            let mut inputs = Vec::new();
            for row in &all {
                read(&uplift.columns, &found, *row, &mut inputs);
                matrix.columns.iter_mut().zip(&inputs).for_each(|(column, value)| column.push(*value));
            }
            Some(uplift_of(uplift, &matrix, all.len()))
        }
        None => None,
    };
    Ok(TableScores { propensities, uplifts, unknown_levels: unknown_levels(table, &schema.columns)? })
}

/// Calibrated probabilities of some rows of a table.
///
/// # Errors
/// As [`score_table`].
pub(super) fn probabilities_at(
    table: &CellTable,
    model: &Model,
    rows: &[usize],
) -> Result<Vec<f64>, TableGoalError> {
    let schema = model.table.as_ref().ok_or_else(|| TableGoalError::NotATable(model.goal.clone()))?;
    let found = found(table, &schema.columns)?;
    let mut inputs = Vec::new();
    let probability = |row: &usize| {
        match model.kind {
            ModelKind::BaseRate => inputs.clear(),
            _ => read(&schema.columns, &found, *row, &mut inputs),
        }
        model.score_row(&inputs)
    };
    Ok(rows.iter().map(probability).collect())
}

fn read(columns: &[TableColumn], cells: &[&CellColumn], row: usize, inputs: &mut Vec<f64>) {
    inputs.clear();
    columns.iter().zip(cells).for_each(|(column, cells)| column.read(cells.cell(row), inputs));
}

/// The table's columns that a model reads; all that are absent are named at once.
fn found<'a>(table: &'a CellTable, columns: &[TableColumn]) -> Result<Vec<&'a CellColumn>, InputError> {
    let absent = columns.iter().filter(|column| table.find(&column.name).is_none());
    let absent: Vec<&str> = absent.map(|column| column.name.as_str()).collect();
    if !absent.is_empty() {
        let detail = format!(
            "the model reads {}, which the file lacks; it has {}",
            absent.join(", "),
            table.names().join(", ")
        );
        return Err(table.error("missing_column", detail));
    }
    Ok(columns.iter().filter_map(|column| table.find(&column.name)).collect())
}

/// Rows of each column whose level the model does not know and has no input for.
fn unknown_levels(table: &CellTable, columns: &[TableColumn]) -> Result<Vec<(String, usize)>, InputError> {
    let found = found(table, columns)?;
    let count = |(column, cells): (&TableColumn, &&CellColumn)| {
        let registry::table::CellKind::Category { levels, rare_is_input: false } = &column.cells else {
            return None;
        };
        let is_unknown = |row: &usize| cells.cell(*row).is_some_and(|cell| !levels.iter().any(|l| l == cell));
        let rows = (0..table.rows()).filter(is_unknown).count();
        (rows > 0).then(|| (column.name.clone(), rows))
    };
    Ok(columns.iter().zip(&found).filter_map(count).collect())
}
