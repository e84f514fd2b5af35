//! Who was erased, by salted hash: an old file that is ingested again does not bring them back.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde::{Deserialize, Serialize};

use super::days::{DayWithout, write_without};
use super::lake::{Lake, LakeChange, LakeError};
use super::stored::EventColumn;
use domain::identity::sha256_hex;
use domain::rejection::{Rejection, RejectionCode};
use domain::time::Instant;
use files::tables::{self, TableError};
use files::workspace::Workspace;

/// Version of the file. An older smartpush does not know of users who were let back in, and would push them on an old grant.
const FORMAT: u32 = 2;

/// The users who were erased from a workspace. No id can be read off it; whoever has an id can ask for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasedUsers {
    format: u32,
    salt: String,
    users: BTreeSet<String>,
    /// When they were erased; unknown of those whom an older version erased.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    erased_at: BTreeMap<String, Instant>,
    /// Users who were let back in, by when they had been erased: only a later grant counts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    readmitted: BTreeMap<String, Instant>,
}

impl ErasedUsers {
    /// Reads the list of a workspace, which may lack it.
    ///
    /// # Errors
    /// When it cannot be read: nothing is ingested then.
    pub fn read(workspace: &Workspace) -> Result<ErasedUsers, LakeError> {
        let path = workspace.erased();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(ErasedUsers::default()),
            Err(error) => return Err(TableError::io(&path)(error).into()),
        };
        match serde_json::from_str::<ErasedUsers>(&text) {
            Ok(list) if list.format > FORMAT => {
                Err(TableError::NewerFormat { path, found: list.format }.into())
            }
            list => list.map_err(|error| LakeError::BadManifest { path, detail: error.to_string() }),
        }
    }

    /// Was this user erased?
    pub fn contains(&self, user_id: &str) -> bool {
        !self.users.is_empty() && self.users.contains(&self.hash(user_id))
    }

    /// Refuses a record of a user who was erased.
    pub(super) fn refuse(&self, user_id: &str) -> Result<(), Rejection> {
        match self.contains(user_id) {
            true => {
                let detail = "this user was erased; `smartpush erase --readmit USER_ID` lets them back in";
                Err(Rejection::new(RejectionCode::ErasedUser, detail))
            }
            false => Ok(()),
        }
    }

    /// When a user who was let back in had been erased: what they, or an opt-out of theirs, said before is forgotten, so that only
    /// a grant from after this moment counts.
    pub fn readmitted_after(&self, user_id: &str) -> Option<Instant> {
        if self.readmitted.is_empty() {
            return None;
        }
        self.readmitted.get(&self.hash(user_id)).copied()
    }

    /// Adds a user and writes the list; `salt` begins a new one. Were they missing?
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(
        &mut self,
        workspace: &Workspace,
        user_id: &str,
        now: Instant,
        salt: &str,
    ) -> Result<bool, TableError> {
        if self.salt.is_empty() {
            self.salt = salt.to_string();
        }
        let hash = self.hash(user_id);
        let is_new = self.users.insert(hash.clone());
        if is_new {
            self.erased_at.insert(hash, now);
            self.write(workspace)?;
        }
        Ok(is_new)
    }

    /// Takes a user off the list as if they had never been erased, and writes it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn forget(&mut self, workspace: &Workspace, user_id: &str) -> Result<(), TableError> {
        let hash = self.hash(user_id);
        self.users.remove(&hash);
        self.erased_at.remove(&hash);
        self.write(workspace)
    }

    /// Lets a user back in and writes the list; since when a grant must be to count. `None` when they were not erased.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn readmit(
        &mut self,
        workspace: &Workspace,
        user_id: &str,
        now: Instant,
    ) -> Result<Option<Instant>, TableError> {
        let hash = self.hash(user_id);
        if !self.users.remove(&hash) {
            return Ok(None);
        }
        let since = self.erased_at.remove(&hash).unwrap_or(now);
        self.readmitted.insert(hash, since);
        self.write(workspace)?;
        Ok(Some(since))
    }

    fn write(&mut self, workspace: &Workspace) -> Result<(), TableError> {
        self.format = FORMAT;
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        tables::write_atomically(&workspace.erased(), |file| writeln!(file, "{text}"))?;
        tables::sync_directory(&workspace.data())
    }

    fn hash(&self, user_id: &str) -> String {
        sha256_hex(format!("{}\0{user_id}", self.salt).as_bytes())
    }
}

/// Removes a user's events from the lake by one rename of its manifest; how many they were. The caller holds the workspace's lock.
///
/// # Errors
/// When the lake cannot be read or written; it is then as it was.
pub fn erase_events(workspace: &Workspace, user_id: &str) -> Result<u64, LakeError> {
    let lake = Lake::open(workspace)?;
    let (mut removed, mut change) = (0, LakeChange::default());
    for file in &lake.manifest().files {
        let users = lake.events(file, &[EventColumn::UserId])?;
        let is_theirs = |event: super::stored::StoredEvent<'_>| event.user_id == user_id;
        if !users.iter().any(is_theirs) {
            continue;
        }
        match write_without(&lake, file, |event| event.user_id == user_id)? {
            DayWithout::Unchanged => {}
            DayWithout::Emptied(count) => {
                removed += count;
                change.emptied.extend(domain::time::Day::parse(&file.date));
            }
            DayWithout::Rewritten(file, count) => {
                removed += count;
                change.files.push(file);
            }
        }
    }
    if removed > 0 {
        let lake = lake.apply(change)?;
        // The file that the former manifest names would keep them.
        lake.sweep(&lake);
    }
    Ok(removed)
}
