//! Event table → one row per user, as of a moment: the feature list, the build, the serving table.

pub mod accumulate;
pub mod activity;
pub mod build;
pub mod declared;
pub mod features;
pub mod fold;
pub mod recent;
pub mod table;

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
