//! The lake: one sorted Parquet file for each UTC day, and a manifest that says which files count.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::PathBuf;

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::ingest_record::IngestRecord;
use super::stored::{EventColumn, StoredEvents};
use domain::error::{Coded, ErrorKind};
use domain::event::standard_name;
use domain::identity::sha256_hex;
use domain::time::{Day, Instant};
use files::tables::{self, TableError};
use files::workspace::Workspace;

/// Version of the manifest.
const FORMAT: u32 = 1;

/// A lake that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// The manifest is not ours.
    #[error("bad_manifest: {}: {detail}", .path.display())]
    BadManifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// A file cannot be read or written.
    #[error(transparent)]
    Table(#[from] TableError),
}

impl Coded for LakeError {
    fn code(&self) -> &'static str {
        match self {
            LakeError::BadManifest { .. } => "bad_manifest",
            LakeError::Table(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            LakeError::BadManifest { .. } => ErrorKind::Conflict,
            LakeError::Table(error) => error.kind(),
        }
    }
}

/// A file of the lake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LakeFile {
    /// Path below `data/events/`.
    pub path: String,
    /// UTC day, `YYYY-MM-DD`.
    pub date: String,
    /// Events in it.
    pub rows: u64,
    /// Of the file's bytes.
    pub sha256: String,
    /// Earliest event, microseconds since the epoch.
    pub first_micros: i64,
    /// Latest event, microseconds since the epoch.
    pub last_micros: i64,
    /// Events by name.
    pub events: BTreeMap<String, u64>,
}

impl LakeFile {
    /// Does it hold an event of this name, or of another system's name for it?
    pub fn holds(&self, name: &str) -> bool {
        let asked = standard_name(name);
        self.events.contains_key(name) || self.events.keys().any(|recorded| standard_name(recorded) == asked)
    }
}

/// Which files make up the lake, and what each ingest brought. Equal events give equal files, however they were split; only
/// `ingests` tells how they came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this file.
    pub format: u32,
    /// Events in all files.
    pub rows: u64,
    /// Files in order of date.
    pub files: Vec<LakeFile>,
    /// What was ingested, of every kind, oldest first; events that are older than this list belong to no ingest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ingests: Vec<IngestRecord>,
}

/// What changes in a lake at once.
#[derive(Clone, Debug, Default)]
pub struct LakeChange {
    /// New files, each in place of its day's former one.
    pub files: Vec<LakeFile>,
    /// Days that have no event any more.
    pub emptied: Vec<Day>,
    /// The ingests, when they change.
    pub ingests: Option<Vec<IngestRecord>>,
}

/// The lake as its manifest stood when it was opened.
#[derive(Clone, Debug)]
pub struct Lake {
    workspace: Workspace,
    manifest: Manifest,
}

