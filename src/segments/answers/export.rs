//! Members as a file with its manifest: CSV that no spreadsheet takes for formulas, JSON lines, or Parquet.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use polars::prelude::*;
use serde_json::{Value, json};

use crate::language::keys::LookupKey;
use crate::people::{People, PeopleError};
use files::tables::{self, TableError};

/// Rows formatted at a time.
const CHUNK_ROWS: usize = 65_536;

/// Version of the manifest.
const FORMAT: u32 = 1;

/// A written export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// Members.
    pub rows: u64,
    /// Of the file.
    pub sha256: String,
    /// `FILE.manifest.json`.
    pub manifest: PathBuf,
}

/// The members as a table: user_id, then a column for each key under its title, as they were looked up.
///
/// # Errors
/// When a key was not looked up.
pub fn frame_of(
    people: &People,
    members: &[bool],
    columns: &[(String, LookupKey)],
) -> Result<DataFrame, PeopleError> {
    let mut all = vec![Column::new("user_id".into(), people.ids().clone().into_series())];
    for (title, key) in columns {
        let column = people.column(key).ok_or_else(|| PeopleError::Missing(key.clone()))?;
        all.push(column.clone().with_name(title.as_str().into()).into());
    }
    let mask = BooleanChunked::from_slice("member".into(), members);
    let frame = DataFrame::new(people.len(), all).and_then(|frame| frame.filter(&mask));
    Ok(frame.map_err(TableError::parquet(Path::new("export")))?)
}

/// Writes the members and, beside them, the manifest: `head` with format, file, rows, sha256 and formula_safe.
///
/// Each appears whole or not at all; when the manifest cannot be written, neither is left. Of a CSV, a text that begins with
/// `=`, `+`, `-`, `@`, a tab or a carriage return gets a `'` before it.
///
/// # Errors
/// When a file cannot be written.
pub fn write(out: &Path, frame: &DataFrame, head: &Value) -> Result<Export, TableError> {
    let is_csv = out.extension().is_some_and(|extension| extension == "csv");
    let (mut start, mut is_first) = (0, true);
    let rows = tables::write_table(out, || {
        // Without members there is still a header.
        if start >= frame.height() && !is_first {
            return Ok(None);
        }
        let chunk = frame.slice(start as i64, CHUNK_ROWS);
        (start, is_first) = (start + CHUNK_ROWS, false);
        if is_csv {
            formula_safe(&chunk).map_err(TableError::parquet(out)).map(Some)
        } else {
            Ok(Some(chunk))
        }
    })?;
    let sha256 = tables::sha256_of_file(out)?;
    let name = out.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let manifest = out.with_file_name(format!("{name}.manifest.json"));
    let mut text = head.clone();
    text["format"] = json!(FORMAT);
    text["file"] = json!(name);
    text["rows"] = json!(rows);
    text["sha256"] = json!(sha256);
    text["formula_safe"] = json!(is_csv);
    if let Err(error) = tables::write_atomically(&manifest, |file| writeln!(file, "{text:#}")) {
        let _ = std::fs::remove_file(out);
        return Err(error);
    }
    Ok(Export { rows, sha256, manifest })
}

/// A format of members that are streamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// With a header; formula-safe as [`write()`] says.
    Csv,
    /// A JSON object a line.
    Jsonl,
    /// Parquet.
    Parquet,
}

impl Format {
    /// The format of a name: csv, jsonl or parquet.
    pub fn parse(name: &str) -> Option<Format> {
        [Format::Csv, Format::Jsonl, Format::Parquet].into_iter().find(|format| format.as_str() == name)
    }

    /// Its name, which is also the extension of its files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Jsonl => "jsonl",
            Format::Parquet => "parquet",
        }
    }
}

/// Writes the ids of the members to wherever bytes go, as [`write()`] does; memory holds one chunk of them at a time.
///
/// # Errors
/// Those of the writer.
pub fn stream(people: &People, members: &[bool], format: Format, writer: &mut dyn Write) -> io::Result<u64> {
    let mut ids = people.ids().iter().zip(members).filter(|(_, taken)| **taken).map(|(id, _)| id);
    let mut is_first = true;
    tables::stream_table(writer, format.as_str(), || {
        let chunk: Vec<Option<&str>> = ids.by_ref().take(CHUNK_ROWS).collect();
        // Without members there is still a header.
        if chunk.is_empty() && !is_first {
            return Ok(None);
        }
        is_first = false;
        let column = StringChunked::from_slice_options("user_id".into(), &chunk).into_series();
        let frame = DataFrame::new(chunk.len(), vec![column.into()]);
        let frame = frame.and_then(|frame| match format {
            Format::Csv => formula_safe(&frame),
            Format::Jsonl | Format::Parquet => Ok(frame),
        });
        frame.map(Some).map_err(io::Error::other)
    })
}

/// The same with every text such that a spreadsheet shows it and does not calculate it (OWASP, "CSV injection").
fn formula_safe(frame: &DataFrame) -> PolarsResult<DataFrame> {
    let safe = |column: &Column| match column.dtype() {
        DataType::String => {
            let texts = column.str()?.iter().map(|text| text.map(harmless));
            let texts = StringChunked::from_iter_options(column.name().clone(), texts);
            Ok(texts.into_series().into())
        }
        _ => Ok(column.clone()),
    };
    let columns = frame.columns().iter().map(safe).collect::<PolarsResult<Vec<Column>>>()?;
    DataFrame::new(frame.height(), columns)
}

fn harmless(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if is_formula { format!("'{text}") } else { text.to_string() }
}
