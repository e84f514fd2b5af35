//! The invariants of the source tree, each a test that reads the source as text.
//!
//! Every checker is a function from text to faults, so each test comes with a sibling that shows the checker a made-up
//! offender: a rule that cannot fail would hold nothing.

mod circles;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::iter;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The crates of `src/` in the order of an event's path: a crate depends only on crates written above it.
const ROOMS: [&str; 25] = [
    "domain",
    "parallel",
    "config",
    "files",
    "evaluation",
    "decisions",
    "learners",
    "store",
    "events",
    "history",
    "profiles",
    "registry",
    "curves",
    "models",
    "segments",
    "feedback",
    "response",
    "planning",
    "engine",
    "delivery",
    "simulation",
    "operations",
    "api",
    "console",
    "commands",
];

/// The files of the root package beside the crates: the facade and the binary.
const ROOTS: [&str; 2] = ["main", "lib"];

/// Pure crates: what they need comes in as an argument, so they depend on `domain` only and do no input or output.
const PURE_ROOMS: [&str; 2] = ["evaluation", "decisions"];

/// Where async code may stand; everything else is synchronous and needs no runtime to be tested.
const ASYNC_PLACES: [&str; 3] = ["api", "delivery", "commands/serve"];

/// Where the clock and the operating system's randomness may be read.
const CLOCK_PLACES: [&str; 3] = ["main", "commands", "api"];

/// Which places may name a crate, or a crate of its family (`linfa` covers `linfa_logistic`). No place: nowhere.
const CRATE_PLACES: [(&str, &[&str]); 16] = [
    (
        "polars",
        &["files", "events", "profiles", "registry", "curves", "models", "segments", "feedback", "planning"],
    ),
    ("linfa", &["learners", "response", "models"]),
    ("ndarray", &["learners", "response", "models"]),
    ("axum", &["api"]),
    ("utoipa", &["api"]),
    ("tokio", &ASYNC_PLACES),
    ("futures", &ASYNC_PLACES),
    ("redb", &["store"]),
    ("clap", &["commands"]),
    ("anyhow", &["commands"]),
    ("indicatif", &["commands"]),
    ("mimalloc", &["main"]),
    ("jiff", JIFF_PLACES),
    ("chrono", &[]),
    ("figment", &[]),
    ("sled", &[]),
];

/// The crates that meet local time. `files` and `store` keep instants as integers, `evaluation` sees numbers only.
const JIFF_PLACES: &[&str] = &[
    "domain",
    "config",
    "decisions",
    "events",
    "profiles",
    "models",
    "segments",
    "feedback",
    "planning",
    "delivery",
    "engine",
    "operations",
    "api",
    "commands",
];

/// Calls that give another answer each time.
const CLOCK_CALLS: [(&str, &str); 6] = [
    ("SystemTime", "now"),
    ("Timestamp", "now"),
    ("Zoned", "now"),
    ("Uuid", "now_v7"),
    ("rand", "rng"),
    ("rand", "random"),
];

/// What `std` offers for reaching outside the process.
const OUTSIDE_MODULES: [&str; 5] = ["env", "fs", "net", "process", "thread"];

/// The fixed top level of the repository; dot-files may stand beside it.
const TOP_LEVEL: [&str; 11] = [
    "Cargo.toml",
    "Cargo.lock",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "src",
    "models",
    "data",
    "notebooks",
    "tests",
    "benches",
];

/// Words before a path that are no part of it, though a leading `::` may follow them.
const KEYWORDS: [&str; 16] = [
    "as", "break", "const", "dyn", "else", "extern", "for", "if", "impl", "in", "match", "move", "mut",
    "return", "use", "where",
];

/// What code calls a text that it reads out of an error.
const ERRORS: [&str; 7] = ["error", "failure", "fault", "problem", "detail", "message", "why"];

/// Methods that ask what a text contains.
const READING: [&str; 10] = [
    "contains",
    "ends_with",
    "find",
    "matches",
    "rsplit",
    "split",
    "split_once",
    "starts_with",
    "strip_prefix",
    "trim_start_matches",
];

/// The longest function a reader is asked to hold in mind, signature and closing brace included.
const LONGEST_FUNCTION: usize = 80;

// ---- the tests ----

#[test]
fn each_crate_depends_only_on_crates_above_it() {
    let manifests = manifests();
    assert!(manifests.len() > 15, "only {} manifests were read", manifests.len());
    assert_none(manifests.iter().flat_map(dependency_faults).collect());
}

#[test]
fn a_dependency_against_the_order_is_reported() {
    let offenders = [
        ("src/domain/Cargo.toml", "[dependencies]\nfiles.workspace = true\n"),
        ("src/decisions/Cargo.toml", "[dependencies]\ndomain.workspace = true\nconfig.workspace = true\n"),
        ("src/events/Cargo.toml", "[dependencies]\nprofiles = { path = \"../profiles\" }\n"),
        ("src/helpers/Cargo.toml", "[dependencies]\n"),
    ];
    for (path, text) in offenders {
        assert_eq!(dependency_faults(&Source::new(path, text)).len(), 1, "{path}: {text}");
    }
    let innocents = [
        ("src/events/Cargo.toml", "[dependencies]\ndomain.workspace = true\nserde.workspace = true\n"),
        ("src/decisions/Cargo.toml", "[dependencies]\ndomain.workspace = true\n"),
        ("src/decisions/Cargo.toml", "[dev-dependencies]\nengine.workspace = true\n"),
    ];
    for (path, text) in innocents {
        assert_eq!(dependency_faults(&Source::new(path, text)), Vec::<String>::new(), "{path}: {text}");
    }
}

