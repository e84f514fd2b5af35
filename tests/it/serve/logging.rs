//! The decision log: nothing that was answered is lost, torn tails are passed over, and every decision can be made again.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use smartpush::store::decision_log::{DecisionLog, LogOptions, Record, find, parse};
use smartpush::store::log_files::{FileEnd, files, read_lines};

use crate::support::server::Server;
use crate::support::world::{NOW, workspace};
use crate::support::{on_cores, smartpush, stdout_of};

fn log_of(workspace: &Path) -> PathBuf {
    workspace.join("data/decisions/log")
}

/// Every record of a log, oldest first.
fn records(workspace: &Path) -> Vec<Record> {
    let mut records = Vec::new();
    for path in files(&log_of(workspace)).unwrap() {
        read_lines(&path, |line, _| {
            records.push(parse(line, &path).unwrap());
            ControlFlow::Continue(())
        })
        .unwrap();
    }
    records
}

fn id_of(decision: &Value) -> String {
    decision["decision_id"].as_str().unwrap().to_string()
}

#[test]
fn every_answered_decision_is_in_the_log_after_a_kill() {
    let workspace = workspace();
    let mut server = Server::start(workspace.path(), &["--now", NOW]);
    let (answered, is_over) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    let address = server.address;
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let agent = ureq::agent();
                while !is_over.load(Ordering::Relaxed) {
                    let request = agent.post(format!("http://{address}/v1/decisions"));
                    let sent =
                        request.header("content-type", "application/json").send("{\"user_id\":\"morning\"}");
                    let text = sent.ok().and_then(|mut response| response.body_mut().read_to_string().ok());
                    let decision = text.and_then(|text| serde_json::from_str::<Value>(&text).ok());
                    if let Some(decision) = decision {
                        answered.lock().unwrap().push(id_of(&decision));
                    }
                }
            });
        }
        while answered.lock().unwrap().len() < 300 {
            std::thread::yield_now();
        }
        server.signal("KILL");
        server.wait();
        is_over.store(true, Ordering::Relaxed);
    });
    let logged: std::collections::HashSet<String> =
        records(workspace.path()).into_iter().map(|record| record.decision.decision_id).collect();
    let answered = answered.into_inner().unwrap();
    let lost: Vec<&String> = answered.iter().filter(|id| !logged.contains(*id)).collect();
    assert!(answered.len() >= 300 && lost.is_empty(), "{} of {} are lost", lost.len(), answered.len());
}

#[test]
fn a_torn_tail_is_passed_over_and_the_next_server_begins_a_new_file() {
    let workspace = workspace();
    let server = Server::start(workspace.path(), &["--now", NOW]);
    let ids: Vec<String> = (0..3).map(|_| id_of(&server.decide("morning"))).collect();
    assert!(server.stop().success());
    let path = files(&log_of(workspace.path())).unwrap().pop().unwrap();
    let bytes = fs::read(&path).unwrap();
    for cut in [1, 5, 200] {
        fs::write(&path, &bytes[..bytes.len() - cut]).unwrap();
        let mut lines = 0;
        let end = read_lines(&path, |_, _| {
            lines += 1;
            ControlFlow::Continue(())
        });
        assert!(matches!(end.unwrap(), FileEnd::Torn { .. }) && lines == 2, "{cut} bytes cut: {lines} lines");
    }
    let server = Server::start(workspace.path(), &["--now", NOW]);
    let fresh = id_of(&server.decide("evening"));
    assert_eq!(files(&log_of(workspace.path())).unwrap().len(), 2);
    for id in [&ids[0], &ids[1], &fresh] {
        assert_eq!(server.get(&format!("/v1/decisions/{id}")).status, 200, "{id}");
    }
    assert_eq!(server.get(&format!("/v1/decisions/{}", ids[2])).problem(), "unknown_decision");
}

#[test]
fn keys_and_decisions_outlive_a_server() {
    let workspace = workspace();
    let headers = [("content-type", "application/json"), ("idempotency-key", "k")];
    let body = b"{\"user_id\":\"morning\"}";
    let server = Server::start(workspace.path(), &["--now", NOW]);
    let first = server.post("/v1/decisions", &headers, body);
    assert!(server.stop().success());
    let server = Server::start(workspace.path(), &["--now", NOW]);
    assert_eq!(server.post("/v1/decisions", &headers, body).text, first.text);
    let other = server.post("/v1/decisions", &headers, b"{\"user_id\":\"evening\"}");
    assert_eq!(other.problem(), "idempotency_conflict", "{other:?}");
    assert_eq!(server.get(&format!("/v1/decisions/{}", id_of(&first.json()))).text, first.text);
}

#[test]
fn every_decision_of_a_run_replays_byte_for_byte_on_one_core_too() {
    let workspace = workspace();
    let server = Server::start(workspace.path(), &["--now", NOW]);
    let users = ["morning", "evening", "plain", "denied", "muted", "off", "nowhere", "silent", "nobody"];
    let mut ids: Vec<String> = users.iter().map(|user| id_of(&server.decide(user))).collect();
    let question =
        json!({"user_id": "plain", "content_ids": ["fresh-1", "events-only"], "horizon_hours": 168});
    ids.push(id_of(&server.ask(&question).json()));
    // While it runs, and after the workspace has changed: the log holds all it takes.
    crate::support::world::take(workspace.path(), "users", "u.csv", "user_id,consent\nmorning,denied\n");
    for id in &ids {
        let replayed: Value =
            serde_json::from_str(&stdout_of(&smartpush(workspace.path(), &["--json", "replay", id])))
                .unwrap();
        assert_eq!(
            (&replayed["identical"], &replayed["decision_id"]),
            (&json!(true), &json!(id)),
            "{replayed}"
        );
        if let Some(mut one_core) = on_cores("0") {
            one_core.arg("--workspace").arg(workspace.path()).args(["replay", id]);
            let output = one_core.env("POLARS_MAX_THREADS", "1").output().unwrap();
            assert!(stdout_of(&output).contains("the same bytes"), "{id}");
        }
    }
}

