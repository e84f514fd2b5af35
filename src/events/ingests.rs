//! What each ingest brought: its record in the lake's manifest, and the keys of its events in a file beside the lake.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::lake::{Lake, LakeError};
use super::request::{FilesRequest, IngestSummary, InputKind};
use domain::identity::{key_of, sha256_hex};
use domain::time::{Day, Instant};
use domain::zone::Zone;
use files::tables::{self, TableError};
use files::workspace::Workspace;

/// First bytes of a file of keys, with its version.
const MAGIC: &[u8; 8] = b"spkeys01";

/// End of the name of a table that was kept before an ingest changed it.
const FORMER: &str = ".former.parquet";

/// One ingest that brought something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IngestRecord {
    /// The moment and a digest: `20171201T050000.000000Z-1a2b3c4d`.
    pub id: String,
    /// When it ran.
    pub at: Instant,
    /// What the files held: `events`, `users`, `contents` or `campaigns`.
    pub kind: String,
    /// The files.
    pub files: Vec<String>,
    /// How they were read, as on the command line: `time_zone`, `map`.
    pub options: BTreeMap<String, String>,
    /// Records in the files.
    pub read: u64,
    /// New to the workspace.
    pub accepted: u64,
    /// Known before.
    pub duplicate: u64,
    /// Not taken.
    pub rejected: u64,
    /// Of the file that undoing needs: the keys of the events, or the table that the ingest wrote.
    pub sha256: String,
    /// Of the table before the ingest; `None` of events, and when there was no table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former_sha256: Option<String>,
    /// When it was undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undone_at: Option<Instant>,
}

impl IngestRecord {
    /// The record of an ingest that is about to be put in force, without its hashes.
    pub(super) fn of(lake: &Lake, request: &FilesRequest<'_>, summary: &IngestSummary) -> IngestRecord {
        let mut options = BTreeMap::new();
        options.extend(
            request.zone.as_ref().map(|zone| ("time_zone".to_string(), Zone::name(zone).to_string())),
        );
        let map = request.renames.to_text();
        options.extend((!map.is_empty()).then(|| ("map".to_string(), map)));
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
            undone_at: None,
        };
        // Two ingests may be given the same moment and the same file.
        let earlier = lake.manifest().ingests.len();
        let digest = sha256_hex(format!("{earlier} {record:?}").as_bytes());
        record.id = format!("{}-{}", request.now.file_name(), &digest[..8]);
        record
    }

    /// Does it still count?
    pub fn is_in_force(&self) -> bool {
        self.undone_at.is_none()
    }

    /// Did it bring events?
    pub fn is_of_events(&self) -> bool {
        self.kind == InputKind::Events.as_str()
    }
}

/// The keys of the events that an ingest brought, by day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IngestKeys {
    days: BTreeMap<Day, Vec<u64>>,
}

/// The key of an event: of two million events on one day, two share one with a chance of 1 to ten million.
pub(super) fn event_key(message_id: &str) -> u64 {
    key_of(message_id) as u64
}

impl IngestKeys {
    pub(super) fn add_day(&mut self, day: Day, keys: Vec<u64>) {
        if !keys.is_empty() {
            self.days.insert(day, keys);
        }
    }

    /// The days with their keys.
    pub(super) fn days(&self) -> impl Iterator<Item = (Day, HashSet<u64>)> {
        self.days.iter().map(|(day, keys)| (*day, keys.iter().copied().collect()))
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for (day, keys) in &self.days {
            bytes.extend_from_slice(&day.0.to_le_bytes());
            bytes.extend_from_slice(&(keys.len() as u32).to_le_bytes());
            keys.iter().for_each(|key| bytes.extend_from_slice(&key.to_le_bytes()));
        }
        bytes
    }

    fn parse(bytes: &[u8]) -> Option<IngestKeys> {
        let mut rest = bytes.strip_prefix(MAGIC)?;
        let mut keys = IngestKeys::default();
        while let Some((head, tail)) = rest.split_at_checked(8) {
            let day = Day(i32::from_le_bytes(head[..4].try_into().ok()?));
            let count = u32::from_le_bytes(head[4..].try_into().ok()?) as usize;
            let (own, tail) = tail.split_at_checked(count.checked_mul(8)?)?;
            let key = |bytes: &[u8]| Some(u64::from_le_bytes(bytes.try_into().ok()?));
            keys.days.insert(day, own.chunks_exact(8).map(key).collect::<Option<_>>()?);
            rest = tail;
        }
        rest.is_empty().then_some(keys)
    }

    /// Writes the keys of an ingest, durably, and returns the file's sha256.
    pub(super) fn write(&self, workspace: &Workspace, id: &str) -> Result<String, TableError> {
        let bytes = self.to_bytes();
        tables::write_atomically(&keys_path(workspace, id), |file| file.write_all(&bytes))?;
        tables::sync_directory(&workspace.ingests())?;
        Ok(sha256_hex(&bytes))
    }

    /// Reads the keys of an ingest; `None` when the file is not the one that was written.
    pub(super) fn read(
        workspace: &Workspace,
        record: &IngestRecord,
    ) -> Result<Option<IngestKeys>, TableError> {
        let path = keys_path(workspace, &record.id);
        let bytes = fs::read(&path).map_err(TableError::io(&path))?;
        Ok((sha256_hex(&bytes) == record.sha256).then(|| IngestKeys::parse(&bytes)).flatten())
    }
}

pub(super) fn keys_path(workspace: &Workspace, id: &str) -> PathBuf {
    workspace.ingests().join(format!("{id}.keys"))
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

/// Removes what no record needs any more, as well as it can: keys of ingests that were undone, tables before the last ingest of
/// their kind.
pub(super) fn sweep(workspace: &Workspace, ingests: &[IngestRecord]) {
    let newest =
        |kind: &str| ingests.iter().rev().find(|record| record.kind == kind).map(|record| &record.id);
    let is_needed = |name: &str| {
        let of = |id: &str| ingests.iter().find(|record| record.id == id && record.is_in_force());
        match (name.strip_suffix(".keys"), name.strip_suffix(FORMER)) {
            (Some(id), _) => of(id).is_some(),
            (_, Some(id)) => of(id).is_some_and(|record| newest(&record.kind) == Some(&record.id)),
            _ => true,
        }
    };
    for entry in fs::read_dir(workspace.ingests()).into_iter().flatten().flatten() {
        if !is_needed(&entry.file_name().to_string_lossy()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// The ingests of a workspace, oldest first.
///
/// # Errors
/// When the lake's manifest cannot be read.
pub fn list(workspace: &Workspace) -> Result<Vec<IngestRecord>, LakeError> {
    Ok(Lake::open(workspace)?.manifest().ingests.clone())
}

/// Events of the lake that no recorded ingest in force brought: those of before ingests were recorded.
pub fn events_before(lake: &Lake) -> u64 {
    let own = lake.manifest().ingests.iter().filter(|record| record.is_of_events() && record.is_in_force());
    lake.manifest().rows.saturating_sub(own.map(|record| record.accepted).sum())
}
