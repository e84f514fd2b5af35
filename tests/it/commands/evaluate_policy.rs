//! `smartpush evaluate-policy` on tables: the Open Bandit figures, every way to write a policy, and what is refused.

use std::fs;
use std::path::{Path, PathBuf};

use polars::prelude::*;
use serde_json::Value;

use crate::support::{root, smartpush, stdout_of};

const LOG: &str = "item_id,position,click,propensity_score\n\
    a,1,1,0.5\nb,1,0,0.5\na,2,0,0.25\nb,2,1,0.75\nb,1,1,0.5\na,1,0,0.5\n";
const POLICY: &str = "item_id,position,probability\na,1,0.8\nb,1,0.2\na,2,0.5\nb,2,0.5\n";

fn data(name: &str) -> String {
    root().join("tests/data/off_policy").join(name).to_str().unwrap().to_string()
}

/// A directory with files in it.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn run(folder: &Path, log: &str, policy: &str, more: &[&str]) -> std::process::Output {
    let path = |name: &str| -> PathBuf { folder.join(name) };
    let (log, policy) = (path(log), path(policy));
    let mut arguments =
        vec!["--json", "evaluate-policy", log.to_str().unwrap(), "--policy", policy.to_str().unwrap()];
    arguments.extend(more);
    smartpush(folder, &arguments)
}

fn told(folder: &Path, log: &str, policy: &str, more: &[&str]) -> Value {
    serde_json::from_str(&stdout_of(&run(folder, log, policy, more))).unwrap()
}

/// What a log and a policy that cannot be valued end with.
fn refusal(log: &str, policy: &str) -> String {
    let folder = folder(&[("log.csv", log), ("policy.csv", policy)]);
    let output = run(folder.path(), "log.csv", "policy.csv", &[]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["exit"], 2);
    json["error"].as_str().unwrap().to_string()
}

fn value(told: &Value, estimator: &str) -> f64 {
    told["estimators"][estimator]["value"].as_f64().unwrap()
}

#[test]
fn the_open_bandit_figures_come_out_to_six_digits() {
    let figures = [
        ("all", 0.00455264, 0.00477604, 1640.79, 19.6592),
        ("men", 0.00453873, 0.00460956, 2471.5, 10.6498),
        ("women", 0.00680662, 0.00680184, 1961.44, 12.4844),
    ];
    for (name, ips, snips, size, largest) in figures {
        let (log, policy) = (
            data(&format!("obd_random_{name}.csv.gz")),
            data(&format!("obd_bts_{name}_action_probabilities.csv")),
        );
        let told = told(root(), &log, &policy, &[]);
        let shown = [
            (value(&told, "ips"), ips),
            (value(&told, "snips"), snips),
            (told["effective_sample_size"].as_f64().unwrap(), size),
            (told["largest_weight"].as_f64().unwrap(), largest),
        ];
        for (ours, theirs) in shown {
            assert_eq!(format!("{ours:.5e}"), format!("{theirs:.5e}"), "{name}: {told}");
        }
        assert_eq!(told["rows"], 10_000);
    }
}

#[test]
fn the_interval_of_all_holds_what_the_policy_earned_on_line() {
    let (log, policy) = (data("obd_random_all.csv.gz"), data("obd_bts_all_action_probabilities.csv"));
    let told = told(root(), &log, &policy, &[]);
    for estimator in ["ips", "snips", "dm", "dr", "switch_dr"] {
        let figure = &told["estimators"][estimator];
        for (low, high) in [("low", "high"), ("bootstrap_low", "bootstrap_high")] {
            let (low, high) = (figure[low].as_f64().unwrap(), figure[high].as_f64().unwrap());
            assert!(low < 0.0042 && 0.0042 < high, "{estimator}: {figure}");
        }
        assert_eq!(figure["n"], 10_000);
    }
    assert_eq!(told["on_policy"]["value"], 0.0038);
    assert_eq!(told["warnings"], serde_json::json!([]));
}

