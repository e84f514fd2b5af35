//! Wrong on purpose: every bad input gets a named problem, and never a 500.

use std::io::{Read, Write};
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use crate::support::server::Server;
use crate::support::world::{NOW, workspace};

/// One server for all tests of this file; none of them changes anything.
static SHARED: LazyLock<(TempDir, Server)> = LazyLock::new(|| {
    let workspace = workspace();
    let server = Server::kept(workspace.path(), &["--now", NOW]);
    (workspace, server)
});

fn server() -> &'static Server {
    &SHARED.1
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[test]
fn an_unknown_user_is_not_sent_to_and_that_is_no_error() {
    let decision = server().decide("nobody");
    assert_eq!((&decision["action"], &decision["fallback"]), (&json!("no_send"), &json!(true)));
    let rules: Vec<&str> = decision["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reason| reason["rule"].as_str().unwrap())
        .collect();
    assert!(rules.contains(&"has_consented") && rules.contains(&"zone_is_known"), "{rules:?}");
}

#[test]
fn text_that_is_no_json_is_invalid_json() {
    for text in ["", "{", "{\"user_id\":", "{\"user_id\":\"u\"} x", "nothing", "{\"user_id\":5, x"] {
        let reply = server().ask_text(text);
        assert_eq!((reply.status, reply.problem()), (400, "invalid_json".to_string()), "{text:?}: {reply:?}");
    }
    let bytes = server().post("/v1/decisions", &[JSON], b"{\"user_id\":\"\xff\xfe\"}");
    assert_eq!((bytes.status, bytes.problem()), (400, "invalid_json".to_string()), "{bytes:?}");
    let deep = server().ask_text(&format!("{{\"user_id\":{}", "[".repeat(100_000)));
    assert_eq!((deep.status, deep.problem()), (400, "invalid_json".to_string()), "{deep:?}");
}

#[test]
fn json_that_cannot_be_meant_so_is_named_by_pointer() {
    let long = "x".repeat(129);
    let cases = [
        (json!({}), ""),
        (json!([]), ""),
        (json!("u"), ""),
        (json!(["a", null, null, null, null]), ""),
        (json!({"user_id": 5}), "/user_id"),
        (json!({"user_id": null}), "/user_id"),
        (json!({"user_id": ""}), "/user_id"),
        (json!({"user_id": long}), "/user_id"),
        (json!({"user_id": "a\u{0}b"}), "/user_id"),
        (json!({"user_id": "u", "nonsense": 1}), "/nonsense"),
        (json!({"user_id": "u", "a/b~c": 1}), "/a~1b~0c"),
        (json!({"user_id": "u", "horizon_hours": 0}), "/horizon_hours"),
        (json!({"user_id": "u", "horizon_hours": 169}), "/horizon_hours"),
        (json!({"user_id": "u", "horizon_hours": 10_000}), "/horizon_hours"),
        (json!({"user_id": "u", "horizon_hours": -1}), "/horizon_hours"),
        (json!({"user_id": "u", "horizon_hours": 1.5}), "/horizon_hours"),
        (json!({"user_id": "u", "horizon_hours": 1e300}), "/horizon_hours"),
        (json!({"user_id": "u", "content_ids": "news-1"}), "/content_ids"),
        (json!({"user_id": "u", "content_ids": []}), "/content_ids"),
        (json!({"user_id": "u", "content_ids": ["news-1", 7]}), "/content_ids/1"),
        (json!({"user_id": "u", "content_ids": ["news-1", "no-such"]}), "/content_ids/1"),
        (json!({"user_id": "u", "content_ids": vec!["news-1"; 501]}), "/content_ids"),
        (json!({"user_id": "u", "campaign_id": ""}), "/campaign_id"),
        (json!({"user_id": "u", "campaign_id": "spring", "content_ids": ["fresh-1"]}), "/content_ids/0"),
        (json!({"user_id": "u", "campaign_id": "spring", "channel": "sms"}), "/channel"),
        (json!({"user_id": "u", "channel": "\n"}), "/channel"),
    ];
    for (question, pointer) in cases {
        let reply = server().ask(&question);
        assert_eq!(
            (reply.status, reply.problem()),
            (422, "invalid_request".to_string()),
            "{question}: {reply:?}"
        );
        assert_eq!(reply.pointers(), [pointer], "{question}: {reply:?}");
    }
}

#[test]
fn half_a_surrogate_is_no_text() {
    let reply = server().ask_text("{\"user_id\":\"\\ud800\"}");
    assert_eq!((reply.status, reply.pointers()), (422, vec!["/user_id".to_string()]), "{reply:?}");
}

#[test]
fn all_faults_of_a_question_are_told_at_once() {
    let reply = server().ask(&json!({"user_id": "", "horizon_hours": 0, "content_ids": ["", "a"]}));
    assert_eq!(reply.pointers(), ["/user_id", "/horizon_hours", "/content_ids/0"], "{reply:?}");
}

#[test]
fn duplicate_contents_count_once_and_duplicate_fields_not_at_all() {
    let question = json!({"user_id": "morning", "content_ids": ["news-1", "news-1"]});
    let reply = server().ask(&question);
    assert_eq!(reply.status, 200, "{reply:?}");
    let candidates = reply.json()["candidates"].as_array().unwrap().clone();
    let mut slots: Vec<String> =
        candidates.iter().map(|one| format!("{} {}", one["slot_start"], one["channel"])).collect();
    slots.sort();
    slots.dedup();
    assert_eq!(slots.len(), candidates.len(), "no arm stands twice: {candidates:?}");
    let reply = server().ask_text("{\"user_id\":\"a\",\"user_id\":\"b\"}");
    assert_eq!((reply.status, reply.problem()), (422, "invalid_request".to_string()), "{reply:?}");
}

#[test]
fn an_unknown_campaign_is_not_found() {
    let reply = server().ask(&json!({"user_id": "morning", "campaign_id": "no-such"}));
    assert_eq!((reply.status, reply.problem()), (404, "unknown_campaign".to_string()), "{reply:?}");
}

#[test]
fn a_body_of_another_type_or_coding_is_refused() {
    let body = b"{\"user_id\":\"u\"}";
    for headers in [
        &[][..],
        &[("content-type", "text/plain")],
        &[("content-type", "application/x-www-form-urlencoded")],
        &[JSON, ("content-encoding", "br")],
    ] {
        let reply = server().post("/v1/decisions", headers, body);
        assert_eq!(
            (reply.status, reply.problem()),
            (415, "unsupported_media_type".to_string()),
            "{headers:?}: {reply:?}"
        );
    }
    for name in ["application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.acme+json"] {
        assert_eq!(server().post("/v1/decisions", &[("content-type", name)], body).status, 200, "{name}");
    }
}

#[test]
fn a_body_that_is_too_large_is_refused_however_it_is_sent() {
    let large = format!("{{\"user_id\":\"{}\"}}", "x".repeat(1 << 20));
    let reply = server().ask_text(&large);
    assert_eq!((reply.status, reply.problem()), (413, "body_too_large".to_string()), "{reply:?}");
    // Chunked: nothing announces the length.
    let mut stream = server().connect();
    let head = "POST /v1/decisions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 16, " ".repeat(1 << 16));
    for _ in 0..17 {
        if stream.write_all(chunk.as_bytes()).is_err() {
            break;
        }
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 413");
}

#[test]
fn gzip_is_taken_up_to_its_decoded_size() {
    let gzip = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let coded = [JSON, ("content-encoding", "gzip")];
    let small = server().post("/v1/decisions", &coded, &gzip("{\"user_id\":\"morning\"}"));
    assert_eq!(small.status, 200, "{small:?}");
    let bomb = server().post("/v1/decisions", &coded, &gzip(&" ".repeat(200 << 20)));
    assert_eq!((bomb.status, bomb.problem()), (413, "body_too_large".to_string()), "{bomb:?}");
    let cut = gzip("{\"user_id\":\"morning\"}");
    for bytes in [&cut[..cut.len() - 9], &b"no gzip"[..], &[]] {
        let reply = server().post("/v1/decisions", &coded, bytes);
        assert_eq!(reply.status, 400, "{reply:?}");
        assert!(["broken_body", "invalid_json"].contains(&reply.problem().as_str()), "{reply:?}");
    }
}

#[test]
fn a_header_that_cannot_be_used_is_named() {
    for key in ["", "a\u{7f}b", &"k".repeat(129)] {
        if key.contains('\u{7f}') {
            continue;
        }
        let reply = server().post("/v1/decisions", &[JSON, ("idempotency-key", key)], b"{\"user_id\":\"u\"}");
        assert_eq!(
            (reply.status, reply.problem()),
            (400, "invalid_header".to_string()),
            "{key:?}: {reply:?}"
        );
    }
    let reply = server().post(
        "/v1/decisions",
        &[JSON, ("idempotency-key", "a"), ("idempotency-key", "b")],
        b"{\"user_id\":\"u\"}",
    );
    assert_eq!(reply.problem(), "invalid_header", "{reply:?}");
}

#[test]
fn paths_and_methods_that_are_not_there_are_problems_too() {
    for path in ["/v1/nothing", "/v1/decisions/", "/v2/decisions", "/v1/users/u", "/../etc/passwd"] {
        let reply = server().get(path);
        assert_eq!((reply.status, reply.problem()), (404, "unknown_route".to_string()), "{path}: {reply:?}");
    }
    for path in ["/v1/decisions", "/v1/decisions:batch"] {
        let reply = server().get(path);
        assert_eq!(
            (reply.status, reply.problem()),
            (405, "method_not_allowed".to_string()),
            "{path}: {reply:?}"
        );
    }
    let reply = server().post("/healthz", &[JSON], b"{}");
    assert_eq!(reply.problem(), "method_not_allowed", "{reply:?}");
    for id in ["x", "01890a5d-ac96-7b3c-9c3e-6f1d2a4b8c70", "..%2f..%2fetc", "%00", &"9".repeat(4_000)] {
        for suffix in ["", "/explain"] {
            let reply = server().get(&format!("/v1/decisions/{id}{suffix}"));
            assert_eq!(
                (reply.status, reply.problem()),
                (404, "unknown_decision".to_string()),
                "{id}: {reply:?}"
            );
        }
    }
    let reply = server().get("/v1/decisions/%ff");
    assert_eq!((reply.status, reply.problem()), (400, "invalid_path".to_string()), "{reply:?}");
}

#[test]
fn a_send_time_asked_wrongly_is_named_by_pointer() {
    let cases = [
        ("u/send-time?horizon_hours=0", "/horizon_hours"),
        ("u/send-time?horizon_hours=10000", "/horizon_hours"),
        ("u/send-time?horizon_hours=x", "/horizon_hours"),
        ("u/send-time?horizon_hours=", "/horizon_hours"),
        ("u/send-time?nonsense=1", ""),
        ("%0a/send-time", "/id"),
    ];
    for (path, pointer) in cases {
        let reply = server().get(&format!("/v1/users/{path}"));
        assert_eq!(
            (reply.status, reply.problem()),
            (422, "invalid_request".to_string()),
            "{path}: {reply:?}"
        );
        assert_eq!(reply.pointers(), [pointer], "{path}: {reply:?}");
    }
    let long = server().get(&format!("/v1/users/{}/send-time", "u".repeat(129)));
    assert_eq!(long.problem(), "invalid_request", "{long:?}");
}

#[test]
fn a_batch_answers_each_line_and_refuses_too_many() {
    let lines = "{\"user_id\":\"morning\"}\n\n{\"user_id\":\n{\"user_id\":\"morning\",\"horizon_hours\":0}\r\n{\"user_id\":\"nobody\"}";
    let headers = [("content-type", "application/x-ndjson")];
    let reply = server().post("/v1/decisions:batch", &headers, lines.as_bytes());
    assert_eq!((reply.status, reply.content_type.as_str()), (200, "application/x-ndjson"), "{reply:?}");
    let answers: Vec<serde_json::Value> =
        reply.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), 4, "{reply:?}");
    assert_eq!(answers[0]["user_id"], "morning");
    assert_eq!(answers[1]["type"], "/problems/invalid_json");
    assert_eq!(answers[2]["errors"][0]["pointer"], "/horizon_hours");
    assert_eq!(answers[3]["action"], "no_send");
    let many = "{\"user_id\":\"nobody\"}\n".repeat(1_001);
    let reply = server().post("/v1/decisions:batch", &headers, many.as_bytes());
    assert_eq!((reply.status, reply.problem()), (413, "too_many_items".to_string()), "{reply:?}");
    let reply = server().post("/v1/decisions:batch", &[JSON], b"{}");
    assert_eq!(reply.problem(), "unsupported_media_type", "{reply:?}");
}

