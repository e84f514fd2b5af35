//! A file that is taken into a workspace of its own.

use std::path::Path;

use config::Config;
use domain::time::Instant;
use domain::zone::Zone;
use events::ingest::ingest;
use events::lake::Lake;
use events::mapping::Renames;
use events::request::{FilesRequest, IngestSummary, InputKind};
use events::stored::EventColumn;
use files::workspace::Workspace;

/// What came of it; the workspace goes with it.
pub(crate) struct Taken {
    workspace: Workspace,
    _directory: tempfile::TempDir,
    pub(crate) summary: IngestSummary,
}

impl Taken {
    /// Takes a file of events in.
    pub(crate) fn of(path: &Path, renames: Renames, zone: Option<&str>) -> Taken {
        Taken::with(&Config::defaults(), path, renames, zone)
    }

    /// The same with settings.
    pub(crate) fn with(config: &Config, path: &Path, renames: Renames, zone: Option<&str>) -> Taken {
        let directory = tempfile::tempdir().unwrap();
        let workspace = Workspace::create(directory.path()).unwrap();
        let request = FilesRequest {
            files: &[path.to_path_buf()],
            kind: InputKind::Events,
            format: None,
            renames,
            zone: zone.map(|zone| Zone::find(zone).unwrap()),
            now: Instant::parse_rfc3339("2030-01-01T00:00:00Z").unwrap(),
        };
        let summary = ingest(&workspace, &config.ingest, &request, &|_| ()).unwrap();
        Taken { workspace, _directory: directory, summary }
    }

    /// Takes a text in as a file of this name.
    pub(crate) fn text(name: &str, text: &str, renames: Renames) -> Taken {
        let inbox = tempfile::tempdir().unwrap();
        let path = inbox.path().join(name);
        std::fs::write(&path, text).unwrap();
        Taken::of(&path, renames, None)
    }

    /// user, event, content, value, session, zone and moment of each event of the lake, as it is read.
    pub(crate) fn events(&self) -> Vec<[String; 7]> {
        self.read(
            &EventColumn::ALL
                .into_iter()
                .filter(|column| *column != EventColumn::RecordHash)
                .collect::<Vec<_>>(),
        )
    }

    /// The same as it was recorded.
    pub(crate) fn recorded(&self) -> Vec<[String; 7]> {
        self.read(&EventColumn::ALL)
    }

    fn read(&self, columns: &[EventColumn]) -> Vec<[String; 7]> {
        let lake = Lake::open(&self.workspace).unwrap();
        let mut events = Vec::new();
        for file in &lake.manifest().files {
            for event in lake.events(file, columns).unwrap().iter() {
                let text = |text: Option<&str>| text.unwrap_or_default().to_string();
                events.push([
                    event.user_id.to_string(),
                    event.name.to_string(),
                    text(event.content_id),
                    event.value.map(|value| value.to_string()).unwrap_or_default(),
                    text(event.session_id),
                    text(event.time_zone),
                    event.timestamp.to_string(),
                ]);
            }
        }
        events
    }

    /// The lake.
    pub(crate) fn lake(&self) -> Lake {
        Lake::open(&self.workspace).unwrap()
    }
}
