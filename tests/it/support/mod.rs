//! What tests share: the binary, the sample, temporary workspaces.

pub mod client;
pub mod clock;
pub mod coded;
#[path = "../decisions/world.rs"]
pub mod decision_world;
pub mod draws;
pub mod ingesting;
#[path = "../profiles/world.rs"]
pub mod profile_world;
pub mod sample;
pub mod server;
#[path = "../curves/synthetic.rs"]
pub mod synthetic;
pub mod world;

use std::path::Path;
use std::process::{Command, Output};

/// The repository's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs the binary on a workspace.
pub fn smartpush(workspace: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_smartpush"));
    command.current_dir(root()).arg("--workspace").arg(workspace).args(arguments).output().unwrap()
}

/// The binary on some of the machine's cores, such as `0`, so that it starts one thread for each of them; `None` where there
/// is no `taskset`.
pub fn on_cores(cores: &str) -> Option<Command> {
    Command::new("taskset").arg("--version").output().ok()?;
    let mut command = Command::new("taskset");
    command.args(["-c", cores, env!("CARGO_BIN_EXE_smartpush")]);
    Some(command)
}

/// Standard output of a run that must succeed.
pub fn stdout_of(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Ingests a text as a file of some kind.
pub fn take(workspace: &Path, kind: &str, name: &str, text: &str) {
    let inbox = tempfile::tempdir().unwrap();
    let file = inbox.path().join(name);
    std::fs::write(&file, text).unwrap();
    let output = smartpush(workspace, &["--json", "ingest", "--kind", kind, file.to_str().unwrap()]);
    let summary: serde_json::Value = serde_json::from_str(&stdout_of(&output)).unwrap();
    assert_eq!(summary["rejected"], 0, "{summary}");
}