#[test]
fn every_folder_of_src_is_a_crate() {
    let folders: BTreeSet<String> =
        sources(&["src"]).iter().map(|source| source.room().to_string()).collect();
    let crates: BTreeSet<String> = manifests()
        .iter()
        .map(|manifest| manifest.room().to_string())
        .chain(ROOTS.map(String::from))
        .collect();
    assert_eq!(folders, crates);
}

#[test]
fn each_crate_stays_in_its_rooms() {
    assert_none(faults_in(&["src"], crate_faults));
}

#[test]
fn a_crate_outside_its_rooms_is_reported() {
    let offenders = [
        ("src/commands/profile.rs", "use polars::prelude::*;"),
        ("src/domain.rs", "fn f() -> ndarray::Array1<f64> { x }"),
        ("src/profiles.rs", "use linfa_logistic::LogisticRegression;"),
        ("src/engine.rs", "use {axum::Router, std::fmt};"),
        ("src/events/mod.rs", "#[derive(clap::Parser)] struct A;"),
        ("src/store/lib.rs", "use anyhow as errors;"),
        ("src/store/lib.rs", "extern crate tokio; fn f() { return ::x::y(); }"),
        ("src/evaluation/bootstrap.rs", "fn f(t: ::jiff::Timestamp) {}"),
        ("src/events/time.rs", "use chrono::Utc;"),
        ("src/commands/train.rs", "#[tokio::main] fn main() {}"),
        ("src/engine.rs", "async fn f() {}"),
    ];
    for (path, text) in offenders {
        assert_eq!(crate_faults(&Source::new(path, text)).len(), 1, "{path}: {text}");
    }
}

#[test]
fn a_crate_in_its_room_passes() {
    let innocents = [
        ("src/models/fit.rs", "use linfa::prelude::*; use polars::prelude::LazyFrame;"),
        ("src/commands/serve.rs", "async fn serve() { tokio::spawn(x).await; }"),
        ("src/api/mod.rs", "use axum::Router; async fn f() {}"),
        ("src/domain.rs", "fn f(polars: u8) -> u8 { frame.axum::<u8>(polars) } // polars::prelude"),
    ];
    for (path, text) in innocents {
        assert_eq!(crate_faults(&Source::new(path, text)), Vec::<String>::new(), "{path}: {text}");
    }
}

#[test]
fn pure_rooms_reach_nothing_outside_the_process() {
    assert_none(faults_in(&["src"], outside_faults));
}

#[test]
fn reaching_outside_from_a_pure_room_is_reported() {
    for text in ["use std::{fmt, fs};", "fn f() { std::env::var(NAME); }"] {
        assert_eq!(outside_faults(&Source::new("src/decisions/log.rs", text)).len(), 1, "{text}");
        assert_eq!(outside_faults(&Source::new("src/events/lake.rs", text)).len(), 0, "{text}");
    }
}

#[test]
fn no_clock_is_read_below_the_edges() {
    assert_none(faults_in(&["src"], clock_faults));
}

#[test]
fn a_clock_below_the_edges_is_reported() {
    let offenders = [
        "let t = std::time::SystemTime::now();",
        "let t = Timestamp::now();",
        "let t = jiff::Zoned::now();",
        "use rand::{Rng, rng};",
    ];
    for text in offenders {
        assert_eq!(clock_faults(&Source::new("src/engine.rs", text)).len(), 1, "{text}");
        assert_eq!(clock_faults(&Source::new("src/commands/serve.rs", text)).len(), 0, "{text}");
    }
    assert_eq!(clock_faults(&Source::new("src/engine.rs", "Instant::now(); // Zoned::now()")).len(), 0);
}

#[test]
fn unsafe_appears_nowhere() {
    assert_none(faults_in(&["src"], unsafe_faults));
}

#[test]
fn an_unsafe_block_is_reported() {
    assert_eq!(unsafe_faults(&Source::new("src/lib.rs", "fn f() { unsafe { g() } }")).len(), 1);
    assert_eq!(unsafe_faults(&Source::new("src/lib.rs", "#![forbid(unsafe_code)] // unsafe")).len(), 0);
}

#[test]
fn nothing_is_left_to_be_done_later() {
    assert_none(faults_in(&["src"], unfinished_faults));
}

#[test]
fn an_unfinished_place_is_reported() {
    for text in
        ["// TODO: later", "/* (FIXME) */", "fn f() { todo!() }", "unimplemented!(\"x\")", "dbg! (x);"]
    {
        assert_eq!(unfinished_faults(&Source::new("src/lib.rs", text)).len(), 1, "{text}");
    }
    assert_eq!(unfinished_faults(&Source::new("src/lib.rs", "let todo = !dbg; // \"todo!\"")).len(), 0);
}

#[test]
fn every_error_has_a_code_and_a_kind() {
    assert_none(faults_in(&["src"], uncoded_faults));
}

