//! Another policy valued on our own decision log.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use smartpush::config::Config;
use smartpush::domain::decision::{Action, Decision};
use smartpush::domain::time::MINUTE;

use super::world::{decide, outcomes, rows};
use crate::support::world::{NOW, take, workspace};
use crate::support::{smartpush, stdout_of};

/// Decides with every arm drawn at random, reports clicks and views of every second push, and joins them.
fn logged(workspace: &Path, percent: f64) -> Vec<Decision> {
    let mut config = Config::defaults();
    config.decisions.exploration_percent = percent;
    let users = ["morning", "evening", "plain", "silent"];
    let mut decisions = Vec::new();
    for entropy in 0..6 {
        decisions.extend(decide(workspace, &config, NOW, entropy, &users));
    }
    let sends: Vec<Decision> =
        decisions.into_iter().filter(|decision| decision.action == Action::Send).collect();
    assert!(sends.len() >= 6, "{}", sends.len());
    let mut text = "message_id,user_id,event,content_id,decision_id,timestamp\n".to_string();
    for (index, sent) in sends.iter().enumerate().filter(|(index, _)| index % 2 == 0) {
        let (at, id, user) = (sent.send_at.unwrap(), &sent.decision_id, &sent.user_id);
        let content = sent.content_id.as_deref().unwrap();
        text += &format!("c{index},{user},push_clicked,,{id},{}\n", at.plus(MINUTE));
        text += &format!("v{index},{user},view,{content},{id},{}\n", at.plus(2 * MINUTE));
    }
    take(workspace, "events", "answers.csv", &text);
    outcomes(workspace, &[]);
    sends
}

fn evaluate(workspace: &Path, policy: &str, more: &[&str]) -> std::process::Output {
    let (log, file) = (workspace.join("data/decisions"), workspace.join("policy.csv"));
    fs::write(&file, policy).unwrap();
    let mut arguments =
        vec!["--json", "evaluate-policy", log.to_str().unwrap(), "--policy", file.to_str().unwrap()];
    arguments.extend(more);
    smartpush(workspace, &arguments)
}

fn number(row: &serde_json::Map<String, Value>, name: &str) -> f64 {
    row[name].as_f64().unwrap()
}

#[test]
fn a_policy_is_valued_on_the_decision_log() {
    let workspace = workspace();
    let one_channel = r#"{"campaign_id":"spring","channels":["push"]}"#;
    take(workspace.path(), "campaigns", "one_channel.jsonl", one_channel);
    let sends = logged(workspace.path(), 100.0);
    let arms = rows(&workspace.path().join("data/decisions"), "arms.parquet");
    let joined = rows(&workspace.path().join("data/outcomes"), "outcomes.parquet");
    let mut contents: Vec<&str> = arms.iter().map(|arm| arm["content_id"].as_str().unwrap()).collect();
    contents.sort_unstable();
    contents.dedup();
    assert!(contents.len() > 1, "{contents:?}");
    let weight_of = |content: &str| contents.iter().position(|other| *other == content).unwrap() as f64 + 1.0;
    let mut policy = "content_id,probability\n".to_string();
    let total: f64 = contents.iter().map(|content| weight_of(content)).sum();
    for content in &contents {
        policy += &format!("{content},{}\n", weight_of(content) / total);
    }
    // The same by hand: a content's probability is the sum over its arms, and the policy keeps to what was allowed.
    let mut sums = [0.0; 2];
    for sent in &sends {
        let own = || arms.iter().filter(|arm| arm["decision_id"] == sent.decision_id.as_str());
        let content = sent.content_id.as_deref().unwrap();
        let logged: f64 = own()
            .filter(|arm| arm["content_id"] == content)
            .map(|arm| number(arm, "action_probability"))
            .sum();
        let mut allowed: Vec<&str> = own().map(|arm| arm["content_id"].as_str().unwrap()).collect();
        allowed.sort_unstable();
        allowed.dedup();
        let scale: f64 = allowed.iter().map(|content| weight_of(content)).sum();
        let weight = weight_of(content) / scale / logged;
        let outcome = joined.iter().find(|row| row["decision_id"] == sent.decision_id.as_str()).unwrap();
        sums[0] += weight;
        sums[1] += if outcome["attribution"] == "direct" { weight } else { 0.0 };
    }
    let told: Value = serde_json::from_str(&stdout_of(&evaluate(workspace.path(), &policy, &[]))).unwrap();
    let value = |name: &str| told["estimators"][name]["value"].as_f64().unwrap();
    assert!((value("ips") - sums[1] / sends.len() as f64).abs() < 1e-9, "{told} {sums:?}");
    assert!((value("snips") - sums[1] / sums[0]).abs() < 1e-9, "{told} {sums:?}");
    assert_eq!(told["rows"].as_u64().unwrap(), sends.len() as u64);
    assert_eq!(told["not_sent"].as_u64().unwrap(), 24 - sends.len() as u64);
    assert_eq!(told["without_arms"], 0);
    assert!(told["on_policy"]["value"].as_f64().unwrap() > 0.0, "{told}");
    assert!(value("dr").is_finite() && value("dm").is_finite());
    // The same policy a decision at a time.
    let mut by_decision = "decision_id,content_id,probability\n".to_string();
    for sent in &sends {
        let mut allowed: Vec<&str> = arms
            .iter()
            .filter(|arm| arm["decision_id"] == sent.decision_id.as_str())
            .map(|arm| arm["content_id"].as_str().unwrap())
            .collect();
        allowed.sort_unstable();
        allowed.dedup();
        let scale: f64 = allowed.iter().map(|content| weight_of(content)).sum();
        for content in allowed {
            by_decision += &format!("{},{content},{}\n", sent.decision_id, weight_of(content) / scale);
        }
    }
    let again: Value =
        serde_json::from_str(&stdout_of(&evaluate(workspace.path(), &by_decision, &[]))).unwrap();
    assert!((again["estimators"]["dr"]["value"].as_f64().unwrap() - value("dr")).abs() < 1e-9, "{again}");
    // Channels: there is one, so any policy does what the log did.
    let channel = sends[0].channel.as_deref().unwrap();
    let policy = format!("action,probability\n{channel},1\n");
    let same = evaluate(workspace.path(), &policy, &["--action", "channel", "--attribution", "any"]);
    let same: Value = serde_json::from_str(&stdout_of(&same)).unwrap();
    let (ips, own) = (&same["estimators"]["ips"]["value"], &same["on_policy"]["value"]);
    assert!((ips.as_f64().unwrap() - own.as_f64().unwrap()).abs() < 1e-9, "{same}");
}

