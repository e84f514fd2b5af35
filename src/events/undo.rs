//! Takes an ingest back: its events leave the lake by one rename of the manifest, a table becomes what it was before.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::days::{DayWithout, write_without};
use super::ingest_keys::{IngestKeys, event_key, keys_path};
use super::ingest_record::IngestRecord;
use super::ingests::{former_path, sweep};
use super::lake::{Lake, LakeChange, LakeError};
use domain::error::{Coded, ErrorKind};
use domain::time::{Day, Instant};
use files::tables::{self, TableError};
use files::workspace::Workspace;

/// What was taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoneIngest {
    /// The ingest.
    pub record: IngestRecord,
    /// Events that left the lake; of a table, rows that the ingest had added or changed.
    pub removed: u64,
    /// Days of the lake that changed, in order.
    pub changed_days: Vec<Day>,
    /// Later ingests of the same kind that are in force and found records known before: they may have repeated these.
    pub repeated_by: BTreeMap<String, u64>,
}

/// An ingest that cannot be taken back; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    /// There is none of this id.
    #[error("unknown_ingest: there is no ingest {id:?}{}", those_in_force(.in_force))]
    Unknown {
        /// The id.
        id: String,
        /// Ingests that can be undone, newest first.
        in_force: Vec<String>,
    },
    /// It was taken back before.
    #[error("already_undone: ingest {id} was undone at {at}{}", those_in_force(.in_force))]
    AlreadyUndone {
        /// The id.
        id: String,
        /// When.
        at: String,
        /// Ingests that can be undone, newest first.
        in_force: Vec<String>,
    },
    /// The table was changed by a later ingest.
    #[error(
        "not_the_newest: {kind} were ingested again after {id}, and only the table before the newest ingest is kept: undo \
         {newest} first, or ingest the right rows, which replace the wrong ones"
    )]
    NotTheNewest {
        /// The id.
        id: String,
        /// The kind of table.
        kind: String,
        /// The newest ingest of this kind.
        newest: String,
    },
    /// What undoing needs is not there, or not as it was.
    #[error("cannot_undo: {}: {detail}; ingest the right rows instead, which replace the wrong ones", .path.display())]
    Changed {
        /// The table or file.
        path: PathBuf,
        /// What is different.
        detail: &'static str,
    },
    /// The lake cannot be read or written.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// A file cannot be read or written.
    #[error(transparent)]
    Table(#[from] TableError),
}

fn those_in_force(ids: &[String]) -> String {
    match ids.is_empty() {
        true => "; no ingest can be undone".to_string(),
        false => format!("; ingests that can be undone: {}", ids.join(", ")),
    }
}

impl Coded for UndoError {
    fn code(&self) -> &'static str {
        match self {
            UndoError::Unknown { .. } => "unknown_ingest",
            UndoError::AlreadyUndone { .. } => "already_undone",
            UndoError::NotTheNewest { .. } => "not_the_newest",
            UndoError::Changed { .. } => "cannot_undo",
            UndoError::Lake(error) => error.code(),
            UndoError::Table(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            UndoError::Unknown { .. } => ErrorKind::NotFound,
            UndoError::AlreadyUndone { .. } | UndoError::NotTheNewest { .. } | UndoError::Changed { .. } => {
                ErrorKind::Conflict
            }
            UndoError::Lake(error) => error.kind(),
            UndoError::Table(error) => error.kind(),
        }
    }
}

/// Takes an ingest back. The caller holds the workspace's lock.
///
/// Events leave the lake, whichever later ingest repeated them; dead letters stay. A table becomes what it was before its newest
/// ingest.
///
/// # Errors
/// When the ingest is unknown, undone, or older than a later one of its table.
pub fn undo(
    workspace: &Workspace,
    id: &str,
    now: Instant,
    watch: &impl Fn(usize, usize),
) -> Result<UndoneIngest, UndoError> {
    let lake = Lake::open(workspace)?;
    let record = find(&lake, id)?.clone();
    let mut ingests = lake.manifest().ingests.clone();
    let marked = ingests.iter_mut().filter(|other| other.id == record.id);
    marked.for_each(|record| record.undone_at = Some(now));
    let (removed, change) = if record.is_of_events() {
        events_without(workspace, &lake, &record, watch)?
    } else {
        restore(workspace, &lake, &record)?;
        (record.accepted, LakeChange::default())
    };
    let days = change.files.iter().filter_map(|file| Day::parse(&file.date));
    let mut changed_days: Vec<Day> = days.chain(change.emptied.iter().copied()).collect();
    changed_days.sort_unstable();
    let lake = lake.apply(LakeChange { ingests: Some(ingests), ..change })?;
    sweep(workspace, &lake.manifest().ingests);
    let repeated_by = repeated_by(&lake, &record);
    Ok(UndoneIngest { record, removed, changed_days, repeated_by })
}

