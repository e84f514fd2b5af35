//! Erases a user from everything that the workspace keeps, and remembers by a salted hash that they were erased.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::context::{Context, ContextError};
use domain::error::{Coded, ErrorKind};
use domain::time::Instant;
use events::dead_letters::remove_letters;
use events::erased::{ErasedUsers, erase_events};
use events::kept_rows::erase_rows;
use files::erasure::{remove_user, rows_of_user, tables_below};
use files::tables::{self, TableError};
use files::workspace::{Workspace, WorkspaceError};
use store::decision_log::LogError;
use store::erasure::{LogErasure, erase_user as erase_records};

/// What was removed of a user, by place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErasureReport {
    /// Name of each place, in the order in which they were gone through, and how much was removed there.
    pub removed: Vec<(&'static str, u64)>,
    /// Was the user erased before?
    pub is_known: bool,
    /// Set when a server still writes a file with records of the user.
    pub pending: Option<ErasurePending>,
}

/// Records of the user are in the file of the decision log that a server is writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "erasure_pending: {0} records are in the decision log's file that a server is writing; everything else is erased: stop \
     the server and erase the user again"
)]
pub struct ErasurePending(u64);

impl Coded for ErasurePending {
    fn code(&self) -> &'static str {
        "erasure_pending"
    }

    fn kind(&self) -> ErrorKind {
        ErrorKind::Busy
    }
}

/// An erasure that did not complete; the same call completes it.
#[derive(Debug, thiserror::Error)]
pub enum ErasureError {
    /// The workspace has nothing of this user.
    #[error("unknown_user: nothing of user {0:?} is in this workspace, and they were not erased before")]
    Unknown(String),
    /// The workspace cannot be used.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// The decision log cannot be read or written.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl Coded for ErasureError {
    fn code(&self) -> &'static str {
        match self {
            ErasureError::Unknown(_) => "unknown_user",
            ErasureError::Context(error) => error.code(),
            ErasureError::Log(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            ErasureError::Unknown(_) => ErrorKind::NotFound,
            ErasureError::Context(error) => error.kind(),
            ErasureError::Log(error) => error.kind(),
        }
    }
}

impl From<TableError> for ErasureError {
    fn from(error: TableError) -> ErasureError {
        ErasureError::Context(error.into())
    }
}

/// Erases a user. `salt` is used when this is the first user who is erased from the workspace.
///
/// The hash comes first: from then on no file brings the user back. Every step finds what is still there, so a run that was cut
/// off is completed by the next.
///
/// # Errors
/// When there is nothing of the user, or a file cannot be read or written.
pub fn erase(context: &Context<'_>, user_id: &str, salt: &str) -> Result<ErasureReport, ErasureError> {
    let _lock = context.lock()?;
    let workspace = context.workspace;
    let serving = match workspace.lock_for_serving() {
        Err(WorkspaceError::Served(_)) => None,
        lock => Some(lock.map_err(ContextError::from)?),
    };
    let mut erased = ErasedUsers::read(workspace).map_err(ContextError::from)?;
    let is_new = erased.add(workspace, user_id, context.now, salt)?;
    let mut removed = remove_everywhere(context, user_id)?;
    let LogErasure { records, pending } =
        erase_records(&workspace.decision_log(), user_id, serving.is_none())?;
    removed.push(("decisions", records));
    if is_new && pending == 0 && removed.iter().all(|(_, count)| *count == 0) {
        erased.forget(workspace, user_id)?;
        return Err(ErasureError::Unknown(user_id.to_string()));
    }
    let pending = (pending > 0).then_some(ErasurePending(pending));
    Ok(ErasureReport { removed, is_known: !is_new, pending })
}

/// Lets a user who was erased be ingested again, and returns since when a grant of consent must be to count; `None` when they were not
/// erased.
///
/// # Errors
/// When the list cannot be read or written.
pub fn readmit(context: &Context<'_>, user_id: &str) -> Result<Option<Instant>, ErasureError> {
    let _lock = context.lock()?;
    let mut erased = ErasedUsers::read(context.workspace).map_err(ContextError::from)?;
    Ok(erased.readmit(context.workspace, user_id, context.now)?)
}

/// Removes a user from every file but the decision log.
fn remove_everywhere(context: &Context<'_>, user_id: &str) -> Result<Vec<(&'static str, u64)>, ErasureError> {
    let workspace = context.workspace;
    context.progress.step("erasing");
    let data = workspace.data();
    let users = workspace.table("users");
    let mut removed = vec![("users", if users.exists() { remove_user(&users, user_id)? } else { 0 })];
    removed.push(("events", erase_events(workspace, user_id).map_err(ContextError::from)?));
    removed.push(("profiles", from_profiles(workspace, user_id)?));
    // A directory of tables is one line here.
    for (place, directory) in [
        ("former_tables", workspace.ingests()),
        ("segments", workspace.segments()),
        ("plans", workspace.plans()),
        ("outcomes", workspace.outcomes()),
        ("decision_exports", workspace.decisions()),
        ("models", workspace.models()),
    ] {
        removed.push((place, from_tables(&directory, user_id)?));
    }
    removed.push(("ingested_rows", erase_rows(workspace, user_id)?));
    removed.push(("dead_letters", remove_letters(&workspace.rejected(), user_id)?));
    tables::sync_directory(&data)?;
    Ok(removed)
}

fn from_tables(directory: &Path, user_id: &str) -> Result<u64, TableError> {
    let mut removed = 0;
    for path in tables_below(directory) {
        let rows = remove_user(&path, user_id)?;
        removed += rows;
        if rows > 0 {
            correct_export(directory, &path, rows)?;
        }
    }
    Ok(removed)
}

/// The manifest of an export by date says how many rows each file has.
fn correct_export(directory: &Path, table: &Path, removed: u64) -> Result<(), TableError> {
    let path = directory.join("_manifest.json");
    let (Ok(text), Ok(name)) = (fs::read_to_string(&path), table.strip_prefix(directory)) else {
        return Ok(());
    };
    let Ok(mut manifest) = serde_json::from_str::<Value>(&text) else { return Ok(()) };
    for file in manifest["files"].as_array_mut().into_iter().flatten() {
        if file["path"].as_str().is_some_and(|path| Path::new(path) == name) {
            file["rows"] = json!(file["rows"].as_u64().unwrap_or_default().saturating_sub(removed));
        }
    }
    tables::write_atomically(&path, |file| writeln!(file, "{manifest:#}"))
}

/// A profile table counts only with the manifest that vouches for it: it goes first and comes back last.
fn from_profiles(workspace: &Workspace, user_id: &str) -> Result<u64, TableError> {
    let mut removed = 0;
    for path in tables_below(&workspace.profiles()) {
        if rows_of_user(&path, user_id)? == 0 {
            continue;
        }
        let manifest = path.with_file_name("_manifest.json");
        let text = fs::read_to_string(&manifest).unwrap_or_default();
        if manifest.exists() {
            fs::remove_file(&manifest).map_err(TableError::io(&manifest))?;
        }
        let rows = remove_user(&path, user_id)?;
        removed += rows;
        if let Ok(mut said) = serde_json::from_str::<Value>(&text) {
            said["rows"] = json!(said["rows"].as_u64().unwrap_or_default().saturating_sub(rows));
            said["sha256"] = json!(tables::sha256_of_file(&path)?);
            tables::write_atomically(&manifest, |file| writeln!(file, "{said:#}"))?;
        }
    }
    Ok(removed)
}
