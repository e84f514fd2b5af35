//! The inputs of a case, and a workspace of its own to run them in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::ingesting::rows_of;
use crate::support::root;

/// A case: its folder of inputs, and a workspace that goes with the test.
pub(crate) struct Case {
    inputs: PathBuf,
    workspace: TempDir,
}

impl Case {
    /// The case of this number, such as `01`, with an empty workspace.
    pub(crate) fn new(number: &str) -> Case {
        Case { inputs: root().join("tests/it/cases").join(number), workspace: tempfile::tempdir().unwrap() }
    }

    /// The workspace.
    pub(crate) fn workspace(&self) -> &Path {
        self.workspace.path()
    }

    /// A file of the case's inputs.
    pub(crate) fn input(&self, name: &str) -> PathBuf {
        self.inputs.join(name)
    }

    /// Runs the binary in the folder of the case's inputs.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_smartpush"));
        command.current_dir(&self.inputs).arg("--workspace").arg(self.workspace());
        command.args(arguments).output().unwrap()
    }

    /// The JSON object that a run prints, whatever its exit status.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[&["--json"], arguments].concat());
        let shown = || String::from_utf8_lossy(&output.stderr).into_owned();
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", shown()))
    }

    /// Takes a file of some kind that must not lead to an error.
    pub(crate) fn ingest(&self, kind: &str, file: &str) -> Value {
        let output = self.run(&["--json", "ingest", "--kind", kind, file]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Rows of one of our tables, as JSON by column.
    pub(crate) fn table(&self, name: &str) -> Vec<BTreeMap<String, Value>> {
        rows_of(&self.workspace().join("data").join(format!("{name}.parquet")))
    }

    /// The stamp of each user's event; every user of the case has one.
    pub(crate) fn stamps(&self) -> BTreeMap<String, String> {
        let events = self.workspace().join("data/events");
        let manifest = std::fs::read(events.join("_manifest.json")).unwrap();
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        let files = manifest["files"].as_array().unwrap().iter();
        let rows = files.flat_map(|file| rows_of(&events.join(file["path"].as_str().unwrap())));
        let text = |value: &Value| value.as_str().unwrap().to_string();
        rows.map(|row| (text(&row["user_id"]), text(&row["timestamp"]))).collect()
    }
    /// Takes a text as a file of some kind, from a folder of its own.
    pub(crate) fn ingest_text(&self, kind: &str, name: &str, text: &str) -> Value {
        let inbox = tempfile::tempdir().unwrap();
        let file = inbox.path().join(name);
        std::fs::write(&file, text).unwrap();
        self.ingest(kind, file.to_str().unwrap())
    }
}

/// The moment so many hours from now, to the second: RFC 3339 in UTC.
pub(crate) fn hours_from_now(hours: i64) -> String {
    let output =
        Command::new("date").args(["-u", "-d", &format!("{hours} hours"), "+%FT%TZ"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_string()
}
