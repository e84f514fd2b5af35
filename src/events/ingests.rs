//! The ingests of a workspace: their records, and what is kept so that they can be undone.

use std::fs;
use std::path::{Path, PathBuf};

use super::ingest_record::IngestRecord;
use super::kept_rows;
use super::lake::Lake;
use super::request::{FilesRequest, IngestSummary};
use domain::identity::sha256_hex;
use domain::zone::Zone;
use files::tables::{self, TableError};
use files::workspace::Workspace;

/// End of the name of a table that was kept before an ingest changed it.
const FORMER: &str = ".former.parquet";

/// The record of an ingest that is about to be put in force, without its hashes.
pub(super) fn record_of(lake: &Lake, request: &FilesRequest<'_>, summary: &IngestSummary) -> IngestRecord {
    let mut options = request.renames.options();
    options.extend(request.zone.as_ref().map(|zone| ("time_zone".to_string(), Zone::name(zone).to_string())));
    let mut record = IngestRecord {
        id: String::new(),
        at: request.now,
        kind: request.kind.as_str().to_string(),
        files: request.files.iter().map(|file| file.display().to_string()).collect(),
        options,
        read: summary.read,
        accepted: summary.accepted,
        duplicate: summary.duplicate,
        rejected: summary.rejected,
        sha256: String::new(),
        former_sha256: None,
        keeps_rows: false,
        undone_at: None,
    };
    // Two ingests may be given the same moment and the same file.
    let earlier = lake.manifest().ingests.len();
    let digest = sha256_hex(format!("{earlier} {record:?}").as_bytes());
    record.id = format!("{}-{}", request.now.file_name(), &digest[..8]);
    record
}

pub(super) fn former_path(workspace: &Workspace, id: &str) -> PathBuf {
    workspace.ingests().join(format!("{id}{FORMER}"))
}

/// Keeps a table as it is before an ingest changes it, and returns its sha256; `None` when there is none.
///
/// Tables are replaced by a rename and never written in place, so a second name of the file is enough.
pub(super) fn keep_former(
    workspace: &Workspace,
    table: &Path,
    id: &str,
) -> Result<Option<String>, TableError> {
    if !table.try_exists().map_err(TableError::io(table))? {
        return Ok(None);
    }
    let former = former_path(workspace, id);
    let directory = workspace.ingests();
    fs::create_dir_all(&directory).map_err(TableError::io(&directory))?;
    let _ = fs::remove_file(&former);
    let linked = fs::hard_link(table, &former).or_else(|_| fs::copy(table, &former).map(|_| ()));
    linked.map_err(TableError::io(&former))?;
    tables::sync_all(&[former, directory])?;
    tables::sha256_of_file(table).map(Some)
}

/// The ingests of a kind that the table can be made again from: the last ones, each with its rows; undone ones are among them.
pub(super) fn replayable<'a>(ingests: &'a [IngestRecord], kind: &str) -> Vec<&'a IngestRecord> {
    let of_kind = ingests.iter().rev().filter(|record| record.kind == kind);
    let mut found: Vec<&IngestRecord> = of_kind.take_while(|record| record.keeps_rows).collect();
    found.reverse();
    found
}

/// Is the table of before this ingest needed to undo it or a later one?
fn is_base(ingests: &[IngestRecord], record: &IngestRecord) -> bool {
    match replayable(ingests, &record.kind).first() {
        Some(first) => first.id == record.id,
        None => is_newest(ingests, record),
    }
}

/// Is it in force and the last of its kind?
pub(super) fn is_newest(ingests: &[IngestRecord], record: &IngestRecord) -> bool {
    let newest = ingests.iter().rev().find(|other| other.kind == record.kind);
    record.is_in_force() && newest.is_some_and(|newest| newest.id == record.id)
}

/// Removes what no record needs any more, as well as it can: keys and rows of ingests that were undone, tables that no ingest can
/// be undone with.
pub(super) fn sweep(workspace: &Workspace, ingests: &[IngestRecord]) {
    let is_needed = |name: &str| {
        let of = |id: &str| ingests.iter().find(|record| record.id == id);
        let is_in_force = |id: &str| of(id).is_some_and(IngestRecord::is_in_force);
        if let Some(id) = name.strip_suffix(FORMER) {
            return of(id).is_some_and(|record| is_base(ingests, record));
        }
        let of_ingest = name.strip_suffix(".keys").or_else(|| name.strip_suffix(kept_rows::ENDING));
        of_ingest.is_none_or(is_in_force)
    };
    for entry in fs::read_dir(workspace.ingests()).into_iter().flatten().flatten() {
        if !is_needed(&entry.file_name().to_string_lossy()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Events of the lake that no recorded ingest in force brought: those of before ingests were recorded.
pub fn events_before(lake: &Lake) -> u64 {
    let own = lake.manifest().ingests.iter().filter(|record| record.is_of_events() && record.is_in_force());
    lake.manifest().rows.saturating_sub(own.map(|record| record.accepted).sum())
}
