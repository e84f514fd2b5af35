//! Takes another team's predictions as a challenger: through the gate, into the registry and the shadow, and as a file.

use std::path::{Path, PathBuf};

use super::context::{Context, ContextError};
use super::material::{question, read_before};
use super::scratch::Scratch;
use domain::error::{Coded, ErrorKind};
use domain::time::Instant;
use events::foreign::Names;
use files::tables::{self, TableError};
use models::score::frame_of;
use models::train::TrainingRequest;
use models::train::imported::{File, ImportError as PredictionsError, import as hold_against_outcomes};
use registry::card::Card;
use registry::gate::GateLine;
use registry::versions::{Registry, RegistryError};

/// Whose predictions, and where the file goes.
#[derive(Clone, Debug)]
pub struct ImportRequest {
    /// The goal.
    pub goal: String,
    /// What was known before this moment counts; by default 1 µs after the newest event, but not later than now.
    pub as_of: Option<Instant>,
    /// The predictions.
    pub predictions: PathBuf,
    /// Their columns' names for ours.
    pub names: Names,
    /// The file to write.
    pub out: PathBuf,
}

/// What became of the predictions.
#[derive(Debug)]
pub struct ImportReport {
    /// The moment.
    pub as_of: Instant,
    /// The version that they were registered as.
    pub version: String,
    /// Their card, gate and all.
    pub card: Card,
    /// Rows of the file.
    pub rows: u64,
    /// Set when the gate keeps them out of the shadow.
    pub refusal: Option<NotShadowed>,
}

/// Predictions that are kept, but not logged beside the champion.
#[derive(Debug, thiserror::Error)]
#[error("not_shadowed: {line}")]
pub struct NotShadowed {
    /// The first line of the gate that does not hold.
    pub line: GateLine,
}

impl Coded for NotShadowed {
    fn code(&self) -> &'static str {
        "not_shadowed"
    }

    fn kind(&self) -> ErrorKind {
        ErrorKind::Refused
    }
}

/// Predictions that cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file to write is the file to read.
    #[error("bad_out: {}: the predictions are read from there", .0.display())]
    OutIsInput(PathBuf),
    /// The goal is unknown, or the workspace cannot be used.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// They cannot be read or compared.
    #[error(transparent)]
    Predictions(#[from] PredictionsError),
    /// The registry cannot be written.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The file cannot be written.
    #[error(transparent)]
    Table(#[from] TableError),
}

impl Coded for ImportError {
    fn code(&self) -> &'static str {
        match self {
            ImportError::OutIsInput(_) => "bad_out",
            ImportError::Context(error) => error.code(),
            ImportError::Predictions(error) => error.code(),
            ImportError::Registry(error) => error.code(),
            ImportError::Table(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            ImportError::OutIsInput(_) => ErrorKind::Caller,
            ImportError::Context(error) => error.kind(),
            ImportError::Predictions(error) => error.kind(),
            ImportError::Registry(error) => error.kind(),
            ImportError::Table(error) => error.kind(),
        }
    }
}

/// Holds predictions against outcomes, registers them, makes them the shadow if the gate lets them, and writes them out.
///
/// # Errors
/// When a prediction is missing or cannot be read, the goal cannot be compared on, or a file cannot be written.
pub fn import(context: &Context<'_>, request: &ImportRequest) -> Result<ImportReport, ImportError> {
    let goal = context.goal(&request.goal)?;
    context.check_out(&request.out)?;
    let lake = context.lake()?;
    let as_of = context.moment(request.as_of, &lake);
    check_apart(&request.out, &request.predictions)?;
    let _lock = context.lock()?;
    let material = read_before(context, &lake, as_of)?;
    let sources = material.sources(&context.config.profiles);
    let question = question(context, &request.goal, goal, &sources);
    let registry = Registry::of(context.workspace);
    let (lake_sha256, champion) = (lake.content_sha256(), registry.read_champion(&request.goal).ok());
    let against = TrainingRequest {
        lake_sha256: &lake_sha256,
        champion: champion.as_ref(),
        ..TrainingRequest::new(as_of, context.config, context.now)
    };
    let scratch = Scratch::make()?;
    let file = File { path: &request.predictions, names: &request.names, scratch: &scratch.0 };
    let imported = hold_against_outcomes(&question, &against, &file)?;
    let frame = frame_of(&question, &imported.scores).map_err(TableError::parquet(Path::new("scores")))?;
    let rows = tables::write_frame(&request.out, frame)?;
    let version = registry.write_imported(&imported.model, &imported.card, &imported.table)?;
    let failed = imported.card.gate.as_ref().and_then(|gate| gate.failed().first().copied().cloned());
    let refusal = failed.map(|line| NotShadowed { line });
    if refusal.is_none() {
        registry.set_shadow(&request.goal, Some(&version))?;
    }
    Ok(ImportReport { as_of, version, card: imported.card, rows, refusal })
}

fn check_apart(out: &Path, predictions: &Path) -> Result<(), ImportError> {
    match (out.canonicalize(), predictions.canonicalize()) {
        (Ok(out), Ok(read)) if out == read => Err(ImportError::OutIsInput(predictions.to_path_buf())),
        _ => Ok(()),
    }
}
