//! What the rows of an ingest of users, contents or campaigns said, kept so that the table can be made again without another
//! ingest.
//!
//! `data/ingests/ID.rows.gz`: JSON lines, compressed; the first names the format and the kind, the last counts the others.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

use super::cell::FieldUpdate;
use super::columns::TableColumn;
use super::request::InputKind;
use super::upsert_table::Patch;
use files::tables::{self, TableError};
use files::workspace::Workspace;

/// End of a file's name.
pub(super) const ENDING: &str = ".rows.gz";

/// Version of the file.
const FORMAT: u32 = 1;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
struct RowsHeader {
    format: u32,
    kind: String,
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RowsEnd {
    rows: u64,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeptRow {
    pub(super) key: String,
    /// By column, what it says; columns of which it says nothing are absent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    said: BTreeMap<String, FieldUpdate>,
    /// Was the record rejected, so that what it says of consent is not known?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_torn: bool,
}

impl KeptRow {
    pub(super) fn of(key: &str, patch: &Patch, columns: &[TableColumn]) -> KeptRow {
        let named =
            columns.iter().skip(1).map(|column| column.field.name.to_string()).zip(patch.iter().cloned());
        let said = named.filter(|(_, said)| *said != FieldUpdate::Nothing).collect();
        KeptRow { key: key.to_string(), said, is_torn: false }
    }

    pub(super) fn torn(key: &str) -> KeptRow {
        KeptRow { key: key.to_string(), said: BTreeMap::new(), is_torn: true }
    }

    /// What it says about each column but the key; a column that is not known any more is passed over.
    pub(super) fn patch(&mut self, columns: &[TableColumn]) -> Patch {
        let said = |column: &TableColumn| self.said.remove(column.field.name).unwrap_or(FieldUpdate::Nothing);
        columns.iter().skip(1).map(said).collect()
    }
}

/// Writes the rows of one ingest.
pub(super) struct KeptRowsWriter {
    path: PathBuf,
    out: GzEncoder<File>,
    rows: u64,
}

impl KeptRowsWriter {
    pub(super) fn create(path: &Path, kind: InputKind) -> Result<KeptRowsWriter, TableError> {
        KeptRowsWriter::with_header(path, &RowsHeader { format: FORMAT, kind: kind.as_str().to_string() })
    }

    fn with_header(path: &Path, header: &RowsHeader) -> Result<KeptRowsWriter, TableError> {
        let file = File::create(path).map_err(TableError::io(path))?;
        let out = GzEncoder::new(file, Compression::fast());
        let mut writer = KeptRowsWriter { path: path.to_path_buf(), out, rows: 0 };
        writer.line(header)?;
        Ok(writer)
    }

    pub(super) fn add(&mut self, row: &KeptRow) -> Result<(), TableError> {
        self.rows += 1;
        self.line(row)
    }

    fn line(&mut self, line: &impl Serialize) -> Result<(), TableError> {
        let text = serde_json::to_string(line).unwrap_or_default();
        writeln!(self.out, "{text}").map_err(TableError::io(&self.path))
    }

    /// Ends the file and returns its path.
    pub(super) fn finish(mut self) -> Result<PathBuf, TableError> {
        self.line(&RowsEnd { rows: self.rows })?;
        let KeptRowsWriter { path, out, .. } = self;
        let file = out.finish().map_err(TableError::io(&path))?;
        file.sync_all().map_err(TableError::io(&path))?;
        Ok(path)
    }
}

/// Where the rows of an ingest are kept.
pub(super) fn rows_path(workspace: &Workspace, id: &str) -> PathBuf {
    workspace.ingests().join(format!("{id}{ENDING}"))
}

/// Moves a finished file to where the rows of an ingest are kept.
pub(super) fn keep(workspace: &Workspace, finished: &Path, id: &str) -> Result<(), TableError> {
    let (directory, path) = (workspace.ingests(), rows_path(workspace, id));
    fs::create_dir_all(&directory).map_err(TableError::io(&directory))?;
    fs::rename(finished, &path).map_err(TableError::io(&path))?;
    tables::sync_directory(&directory)
}

/// Offers each row of a file to `take`; `false` when the file is not as it was written.
pub(super) fn read_each(path: &Path, mut take: impl FnMut(KeptRow)) -> Result<bool, TableError> {
    let give = |row| {
        take(row);
        Ok(())
    };
    read_with_header(path, |_| Ok(()), give)
}

fn read_with_header(
    path: &Path,
    begin: impl FnOnce(RowsHeader) -> Result<(), TableError>,
    mut take: impl FnMut(KeptRow) -> Result<(), TableError>,
) -> Result<bool, TableError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        file => file.map_err(TableError::io(path))?,
    };
    let mut lines = BufReader::new(GzDecoder::new(BufReader::new(file))).lines();
    let Some(Ok(first)) = lines.next() else { return Ok(false) };
    let Ok(header) = serde_json::from_str::<RowsHeader>(&first) else { return Ok(false) };
    if header.format > FORMAT {
        return Err(TableError::NewerFormat { path: path.to_path_buf(), found: header.format });
    }
    begin(header)?;
    let (mut rows, mut is_ended) = (0, false);
    for line in lines {
        let Ok(line) = line else { return Ok(false) };
        match serde_json::from_str::<KeptRow>(&line) {
            Ok(row) if !is_ended => {
                rows += 1;
                take(row)?;
            }
            _ => match serde_json::from_str::<RowsEnd>(&line) {
                Ok(end) if !is_ended && end.rows == rows => is_ended = true,
                _ => return Ok(false),
            },
        }
    }
    Ok(is_ended)
}

/// Removes a user's rows from all that is kept of ingests of users; how many they were. A file that is not as it was written goes
/// as a whole: what cannot be read cannot be searched.
///
/// # Errors
/// When a file cannot be read or written.
pub fn erase_rows(workspace: &Workspace, user_id: &str) -> Result<u64, TableError> {
    let directory = workspace.ingests();
    let entries = fs::read_dir(&directory).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.retain(|path| path.to_string_lossy().ends_with(ENDING));
    paths.sort_unstable();
    let mut removed = 0;
    for path in paths {
        removed += erase_from(&path, user_id)?;
    }
    Ok(removed)
}

fn erase_from(path: &Path, user_id: &str) -> Result<u64, TableError> {
    let (mut kind, mut found) = (String::new(), 0);
    let begin = |header: RowsHeader| {
        kind = header.kind;
        Ok(())
    };
    let is_whole = read_with_header(path, begin, |row| {
        found += u64::from(row.key == user_id);
        Ok(())
    })?;
    if !is_whole {
        fs::remove_file(path).map_err(TableError::io(path))?;
        return Ok(0);
    }
    if kind != InputKind::Users.as_str() || found == 0 {
        return Ok(0);
    }
    let without = path.with_extension("without");
    let mut writer = KeptRowsWriter::create(&without, InputKind::Users)?;
    read_with_header(path, |_| Ok(()), |row| if row.key == user_id { Ok(()) } else { writer.add(&row) })?;
    writer.finish()?;
    fs::rename(&without, path).map_err(TableError::io(path))?;
    Ok(found)
}
