//! Logs in every state: torn, newer, damaged, erased, repeated, without their model.

use std::fs;
use std::path::Path;

use serde_json::Value;
use smartpush::config::Config;
use smartpush::domain::decision::Action;
use smartpush::store::decision_log::{Record, find, parse};
use smartpush::store::log_files::files as log_files;
use smartpush::store::whole_log::{read_all, records_at};

use super::world::{append, decide, files, log_of, outcomes, rows};
use crate::support::smartpush;
use crate::support::world::{NOW, empty_workspace, workspace};

const USERS: [&str; 4] = ["morning", "evening", "denied", "plain"];

fn record(workspace: &Path, decision_id: &str) -> Record {
    let (line, _) = find(&log_of(workspace), decision_id).unwrap().unwrap();
    parse(line.as_bytes(), workspace).unwrap()
}

fn failure(workspace: &Path, exit: i32) -> String {
    let output = smartpush(workspace, &["outcomes"]);
    assert_eq!(output.status.code(), Some(exit), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn the_whole_log_is_read_in_order_and_any_part_of_it_again() {
    let workspace = workspace();
    let first = decide(workspace.path(), &Config::defaults(), NOW, 1, &USERS);
    let second = decide(workspace.path(), &Config::defaults(), NOW, 2, &USERS);
    let (mut ids, mut positions) = (Vec::new(), Vec::new());
    let torn = read_all(&log_of(workspace.path()), |line, position| {
        ids.push(parse(line, workspace.path())?.decision.decision_id);
        positions.push(position);
        Ok(())
    });
    let asked: Vec<String> =
        first.iter().chain(&second).map(|decision| decision.decision_id.clone()).collect();
    assert_eq!((torn.unwrap(), &ids), (0, &asked));
    let wanted = [6, 1, 1, 4];
    let records = records_at(&wanted.map(|index| positions[index].clone())).unwrap();
    let found: Vec<&str> = records.iter().map(|record| record.decision.decision_id.as_str()).collect();
    assert_eq!(found, wanted.map(|index| asked[index].as_str()));
}

#[test]
fn a_torn_tail_is_passed_over_and_told() {
    let workspace = workspace();
    decide(workspace.path(), &Config::defaults(), NOW, 1, &USERS);
    let path = log_files(&log_of(workspace.path())).unwrap().pop().unwrap();
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 5]).unwrap();
    decide(workspace.path(), &Config::defaults(), NOW, 2, &["morning"]);
    let told = outcomes(workspace.path(), &[]);
    assert_eq!((&told["decisions"], &told["torn_files"]), (&4.into(), &1.into()), "{told}");
}

#[test]
fn a_newer_record_stops_the_export_before_it_begins() {
    let workspace = workspace();
    let decisions = decide(workspace.path(), &Config::defaults(), NOW, 1, &USERS);
    let told = outcomes(workspace.path(), &[]);
    assert_eq!(told["decisions"], 4);
    let before =
        (files(&workspace.path().join("data/outcomes")), files(&workspace.path().join("data/decisions")));
    let newer = Record { format: 99, ..record(workspace.path(), &decisions[0].decision_id) };
    append(workspace.path(), &[newer.to_line()]);
    assert!(failure(workspace.path(), 2).contains("newer_format: "));
    let unlike = r#"{"format":99,"what":"nobody knows yet"}"#.to_string();
    append(workspace.path(), &[unlike]);
    assert!(failure(workspace.path(), 2).contains("newer_format: "));
    let after =
        (files(&workspace.path().join("data/outcomes")), files(&workspace.path().join("data/decisions")));
    assert!(before == after, "the former export stands");
}

#[test]
fn a_line_that_is_none_of_ours_is_named() {
    let workspace = workspace();
    append(workspace.path(), &["{\"format\":1}".to_string()]);
    let text = failure(workspace.path(), 1);
    assert!(text.contains("bad_record: ") && text.contains("000001.jsonl.zst"), "{text}");
}

