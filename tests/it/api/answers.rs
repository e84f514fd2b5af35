//! What is answered: who gets what and when, on whose clock, and why not.

use std::sync::LazyLock;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::client::Reply;
use crate::support::server::Server;
use crate::support::world::{NOW, empty_workspace, take, workspace, workspace_without_campaigns};

/// One server for the tests that change nothing.
static SHARED: LazyLock<(TempDir, Server)> = LazyLock::new(|| {
    let workspace = workspace();
    let server = Server::kept(workspace.path(), &["--now", NOW]);
    (workspace, server)
});

fn server() -> &'static Server {
    &SHARED.1
}

/// Fields of a decision in the order of the contract.
const FIELDS: [&str; 21] = [
    "decision_id",
    "send_id",
    "user_id",
    "campaign_id",
    "action",
    "content_id",
    "variant_id",
    "channel",
    "send_at",
    "send_at_local",
    "time_zone",
    "expires_at",
    "retry_at",
    "fallback",
    "reasons",
    "response_probability",
    "action_probability",
    "explored",
    "holdout",
    "candidates",
    "versions",
];

fn rules(decision: &Value) -> Vec<String> {
    let reasons = decision["reasons"].as_array().unwrap();
    reasons.iter().map(|reason| reason["rule"].as_str().unwrap().to_string()).collect()
}

fn contents(decision: &Value) -> Vec<&str> {
    let candidates = decision["candidates"].as_array().unwrap();
    candidates.iter().map(|candidate| candidate["content_id"].as_str().unwrap()).collect()
}

#[test]
fn each_user_is_sent_the_popular_content_at_their_best_hour_that_is_not_quiet() {
    // The best hour of `morning` is 07:00, and marketing is quiet until 08:00 by default.
    for (user, hour) in [("morning", "2026-03-02T08:"), ("evening", "2026-03-01T20:")] {
        let decision = server().decide(user);
        assert_eq!(
            (&decision["action"], &decision["content_id"]),
            (&json!("send"), &json!("news-1")),
            "{decision}"
        );
        assert!(decision["send_at_local"].as_str().unwrap().starts_with(hour), "{user}: {decision}");
        assert_eq!(decision["campaign_id"], "spring", "the running campaign answers");
        assert_eq!((&decision["variant_id"], &decision["channel"]), (&json!("en"), &json!("push")));
        assert_eq!(decision["fallback"], true, "there is no model");
        assert_eq!(decision["versions"]["model"], "popularity");
    }
}

#[test]
fn a_decision_has_the_fields_of_the_contract_in_their_order() {
    let reply = server().ask(&json!({"user_id": "morning"}));
    let keys: Vec<String> = reply.json().as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys.len(), FIELDS.len(), "{keys:?}");
    let indexes: Vec<usize> = FIELDS
        .iter()
        .map(|field| reply.text.find(&format!("\"{field}\":")).unwrap_or_else(|| panic!("{field}")))
        .collect();
    let top_level = |field: &str| reply.json().get(field).is_some();
    assert!(FIELDS.iter().all(|field| top_level(field)));
    assert!(indexes[..16].is_sorted(), "{indexes:?}");
    assert!(reply.json()["candidates"].as_array().unwrap().len() <= 5);
    for version in ["model", "features", "config", "tz_database", "build", "profiles_as_of"] {
        assert!(reply.json()["versions"][version].is_string(), "{version}");
    }
}

#[test]
fn whoever_must_not_be_sent_to_is_not_and_the_rule_is_named() {
    for (user, rule) in
        [("denied", "has_consented"), ("nowhere", "zone_is_known"), ("nobody", "has_consented")]
    {
        let decision = server().decide(user);
        assert_eq!(decision["action"], "no_send", "{user}: {decision}");
        assert!(rules(&decision).contains(&rule.to_string()), "{user}: {decision}");
        assert!(
            !contents(&decision).is_empty(),
            "what would have been chosen stands under candidates: {decision}"
        );
        assert!(decision["send_id"].is_null() && decision["send_at"].is_null(), "{decision}");
    }
    let muted = server().decide("muted");
    assert_eq!(muted["action"], "no_send", "{muted}");
    assert!(rules(&muted).contains(&"category_is_not_muted".to_string()), "{muted}");
}

#[test]
fn a_user_without_history_or_personalisation_gets_everybodys_hour() {
    let probabilities = |user: &str| {
        let reply = server().get(&format!("/v1/users/{user}/send-time"));
        reply.json()["curve"]
            .as_array()
            .unwrap()
            .iter()
            .map(|hour| hour["probability"].as_f64().unwrap())
            .collect()
    };
    let everybody: Vec<f64> = probabilities("nobody");
    assert_eq!(everybody, probabilities("silent"));
    assert_eq!(everybody, probabilities("off"), "what he did decides nothing");
    assert_ne!(everybody, probabilities("morning"));
    let reasons =
        |user: &str| server().get(&format!("/v1/users/{user}/send-time")).json()["fallback_reasons"].clone();
    assert_eq!(reasons("silent"), json!(["no_profile"]));
    assert_eq!(reasons("off"), json!(["personalisation_off"]));
    assert_eq!(reasons("morning"), json!([]));
}