#[test]
fn an_error_without_a_code_is_reported() {
    let derived = "#[derive(Debug, THIS::Error)]\n#[error(\"a: b\")]\npub struct Broken;\n";
    let derived = derived.replace("THIS", "thiserror");
    let written = "pub enum Broken {}\nimpl std::error::Error for Broken {}\n";
    for text in [derived.as_str(), written] {
        assert_eq!(uncoded_faults(&Source::new("src/engine/lib.rs", text)).len(), 1, "{text}");
        let coded = format!("{text}impl Coded for Broken {{}}");
        assert_eq!(uncoded_faults(&Source::new("src/engine/lib.rs", &coded)).len(), 0, "{coded}");
    }
}

#[test]
fn the_text_of_every_error_begins_with_a_code_that_its_file_returns() {
    assert_none(faults_in(&["src"], text_faults));
}

#[test]
fn a_text_without_its_code_is_reported() {
    for text in [
        "#[error(\"it failed\")]",
        "#[error(\"Failed: {0}\")]",
        "#[error(\n    \"no_rows: {0}\",\n    x\n)] \"no_row\"",
    ] {
        assert_eq!(text_faults(&Source::new("src/engine/lib.rs", text)).len(), 1, "{text}");
    }
    for text in ["#[error(transparent)]", "#[error(\"{0}\")]", "#[error(\"no_rows: {0}\")] => \"no_rows\","] {
        assert_eq!(text_faults(&Source::new("src/engine/lib.rs", text)).len(), 0, "{text}");
    }
}

#[test]
fn no_error_is_recognised_by_its_text_or_by_its_exit_status() {
    let sources = sources(&["src"]);
    let codes: BTreeSet<&str> = sources.iter().flat_map(error_codes).map(|(_, code)| code).collect();
    assert!(codes.contains("workspace_locked"), "the codes are not found: {codes:?}");
    assert_none(sources.iter().flat_map(|source| recognition_faults(source, &codes)).collect());
}

#[test]
fn an_error_that_is_recognised_by_its_text_is_reported() {
    let codes = BTreeSet::from(["no_rows"]);
    let faults = |text: &str| recognition_faults(&Source::new("src/api/lib.rs", text), &codes).len();
    for text in [
        "let code = detail.split(':').next();",
        "if error.to_string().starts_with(PREFIX) {}",
        "failure.error\n    .to_string()\n    .contains(\"rows\")",
        "if text.starts_with(\"no_rows: \") {}",
        "let rest = why.trim_start_matches(\"x\");",
        "if failure.exit() == 2 {}",
        "if failure.exit() != 3 {}",
    ] {
        assert_eq!(faults(text), 1, "{text}");
    }
    for text in [
        "text.split(':')",
        "name.starts_with(\"push_\")",
        "error.code() == \"no_rows\"",
        "ExitCode::from(failure.exit())",
        "// error.to_string().contains(\"no_rows\")",
    ] {
        assert_eq!(faults(text), 0, "{text}");
    }
}

#[test]
fn every_file_opens_with_a_sentence() {
    assert_none(faults_in(&["src", "tests", "benches"], opening_faults));
}

#[test]
fn a_file_without_an_opening_sentence_is_reported() {
    for text in ["use std::fmt;", "\n//! Late.", "// Not a doc comment.", "//!", "//! no end\n//!\n//! Here."]
    {
        assert_eq!(opening_faults(&Source::new("src/lib.rs", text)).len(), 1, "{text}");
    }
    for text in ["//! One line.", "//! Two\n//! lines (here).\n//!\n//! More", "//! A list:\n//! * one"] {
        assert_eq!(opening_faults(&Source::new("src/lib.rs", text)).len(), 0, "{text}");
    }
}

#[test]
fn no_function_is_longer_than_eighty_lines() {
    println!("median function of src: {} lines", median_function(&sources(&["src"])));
    assert_none(faults_in(&["src", "tests", "benches"], length_faults));
}

#[test]
fn a_function_over_eighty_lines_is_reported() {
    let function = |lines: usize| format!("fn long<'a>() {{{}}}", "\n".repeat(lines - 1));
    assert_eq!(length_faults(&Source::new("src/lib.rs", &function(LONGEST_FUNCTION + 1))).len(), 1);
    assert_eq!(length_faults(&Source::new("src/lib.rs", &function(LONGEST_FUNCTION))).len(), 0);
}

#[test]
fn functions_are_measured_between_their_own_braces() {
    let text = "trait T { fn none(&self); }\nfn one(f: fn(u8)) { '{'; \"{\"; /* { */ r#\"{\"#; }\n\
                fn three(x: [u8; { 2 }]) {\n    fn inner() {}\n}\n";
    let found: Vec<_> = functions(text).into_iter().map(|f| (f.name, f.line, f.lines)).collect();
    assert_eq!(found, [("one".into(), 2, 1), ("three".into(), 3, 3), ("inner".into(), 4, 1)]);
    assert_eq!(median_function(&[Source::new("src/lib.rs", text)]), 1);
}

#[test]
fn a_type_name_means_one_thing_in_a_crate() {
    let sources = sources(&["src"]);
    assert!(sources.iter().flat_map(types).count() > 500, "types are not found");
    assert_none(repeated_types(&sources));
}

