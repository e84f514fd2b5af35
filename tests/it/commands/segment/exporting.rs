//! Members as files: the same people in every format, no formulas in CSV, whole files or none.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use smartpush::domain::identity::sha256_hex;
use smartpush::files::tables::read_parquet;
use tempfile::TempDir;

use crate::support::sample::{Sample, groups};
use crate::support::{smartpush, stdout_of};

const USERS: &str = "user_id,country,note
=1+1,FR,plain
+33,FR,=cmd()
-5,FR,\"@x, \"\"y\"\"\"
@me,FR,\"-\ttab\"
ann,FR,a=b
bob,US,other
";

fn town() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let take = |kind: &str, name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        stdout_of(&smartpush(directory.path(), &["ingest", "--kind", kind, path.to_str().unwrap()]));
    };
    take("users", "users.csv", USERS);
    take("events", "events.csv", "user_id,event,timestamp\nann,view,2026-01-01T12:00:00Z\n");
    stdout_of(&smartpush(directory.path(), &["profile"]));
    directory
}

fn export(town: &Path, segment: &str, out: &Path) -> Value {
    let out = out.to_str().unwrap();
    let arguments = ["segment", "export", "--where", segment, "--out", out, "--column", "note", "--json"];
    serde_json::from_str(&stdout_of(&smartpush(town, &arguments))).unwrap()
}

const PEOPLE: [(&str, &str); 5] =
    [("+33", "=cmd()"), ("-5", "@x, \"y\""), ("=1+1", "plain"), ("@me", "-\ttab"), ("ann", "a=b")];

#[test]
fn no_cell_of_a_csv_is_a_formula_and_other_formats_are_exact() {
    let town = town();
    let segment = "country = \"FR\"";
    let csv_path = town.path().join("out.csv");
    let report = export(town.path(), segment, &csv_path);
    assert_eq!(report["rows"], 5);
    let mut reader = csv::Reader::from_path(&csv_path).unwrap();
    assert_eq!(reader.headers().unwrap(), vec!["user_id", "note"]);
    for (record, (id, note)) in reader.records().map(Result::unwrap).zip(PEOPLE) {
        for (cell, text) in record.iter().zip([id, note]) {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell:?}");
            assert_eq!(cell.strip_prefix('\'').unwrap_or(cell), text);
        }
    }
    let jsonl = town.path().join("out.jsonl");
    export(town.path(), segment, &jsonl);
    let lines = fs::read_to_string(&jsonl).unwrap();
    for (line, (id, note)) in lines.lines().zip(PEOPLE) {
        assert_eq!(
            serde_json::from_str::<Value>(line).unwrap(),
            serde_json::json!({"user_id": id, "note": note})
        );
    }
    let parquet = town.path().join("out.parquet");
    export(town.path(), segment, &parquet);
    let frame = read_parquet(&parquet, None).unwrap();
    let ids: Vec<&str> = frame.column("user_id").unwrap().str().unwrap().iter().flatten().collect();
    assert_eq!(ids, PEOPLE.map(|(id, _)| id));
}

#[test]
fn the_manifest_says_what_the_file_is() {
    let town = town();
    let out = town.path().join("out.csv");
    stdout_of(&smartpush(town.path(), &["segment", "save", "french", "--where", "country = \"FR\""]));
    let arguments = ["segment", "export", "--segment", "french", "--out", out.to_str().unwrap(), "--json"];
    let report: Value = serde_json::from_str(&stdout_of(&smartpush(town.path(), &arguments))).unwrap();
    let manifest = fs::read_to_string(town.path().join("out.csv.manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!((&manifest["segment"], &manifest["where"]), (&"french".into(), &"country = \"FR\"".into()));
    for key in ["version", "as_of", "rows", "sha256"] {
        assert_eq!(manifest[key], report[key], "{key}");
    }
    assert_eq!(manifest["sha256"], sha256_hex(&fs::read(&out).unwrap()));
}

#[test]
fn an_export_of_nobody_still_has_its_columns() {
    let town = town();
    for name in ["none.csv", "none.jsonl", "none.parquet"] {
        let out = town.path().join(name);
        assert_eq!(export(town.path(), "not everybody", &out)["rows"], 0);
    }
    assert_eq!(fs::read_to_string(town.path().join("none.csv")).unwrap(), "user_id,note\n");
    assert_eq!(read_parquet(&town.path().join("none.parquet"), None).unwrap().width(), 2);
}