#[test]
fn a_send_time_names_an_hour_outside_quiet_hours_and_a_whole_curve() {
    let reply = server().get("/v1/users/evening/send-time?horizon_hours=168");
    let body = reply.json();
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(body["send_at_local"].as_str().unwrap().contains("T20:00:00-0"), "{body}");
    assert_eq!(body["slot"]["hour_of_week"].as_u64().unwrap() % 24, 20);
    let curve = body["curve"].as_array().unwrap();
    let value = |hour: &Value, name: &str| hour[name].as_f64().unwrap();
    assert_eq!(curve.len(), 168);
    assert!((curve.iter().map(|hour| value(hour, "probability")).sum::<f64>() - 1.0).abs() < 1e-9);
    assert!(curve.iter().all(|hour| value(hour, "low") <= value(hour, "probability")));
    assert!(curve.iter().all(|hour| value(hour, "probability") <= value(hour, "high")));
    assert!(body["evidence"].as_f64().unwrap() > 10.0 && body["level"].is_string(), "{body}");
    // Quiet from 22:00 to 08:00 in Paris.
    let quiet = server().get("/v1/users/plain/send-time?horizon_hours=168").json();
    let local = quiet["send_at_local"].as_str().unwrap();
    assert!(("08".."22").contains(&&local[11..13]), "{local}");
    let nowhere = server().get("/v1/users/nowhere/send-time").json();
    assert_eq!((&nowhere["send_at"], &nowhere["refused_by"]), (&json!(null), &json!(["zone_is_known"])));
}

#[test]
fn without_a_running_campaign_all_contents_compete_that_are_alive() {
    let workspace = workspace_without_campaigns();
    let server = Server::start(workspace.path(), &["--now", NOW]);
    let decision = server.decide("morning");
    assert_eq!((&decision["campaign_id"], &decision["action"]), (&json!(null), &json!("send")), "{decision}");
    assert!(!contents(&decision).contains(&"old-1"), "expired: {decision}");
    let events_only = server.ask(&json!({"user_id": "morning", "content_ids": ["events-only"]})).json();
    assert_eq!(
        events_only["action"], "no_send",
        "a content that only events know has no text: {events_only}"
    );
    assert_eq!(rules(&events_only)[0], "is_declared", "{events_only}");
    let expired = server.ask(&json!({"user_id": "morning", "content_ids": ["old-1"]})).json();
    assert_eq!(expired["action"], "no_send", "{expired}");
    assert!(rules(&expired).contains(&"before_expiry".to_string()), "{expired}");
}

#[test]
fn a_campaign_that_does_not_run_sends_nothing() {
    for campaign in ["later", "over"] {
        let reply = server().ask(&json!({"user_id": "morning", "campaign_id": campaign}));
        let decision = reply.json();
        assert_eq!(
            (&decision["action"], &decision["campaign_id"]),
            (&json!("no_send"), &json!(campaign)),
            "{decision}"
        );
        assert!(rules(&decision).contains(&"campaign_is_running".to_string()), "{decision}");
    }
}

#[test]
fn the_weightier_campaign_wins_and_a_restriction_to_contents_holds() {
    let workspace = workspace();
    let rival = r#"{"campaign_id":"rival","status":"running","contents":["news-1"],"priority":5}"#;
    take(workspace.path(), "campaigns", "campaigns.jsonl", rival);
    let server = Server::start(workspace.path(), &["--now", NOW]);
    assert_eq!(server.decide("morning")["campaign_id"], "rival");
    let question = json!({"user_id": "morning", "content_ids": ["sport-1"]});
    assert_eq!(server.ask(&question).json()["campaign_id"], "spring", "only spring has it");
    let email = json!({"user_id": "morning", "campaign_id": "spring", "channel": "email"});
    assert_eq!(server.ask(&email).json()["channel"], "email");
}

#[test]
fn asking_again_makes_another_decision_about_the_same_send() {
    let (first, second) = (server().decide("morning"), server().decide("morning"));
    assert_ne!(first["decision_id"], second["decision_id"]);
    assert_eq!(first["send_id"], second["send_id"]);
    assert_eq!(first["send_at"], second["send_at"]);
    assert_ne!(first["send_id"], server().decide("evening")["send_id"]);
    let id = uuid::Uuid::parse_str(first["decision_id"].as_str().unwrap()).unwrap();
    assert_eq!(id.get_version_num(), 7);
}

