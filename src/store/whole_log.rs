//! The decision log from its first record to its last, one file in memory at a time.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use super::decision_log::{Record, parse};
use super::log_error::LogError;
use super::log_files::{FileEnd, files, read_lines};

/// Where a record's line lies. Files only grow, so it stays true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinePosition {
    /// The file.
    pub file: Arc<Path>,
    /// Its index among the file's lines, from 0.
    pub line: u64,
    /// Its length in bytes.
    pub bytes: usize,
}

/// Gives every line of the log to `each`, oldest file first, and says how many files end torn.
///
/// Torn tails are passed over: nothing in them was ever answered.
///
/// # Errors
/// When a file cannot be read, or `each` fails.
pub fn read_all(
    directory: &Path,
    mut each: impl FnMut(&[u8], LinePosition) -> Result<(), LogError>,
) -> Result<u64, LogError> {
    let mut torn = 0;
    for path in files(directory)? {
        let file: Arc<Path> = Arc::from(path.as_path());
        let end = read_file(&path, |text, line| {
            each(text, LinePosition { file: Arc::clone(&file), line, bytes: text.len() })
        })?;
        torn += u64::from(end != FileEnd::Whole);
    }
    Ok(torn)
}

/// The records at these positions, in their order; a position that is not there any more gives none.
///
/// # Errors
/// When a file cannot be read, or a line is no record of ours.
pub fn records_at(positions: &[LinePosition]) -> Result<Vec<Record>, LogError> {
    let mut records: Vec<Option<Record>> = positions.iter().map(|_| None).collect();
    let mut order: Vec<usize> = (0..positions.len()).collect();
    order.sort_unstable_by_key(|index| (&positions[*index].file, positions[*index].line));
    for wanted in order.chunk_by(|one, other| positions[*one].file == positions[*other].file) {
        let path = &positions[wanted[0]].file;
        let mut wanted = wanted.iter().peekable();
        read_file(path, |text, line| {
            while let Some(index) = wanted.next_if(|index| positions[**index].line == line) {
                records[*index] = Some(parse(text, path)?);
            }
            Ok(())
        })?;
    }
    Ok(records.into_iter().flatten().collect())
}

/// Gives every line of a file to `each`, with its index among them, until it fails.
fn read_file(
    path: &Path,
    mut each: impl FnMut(&[u8], u64) -> Result<(), LogError>,
) -> Result<FileEnd, LogError> {
    let (mut line, mut failure) = (0, None);
    let end = read_lines(path, |text, _| match each(text, line) {
        Ok(()) => {
            line += 1;
            ControlFlow::Continue(())
        }
        Err(error) => {
            failure = Some(error);
            ControlFlow::Break(())
        }
    })?;
    failure.map_or(Ok(end), Err)
}
