//! What became of decisions: events joined to the pushes that caused them, and the log as tables.

pub mod arms;
pub mod attribution;
pub mod decided;
pub mod events;
pub mod experiment;
pub mod export;
pub mod lift;
pub mod off_policy;
pub mod outcomes;
pub mod reached;
pub mod summary;

mod columns;
mod numbered;
mod partitions;
mod repeats;

use ::events::lake::LakeError;
use domain::error::{Coded, ErrorKind};
use files::tables::TableError;
use store::decision_log::LogError;

/// Feedback that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FeedbackError {
    /// The decision log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The lake cannot be read.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// A table cannot be read or written.
    #[error(transparent)]
    Table(#[from] TableError),
}

impl Coded for FeedbackError {
    fn code(&self) -> &'static str {
        match self {
            FeedbackError::Log(error) => error.code(),
            FeedbackError::Lake(error) => error.code(),
            FeedbackError::Table(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            FeedbackError::Log(error) => error.kind(),
            FeedbackError::Lake(error) => error.kind(),
            FeedbackError::Table(error) => error.kind(),
        }
    }
}
