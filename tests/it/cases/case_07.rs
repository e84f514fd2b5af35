//! Sends count for caps whatever their system calls them; own acts in another spelling are pointed out.

use serde_json::{Value, json};

use crate::files::Case;
use crate::support::server::Server;

fn taken() -> (Case, Value) {
    let case = Case::new("07");
    let summary = case.ingest("events", "events.csv");
    case.ingest("users", "users.csv");
    case.ingest("contents", "contents.csv");
    assert!(case.run(&["profile"]).status.success());
    (case, summary)
}

#[test]
fn a_third_push_is_held_though_the_sends_have_another_name() {
    let (case, _) = taken();
    let server = Server::start(case.workspace(), &["--now", "2026-12-01T03:00:00Z"]);
    for user in ["u1", "u2"] {
        let question = json!({ "user_id": user, "horizon_hours": 12 }).to_string();
        let reply =
            server.post("/v1/decisions", &[("content-type", "application/json")], question.as_bytes());
        let decision: Value = serde_json::from_str(&reply.text).unwrap();
        assert_eq!(decision["action"], "hold", "{user}: {decision}");
        let rules: Vec<&str> = decision["reasons"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|reason| reason["rule"].as_str())
            .collect();
        assert!(rules.iter().any(|rule| rule.contains("daily_cap")), "{user}: {rules:?}");
    }
}

#[test]
fn names_with_blanks_are_read_and_names_in_another_spelling_are_pointed_out() {
    let (case, summary) = taken();
    let note = |name: &str| {
        let names = summary["event_names"].as_array().unwrap();
        names.iter().find(|entry| entry["name"] == name).unwrap()["note"]
            .as_str()
            .unwrap_or_default()
            .to_string()
    };
    assert!(note("Purchase").contains("--map-event Purchase=purchase"));
    assert!(note("transaction").contains("--map-event transaction=purchase"));
    let purchases = |case: &Case, user: &str| {
        let profile = String::from_utf8(case.run(&["profile", "--user", user]).stdout).unwrap();
        let line = profile.lines().find(|line| line.contains("purchases_30d")).unwrap().to_string();
        line.split_whitespace().find_map(|word| word.parse::<f64>().ok()).unwrap()
    };
    assert_eq!((purchases(&case, "u3"), purchases(&case, "u4")), (1.0, 0.0));
    let mapped = Case::new("07");
    let output =
        mapped.run(&["ingest", "events.csv", "--map-event", "Purchase=purchase,transaction=purchase"]);
    assert!(output.status.success());
    assert!(mapped.run(&["profile"]).status.success());
    assert_eq!((purchases(&mapped, "u3"), purchases(&mapped, "u4")), (2.0, 1.0));
}
