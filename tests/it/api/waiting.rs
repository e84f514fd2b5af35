//! Requests that wait for something of their own keep nobody else waiting.

use std::sync::atomic::{AtomicBool, Ordering};

use files::workspace::Workspace;
use serde_json::Value;

use crate::support::client::Client;
use crate::support::server::Server;
use crate::support::world::{NOW, workspace};

/// More writers than could be done within the time limit of a request if they waited with permits that others need.
const WRITERS: usize = 30;

#[test]
fn decisions_are_looked_up_and_segments_read_while_writers_wait_for_the_workspace() {
    let workspace = workspace();
    let settings = [("SERVE__REQUEST_TIMEOUT_SECONDS", "5"), ("SERVE__REFRESH_SECONDS", "86400")];
    let server = Server::start_with(workspace.path(), &["--now", NOW], &settings);
    let decision = server.decide("morning");
    let id = decision["decision_id"].as_str().unwrap();
    let lock = Workspace::open(workspace.path()).unwrap().lock().unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (server, is_over) = (&server, &is_over);
            scope.spawn(move || {
                let path = format!("/v1/segments/waiting-{writer}");
                let headers = [("content-type", "application/json")];
                while !is_over.load(Ordering::Relaxed) {
                    let reply = server.send("PUT", &path, &headers, b"{\"where\":\"everybody\"}");
                    assert!([200, 201, 503].contains(&reply.status), "{reply:?}");
                }
            });
        }
        server.wait_until(|server| in_flight(server) > WRITERS as f64 / 2.0);
        let found = server.get(&format!("/v1/decisions/{id}"));
        let listed = server.get("/v1/segments");
        is_over.store(true, Ordering::Relaxed);
        drop(lock);
        assert_eq!((found.status, found.json()), (200, decision.clone()), "{found:?}");
        assert_eq!(listed.status, 200, "{listed:?}");
    });
    let listed: Value = server.get("/v1/segments").json();
    assert!(listed["segments"].is_array(), "{listed}");
}

fn in_flight(server: &Client) -> f64 {
    let text = server.get("/metrics").text;
    let line = text.lines().find_map(|line| line.strip_prefix("smartpush_requests_in_flight "));
    line.unwrap().parse().unwrap()
}
