//! Two writers, a full disk, a kill in the middle, a workspace of another kind: the lake is as before or as after.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::support::ingesting::{InputDirectory, RunOutcome, fixture};

/// Many events on many days, so that an ingest takes long enough to be disturbed.
fn many(prefix: &str, rows: usize) -> String {
    let mut text = String::from("message_id,user_id,event,timestamp\n");
    for index in 0..rows {
        let stamp = 1_488_369_600 + (index % 40) * 86_400 + index / 40;
        text += &format!("{prefix}-{index},u{},view,{stamp}\n", index % 97);
    }
    text
}

/// A workspace with one event in it and a large file beside it.
fn prepared() -> InputDirectory {
    let directory = InputDirectory::new();
    directory.ingest_bytes("first.csv", many("first", 1), &[]);
    directory.write("many.csv", many("m", 60_000));
    directory
}

/// What the large file comes to when nothing disturbs it.
fn undisturbed() -> std::collections::BTreeMap<String, Vec<u8>> {
    let directory = prepared();
    assert_eq!(directory.ingest(&["many.csv"]).counts(), [60_000, 60_000, 0, 0]);
    directory.lake()
}

#[test]
fn a_second_writer_is_turned_away() {
    let directory = prepared();
    let workspace = smartpush::files::workspace::Workspace::open(&directory.workspace()).unwrap();
    let before = directory.lake();
    let lock = workspace.lock().unwrap();
    let outcome = directory.ingest(&["many.csv", "--wait", "0s"]);
    assert_eq!(outcome.exit, Some(4));
    assert!(outcome.stderr.contains("workspace_locked:"), "{}", outcome.stderr);
    assert_eq!(directory.lake(), before);
    drop(lock);
    assert_eq!(directory.ingest(&["many.csv"]).exit, Some(0));
}

