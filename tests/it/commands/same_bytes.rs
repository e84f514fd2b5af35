//! Equal events give equal bytes, however they come: twice, shuffled, split, in other formats, in other order.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::support::ingesting::{InputDirectory, rows_of};

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample").join(name)
}

/// Purchases of about 60 households of the sample, as (message_id, user_id, event, content_id, stamp, value, session_id).
fn purchases() -> Vec<[String; 7]> {
    let mut frame = smartpush::files::tables::read_parquet(&sample("purchases.parquet"), None).unwrap();
    frame.rechunk_mut();
    let text = |name: &str| frame.column(name).unwrap().str().unwrap().clone();
    let texts = ["message_id", "user_id", "event", "content_id", "session_id"].map(text);
    let stamps = frame.column("timestamp").unwrap().datetime().unwrap().physical().clone();
    let values = frame.column("value").unwrap().f64().unwrap().clone();
    let of_a_kept_user =
        |row: &usize| texts[1].get(*row).is_some_and(|user| user.ends_with("07") || user.ends_with("3"));
    let event = |row: usize| {
        let [id, user, name, content, session] =
            [0, 1, 2, 3, 4].map(|index| texts[index].get(row).unwrap().to_string());
        [
            id,
            user,
            name,
            content,
            stamps.get(row).unwrap().to_string(),
            values.get(row).unwrap().to_string(),
            session,
        ]
    };
    // Every fifth line is enough: the days and the households stay.
    (0..frame.height()).filter(of_a_kept_user).step_by(5).map(event).collect()
}

const NAMES: [&str; 7] = ["message_id", "user_id", "event", "content_id", "timestamp", "value", "session_id"];

fn csv_of(events: &[[String; 7]]) -> String {
    let mut text = NAMES.join(",") + "\n";
    for event in events {
        writeln!(text, "{}", event.join(",")).unwrap();
    }
    text
}

fn jsonl_of(events: &[[String; 7]]) -> String {
    let line = |event: &[String; 7]| {
        let mut object: BTreeMap<&str, serde_json::Value> =
            NAMES.into_iter().zip(event).map(|(name, text)| (name, text.as_str().into())).collect();
        object.insert("value", event[5].parse::<f64>().unwrap().into());
        format!("{}\n", serde_json::to_string(&object).unwrap())
    };
    events.iter().map(line).collect()
}

/// The same events in an order of their own.
fn shuffled(events: &[[String; 7]]) -> Vec<[String; 7]> {
    let mut keyed: Vec<_> =
        events.iter().map(|event| (smartpush::domain::identity::key_of(&event[0]), event.clone())).collect();
    keyed.sort();
    keyed.into_iter().map(|(_, event)| event).collect()
}

fn lake_of(directory: &InputDirectory) -> BTreeMap<String, Vec<u8>> {
    let lake = directory.lake();
    assert!(lake.len() > 300, "{} files", lake.len());
    lake
}

/// The lake of all events in one file.
fn plain(events: &[[String; 7]]) -> BTreeMap<String, Vec<u8>> {
    let directory = InputDirectory::new();
    let count = events.len() as u64;
    assert_eq!(directory.ingest_bytes("all.csv", csv_of(events), &[]).counts(), [count, count, 0, 0]);
    lake_of(&directory)
}

