//! Rejected records: written as they come to `data/rejected/….jsonl`, counted by reason.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use domain::rejection::Rejection;
use files::tables::{TableError, sync_directory};

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
