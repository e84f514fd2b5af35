//! `smartpush ingests`: what was ingested is listed, and one ingest can be taken back.

use serde_json::Value;

use crate::support::ingesting::{InputDirectory, RunOutcome};

fn csv(events: &[(&str, &str, &str)]) -> String {
    let lines = events.iter().map(|(id, user, stamp)| format!("{id},{user},view,{stamp},milk\n"));
    format!("message_id,user_id,event,timestamp,content_id\n{}", lines.collect::<String>())
}

fn run(directory: &InputDirectory, arguments: &[&str]) -> RunOutcome {
    RunOutcome::of(&directory.command(arguments).output().unwrap())
}

fn id_of(outcome: &RunOutcome) -> String {
    outcome.json["ingest_id"].as_str().unwrap().to_string()
}

fn undo(directory: &InputDirectory, id: &str) -> RunOutcome {
    let outcome = run(directory, &["ingests", "undo", id]);
    directory.check_clean();
    outcome
}

fn list(directory: &InputDirectory) -> Value {
    run(directory, &["ingests", "list"]).json
}

#[test]
fn undoing_an_ingest_leaves_the_lake_that_the_others_make() {
    let first = csv(&[("a", "ann", "2024-01-01T10:00:00Z"), ("b", "bob", "2024-01-02T10:00:00Z")]);
    let second = csv(&[("c", "ann", "2024-01-02T11:00:00Z"), ("d", "bob", "2024-01-03T10:00:00Z")]);
    let alone = InputDirectory::new();
    alone.ingest_bytes("1.csv", &first, &[]);
    let directory = InputDirectory::new();
    directory.ingest_bytes("1.csv", &first, &[]);
    let both = directory.ingest_bytes("2.csv", &second, &[]);
    let undone = undo(&directory, &id_of(&both));
    assert_eq!((undone.exit, &undone.json["removed"]), (Some(0), &2.into()));
    assert_eq!(undone.json["changed_days"], serde_json::json!(["2024-01-02", "2024-01-03"]));
    assert_eq!(directory.lake(), alone.lake(), "a day without events has no file");
    assert_eq!(
        directory.ingest_bytes("2.csv", &second, &[]).counts(),
        [2, 2, 0, 0],
        "and they can come again"
    );
}

#[test]
fn an_event_goes_with_the_ingest_that_brought_it_first_and_the_report_names_who_repeated_it() {
    let directory = InputDirectory::new();
    let first = directory.ingest_bytes("1.csv", csv(&[("a", "ann", "2024-01-01T10:00:00Z")]), &[]);
    let again = csv(&[("a", "ann", "2024-01-01T10:00:00Z"), ("b", "ann", "2024-01-01T12:30:00Z")]);
    let second = directory.ingest_bytes("2.csv", again, &[]);
    let undone = undo(&directory, &id_of(&first));
    assert_eq!(undone.json["removed"], 1);
    assert_eq!(undone.json["repeated_by"][id_of(&second)], 1);
    let ids: Vec<Value> = directory.events().iter().map(|event| event["message_id"].clone()).collect();
    assert_eq!(ids, ["b"]);
}

#[test]
fn an_unknown_and_an_undone_ingest_are_refused_with_the_ids_that_there_are() {
    let directory = InputDirectory::new();
    let first = id_of(&directory.ingest_bytes("1.csv", csv(&[("a", "ann", "2024-01-01T10:00:00Z")]), &[]));
    let second = id_of(&directory.ingest_bytes("2.csv", csv(&[("b", "ann", "2024-01-01T11:00:00Z")]), &[]));
    assert_eq!(undo(&directory, &first).exit, Some(0));
    for (id, code) in [(first.as_str(), "already_undone: "), ("20240101-x", "unknown_ingest: ")] {
        let refused = undo(&directory, id);
        assert_eq!(refused.exit, Some(2));
        assert!(refused.stderr.contains(code) && refused.stderr.contains(&second), "{}", refused.stderr);
    }
    assert_eq!(directory.events().len(), 1);
}

