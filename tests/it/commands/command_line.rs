//! The command line as scripts and people meet it: exit codes, JSON, help, and a README that is true.

use std::fs;
use std::process::Command;

use crate::support::{root, smartpush, stdout_of};

fn stderr_of(arguments: &[&str], exit: i32) -> String {
    let workspace = tempfile::tempdir().unwrap();
    let output = smartpush(workspace.path(), arguments);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {text}");
    assert!(!text.contains("panicked"), "{text}");
    text
}

#[test]
fn the_callers_errors_end_with_exit_2_and_say_what_to_do() {
    let cases: [(&[&str], &str); 9] = [
        (&["profile"], "no_workspace"),
        (&["evaluate"], "no_workspace"),
        (&["send-times", "--out", "curves.txt"], "unknown_format"),
        (&["send-times"], "--out"),
        (&["ingest"], "FILE"),
        (&["ingest", "nowhere.csv"], "no_such_file"),
        (&["ingest", "nowhere.csv", "--time-zone", "Etc/Unknown"], "unknown_time_zone"),
        (&["ingest", "nowhere.csv", "--map", "a=b"], "bad_map"),
        (&["profle"], "profile"),
    ];
    for (arguments, word) in cases {
        let text = stderr_of(arguments, 2);
        assert!(text.contains(word), "{arguments:?}: {text:?} does not say {word:?}");
    }
}

#[test]
#[cfg(unix)]
fn a_variable_that_is_not_utf8_is_no_reason_to_stop() {
    use std::os::unix::ffi::OsStrExt;
    let run = |name: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_smartpush"));
        let workspace = tempfile::tempdir().unwrap();
        command.arg("--workspace").arg(workspace.path()).args(["config", "check"]);
        command.env(name, std::ffi::OsStr::from_bytes(b"\xff")).output().unwrap()
    };
    assert_eq!(run("SOMEBODY_ELSES").status.code(), Some(0));
    let ours = run("SMARTPUSH__DEFAULT_TIME_ZONE");
    assert_eq!(ours.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&ours.stderr).contains("default_time_zone"), "{ours:?}");
}

