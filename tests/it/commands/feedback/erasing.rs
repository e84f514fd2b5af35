//! `smartpush erase`: afterwards nothing below the workspace names the user, and everybody else is as before.

use std::path::{Path, PathBuf};

use serde_json::Value;
use smartpush::config::Config;
use smartpush::domain::consent::Consent;
use smartpush::domain::time::Instant;
use smartpush::events::catalogue::Catalogue;
use smartpush::events::lake::Lake;
use smartpush::events::withdrawals::Withdrawals;
use smartpush::files::workspace::Workspace;
use smartpush::store::log_index::LogIndex;

use super::world::{decide, files, log_of, outcomes, rows};
use crate::support::smartpush;
use crate::support::world::{NOW, take, workspace};

const USERS: [&str; 4] = ["morning", "evening", "denied", "plain"];

fn run(workspace: &Path, arguments: &[&str]) -> (Option<i32>, Value, String) {
    let output = smartpush(workspace, arguments);
    let stderr = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or_default(), stderr)
}

fn erase(workspace: &Path, user_id: &str) -> (Option<i32>, Value, String) {
    run(workspace, &["--json", "erase", user_id])
}

/// All files below a directory, in order.
fn below(directory: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().flat_map(|path| if path.is_dir() { below(&path) } else { vec![path] }).collect()
}

