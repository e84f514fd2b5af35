//! The tables of users, contents and campaigns, read: the columns that were asked for, each with its type.
//!
//! Whoever reads one of the three comes this way. A column that a table does not have, since it was written before there was
//! one, is missing in every row.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use polars::prelude::*;

use super::columns::{Column, Stored, Table, TableColumn};
use files::tables::{self, TableError};
use files::workspace::Workspace;

/// How a list is stored that cannot be read; no item of a list begins so.
pub(super) const UNREADABLE_LIST: &str = "[unreadable] ";

/// The items of a stored list, or that it is unreadable.
pub fn items_of(stored: &str) -> Option<impl Iterator<Item = &str>> {
    (!stored.starts_with(UNREADABLE_LIST)).then(|| stored.split(';'))
}

/// Some columns of one of the three tables, its rows in order of their keys.
#[derive(Clone, Debug)]
pub struct DeclaredTable<T> {
    path: PathBuf,
    frame: DataFrame,
    table: PhantomData<T>,
}

impl<T: Table> DeclaredTable<T> {
    /// Reads columns of a table; a workspace may lack it, and then it has no rows.
    ///
    /// # Errors
    /// When the table cannot be read, or a column holds values of another type.
    pub fn read(workspace: &Workspace, columns: &[Column<T>]) -> Result<DeclaredTable<T>, TableError> {
        let columns: Vec<TableColumn> = columns.iter().map(|column| column.column).collect();
        let path = workspace.table(T::KIND.as_str());
        let frame = read_columns(&path, &columns)?;
        Ok(DeclaredTable { path, frame, table: PhantomData })
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.frame.height()
    }

    /// Are there no rows?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same columns of other rows: for each index that row, or one of nulls.
    ///
    /// # Errors
    /// When an index lies behind the last row.
    pub fn take(&self, rows: &IdxCa) -> Result<DeclaredTable<T>, TableError> {
        let frame = self.frame.take(rows).map_err(TableError::parquet(&self.path))?;
        Ok(DeclaredTable { path: self.path.clone(), frame, table: PhantomData })
    }

    /// A column of texts that was asked for.
    pub fn texts(&self, column: Column<T>) -> &StringChunked {
        let found = self.frame.column(column.name()).and_then(|column| column.str());
        found.unwrap_or_else(|_| unreachable!("{} was not read as texts", column.name()))
    }

    /// A column of whole numbers that was asked for, or of moments in microseconds since the epoch.
    pub fn wholes(&self, column: Column<T>) -> &Int64Chunked {
        let found = self.frame.column(column.name()).and_then(|column| column.i64());
        found.unwrap_or_else(|_| unreachable!("{} was not read as whole numbers", column.name()))
    }

    /// A column of numbers that was asked for.
    pub fn numbers(&self, column: Column<T>) -> &Float64Chunked {
        let found = self.frame.column(column.name()).and_then(|column| column.f64());
        found.unwrap_or_else(|_| unreachable!("{} was not read as numbers", column.name()))
    }
}

/// Reads columns of one of the tables under their names: texts, f64 and i64, moments as i64 too.
///
/// # Errors
/// When the table cannot be read, or a column holds values of another type.
pub(super) fn read_columns(path: &Path, columns: &[TableColumn]) -> Result<DataFrame, TableError> {
    if !path.exists() {
        return typed(&DataFrame::empty(), columns).map_err(TableError::parquet(path));
    }
    let names: Vec<&str> = columns.iter().map(|column| column.field.name).collect();
    let frame = tables::read_known_columns(path, &names)?;
    typed(&frame, columns).map_err(TableError::parquet(path))
}

fn typed(frame: &DataFrame, columns: &[TableColumn]) -> PolarsResult<DataFrame> {
    let typed = |column: &TableColumn| {
        let name = column.field.name;
        let Ok(stored) = frame.column(name) else {
            return Ok(missing(column, frame.height()));
        };
        match column.holds.stored() {
            Stored::Texts => stored.str().map(|texts| texts.clone().into_column()),
            Stored::Wholes => stored.i64().map(|wholes| wholes.clone().into_column()),
            Stored::Numbers => stored.f64().map(|numbers| numbers.clone().into_column()),
            Stored::Moments => stored.datetime().map(|moments| moments.physical().clone().into_column()),
        }
    };
    DataFrame::new(frame.height(), columns.iter().map(typed).collect::<PolarsResult<_>>()?)
}

fn missing(column: &TableColumn, rows: usize) -> polars::prelude::Column {
    let name: PlSmallStr = column.field.name.into();
    match column.holds.stored() {
        Stored::Texts => StringChunked::full_null(name, rows).into_column(),
        Stored::Wholes | Stored::Moments => Int64Chunked::full_null(name, rows).into_column(),
        Stored::Numbers => Float64Chunked::full_null(name, rows).into_column(),
    }
}

/// The text `platform` of a JSON object, such as a user's attributes; what does not even name it is not parsed.
pub fn platform_of(object: &str) -> Option<String> {
    if !object.contains("\"platform\"") {
        return None;
    }
    let object: serde_json::Value = serde_json::from_str(object).ok()?;
    object.get("platform")?.as_str().map(str::to_string)
}

/// A JSON object of attributes, by name; what cannot be read has none.
pub fn attributes_in(object: &str) -> BTreeMap<String, serde_json::Value> {
    serde_json::from_str(object).unwrap_or_default()
}
