//! Where things lie on disk: the paths of a workspace, its format number, and the lock of its writer.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::tables::{self, TableError};
use domain::error::{Coded, ErrorKind};
use domain::time::Instant;

/// Between two looks at a lock that another process holds.
const PAUSE: Duration = Duration::from_millis(50);

/// Version of the layout under `data/`; a workspace with a newer one is refused.
pub const FORMAT: u32 = 1;

/// A workspace that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// There is no workspace at this path.
    #[error("no_workspace: {}: no data/workspace.json here; `smartpush ingest FILE` makes one", .0.display())]
    Missing(PathBuf),
    /// It was written by a newer smartpush.
    #[error("newer_format: {}: format {found}, this smartpush reads up to {FORMAT}", .path.display())]
    NewerFormat {
        /// workspace.json
        path: PathBuf,
        /// Its format number.
        found: u32,
    },
    /// `workspace.json` is not ours.
    #[error("bad_workspace: {}: {detail}", .path.display())]
    Damaged {
        /// workspace.json
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// Another process writes here.
    #[error("workspace_locked: {}: another smartpush is writing here; try again when it is done, or wait longer with --wait", .0.display())]
    Locked(PathBuf),
    /// Another process serves it.
    #[error("already_served: {}: another smartpush serves this workspace; stop it first", .0.display())]
    Served(PathBuf),
    /// The file system said no.
    #[error(transparent)]
    Table(#[from] TableError),
}

impl Coded for WorkspaceError {
    fn code(&self) -> &'static str {
        match self {
            WorkspaceError::Missing(_) => "no_workspace",
            WorkspaceError::NewerFormat { .. } => "newer_format",
            WorkspaceError::Damaged { .. } => "bad_workspace",
            WorkspaceError::Locked(_) => "workspace_locked",
            WorkspaceError::Served(_) => "already_served",
            WorkspaceError::Table(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            WorkspaceError::Missing(_) => ErrorKind::NotFound,
            // Waiting does not help against a server that runs: it has to be stopped.
            WorkspaceError::NewerFormat { .. }
            | WorkspaceError::Damaged { .. }
            | WorkspaceError::Served(_) => ErrorKind::Conflict,
            WorkspaceError::Locked(_) => ErrorKind::Busy,
            WorkspaceError::Table(error) => error.kind(),
        }
    }
}

/// A directory with a `data/` of ours in it.
#[derive(Clone, Debug)]
pub struct Workspace {
    root: PathBuf,
    /// How long to wait for another process that writes here.
    patience: Duration,
}

/// Held while a command writes; released when dropped, also by a crash.
#[derive(Debug)]
pub struct WriteLock {
    _file: File,
}

/// Held by the one server of a workspace; released when dropped, also by a crash.
#[derive(Debug)]
pub struct ServeLock {
    _file: File,
}

/// An exclusively locked file; `None` when another process holds it.
fn locked(path: &Path) -> Result<Option<File>, TableError> {
    let file = File::options().create(true).append(true).open(path).map_err(TableError::io(path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(TableError::io(path)(error)),
    }
}

#[derive(Serialize, Deserialize)]
struct WorkspaceFormat {
    format: u32,
}

impl Workspace {
    /// Opens an existing workspace.
    pub fn open(root: &Path) -> Result<Workspace, WorkspaceError> {
        let workspace = Workspace { root: root.to_path_buf(), patience: Duration::ZERO };
        match workspace.format()? {
            Some(_) => Ok(workspace),
            None => Err(WorkspaceError::Missing(root.to_path_buf())),
        }
    }

    /// Opens a workspace, making it if there is none.
    pub fn create(root: &Path) -> Result<Workspace, WorkspaceError> {
        let workspace = Workspace { root: root.to_path_buf(), patience: Duration::ZERO };
        if workspace.format()?.is_none() {
            let text = serde_json::json!({ "format": FORMAT });
            tables::write_atomically(&workspace.marker(), |file| writeln!(file, "{text}"))?;
        }
        Ok(workspace)
    }

    /// The workspace's format number; `None` without a workspace.
    fn format(&self) -> Result<Option<u32>, WorkspaceError> {
        let path = self.marker();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(TableError::io(&path)(error).into()),
        };
        match serde_json::from_str::<WorkspaceFormat>(&text) {
            Ok(WorkspaceFormat { format }) if format > FORMAT => {
                Err(WorkspaceError::NewerFormat { path, found: format })
            }
            Ok(WorkspaceFormat { format }) => Ok(Some(format)),
            Err(error) => Err(WorkspaceError::Damaged { path, detail: error.to_string() }),
        }
    }

    /// The same workspace, whose lock is waited for.
    pub fn waiting(self, patience: Duration) -> Workspace {
        Workspace { patience, ..self }
    }

    /// Is its lock waited for?
    pub fn is_waiting(&self) -> bool {
        !self.patience.is_zero()
    }

    /// Takes the writer's lock; another process that holds it is waited for as long as [`Workspace::waiting`] said.
    pub fn lock(&self) -> Result<WriteLock, WorkspaceError> {
        let mut waited = Duration::ZERO;
        loop {
            match self.try_lock() {
                Err(WorkspaceError::Locked(_)) if waited < self.patience => {
                    std::thread::sleep(PAUSE);
                    waited += PAUSE;
                }
                result => return result,
            }
        }
    }

    /// Takes the writer's lock; fails at once when another process holds it.
    pub fn try_lock(&self) -> Result<WriteLock, WorkspaceError> {
        let path = self.lock_file();
        Ok(WriteLock { _file: locked(&path)?.ok_or(WorkspaceError::Locked(path))? })
    }

    /// Takes the server's lock: one server writes the decision log. Batch commands do not need it.
    pub fn lock_for_serving(&self) -> Result<ServeLock, WorkspaceError> {
        let path = self.serve_lock_file();
        Ok(ServeLock { _file: locked(&path)?.ok_or(WorkspaceError::Served(path))? })
    }

    /// Is there something under `data/` that no workspace put there?
    pub fn is_foreign(root: &Path) -> bool {
        let data = root.join("data");
        let is_marked = data.join("workspace.json").exists();
        !is_marked && fs::read_dir(data).is_ok_and(|mut entries| entries.next().is_some())
    }

    /// Removes the models and everything under `data/` but the format number and the locks, which the caller holds.
    pub fn clear(&self, _lock: &WriteLock) -> Result<(), WorkspaceError> {
        let data = self.data();
        let kept = [self.marker(), self.lock_file(), self.serve_lock_file()];
        for entry in fs::read_dir(&data).map_err(TableError::io(&data))?.flatten() {
            let path = entry.path();
            if kept.contains(&path) {
                continue;
            }
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(TableError::io(&path))?;
        }
        let models = self.models();
        if models.exists() {
            fs::remove_dir_all(&models).map_err(TableError::io(&models))?;
        }
        Ok(())
    }

    /// Is this the name of a file that the workspace itself keeps? An export must not replace it.
    pub fn owns(&self, path: &Path) -> bool {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let (Some(parent), Ok(data)) = (resolved(parent), self.data().canonicalize()) else {
            return false;
        };
        let Ok(below) = parent.strip_prefix(&data) else { return false };
        let tables = ["users", "contents", "campaigns"].map(|name| self.table(name));
        let is_table = tables.iter().any(|table| table.file_name() == path.file_name());
        // Below data/ only its top is free for exports, and there only other names.
        below != Path::new("") || is_table
    }

    fn lock_file(&self) -> PathBuf {
        self.data().join("workspace.lock")
    }

    fn serve_lock_file(&self) -> PathBuf {
        self.data().join("serve.lock")
    }

    fn marker(&self) -> PathBuf {
        self.data().join("workspace.json")
    }

    /// The directory that was named.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `data/`
    pub fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// `data/events/`, the lake.
    pub fn events(&self) -> PathBuf {
        self.data().join("events")
    }

    /// `data/rejected/`, dead letters.
    pub fn rejected(&self) -> PathBuf {
        self.data().join("rejected")
    }

    /// `data/ingests/`: which events each ingest brought, and the table before the newest ingest of a kind.
    pub fn ingests(&self) -> PathBuf {
        self.data().join("ingests")
    }

    /// `data/erased.json`: hashes of users who were erased, so that an old file does not bring them back.
    pub fn erased(&self) -> PathBuf {
        self.data().join("erased.json")
    }

    /// `data/.staging/`, where a running ingest keeps what does not fit in memory; swept at its start and end.
    pub fn staging(&self) -> PathBuf {
        self.data().join(".staging")
    }

    /// A table of one file: `data/users.parquet` and the like.
    pub fn table(&self, name: &str) -> PathBuf {
        self.data().join(format!("{name}.parquet"))
    }

    /// `data/health.json`: what the data checks found last.
    pub fn health(&self) -> PathBuf {
        self.data().join("health.json")
    }

    /// `models/`
    pub fn models(&self) -> PathBuf {
        self.root.join("models")
    }

    /// `data/profiles/`
    pub fn profiles(&self) -> PathBuf {
        self.data().join("profiles")
    }

    /// `data/decisions/`: the log, and its export by date.
    pub fn decisions(&self) -> PathBuf {
        self.data().join("decisions")
    }

    /// `data/decisions/log/`
    pub fn decision_log(&self) -> PathBuf {
        self.decisions().join("log")
    }

    /// `data/plans/`: a directory for each plan, by its id.
    pub fn plans(&self) -> PathBuf {
        self.data().join("plans")
    }

    /// `data/segments/`: a directory for each saved segment, by its id.
    pub fn segments(&self) -> PathBuf {
        self.data().join("segments")
    }

    /// `data/outcomes/`: what became of decisions, by date.
    pub fn outcomes(&self) -> PathBuf {
        self.data().join("outcomes")
    }

    /// The directory of the profiles as of a moment.
    pub fn profiles_as_of(&self, as_of: Instant) -> PathBuf {
        self.profiles().join(format!("as_of={}", as_of.file_name()))
    }
}

/// Where a directory lies or will lie: links are followed as far as it exists; beyond that, `..` takes back what was named,
/// as it will once the missing directories are made.
fn resolved(directory: &Path) -> Option<PathBuf> {
    let mut path = PathBuf::new();
    for part in std::path::absolute(directory).ok()?.components() {
        match part {
            std::path::Component::ParentDir => drop(path.pop()),
            part => path.push(part),
        }
        if let Ok(real) = path.canonicalize() {
            path = real;
        }
    }
    Some(path)
}
