//! The same question under the same key, asked again after much has happened; and the budget of exploration under load.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use config::Config;
use domain::decision::Decision;
use domain::time::Instant;
use engine::replay::replay;
use engine::{DecisionQuestion, Engine};
use files::workspace::Workspace;
use serde_json::{Value, json};
use store::log_files::files;

use crate::support::client::Reply;
use crate::support::server::Server;
use crate::support::world::{NOW, workspace};

fn ask(server: &Server, key: &str, user_id: &str) -> Reply {
    let headers = [("content-type", "application/json"), ("idempotency-key", key)];
    server.post("/v1/decisions", &headers, json!({ "user_id": user_id }).to_string().as_bytes())
}

fn answered(server: &Server, key: &str) -> String {
    let reply = ask(server, key, "morning");
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.text
}

#[test]
fn a_retry_gets_the_first_answer_after_5_000_others() {
    let workspace = workspace();
    let server = Server::start(workspace.path(), &["--now", NOW]);
    let first = answered(&server, "first");
    let batch = "{\"user_id\":\"evening\"}\n".repeat(1_000);
    for _ in 0..5 {
        let reply =
            server.post("/v1/decisions:batch", &[("content-type", "application/x-ndjson")], batch.as_bytes());
        assert_eq!((reply.status, reply.text.lines().count()), (200, 1_000));
    }
    assert_eq!(answered(&server, "first"), first);
    let id = serde_json::from_str::<Value>(&first).unwrap()["decision_id"].as_str().unwrap().to_string();
    assert_eq!(server.get(&format!("/v1/decisions/{id}")).text, first);
    assert_eq!(server.get(&format!("/v1/decisions/{id}/explain")).json()["decision_id"], id.as_str());
}

#[test]
fn a_retry_gets_the_first_answer_from_a_server_that_was_started_again_with_newer_log_files_between() {
    let workspace = workspace();
    let server = Server::start(workspace.path(), &["--now", NOW]);
    let first = answered(&server, "first");
    server.stop();
    // Each server begins a file of its own.
    for key in ["second", "third"] {
        let server = Server::start(workspace.path(), &["--now", NOW]);
        assert_ne!(answered(&server, key), first);
        server.stop();
    }
    assert_eq!(files(&workspace.path().join("data/decisions/log")).unwrap().len(), 3);
    let server = Server::start(workspace.path(), &["--now", "2026-03-02T16:59:00Z"]);
    assert_eq!(answered(&server, "first"), first, "almost a day later");
    let other = ask(&server, "first", "evening");
    assert_eq!((other.status, other.problem()), (422, "idempotency_conflict".to_string()), "{other:?}");
}

/// An engine whose every decision explores, five times a day at most.
fn explorer(workspace: &Path) -> Engine {
    let environment = [("EXPLORATION_PERCENT", "100.0"), ("EXPLORATION_MOST_PER_DAY", "5")];
    let environment =
        environment.map(|(name, value)| (format!("SMARTPUSH__DECISIONS__{name}"), value.to_string()));
    let config = Config::load(workspace, None, &environment).unwrap();
    let workspace = Workspace::open(workspace).unwrap();
    Engine::open(workspace, config, now(), true, [7; 32]).unwrap()
}

fn now() -> Instant {
    Instant::parse_rfc3339(NOW).unwrap()
}

/// Decides for the same user again and again; the ids of decisions that explored.
fn explored(engine: &Engine, times: usize) -> BTreeSet<String> {
    let question = DecisionQuestion {
        user_id: "morning".into(),
        campaign_id: Some("spring".into()),
        ..DecisionQuestion::default()
    };
    let mut ids = BTreeSet::new();
    for _ in 0..times {
        let answer = engine.decide(&question, None, now()).unwrap();
        let decision: Decision = serde_json::from_str(&answer.text).unwrap();
        if answer.ack.wait().is_ok() && decision.explored {
            ids.insert(decision.decision_id);
        }
    }
    ids
}

#[test]
fn no_number_of_threads_explores_more_than_the_days_budget() {
    let workspace = workspace();
    let engine = explorer(workspace.path());
    let ids: BTreeSet<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| explored(&engine, 25))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(ids.len(), 5);
    engine.close();
    let engine = explorer(workspace.path());
    assert_eq!(explored(&engine, 3), BTreeSet::new(), "the log says that the day's budget is spent");
    engine.close();
    for id in ids {
        assert!(replay(engine.workspace(), &id).unwrap().identical, "{id}");
    }
}

#[test]
fn an_explored_send_that_could_not_be_logged_gives_its_share_of_the_budget_back() {
    let workspace = workspace();
    let engine = explorer(workspace.path());
    let log = engine.workspace().decision_log();
    fs::create_dir_all(log.parent().unwrap()).unwrap();
    fs::write(&log, "a file in the way").unwrap();
    assert_eq!(explored(&engine, 4), BTreeSet::new(), "nothing can be logged");
    fs::remove_file(&log).unwrap();
    assert_eq!(explored(&engine, 10).len(), 5);
}
