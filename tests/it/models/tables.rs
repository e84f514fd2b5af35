//! A column of any table as a goal: read, split by time, calibrated on the newest rows, gated, scored; and its uplift.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use domain::error::ErrorKind::Caller;
use smartpush::models::table::TableGoalError;
use smartpush::operations::table::TableCommandError;

use crate::support::coded::{check, check_passed_on};
use crate::support::draws::Draws;
use crate::support::smartpush;

/// A table of customers whose share of buyers is given at each position.
fn customers(rows: usize, rate: impl Fn(f64) -> f64) -> Vec<[String; 5]> {
    let mut draws = Draws::new(7);
    let jobs = ["clerk", "student", "retired", "farmer"];
    let row = |index: usize| {
        let (age, job) = (draws.between(18.0, 80.0).floor(), draws.choice(&[0.5, 0.2, 0.2, 0.1]));
        let visits = f64::from(draws.poisson(2.0));
        let lean = 0.9 * (visits - 2.0) / 1.4 + [-0.5, 0.8, 0.4, -0.2][job];
        let base = rate(index as f64 / rows as f64);
        let odds = (base / (1.0 - base)).ln() - 0.45 + lean;
        let bought = draws.uniform() < 1.0 / (1.0 + (-odds).exp());
        let age = if draws.uniform() < 0.05 { String::new() } else { age.to_string() };
        let label = if bought { "yes" } else { "no" };
        [age, jobs[job].to_string(), visits.to_string(), index.to_string(), label.to_string()]
    };
    (0..rows).map(row).collect()
}

fn text_of(rows: &[[String; 5]], separator: &str) -> String {
    let mut text = ["age", "job", "visits", "at", "bought"].join(separator) + "\n";
    rows.iter().for_each(|row| writeln!(text, "{}", row.join(separator)).unwrap());
    text
}

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// What a run printed, and its exit code.
    fn run(&self, arguments: &[&str]) -> (Value, i32) {
        let all: Vec<&str> = ["--json"].into_iter().chain(arguments.iter().copied()).collect();
        let output = smartpush(&self.0.path().join("workspace"), &all);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!errors.contains("panicked"), "{errors}");
        let json = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{arguments:?}: {text:?} {errors}"));
        (json, output.status.code().unwrap())
    }

    fn train(&self, file: &Path, more: &[&str]) -> (Value, i32) {
        let file = file.to_str().unwrap();
        let arguments: Vec<&str> =
            ["train", "--table", file, "--label", "bought"].into_iter().chain(more.iter().copied()).collect();
        self.run(&arguments)
    }
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn error_of(json: &Value) -> &str {
    json["error"].as_str().unwrap_or_else(|| panic!("{json} has no error"))
}

#[test]
fn a_table_whose_base_rate_rises_from_6_to_31_percent_is_calibrated_on_its_newest_part() {
    let place = Place::new();
    let rows = customers(9_000, |at| if at < 0.8 { 0.06 } else { 0.31 });
    let (report, exit) = place.train(&place.file("bank.csv", &text_of(&rows, ";")), &["--exclude", "at"]);
    assert_eq!(exit, 0, "{report}");
    assert_eq!(report["goal"], "bank");
    let (ece, frozen) =
        (number(&report["metrics"]["ece"]["value"]), number(&report["frozen"]["ece"]["value"]));
    assert!(ece <= 0.06, "the calibration error is {ece}");
    assert!(frozen > 0.12, "without the newest rows the calibration error was only {frozen}");
    assert!(number(&report["metrics"]["auc"]["value"]) > 0.7, "{}", report["metrics"]);
    let loss = |name: &str| number(&report["metrics"][name]["value"]);
    assert!(loss("log_loss") < loss("base_rate_log_loss"));
}

#[test]
fn separators_and_formats_of_a_table_change_nothing() {
    let place = Place::new();
    let rows = customers(1_500, |_| 0.3);
    let comma = place.train(&place.file("a.csv", &text_of(&rows, ",")), &["--goal", "same"]).0;
    let semicolon = place.train(&place.file("b.csv", &text_of(&rows, ";")), &["--goal", "same"]).0;
    let mut lines = String::new();
    for [age, job, visits, at, label] in &rows {
        let age = if age.is_empty() { "null" } else { age };
        let flag = label == "yes";
        let line =
            format!("{{\"age\":{age},\"job\":\"{job}\",\"visits\":{visits},\"at\":{at},\"bought\":{flag}}}");
        writeln!(lines, "{line}").unwrap();
    }
    let json = place.train(&place.file("c.jsonl", &lines), &["--goal", "same"]).0;
    assert_eq!(comma["version"], semicolon["version"]);
    assert_eq!(comma["metrics"], json["metrics"]);
    assert_eq!(comma["version"], json["version"]);
}

