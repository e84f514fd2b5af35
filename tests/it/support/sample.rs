//! The sample with its profiles, on which segments are asked.

use super::{root, smartpush, stdout_of};
use polars::prelude::*;
use serde_json::Value;
use smartpush::files::tables::read_parquet;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::LazyLock;
use tempfile::TempDir;

/// Profiles of the sample's users as of their newest event; each test works on a copy.
static SAMPLE: LazyLock<TempDir> = LazyLock::new(|| {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| root().join("data/sample").join(name).display().to_string();
    for (kind, name) in
        [("users", "users.csv"), ("contents", "contents.jsonl"), ("events", "purchases.parquet")]
    {
        stdout_of(&smartpush(directory.path(), &["ingest", "--kind", kind, &file(name)]));
    }
    stdout_of(&smartpush(directory.path(), &["profile"]));
    directory
});

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &target),
            false => assert!(fs::copy(entry.path(), target).is_ok()),
        }
    }
}

/// A copy of the sample with its profiles.
pub struct Sample(TempDir);

impl Sample {
    pub fn new() -> Sample {
        let directory = tempfile::tempdir().unwrap();
        copy(SAMPLE.path(), directory.path());
        Sample(directory)
    }

    pub fn root(&self) -> &Path {
        self.0.path()
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        smartpush(self.0.path(), &[&["segment"], arguments].concat())
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&stdout_of(&self.run(&[arguments, &["--json"]].concat()))).unwrap()
    }

    /// What stands on stderr of a run that must end with exit 2.
    pub fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
        assert!(!text.contains("panicked"), "{text}");
        text
    }

    pub fn save(&self, id: &str, text: &str) -> Value {
        self.json(&["save", id, "--where", text])
    }

    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// All users, sorted.
    pub fn ids(&self) -> Vec<String> {
        let profiles = self.profiles();
        let ids = profiles.column("user_id").unwrap().str().unwrap();
        ids.iter().map(|id| id.unwrap().to_string()).collect()
    }

    /// The profile table, read without smartpush's segments.
    pub fn profiles(&self) -> DataFrame {
        let newest =
            fs::read_dir(self.path("data/profiles")).unwrap().map(|entry| entry.unwrap().path()).max();
        read_parquet(&newest.unwrap().join("profiles.parquet"), None).unwrap()
    }

    /// Ids whose number in a column passes.
    pub fn whose(&self, column: &str, passes: impl Fn(i64) -> bool) -> BTreeSet<String> {
        let profiles = self.profiles();
        let (ids, numbers) =
            (profiles.column("user_id").unwrap().str().unwrap().clone(), profiles.column(column).unwrap());
        let numbers = numbers.i64().unwrap();
        ids.iter()
            .zip(numbers.iter())
            .filter(|(_, n)| n.is_some_and(&passes))
            .map(|(id, _)| id.unwrap().to_string())
            .collect()
    }
}

/// The groups of a breakdown by their value.
pub fn groups(report: &Value, by: &str) -> BTreeMap<String, Option<u64>> {
    let found = report["breakdowns"].as_array().unwrap().iter().find(|one| one["by"] == by);
    let group = |group: &Value| (group["value"].as_str().unwrap().to_string(), group["members"].as_u64());
    found.unwrap()["groups"].as_array().unwrap().iter().map(group).collect()
}
