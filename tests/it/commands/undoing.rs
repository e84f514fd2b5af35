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

/// The ids of ingests of users, one a file.
fn of_users(directory: &InputDirectory, files: &[&str]) -> Vec<String> {
    let take = |(index, file): (usize, &&str)| {
        id_of(&directory.ingest_bytes(
            &format!("{index}.csv"),
            *file,
            &["--kind", "users", "--most-rejected", "100%"],
        ))
    };
    files.iter().enumerate().map(take).collect()
}

#[test]
fn undoing_any_ingest_of_users_gives_the_table_that_the_others_give() {
    let files = [
        "user_id,country,plan\nann,ES,a\nbob,ES,a\n",
        "user_id,country,consent\nann,FR,granted\ncid,FR,no\n",
        "user_id,consent,quiet_from\nann,denied,xx\ndan,yes,22:00\n",
        "user_id,country\nann,ES\nbob,\n",
    ];
    for undone in 0..files.len() {
        let directory = InputDirectory::new();
        let ids = of_users(&directory, &files);
        let outcome = undo(&directory, &ids[undone]);
        assert_eq!(outcome.exit, Some(0), "{}", outcome.stderr);
        let others: Vec<&str> =
            files.iter().enumerate().filter(|(index, _)| *index != undone).map(|(_, file)| *file).collect();
        let alone = InputDirectory::new();
        of_users(&alone, &others);
        let without_moments = |directory: &InputDirectory| {
            let mut rows = directory.rows("users");
            // A refusal without a moment is of the moment of its ingest.
            rows.iter_mut().for_each(|row| drop(row.remove("consent_at")));
            rows
        };
        assert_eq!(without_moments(&directory), without_moments(&alone), "without {undone}");
        // And in any order, down to nothing.
        for id in ids.iter().filter(|id| **id != ids[undone]) {
            assert_eq!(undo(&directory, id).exit, Some(0), "{id} after {undone}");
        }
        assert!(!directory.workspace().join("data/users.parquet").exists());
    }
}

#[test]
fn undoing_an_ingest_of_users_counts_rows_and_grants_and_says_which_hold_again() {
    let directory = InputDirectory::new();
    let ids = of_users(
        &directory,
        &[
            "user_id,consent\nann,granted\nbob,granted\n",
            "user_id,consent\nann,denied\ncid,granted\n",
            "user_id,consent\ndan,denied\n",
        ],
    );
    let undone = undo(&directory, &ids[1]).json;
    let counts =
        ["removed", "rows_removed", "rows_changed", "rows_left", "grants_removed", "grants_restored"]
            .map(|key| undone[key].as_u64().unwrap());
    assert_eq!(counts, [2, 1, 1, 3, 1, 1], "{undone}");
    assert!(undone["warnings"][0].as_str().unwrap().starts_with("consent_restored: 1 user is granted again"));
    let text = run_plain(&directory, &["ingests", "undo", &ids[2]]);
    assert!(text.contains("1 row removed, 0 changed, 2 left") && !text.contains("consent"), "{text}");
    let text = run_plain(&directory, &["ingests", "undo", &ids[0]]);
    assert!(text.contains("2 rows removed, 0 changed, 0 left") && text.contains("2 grants"), "{text}");
}

fn run_plain(directory: &InputDirectory, arguments: &[&str]) -> String {
    String::from_utf8(crate::support::smartpush(&directory.workspace(), arguments).stdout).unwrap()
}

#[test]
fn a_refusal_that_a_later_file_repeats_stays_when_the_first_is_undone() {
    let repeated = [
        ("again.csv", "user_id,consent\nann,denied\n"),
        ("torn.jsonl", "{\"user_id\":\"ann\",\"consent\":\"den\n{\"user_id\":\"bob\"}\n"),
    ];
    for (name, repeated) in repeated {
        let directory = InputDirectory::new();
        let denied = "user_id,consent\nann,denied\n";
        let ids = of_users(&directory, &["user_id,consent\nann,granted\n", denied]);
        directory.ingest_bytes(name, repeated, &["--kind", "users", "--most-rejected", "100%"]);
        let undone = undo(&directory, &ids[1]).json;
        assert_eq!(undone["grants_restored"], 0, "{name}: {undone}");
        assert_ne!(directory.rows("users")[0]["consent"], "granted", "{name}");
    }
}

#[test]
fn ingests_of_contents_and_campaigns_are_undone_in_any_order_and_the_advice_names_what_can_be() {
    let directory = InputDirectory::new();
    let events = id_of(&directory.ingest_bytes("e.csv", csv(&[("a", "ann", "2024-01-01T10:00:00Z")]), &[]));
    let contents = ["--kind", "contents"];
    let first = id_of(&directory.ingest_bytes("1.csv", "content_id,title\nmilk,Milk\n", &contents));
    let second =
        id_of(&directory.ingest_bytes("2.csv", "content_id,title\nmilk,Milch\nbun,Bun\n", &contents));
    assert_eq!(undo(&directory, &first).exit, Some(0));
    let rows = directory.rows("contents");
    assert_eq!((rows.len(), &rows[1]["title"]), (2, &"Milch".into()));
    let refused = undo(&directory, &first).stderr;
    assert!(
        refused.contains("already_undone: ") && refused.contains(&second) && refused.contains(&events),
        "{refused}"
    );
    assert!(!refused.contains(&format!("undone: {first}")), "{refused}");
}

#[test]
fn an_ingest_of_users_that_an_older_version_took_in_is_refused_with_advice_that_works() {
    let directory = InputDirectory::new();
    let ids = of_users(&directory, &["user_id,country\nann,ES\n", "user_id,country\nann,FR\n"]);
    // The older version kept no rows.
    let path = directory.workspace().join("data/events/_manifest.json");
    let mut manifest: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for record in manifest["ingests"].as_array_mut().unwrap() {
        record.as_object_mut().unwrap().remove("keeps_rows");
    }
    std::fs::write(&path, manifest.to_string()).unwrap();
    let refused = undo(&directory, &ids[0]);
    assert_eq!(refused.exit, Some(2));
    assert!(refused.stderr.contains("not_the_newest: ") && refused.stderr.contains("ingest the right rows"));
    directory.ingest_bytes("right.csv", "user_id,country\nann,DE\n", &["--kind", "users"]);
    assert_eq!(directory.rows("users")[0]["country"], "DE");
}

#[test]
fn names_of_files_are_listed_as_they_are() {
    let directory = InputDirectory::new();
    let name = "it's, \"new\" é.csv";
    directory.ingest_bytes(name, csv(&[("a", "ann", "2024-01-01T10:00:00Z")]), &[]);
    assert_eq!(list(&directory)["ingests"][0]["files"], serde_json::json!([name]));
    let text = run_plain(&directory, &["ingests", "list"]);
    assert!(text.contains(name), "{text}");
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