#[test]
fn people_read_a_table() {
    let (log, policy) = (data("obd_random_all.csv.gz"), data("obd_bts_all_action_probabilities.csv"));
    let text = stdout_of(&smartpush(root(), &["evaluate-policy", &log, "--policy", &policy]));
    for word in [
        "ips        0.00455264",
        "snips      0.00477604",
        "1640.79",
        "19.6592",
        "on policy  0.00380000",
        "80 actions, 3 positions",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
}

/// w r of LOG's rows under POLICY: 1.6 + 0 + 0 + 2/3 + 0.4 + 0; weights 1.6, 0.4, 2, 2/3, 0.4, 1.6.
#[test]
fn every_way_to_write_a_policy_says_the_same() {
    let per_row = |first: usize| {
        let mut text = "row,action,probability\n".to_string();
        for (row, position) in [1, 1, 2, 2, 1, 1].into_iter().enumerate() {
            let (a, b) = if position == 1 { (0.8, 0.2) } else { (0.5, 0.5) };
            text += &format!("{0},a,{a}\n{0},b,{b}\n", row + first);
        }
        text
    };
    let with_decisions = |text: String| {
        let lines = text.lines().enumerate();
        lines
            .map(|(index, line)| {
                if index == 0 { format!("decision_id,{line}\n") } else { format!("d{},{line}\n", index - 1) }
            })
            .collect::<String>()
    };
    let by_decision = per_row(0)
        .replace("row,", "decision_id,")
        .lines()
        .map(
            |line| {
                if line.starts_with(char::is_numeric) { format!("d{line}\n") } else { format!("{line}\n") }
            },
        )
        .collect::<String>();
    let folder = folder(&[
        ("log.csv", LOG),
        ("decisions.csv", &with_decisions(LOG.to_string())),
        ("table.csv", POLICY),
        ("shuffled.csv", "item_id,position,probability\nb,2,0.5\na,1,0.8\na,2,0.5\nb,1,0.2\n"),
        ("from0.csv", &per_row(0)),
        ("from1.csv", &per_row(1)),
        ("by_decision.csv", &by_decision),
        ("logged.csv", "probability\n0.8\n0.2\n0.5\n0.5\n0.2\n0.8\n"),
        ("logged_rows.csv", "row,action,probability\n0,a,0.8\n1,b,0.2\n2,a,0.5\n3,b,0.5\n4,b,0.2\n5,a,0.8\n"),
    ]);
    let cases = [
        ("log.csv", "table.csv", 5),
        ("log.csv", "shuffled.csv", 5),
        ("log.csv", "from0.csv", 5),
        ("log.csv", "from1.csv", 5),
        ("decisions.csv", "by_decision.csv", 5),
        ("log.csv", "logged.csv", 2),
        ("log.csv", "logged_rows.csv", 2),
    ];
    let first = told(folder.path(), "log.csv", "table.csv", &[]);
    for (log, policy, estimators) in cases {
        let told = told(folder.path(), log, policy, &[]);
        assert!((value(&told, "ips") - (1.6 + 2.0 / 3.0 + 0.4) / 6.0).abs() < 1e-12, "{policy}: {told}");
        assert!((value(&told, "snips") - (8.0 / 3.0) / (20.0 / 3.0)).abs() < 1e-12, "{policy}: {told}");
        assert_eq!(told["estimators"].as_object().unwrap().len(), estimators, "{policy}: {told}");
        for (estimator, figure) in told["estimators"].as_object().unwrap() {
            let (ours, theirs) = (figure["value"].as_f64().unwrap(), value(&first, estimator));
            assert!((ours - theirs).abs() < 1e-12, "{policy}, {estimator}: {told}");
        }
    }
}

#[test]
fn parquet_other_names_and_users_are_read() {
    let folder = folder(&[("log.csv", LOG), ("policy.csv", POLICY)]);
    let mut log = df!(
        "arm" => ["a", "b", "a", "b", "b", "a"], "position" => [1_i64, 1, 2, 2, 1, 1],
        "paid" => [true, false, false, true, true, false], "pscore" => [0.5, 0.5, 0.25, 0.75, 0.5, 0.5],
        "user_id" => ["u1", "u1", "u2", "u2", "u3", "u3"], "anything" => [1.5; 6],
    )
    .unwrap();
    let mut policy = df!("content_id" => ["a", "b", "a", "b"], "position" => [1_i64, 1, 2, 2], "p" => [0.8, 0.2, 0.5, 0.5]).unwrap();
    smartpush::files::tables::write_parquet(&folder.path().join("log.parquet"), &mut log).unwrap();
    smartpush::files::tables::write_parquet(&folder.path().join("policy.parquet"), &mut policy).unwrap();
    let map = ["--map", "arm=action,paid=reward,p=probability"];
    let parquet = told(folder.path(), "log.parquet", "policy.parquet", &map);
    let csv = told(folder.path(), "log.csv", "policy.csv", &[]);
    assert_eq!((&parquet["units"], &csv["units"]), (&3.into(), &6.into()));
    assert!((value(&parquet, "ips") - value(&csv, "ips")).abs() < 1e-12);
    let twice = ["1", "2"].map(|seed| told(folder.path(), "log.csv", "policy.csv", &["--seed", seed]));
    assert_eq!(twice[0]["estimators"]["ips"]["low"], twice[1]["estimators"]["ips"]["low"]);
    let output = run(folder.path(), "log.csv", "policy.csv", &["--map", "nothing=reward"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("missing_column: "), "{output:?}");
}

#[test]
fn what_was_never_tried_is_refused() {
    let never = refusal(LOG, "item_id,position,probability\na,1,0.8\nb,1,0.1\nc,1,0.1\na,2,0.5\nb,2,0.5\n");
    assert!(
        never.starts_with("missing_support: ") && never.contains("\"c\"") && never.contains("position \"1\""),
        "{never}"
    );
    // Tried at one position, wanted at another.
    let elsewhere = refusal(&format!("{LOG}c,2,0,0.1\n"), "item_id,probability\na,0.8\nb,0.1\nc,0.1\n");
    assert!(elsewhere.starts_with("missing_support: ") && elsewhere.contains("\"c\""), "{elsewhere}");
    // What is not wanted need not have been tried.
    let folder = folder(&[("log.csv", LOG), ("policy.csv", "item_id,probability\na,0.8\nb,0.2\nc,0\n")]);
    assert_eq!(told(folder.path(), "log.csv", "policy.csv", &[])["actions"], 3);
}

#[test]
fn lines_that_are_no_rows_are_named() {
    for (probability, code) in [
        ("0", "bad_probability"),
        ("-0.1", "bad_probability"),
        ("1.5", "bad_probability"),
        ("NaN", "missing_value"),
        ("inf", "bad_number"),
        ("much", "bad_number"),
        ("", "missing_value"),
    ] {
        let text = refusal(&LOG.replace("b,2,1,0.75", &format!("b,2,1,{probability}")), POLICY);
        assert!(
            text.starts_with(&format!("{code}: ")) && text.contains("log.csv: line 5: action_probability"),
            "{text}"
        );
    }
    let cases = [
        (LOG.replace("b,2,1,0.75", "b,2,,0.75"), POLICY.to_string(), "missing_value: ", "line 5: reward"),
        (LOG.replace("b,2,1,0.75", "b,2,yes,0.75"), POLICY.to_string(), "bad_number: ", "line 5: reward"),
        (LOG.replace("b,2,1,0.75", ",2,1,0.75"), POLICY.to_string(), "missing_value: ", "line 5: action"),
        (LOG.replace("b,2,1,0.75", "b,2,1"), POLICY.to_string(), "wrong_field_count: ", "line 5"),
        (
            LOG.replace("propensity_score", "p"),
            POLICY.to_string(),
            "missing_column: ",
            "action_probability or propensity_score",
        ),
        (LOG.replace("click", "c"), POLICY.to_string(), "missing_column: ", "reward or click"),
        (LOG.replace("item_id", "i"), POLICY.to_string(), "missing_column: ", "action or item_id"),
        (LOG.lines().next().unwrap().to_string(), POLICY.to_string(), "no_rows: ", "log.csv"),
        (LOG.to_string(), POLICY.replace("a,1,0.8", "a,1,1.8"), "bad_probability: ", "policy.csv: line 2"),
        (LOG.to_string(), POLICY.replace("a,1,0.8", "a,1,-0.8"), "bad_probability: ", "line 2"),
        (LOG.to_string(), POLICY.replace("a,1,0.8", "a,1,0.7"), "not_a_distribution: ", "0.8999"),
        (LOG.to_string(), POLICY.replace("b,1,0.2", "a,1,0.2"), "duplicate_action: ", "line 3"),
        (LOG.to_string(), POLICY.replace("a,2,0.5\nb,2,0.5\n", ""), "no_policy: ", "position \"2\""),
        (LOG.to_string(), POLICY.replace("probability", "p"), "missing_column: ", "probability"),
        (LOG.replace("position", "spot"), POLICY.to_string(), "missing_column: ", "position"),
        (
            LOG.to_string(),
            "row,action,probability\n0,a,1\n1,a,1\n".to_string(),
            "rows_differ: ",
            "2 rows, the log has 6",
        ),
        (LOG.to_string(), "row,action,probability\nx,a,1\n".to_string(), "bad_number: ", "line 2"),
        (
            LOG.to_string(),
            "decision_id,action,probability\nx,a,1\n".to_string(),
            "missing_column: ",
            "decision_id",
        ),
        (LOG.to_string(), "probability\n1\n".to_string(), "rows_differ: ", "6 rows"),
        (LOG.to_string(), "item_id,probability\n".to_string(), "no_policy: ", "no line"),
    ];
    for (log, policy, code, word) in cases {
        let text = refusal(&log, &policy);
        assert!(text.starts_with(code) && text.contains(word), "{code} {word}: {text}");
    }
    let nowhere = folder(&[("policy.csv", POLICY)]);
    let output = run(nowhere.path(), "log.csv", "policy.csv", &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no_such_file: "), "{output:?}");
    // A directory without an export in it.
    let output = run(nowhere.path(), "", "policy.csv", &[]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("no_export: "), "{output:?}");
}

/// Rows of weight 1, every tenth rewarded, and one of weight 21,739 without a reward.
fn one_enormous_weight() -> tempfile::TempDir {
    let row = |index: u32| {
        let probability = if index == 777 { 0.5 / 21_739.0 } else { 0.5 };
        let action = if index.is_multiple_of(2) { "a" } else { "b" };
        format!("{action},{},{probability}\n", u8::from(index % 10 == 3))
    };
    let log: String = (0..2_000).map(row).collect();
    folder(&[
        ("log.csv", &format!("action,reward,action_probability\n{log}")),
        ("policy.csv", "action,probability\na,0.5\nb,0.5\n"),
    ])
}

#[test]
fn a_log_below_the_effective_sample_size_asked_for_ends_with_exit_3_after_the_report() {
    let folder = one_enormous_weight();
    let output = run(folder.path(), "log.csv", "policy.csv", &["--fail-below-ess", "100"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(json["error"].as_str().unwrap().starts_with("effective_sample_size_too_small: "), "{json}");
    assert_eq!((&json["exit"], json["estimators"].as_object().unwrap().len()), (&3.into(), 5));
    assert!(json["effective_sample_size"].as_f64().unwrap() < 2.0, "{json}");
    // What is enough, and no wish at all, pass.
    assert_eq!(
        run(folder.path(), "log.csv", "policy.csv", &["--fail-below-ess", "1"]).status.code(),
        Some(0)
    );
    assert_eq!(run(folder.path(), "log.csv", "policy.csv", &[]).status.code(), Some(0));
    for wrong in ["0", "-5", "NaN", "many"] {
        let output = run(folder.path(), "log.csv", "policy.csv", &["--fail-below-ess", wrong]);
        assert_eq!(output.status.code(), Some(2), "{wrong}");
    }
}

#[test]
fn a_negative_rate_is_marked_and_switch_dr_is_another_figure() {
    let folder = one_enormous_weight();
    let told = told(folder.path(), "log.csv", "policy.csv", &[]);
    let dr = &told["estimators"]["dr"];
    assert!(dr["value"].as_f64().unwrap() < 0.0 && dr["outside_range"] == true, "{told}");
    let switched = &told["estimators"]["switch_dr"];
    assert!((switched["value"].as_f64().unwrap() - 0.1).abs() < 0.01, "{told}");
    assert_eq!(switched["outside_range"], false);
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let output =
        smartpush(folder.path(), &["evaluate-policy", &path("log.csv"), "--policy", &path("policy.csv")]);
    let text = stdout_of(&output);
    assert!(
        text.contains("! dr ")
            && text.contains("  switch_dr ")
            && text.contains("of all weight) to the reward model"),
        "{text}"
    );
    assert!(String::from_utf8_lossy(&output.stderr).contains("warning: outside_range: dr -"), "{output:?}");
}
