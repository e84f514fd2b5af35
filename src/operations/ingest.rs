//! Takes files of events, users, contents or campaigns into the workspace.

mod attributes;
mod campaigns;
mod cells;
mod refusal;
mod texts;

use std::path::PathBuf;

use super::context::{Context, ContextError, Progress};
use domain::consent::Consent;
use domain::error::{Coded, ErrorKind};
use domain::zone::Zone;
use events::catalogue::DeclaredUsers;
use events::formats::Format;
use events::health::{future_stamps, odd_days};
use events::ingest::ingest as take_files;
use events::lake::Lake;
use events::mapping::Renames;
use events::request::{FilesError, FilesRequest, IngestStage, IngestSummary, InputKind};
use events::withdrawals::Withdrawals;

pub use refusal::IngestRefusal;

/// Which files, and how to read them.
#[derive(Clone, Debug)]
pub struct IngestRequest {
    /// The files, in order.
    pub files: Vec<PathBuf>,
    /// What they hold.
    pub kind: InputKind,
    /// Their format; without one, each file's name or first bytes tell.
    pub format: Option<Format>,
    /// Their columns' names for ours.
    pub renames: Renames,
    /// How to read naive stamps; without one they are rejected.
    pub zone: Option<Zone>,
    /// Share of the records that may be rejected, in place of the settings'.
    pub most_rejected: Option<f64>,
}

/// What came of an ingest.
#[derive(Debug)]
pub struct IngestReport {
    /// The counts, summed over the files.
    pub summary: IngestSummary,
    /// What looks odd in the days that changed.
    pub warnings: Vec<String>,
    /// Set when files were refused, or too little of them was taken.
    pub refusal: Option<IngestRefusal>,
}

/// An ingest that stopped; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The workspace cannot be used.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// The lake or a table cannot be read or written.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// Too little of the files was taken, in a chain that must not go on with it.
    #[error(transparent)]
    Refused(#[from] IngestRefusal),
}

impl Coded for IngestError {
    fn code(&self) -> &'static str {
        match self {
            IngestError::Context(error) => error.code(),
            IngestError::Files(error) => error.code(),
            IngestError::Refused(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            IngestError::Context(error) => error.kind(),
            IngestError::Files(error) => error.kind(),
            IngestError::Refused(error) => error.kind(),
        }
    }
}

/// Takes files in and looks at the days that changed.
///
/// # Errors
/// When the workspace cannot be used. Files that cannot be taken are in the report.
pub fn ingest(context: &Context<'_>, request: &IngestRequest) -> Result<IngestReport, IngestError> {
    let is_of_users = request.kind == InputKind::Users;
    let attributes = if is_of_users { Some(attributes::look(context)?) } else { None };
    let summary = take(context, request)?;
    let mut warnings = warnings(context, request.kind, &summary)?;
    if let Some(before) = attributes.filter(|_| summary.accepted > 0) {
        warnings.extend(withdrawn(context)?);
        warnings.extend(attributes::warnings(context, &before)?);
    }
    let refusal = refusal(context, request, &summary);
    Ok(IngestReport { summary, warnings, refusal })
}

/// Why an ingest that has taken what could be taken is no success.
pub(super) fn refusal(
    context: &Context<'_>,
    request: &IngestRequest,
    summary: &IngestSummary,
) -> Option<IngestRefusal> {
    let most = request.most_rejected.unwrap_or(context.config.ingest.most_rejected);
    IngestRefusal::of(summary, request.files.len(), most)
}

/// Takes files in under the workspace's lock.
pub(super) fn take(context: &Context<'_>, request: &IngestRequest) -> Result<IngestSummary, IngestError> {
    let _lock = context.lock()?;
    take_locked(context, request)
}

/// Takes files in; the caller holds the workspace's lock.
pub(super) fn take_locked(
    context: &Context<'_>,
    request: &IngestRequest,
) -> Result<IngestSummary, IngestError> {
    let files = FilesRequest {
        files: &request.files,
        kind: request.kind,
        format: request.format,
        renames: request.renames.clone(),
        zone: request.zone.clone(),
        now: context.now,
    };
    let watch = |stage: IngestStage<'_>| show(context.progress, stage);
    Ok(take_files(context.workspace, &context.config.ingest, &files, &watch)?)
}