#[test]
fn the_list_says_how_files_were_read_and_counts_events_of_before() {
    let directory = InputDirectory::new();
    directory.write("1.csv", "uid,event,timestamp\nann,view,2024-01-01 10:00\n");
    directory.ingest(&["1.csv", "--map", "uid=user_id", "--time-zone", "Europe/Paris"]);
    let listed = list(&directory);
    let record = &listed["ingests"][0];
    assert_eq!(record["files"], serde_json::json!(["1.csv"]));
    assert_eq!(record["options"], serde_json::json!({ "map": "uid=user_id", "time_zone": "Europe/Paris" }));
    assert_eq!((&record["accepted"], &listed["events_before"]), (&1.into(), &0.into()));
    // A lake of before ingests were recorded.
    let path = directory.workspace().join("data/events/_manifest.json");
    let mut manifest: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    manifest.as_object_mut().unwrap().remove("ingests");
    std::fs::write(&path, manifest.to_string()).unwrap();
    let listed = list(&directory);
    assert_eq!((&listed["ingests"], &listed["events_before"]), (&serde_json::json!([]), &1.into()));
    assert_eq!(
        directory.ingest_bytes("2.csv", csv(&[("b", "ann", "2024-01-01T11:00:00Z")]), &[]).exit,
        Some(0)
    );
    assert_eq!(list(&directory)["events_before"], 1);
}

#[test]
fn the_newest_ingest_of_users_can_be_undone_and_an_older_one_not() {
    let directory = InputDirectory::new();
    let users = ["--kind", "users"];
    directory.ingest_bytes("0.csv", "user_id,country\nann,ES\n", &users);
    let first = id_of(&directory.ingest_bytes("1.csv", "user_id,country\nann,FR\n", &users));
    let second = id_of(&directory.ingest_bytes("2.csv", "user_id,country\nann,DE\nbob,IT\n", &users));
    let refused = undo(&directory, &first);
    assert_eq!(refused.exit, Some(2));
    assert!(refused.stderr.contains("not_the_newest: ") && refused.stderr.contains(&second), "{refused:?}");
    assert_eq!(undo(&directory, &second).exit, Some(0));
    let rows = directory.rows("users");
    assert_eq!((rows.len(), &rows[0]["country"]), (1, &"FR".into()));
    let refused = undo(&directory, &first);
    assert!(
        refused.stderr.contains("cannot_undo: "),
        "only the table before the newest is kept: {refused:?}"
    );
}

#[test]
fn a_table_that_an_ingest_made_goes_with_it() {
    let directory = InputDirectory::new();
    let made = directory.ingest_bytes("1.csv", "user_id,country\nann,FR\n", &["--kind", "users"]);
    assert_eq!(undo(&directory, &id_of(&made)).exit, Some(0));
    assert!(!directory.workspace().join("data/users.parquet").exists());
}

#[test]
fn only_a_shared_move_of_the_clock_is_pointed_out() {
    let hours = |offset: i64| -> String {
        let line =
            |day: i64| format!("u{day},view,2024-01-{:02}T{:02}:07:00Z,milk\n", day, 8 + day % 5 + offset);
        let lines: String = (1..=28).map(line).collect();
        format!("user_id,event,timestamp,content_id\n{lines}")
    };
    let warned = |second: String| {
        let directory = InputDirectory::new();
        directory.ingest_bytes("1.csv", hours(0), &[]);
        let outcome = directory.ingest_bytes("2.csv", second, &[]);
        outcome.json["warnings"]
            .as_array()
            .unwrap()
            .iter()
            .any(|text| text.as_str().unwrap().contains("moved by"))
    };
    assert!(warned(hours(2)));
    assert!(!warned(hours(2).replace(":07:00Z", ":09:00Z")), "not a whole quarter of an hour");
    assert!(!warned(hours(2).replace(",milk", ",bread")), "other contents");
}

#[test]
fn conflicts_that_differ_only_by_their_hour_are_named() {
    let directory = InputDirectory::new();
    let file =
        "message_id,user_id,event,timestamp\nm1,ann,view,2024-01-01 10:00\nm2,ann,click,2024-01-01 11:05\n";
    directory.ingest_bytes("1.csv", file, &["--time-zone", "UTC"]);
    let outcome = directory.ingest_bytes("1.csv", file, &["--time-zone", "Asia/Kolkata"]);
    assert_eq!((outcome.exit, outcome.counts()), (Some(2), [2, 0, 0, 2]));
    let warning = outcome.json["warnings"][0].as_str().unwrap();
    assert!(warning.starts_with("2 rejected events") && warning.contains("5 h 30 min"), "{warning}");
}
