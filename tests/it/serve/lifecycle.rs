//! Starting, stopping, and keeping up with a workspace that others write to.

use std::fs;
use std::io::{Read, Write};
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::support::server::Server;
use crate::support::world::{NOW, empty_workspace, take, workspace};
use crate::support::{smartpush, stdout_of};

const QUICK: [(&str, &str); 1] = [("SERVE__REFRESH_SECONDS", "1")];

fn refusal(arguments: &[&str]) -> String {
    let workspace = empty_workspace();
    let output = smartpush(workspace.path(), arguments);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_server_that_cannot_start_says_why_and_ends_with_exit_2() {
    let nowhere = tempfile::tempdir().unwrap();
    let output = smartpush(nowhere.path(), &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no_workspace"), "{output:?}");
    assert!(refusal(&["serve", "--listen", "nonsense"]).contains("cannot_listen"));
    assert!(refusal(&["serve", "--listen", "127.0.0.1:0", "--now", "yesterday"]).contains("bad_moment"));
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = busy.local_addr().unwrap().to_string();
    assert!(refusal(&["serve", "--listen", &address]).contains("cannot_listen"));
}

#[test]
fn one_server_serves_a_workspace_and_other_commands_work_beside_it() {
    let workspace = workspace();
    let server = Server::start(workspace.path(), &["--now", NOW]);
    let second = smartpush(workspace.path(), &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&second.stderr).contains("already_served"), "{second:?}");
    stdout_of(&smartpush(workspace.path(), &["profile"]));
    assert!(server.stop().success());
    let third = Server::start(workspace.path(), &["--now", NOW]);
    assert_eq!(third.decide("morning")["action"], "send");
}

#[test]
fn told_to_stop_it_finishes_what_has_begun_and_ends_with_exit_0() {
    for signal in ["TERM", "INT"] {
        let workspace = workspace();
        let mut server = Server::start(workspace.path(), &["--now", NOW]);
        // A connection that does nothing keeps nobody waiting.
        let _idle = server.connect();
        let mut stream = server.connect();
        let body = json!({"user_id": "morning"}).to_string();
        let head = format!(
            "POST /v1/decisions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&body.as_bytes()[..5]).unwrap();
        std::thread::sleep(Duration::from_millis(300));
        server.signal(signal);
        std::thread::sleep(Duration::from_millis(300));
        stream.write_all(&body.as_bytes()[5..]).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"action\":\"send\""), "{answer}");
        assert_eq!(server.wait().code(), Some(0));
    }
}

#[test]
fn new_consent_campaigns_and_events_are_noticed_while_it_runs() {
    let workspace = workspace();
    let server = Server::start_with(workspace.path(), &["--now", NOW], &QUICK);
    assert_eq!(server.decide("morning")["action"], "send");
    take(workspace.path(), "users", "users.csv", "user_id,consent\nmorning,denied\ndenied,granted\n");
    server.wait_until(|server| server.decide("morning")["action"] == "no_send");
    assert_eq!(server.decide("denied")["action"], "send");
    take(workspace.path(), "campaigns", "c.jsonl", r#"{"campaign_id":"spring","status":"halted"}"#);
    server.wait_until(|server| server.decide("evening")["campaign_id"].is_null());
    let sends = "user_id,event,timestamp\nevening,push_sent,2026-03-01T16:00:00Z\nevening,push_sent,2026-03-01T16:30:00Z\n";
    take(workspace.path(), "events", "e.csv", sends);
    server.wait_until(|server| {
        let decision = server.decide("evening");
        decision["send_at_local"].as_str().is_none_or(|local| !local.starts_with("2026-03-01"))
    });
    server.wait_until(|server| server.get("/readyz").json()["refresh"]["refreshed"].as_u64() >= Some(2));
}

#[test]
fn a_workspace_that_cannot_be_read_leaves_the_former_snapshot_in_force() {
    let workspace = workspace();
    let server = Server::start_with(workspace.path(), &["--now", NOW], &QUICK);
    let path = workspace.path().join("data/contents.parquet");
    let sound = fs::read(&path).unwrap();
    fs::write(&path, "no parquet").unwrap();
    server.wait_until(|server| !server.get("/readyz").json()["refresh"]["last_error"].is_null());
    assert_eq!(server.decide("morning")["action"], "send");
    let metrics = server.get("/metrics").text;
    assert!(metrics.contains("smartpush_refreshes_total{outcome=\"failed\"}"), "{metrics}");
    fs::write(&path, sound).unwrap();
    server.wait_until(|server| server.get("/readyz").json()["refresh"]["last_error"].is_null());
}

#[test]
fn an_unreadable_preference_fails_closed() {
    let workspace = workspace();
    take(workspace.path(), "users", "users.csv", "user_id,quiet_from\nmorning,22:00\n");
    let server = Server::start(workspace.path(), &["--now", NOW]);
    let decision = server.decide("morning");
    assert_eq!(decision["action"], "no_send");
    assert!(decision["reasons"].to_string().contains("preferences_are_readable"), "{decision}");
}

#[test]
fn people_are_told_where_it_listens() {
    let workspace = empty_workspace();
    let mut command = Command::new(env!("CARGO_BIN_EXE_smartpush"));
    command.arg("--workspace").arg(workspace.path()).args(["serve", "--listen", "127.0.0.1:0"]);
    let mut child =
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().unwrap()), &mut line)
        .unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(line.starts_with("serving on http://127.0.0.1:") && line.contains("/openapi.json"), "{line}");
}

#[test]
fn more_connections_than_there_is_room_for_are_closed_and_come_again_when_there_is() {
    let workspace = empty_workspace();
    let server = Server::start_with(workspace.path(), &[], &[("SERVE__MOST_CONNECTIONS", "2")]);
    let get = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut held: Vec<_> = (0..2).map(|_| server.connect()).collect();
    for stream in &mut held {
        stream.write_all(get).unwrap();
        stream.read_exact(&mut [0; 12]).unwrap();
    }
    assert_eq!(server.raw(get).0, "", "there is no room for a third");
    drop(held);
    server.wait_until(|server| {
        let closing = b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        server.raw(closing).0.starts_with("HTTP/1.1 200")
    });
}

#[test]
fn a_clock_that_stands_before_what_was_taken_in_sends_nothing() {
    let workspace = workspace();
    let event = "user_id,event,timestamp\nmorning,view,2090-01-01T00:00:00Z\n";
    let file = workspace.path().join("ahead.csv");
    std::fs::write(&file, event).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_smartpush"));
    command.arg("--workspace").arg(workspace.path()).arg("ingest").arg(&file);
    assert!(command.env("SMARTPUSH__INGEST__FUTURE_TOLERANCE_HOURS", "876000").status().unwrap().success());
    let server = Server::start(workspace.path(), &[]);
    let reasons = server.decide("morning")["reasons"].to_string();
    assert!(reasons.contains("clock_is_trusted"), "{reasons}");
    drop(server);
    let server = Server::start(workspace.path(), &["--now", NOW]);
    assert_eq!(server.decide("morning")["action"], "send", "a virtual clock does not see it");
}
