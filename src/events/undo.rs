//! Takes an ingest back: its events leave the lake by one rename of the manifest, a table becomes what the others make.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::days::{DayWithout, write_without};
use super::ingest_keys::{IngestKeys, event_key, keys_path};
use super::ingest_record::IngestRecord;
use super::ingests::sweep;
use super::lake::{Lake, LakeChange, LakeError};
pub use super::table_undo::TableChange;
use super::table_undo::{can_be_undone, table_without};
use domain::error::{Coded, ErrorKind};
use domain::time::{Day, Instant};
use files::tables::TableError;
use files::workspace::Workspace;

/// What was taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoneIngest {
    /// The ingest.
    pub record: IngestRecord,
    /// Events that left the lake; of a table, rows that left it or have other values now.
    pub removed: u64,
    /// Of a table, what has changed in it.
    pub table: Option<TableChange>,
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
    /// The table was changed by a later ingest, and the rows of this one are not kept.
    #[error(
        "not_the_newest: {kind} were ingested again after {id}, of which an older version of smartpush did not keep the rows: \
         ingest the right rows instead, which replace the wrong ones"
    )]
    NotTheNewest {
        /// The id.
        id: String,
        /// The kind of table.
        kind: String,
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
/// Events leave the lake, whichever later ingest repeated them; dead letters stay. A table becomes what the other ingests in force
/// make: a grant of consent that only this ingest gave is gone, and where only this ingest had taken one away, the earlier
/// grant holds again, which [`TableChange`] counts.
///
/// # Errors
/// When the ingest is unknown, undone, or what undoing needs is not kept.
pub fn undo(
    workspace: &Workspace,
    id: &str,
    now: Instant,
    watch: &impl Fn(usize, usize),
) -> Result<UndoneIngest, UndoError> {
    let lake = Lake::open(workspace)?;
    let record = find(workspace, &lake, id)?.clone();
    let mut ingests = lake.manifest().ingests.clone();
    let marked = ingests.iter_mut().filter(|other| other.id == record.id);
    marked.for_each(|record| record.undone_at = Some(now));
    let (removed, table, change) = if record.is_of_events() {
        let (removed, change) = events_without(workspace, &lake, &record, watch)?;
        (removed, None, change)
    } else {
        let table = table_without(workspace, &lake.manifest().ingests, &record)?;
        (table.rows_removed + table.rows_changed, Some(table), LakeChange::default())
    };
    let days = change.files.iter().filter_map(|file| Day::parse(&file.date));
    let mut changed_days: Vec<Day> = days.chain(change.emptied.iter().copied()).collect();
    changed_days.sort_unstable();
    let lake = lake.apply(LakeChange { ingests: Some(ingests), ..change })?;
    sweep(workspace, &lake.manifest().ingests);
    let repeated_by = repeated_by(&lake, &record);
    Ok(UndoneIngest { record, removed, table, changed_days, repeated_by })
}

fn find<'a>(workspace: &Workspace, lake: &'a Lake, id: &str) -> Result<&'a IngestRecord, UndoError> {
    let ingests = &lake.manifest().ingests;
    let can_be_undone = |record: &&IngestRecord| match record.is_of_events() {
        true => record.is_in_force() && keys_path(workspace, &record.id).exists(),
        false => can_be_undone(workspace, ingests, record),
    };
    let in_force = || ingests.iter().rev().filter(can_be_undone).map(|r| r.id.clone()).collect();
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

/// Of a table, later ingests that repeated rows have put them into it again.
fn repeated_by(lake: &Lake, undone: &IngestRecord) -> BTreeMap<String, u64> {
    if !undone.is_of_events() {
        return BTreeMap::new();
    }
    let ingests = lake.manifest().ingests.iter().skip_while(|record| record.id != undone.id).skip(1);
    let later = ingests.filter(|record| record.kind == undone.kind && record.is_in_force());
    later.filter(|record| record.duplicate > 0).map(|record| (record.id.clone(), record.duplicate)).collect()
}