#[test]
fn rows_are_learned_in_the_order_of_the_time_column() {
    let place = Place::new();
    let mut rows = customers(2_000, |at| 0.1 + 0.3 * at);
    let stamp = |at: &str| {
        let minute: u32 = at.parse().unwrap();
        format!("2020-01-{:02}T{:02}:{:02}:00Z", 1 + minute / 1440, minute / 60 % 24, minute % 60)
    };
    rows.iter_mut().for_each(|row| row[3] = stamp(&row[3]));
    let ordered = place.train(&place.file("a.csv", &text_of(&rows, ",")), &["--goal", "a", "--time", "at"]).0;
    let mut shuffled: Vec<[String; 5]> = rows.iter().step_by(2).cloned().collect();
    shuffled.extend(rows.iter().skip(1).step_by(2).cloned());
    let sorted =
        place.train(&place.file("b.csv", &text_of(&shuffled, ",")), &["--goal", "a", "--time", "at"]).0;
    let as_they_lie =
        place.train(&place.file("b.csv", &text_of(&shuffled, ",")), &["--goal", "b", "--exclude", "at"]).0;
    assert_eq!(ordered["version"], sorted["version"]);
    assert_ne!(ordered["metrics"], as_they_lie["metrics"]);
    assert_eq!(ordered["as_of"], "2020-01-02T09:19:00.000001Z");
    assert_eq!(ordered["split"]["test"]["to"], "2020-01-02T09:19:00Z");
}

#[test]
fn a_column_that_tells_the_label_is_refused_until_it_is_excluded() {
    let place = Place::new();
    let mut rows = customers(2_000, |_| 0.3);
    rows.iter_mut().for_each(|row| row[3] = if row[4] == "yes" { "12.5".into() } else { "0".into() });
    let file = place.file("calls.csv", &text_of(&rows, ","));
    let (leaking, exit) = place.train(&file, &[]);
    assert_eq!(exit, 3, "{leaking}");
    let gate = leaking["gate"].as_array().unwrap();
    let line = gate.iter().find(|line| line["name"] == "no_input_tells_the_outcome").unwrap();
    assert_eq!(line["passed"], false, "{line}");
    let (without, exit) = place.train(&file, &["--exclude", "at"]);
    assert_eq!(exit, 0, "{without}");
    assert!(without["left_out"].as_array().unwrap().iter().any(|left| left["column"] == "at"));
}

#[test]
fn labels_that_are_noise_are_refused() {
    let place = Place::new();
    let mut draws = Draws::new(3);
    let mut rows = customers(1_500, |_| 0.3);
    rows.iter_mut().for_each(|row| row[4] = if draws.uniform() < 0.3 { "1".into() } else { "0".into() });
    let (report, exit) = place.train(&place.file("noise.csv", &text_of(&rows, ",")), &["--exclude", "at"]);
    assert_eq!(exit, 3, "{report}");
    assert!(error_of(&report).starts_with("not_promoted"), "{report}");
    assert_eq!(report["promoted"], false);
}

#[test]
fn what_a_table_lacks_is_named_with_what_was_expected() {
    let place = Place::new();
    let rows = customers(300, |_| 0.3);
    let file = place.file("bank.csv", &text_of(&rows, ","));
    let cases: [(&[&str], &str, &[&str]); 4] = [
        (&["--time", "when"], "missing_column", &["--time", "\"when\"", "age, job, visits, at, bought"]),
        (&["--exclude", "duration"], "missing_column", &["--exclude", "\"duration\""]),
        (&["--time", "job"], "bad_timestamp", &["\"job\"", "--time row"]),
        (&["--goal", "Bank Calls"], "bad_goal", &["Bank Calls"]),
    ];
    for (more, code, words) in cases {
        let (report, exit) = place.train(&file, more);
        assert_eq!(exit, 2, "{more:?}: {report}");
        let error = error_of(&report);
        assert!(error.starts_with(code), "{more:?}: {error}");
        words.iter().for_each(|word| assert!(error.contains(word), "{more:?}: {error} lacks {word}"));
    }
    let (report, exit) = place.train(&place.file("engage_24h.csv", &text_of(&rows, ",")), &[]);
    assert_eq!((exit, &error_of(&report)[..16]), (2, "goal_is_declared"));
}

