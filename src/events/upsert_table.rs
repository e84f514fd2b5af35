//! The rows of a table while records are put over them.

use std::collections::BTreeMap;
use std::path::Path;

use polars::prelude::*;
use serde_json::Value;

use super::cell::{Cell, FieldUpdate};
use super::clean::canonical_json;
use super::columns::{Stored, TableColumn, users};
use super::consents::ConsentColumns;
use super::declared::read_columns;
use super::notes::{CellNote, ConsentChanges, NoteKind};
use domain::time::Instant;
use files::tables::TableError;

/// What a record says about each column but the key.
pub(super) type Patch = Vec<FieldUpdate>;

/// Rows by key.
pub(super) type RowsByKey = BTreeMap<String, Vec<Option<Cell>>>;

/// The rows of a table while files are read over them.
pub(super) struct UpsertTable {
    pub(super) rows: RowsByKey,
    pub(super) consent: Option<ConsentColumns>,
    pub(super) now: Instant,
}

impl UpsertTable {
    /// Takes the grant of a user away whose record was rejected, so that nobody knows what it says of consent.
    pub(super) fn tear(&mut self, key: &str, changes: &mut ConsentChanges) -> Option<CellNote> {
        let (consent, row) = (self.consent?, self.rows.get(key)?);
        let patch = consent.unreadable_after_grant(row)?;
        self.apply(key.to_string(), patch, changes);
        let detail =
            format!("the record cannot be read, so the consent of user {key:?} is not known any more");
        Some(CellNote { column: users::CONSENT.name(), kind: NoteKind::Unreadable, detail })
    }

    /// Puts a patch over the row of its key; does that change anything?
    pub(super) fn apply(&mut self, key: String, mut patch: Patch, changes: &mut ConsentChanges) -> bool {
        let mut changed = !self.rows.contains_key(&key);
        let row = self.rows.entry(key).or_insert_with(|| vec![None; patch.len()]);
        if let Some(consent) = self.consent {
            consent.settle(row, &mut patch, self.now, changes);
        }
        for (cell, said) in row.iter_mut().zip(patch) {
            let value = match said {
                FieldUpdate::Nothing => continue,
                FieldUpdate::Cell(value) => value,
                FieldUpdate::Attributes(entries) => merged(cell.as_ref(), entries),
            };
            if value != *cell {
                *cell = value;
                changed = true;
            }
        }
        changed
    }
}

/// The former attributes with some set or cleared.
fn merged(former: Option<&Cell>, entries: BTreeMap<String, Value>) -> Option<Cell> {
    let mut all: BTreeMap<String, Value> = match former {
        Some(Cell::Text(text)) => serde_json::from_str(text).unwrap_or_default(),
        _ => BTreeMap::new(),
    };
    all.extend(entries);
    all.retain(|_, value| !value.is_null());
    attributes(all)
}

pub(super) fn attributes(entries: BTreeMap<String, Value>) -> Option<Cell> {
    if entries.is_empty() {
        return None;
    }
    Some(Cell::Text(canonical_json(&Value::Object(entries.into_iter().collect()))))
}

/// The table of some rows, sorted by key.
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

/// The rows of a table, which may be missing.
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
