//! `send-times` and `evaluate` from end to end: the contract's keys, the lead over the baselines, the price of a wrong
//! clock, and bytes that depend on nothing but the events.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::draws::Draws;
use crate::support::on_cores;

const MODELS: [&str; 6] = ["empirical_bayes", "global", "laplace", "model", "raw_histogram", "uniform"];

fn sample(name: &str) -> String {
    format!("{}/data/sample/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Runs the binary and returns the JSON of its stdout.
fn smartpush(workspace: &Path, arguments: &[&str]) -> Value {
    run(Command::new(env!("CARGO_BIN_EXE_smartpush")), workspace, arguments)
}

fn run(mut command: Command, workspace: &Path, arguments: &[&str]) -> Value {
    let output = command.arg("--workspace").arg(workspace).arg("--json").args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The sample's purchases as its users live them: everybody's clock is that of `zone`.
fn evaluation_in(zone: &str) -> Value {
    let directory = tempfile::tempdir().unwrap();
    let users = fs::read_to_string(sample("users.csv")).unwrap().replace("America/New_York", zone);
    fs::write(directory.path().join("users.csv"), users).unwrap();
    let users = directory.path().join("users.csv").display().to_string();
    smartpush(directory.path(), &["ingest", "--kind", "users", &users]);
    smartpush(directory.path(), &["ingest", &sample("purchases.parquet")]);
    smartpush(directory.path(), &["evaluate", "--cut", "2017-12-01", "--only", "send-time"])
}

fn value(report: &Value, model: &str, metric: &str) -> f64 {
    report["send_time"][model][metric]["value"].as_f64().unwrap()
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn the_sample_is_foretold_better_than_by_any_baseline_and_worse_on_a_wrong_clock() {
    let right = evaluation_in("America/New_York");
    check_contract(&right);
    check_lead(&right);
    let (utc, fixed) = (evaluation_in("UTC"), evaluation_in("Etc/GMT+5"));
    let figures = [&right, &utc, &fixed].map(|report| value(report, "model", "ll24"));
    let [right, utc, fixed] = figures;
    // A clock that misses the change of the hour smears every habit over two hours.
    assert!(utc > right + 0.02, "UTC {utc}, right {right}");
    assert!(fixed > right + 0.02, "fixed offset {fixed}, right {right}");
}

#[test]
fn the_report_names_the_coverage_that_was_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    smartpush(directory.path(), &["ingest", &sample("purchases.parquet")]);
    let mut command = binary();
    command.env("SMARTPUSH__SEND_TIME__INTERVAL", "0.5").arg("--workspace").arg(directory.path()).args([
        "evaluate",
        "--only",
        "send-time",
    ]);
    let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
    assert!(text.contains("  50 % intervals of visits") && !text.contains("90 %"), "{text}");
}

/// Names and shapes that others read.
fn check_contract(report: &Value) {
    assert_eq!(report["cut"], "2017-12-01");
    assert_eq!(keys(&report["send_time"]), BTreeSet::from(MODELS));
    for model in MODELS {
        let figures = &report["send_time"][model];
        assert_eq!(keys(figures), BTreeSet::from(["hit_at_1", "ll24", "ll168"]));
        for (metric, n) in [("hit_at_1", "users"), ("ll24", "units"), ("ll168", "units")] {
            let figure = &figures[metric];
            assert_eq!(keys(figure), BTreeSet::from(["value", "low", "high", "n"]));
            assert_eq!(figure["n"], report[n]);
            let [low, value, high] = ["low", "value", "high"].map(|key| figure[key].as_f64().unwrap());
            assert!(low <= value + 1e-9 && value <= high + 1e-9, "{model} {metric} {figure}");
        }
    }
}

/// Paired intervals of our log losses minus each baseline's lie below zero.
fn check_lead(report: &Value) {
    for baseline in MODELS.into_iter().filter(|model| *model != "model") {
        for metric in ["ll24", "ll168"] {
            let lead = &report["send_time_differences"][baseline][metric];
            assert!(lead["high"].as_f64().unwrap() < 0.0, "{baseline} {metric}: {lead}");
        }
    }
}

/// Views of made-up users over four months, some with zones of their own, one CSV line each.
fn made_up_events() -> Vec<String> {
    let mut draws = Draws::new(31);
    let zones = ["", "Asia/Shanghai", "America/Sao_Paulo"];
    (0..6_000)
        .map(|line| {
            let user = (draws.uniform().powi(2) * 60.0) as usize;
            let (day, hour) =
                (draws.between(0.0, 120.0) as i64, draws.between(0.0, 8.0) + (user % 5) as f64 * 4.0);
            let second = 1_480_550_400 + day * 86_400 + (hour * 3_600.0) as i64;
            format!("m{line},user-{user},view,{second},{}", zones[user % 3])
        })
        .collect()
}

/// A workspace with these events, a file each.
fn workspace(directory: &Path, files: &[Vec<String>]) -> PathBuf {
    let mut arguments = vec!["ingest".to_string()];
    for (index, lines) in files.iter().enumerate() {
        let path = directory.join(format!("events-{index}.csv"));
        fs::write(&path, format!("message_id,user_id,event,timestamp,time_zone\n{}\n", lines.join("\n")))
            .unwrap();
        arguments.push(path.display().to_string());
    }
    let workspace = directory.join("workspace");
    smartpush(&workspace, &arguments.iter().map(String::as_str).collect::<Vec<&str>>());
    workspace
}

fn curves(command: Command, workspace: &Path, extension: &str) -> Vec<u8> {
    let out = workspace.join(format!("curves.{extension}"));
    run(
        command,
        workspace,
        &["send-times", "--as-of", "2017-03-20T00:00:00Z", "--out", out.to_str().unwrap()],
    );
    fs::read(out).unwrap()
}

fn binary() -> Command {
    Command::new(env!("CARGO_BIN_EXE_smartpush"))
}

#[test]
fn curves_are_the_same_bytes_from_any_order_split_and_number_of_threads() {
    let events = made_up_events();
    let directories: Vec<tempfile::TempDir> = (0..4).map(|_| tempfile::tempdir().unwrap()).collect();
    let straight = workspace(directories[0].path(), std::slice::from_ref(&events));
    let expected = curves(binary(), &straight, "parquet");
    assert_eq!(curves(binary(), &straight, "parquet"), expected, "run again");
    if let Some(one_core) = on_cores("0") {
        assert_eq!(curves(one_core, &straight, "parquet"), expected, "one thread");
    }
    let mut shuffled = events.clone();
    shuffled
        .sort_by_key(|line| line.bytes().fold(7_u64, |hash, byte| hash.wrapping_mul(31) ^ u64::from(byte)));
    let shuffled_workspace = workspace(directories[1].path(), std::slice::from_ref(&shuffled));
    assert_eq!(curves(binary(), &shuffled_workspace, "parquet"), expected, "shuffled");
    let split: Vec<Vec<String>> = shuffled.chunks(2_111).map(<[String]>::to_vec).collect();
    let split_workspace = workspace(directories[2].path(), &split);
    assert_eq!(curves(binary(), &split_workspace, "parquet"), expected, "split");
    // Events from T on change nothing.
    let earlier: Vec<String> = events.into_iter().filter(|line| is_before_the_moment(line)).collect();
    let earlier_workspace = workspace(directories[3].path(), &[earlier]);
    assert_eq!(curves(binary(), &earlier_workspace, "parquet"), expected, "without later events");
}

#[test]
fn what_a_push_led_to_says_nothing_of_a_users_hours() {
    let (directory, events) = (tempfile::tempdir().unwrap(), made_up_events());
    let workspace = workspace(directory.path(), std::slice::from_ref(&events));
    let expected = curves(binary(), &workspace, "csv");
    let led_to = |(line, event): (usize, &String)| {
        let user = event.split(',').nth(1).unwrap();
        format!("led-{line},{user},view,{},d-{line}", 1_489_000_000 + line)
    };
    let lines: Vec<String> = events.iter().enumerate().step_by(3).map(led_to).collect();
    let path = directory.path().join("led-to.csv");
    let with = |header: &str| format!("{header}\n{}\n", lines.join("\n"));
    fs::write(&path, with("message_id,user_id,event,timestamp,decision_id")).unwrap();
    smartpush(&workspace, &["ingest", path.to_str().unwrap()]);
    assert_eq!(curves(binary(), &workspace, "csv"), expected);
    // The same without a decision's id are his own.
    fs::write(&path, with("message_id,user_id,event,timestamp,session_id").replace("led-", "own-")).unwrap();
    smartpush(&workspace, &["ingest", path.to_str().unwrap()]);
    assert_ne!(curves(binary(), &workspace, "csv"), expected);
}

/// Before 2017-03-20T00:00:00Z.
fn is_before_the_moment(line: &str) -> bool {
    line.split(',').nth(3).unwrap().parse::<i64>().unwrap() < 1_489_968_000
}

#[test]
fn every_user_has_168_rows_that_sum_to_one_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let workspace = workspace(directory.path(), &[made_up_events()]);
    let text = String::from_utf8(curves(binary(), &workspace, "csv")).unwrap();
    let mut lines = text.lines();
    let header = "user_id,hour_of_week,probability,low,high,evidence,shrinkage,level";
    assert_eq!(lines.next(), Some(header));
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.len() % 168, 0);
    assert!(rows.windows(2).all(|pair| pair[0][0] <= pair[1][0]));
    for user in rows.chunks(168) {
        assert!(
            user.iter().enumerate().all(|(slot, row)| row[1] == slot.to_string() && row[0] == user[0][0])
        );
        let number = |row: &[&str], column: usize| row[column].parse::<f64>().unwrap();
        let total: f64 = user.iter().map(|row| number(row, 2)).sum();
        assert!((total - 1.0).abs() <= 1e-9, "{}: {total}", user[0][0]);
        for row in user {
            assert!(number(row, 3) < number(row, 2) && number(row, 2) < number(row, 4), "{row:?}");
        }
    }
}
