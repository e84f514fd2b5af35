//! Rejected records: written as they come to `data/rejected/….jsonl`, counted by reason.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use domain::rejection::Rejection;
use files::tables::{TableError, sync_directory, write_atomically};

/// The rejects of one ingest. The file takes its name only when the ingest is done.
pub struct DeadLetters {
    temporary: PathBuf,
    path: PathBuf,
    writer: Option<BufWriter<File>>,
    written: u64,
    finished: Option<PathBuf>,
}

/// A position in the dead letters to which a refused file can be rolled back.
#[derive(Clone, Copy, Debug)]
pub struct DeadLetterMark(u64);

impl DeadLetters {
    /// Will write to `path`, by way of a file in `staging`.
    pub fn new(path: PathBuf, staging: &Path) -> DeadLetters {
        DeadLetters {
            temporary: staging.join("rejected.jsonl"),
            path,
            writer: None,
            written: 0,
            finished: None,
        }
    }

    /// Adds one rejected record.
    pub fn add(
        &mut self,
        file: &str,
        line: u64,
        rejection: &Rejection,
        record: &Value,
    ) -> Result<(), TableError> {
        let letter = serde_json::json!({
            "file": file, "line": line, "reason": rejection.code.as_str(), "detail": rejection.detail, "record": record,
        });
        let text = format!("{letter}\n");
        let temporary = &self.temporary;
        if self.writer.is_none() {
            self.writer = Some(BufWriter::new(File::create(temporary).map_err(TableError::io(temporary))?));
        }
        if let Some(writer) = &mut self.writer {
            writer.write_all(text.as_bytes()).map_err(TableError::io(temporary))?;
        }
        self.written += text.len() as u64;
        Ok(())
    }

    /// Where the letters stand now.
    pub fn mark(&self) -> DeadLetterMark {
        DeadLetterMark(self.written)
    }

    /// Takes back everything after the mark.
    pub fn roll_back(&mut self, mark: DeadLetterMark) -> Result<(), TableError> {
        if let Some(writer) = &mut self.writer {
            use std::io::Seek;
            let mut back = || -> std::io::Result<()> {
                writer.flush()?;
                writer.get_ref().set_len(mark.0)?;
                writer.seek(std::io::SeekFrom::Start(mark.0)).map(|_| ())
            };
            back().map_err(TableError::io(&self.temporary))?;
        }
        self.written = mark.0;
        Ok(())
    }

    /// Gives the file its name; `None` when nothing was rejected.
    pub fn finish(&mut self) -> Result<Option<PathBuf>, TableError> {
        let Some(writer) = self.writer.take().filter(|_| self.written > 0) else { return Ok(None) };
        let file =
            writer.into_inner().map_err(|error| TableError::io(&self.temporary)(error.into_error()))?;
        file.sync_all().map_err(TableError::io(&self.temporary))?;
        let directory = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(directory).map_err(TableError::io(directory))?;
        let path = unused(&self.path);
        fs::rename(&self.temporary, &path).map_err(TableError::io(&path))?;
        sync_directory(directory)?;
        self.finished = Some(path);
        Ok(self.finished.clone())
    }

    /// Takes the finished file away again, for an ingest that failed after all.
    pub fn withdraw(&mut self) {
        if let Some(path) = self.finished.take() {
            let _ = fs::remove_file(path);
        }
    }
}

/// The name itself, or one like it: two ingests may be given the same moment.
fn unused(path: &Path) -> PathBuf {
    let other = |number: u32| path.with_extension(format!("{number}.jsonl"));
    let names = std::iter::once(path.to_path_buf()).chain((2..).map(other));
    names.into_iter().find(|name| !name.exists()).unwrap_or_else(|| path.to_path_buf())
}

/// Rejected records by reason.
pub type Reasons = BTreeMap<&'static str, u64>;

/// Removes the letters below a directory whose record holds a user's id, or whose text does; how many there were.
///
/// # Errors
/// When a file cannot be read or written.
pub fn remove_letters(directory: &Path, user_id: &str) -> Result<u64, TableError> {
    let mut removed = 0;
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "jsonl") {
            continue;
        }
        let text = fs::read_to_string(&path).map_err(TableError::io(&path))?;
        let (theirs, others): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| is_of(line, user_id));
        if theirs.is_empty() {
            continue;
        }
        removed += theirs.len() as u64;
        if others.is_empty() {
            fs::remove_file(&path).map_err(TableError::io(&path))?;
        } else {
            write_atomically(&path, |file| others.iter().try_for_each(|line| writeln!(file, "{line}")))?;
        }
    }
    Ok(removed)
}

/// Is a letter of this user's? Its columns may have had any name; a record that could not be read is text.
fn is_of(line: &str, user_id: &str) -> bool {
    let Ok(letter) = serde_json::from_str::<Value>(line) else { return false };
    match &letter["record"] {
        Value::String(text) => {
            let is_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
            let mut found = text.match_indices(user_id);
            found.any(|(start, id)| {
                let (before, after) =
                    (text[..start].chars().next_back(), text[start + id.len()..].chars().next());
                !before.is_some_and(is_part) && !after.is_some_and(is_part)
            })
        }
        record => holds(record, user_id),
    }
}

fn holds(value: &Value, user_id: &str) -> bool {
    match value {
        Value::String(text) => text.trim() == user_id,
        Value::Number(number) => number.to_string() == user_id,
        Value::Array(items) => items.iter().any(|item| holds(item, user_id)),
        Value::Object(fields) => fields.values().any(|value| holds(value, user_id)),
        Value::Null | Value::Bool(_) => false,
    }
}
