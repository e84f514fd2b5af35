//! The one change that the log allows: a user's records are replaced by `{decision_id, erased: true}`.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use zstd::bulk::Compressor;
use zstd::zstd_safe::CParameter;

use super::log_error::LogError;
use super::log_files::{COMPRESSION_LEVEL, files, lines_of, numbered_files, read_frames};

/// What an erasure did to the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogErasure {
    /// Records that were replaced.
    pub records: u64,
    /// Records that are still there, in a file that a server writes.
    pub pending: u64,
}

/// The part of a record that says whose it is.
#[derive(Deserialize)]
struct OwnedRecord {
    decision: OwnedDecision,
}

#[derive(Deserialize)]
struct OwnedDecision {
    decision_id: String,
    user_id: String,
}

/// Erases a user's records. While a server writes the log its newest file stays as it is: replaced, the server would go on
/// writing to a file without a name.
///
/// # Errors
/// When a file cannot be read or written. Files that were done stay done, so the same call completes it.
pub fn erase_user(directory: &Path, user_id: &str, is_served: bool) -> Result<LogErasure, LogError> {
    let in_use: Option<PathBuf> =
        is_served.then(|| numbered_files(directory)).transpose()?.and_then(|mut f| f.pop());
    let mut done = LogErasure::default();
    for path in files(directory)? {
        let (bytes, records) = without(&path, user_id)?;
        if records == 0 {
            continue;
        }
        if in_use.as_ref() == Some(&path) {
            done.pending += records;
            continue;
        }
        replace(&path, &bytes)?;
        done.records += records;
    }
    Ok(done)
}

/// The bytes of a file without a user's records, and how many those are. A torn tail, which no reader sees, goes with them.
fn without(path: &Path, user_id: &str) -> Result<(Vec<u8>, u64), LogError> {
    let wrap = |error: std::io::Error| LogError::io(path, &error);
    let whole = fs::read(path).map_err(wrap)?;
    let (mut bytes, mut records, mut failure) = (Vec::with_capacity(whole.len()), 0, None);
    read_frames(path, 0..whole.len() as u64, |text, range| {
        let (lines, erased) = erased_lines(text, user_id);
        records += erased;
        if erased == 0 {
            bytes.extend_from_slice(&whole[range.start as usize..range.end as usize]);
        } else {
            match compressed(&lines) {
                Ok(frame) => bytes.extend_from_slice(&frame),
                Err(error) => failure = Some(wrap(error)),
            }
        }
        failure.is_none()
    })?;
    failure.map_or(Ok((bytes, records)), Err)
}

fn erased_lines(text: &[u8], user_id: &str) -> (Vec<u8>, u64) {
    let (mut lines, mut erased) = (Vec::with_capacity(text.len()), 0);
    for line in lines_of(text) {
        match serde_json::from_slice::<OwnedRecord>(line) {
            Ok(OwnedRecord { decision }) if decision.user_id == user_id => {
                let id = serde_json::Value::from(decision.decision_id);
                lines.extend_from_slice(format!("{{\"decision_id\":{id},\"erased\":true}}").as_bytes());
                erased += 1;
            }
            _ => lines.extend_from_slice(line),
        }
        lines.push(b'\n');
    }
    (lines, erased)
}

fn compressed(lines: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut compressor = Compressor::new(COMPRESSION_LEVEL)?;
    compressor.set_parameter(CParameter::ChecksumFlag(true))?;
    compressor.compress(lines)
}

fn replace(path: &Path, bytes: &[u8]) -> Result<(), LogError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let directory = path.parent().unwrap_or(Path::new("."));
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        File::open(directory)?.sync_all()
    };
    write().map_err(|error| {
        let _ = fs::remove_file(&temporary);
        LogError::io(path, &error)
    })
}
