//! The serving side: one user's profile out of the newest table, by binary search in memory.

use std::fs;
use std::path::{Path, PathBuf};

use polars::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::ProfileError;
use super::build::{FORMAT, ProfileManifest};
use domain::identity::sha256_hex;
use domain::time::Instant;
use files::tables::{self, TableError, cell};
use files::workspace::Workspace;

/// The one field that every format of the manifest has.
#[derive(Deserialize)]
struct ManifestFormat {
    format: u32,
}

/// A profile table in memory: columns sorted by user.
#[derive(Clone, Debug)]
pub struct ProfileTable {
    manifest: ProfileManifest,
    ids: StringChunked,
    columns: Vec<Series>,
}

impl ProfileTable {
    /// Opens the profiles as of a moment, or the newest ones.
    ///
    /// A directory whose manifest is missing or does not match its table (a build cut short) is passed over.
    pub fn open(workspace: &Workspace, as_of: Option<Instant>) -> Result<ProfileTable, ProfileError> {
        let mut moments = match as_of {
            Some(moment) => vec![moment],
            None => built_moments(&workspace.profiles()),
        };
        moments.sort_unstable();
        for moment in moments.into_iter().rev() {
            if let Some(table) = open_directory(&workspace.profiles_as_of(moment))? {
                return Ok(table);
            }
        }
        Err(ProfileError::NoProfiles(workspace.profiles()))
    }

    /// What the table is.
    pub fn manifest(&self) -> &ProfileManifest {
        &self.manifest
    }

    /// Number of users.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Has the table no users?
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The row of a user.
    pub fn row_of(&self, user_id: &str) -> Option<usize> {
        index_of(&self.ids, user_id)
    }

    /// A user's profile as a JSON object, features in the order of the list.
    pub fn get(&self, user_id: &str) -> Option<Map<String, Value>> {
        let row = self.row_of(user_id)?;
        Some(self.columns.iter().map(|column| (column.name().to_string(), cell(column, row))).collect())
    }
}

/// A profile table on the disk, of which single columns can be read.
#[derive(Clone, Debug)]
pub struct ProfileFile {
    /// What it is.
    pub manifest: ProfileManifest,
    /// The table.
    pub path: PathBuf,
    /// The moment that its profiles are seen at.
    pub as_of: Instant,
}

impl ProfileFile {
    /// The profiles as of a moment, or the newest ones, as their manifest names them; the table itself is not looked at.
    pub fn find(workspace: &Workspace, as_of: Option<Instant>) -> Result<ProfileFile, ProfileError> {
        let moments = match as_of {
            Some(moment) => vec![moment],
            None => built_moments(&workspace.profiles()),
        };
        ProfileFile::newest_of(workspace, moments)
    }

    /// The newest profiles that are not after a moment.
    pub fn find_until(workspace: &Workspace, until: Instant) -> Result<ProfileFile, ProfileError> {
        let mut moments = built_moments(&workspace.profiles());
        moments.retain(|moment| *moment <= until);
        ProfileFile::newest_of(workspace, moments)
    }

    fn newest_of(workspace: &Workspace, mut moments: Vec<Instant>) -> Result<ProfileFile, ProfileError> {
        moments.sort_unstable();
        for as_of in moments.into_iter().rev() {
            let directory = workspace.profiles_as_of(as_of);
            if let Some(manifest) = read_manifest(&directory)? {
                return Ok(ProfileFile { manifest, path: directory.join("profiles.parquet"), as_of });
            }
        }
        Err(ProfileError::NoProfiles(workspace.profiles()))
    }
}

fn built_moments(directory: &Path) -> Vec<Instant> {
    let moment = |entry: fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        Instant::parse_file_name(name.strip_prefix("as_of=")?)
    };
    fs::read_dir(directory).into_iter().flatten().flatten().filter_map(moment).collect()
}

/// The manifest of a directory; `None` without one that this build can read.
fn read_manifest(directory: &Path) -> Result<Option<ProfileManifest>, ProfileError> {
    let path = directory.join("_manifest.json");
    let Ok(text) = fs::read_to_string(&path) else { return Ok(None) };
    let Ok(ManifestFormat { format }) = serde_json::from_str(&text) else { return Ok(None) };
    if format > FORMAT {
        return Err(TableError::NewerFormat { path, found: format }.into());
    }
    Ok(serde_json::from_str(&text).ok())
}

fn open_directory(directory: &Path) -> Result<Option<ProfileTable>, ProfileError> {
    let path = directory.join("profiles.parquet");
    let Some(manifest) = read_manifest(directory)? else { return Ok(None) };
    let Ok(bytes) = fs::read(&path) else { return Ok(None) };
    if sha256_hex(&bytes) != manifest.sha256 {
        return Ok(None);
    }
    let frame = tables::read_parquet(&path, None)?;
    let ids = frame
        .column("user_id")
        .and_then(|column| column.str().cloned())
        .map_err(TableError::parquet(&path))?;
    let columns = frame.columns().iter().map(|column| column.as_materialized_series().clone()).collect();
    Ok(Some(ProfileTable { manifest, ids, columns }))
}

/// The index of a user among sorted ids.
pub fn index_of(ids: &StringChunked, user_id: &str) -> Option<usize> {
    let (mut low, mut high) = (0, ids.len());
    while low < high {
        let middle = low + (high - low) / 2;
        match ids.get(middle).unwrap_or_default().cmp(user_id) {
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
            std::cmp::Ordering::Equal => return Some(middle),
        }
    }
    None
}