#[test]
fn a_log_that_never_explored_values_no_other_policy() {
    let workspace = workspace();
    let sends = logged(workspace.path(), 0.0);
    let arms = rows(&workspace.path().join("data/decisions"), "arms.parquet");
    let sent: Vec<&str> = sends.iter().map(|sent| sent.content_id.as_deref().unwrap()).collect();
    let mut all: Vec<&str> = arms.iter().map(|arm| arm["content_id"].as_str().unwrap()).collect();
    all.sort_unstable();
    all.dedup();
    let mut policy = "content_id,probability\n".to_string();
    for content in &all {
        policy += &format!("{content},{}\n", 1.0 / all.len() as f64);
    }
    let output = evaluate(workspace.path(), &policy, &[]);
    assert_eq!(output.status.code(), Some(2), "{sent:?} {all:?} {output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("missing_support: "), "{output:?}");
    let lost = evaluate(workspace.path(), "content_id,probability\nno-such-content,1\n", &[]);
    assert_eq!(lost.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&lost.stderr).contains("missing_support: "), "{lost:?}");
}

fn evaluate_lift(workspace: &Path) -> std::process::Output {
    smartpush(workspace, &["--json", "evaluate-lift"])
}

#[test]
fn those_who_are_held_out_are_compared_with_all_others() {
    let workspace = workspace();
    let mut config = Config::defaults();
    config.decisions.holdout_percent = 50.0;
    fs::write(workspace.path().join("smartpush.toml"), "[decisions]\nholdout_percent = 50.0\n").unwrap();
    let names: Vec<String> = (0..40).map(|number| format!("guest-{number}")).collect();
    let mut users = "user_id,time_zone,consent\n".to_string();
    let mut events = "message_id,user_id,event,content_id,timestamp\n".to_string();
    for (number, name) in names.iter().enumerate() {
        users += &format!("{name},Europe/Paris,granted\n");
        if number % 4 == 0 {
            events += &format!("g{number},{name},view,news-1,2026-03-01T18:00:00Z\n");
        }
        // What comes after a second decision belongs to no first one.
        events += &format!("l{number},{name},view,news-1,2026-03-09T18:00:00Z\n");
    }
    take(workspace.path(), "users", "guests.csv", &users);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let first = decide(workspace.path(), &config, NOW, 1, &names);
    decide(workspace.path(), &config, "2026-03-09T17:00:00Z", 2, &names);
    take(workspace.path(), "events", "visits.csv", &events);
    let reported = outcomes(workspace.path(), &[])["outcomes"].take();
    let count = |held: bool, every: usize| {
        let those = first.iter().enumerate().filter(|(number, _)| number % every == 0);
        those.filter(|(_, decision)| decision.holdout == held).count() as u64
    };
    let told: Value = serde_json::from_str(&stdout_of(&evaluate_lift(workspace.path()))).unwrap();
    for (arm, held) in [("treated", false), ("control", true)] {
        assert_eq!(told["all"][arm]["n"], count(held, 1), "{told}");
        assert_eq!(told["all"][arm]["reached"], count(held, 4), "{told}");
        // Both reports go by one definition.
        assert_eq!(reported["reached"][arm], json!({"reached": count(held, 4), "n": count(held, 1)}));
        for (campaign, lift) in told["campaigns"].as_object().unwrap() {
            let counts = &reported["campaigns"][campaign]["reached"][arm];
            if lift.get("error").is_none() {
                assert_eq!((&counts["reached"], &counts["n"]), (&lift[arm]["reached"], &lift[arm]["n"]));
            }
        }
    }
    assert!(count(true, 1) > 10 && count(false, 1) > 10);
    assert!(told["all"]["assignment_z"].as_f64().unwrap().abs() < 3.29, "{told}");
    let campaigns = told["campaigns"].as_object().unwrap();
    let units: u64 = campaigns.values().map(|lift| lift["difference"]["n"].as_u64().unwrap()).sum();
    assert!(units <= 40, "{told}");
}

#[test]
fn without_a_holdout_there_is_no_lift() {
    let workspace = workspace();
    logged(workspace.path(), 0.0);
    let output = evaluate_lift(workspace.path());
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("not_randomised: ") && told.contains("left alone by chance"), "{told}");
}