#[test]
fn a_label_is_yes_or_no_in_any_of_the_usual_words() {
    let place = Place::new();
    let rows = customers(1_500, |_| 0.3);
    let written = |yes: &str, no: &str, name: &str| {
        let mut rows = rows.clone();
        rows.iter_mut().for_each(|row| row[4] = if row[4] == "yes" { yes.into() } else { no.into() });
        place.train(&place.file(name, &text_of(&rows, ",")), &["--goal", "words"])
    };
    let first = written("yes", "no", "a.csv").0;
    for (yes, no, name) in [("TRUE", "FALSE", "b.csv"), ("1", "0", "c.csv"), ("Y", "N", "d.csv")] {
        assert_eq!(first["version"], written(yes, no, name).0["version"], "{yes} and {no}");
    }
    let (report, exit) = written("often", "no", "e.csv");
    assert_eq!(exit, 2);
    let error = error_of(&report);
    assert!(error.starts_with("bad_label") && error.contains("\"often\""), "{error}");
    let mut rows = rows.clone();
    rows.iter_mut().take(7).for_each(|row| row[4] = String::new());
    let report = place.train(&place.file("f.csv", &text_of(&rows, ",")), &["--goal", "words"]).0;
    assert_eq!(report["rows_without_label"], 7);
}

#[test]
fn new_rows_are_scored_by_the_champion_with_unknown_categories_and_missing_cells() {
    let place = Place::new();
    let rows = customers(3_000, |_| 0.3);
    let (report, exit) =
        place.train(&place.file("bank.csv", &text_of(&rows, ",")), &["--id", "at", "--goal", "bank"]);
    assert_eq!(exit, 0, "{report}");
    let new = "at,job,visits,age\nx1,student,6,30\nx2,astronaut,2,\nx3,clerk,0,oops\n";
    let (new, out) = (place.file("new.csv", new), place.0.path().join("scores.jsonl"));
    let score = |file: &Path| {
        place.run(&[
            "score",
            "--table",
            file.to_str().unwrap(),
            "--goal",
            "bank",
            "--out",
            out.to_str().unwrap(),
        ])
    };
    let (scored, exit) = score(&new);
    assert_eq!(
        (exit, &scored["rows"], &scored["version"]),
        (0, &Value::from(3), &report["version"]),
        "{scored}"
    );
    let text = std::fs::read_to_string(&out).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[1]["at"], "x2");
    let propensities: Vec<f64> = lines.iter().map(|line| number(&line["propensity"])).collect();
    assert!(propensities[0] > 0.6 && propensities[2] < 0.2, "{propensities:?}");
    assert!(propensities[2] < propensities[1] && propensities[1] < propensities[0], "{propensities:?}");
    let (lacking, exit) = score(&place.file("lacking.csv", "at,age\nx1,30\n"));
    assert_eq!(exit, 2);
    let error = error_of(&lacking);
    assert!(error.starts_with("missing_column") && error.contains("job, visits"), "{error}");
}

#[test]
fn a_models_list_and_card_know_a_tables_goal() {
    let place = Place::new();
    let rows = customers(2_000, |_| 0.3);
    let (report, exit) = place.train(&place.file("bank.csv", &text_of(&rows, ",")), &[]);
    assert_eq!(exit, 0, "{report}");
    let version = report["version"].as_str().unwrap();
    let (shown, exit) = place.run(&["models", "show", "--goal", "bank"]);
    assert_eq!((exit, shown["version"].as_str()), (0, Some(version)), "{shown}");
    let (unknown, exit) = place.run(&["score", "--goal", "bank", "--out", "scores.csv"]);
    assert_eq!(exit, 2, "{unknown}");
    assert!(error_of(&unknown).starts_with("table_needed"), "{unknown}");
}

/// A randomised mailing: everybody's visit is as probable as their affinity says, and the mailing adds to it by `effect`.
fn mailing(rows: usize, effect: impl Fn(f64, f64) -> f64) -> String {
    let mut draws = Draws::new(11);
    let mut text = "affinity,recency,channel,mailed,bought\n".to_string();
    for _ in 0..rows {
        let (affinity, recency) = (draws.normal(), draws.normal());
        let channel = ["web", "phone", "both"][draws.choice(&[0.4, 0.4, 0.2])];
        let mailed = draws.uniform() < 0.5;
        let organic = 1.0 / (1.0 + (1.2 - 1.1 * affinity).exp());
        let rate = organic + if mailed { effect(affinity, recency) } else { 0.0 };
        let bought = u8::from(draws.uniform() < rate.clamp(0.0, 1.0));
        writeln!(text, "{affinity:.4},{recency:.4},{channel},{},{bought}", u8::from(mailed)).unwrap();
    }
    text
}

