//! Why a question about segments has no answer.

use crate::context::ContextError;
use ::segments::answers::desk::DeskError;
use ::segments::answers::privacy::PrivacyError;
use ::segments::language::error::SegmentError;
use ::segments::people::PeopleError;
use ::segments::saved::versions::SavedError;
use domain::error::{Coded, ErrorKind};
use files::tables::TableError;

/// A text or a tree that is not a valid segment.
#[derive(Debug, thiserror::Error)]
pub enum WrittenError {
    /// As text.
    #[error("{}", .error.render(.text))]
    Text {
        /// The text.
        text: String,
        /// What is wrong with it, and where in it.
        error: Box<SegmentError>,
    },
    /// As a tree; the error has a JSON pointer into it.
    #[error("{0}")]
    Tree(Box<SegmentError>),
}

impl WrittenError {
    /// What is wrong.
    pub fn error(&self) -> &SegmentError {
        match self {
            WrittenError::Text { error, .. } | WrittenError::Tree(error) => error,
        }
    }
}

/// A question about segments without an answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The text or tree is not a valid segment.
    #[error(transparent)]
    Written(#[from] WrittenError),
    /// Members cannot be counted by one of the fields.
    #[error("{error}")]
    By {
        /// Its index among those that were asked for.
        index: usize,
        /// Why.
        error: Box<DeskError>,
    },
    /// Too few or too many segments to compare.
    #[error("bad_segments: {0} segments; {least} to {most} are compared", least = super::overlap::COMPARED.start(), most = super::overlap::COMPARED.end())]
    NotCompared(usize),
    /// A segment that is compared with itself.
    #[error("named_twice: segment {id:?} is the same as itself")]
    Twice {
        /// Its second index among those that were named.
        index: usize,
        /// Its id.
        id: String,
    },
    /// A column that is asked for twice.
    #[error("bad_field: column {0:?} is there already")]
    ColumnTwice(String),
    /// Something cannot be looked up, or the reader may not see it.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// The workspace cannot be used.
    #[error(transparent)]
    Context(#[from] ContextError),
}

impl From<PrivacyError> for AskError {
    fn from(error: PrivacyError) -> AskError {
        DeskError::from(error).into()
    }
}

impl From<PeopleError> for AskError {
    fn from(error: PeopleError) -> AskError {
        DeskError::from(error).into()
    }
}

impl From<SavedError> for AskError {
    fn from(error: SavedError) -> AskError {
        DeskError::from(error).into()
    }
}

impl From<TableError> for AskError {
    fn from(error: TableError) -> AskError {
        ContextError::from(error).into()
    }
}

impl Coded for WrittenError {
    fn code(&self) -> &'static str {
        self.error().code()
    }

    fn kind(&self) -> ErrorKind {
        self.error().kind()
    }
}

impl Coded for AskError {
    fn code(&self) -> &'static str {
        match self {
            AskError::Written(error) => error.code(),
            AskError::By { error, .. } => error.code(),
            AskError::NotCompared(_) => "bad_segments",
            AskError::Twice { .. } => "named_twice",
            AskError::ColumnTwice(_) => "bad_field",
            AskError::Desk(error) => error.code(),
            AskError::Context(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            AskError::NotCompared(_) | AskError::Twice { .. } | AskError::ColumnTwice(_) => ErrorKind::Caller,
            AskError::Written(error) => error.kind(),
            AskError::By { error, .. } => error.kind(),
            AskError::Desk(error) => error.kind(),
            AskError::Context(error) => error.kind(),
        }
    }
}