#[test]
fn the_order_the_split_and_the_format_of_the_files_do_not_matter() {
    let events = purchases();
    let expected = plain(&events);
    let mixed = shuffled(&events);
    assert_ne!(mixed, events);

    let twice = InputDirectory::new();
    twice.ingest_bytes("all.csv", csv_of(&mixed), &[]);
    assert_eq!(lake_of(&twice), expected, "shuffled");
    let again = twice.ingest_bytes("all.jsonl", jsonl_of(&events), &[]);
    assert_eq!(again.counts(), [events.len() as u64, 0, events.len() as u64, 0]);
    assert_eq!(lake_of(&twice), expected, "and again, in another format");

    let lines = InputDirectory::new();
    lines.ingest_bytes("all.jsonl", jsonl_of(&mixed), &[]);
    assert_eq!(lake_of(&lines), expected, "JSON lines");

    let (together, apart) = (InputDirectory::new(), InputDirectory::new());
    let names: Vec<String> = (0..7).map(|index| format!("{index}.csv")).collect();
    for (part, name) in mixed.chunks(mixed.len().div_ceil(7)).zip(&names) {
        together.write(name, csv_of(part));
        apart.ingest_bytes(name, csv_of(part), &[]);
    }
    together.ingest(&names.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(lake_of(&together), expected, "seven files");
    assert_eq!(lake_of(&apart), expected, "seven ingests");
}

#[test]
fn memory_and_chunk_size_do_not_matter() {
    let events = purchases();
    let expected = plain(&events);
    let directory = InputDirectory::new();
    directory.write("all.csv", csv_of(&events));
    let output = directory
        .command(&["ingest", "all.csv"])
        .env("SMARTPUSH__INGEST__STAGING_MEMORY_MIB", "0")
        .env("SMARTPUSH__INGEST__CHUNK_ROWS", "7")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(lake_of(&directory), expected);
}

#[test]
fn users_before_or_after_events_give_the_same_files() {
    let events = csv_of(&purchases()[..500]);
    let users = sample("users.csv").display().to_string();
    let (before, after) = (InputDirectory::new(), InputDirectory::new());
    before.ingest(&["--kind", "users", &users]);
    before.ingest_bytes("e.csv", &events, &[]);
    after.ingest_bytes("e.csv", &events, &[]);
    after.ingest(&["--kind", "users", &users]);
    assert_eq!(before.lake(), after.lake());
    let table =
        |directory: &InputDirectory| std::fs::read(directory.workspace().join("data/users.parquet")).unwrap();
    assert_eq!(table(&before), table(&after));
}

#[test]
fn a_table_depends_on_what_was_said_and_not_on_how_it_was_split() {
    let text = std::fs::read_to_string(sample("users.csv")).unwrap();
    let (header, lines) = text.split_once('\n').unwrap();
    let (whole, parts) = (InputDirectory::new(), InputDirectory::new());
    whole.ingest_bytes("users.csv", &text, &["--kind", "users"]);
    let mut reversed: Vec<&str> = lines.lines().collect();
    reversed.reverse();
    for part in reversed.chunks(200) {
        parts.ingest_bytes("part.csv", format!("{header}\n{}\n", part.join("\n")), &["--kind", "users"]);
    }
    let table = |directory: &InputDirectory| directory.workspace().join("data/users.parquet");
    assert_eq!(rows_of(&table(&whole)).len(), 865);
    assert_eq!(std::fs::read(table(&whole)).unwrap(), std::fs::read(table(&parts)).unwrap());
}

#[test]
fn the_whole_sample_is_taken_as_its_page_says() {
    let directory = InputDirectory::new();
    let file = |name| sample(name).display().to_string();
    let zone = ["--time-zone", "America/New_York"];
    let tables = [
        ("users", "users.csv", 865),
        ("contents", "contents.jsonl", 300),
        ("campaigns", "campaigns.jsonl", 27),
    ];
    for (kind, name, rows) in tables {
        let path = file(name);
        let outcome = directory.ingest(&["--kind", kind, &path, zone[0], zone[1]]);
        assert_eq!(outcome.counts(), [rows, rows, 0, 0], "{name}");
        assert_eq!(directory.rows(kind).len() as u64, rows);
    }
    let events = [file("purchases.parquet"), file("campaign_events.csv")];
    let outcome = directory.ingest(&[&events[0], &events[1], zone[0], zone[1]]);
    assert_eq!(outcome.counts(), [508_782, 508_782, 0, 0]);
    let manifest: serde_json::Value = serde_json::from_slice(&directory.manifest().unwrap()).unwrap();
    assert_eq!(manifest["rows"], 508_782);
    assert_eq!(manifest["files"][0]["date"], "2016-11-14");
    let last = manifest["files"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["date"], &last["last_micros"]),
        (&"2018-01-01".into(), &1_514_778_278_000_000_i64.into())
    );
}
