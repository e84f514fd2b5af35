//! Writes the rows that a goal is learned from, for other tools.

use std::path::{Path, PathBuf};

use super::context::{Context, ContextError};
use super::material::{question, read_before};
use domain::error::{Coded, ErrorKind};
use domain::time::Instant;
use files::tables::{self, TableError};
use models::examples::{ExampleError, Labels};
use models::score::{POPULATION, examples_frame};
use models::train::parts_of;

/// Which rows, and where the file goes.
#[derive(Clone, Debug)]
pub struct ExamplesRequest {
    /// The goal.
    pub goal: String,
    /// What was known before this moment counts; by default 1 µs after the newest event, but not later than now.
    pub as_of: Option<Instant>,
    /// Add everybody the goal is about at the moment, without a label.
    pub with_population: bool,
    /// The file to write.
    pub out: PathBuf,
}

/// What was written.
#[derive(Clone, Copy, Debug)]
pub struct ExamplesReport {
    /// The moment.
    pub as_of: Instant,
    /// Rows of the file.
    pub rows: u64,
    /// Rows with a label.
    pub examples: usize,
    /// Those that reach the goal.
    pub positives: usize,
    /// Moments that they are taken at.
    pub moments: usize,
    /// Moments whose labels are not known yet.
    pub immature_moments: usize,
    /// One of so many negatives was kept.
    pub one_negative_kept_of: u32,
    /// Rows without a label.
    pub population: usize,
}

/// Examples that cannot be made or written.
#[derive(Debug, thiserror::Error)]
pub enum ExamplesError {
    /// The goal is unknown, or the workspace cannot be used.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// There are none.
    #[error(transparent)]
    Examples(#[from] ExampleError),
    /// The file cannot be written.
    #[error(transparent)]
    Table(#[from] TableError),
}

impl Coded for ExamplesError {
    fn code(&self) -> &'static str {
        match self {
            ExamplesError::Context(error) => error.code(),
            ExamplesError::Examples(error) => error.code(),
            ExamplesError::Table(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            ExamplesError::Context(error) => error.kind(),
            ExamplesError::Examples(error) => error.kind(),
            ExamplesError::Table(error) => error.kind(),
        }
    }
}

/// Writes every row whose outcome was known before the moment, with the part that training takes it for.
///
/// # Errors
/// When there is no such row, or a file cannot be read or written.
pub fn examples(context: &Context<'_>, request: &ExamplesRequest) -> Result<ExamplesReport, ExamplesError> {
    let goal = context.goal(&request.goal)?;
    context.check_out(&request.out)?;
    let lake = context.lake()?;
    let as_of = context.moment(request.as_of, &lake);
    let material = read_before(context, &lake, as_of)?;
    let sources = material.sources(&context.config.profiles);
    let question = question(context, &request.goal, goal, &sources);
    context.progress.step("examples");
    let labelled = question.examples(Labels::MatureBefore(as_of), &context.counting())?;
    // A goal with too few moments to split can still be looked at.
    let mut parts = parts_of(&question, &labelled).unwrap_or_else(|_| vec!["train"; labelled.len()]);
    let all: Vec<usize> = (0..labelled.len()).collect();
    let mut report = ExamplesReport {
        as_of,
        rows: 0,
        examples: all.len(),
        positives: labelled.positives(&all),
        moments: labelled.moments.len(),
        immature_moments: labelled.immature,
        one_negative_kept_of: labelled.one_kept_of,
        population: 0,
    };
    let rows = match request.with_population {
        true => labelled.followed_by(question.population_rows(as_of)?),
        false => labelled,
    };
    report.population = rows.len() - report.examples;
    parts.resize(rows.len(), POPULATION);
    let frame =
        examples_frame(&question, &rows, &parts).map_err(TableError::parquet(Path::new("examples")))?;
    report.rows = tables::write_frame(&request.out, frame)?;
    Ok(report)
}
