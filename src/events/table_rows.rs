//! The rows of a table of users, contents or campaigns in memory, and their frame.

use std::collections::BTreeMap;
use std::path::Path;

use polars::prelude::*;

use super::cell::Cell;
use super::columns::{Stored, TableColumn};
use super::declared::read_columns;
use files::tables::TableError;

/// Rows by key.
pub(super) type RowsByKey = BTreeMap<String, Vec<Option<Cell>>>;

/// The rows as a frame, in order of their keys.
pub(super) fn frame_of(rows: &RowsByKey, columns: &[TableColumn]) -> PolarsResult<DataFrame> {
    let keys = StringChunked::from_iter_values(columns[0].field.name.into(), rows.keys().map(String::as_str));
    let mut frame = vec![keys.into_column()];
    for (index, column) in columns.iter().skip(1).enumerate() {
        let cells = || rows.values().map(|row| row[index].as_ref());
        let name: PlSmallStr = column.field.name.into();
        let whole =
            |cell: Option<&Cell>| if let Some(Cell::Whole(value)) = cell { Some(*value) } else { None };
        frame.push(match column.holds.stored() {
            Stored::Moments => Int64Chunked::from_iter_options(name, cells().map(whole))
                .into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC))
                .into_column(),
            Stored::Wholes => Int64Chunked::from_iter_options(name, cells().map(whole)).into_column(),
            Stored::Numbers => {
                let number = |cell: Option<&Cell>| {
                    if let Some(Cell::Number(value)) = cell { Some(*value) } else { None }
                };
                Float64Chunked::from_iter_options(name, cells().map(number)).into_column()
            }
            Stored::Texts => {
                let text = |cell: Option<&'_ Cell>| {
                    if let Some(Cell::Text(text)) = cell { Some(text.clone()) } else { None }
                };
                StringChunked::from_iter_options(name, cells().map(text)).into_column()
            }
        });
    }
    DataFrame::new(rows.len(), frame)
}

/// The rows of a table; a workspace may lack it, and then it has none.
pub(super) fn read_rows(path: &Path, columns: &[TableColumn]) -> Result<RowsByKey, TableError> {
    rows_of(&read_columns(path, columns)?, columns).map_err(TableError::parquet(path))
}

fn rows_of(frame: &DataFrame, columns: &[TableColumn]) -> PolarsResult<RowsByKey> {
    let keys = frame.column(columns[0].field.name)?.str()?;
    let mut rows: Vec<(String, Vec<Option<Cell>>)> =
        keys.iter().map(|key| (key.unwrap_or_default().to_string(), vec![None; columns.len() - 1])).collect();
    for (index, column) in columns.iter().skip(1).enumerate() {
        let stored = frame.column(column.field.name)?;
        let cells: Vec<Option<Cell>> = match column.holds.stored() {
            Stored::Wholes | Stored::Moments => {
                stored.i64()?.iter().map(|value| value.map(Cell::Whole)).collect()
            }
            Stored::Numbers => stored.f64()?.iter().map(|value| value.map(Cell::Number)).collect(),
            Stored::Texts => {
                stored.str()?.iter().map(|text| text.map(|text| Cell::Text(text.to_string()))).collect()
            }
        };
        for ((_, row), cell) in rows.iter_mut().zip(cells) {
            row[index] = cell;
        }
    }
    Ok(rows.into_iter().collect())
}
