//! A column of a table as a goal: a file → model and card → champion, if the gate lets it; and scores of other rows.

use std::path::{Path, PathBuf};

use super::context::{Context, ContextError};
use super::promote::{Candidacy, NotPromoted, stand};
use super::scratch::Scratch;
use super::train::ModelStanding;
use domain::error::{Coded, ErrorKind};
use domain::goal::is_goal_name;
use domain::zone::Zone;
use events::formats::InputError;
use files::tables::{self, TableError};
use models::table::{
    CellTable, TableGoalError, TableRoles, TableStage, TableTraining, TrainedTable, score_table, train_table,
};
use registry::gate::Gate;
use registry::versions::{Registered, Registry, RegistryError};

/// What to learn.
#[derive(Clone, Debug)]
pub struct TableTrainRequest {
    /// The file.
    pub table: PathBuf,
    /// The goal's name; by default that of the file.
    pub goal: Option<String>,
    /// Which columns mean what.
    pub roles: TableRoles,
    /// Seed of draws; by default `training.seed`.
    pub seed: Option<u64>,
}

/// What came of it.
#[derive(Debug)]
pub struct TableTrainReport {
    /// The goal.
    pub goal: String,
    /// The version.
    pub version: String,
    /// Is it the champion now?
    pub standing: ModelStanding,
    /// The model, its card, and what was tried.
    pub trained: TrainedTable,
}

/// Which rows to score.
#[derive(Clone, Debug)]
pub struct TableScoreRequest {
    /// The file.
    pub table: PathBuf,
    /// The goal.
    pub goal: String,
    /// Score with this version; by default the champion.
    pub model: Option<String>,
    /// The file to write.
    pub out: PathBuf,
}

/// What was written.
#[derive(Clone, Debug)]
pub struct TableScoreReport {
    /// The model's version.
    pub version: String,
    /// Rows of the file.
    pub rows: u64,
    /// Mean of the propensities.
    pub mean_propensity: f64,
    /// Mean of the uplifts, of a goal with a treatment.
    pub mean_uplift: Option<f64>,
}

