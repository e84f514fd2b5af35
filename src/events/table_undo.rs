//! Undoes an ingest of users, contents or campaigns: the table is made again from what the other ingests said.

use std::fs;
use std::path::Path;

use super::columns::columns_of;
use super::consents::ConsentColumns;
use super::ingest_record::IngestRecord;
use super::ingests::{former_path, is_newest, replayable};
use super::kept_rows::{read_each, rows_path};
use super::notes::ConsentChanges;
use super::request::InputKind;
use super::undo::UndoError;
use super::upsert_table::{RowsByKey, UpsertTable, frame_of, read_rows};
use files::tables::{self, TableError};
use files::workspace::Workspace;

/// What undoing an ingest has changed in its table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableChange {
    /// Rows that only this ingest had brought.
    pub rows_removed: u64,
    /// Rows that have other values now.
    pub rows_changed: u64,
    /// Rows of the table now.
    pub rows_left: u64,
    /// Users whose grant of consent is gone with the ingest.
    pub grants_removed: u64,
    /// Users who are granted again: this ingest had taken the grant of an earlier one away.
    pub grants_restored: u64,
}

impl TableChange {
    fn between(kind: InputKind, before: &RowsByKey, after: &RowsByKey) -> TableChange {
        let consent = ConsentColumns::of(columns_of(kind));
        let is_granted = |rows: &RowsByKey, key: &String| {
            consent.zip(rows.get(key)).is_some_and(|(consent, row)| consent.is_granted(row))
        };
        let mut change = TableChange { rows_left: after.len() as u64, ..TableChange::default() };
        for (key, row) in before {
            match after.get(key) {
                None => change.rows_removed += 1,
                Some(other) if other != row => change.rows_changed += 1,
                Some(_) => {}
            }
            match (is_granted(before, key), is_granted(after, key)) {
                (true, false) => change.grants_removed += 1,
                (false, true) => change.grants_restored += 1,
                _ => {}
            }
        }
        // The table of before an ingest of an older version may have rows that were removed since.
        let restored = after.keys().filter(|key| !before.contains_key(*key) && is_granted(after, key));
        change.grants_restored += restored.count() as u64;
        change
    }
}

/// Can it be undone, as far as the records tell?
pub(super) fn can_be_undone(workspace: &Workspace, ingests: &[IngestRecord], record: &IngestRecord) -> bool {
    if !record.is_in_force() {
        return false;
    }
    let chain = replayable(ingests, &record.kind);
    match chain.iter().any(|other| other.id == record.id) {
        true => rows_path(workspace, &record.id).exists() && has_former(workspace, chain[0]),
        false => is_newest(ingests, record) && has_former(workspace, record),
    }
}

fn has_former(workspace: &Workspace, record: &IngestRecord) -> bool {
    record.former_sha256.is_none() || former_path(workspace, &record.id).exists()
}

/// Writes the table that the other ingests make.
pub(super) fn table_without(
    workspace: &Workspace,
    ingests: &[IngestRecord],
    record: &IngestRecord,
) -> Result<TableChange, UndoError> {
    let kind = InputKind::of_word(&record.kind).unwrap_or(InputKind::Users);
    let chain = replayable(ingests, &record.kind);
    if chain.iter().any(|other| other.id == record.id) {
        return replay_without(workspace, kind, &chain, record);
    }
    if !is_newest(ingests, record) {
        let (id, kind) = (record.id.clone(), record.kind.clone());
        return Err(UndoError::NotTheNewest { id, kind });
    }
    restore(workspace, kind, record)
}

