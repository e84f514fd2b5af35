//! Why there is no look-alike.

use super::NotKnown;
use crate::context::ContextError;
use crate::segments::WrittenError;
use crate::segments::save::SaveError;
use crate::segments::upload::UploadError;
use ::segments::answers::desk::DeskError;
use ::segments::answers::privacy::PrivacyError;
use ::segments::people::PeopleError;
use domain::error::{Coded, ErrorKind};
use files::tables::TableError;
use models::lookalike::LookAlikeError;

/// A look-alike that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum LookalikeError {
    /// Saving was asked for without a reach or a similarity.
    #[error("missing_reach: --save takes whom --reach or --similarity takes; name one of them")]
    MissingReach,
    /// No user outside the seed is similar enough.
    #[error("nobody_reached: nobody outside the seed is so similar")]
    NobodyReached,
    /// There is too little to learn from.
    #[error("{error}")]
    Learn {
        /// Why.
        error: LookAlikeError,
        /// Users on the list of the seed who have no profile, which may be the reason.
        not_known: Option<NotKnown>,
    },
    /// A list cannot be read, or the people who were taken cannot be saved.
    #[error(transparent)]
    List(#[from] UploadError),
}

impl LookalikeError {
    /// Users on the list of the seed who have no profile.
    pub fn not_known(&self) -> Option<&NotKnown> {
        match self {
            LookalikeError::Learn { not_known, .. } => not_known.as_ref(),
            LookalikeError::MissingReach | LookalikeError::NobodyReached | LookalikeError::List(_) => None,
        }
    }
}

impl From<SaveError> for LookalikeError {
    fn from(error: SaveError) -> LookalikeError {
        UploadError::from(error).into()
    }
}

impl From<WrittenError> for LookalikeError {
    fn from(error: WrittenError) -> LookalikeError {
        SaveError::from(error).into()
    }
}

impl From<DeskError> for LookalikeError {
    fn from(error: DeskError) -> LookalikeError {
        SaveError::from(error).into()
    }
}

impl From<ContextError> for LookalikeError {
    fn from(error: ContextError) -> LookalikeError {
        SaveError::from(error).into()
    }
}

impl From<PrivacyError> for LookalikeError {
    fn from(error: PrivacyError) -> LookalikeError {
        SaveError::from(error).into()
    }
}

impl From<PeopleError> for LookalikeError {
    fn from(error: PeopleError) -> LookalikeError {
        DeskError::from(error).into()
    }
}

impl From<TableError> for LookalikeError {
    fn from(error: TableError) -> LookalikeError {
        ContextError::from(error).into()
    }
}

impl Coded for LookalikeError {
    fn code(&self) -> &'static str {
        match self {
            LookalikeError::MissingReach => "missing_reach",
            LookalikeError::NobodyReached => "nobody_reached",
            LookalikeError::Learn { error, .. } => error.code(),
            LookalikeError::List(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            LookalikeError::MissingReach | LookalikeError::NobodyReached => ErrorKind::Caller,
            LookalikeError::Learn { error, .. } => error.kind(),
            LookalikeError::List(error) => error.kind(),
        }
    }
}
