//! Writes the propensity of everybody a goal is about, as of a moment.

use std::path::{Path, PathBuf};

use super::context::{Context, ContextError};
use super::material::{question, read_before};
use domain::error::{Coded, ErrorKind};
use domain::goal::Goal;
use domain::time::Instant;
use files::tables::{self, TableError};
use models::examples::ExampleError;
use models::score::{check_goal, check_inputs, frame_of, score as score_population};
use registry::versions::{Newest, Registered, Registry, RegistryError};

/// Whom to score, and where the file goes.
#[derive(Clone, Debug)]
pub struct ScoreRequest {
    /// The goal.
    pub goal: String,
    /// Events before this moment count; by default 1 µs after the newest event, but not later than now.
    pub as_of: Option<Instant>,
    /// Score with this version; by default the newest as of the moment or before.
    pub model: Option<String>,
    /// The file to write.
    pub out: PathBuf,
}

/// What was written.
#[derive(Clone, Debug)]
pub struct ScoreReport {
    /// The moment.
    pub as_of: Instant,
    /// The model's version.
    pub version: String,
    /// Rows of the file.
    pub rows: u64,
    /// Mean of the propensities.
    pub mean_propensity: f64,
}

/// Scores that cannot be computed or written.
#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    /// The goal is a column of a table.
    #[error(
        "table_needed: goal {0} is a column of a table; `smartpush score --table FILE --goal {0}` scores rows"
    )]
    TableNeeded(String),
    /// The goal is unknown, or the workspace cannot be used.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// There is no model, or it cannot be used.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// There is nobody to score.
    #[error(transparent)]
    Examples(#[from] ExampleError),
    /// The file cannot be written.
    #[error(transparent)]
    Table(#[from] TableError),
}

impl Coded for ScoreError {
    fn code(&self) -> &'static str {
        match self {
            ScoreError::TableNeeded(_) => "table_needed",
            ScoreError::Context(error) => error.code(),
            ScoreError::Registry(error) => error.code(),
            ScoreError::Examples(error) => error.code(),
            ScoreError::Table(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            ScoreError::TableNeeded(_) => ErrorKind::Caller,
            ScoreError::Context(error) => error.kind(),
            ScoreError::Registry(error) => error.kind(),
            ScoreError::Examples(error) => error.kind(),
            ScoreError::Table(error) => error.kind(),
        }
    }
}

/// Scores the goal's population and writes one row for each member.
///
/// # Errors
/// When there is no usable model as of the moment or before, nobody to score, or a file cannot be read or written.
pub fn score(context: &Context<'_>, request: &ScoreRequest) -> Result<ScoreReport, ScoreError> {
    if is_of_a_table(context, &request.goal) {
        return Err(ScoreError::TableNeeded(request.goal.clone()));
    }
    let goal = context.goal(&request.goal)?;
    context.check_out(&request.out)?;
    let lake = context.lake()?;
    let as_of = context.moment(request.as_of, &lake);
    let registry = Registry::of(context.workspace);
    let found = match &request.model {
        Some(version) => registry.read(&request.goal, version)?,
        None => newest(context, &registry, &request.goal, as_of)?,
    };
    registry.check_servable(&found)?;
    check_comparable(&registry, &found, goal)?;
    let material = read_before(context, &lake, as_of)?;
    context.progress.step("scoring");
    // Features as the model knows them, also when the settings have changed since.
    let sources = material.sources(&found.model.profile_settings);
    let question = question(context, &request.goal, goal, &sources);
    let scores = score_population(&question, &found.model, as_of)?;
    let frame = frame_of(&question, &scores).map_err(TableError::parquet(Path::new("scores")))?;
    let rows = tables::write_frame(&request.out, frame)?;
    let mean_propensity = scores.iter().map(|score| score.propensity).sum::<f64>() / scores.len() as f64;
    Ok(ScoreReport { as_of, version: found.version, rows, mean_propensity })
}

/// Was a goal that no setting declares trained from a table?
fn is_of_a_table(context: &Context<'_>, goal: &str) -> bool {
    let champion = Registry::of(context.workspace).read_champion(goal);
    !context.config.goals.contains_key(goal) && champion.is_ok_and(|champion| champion.model.table.is_some())
}

/// The newest version as of the moment that can be used; versions that cannot be read are warned of.
pub(super) fn newest(
    context: &Context<'_>,
    registry: &Registry,
    goal: &str,
    as_of: Instant,
) -> Result<Registered, RegistryError> {
    let Newest { found, damaged } = registry.newest(goal, as_of)?;
    damaged.iter().for_each(|version| context.progress.warn(&version.to_string()));
    Ok(found)
}

/// Is the goal still the one that a model was trained for, and does this build compute its inputs?
pub(super) fn check_comparable(
    registry: &Registry,
    found: &Registered,
    goal: &Goal,
) -> Result<(), RegistryError> {
    let model = &found.model;
    check_goal(model, goal).and_then(|()| check_inputs(model)).map_err(|error| {
        let path = registry.version_directory(&model.goal, &found.version).join("model.json");
        RegistryError::Unusable { path, error }
    })
}
