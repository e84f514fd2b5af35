//! Writes the best contents for every user, as of a moment.

use std::path::{Path, PathBuf};

use super::context::{Context, ContextError};
use super::material::{question, read_before};
use super::score::{check_comparable, newest};
use domain::error::{Coded, ErrorKind};
use domain::goal::{Goal, Unit};
use domain::time::Instant;
use files::tables::{self, TableError};
use models::recommend::{Wanted, frame_of, recommend as rank_contents};
use profiles::ProfileError;
use registry::versions::{Registered, Registry, RegistryError};

/// Which contents, and where the file goes.
#[derive(Clone, Debug)]
pub struct RecommendRequest {
    /// A goal about contents; by default `decisions.goal`.
    pub goal: Option<String>,
    /// Events before this moment count; by default 1 µs after the newest event, but not later than now.
    pub as_of: Option<Instant>,
    /// How many for each user, and which may be among them.
    pub wanted: Wanted,
    /// Rank with this version; by default the newest as of the moment or before.
    pub model: Option<String>,
    /// The file to write.
    pub out: PathBuf,
}

/// What was written.
#[derive(Clone, Debug)]
pub struct RecommendReport {
    /// The goal.
    pub goal: String,
    /// The moment.
    pub as_of: Instant,
    /// The model's version; without a model the ranking is by decayed popularity.
    pub version: Option<String>,
    /// Users with a ranking.
    pub users: usize,
    /// Rows of the file.
    pub rows: u64,
}

/// Rankings that cannot be made or written.
#[derive(Debug, thiserror::Error)]
pub enum RecommendError {
    /// The goal is about something else.
    #[error("bad_goal: {goal} is about a {unit}, not about contents")]
    NotAboutContents {
        /// The goal.
        goal: String,
        /// What it is about.
        unit: Unit,
    },
    /// The goal is unknown, or the workspace cannot be used.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// The model cannot be used.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The file cannot be written.
    #[error(transparent)]
    Table(#[from] TableError),
}

impl From<ProfileError> for RecommendError {
    fn from(error: ProfileError) -> Self {
        ContextError::from(error).into()
    }
}

impl Coded for RecommendError {
    fn code(&self) -> &'static str {
        match self {
            RecommendError::NotAboutContents { .. } => "bad_goal",
            RecommendError::Context(error) => error.code(),
            RecommendError::Registry(error) => error.code(),
            RecommendError::Table(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            RecommendError::NotAboutContents { .. } => ErrorKind::Caller,
            RecommendError::Context(error) => error.kind(),
            RecommendError::Registry(error) => error.kind(),
            RecommendError::Table(error) => error.kind(),
        }
    }
}

/// Ranks the contents for every user with an event before the moment.
///
/// # Errors
/// When the goal is not about contents, the model cannot be used, or a file cannot be read or written.
pub fn recommend(
    context: &Context<'_>,
    request: &RecommendRequest,
) -> Result<RecommendReport, RecommendError> {
    let name = request.goal.as_deref().unwrap_or(&context.config.decisions.goal);
    let goal = context.goal(name)?;
    if goal.unit != Unit::UserContent {
        return Err(RecommendError::NotAboutContents { goal: name.to_string(), unit: goal.unit });
    }
    context.check_out(&request.out)?;
    let lake = context.lake()?;
    let as_of = context.moment(request.as_of, &lake);
    let found = find(context, (name, goal), request.model.as_deref(), as_of)?;
    let material = read_before(context, &lake, as_of)?;
    context.progress.step("ranking contents");
    let model = found.as_ref().map(|found| &found.model);
    let profiles = model.map_or(&context.config.profiles, |model| &model.profile_settings);
    let sources = material.sources(profiles);
    let question = question(context, name, goal, &sources);
    let rankings = rank_contents(&question, model, as_of, request.wanted)?;
    let frame =
        frame_of(&material.timeline, &rankings).map_err(TableError::parquet(Path::new("rankings")))?;
    let rows = tables::write_frame(&request.out, frame)?;
    let version = found.map(|found| found.version);
    Ok(RecommendReport { goal: name.to_string(), as_of, version, users: rankings.len(), rows })
}

/// The version that was asked for, or the newest; without one popularity ranks.
fn find(
    context: &Context<'_>,
    (name, goal): (&str, &Goal),
    version: Option<&str>,
    as_of: Instant,
) -> Result<Option<Registered>, RegistryError> {
    let registry = Registry::of(context.workspace);
    let found = match version {
        Some(version) => registry.read(name, version)?,
        None => match newest(context, &registry, name, as_of) {
            Err(RegistryError::NoModel { .. }) => return Ok(None),
            found => found?,
        },
    };
    check_comparable(&registry, &found, goal)?;
    Ok(Some(found))
}
