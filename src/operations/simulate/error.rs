//! Why the product cannot go on playing.

use domain::error::{Coded, ErrorKind};
use engine::EngineError;
use files::tables::TableError;
use files::workspace::WorkspaceError;

use crate::context::ContextError;
use crate::ingest::IngestError;
use crate::refresh::RefreshError;

/// A day of the product that failed.
#[derive(Debug, thiserror::Error)]
pub enum ServedError {
    /// Its workspace cannot be made or used.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// What people did cannot be taken in.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// Models cannot be brought up to date.
    #[error(transparent)]
    Refresh(#[from] RefreshError),
    /// Nothing can be decided.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A decision is not what was logged.
    #[error("internal_error: {0}")]
    Decision(#[from] serde_json::Error),
}

impl From<WorkspaceError> for ServedError {
    fn from(error: WorkspaceError) -> ServedError {
        ContextError::from(error).into()
    }
}

impl From<TableError> for ServedError {
    fn from(error: TableError) -> ServedError {
        ContextError::from(error).into()
    }
}

impl Coded for ServedError {
    fn code(&self) -> &'static str {
        match self {
            ServedError::Context(error) => error.code(),
            ServedError::Ingest(error) => error.code(),
            ServedError::Refresh(error) => error.code(),
            ServedError::Engine(error) => error.code(),
            ServedError::Decision(_) => "internal_error",
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            ServedError::Context(error) => error.kind(),
            ServedError::Ingest(error) => error.kind(),
            ServedError::Refresh(error) => error.kind(),
            ServedError::Engine(error) => error.kind(),
            ServedError::Decision(_) => ErrorKind::Ours,
        }
    }
}
