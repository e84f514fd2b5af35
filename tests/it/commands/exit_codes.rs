//! Exit codes that a nightly job can rely on.

use crate::support::ingesting::InputDirectory;

const HEADER: &str = "user_id,event,timestamp\n";

/// Good records, then bad ones.
fn file(good: usize, bad: usize) -> String {
    let good = (0..good).map(|n| format!("u{n},view,2024-01-01T10:00:00Z\n"));
    let bad = (0..bad).map(|n| format!("u{n},view,yesterday\n"));
    HEADER.to_string() + &good.chain(bad).collect::<String>()
}

#[test]
fn a_file_of_which_nothing_was_taken_ends_with_2() {
    let directory = InputDirectory::new();
    let outcome = directory.ingest_bytes("bad.csv", file(0, 3), &["--most-rejected", "100%"]);
    assert_eq!(outcome.exit, Some(2));
    assert!(outcome.json["error"].as_str().unwrap().starts_with("nothing_taken: bad.csv"), "{outcome:?}");
    directory.write("good.csv", file(3, 0));
    let both = directory.ingest(&["good.csv", "bad.csv", "--most-rejected", "100%"]);
    assert_eq!((both.exit, both.counts()), (Some(2), [6, 3, 0, 3]), "the good file is kept");
    let again = directory.ingest(&["good.csv"]);
    assert_eq!((again.exit, again.counts()), (Some(0), [3, 0, 3, 0]), "known records are a success");
}

#[test]
fn more_rejects_than_allowed_end_with_3_and_what_was_accepted_is_kept() {
    let directory = InputDirectory::new();
    let outcome = directory.ingest_bytes("mixed.csv", file(8, 2), &[]);
    assert_eq!((outcome.exit, outcome.counts()), (Some(3), [10, 8, 0, 2]));
    assert!(outcome.json["error"].as_str().unwrap().starts_with("too_many_rejected: 2 of 10"), "{outcome:?}");
    assert_eq!(directory.events().len(), 8);
    for (share, exit) in [("20%", 0), ("0.2", 0), ("19.9%", 3), ("0", 3), ("2", 2), ("many", 2)] {
        let outcome = directory.ingest(&["mixed.csv", "--most-rejected", share]);
        assert_eq!(outcome.exit, Some(exit), "{share}");
    }
    assert_eq!(directory.ingest_bytes("one.csv", file(9, 1), &[]).exit, Some(0), "a tenth is allowed");
}

#[test]
fn the_setting_takes_a_percentage_too() {
    let directory = InputDirectory::new();
    let write = |value: &str| directory.write("set.toml", format!("[ingest]\nmost_rejected = {value}\n"));
    for (value, exit) in [("\"50%\"", 0), ("0.5", 0), ("0.4", 3), ("\"half\"", 2), ("1.5", 2)] {
        write(value);
        let outcome = directory.ingest_bytes("mixed.csv", file(1, 1), &["--config", "set.toml"]);
        assert_eq!(outcome.exit, Some(exit), "{value}: {outcome:?}");
    }
}

#[test]
fn a_locked_workspace_is_waited_for_and_then_given_up() {
    let directory = InputDirectory::new();
    assert_eq!(directory.ingest_bytes("a.csv", file(1, 0), &[]).exit, Some(0));
    let workspace = smartpush::files::workspace::Workspace::open(&directory.workspace()).unwrap();
    let lock = workspace.lock().unwrap();
    directory.write("b.csv", file(2, 0));
    assert_eq!(directory.ingest(&["b.csv", "--wait", "0s"]).exit, Some(4));
    let waiting = std::thread::scope(|scope| {
        let waiting =
            scope.spawn(|| directory.command(&["ingest", "b.csv", "--wait", "5m"]).output().unwrap());
        std::thread::sleep(std::time::Duration::from_millis(300));
        drop(lock);
        waiting.join().unwrap()
    });
    assert!(waiting.status.success());
    assert!(String::from_utf8_lossy(&waiting.stderr).contains("waiting for another smartpush"));
}
