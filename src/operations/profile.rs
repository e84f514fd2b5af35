//! Builds the profile table as of a moment, and shows one user's row of a table.

use serde_json::{Map, Value};

use super::context::{Context, ContextError};
use domain::error::{Coded, ErrorKind};
use domain::time::Instant;
use profiles::build::{self, Built};
use profiles::declared::Declared;
use profiles::table::ProfileTable;

/// One user's row of a profile table.
#[derive(Clone, Debug)]
pub struct UserProfile {
    /// The table's moment, as its manifest writes it.
    pub as_of: String,
    /// Features by name.
    pub profile: Map<String, Value>,
}

/// A user without a profile, or a table that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum UserProfileError {
    /// The table does not hold the user.
    #[error("unknown_user: {user_id:?} is not in the profiles as of {as_of}")]
    UnknownUser {
        /// The user.
        user_id: String,
        /// The table's moment.
        as_of: String,
    },
    /// The table cannot be read.
    #[error(transparent)]
    Context(#[from] ContextError),
}

impl Coded for UserProfileError {
    fn code(&self) -> &'static str {
        match self {
            UserProfileError::UnknownUser { .. } => "unknown_user",
            UserProfileError::Context(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            UserProfileError::UnknownUser { .. } => ErrorKind::NotFound,
            UserProfileError::Context(error) => error.kind(),
        }
    }
}

/// Builds one row of features per user from events before a moment; by default 1 µs after the newest event, but not later than now.
///
/// # Errors
/// When another process writes, there is no event before the moment, or a file cannot be read or written.
pub fn build(context: &Context<'_>, as_of: Option<Instant>) -> Result<Built, ContextError> {
    let _lock = context.lock()?;
    let lake = context.lake()?;
    let as_of = context.moment(as_of, &lake);
    let declared = Declared::read(context.workspace, &context.config.default_time_zone)?;
    context.progress.step("building profiles");
    let settings = &context.config.profiles;
    Ok(build::build(context.workspace, &lake, &declared, as_of, settings, &context.counting())?)
}

/// One user's row of the table as of a moment; by default of the newest table.
///
/// # Errors
/// When there is no such table, or no such user in it.
pub fn show_user(
    context: &Context<'_>,
    user_id: &str,
    as_of: Option<Instant>,
) -> Result<UserProfile, UserProfileError> {
    let table = ProfileTable::open(context.workspace, as_of).map_err(ContextError::from)?;
    let as_of = table.manifest().as_of.clone();
    match table.get(user_id) {
        Some(profile) => Ok(UserProfile { as_of, profile }),
        None => Err(UserProfileError::UnknownUser { user_id: user_id.to_string(), as_of }),
    }
}
