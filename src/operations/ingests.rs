//! Lists what was ingested and takes one ingest back.

use super::context::{Context, ContextError};
use domain::error::{Coded, ErrorKind};
use events::ingest_record::IngestRecord;
use events::ingests::events_before;
use events::lake::Lake;
use events::undo::{UndoError, UndoneIngest, undo as take_back};

/// Every ingest that brought something.
#[derive(Clone, Debug)]
pub struct ListedIngests {
    /// Oldest first.
    pub ingests: Vec<IngestRecord>,
    /// Events of before ingests were recorded, which cannot be undone.
    pub events_before: u64,
}

/// An ingest that cannot be taken back; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum UndoIngestError {
    /// The workspace cannot be used.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// The ingest cannot be taken back.
    #[error(transparent)]
    Undo(#[from] UndoError),
}

impl Coded for UndoIngestError {
    fn code(&self) -> &'static str {
        match self {
            UndoIngestError::Context(error) => error.code(),
            UndoIngestError::Undo(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            UndoIngestError::Context(error) => error.kind(),
            UndoIngestError::Undo(error) => error.kind(),
        }
    }
}

/// Lists the ingests of a workspace.
///
/// # Errors
/// When the lake's manifest cannot be read.
pub fn list(context: &Context<'_>) -> Result<ListedIngests, ContextError> {
    let lake = Lake::open(context.workspace)?;
    Ok(ListedIngests { events_before: events_before(&lake), ingests: lake.manifest().ingests.clone() })
}

/// Takes an ingest back under the workspace's lock.
///
/// # Errors
/// When the ingest is unknown, undone before, or older than a later one of its table.
pub fn undo(context: &Context<'_>, id: &str) -> Result<UndoneIngest, UndoIngestError> {
    let _lock = context.lock()?;
    context.progress.step("rewriting days");
    Ok(take_back(context.workspace, id, context.now, &context.counting())?)
}
