//! What is watched of the data and the champions: read by the refresher, shown as metrics.

use std::fs;
use std::path::Path;

use crate::support::server::Server;
use crate::support::world::{NOW, workspace};
use crate::support::{smartpush, stdout_of};

/// A champion whose drift was measured, in the words of its file.
const DRIFT: &str = r#"{"goal":"engage_24h","version":"0123456789ab","champion_as_of":"2026-01-20T00:00:00Z",
"as_of":"2026-02-20T00:00:00Z","psi_score":0.5,"habit_score":0.01,"inputs":[],"calibration":null,"verdict":"drifted",
"failed":["scores_like_training"]}"#;

#[test]
fn checks_that_failed_and_champions_that_drifted_are_gauges() {
    let directory = workspace();
    let server = Server::start_with(directory.path(), &["--now", NOW], &[("SERVE__REFRESH_SECONDS", "1")]);
    let before = server.get("/metrics").text;
    assert!(
        !before.contains("smartpush_data_checks_failed") && !before.contains("smartpush_champion"),
        "{before}"
    );

    let output = smartpush(directory.path(), &["--json", "health", "--as-of", "2026-02-20"]);
    let report: serde_json::Value = serde_json::from_str(&stdout_of(&output)).unwrap();
    assert_eq!(report["failed"], serde_json::json!([]));
    write_drift(directory.path());
    server.wait_until(|server| shows_findings(&server.get("/metrics").text));
}

#[test]
fn metrics_are_answered_from_memory_when_the_files_behind_them_are_gone() {
    let directory = workspace();
    stdout_of(&smartpush(directory.path(), &["health", "--as-of", "2026-02-20"]));
    write_drift(directory.path());
    let settings = [("SERVE__REFRESH_SECONDS", "86400")];
    let server = Server::start_with(directory.path(), &["--now", NOW], &settings);
    fs::remove_dir_all(directory.path().join("models")).unwrap();
    fs::remove_dir_all(directory.path().join("data")).unwrap();
    let text = server.get("/metrics").text;
    assert!(shows_findings(&text), "{text}");
}

fn write_drift(workspace: &Path) {
    let goal = workspace.join("models/engage_24h");
    fs::create_dir_all(&goal).unwrap();
    fs::write(goal.join("champion"), "0123456789ab\n").unwrap();
    fs::write(goal.join("drift.json"), DRIFT).unwrap();
}

fn shows_findings(metrics: &str) -> bool {
    let lines = [
        "smartpush_data_checks_failed 0",
        "smartpush_champion_psi{goal=\"engage_24h\"} 0.5",
        "smartpush_champion_drifted{goal=\"engage_24h\"} 1",
    ];
    lines.into_iter().all(|line| metrics.contains(line))
}
