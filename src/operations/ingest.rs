//! Takes files of events, users, contents or campaigns into the workspace.

mod attributes;
mod cells;
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
}

/// What came of an ingest.
#[derive(Debug)]
pub struct IngestReport {
    /// The counts, summed over the files.
    pub summary: IngestSummary,
    /// What looks odd in the days that changed.
    pub warnings: Vec<String>,
    /// Set when files were refused.
    pub refusal: Option<FilesRefused>,
}

/// Files of which nothing was kept; the others were taken.
#[derive(Debug, thiserror::Error)]
#[error("{code}: {refused} of {files} files refused; nothing of them was kept{}", others(*.refused, *.files))]
pub struct FilesRefused {
    /// Code of the first one's error.
    code: &'static str,
    /// How many were refused …
    refused: usize,
    /// … of how many.
    files: usize,
}

fn others(refused: usize, files: usize) -> &'static str {
    if refused < files { ", the others were" } else { "" }
}

impl Coded for FilesRefused {
    fn code(&self) -> &'static str {
        self.code
    }

    fn kind(&self) -> ErrorKind {
        ErrorKind::Caller
    }
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
}

impl Coded for IngestError {
    fn code(&self) -> &'static str {
        match self {
            IngestError::Context(error) => error.code(),
            IngestError::Files(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            IngestError::Context(error) => error.kind(),
            IngestError::Files(error) => error.kind(),
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
    let refusal = summary.refused.first().map(|first| FilesRefused {
        code: first.code(),
        refused: summary.refused.len(),
        files: request.files.len(),
    });
    Ok(IngestReport { summary, warnings, refusal })
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
    let mut warnings = cells::warnings(summary);
    let unread = |name: &String| {
        format!("unread_event_name: --map-event names {name:?}, which no event of the files has")
    };
    warnings.extend(summary.unread_names.iter().map(unread));
    if summary.accepted > 0 {
        warnings.extend(texts::warnings(context.workspace, kind)?);
    }
    if !summary.changed_days.is_empty() {
        let lake = Lake::open(context.workspace)?;
        warnings.extend(odd_days(lake.manifest(), &summary.changed_days, &context.config.health));
        warnings.extend(future_stamps(lake.newest(), context.now));
    }
    Ok(warnings)
}

/// Users who are declared to consent, and whose later opt-out by an event holds.
fn withdrawn(context: &Context<'_>) -> Result<Option<String>, ContextError> {
    let withdrawals = Withdrawals::read(&Lake::open(context.workspace)?, context.now)?;
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
            "consent_withdrawn: users who are declared to consent and opted out by an event: {count}; they get no push until a \
             row says granted with a consent_at after that event"
        )
    }))
}
