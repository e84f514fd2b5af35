//! Rows of one user removed from tables of ours, wherever below a directory they lie.

use std::fs;
use std::path::{Path, PathBuf};

use polars::prelude::*;

use super::tables::{TableError, read_known_columns, read_parquet, write_parquet};

/// The column that names users in every table that has rows of them.
const USER_ID: &str = "user_id";

/// How many rows a table has of a user. A table without a column user_id has none.
///
/// # Errors
/// When the table cannot be read.
pub fn rows_of_user(path: &Path, user_id: &str) -> Result<u64, TableError> {
    let ids = read_known_columns(path, &[USER_ID])?;
    let Ok(ids) = ids.column(USER_ID).and_then(|column| column.str()) else { return Ok(0) };
    Ok(ids.iter().filter(|id| *id == Some(user_id)).count() as u64)
}

/// Removes a user's rows from a table; how many there were.
///
/// # Errors
/// When the table cannot be read or written; it is then as it was.
pub fn remove_user(path: &Path, user_id: &str) -> Result<u64, TableError> {
    let rows = rows_of_user(path, user_id)?;
    if rows > 0 {
        let frame = read_parquet(path, None)?;
        let others = frame
            .column(USER_ID)
            .and_then(|column| column.str())
            .map(|ids| ids.iter().map(|id| id != Some(user_id)).collect::<BooleanChunked>());
        let kept = others.and_then(|others| frame.filter(&others));
        write_parquet(path, &mut kept.map_err(TableError::parquet(path))?)?;
    }
    Ok(rows)
}

/// All Parquet files below a directory, sorted; a directory that does not exist has none.
pub fn tables_below(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![directory.to_path_buf()];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "parquet") {
                found.push(path);
            }
        }
    }
    found.sort_unstable();
    found
}