#[test]
fn a_type_name_with_two_meanings_is_reported() {
    let sources = [
        Source::new(
            "src/events/lib.rs",
            "pub struct Row;\npub(super) enum Event<'a> { struct_like { a: &'a u8 } }",
        ),
        Source::new(
            "src/events/formats/csv.rs",
            "// struct Event;\n\ntype Row = Vec<u8>;\nmod own { struct Event; }",
        ),
        Source::new(
            "src/models/lib.rs",
            "struct Row;\nfn f() { struct Event; }\nimpl I for Row { type Event = u8; }",
        ),
    ];
    let found = repeated_types(&sources);
    assert_eq!(found, ["src/events/formats/csv.rs:3: `Row` is also the name of src/events/lib.rs:1"]);
}

#[test]
fn the_top_level_is_fixed() {
    let names = top_level(&repository_files());
    assert!(names.contains("Cargo.toml"), "the listing is incomplete: {names:?}");
    assert_none(stray_names(&names));
}

#[test]
fn a_stray_name_at_the_top_is_reported() {
    let names = ["src", "Cargo.toml", ".github", "benches", "docs", "build.rs"].map(String::from).into();
    assert_eq!(stray_names(&names), ["build.rs", "docs"]);
}

#[test]
fn no_file_names_a_path_of_somebodys_machine() {
    let files = repository_files();
    let texts = files.iter().filter_map(|path| Source::read(path)).collect::<Vec<_>>();
    assert!(texts.len() > 5, "only {} text files were read", texts.len());
    assert_none(texts.iter().flat_map(machine_path_faults).collect());
}

#[test]
fn a_path_of_a_machine_is_reported() {
    let work = concat!("/wo", "rk/");
    let root = concat!("/ro", "ot/");
    for text in [format!("open(\"{work}main\")"), format!("{root}.cargo/bin"), format!("PATH={work}x")] {
        assert_eq!(machine_path_faults(&Source::new("README.md", &text)).len(), 1, "{text}");
    }
    for text in [format!("https://example.org{work}x"), format!("./data{root}x"), "a / work / b".to_string()]
    {
        assert_eq!(machine_path_faults(&Source::new("README.md", &text)).len(), 0, "{text}");
    }
}

#[test]
fn the_lexer_blanks_comments_and_literals_and_keeps_lines() {
    let text =
        "a /* b /* c */ d */ e // f\n\"g\\\" h\n\" 'i' b'\\'' 'j: k<'l, 'm> r##\"n\"# o\"## br\"p\\\" q r#s";
    let words: Vec<_> = tokens(text).into_iter().filter(Token::is_word).map(|t| (t.text, t.line)).collect();
    let expected =
        [("a", 1), ("e", 1), ("b", 3), ("j", 3), ("k", 3), ("l", 3), ("m", 3), ("q", 3), ("r#s", 3)];
    assert_eq!(words, expected.map(|(word, line)| (word.to_string(), line)));
}

// ---- the checkers ----

/// Dependencies against the order of the crates, and crates that the order does not name.
fn dependency_faults(manifest: &Source) -> Vec<String> {
    let room = manifest.room();
    let Some(position) = ROOMS.iter().position(|name| *name == room) else {
        return vec![manifest.fault(1, &format!("`{room}` is not a crate of src"))];
    };
    let above = if PURE_ROOMS.contains(&room) { &ROOMS[..1] } else { &ROOMS[..position] };
    let table: toml::Table = manifest.text.parse().expect("a manifest is TOML");
    let named =
        table.get("dependencies").and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::keys);
    named
        .filter(|name| ROOMS.contains(&name.as_str()) && !above.contains(&name.as_str()))
        .map(|name| manifest.fault(1, &format!("`{room}` must not depend on `{name}`")))
        .collect()
}

/// Crates, and the async keywords, outside the places that own them.
fn crate_faults(source: &Source) -> Vec<String> {
    let named = mentions(source).into_iter().filter_map(|mention| {
        let (name, places) = CRATE_PLACES.iter().find(|(name, _)| mention.names_crate(name))?;
        let fault = source.fault(mention.line, &format!("`{name}` may stand only in {places:?}"));
        (!source.stands_in(places)).then_some(fault)
    });
    let keywords = tokens(&source.text).into_iter().filter(|token| matches!(&*token.text, "async" | "await"));
    let asynchronous = keywords.filter(|_| !source.stands_in(&ASYNC_PLACES)).map(|token| {
        source.fault(token.line, &format!("`{}` may stand only in {ASYNC_PLACES:?}", token.text))
    });
    named.chain(asynchronous).collect()
}

/// Ways out of the process, named in a room that must be pure.
fn outside_faults(source: &Source) -> Vec<String> {
    if source.room() != "domain" && !PURE_ROOMS.contains(&source.room()) {
        return Vec::new();
    }
    let leaves = |path: &[String]| {
        path.first().is_some_and(|first| first == "std")
            && path.get(1).is_some_and(|second| OUTSIDE_MODULES.contains(&second.as_str()))
    };
    mentions(source)
        .iter()
        .filter(|mention| leaves(&mention.path))
        .map(|mention| source.fault(mention.line, &format!("`{}` in a pure room", mention.path.join("::"))))
        .collect()
}