impl Lake {
    /// Opens the lake of a workspace; a workspace without events has an empty one.
    pub fn open(workspace: &Workspace) -> Result<Lake, LakeError> {
        let path = workspace.events().join("_manifest.json");
        let manifest = match fs::read_to_string(&path) {
            Ok(text) => parse_manifest(&text, path)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Manifest { format: FORMAT, rows: 0, files: Vec::new(), ingests: Vec::new() }
            }
            Err(error) => return Err(TableError::io(&path)(error).into()),
        };
        Ok(Lake { workspace: workspace.clone(), manifest })
    }

    /// The workspace that it is in.
    pub(super) fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The newest event.
    pub fn newest(&self) -> Option<Instant> {
        self.manifest.files.iter().map(|file| Instant::from_micros(file.last_micros)).max()
    }

    /// The file of a day.
    pub fn file_of(&self, day: Day) -> Option<&LakeFile> {
        let date = day.to_string();
        let index = self.manifest.files.binary_search_by(|file| file.date.as_str().cmp(&date)).ok()?;
        self.manifest.files.get(index)
    }

    /// Files that hold an event before `until`.
    pub fn files_before(&self, until: Instant) -> Vec<&LakeFile> {
        self.manifest.files.iter().filter(|file| file.first_micros < until.micros()).collect()
    }

    /// Files that may hold an event in `[from, until)`.
    pub fn files_within(&self, from: Instant, until: Instant) -> Vec<&LakeFile> {
        let mut files = self.files_before(until);
        files.retain(|file| file.last_micros >= from.micros());
        files
    }

    /// Reads columns of the events of one file: the one way to read the lake.
    ///
    /// # Errors
    /// When the file cannot be read, or lacks a column.
    pub fn events(&self, file: &LakeFile, columns: &[EventColumn]) -> Result<StoredEvents, TableError> {
        let names: Vec<&str> = columns.iter().map(|column| column.name()).collect();
        let path = self.workspace.events().join(&file.path);
        let frame = tables::read_parquet(&path, Some(&names))?;
        StoredEvents::of(&frame, columns).map_err(TableError::parquet(&path))
    }

    /// sha256 over the files' own: the identity of the lake's content.
    pub fn content_sha256(&self) -> String {
        let parts: Vec<&str> = self.manifest.files.iter().map(|file| file.sha256.as_str()).collect();
        sha256_hex(parts.join("\n").as_bytes())
    }

    /// Writes one day's file. It counts only once [`Lake::commit`] has named it.
    pub fn write_day(
        &self,
        day: Day,
        mut frame: DataFrame,
        names: BTreeMap<String, u64>,
    ) -> Result<LakeFile, TableError> {
        let directory = self.workspace.events().join(format!("date={day}"));
        let bytes = tables::parquet_bytes(&mut frame).map_err(TableError::parquet(&directory))?;
        let sha256 = sha256_hex(&bytes);
        let name = format!("part-{}.parquet", &sha256[..16]);
        let path = directory.join(&name);
        tables::write_unsynced(&path, &bytes)?;
        let stamps = frame
            .column(EventColumn::Timestamp.name())
            .and_then(|column| column.datetime().map(|c| c.physical().clone()));
        let stamps = stamps.map_err(TableError::parquet(&path))?;
        Ok(LakeFile {
            path: format!("date={day}/{name}"),
            date: day.to_string(),
            rows: frame.height() as u64,
            sha256,
            first_micros: stamps.min().unwrap_or_default(),
            last_micros: stamps.max().unwrap_or_default(),
            events: names,
        })
    }

    /// Makes `files` part of the lake, each replacing its day's former file, by one rename of the manifest.
    pub fn commit(&self, files: Vec<LakeFile>) -> Result<Lake, LakeError> {
        self.apply(LakeChange { files, ..LakeChange::default() })
    }

    /// Puts a change in force by one rename of the manifest.
    ///
    /// # Errors
    /// When a file cannot be synced or the manifest not be written; the lake is then as it was.
    pub fn apply(&self, change: LakeChange) -> Result<Lake, LakeError> {
        let LakeChange { files, emptied, ingests } = change;
        let mut by_date: BTreeMap<String, LakeFile> =
            self.manifest.files.iter().map(|file| (file.date.clone(), file.clone())).collect();
        let directory = self.workspace.events();
        let parts = files.iter().map(|file| directory.join(&file.path));
        let days = files.iter().map(|file| directory.join(format!("date={}", file.date)));
        tables::sync_all(&parts.chain(days).collect::<Vec<_>>())?;
        by_date.extend(files.into_iter().map(|file| (file.date.clone(), file)));
        emptied.iter().for_each(|day| drop(by_date.remove(&day.to_string())));
        let files: Vec<LakeFile> = by_date.into_values().collect();
        let rows = files.iter().map(|file| file.rows).sum();
        let ingests = ingests.unwrap_or_else(|| self.manifest.ingests.clone());
        let manifest = Manifest { format: FORMAT, rows, files, ingests };
        let text = serde_json::to_string_pretty(&manifest).unwrap_or_default();
        fs::create_dir_all(&directory).map_err(TableError::io(&directory))?;
        tables::sync_directory(&directory)?;
        tables::write_atomically(&directory.join("_manifest.json"), |file| writeln!(file, "{text}"))?;
        tables::sync_directory(&directory)?;
        let lake = Lake { workspace: self.workspace.clone(), manifest };
        lake.sweep(self);
        Ok(lake)
    }

    /// Removes files that neither this manifest nor the one before it names, as well as it can.
    ///
    /// A reader that opened the former manifest can so finish; what a crash left behind goes. The lake is
    /// right with or without those files, so nothing here is a reason to fail.
    pub(super) fn sweep(&self, former: &Lake) {
        let kept: HashSet<&str> =
            self.manifest.files.iter().chain(&former.manifest.files).map(|file| file.path.as_str()).collect();
        for entry in fs::read_dir(self.workspace.events()).into_iter().flatten().flatten() {
            let day = entry.file_name().to_string_lossy().into_owned();
            if !day.starts_with("date=") {
                continue;
            }
            for file in fs::read_dir(entry.path()).into_iter().flatten().flatten() {
                let name = format!("{day}/{}", file.file_name().to_string_lossy());
                if !kept.contains(name.as_str()) {
                    let _ = fs::remove_file(file.path());
                }
            }
            // A day that is left without files; one that has some stays.
            let _ = fs::remove_dir(entry.path());
        }
    }
}

/// The format number is read first: a newer manifest need not look like ours in anything else.
fn parse_manifest(text: &str, path: PathBuf) -> Result<Manifest, LakeError> {
    #[derive(Deserialize)]
    struct ManifestFormat {
        format: u32,
    }
    match serde_json::from_str(text) {
        Ok(ManifestFormat { format }) if format > FORMAT => {
            Err(TableError::NewerFormat { path, found: format }.into())
        }
        _ => serde_json::from_str(text)
            .map_err(|error| LakeError::BadManifest { path, detail: error.to_string() }),
    }
}
