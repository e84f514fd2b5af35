//! `smartpush template` and the columns in the help: what they say, ingest takes.

use crate::support::ingesting::InputDirectory;
use smartpush::events::columns::fields_of;
use smartpush::events::request::InputKind;
use smartpush::events::taught::taught;

const KINDS: [InputKind; 4] =
    [InputKind::Events, InputKind::Users, InputKind::Contents, InputKind::Campaigns];

#[test]
fn every_column_is_taught_with_its_meaning() {
    for kind in KINDS {
        let columns = taught(kind);
        let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
        let fields: Vec<&str> = fields_of(kind).iter().map(|field| field.name).collect();
        assert_eq!(names, fields, "{}", kind.as_str());
        for column in columns {
            assert!(!column.meaning.is_empty(), "{}: {} has no meaning", kind.as_str(), column.name);
        }
    }
}

#[test]
fn an_example_file_can_be_ingested_as_it_is() {
    for format in ["csv", "jsonl"] {
        let directory = InputDirectory::new();
        for kind in KINDS.map(InputKind::as_str) {
            let name = format!("{kind}.{format}");
            let written = directory.command(&["template", kind, "--format", format, "--out", &name]).output();
            assert!(written.unwrap().status.success());
            let outcome = directory.ingest(&[&name, "--kind", kind]);
            assert_eq!((outcome.exit, outcome.counts()), (Some(0), [1, 1, 0, 0]), "{name}: {outcome:?}");
            assert_eq!(outcome.json["warnings"], serde_json::json!([]), "{name}");
        }
        let again = directory.command(&[
            "template",
            "users",
            "--format",
            format,
            "--out",
            &format!("users.{format}"),
        ]);
        assert_eq!({ again }.output().unwrap().status.code(), Some(2), "no file is replaced");
    }
}

#[test]
fn comments_before_the_first_record_are_skipped_and_lines_keep_their_numbers() {
    let directory = InputDirectory::new();
    let text = "# exported, at night\n# by us\nuser_id,event,timestamp\nann,view,2024-01-01T10:00:00Z\nbob,view,never\n";
    let outcome = directory.ingest_bytes("a.csv", text, &["--most-rejected", "100%"]);
    assert_eq!(outcome.counts(), [2, 1, 0, 1]);
    assert_eq!(directory.letters()[0]["line"], 5);
    let text =
        "# by us\n{\"user_id\":\"cyd\",\"event\":\"view\",\"timestamp\":\"2024-01-01T10:00:00Z\"}\n{}\n";
    let outcome = directory.ingest_bytes("export", text, &["--most-rejected", "100%"]);
    assert_eq!(outcome.counts(), [2, 1, 0, 1]);
    let hash = "#user_id,event,timestamp\nann,click,2024-01-01T10:00:00Z\n";
    let outcome = directory.ingest_bytes("b.csv", hash, &["--map", "#user_id=user_id"]);
    assert_eq!(outcome.counts(), [1, 1, 0, 0], "a hash without a blank may begin a column's name");
}

#[test]
fn the_help_of_ingest_lists_the_columns_of_every_kind() {
    let directory = InputDirectory::new();
    let help = directory.command(&["ingest", "--help"]).output().unwrap().stdout;
    let help = String::from_utf8(help).unwrap();
    for kind in KINDS {
        assert!(help.contains(&format!("Columns of {}:", kind.as_str())));
        for column in taught(kind) {
            assert!(help.contains(&format!("  {} ", column.name)), "{}", column.name);
        }
    }
}