/// Clocks and unseeded randomness outside the edges, where `now` and the seed become arguments.
fn clock_faults(source: &Source) -> Vec<String> {
    if source.stands_in(&CLOCK_PLACES) {
        return Vec::new();
    }
    let reads_clock = |path: &[String]| {
        path.windows(2).any(|pair| CLOCK_CALLS.contains(&(pair[0].as_str(), pair[1].as_str())))
    };
    mentions(source)
        .iter()
        .filter(|mention| reads_clock(&mention.path))
        .map(|mention| source.fault(mention.line, &format!("`{}` below the edges", mention.path.join("::"))))
        .collect()
}

/// The keyword `unsafe`.
fn unsafe_faults(source: &Source) -> Vec<String> {
    let found = tokens(&source.text).into_iter().filter(|token| token.text == "unsafe");
    found.map(|token| source.fault(token.line, "`unsafe` is used")).collect()
}

/// Notes to oneself in comments, and the macros that stand for missing code.
fn unfinished_faults(source: &Source) -> Vec<String> {
    let tokens = tokens(&source.text);
    let macros = tokens
        .windows(2)
        .filter(|pair| matches!(&*pair[0].text, "todo" | "unimplemented" | "dbg") && pair[1].text == "!");
    let macros = macros.map(|pair| source.fault(pair[0].line, &format!("`{}!` is left", pair[0].text)));
    let is_note =
        |line: &str| line.split(|c| !is_word_character(c)).any(|word| matches!(word, "TODO" | "FIXME"));
    let notes = source.numbered_lines().filter(|(_, line)| is_note(line));
    macros.chain(notes.map(|(number, line)| source.fault(number, line.trim()))).collect()
}

/// Types of errors without `impl Coded` in their file.
fn uncoded_faults(source: &Source) -> Vec<String> {
    let tokens = tokens(&source.text);
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let begins =
        |at: usize, words: &[&str]| words.iter().enumerate().all(|(place, word)| text(at + place) == *word);
    let is_type = |at: &usize| matches!(text(*at), "enum" | "struct");
    let derived = (0..tokens.len()).filter(|at| begins(*at, &["thiserror", "::", "Error"]));
    let derived = derived.filter_map(|at| (at..tokens.len()).find(is_type).map(|at| at + 1));
    let written = (0..tokens.len()).filter(|at| begins(*at, &["Error", "for"])).map(|at| at + 2);
    let is_coded = |name: &str| (0..tokens.len()).any(|at| begins(at, &["Coded", "for", name]));
    let uncoded = derived.chain(written).filter(|at| !is_coded(text(*at)));
    uncoded.map(|at| source.fault(tokens[at].line, &format!("`{}` is not `Coded`", text(at)))).collect()
}

/// The codes that texts of errors begin with, each with its line; empty for a text that begins without one.
fn error_codes(source: &Source) -> impl Iterator<Item = (usize, &str)> {
    const START: &str = "#[error(";
    source.text.match_indices(START).filter_map(|(at, _)| {
        let text = source.text[at + START.len()..].trim_start().strip_prefix('"')?;
        let code = text.split([':', '"']).next().unwrap_or_default();
        let is_code = code.starts_with(|c: char| c.is_ascii_lowercase())
            && code.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        let line = source.text[..at].matches('\n').count() + 1;
        (!code.starts_with('{')).then_some((line, if is_code { code } else { "" }))
    })
}

/// Texts of errors that begin without a code, or with one that no function of the file returns.
fn text_faults(source: &Source) -> Vec<String> {
    let is_returned = |code: &str| source.text.contains(&format!("\"{code}\""));
    error_codes(source)
        .filter(|(_, code)| code.is_empty() || !is_returned(code))
        .map(|(line, code)| {
            source.fault(line, &format!("the text begins with {code:?}, which is no code here"))
        })
        .collect()
}

/// Questions to the text of an error, or to an exit status, where its code or its kind should be asked.
fn recognition_faults(source: &Source, codes: &BTreeSet<&str>) -> Vec<String> {
    let tokens = tokens(&source.text);
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let is_question = |at: &usize| text(*at) == "." && READING.contains(&text(at + 1)) && text(at + 2) == "(";
    // `error.contains(…)` and `error.to_string().contains(…)`.
    let asked = |at: usize| if text(at - 1) == ")" { text(at.saturating_sub(5)) } else { text(at - 1) };
    let read = (1..tokens.len()).filter(is_question).filter(|at| ERRORS.contains(&asked(*at)));
    let compared = (1..tokens.len()).filter(|at| {
        let words = [text(*at), text(at + 1), text(at + 2), text(at + 4)];
        words == ["exit", "(", ")", "="] && matches!(text(at + 3), "=" | "!")
    });
    let lines = read.chain(compared).map(|at| tokens[at].line);
    let begins =
        |line: &str, code: &str| READING.iter().any(|word| line.contains(&format!(".{word}(\"{code}")));
    let coded = source.numbered_lines().filter(|(_, line)| {
        let code = line.split_once("//").map_or(*line, |(code, _)| code);
        codes.iter().filter(|code| code.contains('_')).any(|known| begins(code, known))
    });
    let lines: BTreeSet<usize> = lines.chain(coded.map(|(line, _)| line)).collect();
    lines.into_iter().map(|line| source.fault(line, "asks the text of an error, or an exit status")).collect()
}

