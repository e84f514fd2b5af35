//! Saves a segment as its current version. The writer's lock is taken before the present version is read, so that the
//! versions of two writers both stay in the history.

use std::time::Duration;

use super::{ReaderChoice, WrittenError, WrittenSegment};
use crate::context::{Context, ContextError};
use ::segments::answers::desk::{Desk, DeskError};
use ::segments::answers::privacy::PrivacyError;
use ::segments::language::expression::Expression;
use ::segments::language::fields::AttributeTypes;
use ::segments::language::keys::needs;
use ::segments::saved::versions::{self as saved, Card, SavedError, Segment, present_card};
use domain::error::{Coded, ErrorKind};
use files::workspace::{WorkspaceError, WriteLock};
use profiles::table::ProfileFile;

/// Between two attempts to take the lock.
const PAUSE: Duration = Duration::from_millis(50);

/// What to save.
#[derive(Clone, Debug)]
pub struct SaveRequest {
    /// Under which id.
    pub id: String,
    /// What it is to say.
    pub definition: NewDefinition,
    /// What it is for; without one the former stays.
    pub description: Option<String>,
    /// Which version it is to replace.
    pub expected: ExpectedVersion,
    /// How long another writer is waited for.
    pub patience: Duration,
}

/// What a segment is to say.
#[derive(Clone, Debug)]
pub enum NewDefinition {
    /// A text or a tree, with the reader who must be allowed to ask it.
    Written(WrittenSegment, ReaderChoice),
    /// Ids, sorted, each once.
    List(Vec<String>),
}

/// Which version a change means to replace, as `If-Match` says it (RFC 9110).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ExpectedVersion {
    /// Whatever there is.
    #[default]
    Anything,
    /// None.
    Nothing,
    /// Some version.
    Some,
    /// One of these.
    OneOf(Vec<String>),
}

/// What a save came to.
#[derive(Clone, Debug)]
pub struct SaveReport {
    /// The segment as it counts now.
    pub segment: Segment,
    /// Did that change anything?
    pub is_changed: bool,
    /// Was it not there, or not in use?
    pub is_new: bool,
}

/// A change of a segment that was not made.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The text or tree is not a valid segment.
    #[error(transparent)]
    Written(#[from] WrittenError),
    /// Another version is current than the one that was to be replaced.
    #[error("precondition_failed: {}", current(.0.as_deref()))]
    Unexpected(Option<String>),
    /// The segment cannot be read or written, or the reader may not ask this.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// The workspace cannot be used, or another process writes.
    #[error(transparent)]
    Context(#[from] ContextError),
}

/// Says which version is current.
pub fn current(version: Option<&str>) -> String {
    version.map_or("there is none".to_string(), |version| format!("current is {version:?}"))
}

impl From<SavedError> for SaveError {
    fn from(error: SavedError) -> SaveError {
        DeskError::from(error).into()
    }
}

impl From<PrivacyError> for SaveError {
    fn from(error: PrivacyError) -> SaveError {
        DeskError::from(error).into()
    }
}

impl Coded for SaveError {
    fn code(&self) -> &'static str {
        match self {
            SaveError::Written(error) => error.code(),
            SaveError::Unexpected(_) => "precondition_failed",
            SaveError::Desk(error) => error.code(),
            SaveError::Context(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            SaveError::Written(error) => error.kind(),
            SaveError::Unexpected(_) => ErrorKind::Conflict,
            SaveError::Desk(error) => error.kind(),
            SaveError::Context(error) => error.kind(),
        }
    }
}

impl ExpectedVersion {
    /// Is this the version that was to be replaced?
    ///
    /// # Errors
    /// Names the version that is.
    pub fn check(&self, present: Option<&Card>) -> Result<(), SaveError> {
        let is_expected = match (self, present) {
            (ExpectedVersion::Anything, _)
            | (ExpectedVersion::Some, Some(_))
            | (ExpectedVersion::Nothing, None) => true,
            (ExpectedVersion::Nothing, Some(_)) => false,
            (ExpectedVersion::OneOf(versions), Some(card)) => versions.contains(&card.version),
            (_, None) => false,
        };
        let version = || present.map(|card| card.version.clone());
        if is_expected { Ok(()) } else { Err(SaveError::Unexpected(version())) }
    }
}

/// Saves a segment; saving the same again changes nothing.
///
/// # Errors
/// When another version is current than the one expected, the segment is invalid, or another process writes.
pub fn save(context: &Context<'_>, request: &SaveRequest) -> Result<SaveReport, SaveError> {
    let SaveRequest { id, definition, description, expected, patience } = request;
    saved::check_id(id)?;
    let lock = lock_within(context, *patience)?;
    let (workspace, now, description) = (context.workspace, context.now, description.as_deref());
    let present = present_card(workspace, id, &lock)?.filter(|card| card.deleted_at.is_none());
    expected.check(present.as_ref())?;
    let (segment, is_changed) = match definition {
        NewDefinition::Written(written, reader) => {
            let (expression, types) = compiled(context, id, written, *reader)?;
            saved::save(workspace, id, (&expression, types), description, now, &lock)?
        }
        NewDefinition::List(members) => saved::save_list(workspace, id, members, description, now, &lock)?,
    };
    Ok(SaveReport { segment, is_changed, is_new: present.is_none() })
}

/// The expression with the types of its attributes, which names no segment that is not there and closes no circle of them.
fn compiled(
    context: &Context<'_>,
    id: &str,
    written: &WrittenSegment,
    reader: ReaderChoice,
) -> Result<(Expression, AttributeTypes), SaveError> {
    let desk = Desk::open(context.workspace, context.config)?;
    // A segment may be written down before there are profiles.
    let profiles = ProfileFile::find_until(context.workspace, context.now);
    let as_of = profiles.map_or(context.now, |file| file.as_of);
    let (expression, predicate) = written.compile(&desk, as_of, Some(id))?;
    reader.reader(&desk).check_question(&needs(&predicate))?;
    let types = desk.catalogue.attributes_in(&expression);
    Ok((expression, types))
}

/// The writer's lock; another writer is waited for.
pub(super) fn lock_within(context: &Context<'_>, patience: Duration) -> Result<WriteLock, ContextError> {
    let mut waited = Duration::ZERO;
    loop {
        match context.lock() {
            Err(ContextError::Workspace(WorkspaceError::Locked(_))) if waited < patience => {
                std::thread::sleep(PAUSE);
                waited += PAUSE;
            }
            result => return result,
        }
    }
}
