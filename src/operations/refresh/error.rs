//! Why a refresh stopped.

use domain::error::{Coded, ErrorKind};
use domain::zone::UnknownZone;
use events::formats::InputError;
use files::tables::TableError;
use planning::handoff::HandoffError;
use segments::saved::versions::SavedError;

use crate::context::ContextError;
use crate::ingest::IngestError;
use crate::plan::PlanError;
use crate::train::TrainingError;

/// A step that failed. Steps before it stay done.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The workspace cannot be used.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// A file to take in is refused.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The ingest failed.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// A goal could not be trained, or its model not promoted, for another reason than too little data.
    #[error("{source}; the refresh stopped at goal {goal}")]
    Goal {
        /// The goal.
        goal: String,
        /// Why.
        source: TrainingError,
    },
    /// The hand-off cannot be written there.
    #[error(transparent)]
    Handoff(#[from] HandoffError),
    /// The saved segments cannot be read.
    #[error(transparent)]
    Segments(#[from] SavedError),
    /// The default time zone is unknown.
    #[error(transparent)]
    Zone(#[from] UnknownZone),
    /// The campaigns cannot be planned.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The settings have no JSON.
    #[error("bad_settings: {0}")]
    Settings(serde_json::Error),
    /// The journal or a table cannot be read or written.
    #[error(transparent)]
    Table(#[from] TableError),
}

impl RefreshError {
    /// An error of a goal, which it names.
    pub(super) fn of_goal(goal: &str, error: impl Into<TrainingError>) -> RefreshError {
        RefreshError::Goal { goal: goal.to_string(), source: error.into() }
    }
}

impl Coded for RefreshError {
    fn code(&self) -> &'static str {
        match self {
            RefreshError::Context(error) => error.code(),
            RefreshError::Input(error) => error.code(),
            RefreshError::Ingest(error) => error.code(),
            RefreshError::Goal { source, .. } => source.code(),
            RefreshError::Handoff(error) => error.code(),
            RefreshError::Segments(error) => error.code(),
            RefreshError::Zone(error) => error.code(),
            RefreshError::Plan(error) => error.code(),
            RefreshError::Settings(_) => "bad_settings",
            RefreshError::Table(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            RefreshError::Context(error) => error.kind(),
            RefreshError::Input(error) => error.kind(),
            RefreshError::Ingest(error) => error.kind(),
            RefreshError::Goal { source, .. } => source.kind(),
            RefreshError::Handoff(error) => error.kind(),
            RefreshError::Segments(error) => error.kind(),
            RefreshError::Zone(error) => error.kind(),
            RefreshError::Plan(error) => error.kind(),
            RefreshError::Settings(_) => ErrorKind::Ours,
            RefreshError::Table(error) => error.kind(),
        }
    }
}