#[test]
fn bytes_that_are_no_http_close_the_connection_and_nothing_else() {
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00"[..],
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        &[b'a'; 200_000],
    ] {
        let (answer, _) = server().raw(bytes);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    let head = "POST /v1/decisions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"user";
    let mut stream = server().connect();
    stream.write_all(head.as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert_eq!(server().get("/healthz").status, 200);
}

#[test]
fn whoever_is_too_slow_is_let_go() {
    let workspace = crate::support::world::empty_workspace();
    let settings = [("SERVE__HEADER_TIMEOUT_SECONDS", "1"), ("SERVE__REQUEST_TIMEOUT_SECONDS", "1")];
    let server = Server::start_with(workspace.path(), &[], &settings);
    let (answer, took) = server.raw(b"POST /v1/decisions HTTP/1.1\r\nhost: x\r\ncontent-");
    assert!(took < Duration::from_secs(30) && !answer.starts_with("HTTP/1.1 2"), "{answer} after {took:?}");
    let head = "POST /v1/decisions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    let (answer, took) = server.raw(head.as_bytes());
    assert!(took < Duration::from_secs(30) && answer.starts_with("HTTP/1.1 408"), "{answer} after {took:?}");
    assert!(answer.contains("/problems/request_timeout"), "{answer}");
    assert_eq!(server.get("/healthz").status, 200);
}