/// Puts the other ingests' rows over the table of before the first of them, in order.
fn replay_without(
    workspace: &Workspace,
    kind: InputKind,
    chain: &[&IngestRecord],
    record: &IngestRecord,
) -> Result<TableChange, UndoError> {
    let table = workspace.table(&record.kind);
    let base = former_rows(workspace, kind, chain[0])?;
    let in_force: Vec<&IngestRecord> = chain.iter().copied().filter(|one| one.is_in_force()).collect();
    let before = replayed(workspace, kind, base.clone(), &in_force)?;
    let others: Vec<&IngestRecord> = in_force.iter().copied().filter(|one| one.id != record.id).collect();
    let after = replayed(workspace, kind, base, &others)?;
    let present = read_rows(&table, columns_of(kind))?;
    // A run that was cut off after the table was written has only the record left to mark.
    if present != before && present != after {
        return Err(UndoError::Changed {
            path: table,
            detail: "the table is not what the ingests in force make, so that undoing one would lose what else has changed it",
        });
    }
    let change = TableChange::between(kind, &before, &after);
    match after.is_empty() && chain[0].former_sha256.is_none() {
        true => remove(workspace, &table)?,
        false => {
            let mut frame = frame_of(&after, columns_of(kind)).map_err(TableError::parquet(&table))?;
            tables::write_parquet(&table, &mut frame)?;
            tables::sync_directory(&workspace.data())?;
        }
    }
    Ok(change)
}

/// The rows of the table before an ingest.
fn former_rows(
    workspace: &Workspace,
    kind: InputKind,
    record: &IngestRecord,
) -> Result<RowsByKey, UndoError> {
    let former = former_path(workspace, &record.id);
    if record.former_sha256.is_some() && !former.exists() {
        return Err(former_is_gone(&former));
    }
    Ok(if record.former_sha256.is_some() { read_rows(&former, columns_of(kind))? } else { RowsByKey::new() })
}

fn former_is_gone(path: &Path) -> UndoError {
    let detail = "the table of before the ingest is not kept any more";
    UndoError::Changed { path: path.to_path_buf(), detail }
}

fn replayed(
    workspace: &Workspace,
    kind: InputKind,
    rows: RowsByKey,
    ingests: &[&IngestRecord],
) -> Result<RowsByKey, UndoError> {
    let columns = columns_of(kind);
    let consent = ConsentColumns::of(columns);
    let (mut changes, mut table) = (ConsentChanges::default(), rows);
    for record in ingests {
        let path = rows_path(workspace, &record.id);
        let mut over = UpsertTable { rows: table, consent, now: record.at };
        let is_whole = read_each(&path, |mut row| match row.is_torn {
            true => drop(over.tear(&row.key, &mut changes)),
            false => {
                let patch = row.patch(columns);
                over.apply(row.key, patch, &mut changes);
            }
        })?;
        if !is_whole {
            return Err(UndoError::Changed {
                path,
                detail: "the rows of the ingest are not kept as they were written",
            });
        }
        table = over.rows;
    }
    Ok(table)
}

/// Puts back the table of before the newest ingest, whose rows an older version did not keep.
fn restore(workspace: &Workspace, kind: InputKind, record: &IngestRecord) -> Result<TableChange, UndoError> {
    let table = workspace.table(&record.kind);
    let before = read_rows(&table, columns_of(kind))?;
    let present = sha256_of(&table)?;
    // A run that was cut off after the table was put back has only the record left to mark.
    if present == record.former_sha256 {
        return Ok(TableChange { rows_left: before.len() as u64, ..TableChange::default() });
    }
    if present.as_ref() != Some(&record.sha256) {
        return Err(UndoError::Changed { path: table, detail: "the table has changed since the ingest" });
    }
    let Some(former_sha256) = &record.former_sha256 else {
        remove(workspace, &table)?;
        return Ok(TableChange::between(kind, &before, &RowsByKey::new()));
    };
    let former = former_path(workspace, &record.id);
    if sha256_of(&former)?.as_ref() != Some(former_sha256) {
        return Err(former_is_gone(&former));
    }
    let after = read_rows(&former, columns_of(kind))?;
    let bytes = fs::read(&former).map_err(TableError::io(&former))?;
    tables::write_atomically(&table, |file| file.write_all(&bytes))?;
    tables::sync_directory(&workspace.data())?;
    Ok(TableChange::between(kind, &before, &after))
}

fn remove(workspace: &Workspace, table: &Path) -> Result<(), TableError> {
    if table.exists() {
        fs::remove_file(table).map_err(TableError::io(table))?;
    }
    tables::sync_directory(&workspace.data())
}

fn sha256_of(path: &Path) -> Result<Option<String>, TableError> {
    match path.try_exists().map_err(TableError::io(path))? {
        true => tables::sha256_of_file(path).map(Some),
        false => Ok(None),
    }
}
