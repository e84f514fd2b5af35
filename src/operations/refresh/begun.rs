//! The moment of a refresh that was given none, kept until it is done: the same refresh goes on with it after it was cut off.

use std::path::PathBuf;

use domain::time::Instant;
use files::tables::{self, TableError};
use files::workspace::Workspace;
use serde::{Deserialize, Serialize};

/// The file `data/refresh/begun.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Begun {
    /// The moment.
    pub(super) as_of: Instant,
    /// Identity of the files that were taken in; empty without any.
    pub(super) files: String,
    /// Identity of the lake with them.
    pub(super) lake: String,
}

impl Begun {
    /// The refresh that was begun and did not end, if there is one; a file that cannot be read is none.
    pub(super) fn read(workspace: &Workspace) -> Option<Begun> {
        serde_json::from_str(&std::fs::read_to_string(path(workspace)).ok()?).ok()
    }

    pub(super) fn write(&self, workspace: &Workspace) -> Result<(), TableError> {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        tables::write_atomically(&path(workspace), |file| writeln!(file, "{text}"))
    }

    /// Every step is done.
    pub(super) fn end(workspace: &Workspace) -> Result<(), TableError> {
        let path = path(workspace);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(TableError::io(&path)(error)),
            _ => Ok(()),
        }
    }
}

fn path(workspace: &Workspace) -> PathBuf {
    workspace.data().join("refresh").join("begun.json")
}