fn find<'a>(lake: &'a Lake, id: &str) -> Result<&'a IngestRecord, UndoError> {
    let ingests = &lake.manifest().ingests;
    let in_force = || ingests.iter().rev().filter(|r| r.is_in_force()).map(|r| r.id.clone()).collect();
    let found = ingests.iter().find(|record| record.id == id);
    let record = found.ok_or_else(|| UndoError::Unknown { id: id.to_string(), in_force: in_force() })?;
    match record.undone_at {
        None => Ok(record),
        Some(at) => {
            Err(UndoError::AlreadyUndone { id: id.to_string(), at: at.to_string(), in_force: in_force() })
        }
    }
}

/// The days of the lake without an ingest's events.
fn events_without(
    workspace: &Workspace,
    lake: &Lake,
    record: &IngestRecord,
    watch: &impl Fn(usize, usize),
) -> Result<(u64, LakeChange), UndoError> {
    let changed = || UndoError::Changed {
        path: keys_path(workspace, &record.id),
        detail: "the list of the ingest's events is not as it was written",
    };
    let keys = IngestKeys::read(workspace, record)?.ok_or_else(changed)?;
    let (mut removed, mut change) = (0, LakeChange::default());
    let days: Vec<_> = keys.days().collect();
    for (done, (day, keys)) in days.iter().enumerate() {
        watch(done, days.len());
        let Some(file) = lake.file_of(*day) else { continue };
        match write_without(lake, file, |event| keys.contains(&event_key(&event.message_id)))? {
            DayWithout::Unchanged => {}
            DayWithout::Emptied(count) => {
                removed += count;
                change.emptied.push(*day);
            }
            DayWithout::Rewritten(file, count) => {
                removed += count;
                change.files.push(file);
            }
        }
    }
    Ok((removed, change))
}

/// Puts back the table that was there before its newest ingest.
fn restore(workspace: &Workspace, lake: &Lake, record: &IngestRecord) -> Result<(), UndoError> {
    let of_kind = |other: &&IngestRecord| other.kind == record.kind && other.is_in_force();
    if let Some(newest) = lake.manifest().ingests.iter().rev().find(of_kind)
        && newest.id != record.id
    {
        let (id, kind) = (record.id.clone(), record.kind.clone());
        return Err(UndoError::NotTheNewest { id, kind, newest: newest.id.clone() });
    }
    let table = workspace.table(&record.kind);
    let present = sha256_of(&table)?;
    // A run that was cut off after the table was put back has only the record left to mark.
    if present == record.former_sha256 {
        return Ok(());
    }
    if present.as_ref() != Some(&record.sha256) {
        return Err(UndoError::Changed { path: table, detail: "the table has changed since the ingest" });
    }
    let Some(former_sha256) = &record.former_sha256 else {
        fs::remove_file(&table).map_err(TableError::io(&table))?;
        return Ok(tables::sync_directory(&workspace.data())?);
    };
    let former = former_path(workspace, &record.id);
    if sha256_of(&former)?.as_ref() != Some(former_sha256) {
        return Err(UndoError::Changed {
            path: former,
            detail: "the table of before the ingest is not kept any more",
        });
    }
    let bytes = fs::read(&former).map_err(TableError::io(&former))?;
    tables::write_atomically(&table, |file| file.write_all(&bytes))?;
    Ok(tables::sync_directory(&workspace.data())?)
}

fn sha256_of(path: &Path) -> Result<Option<String>, TableError> {
    match path.try_exists().map_err(TableError::io(path))? {
        true => tables::sha256_of_file(path).map(Some),
        false => Ok(None),
    }
}

fn repeated_by(lake: &Lake, undone: &IngestRecord) -> BTreeMap<String, u64> {
    let ingests = lake.manifest().ingests.iter().skip_while(|record| record.id != undone.id).skip(1);
    let later = ingests.filter(|record| record.kind == undone.kind && record.is_in_force());
    later.filter(|record| record.duplicate > 0).map(|record| (record.id.clone(), record.duplicate)).collect()
}
