//! Data that went wrong, each stopped by name: a month of the sample, mutated as pipelines mutate it, and what stops it.

mod month;
mod stopped;
mod table;

use crate::support::ingesting::{InputDirectory, RunOutcome};
use stopped::stopped_by;
use table::{MUTATIONS, Mutation};

#[test]
fn the_month_as_it_is_passes_every_check() {
    assert_eq!(stopped_by(&month::events().to_csv(), "events.csv"), Vec::<String>::new());
}

#[test]
fn what_only_looks_wrong_passes_too() {
    for (what, bytes) in table::harmless() {
        assert_eq!(stopped_by(&bytes, "events.csv"), Vec::<String>::new(), "{what}");
    }
}

#[test]
fn every_mutation_is_stopped_by_its_name() {
    assert!(MUTATIONS.len() >= 30, "{} mutations", MUTATIONS.len());
    let failure = |mutation: &Mutation| {
        let (bytes, file) = mutation.bytes();
        let names = stopped_by(&bytes, file);
        let is_stopped = names.iter().any(|name| name == mutation.stopped_by);
        (!is_stopped).then(|| format!("{}: {names:?} instead of {}", mutation.what, mutation.stopped_by))
    };
    let failures: Vec<String> = MUTATIONS.iter().filter_map(failure).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The month in a workspace with these settings.
fn month(settings: &str) -> InputDirectory {
    let directory = InputDirectory::new();
    let taken =
        directory.ingest_bytes("events.csv", month::events().to_csv(), &["--time-zone", "America/New_York"]);
    assert_eq!(taken.count("rejected"), 0, "{taken:?}");
    std::fs::write(directory.workspace().join("smartpush.toml"), settings).unwrap();
    directory
}

fn health(directory: &InputDirectory, arguments: &[&str]) -> RunOutcome {
    RunOutcome::of(&directory.command(&[&["health"], arguments].concat()).output().unwrap())
}

#[test]
fn the_day_the_shops_were_closed_is_named_until_somebody_says_that_he_knows() {
    let directory = month("");
    let outcome = health(&directory, &["--as-of", "2017-12-26"]);
    assert_eq!(outcome.exit, Some(3), "{outcome:?}");
    assert_eq!(outcome.json["failed"], serde_json::json!(["volume_like_before"]));
    let checks = outcome.json["checks"].as_array().unwrap();
    let failure = checks.iter().rfind(|check| check["passed"] == false).unwrap();
    assert_eq!(failure["day"], "2017-12-25");
    assert!(failure["found"].as_str().unwrap().starts_with("0 "), "{failure}");
    assert!(failure["expected"].as_str().unwrap().contains("on the same weekday"), "{failure}");
    assert!(outcome.stderr.contains("unhealthy_data: volume_like_before"), "{}", outcome.stderr);
    let directory = month("[health]\nknown_days = [\"2017-12-25\"]\n");
    assert_eq!(health(&directory, &["--as-of", "2017-12-26"]).exit, Some(0));
}

#[test]
fn a_lake_too_young_to_know_what_is_usual_passes() {
    let outcome = health(&month(""), &["--as-of", "2017-12-10", "--days", "5"]);
    assert_eq!(outcome.exit, Some(0), "{outcome:?}");
    assert_eq!(outcome.json["days"].as_array().unwrap().len(), 33, "{outcome:?}");
}

#[test]
fn a_report_is_the_same_whatever_the_order_of_the_files_rows() {
    let reversed = InputDirectory::new();
    let mut table = month::events();
    table.rows.reverse();
    reversed.ingest_bytes("events.csv", table.to_csv(), &["--time-zone", "America/New_York"]);
    let report = |directory: &InputDirectory| health(directory, &["--as-of", month::END, "--days", "7"]).json;
    assert_eq!(report(&reversed), report(&month("")));
}
