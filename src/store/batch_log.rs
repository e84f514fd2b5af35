//! Decisions that were made together, in a log file of their own: it appears whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use zstd::bulk::Compressor;
use zstd::zstd_safe::CParameter;

use super::decision_log::Record;
use super::log_error::LogError;
use super::log_files::{COMPRESSION_LEVEL, batch_file_name};

/// A log file that is being written under a temporary name.
#[derive(Debug)]
pub struct BatchLog {
    path: PathBuf,
    temporary: PathBuf,
    file: File,
}

impl BatchLog {
    /// Begins the file of a batch. Writing the same batch again replaces the file by its equal.
    ///
    /// # Errors
    /// When the directory or the file cannot be made.
    pub fn create(directory: &Path, batch_id: &str) -> Result<BatchLog, LogError> {
        fs::create_dir_all(directory).map_err(|error| LogError::io(directory, &error))?;
        let path = directory.join(batch_file_name(batch_id));
        let temporary = directory.join(format!(".{}.{}.tmp", batch_file_name(batch_id), std::process::id()));
        let file = File::create(&temporary).map_err(|error| LogError::io(&temporary, &error))?;
        Ok(BatchLog { path, temporary, file })
    }

    /// Appends what [`frame_of`] made.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn append(&mut self, frame: &[u8]) -> Result<(), LogError> {
        self.file.write_all(frame).map_err(|error| LogError::io(&self.temporary, &error))
    }

    /// Gives the file its name, durably, and returns it.
    ///
    /// # Errors
    /// When the file cannot be synced or renamed.
    pub fn finish(self) -> Result<PathBuf, LogError> {
        let wrap = |error: io::Error| LogError::io(&self.path, &error);
        self.file.sync_all().map_err(wrap)?;
        fs::rename(&self.temporary, &self.path).map_err(wrap)?;
        let directory = self.path.parent().unwrap_or(Path::new("."));
        File::open(directory).and_then(|directory| directory.sync_all()).map_err(wrap)?;
        Ok(self.path.clone())
    }
}

impl Drop for BatchLog {
    fn drop(&mut self) {
        // After `finish` there is none.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// Some records' lines as one compressed frame of a log in this directory. Equal records give equal bytes.
///
/// # Errors
/// When they cannot be compressed.
pub fn frame_of<'a>(
    directory: &Path,
    records: impl Iterator<Item = &'a Record>,
) -> Result<Vec<u8>, LogError> {
    let wrap = |error: io::Error| LogError::io(directory, &error);
    let mut lines = String::new();
    for record in records {
        lines.push_str(&record.to_line());
        lines.push('\n');
    }
    let mut compressor = Compressor::new(COMPRESSION_LEVEL).map_err(wrap)?;
    compressor.set_parameter(CParameter::ChecksumFlag(true)).map_err(wrap)?;
    compressor.compress(lines.as_bytes()).map_err(wrap)
}