/// A file whose first line does not begin a sentence of module documentation.
fn opening_faults(source: &Source) -> Vec<String> {
    let first_paragraph: Vec<_> =
        source.text.lines().map_while(|line| line.strip_prefix("//! ")).map(str::trim).collect();
    let ends = |line: &str| line.trim_end_matches(['"', ')', '*', '_', '`']).ends_with(['.', ':', '!', '?']);
    let is_sentence = first_paragraph.iter().any(|line| ends(line));
    if is_sentence { Vec::new() } else { vec![source.fault(1, "does not open with a `//!` sentence")] }
}

/// Functions a reader cannot see at once.
fn length_faults(source: &Source) -> Vec<String> {
    let long = functions(&source.text).into_iter().filter(|function| function.lines > LONGEST_FUNCTION);
    long.map(|f| source.fault(f.line, &format!("`{}` has {} lines", f.name, f.lines))).collect()
}

/// Types of one crate that have the name of another type of it, which a reader would have to tell apart by their modules.
fn repeated_types(sources: &[Source]) -> Vec<String> {
    let mut first = BTreeMap::new();
    let mut found = Vec::new();
    for source in sources {
        for (name, line) in types(source) {
            let definition = format!("{}:{line}", source.path);
            match first.entry((source.room(), name.clone())) {
                Entry::Vacant(entry) => drop(entry.insert(definition)),
                Entry::Occupied(entry) => {
                    found.push(source.fault(line, &format!("`{name}` is also the name of {}", entry.get())));
                }
            }
        }
    }
    found
}

/// The types that a file defines outside of functions, blocks and inline modules, with their lines.
fn types(source: &Source) -> Vec<(String, usize)> {
    let tokens = tokens(&source.text);
    let (mut depth, mut found) = (0_usize, Vec::new());
    for (at, token) in tokens.iter().enumerate() {
        match &*token.text {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth = depth.saturating_sub(1),
            "struct" | "enum" | "trait" | "type" | "union" if depth == 0 => {
                found.extend(
                    tokens
                        .get(at + 1)
                        .filter(|name| name.is_word())
                        .map(|name| (name.text.clone(), name.line)),
                );
            }
            _ => {}
        }
    }
    found
}

/// Absolute paths that exist on one machine only.
fn machine_path_faults(source: &Source) -> Vec<String> {
    let found = source.numbered_lines().filter(|(_, line)| names_machine_path(line));
    found.map(|(number, line)| source.fault(number, line.trim())).collect()
}

/// True when a machine's directory stands at the start of a path; inside a longer path or an address it is innocent.
fn names_machine_path(line: &str) -> bool {
    let continues = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '~' | '}' | ')');
    [concat!("/wo", "rk/"), concat!("/ro", "ot/")]
        .iter()
        .any(|directory| line.match_indices(directory).any(|(at, _)| !line[..at].ends_with(continues)))
}

/// Names at the top of the repository that do not belong there.
fn stray_names(names: &BTreeSet<String>) -> Vec<String> {
    let belongs = |name: &str| name.starts_with('.') || TOP_LEVEL.contains(&name);
    names.iter().filter(|name| !belongs(name)).cloned().collect()
}

/// The middle length of all functions, the figure the style of the project is held to by eye.
fn median_function(sources: &[Source]) -> usize {
    let mut lengths: Vec<_> = sources.iter().flat_map(|s| functions(&s.text)).map(|f| f.lines).collect();
    lengths.sort_unstable();
    lengths.get(lengths.len() / 2).copied().unwrap_or(0)
}

/// Fails with one fault a line, so that all are seen at once.
fn assert_none(faults: Vec<String>) {
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// One checker over every Rust file of some top-level folders.
fn faults_in(folders: &[&str], checker: fn(&Source) -> Vec<String>) -> Vec<String> {
    sources(folders).iter().flat_map(checker).collect()
}

// ---- files ----

/// A text file of the repository; `path` is relative to the root, with `/` between its parts.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_string(), text: text.to_string() }
    }

    /// Nothing for binary files and for tracked files that have been deleted.
    fn read(path: &str) -> Option<Self> {
        let text = fs::read_to_string(root().join(path)).ok()?;
        Some(Self::new(path, &text))
    }

    /// The parts of the module path without the crate: `src/events/formats/csv.rs` is `events, formats, csv`.
    fn place(&self) -> Vec<&str> {
        let path = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        path.trim_end_matches("/mod").split('/').collect()
    }

    fn room(&self) -> &str {
        self.place()[0]
    }

    fn stands_in(&self, places: &[&str]) -> bool {
        let own = self.place();
        places.iter().any(|place| own.starts_with(&place.split('/').collect::<Vec<_>>()))
    }

    /// The absolute module path of the file, `crate` first.
    fn module(&self) -> Vec<String> {
        let place = self.place().into_iter().filter(|part| !ROOTS.contains(part));
        iter::once("crate").chain(place).map(String::from).collect()
    }

    fn numbered_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }

    fn fault(&self, line: usize, message: &str) -> String {
        format!("{}:{line}: {message}", self.path)
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file under some top-level folders, sorted; a listing without any would make every rule hold.
fn sources(folders: &[&str]) -> Vec<Source> {
    let mut paths = Vec::new();
    for folder in folders {
        walk(&root().join(folder), &|_| false, &mut paths);
    }
    paths.retain(|path| path.ends_with(".rs"));
    paths.sort();
    assert!(!paths.is_empty(), "no Rust file under {folders:?}");
    paths.iter().map(|path| Source::read(path).expect("Rust files are UTF-8")).collect()
}

/// The manifests of the crates of `src`, sorted.
fn manifests() -> Vec<Source> {
    let mut paths = Vec::new();
    walk(&root().join("src"), &|_| false, &mut paths);
    paths.retain(|path| path.ends_with("/Cargo.toml"));
    paths.sort();
    paths.iter().map(|path| Source::read(path).expect("manifests are UTF-8")).collect()
}

/// The files the repository holds: what git tracks, or without git (or before the first commit) what lies there
/// apart from the products of a build and of the commands.
fn repository_files() -> Vec<String> {
    let tracked = tracked_files();
    if !tracked.is_empty() {
        return tracked;
    }
    let is_product = |path: &str| matches!(path, ".git" | "target" | "data");
    let mut paths = Vec::new();
    walk(root(), &is_product, &mut paths);
    paths
}

/// Empty when git is absent, or when the folder is not a checkout.
fn tracked_files() -> Vec<String> {
    let output = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output();
    let listing = output.ok().filter(|output| output.status.success()).map(|output| output.stdout);
    let listing = String::from_utf8(listing.unwrap_or_default()).expect("file names are UTF-8");
    listing.split_terminator('\0').map(String::from).collect()
}

/// Appends the paths of all files under `folder`, relative to the root; a missing folder has none.
fn walk(folder: &Path, is_skipped: &dyn Fn(&str) -> bool, paths: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.expect("the folder can be listed").path()) {
        let name = relative(&path);
        if is_skipped(&name) {
            continue;
        } else if path.is_dir() {
            walk(&path, is_skipped, paths);
        } else {
            paths.push(name);
        }
    }
}