#[test]
fn a_replay_that_differs_ends_with_exit_3_and_an_unknown_id_with_exit_2() {
    let workspace = workspace();
    let server = Server::start(workspace.path(), &["--now", NOW]);
    let id = id_of(&server.decide("morning"));
    assert!(server.stop().success());
    let mut record = records(workspace.path()).pop().unwrap();
    record.decision.response_probability = Some(0.5);
    let path = files(&log_of(workspace.path())).unwrap().pop().unwrap();
    fs::remove_file(&path).unwrap();
    let log = DecisionLog::open(log_of(workspace.path()), LogOptions::default());
    log.append(record.to_line()).unwrap().wait().unwrap();
    log.close();
    let output = smartpush(workspace.path(), &["--json", "replay", &id]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["differences"][0]["pointer"], "/decision/response_probability", "{told}");
    let output = smartpush(workspace.path(), &["replay", "01890a5d-ac96-7b3c-9c3e-6f1d2a4b8c70"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("unknown_decision"), "{output:?}");
}

#[test]
fn a_record_of_a_newer_format_is_refused_by_name() {
    let workspace = workspace();
    let server = Server::start(workspace.path(), &["--now", NOW]);
    let id = id_of(&server.decide("morning"));
    assert!(server.stop().success());
    let mut record = records(workspace.path()).pop().unwrap();
    record.format = 99;
    fs::remove_dir_all(log_of(workspace.path())).unwrap();
    let log = DecisionLog::open(log_of(workspace.path()), LogOptions::default());
    log.append(record.to_line()).unwrap().wait().unwrap();
    log.close();
    let output = smartpush(workspace.path(), &["replay", &id]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("newer_format"), "{output:?}");
}

#[test]
fn files_are_rotated_and_a_log_that_cannot_be_written_says_so() {
    let workspace = workspace();
    let server = Server::start(workspace.path(), &["--now", NOW]);
    server.decide("morning");
    assert!(server.stop().success());
    let record = records(workspace.path()).pop().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let options = LogOptions { rotate_bytes: 1, sync_before_answer: true };
    let log = DecisionLog::open(directory.path().to_path_buf(), options);
    for _ in 0..3 {
        log.append(record.to_line()).unwrap().wait().unwrap();
    }
    log.close();
    let names: Vec<String> = files(directory.path())
        .unwrap()
        .iter()
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(names, ["000001.jsonl.zst", "000002.jsonl.zst", "000003.jsonl.zst"]);
    assert!(find(directory.path(), &record.decision.decision_id).unwrap().is_some());
    assert!(log.append(record.to_line()).is_err(), "a closed log takes nothing");
    // Where a file stands there can be no directory.
    let blocked = DecisionLog::open(directory.path().join("000001.jsonl.zst"), LogOptions::default());
    assert!(
        blocked
            .append(record.to_line())
            .unwrap()
            .wait()
            .unwrap_err()
            .to_string()
            .starts_with("log_unavailable: ")
    );
}

#[test]
fn a_decision_is_given_only_when_it_can_be_logged() {
    let workspace = workspace();
    let server = Server::start(workspace.path(), &["--now", NOW]);
    fs::create_dir_all(workspace.path().join("data/decisions")).unwrap();
    fs::write(log_of(workspace.path()), "a file in the way").unwrap();
    let headers = [("content-type", "application/json"), ("idempotency-key", "k")];
    let ask = || server.post("/v1/decisions", &headers, b"{\"user_id\":\"morning\"}");
    let reply = ask();
    assert_eq!((reply.status, reply.problem()), (503, "log_unavailable".to_string()), "{reply:?}");
    fs::remove_file(log_of(workspace.path())).unwrap();
    assert_eq!(ask().status, 200, "the key was left free");
}

#[test]
fn the_whole_context_of_a_hundred_contents_fits_its_bound() {
    let workspace = workspace();
    let content = |index: usize| {
        let text = smartpush::domain::identity::sha256_hex(index.to_string().as_bytes());
        format!(
            "{{\"content_id\":\"{text}\",\"category\":\"music\",\"title\":\"{text}\",\"tags\":[\"{}\"]}}\n",
            &text[..8]
        )
    };
    let contents: String = (0..120).map(content).collect();
    crate::support::world::take(workspace.path(), "contents", "more.jsonl", &contents);
    crate::support::world::take(
        workspace.path(),
        "campaigns",
        "c.jsonl",
        r#"{"campaign_id":"spring","status":"paused"}"#,
    );
    let server = Server::start(workspace.path(), &["--now", NOW]);
    server.decide("morning");
    assert!(server.stop().success());
    let record = records(workspace.path()).pop().unwrap();
    assert_eq!(record.context.contents.len(), 100, "the most that decisions look at");
    let path = files(&log_of(workspace.path())).unwrap().pop().unwrap();
    let bytes = fs::metadata(&path).unwrap().len();
    println!("a record of 100 contents: {} bytes of JSON, {bytes} compressed", record.to_line().len());
    assert!(bytes <= 64 << 10, "{bytes}");
}
