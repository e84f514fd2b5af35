//! What stops a file: the error it is refused with, the reasons its records are rejected for, the checks its days fail.

use super::month::END;
use crate::support::ingesting::{InputDirectory, RunOutcome};

/// Names of everything that stops an events file between `ingest` and `health`; none when it goes through.
pub(super) fn stopped_by(bytes: &[u8], file: &str) -> Vec<String> {
    let directory = InputDirectory::new();
    let taken = directory.ingest_bytes(file, bytes, &["--time-zone", "America/New_York"]);
    let code = taken.json["error"].as_str().and_then(|text| text.split(':').next());
    // Of a file that is refused nothing is read; of any other the reasons say more than the exit code.
    if taken.count("read") == 0 {
        return code.map(str::to_string).into_iter().collect();
    }
    let mut names: Vec<String> = taken.reasons().into_keys().collect();
    names.extend(failed_checks(&directory));
    names
}

fn failed_checks(directory: &InputDirectory) -> Vec<String> {
    let health = RunOutcome::of(&directory.command(&["health", "--as-of", END]).output().unwrap());
    let failed: Vec<String> = serde_json::from_value(health.json["failed"].clone()).unwrap_or_default();
    let expected = match (health.json["checks"].is_array(), failed.is_empty()) {
        (true, true) => 0,
        (true, false) => 3,
        // Without a single event there is nothing to judge.
        (false, _) => 2,
    };
    assert_eq!(health.exit, Some(expected), "{health:?}");
    failed
}
