//! The serving side: one user's profile out of the newest table, by binary search in memory.

use std::fs;
use std::path::Path;

use polars::prelude::*;
use serde_json::{Map, Value};

use super::ProfileError;
use super::build::{FORMAT, ProfileManifest};
use crate::domain::identity::sha256_hex;
use crate::domain::time::Instant;
use crate::tables::{self, TableError, cell};
use crate::workspace::Workspace;

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
        let (mut low, mut high) = (0, self.ids.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.ids.get(middle).unwrap_or_default().cmp(user_id) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(middle),
            }
        }
        None
    }

    /// A user's profile as a JSON object, features in the order of the list.
    pub fn get(&self, user_id: &str) -> Option<Map<String, Value>> {
        let row = self.row_of(user_id)?;
        Some(self.columns.iter().map(|column| (column.name().to_string(), cell(column, row))).collect())
    }
}

fn built_moments(directory: &Path) -> Vec<Instant> {
    let moment = |entry: fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        Instant::parse_file_name(name.strip_prefix("as_of=")?)
    };
    fs::read_dir(directory).into_iter().flatten().flatten().filter_map(moment).collect()
}

fn open_directory(directory: &Path) -> Result<Option<ProfileTable>, ProfileError> {
    let (path, manifest_path) = (directory.join("profiles.parquet"), directory.join("_manifest.json"));
    let Ok(text) = fs::read_to_string(&manifest_path) else { return Ok(None) };
    let Ok(manifest) = serde_json::from_str::<ProfileManifest>(&text) else { return Ok(None) };
    if manifest.format > FORMAT {
        return Err(TableError::NewerFormat { path: manifest_path, found: manifest.format }.into());
    }
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
