//! A list of users as a segment.

use std::path::PathBuf;
use std::time::Duration;

use super::save::{ExpectedVersion, NewDefinition, SaveError, SaveReport, SaveRequest, save};
use crate::context::{Context, ContextError};
use crate::scratch::Scratch;
use ::segments::answers::desk::{Desk, DeskError};
use ::segments::language::keys::Needs;
use ::segments::people::{People, PeopleError};
use ::segments::saved::upload::{Upload, read};
use domain::error::{Coded, ErrorKind};
use domain::text::thousands;
use events::formats::{InputError, Limits};
use profiles::table::ProfileFile;

/// Which list, and as what.
#[derive(Clone, Debug)]
pub struct UploadRequest {
    /// The id of the segment.
    pub id: String,
    /// A file with a column user_id: CSV, JSON lines or Parquet, also gzipped.
    pub file: PathBuf,
    /// What it is for; without one the former stays.
    pub description: Option<String>,
}

/// A list that was saved.
#[derive(Clone, Debug)]
pub struct UploadReport {
    /// The segment.
    pub saved: SaveReport,
    /// The records of the file: read = members + duplicate + unknown.
    pub upload: Upload,
}

/// A list that was not saved.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// No user on the list has a profile.
    #[error("nobody_known: {}: none of {} records names a user with a profile", .file.display(), thousands(*.read))]
    NobodyKnown {
        /// The file.
        file: PathBuf,
        /// Records in it.
        read: u64,
    },
    /// The file cannot be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The segment cannot be saved, or people cannot be read.
    #[error(transparent)]
    Save(#[from] SaveError),
}

impl From<ContextError> for UploadError {
    fn from(error: ContextError) -> UploadError {
        SaveError::from(error).into()
    }
}

impl From<DeskError> for UploadError {
    fn from(error: DeskError) -> UploadError {
        SaveError::from(error).into()
    }
}

impl From<PeopleError> for UploadError {
    fn from(error: PeopleError) -> UploadError {
        DeskError::from(error).into()
    }
}

impl Coded for UploadError {
    fn code(&self) -> &'static str {
        match self {
            UploadError::NobodyKnown { .. } => "nobody_known",
            UploadError::Input(error) => error.code(),
            UploadError::Save(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            UploadError::NobodyKnown { .. } => ErrorKind::Caller,
            UploadError::Input(error) => error.kind(),
            UploadError::Save(error) => error.kind(),
        }
    }
}

/// Saves those on the list who have a profile; uploading again makes a new version.
///
/// # Errors
/// When the file cannot be read, no user on it has a profile, or the segment cannot be saved.
pub fn upload(context: &Context<'_>, request: &UploadRequest) -> Result<UploadReport, UploadError> {
    let desk = Desk::open(context.workspace, context.config)?;
    let as_of = ProfileFile::find(context.workspace, None).map_err(DeskError::from)?.as_of;
    let people = People::read(context.workspace, Some(as_of), &Needs::default(), &desk.zone)?;
    let upload = read_list(context, &request.file, &people)?;
    if upload.members.is_empty() {
        return Err(UploadError::NobodyKnown { file: request.file.clone(), read: upload.read });
    }
    let saved = save(
        context,
        &SaveRequest {
            id: request.id.clone(),
            definition: NewDefinition::List(upload.members.iter().cloned().collect()),
            description: request.description.clone(),
            expected: ExpectedVersion::Anything,
            patience: Duration::ZERO,
        },
    )?;
    Ok(UploadReport { saved, upload })
}

/// The users of a list, by whether they are among the people.
pub(super) fn read_list(
    context: &Context<'_>,
    file: &std::path::Path,
    people: &People,
) -> Result<Upload, UploadError> {
    let ingest = &context.config.ingest;
    let limits = Limits { chunk_rows: ingest.chunk_rows, record_bytes: ingest.max_record_bytes };
    let scratch = Scratch::make()?;
    Ok(read(file, limits, &scratch.0, |id| people.row_of(id).is_some())?)
}
