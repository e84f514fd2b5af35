//! What is asked of an ingest, and what came of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use polars::prelude::DataFrame;

use super::dead_letters::Reasons;
use super::event_names::NameCounts;
use super::formats::{Format, InputError};
use super::ingest_keys::IngestKeys;
use super::lake::{Lake, LakeError, LakeFile};
use super::mapping::Renames;
use super::notes::{CellNotes, ConsentChanges};
use super::shifted::ShiftedRepeats;
use super::staging::RecordVerdicts;
use domain::error::{Coded, ErrorKind};
use domain::rejection::{Rejection, RejectionCode};
use domain::time::{Day, Instant};
use domain::zone::Zone;
use files::tables::TableError;

/// What the files hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// Things that happened; they go to the lake.
    Events,
    /// People.
    Users,
    /// What can be pushed.
    Contents,
    /// Plans to push.
    Campaigns,
}

/// How to read the files.
#[derive(Clone, Debug)]
pub struct FilesRequest<'a> {
    /// The files, in order.
    pub files: &'a [PathBuf],
    /// What they hold.
    pub kind: InputKind,
    /// Their format; without one, each file's name or first bytes tell.
    pub format: Option<Format>,
    /// Their columns, constants, header and names of events: `--map`, `--set`, `--header`, `--map-event`, `--preset`.
    pub renames: Renames,
    /// How to read naive stamps.
    pub zone: Option<Zone>,
    /// The moment of the call.
    pub now: Instant,
}

/// What came of an ingest. `read = accepted + duplicate + rejected`, always.
#[derive(Debug, Default)]
pub struct IngestSummary {
    /// Records in the files that were taken.
    pub read: u64,
    /// New to the workspace.
    pub accepted: u64,
    /// Known already.
    pub duplicate: u64,
    /// Not taken; each is a dead letter.
    pub rejected: u64,
    /// Rejected records by reason.
    pub reasons: Reasons,
    /// The first rejected record of each reason: file, line and what was wrong.
    pub examples: BTreeMap<&'static str, String>,
    /// Files of which nothing was kept.
    pub refused: Vec<InputError>,
    /// Where the dead letters lie.
    pub dead_letters: Option<PathBuf>,
    /// Columns that became properties or attributes.
    pub other_columns: BTreeSet<String>,
    /// Columns whose names are ours but for case and separators, and the column of ours that each was read as.
    pub understood_columns: BTreeSet<(String, &'static str)>,
    /// Names of the events that were read, with counts.
    pub event_names: NameCounts,
    /// Names that `--map-event` maps and no event has.
    pub unread_names: Vec<String>,
    /// Names of ours that `--map-event` and the settings give, and the standard names that were probably meant.
    pub misspelt_names: Vec<(String, &'static str)>,
    /// Days of the lake that gained an event, in order.
    pub changed_days: Vec<Day>,
    /// Cells of accepted records that something is odd about.
    pub notes: CellNotes,
    /// Line and key of rejected records of users whose fields cannot be told apart or read.
    pub(super) torn: Vec<(u64, String)>,
    /// Users whose consent changed in a way that somebody may not have meant.
    pub consents: ConsentChanges,
    /// The id under which the ingest can be undone; `None` when it brought nothing.
    pub ingest_id: Option<String>,
    /// New events that repeat others of the same user, name and content at another hour.
    pub shifted: Option<ShiftedRepeats>,
    /// Records with a known message_id that differ from the first only by their hour.
    pub shifted_conflicts: Option<ShiftedRepeats>,
    /// New events without an id of their own that share user and moment with old ones and differ in part; when most do.
    pub same_moment: Option<u64>,
    /// Files of which every record was rejected.
    pub wholly_rejected: Vec<String>,
}

/// An ingest that stopped; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// The file system or a table of ours.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The lake.
    #[error(transparent)]
    Lake(#[from] LakeError),
}

impl Coded for FilesError {
    fn code(&self) -> &'static str {
        match self {
            FilesError::Table(error) => error.code(),
            FilesError::Lake(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            FilesError::Table(error) => error.kind(),
            FilesError::Lake(error) => error.kind(),
        }
    }
}

/// Where a long ingest stands.
#[derive(Clone, Copy, Debug)]
pub enum IngestStage<'a> {
    /// Reading a file.
    Reading {
        /// The file.
        file: &'a Path,
        /// Bytes read.
        bytes: u64,
        /// Bytes in it.
        total: u64,
    },
    /// Comparing with the ids of the lake.
    Comparing,
    /// Writing the days that changed.
    Writing {
        /// Days written.
        done: usize,
        /// Days to write.
        total: usize,
    },
}

/// What an ingest will change, written or ready to be, and not yet in force.
pub(super) enum PendingChange {
    Nothing,
    Days(Lake, Vec<LakeFile>, IngestKeys),
    /// The table, its new rows, and the file of what the ingest said.
    Table(PathBuf, DataFrame, PathBuf),
}

impl InputKind {
    /// The word on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            InputKind::Events => "events",
            InputKind::Users => "users",
            InputKind::Contents => "contents",
            InputKind::Campaigns => "campaigns",
        }
    }

    /// The kind of such a word.
    pub(super) fn of_word(word: &str) -> Option<InputKind> {
        let all = [InputKind::Events, InputKind::Users, InputKind::Contents, InputKind::Campaigns];
        all.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl IngestSummary {
    /// Counts a rejected record.
    pub fn reject(&mut self, rejection: &Rejection, file: &str, line: u64) {
        self.rejected += 1;
        let code = rejection.code.as_str();
        *self.reasons.entry(code).or_default() += 1;
        self.examples.entry(code).or_insert_with(|| format!("{file}:{line}: {}", rejection.detail));
    }

    /// Records that were rejected because of what is wrong with them: a user who was erased is no defect of a file.
    pub fn defective(&self) -> u64 {
        let erased = self.reasons.get(RejectionCode::ErasedUser.as_str()).copied().unwrap_or_default();
        self.rejected - erased
    }

    /// Adds another file's counts.
    pub fn add(&mut self, other: IngestSummary) {
        self.read += other.read;
        self.accepted += other.accepted;
        self.duplicate += other.duplicate;
        self.rejected += other.rejected;
        for (reason, count) in other.reasons {
            *self.reasons.entry(reason).or_default() += count;
        }
        for (reason, example) in other.examples {
            self.examples.entry(reason).or_insert(example);
        }
        self.other_columns.extend(other.other_columns);
        self.understood_columns.extend(other.understood_columns);
        self.wholly_rejected.extend(other.wholly_rejected);
        self.event_names.merge(other.event_names);
    }

    /// Everything read and not rejected so far was staged; the verdicts say what became of it.
    pub(super) fn count_verdicts(&mut self, verdicts: &RecordVerdicts) {
        let staged = self.read - self.rejected;
        self.duplicate = verdicts.duplicate;
        self.accepted = staged - verdicts.duplicate - verdicts.conflicting;
        self.rejected += verdicts.conflicting;
        if verdicts.conflicting > 0 {
            self.reasons.insert(RejectionCode::MessageIdConflict.as_str(), verdicts.conflicting);
        }
    }
}
