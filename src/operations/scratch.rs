//! A directory of this process for what readers put aside; it goes when it is dropped.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use super::context::ContextError;

/// Directories that this process made: each has a name of its own.
static MADE: AtomicU64 = AtomicU64::new(0);

/// A directory below the system's temporary directory.
pub(super) struct Scratch(pub(super) PathBuf);

impl Scratch {
    /// Makes the directory.
    pub(super) fn make() -> Result<Scratch, ContextError> {
        let count = MADE.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("smartpush-{}-{count}", std::process::id()));
        match fs::create_dir_all(&path) {
            Ok(()) => Ok(Scratch(path)),
            Err(source) => Err(ContextError::NoScratch { path, source }),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