#[test]
fn a_path_that_cannot_be_written_keeps_nothing() {
    let town = town();
    let refused = |out: &Path| {
        let arguments = ["segment", "export", "--where", "everybody", "--out", out.to_str().unwrap()];
        let output = smartpush(town.path(), &arguments);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
    };
    fs::write(town.path().join("file"), "").unwrap();
    refused(&town.path().join("file/out.csv"));
    refused(&town.path().join("out.xlsx"));
    refused(&town.path().join("data/segments/out.csv"));
    // A directory has the manifest's name: the table goes too.
    fs::create_dir_all(town.path().join("half/out.csv.manifest.json/in-the-way")).unwrap();
    refused(&town.path().join("half/out.csv"));
    let left: Vec<_> =
        fs::read_dir(town.path().join("half")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["out.csv.manifest.json"]);
    assert!(!town.path().join("data/segments").exists());
}

#[test]
fn an_export_for_messaging_leaves_out_those_without_consent_and_counts_them() {
    let sample = Sample::new();
    let rows = |more: &[&str]| {
        let out = sample.path("messaging.csv").display().to_string();
        let report = sample.json(&[&["export", "--where", "everybody", "--out", &out], more].concat());
        let text = fs::read_to_string(&out).unwrap();
        (report, text.lines().skip(1).map(str::to_string).collect::<BTreeSet<String>>())
    };
    let (all, everybody) = rows(&[]);
    assert_eq!(all["left_out"], json!({}));
    let (report, messaged) = rows(&["--for", "messaging"]);
    let count = sample.json(&["count", "--where", "everybody"]);
    let reach = groups(&count, "reach");
    let refused = ["opted_out", "unknown_consent"].map(|why| reach.get(why).copied().flatten().unwrap_or(0));
    let left_out = report["left_out"]["without_consent"].as_u64().unwrap();
    assert_eq!(left_out, refused.iter().sum::<u64>());
    assert!(left_out > 0 && !messaged.is_empty(), "{report}");
    assert_eq!(everybody.len() as u64, messaged.len() as u64 + left_out);
    assert!(messaged.is_subset(&everybody));
    let refused = sample.refused(&["count", "--where", "everybody", "--for", "messaging"]);
    assert!(refused.contains("bad_reader"), "{refused}");
}

#[test]
fn hashes_are_of_the_trimmed_lowercase_value_and_come_without_ids() {
    let sample = Sample::new();
    let users = "{\"user_id\":\"1001\",\"email\":\" Ann@Example.COM \",\"phone\":491512345678}\n\
                 {\"user_id\":\"1003\",\"email\":\"ann@example.com\"}\n\
                 {\"user_id\":\"1004\",\"email\":\"  \"}\n";
    let file = sample.file("users.jsonl", users);
    stdout_of(&smartpush(sample.root(), &["ingest", "--kind", "users", &file]));
    stdout_of(&smartpush(sample.root(), &["profile"]));
    let out = sample.path("hashes.csv").display().to_string();
    let people = sample.ids().len() as u64;
    let report = sample.json(&["export", "--where", "everybody", "--hash", "email", "--out", &out]);
    // Both users have the same address; the hash is what sha256sum gives for ann@example.com.
    let hash = "71d4f55f72fa128dfb468a1a3901507c804b74316488744d769d7f4b16696476";
    assert_eq!(fs::read_to_string(&out).unwrap(), format!("email_sha256\n{hash}\n"));
    assert_eq!(report["left_out"]["without_email"].as_u64().unwrap(), people - 2);
    let manifest = fs::read_to_string(format!("{out}.manifest.json")).unwrap();
    assert!(manifest.contains("without_email"), "{manifest}");
    sample.json(&["export", "--where", "everybody", "--hash", "phone", "--out", &out]);
    let text = fs::read_to_string(&out).unwrap();
    assert_eq!(text.lines().nth(1).unwrap(), sha256_hex(b"491512345678"));
    let refused = sample.refused(&["export", "--where", "everybody", "--hash", "e_mail", "--out", &out]);
    assert!(refused.contains("email"), "the nearest name is given: {refused}");
}
