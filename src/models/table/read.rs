//! Any table in memory: every column as a list of its distinct cells and one code a row.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use events::formats::{InputColumn, InputError, InputRecord, InputRow, Limits, Progress, RawValue, Reader};

/// Bytes of the longest record of a text format.
const RECORD_BYTES: usize = 1 << 20;
/// Rows of Parquet decoded at a time.
const CHUNK_ROWS: usize = 65_536;

/// The rows of a file.
#[derive(Clone, Debug)]
pub struct CellTable {
    path: PathBuf,
    columns: Vec<CellColumn>,
    rows: usize,
}

/// The cells of one column.
#[derive(Clone, Debug)]
pub(super) struct CellColumn {
    /// Its name in the file.
    pub(super) name: String,
    /// The distinct cells, in the order in which they came.
    pub(super) distinct: Vec<String>,
    /// Of each row 0 for a missing cell, else 1 + the index of its cell.
    pub(super) codes: Vec<u32>,
    index_of: HashMap<String, u32>,
}

impl CellColumn {
    fn named(name: String, rows: usize) -> CellColumn {
        CellColumn { name, distinct: Vec::new(), codes: vec![0; rows], index_of: HashMap::new() }
    }

    fn push(&mut self, cell: Option<String>) {
        let Some(cell) = cell else { return self.codes.push(0) };
        let next = self.distinct.len() as u32 + 1;
        let code = *self.index_of.entry(cell).or_insert_with_key(|cell| {
            self.distinct.push(cell.clone());
            next
        });
        self.codes.push(code);
    }

    /// The cell of a row; `None` when it is missing.
    pub(super) fn cell(&self, row: usize) -> Option<&str> {
        let code = self.codes[row] as usize;
        code.checked_sub(1).map(|index| self.distinct[index].as_str())
    }
}

impl CellTable {
    /// Reads CSV (separated by `,` `;` tab or `|`), JSON lines or Parquet, gzip or not.
    ///
    /// # Errors
    /// When the file cannot be read, or a record in it cannot; the text names the line.
    pub fn read(path: &Path, scratch: &Path, watch: &dyn Fn(usize)) -> Result<CellTable, InputError> {
        let limits = Limits { chunk_rows: CHUNK_ROWS, record_bytes: RECORD_BYTES };
        let mut reader = Reader::open(path, None, limits, &Progress::default(), scratch)?;
        let names = reader.header().map(<[String]>::to_vec).unwrap_or_default();
        let columns = names.into_iter().map(|name| CellColumn::named(name, 0)).collect();
        let mut table = CellTable { path: path.to_path_buf(), columns, rows: 0 };
        while let Some(record) = reader.next_record()? {
            match record {
                InputRecord::Row(_, row) => table.push(&row),
                InputRecord::Unreadable(line, rejection, _) => {
                    let detail = format!("line {line}: {}", rejection.detail);
                    return Err(InputError::new(rejection.code.as_str(), path, detail));
                }
            }
            if table.rows.is_multiple_of(CHUNK_ROWS) {
                watch(table.rows);
            }
        }
        Ok(table)
    }

    /// A field that the rows before did not have is a column whose cells were missing.
    fn push(&mut self, row: &InputRow<'_>) {
        if let InputRow::Json(object) = row {
            for name in object.keys() {
                if !self.columns.iter().any(|column| column.name == name) {
                    self.columns.push(CellColumn::named(name.to_string(), self.rows));
                }
            }
        }
        for (index, column) in self.columns.iter_mut().enumerate() {
            column.push(text_of(row.get(&InputColumn { name: column.name.clone(), index })));
        }
        self.rows += 1;
    }

    /// Rows of the file.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Names of the columns, in the order of the file.
    pub fn names(&self) -> Vec<&str> {
        self.columns.iter().map(|column| column.name.as_str()).collect()
    }

    pub(super) fn columns(&self) -> &[CellColumn] {
        &self.columns
    }

    /// The column of a name, if there is one.
    pub(super) fn find(&self, name: &str) -> Option<&CellColumn> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The column that an option names.
    pub(super) fn need(&self, name: &str, option: &str) -> Result<&CellColumn, InputError> {
        self.find(name).ok_or_else(|| {
            let detail = format!("{option} names column {name:?}; the file has {}", self.names().join(", "));
            self.error("missing_column", detail)
        })
    }

    pub(super) fn error(&self, code: &'static str, detail: impl Into<String>) -> InputError {
        InputError::new(code, &self.path, detail)
    }
}

/// A cell as text; `None` when it is missing.
fn text_of(value: RawValue<'_>) -> Option<String> {
    match value {
        RawValue::Missing => None,
        RawValue::Text(text) => Some(text.into_owned()),
        RawValue::Integer(number) => Some(number.to_string()),
        RawValue::Number(number) => Some(number.to_string()),
        RawValue::Single(number) => Some(number.to_string()),
        RawValue::Boolean(flag) => Some(flag.to_string()),
        other => match other.to_json() {
            serde_json::Value::String(text) => Some(text),
            json => Some(json.to_string()),
        },
    }
}