#[test]
fn a_decision_can_be_fetched_and_explained() {
    let asked = server().ask(&json!({"user_id": "morning"}));
    let id = asked.json()["decision_id"].as_str().unwrap().to_string();
    assert_eq!(server().get(&format!("/v1/decisions/{id}")).text, asked.text);
    let explained = server().get(&format!("/v1/decisions/{id}/explain")).json();
    assert_eq!(explained["decision_id"], id.as_str());
    let parts = explained["contributions"].as_array().unwrap();
    let sum: f64 = parts.iter().map(|part| part["contribution"].as_f64().unwrap()).sum();
    assert!((sum - explained["arm"]["raw_logit"].as_f64().unwrap()).abs() < 1e-9, "{explained}");
    assert!(explained["sentences"]["zh"][0].is_string(), "{explained}");
}

fn with_key(server: &Server, key: &str, question: &Value) -> Reply {
    let headers = [("content-type", "application/json"), ("idempotency-key", key)];
    server.post("/v1/decisions", &headers, question.to_string().as_bytes())
}

#[test]
fn the_same_question_under_the_same_key_gets_the_same_answer() {
    let question = json!({"user_id": "morning"});
    let first = with_key(server(), "one", &question);
    assert_eq!(first.status, 200, "{first:?}");
    // The order of fields and blanks make no other question.
    let same = json!({"horizon_hours": null, "user_id": "morning"});
    assert_eq!(with_key(server(), "one", &same).text, first.text);
    assert_ne!(with_key(server(), "two", &question).text, first.text);
    let other = with_key(server(), "one", &json!({"user_id": "evening"}));
    assert_eq!((other.status, other.problem()), (422, "idempotency_conflict".to_string()), "{other:?}");
    // A question that could not be answered leaves the key free.
    let bad = with_key(server(), "three", &json!({"user_id": "morning", "campaign_id": "no-such"}));
    assert_eq!(bad.status, 404);
    assert_eq!(with_key(server(), "three", &question).status, 200);
}

#[test]
fn many_who_ask_under_one_key_at_once_get_one_answer() {
    let ask = |_| std::thread::spawn(|| with_key(server(), "race", &json!({"user_id": "evening"})).text);
    let threads: Vec<_> = (0..16).map(ask).collect();
    let mut answers: Vec<String> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[test]
fn the_key_of_a_batch_stands_for_each_of_its_items() {
    let headers = [("content-type", "application/x-ndjson"), ("idempotency-key", "batch")];
    let lines = b"{\"user_id\":\"morning\"}\n{\"user_id\":\"evening\"}\n";
    let ask = || server().post("/v1/decisions:batch", &headers, lines).text;
    let first = ask();
    assert_eq!(first.lines().count(), 2);
    assert_eq!(ask(), first);
}

#[test]
fn an_empty_workspace_answers_too() {
    let workspace = empty_workspace();
    let server = Server::start(workspace.path(), &[]);
    let decision = server.decide("anybody");
    assert_eq!((&decision["action"], &decision["fallback"]), (&json!("no_send"), &json!(true)), "{decision}");
    assert_eq!(decision["candidates"], json!([]));
    let curve = server.get("/v1/users/anybody/send-time").json();
    assert_eq!((&curve["level"], &curve["evidence"]), (&json!("global"), &json!(0.0)));
    assert_eq!(server.get("/readyz").status, 200);
}

#[test]
fn the_document_describes_every_path_and_every_answer() {
    let document = server().get("/openapi.json").json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let paths = document["paths"].as_object().unwrap();
    let expected = [
        "/healthz",
        "/metrics",
        "/readyz",
        "/v1/contents/{id}/preview",
        "/v1/decisions",
        "/v1/decisions/{id}",
        "/v1/decisions/{id}/explain",
        "/v1/decisions:batch",
        "/v1/segment-fields",
        "/v1/segments",
        "/v1/segments/{id}",
        "/v1/segments/{id}/members",
        "/v1/segments:overlap",
        "/v1/segments:preview",
        "/v1/users/{id}/send-time",
    ];
    assert_eq!(paths.keys().collect::<Vec<_>>(), expected);
    for field in FIELDS {
        assert!(document["components"]["schemas"]["Decision"]["properties"][field].is_object(), "{field}");
    }
    let problems = |path: &str, method: &str| -> Vec<String> {
        document["paths"][path][method]["responses"].as_object().unwrap().keys().cloned().collect()
    };
    for method in ["get", "put", "delete"] {
        assert!(problems("/v1/segments/{id}", method).len() > 2, "{method}");
    }
    assert_eq!(problems("/v1/decisions", "post"), ["200", "400", "404", "408", "413", "415", "422", "503"]);
}

#[test]
fn what_is_answered_is_counted() {
    server().decide("morning");
    server().get("/nowhere");
    let text = server().get("/metrics").text;
    for line in [
        "smartpush_decisions_total{action=\"send\"}",
        "smartpush_http_requests_total{route=\"/v1/decisions\",status=\"200\"}",
        "smartpush_http_requests_total{route=\"unknown\",status=\"404\"}",
        "smartpush_http_request_seconds_bucket{route=\"/v1/decisions\",le=\"0.001\"}",
        "smartpush_snapshot_age_seconds",
        "smartpush_log_queue 0",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}