#[test]
fn two_processes_at_once_do_not_mix() {
    let directory = InputDirectory::new();
    directory.write("many.csv", many("m", 60_000));
    let start = || {
        directory
            .command(&["ingest", "many.csv"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let running = [start(), start()];
    let outcomes = running.map(|child| RunOutcome::of(&child.wait_with_output().unwrap()));
    let done = outcomes.iter().filter(|outcome| outcome.exit == Some(0)).count();
    assert!(done >= 1, "{outcomes:?}");
    for outcome in outcomes.iter().filter(|outcome| outcome.exit != Some(0)) {
        assert_eq!(outcome.exit, Some(4));
        assert!(outcome.stderr.contains("workspace_locked:"), "{}", outcome.stderr);
    }
    let alone = InputDirectory::new();
    alone.write("many.csv", many("m", 60_000));
    alone.ingest(&["many.csv"]);
    assert_eq!(directory.lake(), alone.lake());
    directory.check_clean();
}

#[test]
fn a_kill_at_any_moment_leaves_a_lake_that_the_next_run_completes() {
    let expected = undisturbed();
    let directory = prepared();
    let before = directory.lake();
    let mut killed = 0;
    for milliseconds in [1, 4, 8, 15, 25, 40, 60, 90] {
        let mut child = directory.command(&["ingest", "many.csv"]).stdout(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_millis(milliseconds));
        child.kill().unwrap();
        killed += u32::from(child.wait().unwrap().signal() == Some(9));
        let lake = directory.lake();
        assert!(
            lake == before || lake == expected,
            "after {milliseconds} ms the lake is neither old nor new"
        );
    }
    assert!(killed > 0, "not one run was slow enough to be killed");
    directory.ingest(&["many.csv"]);
    assert_eq!(directory.lake(), expected);
    assert_parts_are_those_of(&directory);
}

/// Every part file on disk is one that the manifest names, or one of the lake before it.
fn assert_parts_are_those_of(directory: &InputDirectory) {
    directory.ingest_bytes("last.csv", many("last", 1), &[]);
    directory.ingest_bytes("very-last.csv", many("very-last", 1), &[]);
    let days = fs::read_dir(directory.workspace().join("data/events")).unwrap().flatten();
    let days = days.filter(|entry| entry.path().is_dir());
    let parts: usize = days.map(|day| fs::read_dir(day.path()).unwrap().count()).sum();
    assert_eq!(
        parts,
        directory.lake().len() - 1 + 1,
        "one former file of the day that changed last, and no other"
    );
}

#[test]
fn a_disk_that_is_full_changes_nothing() {
    let expected = undisturbed();
    let directory = prepared();
    let before = directory.lake();
    let binary = env!("CARGO_BIN_EXE_smartpush");
    // Blocks of 512 bytes. The signal is ignored in the first kind of run, which so sees a write that fails; it
    // kills the second kind.
    for (ignored, blocks) in [(true, 8), (true, 100), (false, 8), (false, 100)] {
        let trap = if ignored { "trap '' XFSZ; " } else { "" };
        let script = format!(
            "{trap}ulimit -c 0; ulimit -f {blocks}; exec {binary} --workspace workspace --json ingest many.csv"
        );
        let output =
            Command::new("sh").args(["-c", &script]).current_dir(directory.path("")).output().unwrap();
        assert!(!output.status.success(), "{blocks} blocks were enough");
        assert_eq!(directory.lake(), before, "{blocks} blocks");
        if ignored {
            let outcome = RunOutcome::of(&output);
            assert_eq!(outcome.exit, Some(1), "{outcome:?}");
            assert!(outcome.stderr.contains("disk_full:"), "{outcome:?}");
            directory.check_clean();
        }
    }
    assert_eq!(directory.ingest(&["many.csv"]).exit, Some(0));
    assert_eq!(directory.lake(), expected);
}

#[test]
fn a_small_file_system_that_fills_up_changes_nothing() {
    let directory = prepared();
    let before = directory.manifest();
    let mount = directory.path("mounted");
    fs::create_dir(&mount).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(&mount).output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: a tmpfs cannot be mounted here");
        return;
    }
    let copied = Command::new("cp").arg("-r").arg(directory.workspace()).arg(&mount).status().unwrap();
    let output = directory.command_in("mounted/workspace", &["ingest", "many.csv"]).output();
    let manifest = fs::read(mount.join("workspace/data/events/_manifest.json"));
    Command::new("umount").arg(&mount).status().unwrap();
    assert!(copied.success());
    let outcome = RunOutcome::of(&output.unwrap());
    assert_eq!(outcome.exit, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("disk_full:"), "{outcome:?}");
    assert_eq!(manifest.ok(), before);
}

#[test]
fn a_workspace_that_cannot_be_written_is_a_callers_error() {
    let directory = InputDirectory::new();
    directory.write("a.csv", many("m", 1));
    for (file, code) in [("workspace", "not_a_directory"), ("workspace/data", "not_a_directory")] {
        let path = directory.path(file);
        if let Some(parent) = path.parent() {
            let _ = fs::remove_file(directory.workspace());
            fs::create_dir_all(parent).unwrap();
        }
        fs::write(&path, "a file where a directory should be").unwrap();
        let output = directory.command(&["ingest", "a.csv"]).output().unwrap();
        let outcome = RunOutcome::of(&output);
        assert_eq!(outcome.exit, Some(2), "{outcome:?}");
        assert!(outcome.stderr.contains(code) && outcome.stderr.contains("workspace"), "{outcome:?}");
    }
}

#[test]
fn a_lake_that_cannot_be_written_is_as_before() {
    let directory = prepared();
    let before = directory.lake();
    // A file stands where the directory of one of the days should be, and one where dead letters should go.
    fs::write(directory.workspace().join("data/events/date=2017-03-20"), "no directory").unwrap();
    let outcome = directory.ingest(&["many.csv"]);
    assert_eq!(outcome.exit, Some(2), "{outcome:?}");
    assert!(outcome.stderr.contains("date=2017-03-20"), "{outcome:?}");
    assert_eq!(directory.lake(), before);
    fs::remove_file(directory.workspace().join("data/events/date=2017-03-20")).unwrap();

    fs::write(directory.workspace().join("data/rejected"), "no directory").unwrap();
    directory.write("bad.csv", many("m", 100) + "x,,view,1\n");
    let output = directory.command(&["ingest", "bad.csv"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(directory.lake(), before, "without its dead letters nothing is committed");
    directory.check_clean();
}

#[test]
fn a_newer_format_anywhere_is_refused_and_left_alone() {
    let marker = "data/workspace.json";
    let manifest = "data/events/_manifest.json";
    let newer: [(&str, Vec<u8>, &str); 4] = [
        (marker, b"{\"format\": 2, \"more\": []}".to_vec(), "events"),
        (manifest, b"{\"format\": 2, \"files\": {\"other\": \"shape\"}}".to_vec(), "events"),
        ("data/users.parquet", fixture("newer_format"), "users"),
        ("data/contents.parquet", fixture("newer_format"), "contents"),
    ];
    for (file, bytes, kind) in newer {
        let directory = prepared();
        let path = directory.workspace().join(file);
        fs::write(&path, &bytes).unwrap();
        directory.write("a.csv", "user_id,content_id,event,timestamp\nu,c,view,1488369600\n");
        let output = directory.command(&["ingest", "--kind", kind, "a.csv"]).output().unwrap();
        let outcome = RunOutcome::of(&output);
        assert_eq!(outcome.exit, Some(2), "{file}: {outcome:?}");
        assert!(outcome.stderr.contains("newer_format:"), "{file}: {outcome:?}");
        assert_eq!(fs::read(&path).unwrap(), bytes, "{file}");
        directory.check_clean();
    }
}

#[test]
fn a_part_of_the_lake_in_a_newer_format_is_refused() {
    let directory = prepared();
    let name = directory.lake().into_keys().find(|name| name.ends_with(".parquet")).unwrap();
    fs::write(directory.workspace().join("data/events").join(name), fixture("newer_format")).unwrap();
    let before = directory.lake();
    let outcome = directory.ingest(&["many.csv"]);
    assert_eq!(outcome.exit, Some(2), "{outcome:?}");
    assert!(outcome.stderr.contains("newer_format:"), "{outcome:?}");
    assert_eq!(directory.lake(), before);
}

#[test]
fn files_of_ours_that_are_not_ours_are_named() {
    for (file, code) in
        [("data/workspace.json", "bad_workspace:"), ("data/events/_manifest.json", "bad_manifest:")]
    {
        let directory = prepared();
        fs::write(directory.workspace().join(file), "{\"format\":").unwrap();
        let outcome = RunOutcome::of(&directory.command(&["ingest", "many.csv"]).output().unwrap());
        assert_eq!(outcome.exit, Some(2), "{outcome:?}");
        assert!(outcome.stderr.contains(code) && outcome.stderr.contains(file), "{outcome:?}");
    }
}

#[test]
fn a_reader_of_the_output_that_goes_away_is_no_panic() {
    let directory = prepared();
    let mut child = directory
        .command(&["ingest", "many.csv"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}
