//! The inputs of a case, and a workspace of its own to run them in.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

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
}
