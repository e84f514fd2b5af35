//! Every decision of a log made again, on one thread and on two at once.

use std::process::Command;

use smartpush::config::Config;
use smartpush::engine::replay::replay;
use smartpush::files::workspace::Workspace;

use super::world::{append, decide, log_of};
use crate::support::stdout_of;
use crate::support::world::{NOW, take, workspace};

const USERS: [&str; 9] =
    ["morning", "evening", "plain", "denied", "muted", "off", "nowhere", "silent", "nobody"];

#[test]
fn every_decision_of_a_log_replays_byte_for_byte_on_one_thread_and_on_two_at_once() {
    let directory = workspace();
    let mut config = Config::defaults();
    let mut ids = Vec::new();
    for (index, at) in [NOW, "2026-03-02T03:00:00Z", "2026-03-08T06:30:00Z"].into_iter().enumerate() {
        config.decisions.quiet_from = if index == 1 { "21:00".into() } else { String::new() };
        config.decisions.quiet_until = if index == 1 { "09:00".into() } else { String::new() };
        config.decisions.holdout_percent = 30.0 * index as f64;
        let decisions = decide(directory.path(), &config, at, index as u8, &USERS);
        ids.extend(decisions.into_iter().map(|decision| decision.decision_id));
    }
    let workspace = Workspace::open(directory.path()).unwrap();
    let all = |ids: &[String]| {
        let lines = ids.iter().map(|id| {
            let again = replay(&workspace, id).unwrap();
            assert!(again.identical, "{:?}", again.differences);
            again.logged.to_line()
        });
        lines.collect::<Vec<String>>()
    };
    let alone = all(&ids);
    let (one, other) = std::thread::scope(|scope| {
        let threads = [scope.spawn(|| all(&ids)), scope.spawn(|| all(&ids))];
        let [one, other] = threads.map(|thread| thread.join().unwrap());
        (one, other)
    });
    assert_eq!((&one, &other), (&alone, &alone));
}

#[test]
fn a_decision_logged_when_its_rule_had_another_name_replays() {
    let directory = workspace();
    let content = r#"{"content_id":"sport-1","variants":[{"variant_id":"zh","locale":"zh","title":"进球"}]}"#;
    take(directory.path(), "contents", "chinese.jsonl", content);
    take(directory.path(), "users", "users.csv", "user_id,locale\nmorning,fr\n");
    let decided = decide(directory.path(), &Config::defaults(), NOW, 1, &["morning"]).remove(0);
    let refused = decided.reasons.iter().find(|reason| reason.rule == "has_variant");
    assert!(refused.is_some_and(|reason| reason.subject == "content:sport-1"), "{:?}", decided.reasons);
    let workspace = Workspace::open(directory.path()).unwrap();
    let logged = replay(&workspace, &decided.decision_id).unwrap().logged.to_line();
    let former = logged.replace("has_variant", "has_wording").replace("no variant in", "no wording in");
    assert_ne!(former, logged);
    std::fs::remove_dir_all(log_of(directory.path())).unwrap();
    append(directory.path(), &[former]);
    let again = replay(&workspace, &decided.decision_id).unwrap();
    assert!(again.identical, "{:?}", again.differences);
    assert_eq!(again.logged.decision.reasons.iter().filter(|reason| reason.rule == "has_wording").count(), 1);
}

#[test]
fn a_process_on_one_core_replays_and_exports_the_same_bytes_as_one_on_all() {
    let directory = workspace();
    let ids = decide(directory.path(), &Config::defaults(), NOW, 1, &USERS);
    let run = |pinned: bool, arguments: &[&str]| {
        let binary = env!("CARGO_BIN_EXE_smartpush");
        let mut command = if pinned { Command::new("taskset") } else { Command::new(binary) };
        if pinned {
            command.args(["-c", "0", binary]).env("POLARS_MAX_THREADS", "1");
        }
        command.arg("--workspace").arg(directory.path()).args(arguments).output()
    };
    // A machine without taskset shows it on all its cores alone.
    let text = |pinned: bool, arguments: &[&str]| {
        run(pinned, arguments).or_else(|_| run(false, arguments)).map(|output| stdout_of(&output)).unwrap()
    };
    let id = &ids[0].decision_id;
    assert_eq!(text(true, &["--json", "replay", id]), text(false, &["--json", "replay", id]));
    let export = |pinned: bool| {
        text(pinned, &["--json", "outcomes"]);
        ["data/outcomes", "data/decisions"].map(|name| super::world::files(&directory.path().join(name)))
    };
    assert!(export(true) == export(false));
}