fn relative(path: &Path) -> String {
    let below: PathBuf = path.strip_prefix(root()).expect("the path lies under the root").into();
    below.to_string_lossy().replace('\\', "/")
}

/// The first part of every path.
fn top_level(paths: &[String]) -> BTreeSet<String> {
    paths.iter().filter_map(|path| path.split('/').next()).map(String::from).collect()
}

// ---- functions ----

/// A function with a body; `lines` counts from `fn` to the closing brace, both included.
struct Function {
    name: String,
    line: usize,
    lines: usize,
}

/// All functions of a file, nested ones too, in the order they begin.
fn functions(text: &str) -> Vec<Function> {
    let tokens = tokens(text);
    let starts =
        (0..tokens.len().saturating_sub(1)).filter(|&at| tokens[at].text == "fn" && tokens[at + 1].is_word());
    starts.filter_map(|at| function(&tokens[at..])).collect()
}

/// The function whose `fn` is the first token; none when it is only declared.
fn function(tokens: &[Token]) -> Option<Function> {
    let mut depth = 0_usize;
    let mut is_body = false;
    for token in tokens {
        match &*token.text {
            ";" if depth == 0 => return None,
            "{" | "(" | "[" => {
                is_body |= token.text == "{" && depth == 0;
                depth += 1;
            }
            "}" | ")" | "]" => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if is_body && depth == 0 {
            let (name, line) = (tokens[1].text.clone(), tokens[0].line);
            return Some(Function { name, line, lines: token.line - line + 1 });
        }
    }
    None
}

// ---- paths ----

/// One path named in the code, groups spelled out: `use a::{b, c::d}` names `a::b` and `a::c::d`.
/// Paths into our own crate are absolute and begin with `crate`, however they were written.
struct Mention {
    path: Vec<String>,
    line: usize,
    is_import: bool,
}

impl Mention {
    /// A lone name is a crate only when it is imported; otherwise it is a local variable.
    fn names_crate(&self, name: &str) -> bool {
        let of_family = |first: &str| {
            first.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        };
        (self.is_import || self.path.len() > 1) && self.path.first().is_some_and(|first| of_family(first))
    }
}

/// Every path a file names, in code only.
fn mentions(source: &Source) -> Vec<Mention> {
    let tokens = tokens(&source.text);
    let mut reader = PathReader {
        tokens: &tokens,
        at: 0,
        depth: 0,
        module: source.module(),
        inline: Vec::new(),
        mentions: Vec::new(),
    };
    while reader.at < tokens.len() {
        reader.step();
    }
    reader.mentions
}

/// Walks over the tokens and knows the module it stands in, since `super` means something else in an inline `mod`.
struct PathReader<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: usize,
    module: Vec<String>,
    /// The depth of braces at which each open inline module began.
    inline: Vec<usize>,
    mentions: Vec<Mention>,
}