/// Files that contain a text, also within compressed frames of the log.
fn naming(workspace: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let data = workspace.join("data");
    for path in below(&data) {
        let bytes = std::fs::read(&path).unwrap();
        let bytes = match path.to_string_lossy().ends_with(".zst") {
            true => {
                let mut lines = Vec::new();
                smartpush::store::log_files::read_lines(&path, |line, _| {
                    lines.extend_from_slice(line);
                    std::ops::ControlFlow::Continue(())
                })
                .unwrap();
                lines
            }
            false if path.extension().is_some_and(|extension| extension == "parquet") => {
                let frame = smartpush::files::tables::read_parquet(&path, None).unwrap();
                let columns = frame.columns().iter().map(|column| column.as_materialized_series().clone());
                let cells = columns.flat_map(|column| {
                    (0..column.len()).map(move |row| smartpush::files::tables::cell(&column, row).to_string())
                });
                cells.collect::<String>().into_bytes()
            }
            false if path.extension().is_some_and(|extension| extension == "gz") => {
                let mut plain = Vec::new();
                std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut plain)
                    .unwrap();
                plain
            }
            false => bytes,
        };
        if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn nothing_of_an_erased_user_is_left_and_everybody_else_stays() {
    let directory = workspace();
    let path = directory.path();
    let decisions = decide(path, &Config::defaults(), NOW, 1, &USERS);
    outcomes(path, &[]);
    assert_eq!(run(path, &["profile"]).0, Some(0));
    let bad = "user_id,event,timestamp\nmorning,view,never\nplain,view,never\n";
    std::fs::write(path.join("bad.csv"), bad).unwrap();
    assert_eq!(run(path, &["ingest", path.join("bad.csv").to_str().unwrap()]).0, Some(2));
    assert!(naming(path, "morning").len() > 5, "{:?}", naming(path, "morning"));
    let plain = naming(path, "plain").len();

    let (exit, report, stderr) = erase(path, "morning");
    assert_eq!(
        (exit, &report["erased"], &report["erased_before"]),
        (Some(0), &true.into(), &false.into()),
        "{stderr}"
    );
    for place in ["events", "users", "profiles", "decisions", "outcomes", "decision_exports", "dead_letters"]
    {
        assert!(report["removed"][place].as_u64() > Some(0), "{place}: {report}");
    }
    assert_eq!(naming(path, "morning"), Vec::<String>::new());
    assert_eq!(naming(path, "plain").len(), plain);

    let of =
        |user: &str| decisions.iter().find(|decision| decision.user_id == user).unwrap().decision_id.clone();
    let (exit, _, stderr) = run(path, &["replay", &of("morning")]);
    assert!(exit == Some(2) && stderr.contains("erased: "), "{stderr}");
    assert_eq!(run(path, &["replay", &of("plain")]).0, Some(0));
    let index = LogIndex::new(log_of(path));
    assert!(index.find(&of("morning")).unwrap().is_some_and(|(line, _)| line.contains("\"erased\":true")));
    assert_eq!(outcomes(path, &[])["erased"], 1);
    assert_eq!(rows(&path.join("data/outcomes"), "outcomes.parquet").len(), 3);
    assert_eq!(run(path, &["profile", "--user", "plain"]).0, Some(0));
}

#[test]
fn erasing_again_changes_nothing_and_an_unknown_user_is_not_remembered() {
    let directory = workspace();
    let path = directory.path();
    assert_eq!(erase(path, "morning").0, Some(0));
    let before = files(&path.join("data"));
    let (exit, report, _) = erase(path, "morning");
    assert_eq!((exit, &report["erased_before"]), (Some(0), &true.into()));
    assert!(report["removed"].as_object().unwrap().values().all(|count| *count == 0), "{report}");
    let (exit, _, stderr) = erase(path, "stranger");
    assert!(exit == Some(2) && stderr.contains("unknown_user: "), "{stderr}");
    assert_eq!(files(&path.join("data")), before);
}

#[test]
fn an_old_file_does_not_bring_an_erased_user_back_until_they_are_readmitted() {
    let directory = workspace();
    let path = directory.path();
    erase(path, "morning");
    let events = path.join("old.csv");
    std::fs::write(&events, "user_id,event,timestamp\nmorning,view,2026-01-01T10:00:00Z\n").unwrap();
    let users = path.join("users.csv");
    std::fs::write(&users, "user_id,country\nmorning,FR\n").unwrap();
    for (kind, file) in [("events", &events), ("users", &users)] {
        let ingest = ["--json", "ingest", "--kind", kind, file.to_str().unwrap()];
        let (exit, report, _) = run(path, &ingest);
        assert_eq!((exit, &report["reasons"]["erased_user"]), (Some(2), &1.into()), "{report}");
        assert_eq!(naming(path, "morning"), Vec::<String>::new());
    }
    assert_eq!(run(path, &["erase", "--readmit", "morning"]).0, Some(0));
    assert_eq!(run(path, &["erase", "--readmit", "morning"]).0, Some(2));
    take(path, "users", "users.csv", "user_id,country\nmorning,FR\n");
    assert!(!naming(path, "morning").is_empty());
}

#[test]
fn a_user_who_was_let_back_in_needs_a_grant_from_after_the_erasure() {
    let directory = workspace();
    let path = directory.path();
    let opted_out = "user_id,event,timestamp\nmorning,push_opted_out,2026-01-01T10:00:00Z\n";
    take(path, "users", "old.csv", "user_id,consent,consent_at\nmorning,granted,2025-01-01T00:00:00Z\n");
    take(path, "events", "out.csv", opted_out);
    assert_eq!(erase(path, "morning").0, Some(0));
    let (exit, readmitted, _) = run(path, &["--json", "erase", "--readmit", "morning"]);
    assert_eq!(exit, Some(0));
    let since = Instant::parse_rfc3339(readmitted["consent_counts_after"].as_str().unwrap()).unwrap();
    let consent = || {
        let workspace = Workspace::open(path).unwrap();
        let mut user = Catalogue::read(&workspace).unwrap().users["morning"].clone();
        Withdrawals::read(&Lake::open(&workspace).unwrap()).unwrap().apply(&mut user);
        user.consent
    };
    let moment = |at: Instant| format!("user_id,consent,consent_at\nmorning,granted,{at}\n");
    for (name, old) in [
        ("1.csv", "user_id,consent,consent_at\nmorning,granted,2025-01-01T00:00:00Z\n".to_string()),
        ("2.csv", "user_id,consent\nmorning,granted\n".to_string()),
        ("3.csv", moment(since)),
    ] {
        take(path, "users", name, &old);
        assert_eq!(consent(), Consent::Withdrawn, "{old}");
    }
    take(path, "users", "new.csv", &moment(since.plus(1)));
    assert_eq!(consent(), Consent::Granted);
}

#[test]
fn undoing_an_ingest_brings_no_erased_user_back() {
    let directory = workspace();
    let path = directory.path();
    take(path, "users", "a.csv", "user_id,consent\nmorning,granted\nplain,granted\n");
    let (_, second, _) = {
        std::fs::write(path.join("b.csv"), "user_id,consent\nmorning,denied\nplain,denied\n").unwrap();
        run(path, &["--json", "ingest", "--kind", "users", path.join("b.csv").to_str().unwrap()])
    };
    let (exit, report, _) = erase(path, "morning");
    assert_eq!((exit, report["removed"]["ingested_rows"].as_u64() > Some(1)), (Some(0), true), "{report}");
    let undo = ["--json", "ingests", "undo", second["ingest_id"].as_str().unwrap()];
    let (exit, undone, stderr) = run(path, &undo);
    assert_eq!((exit, &undone["grants_restored"]), (Some(0), &1.into()), "{undone} {stderr}");
    assert_eq!(naming(path, "morning"), Vec::<String>::new());
}

#[test]
fn the_file_that_a_server_writes_is_left_to_it_and_the_next_run_completes_the_erasure() {
    let directory = workspace();
    let path = directory.path();
    decide(path, &Config::defaults(), NOW, 1, &USERS);
    decide(path, &Config::defaults(), NOW, 2, &USERS);
    let serving = Workspace::open(path).unwrap().lock_for_serving().unwrap();
    let (exit, report, _) = erase(path, "evening");
    assert_eq!((exit, &report["removed"]["decisions"]), (Some(4), &1.into()), "{report}");
    assert!(report["error"].as_str().unwrap().starts_with("erasure_pending: 1 "), "{report}");
    drop(serving);
    let (exit, report, _) = erase(path, "evening");
    assert_eq!((exit, &report["removed"]["decisions"]), (Some(0), &1.into()), "{report}");
}
