//! What every operation works with: an open workspace, the settings, the moment, and whom to tell how far it is.

use std::path::{Path, PathBuf};

use config::Config;
use domain::error::{Coded, ErrorKind};
use domain::goal::{Goal, is_goal_name};
use domain::time::{Day, Instant};
use domain::zone::Zone;
use events::lake::{Lake, LakeError};
use files::tables::{self, TableError};
use files::workspace::{Workspace, WorkspaceError, WriteLock};
use profiles::ProfileError;

/// What an operation works with.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The workspace, open.
    pub workspace: &'a Workspace,
    /// The settings.
    pub config: &'a Config,
    /// The moment of the call.
    pub now: Instant,
    /// Whom to tell how far the operation is.
    pub progress: &'a dyn Progress,
}

/// Hears how far an operation is. An implementation never writes to stdout, which belongs to the report.
pub trait Progress: Sync {
    /// The operation now does this.
    fn step(&self, text: &str);

    /// So much of the present step is done, out of a total if it is known.
    fn count(&self, done: u64, total: Option<u64>);

    /// A stage of a long run begins, which is worth a line that stays.
    fn stage(&self, text: &str) {
        self.step(text);
    }

    /// Something is wrong that does not stop the operation.
    fn warn(&self, _text: &str) {}
}

/// Progress that nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn step(&self, _text: &str) {}

    fn count(&self, _done: u64, _total: Option<u64>) {}
}

/// An operation that cannot begin: what it needs of the workspace or of its request is missing or wrong.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// The lake is empty.
    #[error("no_events: the workspace holds no events; `smartpush ingest FILE` brings some")]
    NoEvents,
    /// An export would replace a table of the workspace.
    #[error("bad_out: {}: the workspace keeps its own tables there", .0.display())]
    BadOut(PathBuf),
    /// A moment that cannot be read.
    #[error("bad_moment: {0:?} is neither RFC 3339 (2017-12-01T05:00:00Z) nor a date (2017-12-01)")]
    BadMoment(String),
    /// A goal that no setting declares.
    #[error(
        "unknown_goal: {name:?} is not declared; declared are {} (a goal of your own is a section [goals.{}] in \
         smartpush.toml)",
        .declared.join(", "),
        section_of(.name)
    )]
    UnknownGoal {
        /// The name that was asked for.
        name: String,
        /// The names that there are.
        declared: Vec<String>,
    },
    /// The system's temporary directory cannot be written.
    #[error("not_permitted: {}: {source}", .path.display())]
    NoScratch {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The workspace cannot be used.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// The lake cannot be read.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// Events before the moment, or declarations, cannot be read.
    #[error(transparent)]
    Profiles(#[from] ProfileError),
    /// A file cannot be read or written.
    #[error(transparent)]
    Table(#[from] TableError),
}

/// The name of a goal's section in the settings, as far as this can be one.
fn section_of(name: &str) -> &str {
    if is_goal_name(name) { name } else { "NAME" }
}

impl Coded for ContextError {
    fn code(&self) -> &'static str {
        match self {
            ContextError::NoEvents => "no_events",
            ContextError::BadOut(_) => "bad_out",
            ContextError::BadMoment(_) => "bad_moment",
            ContextError::UnknownGoal { .. } => "unknown_goal",
            ContextError::NoScratch { .. } => "not_permitted",
            ContextError::Workspace(error) => error.code(),
            ContextError::Lake(error) => error.code(),
            ContextError::Profiles(error) => error.code(),
            ContextError::Table(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            ContextError::NoEvents => ErrorKind::Conflict,
            ContextError::BadOut(_) | ContextError::BadMoment(_) | ContextError::NoScratch { .. } => {
                ErrorKind::Caller
            }
            ContextError::UnknownGoal { .. } => ErrorKind::NotFound,
            ContextError::Workspace(error) => error.kind(),
            ContextError::Lake(error) => error.kind(),
            ContextError::Profiles(error) => error.kind(),
            ContextError::Table(error) => error.kind(),
        }
    }
}

impl<'a> Context<'a> {
    /// Takes the writer's lock; another process that holds it is waited for as long as the workspace says.
    pub fn lock(&self) -> Result<WriteLock, ContextError> {
        match self.workspace.try_lock() {
            Err(WorkspaceError::Locked(_)) if self.workspace.is_waiting() => {
                self.progress.stage("waiting for another smartpush that writes here");
                Ok(self.workspace.lock()?)
            }
            result => Ok(result?),
        }
    }

    /// The workspace's lake, which must hold events.
    pub fn lake(&self) -> Result<Lake, ContextError> {
        let lake = Lake::open(self.workspace)?;
        match lake.newest() {
            Some(_) => Ok(lake),
            None => Err(ContextError::NoEvents),
        }
    }

    /// Can an export be written there? Asked before the work, not after it.
    pub fn check_out(&self, out: &Path) -> Result<(), ContextError> {
        tables::check_extension(out)?;
        self.check_free(out)
    }

    /// Does the workspace keep nothing of its own there?
    pub fn check_free(&self, out: &Path) -> Result<(), ContextError> {
        match self.workspace.owns(out) {
            true => Err(ContextError::BadOut(out.to_path_buf())),
            false => Ok(()),
        }
    }

    /// T as it was given, or the default moment of the lake.
    pub fn moment(&self, given: Option<Instant>, lake: &Lake) -> Instant {
        given.unwrap_or_else(|| self.default_moment(lake.newest()))
    }

    /// The T of commands that are given none: 1 µs after the newest event, but never later than now. A stamp from a clock that
    /// is ahead must not move the moment into the future.
    pub fn default_moment(&self, newest: Option<Instant>) -> Instant {
        newest.map_or(self.now, |newest| newest.plus(1).min(self.now))
    }

    /// A declared goal.
    pub fn goal(&self, name: &str) -> Result<&'a Goal, ContextError> {
        self.config.goals.get(name).ok_or_else(|| ContextError::UnknownGoal {
            name: name.to_string(),
            declared: self.config.goals.keys().cloned().collect(),
        })
    }

    /// Identity of a declared table's bytes; empty when there is no such table.
    pub fn table_sha256(&self, name: &str) -> Result<String, TableError> {
        let path = self.workspace.table(name);
        match path.try_exists().map_err(TableError::io(&path))? {
            true => tables::sha256_of_file(&path),
            false => Ok(String::new()),
        }
    }

    /// Passes the counts of the layers below on as progress.
    pub fn counting(&self) -> impl Fn(usize, usize) + Sync + 'a {
        let progress = self.progress;
        move |done, total| progress.count(done as u64, Some(total as u64))
    }
}

/// Reads T: RFC 3339, or a bare date = 00:00 in the default zone.
pub fn parse_moment(config: &Config, text: &str) -> Result<Instant, ContextError> {
    let midnight = |day: Day| Zone::find(&config.default_time_zone).ok()?.instant_of(day.civil().into());
    Instant::parse_rfc3339(text)
        .or_else(|| Day::parse(text).and_then(midnight))
        .ok_or_else(|| ContextError::BadMoment(text.to_string()))
}