#[test]
fn uplift_ships_where_the_treatment_changes_some_more_than_others() {
    let place = Place::new();
    let text = mailing(8_000, |_, recency| if recency > 0.0 { 0.18 } else { -0.02 });
    let file = place.file("mailing.csv", &text);
    let (report, exit) = place.train(&file, &["--treatment", "mailed"]);
    assert_eq!(exit, 0, "{report}");
    let uplift = &report["uplift"];
    assert!(number(&uplift["qini"]["low"]) > 0.0, "{uplift}");
    assert!(number(&uplift["qini"]["value"]) > number(&uplift["qini_of_propensity"]["value"]), "{uplift}");
    let out = place.0.path().join("scores.jsonl");
    let new = place.file("new.csv", "affinity,recency,channel\n0,1.5,web\n0,-1.5,web\n");
    let (scored, exit) = place.run(&[
        "score",
        "--table",
        new.to_str().unwrap(),
        "--goal",
        "mailing",
        "--out",
        out.to_str().unwrap(),
    ]);
    assert_eq!(exit, 0, "{scored}");
    let text = std::fs::read_to_string(&out).unwrap();
    let uplifts: Vec<f64> =
        text.lines().map(|line| number(&serde_json::from_str::<Value>(line).unwrap()["uplift"])).collect();
    assert!(uplifts[0] > uplifts[1] + 0.1, "{uplifts:?}");
}

#[test]
fn uplift_is_refused_where_the_treatment_changes_all_alike() {
    let place = Place::new();
    let file = place.file("mailing.csv", &mailing(4_000, |_, _| 0.05));
    let (report, exit) = place.train(&file, &["--treatment", "mailed"]);
    assert_eq!(exit, 3, "{report}");
    let failed: Vec<&str> = report["gate"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|line| line["passed"] == false)
        .map(|line| line["name"].as_str().unwrap())
        .collect();
    assert!(failed.contains(&"qini_above_zero"), "{failed:?}");
}

#[test]
fn uplift_is_refused_where_the_inputs_tell_who_was_treated() {
    let place = Place::new();
    let text = mailing(4_000, |_, recency| if recency > 0.0 { 0.18 } else { -0.02 });
    let mut draws = Draws::new(5);
    let mut chosen = String::new();
    for (index, line) in text.lines().enumerate() {
        let cells: Vec<&str> = line.split(',').collect();
        // Untreated rows with a high affinity are left out of the table.
        let is_left = index > 0 && cells[3] == "0" && cells[0].parse::<f64>().unwrap() > 0.0;
        if !is_left || draws.uniform() < 0.4 {
            writeln!(chosen, "{line}").unwrap();
        }
    }
    let (report, exit) = place.train(&place.file("chosen.csv", &chosen), &["--treatment", "mailed"]);
    assert_eq!(exit, 3, "{report}");
    let gate = report["gate"].as_array().unwrap();
    let line = gate.iter().find(|line| line["name"] == "treatment_is_random").unwrap();
    assert_eq!(line["passed"], false, "{line}");
}

#[test]
fn every_error_of_tables_has_its_code_and_kind() {
    let goal = || "bank".to_string();
    let few = TableGoalError::TooFewRows { goal: goal(), rows: 9, needed: 100 };
    let one = TableGoalError::OneClass { goal: goal(), part: "test", rows: 9, positives: 0 };
    let none = TableGoalError::NoInputs { goal: goal(), left_out: "age (excluded)".into() };
    check(&[
        (&few, "too_few_rows", Caller),
        (&one, "one_class", Caller),
        (&none, "no_inputs", Caller),
        (&TableGoalError::NotATable(goal()), "not_a_table_goal", Caller),
        (&TableCommandError::BadGoal("Bank".into()), "bad_goal", Caller),
        (&TableCommandError::Declared(goal()), "goal_is_declared", Caller),
    ]);
    check_passed_on(
        &TableCommandError::Goal(TableGoalError::NotATable(goal())),
        &TableGoalError::NotATable(goal()),
    );
}
