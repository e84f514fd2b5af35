//! An empty workspace to try operations on.

use std::time::Duration;

use config::Config;
use domain::time::Instant;
use files::workspace::Workspace;
use operations::context::{Context, NoProgress};
use operations::segments::save::{ExpectedVersion, NewDefinition, SaveError, SaveReport, SaveRequest, save};
use operations::segments::{ReaderChoice, WrittenSegment};
use tempfile::TempDir;

/// A workspace that holds nothing yet, with the shipped settings.
pub struct SegmentFixture {
    pub workspace: Workspace,
    config: Config,
    _directory: TempDir,
}

impl SegmentFixture {
    pub fn new() -> SegmentFixture {
        let directory = tempfile::tempdir().unwrap();
        let workspace = Workspace::create(directory.path()).unwrap();
        SegmentFixture { workspace, config: Config::defaults(), _directory: directory }
    }

    pub fn context(&self) -> Context<'_> {
        let now = Instant::parse_rfc3339("2026-03-01T12:00:00Z").unwrap();
        Context { workspace: &self.workspace, config: &self.config, now, progress: &NoProgress }
    }

    /// Saves a text, expecting any version, waiting for another writer as long as a test may take.
    pub fn save(&self, id: &str, text: &str) -> Result<SaveReport, SaveError> {
        self.save_over(id, text, ExpectedVersion::Anything)
    }

    pub fn save_over(
        &self,
        id: &str,
        text: &str,
        expected: ExpectedVersion,
    ) -> Result<SaveReport, SaveError> {
        save(&self.context(), &request(id, text, expected))
    }
}

fn request(id: &str, text: &str, expected: ExpectedVersion) -> SaveRequest {
    SaveRequest {
        id: id.to_string(),
        definition: NewDefinition::Written(WrittenSegment::Text(text.to_string()), ReaderChoice::DataTeam),
        description: None,
        expected,
        patience: Duration::from_secs(30),
    }
}

/// The versions of a segment, oldest first.
pub fn history(report: &SaveReport) -> Vec<&str> {
    report.segment.card.history.iter().map(|saving| saving.version.as_str()).collect()
}