#[test]
fn an_erased_decision_is_counted_and_a_repeated_one_is_one() {
    let workspace = workspace();
    let decisions = decide(workspace.path(), &Config::defaults(), NOW, 1, &USERS);
    let again = record(workspace.path(), &decisions[0].decision_id).to_line();
    append(workspace.path(), &[again, r#"{"decision_id":"gone","erased":true}"#.to_string()]);
    let told = outcomes(workspace.path(), &[]);
    assert_eq!((&told["decisions"], &told["erased"]), (&4.into(), &1.into()), "{told}");
    assert_eq!(rows(&workspace.path().join("data/decisions"), "decisions.parquet").len(), 4);
}

#[test]
fn a_log_without_decisions_is_a_callers_error_and_says_what_to_do() {
    let empty = empty_workspace();
    let text = failure(empty.path(), 2);
    assert!(text.contains("no_decisions: ") && text.contains("serve"), "{text}");
    let workspace = workspace();
    decide(workspace.path(), &Config::defaults(), NOW, 1, &USERS);
    let output = smartpush(workspace.path(), &["outcomes", "--as-of", NOW]);
    assert_eq!(output.status.code(), Some(2), "T itself is not before T");
    assert!(!workspace.path().join("data/outcomes").exists());
}

#[test]
fn the_allowed_arms_of_a_send_sum_to_one_and_hold_the_one_that_was_sent() {
    let workspace = workspace();
    let users = ["morning", "evening", "plain", "denied", "muted", "off", "nowhere", "silent", "nobody"];
    let decisions = decide(workspace.path(), &Config::defaults(), NOW, 1, &users);
    let told = outcomes(workspace.path(), &[]);
    assert_eq!((&told["differing"], &told["without_model"]), (&0.into(), &0.into()), "{told}");
    let arms = rows(&workspace.path().join("data/decisions"), "arms.parquet");
    assert_eq!(told["arms"], arms.len());
    let mut sends = 0;
    for decision in &decisions {
        let own: Vec<_> =
            arms.iter().filter(|arm| arm["decision_id"] == decision.decision_id.as_str()).collect();
        if decision.action != Action::Send {
            assert!(own.is_empty(), "{decision:?}");
            continue;
        }
        sends += 1;
        let number = |arm: &serde_json::Map<String, Value>, name: &str| arm[name].as_f64().unwrap();
        let sum: f64 = own.iter().map(|arm| number(arm, "action_probability")).sum();
        assert!((sum - 1.0).abs() <= 1e-9, "{sum}");
        let chosen: Vec<_> = own.iter().filter(|arm| arm["chosen"] == true).collect();
        assert_eq!(chosen.len(), 1);
        assert_eq!(chosen[0]["content_id"].as_str(), decision.content_id.as_deref());
        assert_eq!(chosen[0]["response_probability"].as_f64(), decision.response_probability);
        assert_eq!(chosen[0]["action_probability"].as_f64(), decision.action_probability);
        assert!(own.iter().all(|arm| number(arm, "value") <= number(chosen[0], "value")));
    }
    assert!(sends >= 4, "{sends}");
}

#[test]
fn without_its_model_a_decision_keeps_its_row_and_loses_its_arms() {
    let workspace = workspace();
    let decisions = decide(workspace.path(), &Config::defaults(), NOW, 1, &["morning", "evening"]);
    let mut record = record(workspace.path(), &decisions[0].decision_id);
    record.context.versions.insert("model".into(), "engage_24h/0123456789ab".into());
    fs::remove_dir_all(log_of(workspace.path())).unwrap();
    append(workspace.path(), &[record.to_line()]);
    let told = outcomes(workspace.path(), &[]);
    assert_eq!((&told["without_model"], &told["arms"]), (&1.into(), &0.into()), "{told}");
    assert_eq!(rows(&workspace.path().join("data/decisions"), "decisions.parquet").len(), 1);
    assert!(rows(&workspace.path().join("data/decisions"), "arms.parquet").is_empty());
}

#[test]
fn a_send_that_does_not_come_out_as_it_was_logged_is_told() {
    let workspace = workspace();
    let decisions = decide(workspace.path(), &Config::defaults(), NOW, 1, &["morning"]);
    let mut record = record(workspace.path(), &decisions[0].decision_id);
    record.decision.action_probability = Some(0.5);
    fs::remove_dir_all(log_of(workspace.path())).unwrap();
    append(workspace.path(), &[record.to_line()]);
    assert_eq!(outcomes(workspace.path(), &[])["differing"], 1);
}