fn show(progress: &dyn Progress, stage: IngestStage<'_>) {
    let (text, done, total) = match stage {
        IngestStage::Reading { file, bytes, total } => {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            (format!("reading {name}"), bytes, total)
        }
        IngestStage::Comparing => ("finding duplicates".to_string(), 0, 1),
        IngestStage::Writing { done, total } => ("writing days".to_string(), done as u64, total as u64),
    };
    progress.step(&text);
    progress.count(done, Some(total));
}

/// What looks odd in the days that changed, by the data checks that the manifest is enough for.
fn warnings(
    context: &Context<'_>,
    kind: InputKind,
    summary: &IngestSummary,
) -> Result<Vec<String>, ContextError> {
    let understood = |(theirs, ours): &(String, &str)| {
        format!("column_understood: {theirs:?} is read as {ours}; to keep it apart, give it another name")
    };
    let mut warnings: Vec<String> = summary.understood_columns.iter().map(understood).collect();
    warnings.extend(cells::warnings(summary));
    warnings.extend(shifted(summary));
    let unread = |name: &String| {
        format!("unread_event_name: --map-event names {name:?}, which no event of the files has")
    };
    warnings.extend(summary.unread_names.iter().map(unread));
    let misspelt = |(ours, meant): &(String, &str)| {
        format!(
            "custom_event_name: {ours:?} is no standard name and counts as a custom event; did you mean {meant:?}?"
        )
    };
    warnings.extend(summary.misspelt_names.iter().map(misspelt));
    if summary.accepted > 0 {
        warnings.extend(texts::warnings(context.workspace, kind)?);
        if kind == InputKind::Campaigns {
            warnings.extend(campaigns::warnings(context)?);
        }
    }
    if !summary.changed_days.is_empty() {
        let lake = Lake::open(context.workspace)?;
        warnings.extend(odd_days(lake.manifest(), &summary.changed_days, &context.config.health));
        warnings.extend(future_stamps(lake.newest(), context.now));
    }
    Ok(warnings)
}

/// Events that are there twice: some hours apart, the mark of a wrong `--time-zone` in this ingest or an earlier one, or at
/// the same moment, the mark of another mapping.
fn shifted(summary: &IngestSummary) -> Vec<String> {
    let id = summary.ingest_id.as_deref().unwrap_or_default();
    let new = summary.shifted.as_ref().map(|shifted| {
        format!(
            "{} events repeat others of the same user, name and content moved by exactly {}; if the --time-zone of this \
             ingest is wrong, undo it with: smartpush ingests undo {id}; if an earlier one was, `smartpush ingests list` shows \
             its id",
            shifted.count,
            shifted.distance()
        )
    });
    let known = summary.shifted_conflicts.as_ref().map(|shifted| {
        format!(
            "{} rejected events (message_id_conflict) are there already, moved by exactly {}; if the --time-zone of the \
             earlier ingest was wrong, undo that one (`smartpush ingests list`) and ingest this file again",
            shifted.count,
            shifted.distance()
        )
    });
    let same = summary.same_moment.map(|count| {
        format!(
            "{count} events repeat others of the same user and moment, of the same name or content, and differ elsewhere; if the \
             file was taken in before with another mapping (--map, --map-event, --set), undo one of the two: smartpush ingests \
             undo {id}, or an earlier one (`smartpush ingests list`)"
        )
    });
    new.into_iter().chain(known).chain(same).collect()
}

/// Users who are declared to consent, and whose later opt-out by an event holds.
fn withdrawn(context: &Context<'_>) -> Result<Option<String>, ContextError> {
    let withdrawals = Withdrawals::read(&Lake::open(context.workspace)?)?;
    let users = DeclaredUsers::read(context.workspace)?;
    let is_withdrawn = |row: &usize| {
        let mut user = users.user(*row);
        let is_declared = user.consent == Consent::Granted;
        withdrawals.apply(&mut user);
        is_declared && user.consent != Consent::Granted
    };
    let count = (0..users.len()).filter(is_withdrawn).count();
    Ok((count > 0).then(|| {
        format!(
            "consent_withdrawn: users who are declared to consent and opted out by an event, or were erased since: {count}; they \
             get no push until a row says granted with a consent_at after that"
        )
    }))
}
