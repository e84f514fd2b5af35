//! Decisions, goals and logs to try feedback on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use smartpush::config::Config;
use smartpush::domain::decision::Decision;
use smartpush::domain::time::Instant;
use smartpush::engine::{DecisionQuestion, Engine};
use smartpush::files::workspace::Workspace;
use smartpush::store::decision_log::{DecisionLog, LogOptions};

use crate::support::{smartpush, stdout_of};

pub fn instant(text: &str) -> Instant {
    Instant::parse_rfc3339(text).unwrap()
}

pub fn log_of(workspace: &Path) -> PathBuf {
    workspace.join("data/decisions/log")
}

/// Asks an engine of the workspace at a moment, for each user in turn; `entropy` tells its ids from others'.
pub fn decide(workspace: &Path, config: &Config, at: &str, entropy: u8, users: &[&str]) -> Vec<Decision> {
    let workspace = Workspace::open(workspace).unwrap();
    let engine = Engine::open(workspace, config.clone(), instant(at), true, [entropy; 32]).unwrap();
    let ask = |user: &&str| {
        let question = DecisionQuestion { user_id: user.to_string(), ..DecisionQuestion::default() };
        let answer = engine.decide(&question, None, instant(at)).unwrap();
        answer.ack.wait().unwrap();
        serde_json::from_str(&answer.text).unwrap()
    };
    let decisions = users.iter().map(ask).collect();
    engine.close();
    decisions
}

/// Appends lines to the log, in a file of their own.
pub fn append(workspace: &Path, lines: &[String]) {
    let log = DecisionLog::open(log_of(workspace), LogOptions::default());
    for line in lines {
        log.append(line.clone()).unwrap().wait().unwrap();
    }
    log.close();
}

/// Runs `smartpush outcomes --json`, which must succeed.
pub fn outcomes(workspace: &Path, arguments: &[&str]) -> Value {
    let arguments: Vec<&str> = ["--json", "outcomes"].iter().chain(arguments).copied().collect();
    serde_json::from_str(&stdout_of(&smartpush(workspace, &arguments))).unwrap()
}

/// The rows of every file of a name below a directory, by date.
pub fn rows(directory: &Path, name: &str) -> Vec<serde_json::Map<String, Value>> {
    let mut rows = Vec::new();
    for path in files(directory).keys().filter(|path| path.file_name().unwrap() == name) {
        let frame = smartpush::files::tables::read_parquet(&directory.join(path), None).unwrap();
        let columns: Vec<_> =
            frame.columns().iter().map(|column| column.as_materialized_series().clone()).collect();
        rows.extend((0..frame.height()).map(|row| {
            let cell = |column| (name_of(column), smartpush::files::tables::cell(column, row));
            columns.iter().map(cell).collect::<serde_json::Map<String, Value>>()
        }));
    }
    rows
}

fn name_of(column: &polars::prelude::Series) -> String {
    column.name().to_string()
}

/// Every file in the directory itself and its `date=` folders, with its bytes.
pub fn files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_day = entry.file_name().to_string_lossy().starts_with("date=");
        let inner = std::fs::read_dir(&path).into_iter().flatten().flatten().filter(|_| is_day);
        let paths = if path.is_dir() { inner.map(|entry| entry.path()).collect() } else { vec![path] };
        for path in paths {
            found.insert(path.strip_prefix(directory).unwrap().to_path_buf(), std::fs::read(&path).unwrap());
        }
    }
    found
}