impl PathReader<'_> {
    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| token.text.as_str())
    }

    fn step(&mut self) {
        match self.text(self.at) {
            "mod" if self.text(self.at + 2) == "{" => self.enter_module(),
            "{" => self.depth += 1,
            "}" => self.close_brace(),
            _ if self.begins_path() => return self.read_path(),
            _ => {}
        }
        self.at += 1;
    }

    /// Leaves the opening brace to the next step, which counts it.
    fn enter_module(&mut self) {
        self.module.push(self.text(self.at + 1).to_string());
        self.inline.push(self.depth);
        self.at += 1;
    }

    fn close_brace(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        if self.inline.last() == Some(&self.depth) {
            self.inline.pop();
            self.module.pop();
        }
    }

    /// Fields and methods come after a dot; a word after `::` continues a path with generic arguments.
    fn begins_path(&self) -> bool {
        let before = if self.at == 0 { "" } else { self.text(self.at - 1) };
        let token = &self.tokens[self.at];
        let is_keyword = KEYWORDS.contains(&token.text.as_str());
        (token.is_word() || token.text == "::") && !is_keyword && !matches!(before, "." | "::")
    }

    fn read_path(&mut self) {
        let is_import = self.at > 0 && matches!(self.text(self.at - 1), "use" | "crate");
        if self.text(self.at) == "::" {
            self.at += 1;
        }
        self.read_tree(Vec::new(), is_import);
    }

    /// Reads `a::b`, `a::*` or `a::{…}` after a prefix that has been read.
    fn read_tree(&mut self, mut path: Vec<String>, is_import: bool) {
        let line = self.tokens.get(self.at).map_or(0, |token| token.line);
        loop {
            match self.text(self.at) {
                "{" => return self.read_group(&path, is_import),
                "*" => path.push("*".to_string()),
                word if word.starts_with(is_word_character) => path.push(word.to_string()),
                _ => break,
            }
            self.at += 1;
            if self.text(self.at) != "::" {
                break;
            }
            self.at += 1;
        }
        let path = self.absolute(path);
        self.mentions.push(Mention { path, line, is_import });
    }

    fn read_group(&mut self, prefix: &[String], is_import: bool) {
        self.at += 1;
        while self.at < self.tokens.len() && self.text(self.at) != "}" {
            match self.text(self.at) {
                "as" => self.at += 2,
                text if text.starts_with(|c| is_word_character(c) || matches!(c, '*' | '{')) => {
                    self.read_tree(prefix.to_vec(), is_import);
                }
                _ => self.at += 1,
            }
        }
        self.at += 1;
    }

    /// Resolves `smartpush`, `self` and any number of `super`s.
    fn absolute(&self, path: Vec<String>) -> Vec<String> {
        match path.first().map_or("", String::as_str) {
            "smartpush" => iter::once("crate".to_string()).chain(path.into_iter().skip(1)).collect(),
            "self" | "super" => {
                let mut module = self.module.clone();
                for part in path {
                    match part.as_str() {
                        "self" => {}
                        "super" => drop(module.pop()),
                        _ => module.push(part),
                    }
                }
                module
            }
            _ => path,
        }
    }
}

// ---- tokens ----

/// A word, a `::` or one other character of code, with its line from 1.
struct Token {
    text: String,
    line: usize,
}

impl Token {
    fn is_word(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

fn is_word_character(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The code of a file without its comments, strings and characters.
fn tokens(text: &str) -> Vec<Token> {
    let characters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut rest = characters.as_slice();
    while let Some(first) = rest.first() {
        let skipped = if first.is_whitespace() { 1 } else { blank_length(rest) };
        let length = if skipped > 0 { skipped } else { token_length(rest) };
        let (taken, remaining) = rest.split_at(length.min(rest.len()));
        if skipped == 0 {
            tokens.push(Token { text: taken.iter().collect(), line });
        }
        line += taken.iter().filter(|c| **c == '\n').count();
        rest = remaining;
    }
    tokens
}

/// Never zero; raw identifiers keep their `r#`, so that `r#async` is no keyword.
fn token_length(rest: &[char]) -> usize {
    let word = |from: usize| rest[from..].iter().take_while(|c| is_word_character(**c)).count();
    match rest {
        [':', ':', ..] => 2,
        ['r', '#', next, ..] if is_word_character(*next) => 2 + word(2),
        _ => word(0).max(1),
    }
}

/// The length of the comment or literal that begins here; 0 when code does.
fn blank_length(rest: &[char]) -> usize {
    match rest {
        ['/', '/', ..] => rest.iter().take_while(|c| **c != '\n').count(),
        ['/', '*', ..] => block_comment_length(rest),
        ['"', ..] => string_length(rest),
        ['\'', ..] => character_length(rest),
        ['r', ..] => raw_string_length(rest, 1),
        ['b' | 'c', 'r', ..] => raw_string_length(rest, 2),
        _ => 0,
    }
}

/// Block comments nest.
fn block_comment_length(rest: &[char]) -> usize {
    let (mut at, mut depth) = (0, 0);
    while at < rest.len() {
        match rest[at..] {
            ['/', '*', ..] => (at, depth) = (at + 2, depth + 1),
            ['*', '/', ..] => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn string_length(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// A quote begins a character when one escape or one character stands before the next quote, else a lifetime.
fn character_length(rest: &[char]) -> usize {
    match rest {
        [_, '\\', _, tail @ ..] => 4 + tail.iter().take_while(|c| **c != '\'').count(),
        [_, _, '\'', ..] => 3,
        _ => 0,
    }
}

/// `prefix` is the length of `r`, `br` or `cr`; 0 when a plain word begins with these letters.
fn raw_string_length(rest: &[char], prefix: usize) -> usize {
    let hashes = rest[prefix..].iter().take_while(|c| **c == '#').count();
    let start = prefix + hashes + 1;
    if rest.get(start - 1) != Some(&'"') {
        return 0;
    }
    let closes = |at: &usize| {
        rest[*at] == '"' && rest[at + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes
    };
    (start..rest.len()).find(closes).map_or(rest.len(), |at| at + 1 + hashes)
}
