//! Joins decisions with the events they caused, and writes both as tables.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::context::{Context, ContextError};
use domain::content::Content;
use domain::error::{Coded, ErrorKind};
use domain::time::Instant;
use engine::SnapshotScorer;
use engine::replay::scorer_of;
use events::catalogue::read_contents;
use events::lake::Lake;
use feedback::FeedbackError;
use feedback::attribution::Strays;
use feedback::decided::Logged;
use feedback::export::{Exported, export};
use feedback::outcomes::{outcomes_of, write};
use feedback::summary::{Languages, Summary, summarise};
use files::workspace::Workspace;
use store::decision_log::Record;

/// What was joined and written.
#[derive(Debug)]
pub struct OutcomesReport {
    /// Decisions and events before this moment count.
    pub as_of: Instant,
    /// Events this long after a push may belong to it.
    pub window_hours: i64,
    /// What became of the decisions, counted.
    pub summary: Summary,
    /// Events that belong to no decision.
    pub strays: Strays,
    /// The decisions as tables.
    pub exported: Exported,
    /// Decisions that were erased.
    pub erased: u64,
    /// Files of the log that end torn.
    pub torn_files: u64,
    /// The directory of the outcomes.
    pub outcomes: PathBuf,
}

/// Outcomes that cannot be joined.
#[derive(Debug, thiserror::Error)]
pub enum OutcomesError {
    /// There is nothing to join.
    #[error("no_decisions: the decision log holds none before {0}; `smartpush serve` answers, and logs them")]
    NoDecisions(Instant),
    /// The log or the events cannot be read, or a table cannot be written.
    #[error(transparent)]
    Feedback(#[from] FeedbackError),
    /// The workspace cannot be used.
    #[error(transparent)]
    Context(#[from] ContextError),
}

impl Coded for OutcomesError {
    fn code(&self) -> &'static str {
        match self {
            OutcomesError::NoDecisions(_) => "no_decisions",
            OutcomesError::Feedback(error) => error.code(),
            OutcomesError::Context(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            OutcomesError::NoDecisions(_) => ErrorKind::Conflict,
            OutcomesError::Feedback(error) => error.kind(),
            OutcomesError::Context(error) => error.kind(),
        }
    }
}

/// Joins what was decided before a moment; by default 1 µs after the newest event or decision, but not later than now.
///
/// # Errors
/// When nothing was decided before it, another process writes, or a file cannot be read or written.
pub fn outcomes(context: &Context<'_>, as_of: Option<Instant>) -> Result<OutcomesReport, OutcomesError> {
    let workspace = context.workspace;
    let _lock = context.lock()?;
    let lake = Lake::open(workspace).map_err(ContextError::from)?;
    let logged = Logged::read(&workspace.decision_log())?;
    let newest = lake.newest().max(logged.newest());
    let as_of = as_of.unwrap_or_else(|| context.default_moment(newest));
    let logged = logged.before(as_of);
    if logged.decisions().is_empty() {
        return Err(OutcomesError::NoDecisions(as_of));
    }
    let window_hours = context.config.feedback.attribution_window_hours;
    let (outcomes, strays) = outcomes_of(&logged, &lake, context.config, as_of)?;
    let mut known = BTreeMap::new();
    let exported = export(workspace, &logged, as_of, |record| scorer(workspace, &mut known, record))?;
    let languages = languages(workspace)?;
    let path = write(workspace, &logged, &outcomes, window_hours, as_of)?;
    Ok(OutcomesReport {
        as_of,
        window_hours,
        summary: summarise(logged.decisions(), &outcomes, &languages),
        strays,
        exported,
        erased: logged.erased,
        torn_files: logged.torn_files,
        outcomes: path,
    })
}

/// The language of each variant, as it is declared now.
fn languages(workspace: &Workspace) -> Result<Languages, ContextError> {
    let of_content = |(content_id, content): (String, Content)| {
        let variants = content.variants.into_iter();
        let languages = variants.filter_map(|variant| Some((variant.variant_id, variant.locale?)));
        (content_id, languages.collect())
    };
    Ok(read_contents(workspace)?.into_iter().map(of_content).collect())
}

/// A record's scorer; each model is read once.
fn scorer(
    workspace: &Workspace,
    known: &mut BTreeMap<BTreeMap<String, String>, Option<Arc<SnapshotScorer>>>,
    record: &Record,
) -> Option<Arc<SnapshotScorer>> {
    let model = record.context.versions.get_key_value("model");
    let key = model.map(|(name, version)| (name.clone(), version.clone())).into_iter().collect();
    known.entry(key).or_insert_with(|| scorer_of(workspace, record).ok().map(Arc::new)).clone()
}