#[test]
fn a_reader_that_has_gone_away_is_no_failure() {
    let workspace = tempfile::tempdir().unwrap();
    for arguments in [&["config", "check"][..], &["profile", "--features"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(env!("CARGO_BIN_EXE_smartpush"));
        command.arg("--workspace").arg(workspace.path()).args(arguments).stdout(writer);
        assert_eq!(command.status().unwrap().code(), Some(0), "{arguments:?}");
    }
}

#[test]
fn a_lost_file_of_the_lake_is_not_a_callers_error() {
    let workspace = tempfile::tempdir().unwrap();
    let file = workspace.path().join("events.csv");
    fs::write(&file, "user_id,event,timestamp\nu1,view,2026-01-01T00:00:00Z\n").unwrap();
    stdout_of(&smartpush(workspace.path(), &["ingest", file.to_str().unwrap()]));
    fs::remove_dir_all(workspace.path().join("data/events/date=2026-01-01")).unwrap();
    let output = smartpush(workspace.path(), &["profile"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("not_found: "), "{output:?}");
}

#[test]
fn an_error_names_its_cause_once() {
    let workspace = tempfile::tempdir().unwrap();
    let file = workspace.path().join("file");
    fs::write(&file, "").unwrap();
    let output = smartpush(&file, &["profile", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    for text in [&output.stderr, &output.stdout] {
        let text = String::from_utf8_lossy(text);
        assert_eq!(text.matches("os error").count(), 1, "{text}");
    }
}

#[test]
fn json_is_one_object_on_stdout_wherever_the_flag_stands() {
    let workspace = tempfile::tempdir().unwrap();
    let file = workspace.path().join("events.csv");
    fs::write(&file, "user_id,event,timestamp\nu1,view,2026-01-01T00:00:00Z\n").unwrap();
    let file = file.to_str().unwrap();
    let missing = workspace.path().join("missing.csv");
    for arguments in [
        vec!["--json", "ingest", file],
        vec!["ingest", "--json", file],
        vec!["ingest", file, missing.to_str().unwrap(), "--json"],
        vec!["profile", "--json"],
        vec!["profile", "--as-of", "never", "--json"],
        vec!["profile", "--user", "nobody", "--json"],
        vec!["profile", "--features", "--json"],
        vec!["config", "check", "--json"],
    ] {
        let output = smartpush(workspace.path(), &arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(text.lines().count(), 1, "{arguments:?}: {text}");
        assert!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap().is_object(),
            "{arguments:?}: {text}"
        );
    }
}

#[test]
fn a_moment_without_events_before_it_is_named() {
    let workspace = tempfile::tempdir().unwrap();
    let file = workspace.path().join("events.csv");
    fs::write(&file, "user_id,event,timestamp\nu1,view,2026-01-01T00:00:00Z\n").unwrap();
    stdout_of(&smartpush(workspace.path(), &["ingest", file.to_str().unwrap()]));
    let output = smartpush(workspace.path(), &["send-times", "--as-of", "2026-01-01", "--out", "x.csv"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no_events"));
    let output = smartpush(workspace.path(), &["profile", "--as-of", "2026-01-01"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(!workspace.path().join("data/profiles").exists());
    let output = smartpush(workspace.path(), &["evaluate"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_wrong_command_line_is_one_json_object_too() {
    let workspace = tempfile::tempdir().unwrap();
    for arguments in [&["ingest", "--json"][..], &["profile", "--json", "--foo"], &["--json", "bogus"]] {
        let output = smartpush(workspace.path(), arguments);
        assert_eq!(output.status.code(), Some(2));
        let object: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(object["error"].as_str().unwrap().starts_with("bad_usage: "), "{object}");
    }
}

#[test]
fn an_export_never_replaces_a_table_of_the_workspace() {
    let workspace = tempfile::tempdir().unwrap();
    let file = workspace.path().join("events.csv");
    fs::write(&file, "user_id,event,timestamp\nu1,view,2026-01-01T00:00:00Z\n").unwrap();
    stdout_of(&smartpush(workspace.path(), &["ingest", file.to_str().unwrap()]));
    let export = |path: &str| {
        let out = workspace.path().join(path);
        smartpush(workspace.path(), &["send-times", "--out", out.to_str().unwrap()]).status.code()
    };
    assert_eq!(export("data/users.parquet"), Some(2));
    assert_eq!(export("data/events/curves.parquet"), Some(2));
    // Directories that are not there yet would be made, and then `..` would lead back.
    assert_eq!(export("nowhere/../data/users.parquet"), Some(2));
    assert_eq!(export("data/nowhere/../events/date=2026-01-01/part.parquet"), Some(2));
    assert_eq!(export("nowhere/../best.csv"), Some(0));
    assert_eq!(export("data/curves.parquet"), Some(0));
    assert_eq!(export("curves.csv"), Some(0));
}

#[test]
fn the_demo_leaves_files_alone_that_no_demo_made() {
    let workspace = tempfile::tempdir().unwrap();
    let mine = workspace.path().join("data/demo/data/mine.txt");
    fs::create_dir_all(mine.parent().unwrap()).unwrap();
    fs::write(&mine, "mine").unwrap();
    let output = smartpush(workspace.path(), &["demo", "--no-serve"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("not_a_workspace"));
    assert_eq!(fs::read_to_string(&mine).unwrap(), "mine");
}

#[test]
fn users_whose_clock_nobody_named_are_counted() {
    let workspace = tempfile::tempdir().unwrap();
    let file = workspace.path().join("events.csv");
    let rows = "u1,view,2026-01-01T00:00:00Z,\nu2,view,2026-01-01T00:00:00Z,Asia/Tokyo\n";
    fs::write(&file, format!("user_id,event,timestamp,time_zone\n{rows}")).unwrap();
    stdout_of(&smartpush(workspace.path(), &["ingest", file.to_str().unwrap()]));
    let out = workspace.path().join("curves.csv");
    let output = smartpush(workspace.path(), &["send-times", "--json", "--out", out.to_str().unwrap()]);
    let object: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(object["users_without_zone"], 1);
    assert!(String::from_utf8_lossy(&output.stderr).contains("1 of 2 users have no time zone"));
}

#[test]
fn every_command_explains_itself() {
    let workspace = tempfile::tempdir().unwrap();
    let commands = [
        "demo",
        "ingest",
        "profile",
        "send-times",
        "train",
        "score",
        "examples",
        "recommend",
        "models",
        "evaluate",
        "serve",
        "replay",
        "preview",
        "segment",
        "outcomes",
        "config",
    ];
    for command in commands {
        let text = stdout_of(&smartpush(workspace.path(), &[command, "--help"]));
        assert!(text.contains("--workspace") && text.contains("--json"), "{text}");
    }
    let text = stdout_of(&smartpush(workspace.path(), &["--help"]));
    assert!(text.contains("Exit codes"), "{text}");
}

#[test]
fn the_demo_prints_what_the_readme_shows() {
    let workspace = tempfile::tempdir().unwrap();
    let output = stdout_of(&smartpush(workspace.path(), &["demo", "--no-serve"]));
    let output = output.replace(&format!("{}/", workspace.path().display()), "");
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let timeless = |text: &str| -> Vec<String> {
        let line = |line: &str| {
            if line.starts_with("Done in ") { "Done".to_string() } else { line.trim_end().to_string() }
        };
        text.lines().map(line).collect()
    };
    let shown = readme.split("<!-- demo -->").nth(1).expect("the README marks the demo's output");
    let shown = shown.trim().trim_start_matches("```text\n").trim_end_matches("```");
    assert_eq!(timeless(output.trim()).join("\n"), timeless(shown.trim()).join("\n"));
}
