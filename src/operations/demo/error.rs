//! Why the demo stops.

use std::path::PathBuf;

use domain::error::{Coded, ErrorKind};
use domain::zone::UnknownZone;
use engine::EngineError;
use events::formats::InputError;
use files::tables::TableError;
use files::workspace::WorkspaceError;
use profiles::ProfileError;

use crate::context::ContextError;
use crate::evaluate::EvaluationError;
use crate::ingest::IngestError;
use crate::segments::AskError;
use crate::segments::save::SaveError;
use crate::train::TrainingError;

/// A stage of the demo that failed.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The data is not there.
    #[error(
        "no_such_file: {}/purchases.parquet; run this in a clone of the repository, or name the data with --data DIR",
        .0.display()
    )]
    NoData(PathBuf),
    /// The directory of the workspace holds other files.
    #[error("not_a_workspace: {}: files that no demo put there", .0.display())]
    Foreign(PathBuf),
    /// The curves could not be measured.
    #[error("nothing_to_measure: the curves could not be measured")]
    NothingMeasured,
    /// A file of the data cannot be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The data cannot be taken in.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// The zone of the data is none.
    #[error(transparent)]
    Zone(#[from] UnknownZone),
    /// The curves cannot be measured.
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
    /// A goal cannot be learned.
    #[error(transparent)]
    Training(#[from] TrainingError),
    /// The segment cannot be saved.
    #[error(transparent)]
    Save(#[from] SaveError),
    /// The segment cannot be counted.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// Nothing can be decided.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A decision is not what was logged.
    #[error("internal_error: {0}")]
    Decision(#[from] serde_json::Error),
    /// The workspace cannot be used.
    #[error(transparent)]
    Context(#[from] ContextError),
}

impl From<WorkspaceError> for DemoError {
    fn from(error: WorkspaceError) -> DemoError {
        ContextError::from(error).into()
    }
}

impl From<ProfileError> for DemoError {
    fn from(error: ProfileError) -> DemoError {
        ContextError::from(error).into()
    }
}

impl From<TableError> for DemoError {
    fn from(error: TableError) -> DemoError {
        ContextError::from(error).into()
    }
}

impl DemoError {
    /// The error of a lower room that this one passes on.
    fn inner(&self) -> Option<&dyn Coded> {
        match self {
            DemoError::NoData(_)
            | DemoError::Foreign(_)
            | DemoError::NothingMeasured
            | DemoError::Decision(_) => None,
            DemoError::Input(error) => Some(error),
            DemoError::Ingest(error) => Some(error),
            DemoError::Zone(error) => Some(error),
            DemoError::Evaluation(error) => Some(error),
            DemoError::Training(error) => Some(error),
            DemoError::Save(error) => Some(error),
            DemoError::Ask(error) => Some(error),
            DemoError::Engine(error) => Some(error),
            DemoError::Context(error) => Some(error),
        }
    }
}

impl Coded for DemoError {
    fn code(&self) -> &'static str {
        match self {
            DemoError::NoData(_) => "no_such_file",
            DemoError::Foreign(_) => "not_a_workspace",
            DemoError::NothingMeasured => "nothing_to_measure",
            error => error.inner().map_or("internal_error", Coded::code),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            DemoError::NoData(_) => ErrorKind::NotFound,
            DemoError::Foreign(_) => ErrorKind::Conflict,
            DemoError::NothingMeasured => ErrorKind::Caller,
            error => error.inner().map_or(ErrorKind::Ours, Coded::kind),
        }
    }
}
