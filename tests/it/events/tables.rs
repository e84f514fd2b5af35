//! Files of users and contents that are taken one after the other into a workspace of their own.

use config::Config;
use domain::time::Instant;
use domain::user::Consent;
use events::catalogue::Catalogue;
use events::columns::fields_of;
use events::ingest::ingest;
use events::mapping::Renames;
use events::request::{FilesRequest, IngestSummary, InputKind};
use files::workspace::Workspace;

/// The workspace; it goes with the test.
pub(crate) struct Tables {
    workspace: Workspace,
    _directory: tempfile::TempDir,
}

impl Tables {
    /// Without any table.
    pub(crate) fn new() -> Tables {
        let directory = tempfile::tempdir().unwrap();
        Tables { workspace: Workspace::create(directory.path()).unwrap(), _directory: directory }
    }

    /// Takes a text as a file of this name, its columns renamed as `--map` says.
    pub(crate) fn take(&self, kind: InputKind, name: &str, text: &str, map: &str) -> IngestSummary {
        let inbox = tempfile::tempdir().unwrap();
        let path = inbox.path().join(name);
        std::fs::write(&path, text).unwrap();
        let renames = match map {
            "" => Renames::default(),
            map => Renames::parse(map, fields_of(kind)).unwrap(),
        };
        let request = FilesRequest {
            files: &[path],
            kind,
            format: None,
            renames,
            zone: None,
            now: Instant::parse_rfc3339("2030-01-01T00:00:00Z").unwrap(),
        };
        ingest(&self.workspace, &Config::defaults().ingest, &request, &|_| ()).unwrap()
    }

    /// What is declared.
    pub(crate) fn declared(&self) -> Catalogue {
        Catalogue::read(&self.workspace).unwrap()
    }

    /// The consent of a user.
    pub(crate) fn consent(&self, user_id: &str) -> Consent {
        self.declared().users[user_id].consent
    }
}
