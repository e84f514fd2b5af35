//! Names of events and columns of the declared tables have one place each: the sources, read as text.

use std::fs;
use std::path::{Path, PathBuf};

use smartpush::domain::event::StandardEvent;

use crate::support::root;

/// Words that are also names of events, where they are names of other things.
const OTHER_THINGS: [(&str, &str); 5] = [
    // Words in other systems' names of events.
    ("domain/event_words.rs", "view"),
    ("domain/event_words.rs", "click"),
    // Columns of other people's logs.
    ("feedback/off_policy/mod.rs", "click"),
    ("feedback/experiment.rs", "click"),
    // A part of a whole, anywhere.
    ("", "share"),
];

/// The Rust files of `src/`, each with its path below it.
fn sources() -> Vec<(String, String)> {
    let folder = root().join("src");
    let mut paths = Vec::new();
    walk(&folder, &mut paths);
    let relative = |path: &Path| path.strip_prefix(&folder).unwrap().to_string_lossy().replace('\\', "/");
    paths.iter().map(|path| (relative(path), fs::read_to_string(path).unwrap())).collect()
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

/// Standard names that a file spells out as texts of their own.
fn spelled_out(path: &str, text: &str) -> Vec<&'static str> {
    let is_other = |name: &str| {
        OTHER_THINGS.iter().any(|(file, word)| *word == name && (file.is_empty() || *file == path))
    };
    let names = StandardEvent::ALL.into_iter().map(StandardEvent::name);
    names.filter(|name| text.contains(&format!("\"{name}\"")) && !is_other(name)).collect()
}

/// Does a file read a table of users, contents or campaigns by its path?
fn reads_declared_tables(path: &str, text: &str) -> bool {
    let may = path.starts_with("events/") || path.starts_with("files/");
    !may && text.contains("read_parquet") && text.contains(".table(")
}

#[test]
fn only_the_table_of_events_spells_their_names() {
    let sources = sources();
    assert!(sources.len() > 100, "only {} files were read", sources.len());
    let elsewhere = sources.iter().filter(|(path, _)| path != "domain/event.rs");
    let faults = elsewhere.flat_map(|(path, text)| {
        spelled_out(path, text)
            .into_iter()
            .map(move |name| format!("{path}: {name:?} is StandardEvent's to spell"))
    });
    assert_eq!(faults.collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn a_name_that_is_spelled_out_is_reported() {
    assert_eq!(spelled_out("engine/mod.rs", "if name == \"push_sent\" {"), ["push_sent"]);
    assert_eq!(spelled_out("engine/mod.rs", "[\"view\", \"purchase\"]"), ["view", "purchase"]);
    assert!(spelled_out("engine/mod.rs", "/// A `push_sent` event; \"viewed\"").is_empty());
    assert!(spelled_out("feedback/experiment.rs", "\"click\"").is_empty());
    assert_eq!(spelled_out("feedback/experiment.rs", "\"view\""), ["view"]);
}

#[test]
fn only_events_reads_the_tables_of_users_contents_and_campaigns() {
    let sources = sources();
    let faults = sources.iter().filter(|(path, text)| reads_declared_tables(path, text));
    assert_eq!(faults.map(|(path, _)| path).collect::<Vec<_>>(), Vec::<&String>::new());
    let text = "let frame = read_parquet(&workspace.table(\"users\"), None)?;";
    assert!(
        reads_declared_tables("segments/people/mod.rs", text) && !reads_declared_tables("events/x.rs", text)
    );
}

#[test]
fn the_help_of_ingest_names_every_event_that_has_a_meaning() {
    let nowhere = tempfile::tempdir().unwrap();
    let help = crate::support::stdout_of(&crate::support::smartpush(nowhere.path(), &["ingest", "--help"]));
    let missing =
        StandardEvent::ALL.iter().filter(|event| !help.split_whitespace().any(|word| event.is(word)));
    assert_eq!(missing.collect::<Vec<_>>(), Vec::<&StandardEvent>::new());
}