/// A table that cannot be learned from or scored.
#[derive(Debug, thiserror::Error)]
pub enum TableCommandError {
    /// A goal's name that cannot be one.
    #[error(
        "bad_goal: {0:?} cannot be a goal's name, which has 1 to 64 of a–z, 0–9 and _; name one with --goal NAME"
    )]
    BadGoal(String),
    /// A goal that events declare.
    #[error(
        "goal_is_declared: goal {0} is declared by events in the settings; name the table's with --goal NAME"
    )]
    Declared(String),
    /// The table cannot be a goal.
    #[error(transparent)]
    Goal(#[from] TableGoalError),
    /// The workspace cannot be used.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// The registry cannot be read or written, or refuses the model.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A file cannot be read or written.
    #[error(transparent)]
    Table(#[from] TableError),
}

impl From<InputError> for TableCommandError {
    fn from(error: InputError) -> TableCommandError {
        TableCommandError::Goal(error.into())
    }
}

impl Coded for TableCommandError {
    fn code(&self) -> &'static str {
        match self {
            TableCommandError::BadGoal(_) => "bad_goal",
            TableCommandError::Declared(_) => "goal_is_declared",
            TableCommandError::Goal(error) => error.code(),
            TableCommandError::Context(error) => error.code(),
            TableCommandError::Registry(error) => error.code(),
            TableCommandError::Table(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            TableCommandError::BadGoal(_) | TableCommandError::Declared(_) => ErrorKind::Caller,
            TableCommandError::Goal(error) => error.kind(),
            TableCommandError::Context(error) => error.kind(),
            TableCommandError::Registry(error) => error.kind(),
            TableCommandError::Table(error) => error.kind(),
        }
    }
}

impl TableTrainReport {
    /// Set when the model is not promoted.
    pub fn refusal(&self) -> Option<NotPromoted> {
        let why = match self.standing {
            ModelStanding::BelowBaseRate => "does not beat the base rate",
            ModelStanding::RefusedByGate => "is refused by the gate",
            ModelStanding::Registered | ModelStanding::Promoted | ModelStanding::ChampionKnowsMore => {
                return None;
            }
        };
        let failed = self.trained.card.gate.iter().flat_map(Gate::failed).next();
        let line = failed.map(|line| format!(": {line}")).unwrap_or_default();
        Some(NotPromoted { first: format!("{} {} {why}{line}", self.goal, self.version) })
    }
}

/// Learns a column of a table, registers the model, and makes it the champion if the gate lets it.
///
/// # Errors
/// When the goal's name cannot be used, the file or a column cannot be read, or there is no fit.
pub fn train(
    context: &Context<'_>,
    request: &TableTrainRequest,
) -> Result<TableTrainReport, TableCommandError> {
    let goal = goal_of(context, request)?;
    let _lock = context.lock()?;
    let table = read(context, &request.table)?;
    let registry = Registry::of(context.workspace);
    // A champion that cannot be read is no reason not to train: training is the way out.
    let champion = registry.read_champion(&goal).ok();
    let training = TableTraining {
        goal: &goal,
        roles: &request.roles,
        config: context.config,
        zone: &Zone::find(&context.config.default_time_zone).unwrap_or_else(|_| Zone::utc()),
        now: context.now,
        seed: request.seed.unwrap_or(context.config.training.seed),
        file_sha256: &tables::sha256_of_file(&request.table)?,
        champion: champion.as_ref(),
    };
    let trained =
        train_table(&table, &training, &|stage, done, all| watch(context, &goal, stage, done, all))?;
    let version = registry.write(&trained.model, &trained.card)?;
    let standing = standing(context, &goal, &version, &trained)?;
    Ok(TableTrainReport { goal, version, standing, trained })
}

/// Scores the rows of a table.
///
/// # Errors
/// When there is no usable model, the file lacks a column that it reads, or a file cannot be read or written.
pub fn score(
    context: &Context<'_>,
    request: &TableScoreRequest,
) -> Result<TableScoreReport, TableCommandError> {
    context.check_out(&request.out)?;
    let registry = Registry::of(context.workspace);
    let found = match &request.model {
        Some(version) => registry.read(&request.goal, version)?,
        None => champion_of(context, &registry, &request.goal)?,
    };
    if found.model.table.is_none() {
        return Err(TableGoalError::NotATable(request.goal.clone()).into());
    }
    registry.check_servable(&found)?;
    let table = read(context, &request.table)?;
    context.progress.step("scoring");
    let scores = score_table(&table, &found.model)?;
    for (column, rows) in &scores.unknown_levels {
        context.progress.warn(&format!(
            "{rows} rows have a value of {column} that training did not know; they count as none of the known ones"
        ));
    }
    let frame = scores.frame(&table, &found.model).map_err(TableError::parquet(Path::new("scores")))?;
    let mean = |values: &Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
    Ok(TableScoreReport {
        version: found.version,
        rows: tables::write_frame(&request.out, frame)?,
        mean_propensity: scores.mean_propensity(),
        mean_uplift: scores.uplifts.as_ref().map(mean),
    })
}

/// The champion; a goal that is neither declared nor trained from a table is unknown.
fn champion_of(
    context: &Context<'_>,
    registry: &Registry,
    goal: &str,
) -> Result<Registered, TableCommandError> {
    if registry.versions(goal).is_empty() {
        context.goal(goal)?;
    }
    Ok(registry.read_champion(goal)?)
}

fn goal_of(context: &Context<'_>, request: &TableTrainRequest) -> Result<String, TableCommandError> {
    let goal = match &request.goal {
        Some(goal) => goal.clone(),
        None => name_of(&request.table),
    };
    if !is_goal_name(&goal) {
        return Err(TableCommandError::BadGoal(goal));
    }
    match context.config.goals.contains_key(&goal) {
        true => Err(TableCommandError::Declared(goal)),
        false => Ok(goal),
    }
}

/// The file's name up to its first dot, in the characters of a goal's name.
fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let stem = name.split('.').next().unwrap_or_default();
    let plain = |character: char| if character.is_ascii_alphanumeric() { character } else { '_' };
    stem.chars().map(plain).collect()
}

fn read(context: &Context<'_>, path: &Path) -> Result<CellTable, TableCommandError> {
    context.progress.step(&format!("reading {}", path.display()));
    let scratch = Scratch::make()?;
    Ok(CellTable::read(path, &scratch.0, &|rows| context.progress.count(rows as u64, None))?)
}

fn watch(context: &Context<'_>, goal: &str, stage: TableStage, done: usize, all: usize) {
    let text = match stage {
        TableStage::Choosing => "comparing methods on later rows of",
        TableStage::Measuring => "measuring forward in time",
        TableStage::Uplift => "learning uplift of",
    };
    if done <= 1 {
        context.progress.step(&format!("{text} {goal}"));
    }
    context.progress.count(done as u64, Some(all as u64));
}

/// Asks the gate, then promotes the model to champion.
fn standing(
    context: &Context<'_>,
    goal: &str,
    version: &str,
    trained: &TrainedTable,
) -> Result<ModelStanding, TableCommandError> {
    if !trained.model.kind.can_be_served() {
        return Ok(ModelStanding::BelowBaseRate);
    }
    if !trained.card.gate.as_ref().is_some_and(Gate::is_passed) {
        return Ok(ModelStanding::RefusedByGate);
    }
    match stand(context, goal, version)? {
        Candidacy::Promoted => Ok(ModelStanding::Promoted),
        Candidacy::ChampionIsNewer { .. } => Ok(ModelStanding::ChampionKnowsMore),
        Candidacy::Refused(error) => Err(error.into()),
    }
}
