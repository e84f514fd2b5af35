//! A decision log that cannot be used.

use std::path::PathBuf;

use domain::error::{Coded, ErrorKind};

/// Records that may wait; beyond it the server is overloaded and says so.
pub(super) const LONGEST_QUEUE: usize = 4_096;

/// Version of a record; a newer one is refused.
pub const FORMAT: u32 = 1;

/// A log that cannot be written or read; the text names the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The file system said no.
    #[error("log_unavailable: {}: {detail}", .path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What it said.
        detail: String,
    },
    /// More records wait than may.
    #[error("log_overloaded: {LONGEST_QUEUE} records wait to be written")]
    Overloaded,
    /// The server is stopping.
    #[error("log_closed: the decision log is closed")]
    Closed,
    /// A record from a newer smartpush.
    #[error("newer_format: {}: a record of format {found}, this smartpush reads up to {FORMAT}", .path.display())]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its format number.
        found: u32,
    },
    /// A record that cannot be read.
    #[error("bad_record: {}: {detail}", .path.display())]
    BadRecord {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// A record of a user who was erased.
    #[error("erased: this decision was erased with its user; only its id is kept")]
    Erased,
}

impl Coded for LogError {
    fn code(&self) -> &'static str {
        match self {
            LogError::Io { .. } => "log_unavailable",
            LogError::Overloaded => "log_overloaded",
            LogError::Closed => "log_closed",
            LogError::NewerFormat { .. } => "newer_format",
            LogError::BadRecord { .. } => "bad_record",
            LogError::Erased => "erased",
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            LogError::NewerFormat { .. } => ErrorKind::Conflict,
            LogError::Erased => ErrorKind::NotFound,
            LogError::Overloaded | LogError::Closed => ErrorKind::Busy,
            LogError::Io { .. } | LogError::BadRecord { .. } => ErrorKind::Ours,
        }
    }
}
