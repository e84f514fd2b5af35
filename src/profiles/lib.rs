//! Event table → one row per user, as of a moment: the feature list, the build, the serving table.

pub mod accumulate;
pub mod activity;
pub mod build;
pub mod declared;
pub mod features;
pub mod fold;
pub mod recent;
pub mod table;

use domain::error::{Coded, ErrorKind};
use events::lake::LakeError;
use files::tables::TableError;

/// Profiles that cannot be built or read.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// A table cannot be read or written.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The lake cannot be read.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// The lake holds no event before the moment.
    #[error("no_events: no event before {0}; a later moment has some")]
    NoEvents(String),
    /// There are no profiles yet.
    #[error("no_profiles: {}: build them first with `smartpush profile`, with the same --as-of if you name one", .0.display())]
    NoProfiles(std::path::PathBuf),
}

impl Coded for ProfileError {
    fn code(&self) -> &'static str {
        match self {
            ProfileError::Table(error) => error.code(),
            ProfileError::Lake(error) => error.code(),
            ProfileError::NoEvents(_) => "no_events",
            ProfileError::NoProfiles(_) => "no_profiles",
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            ProfileError::NoEvents(_) | ProfileError::NoProfiles(_) => ErrorKind::Conflict,
            ProfileError::Table(error) => error.kind(),
            ProfileError::Lake(error) => error.kind(),
        }
    }
}

impl ProfileError {
    /// Does the error only mean that there is not enough data yet?
    pub fn is_not_enough_data(&self) -> bool {
        match self {
            ProfileError::NoEvents(_) => true,
            ProfileError::Table(_) | ProfileError::Lake(_) | ProfileError::NoProfiles(_) => false,
        }
    }
}
