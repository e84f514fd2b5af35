//! Segments over HTTP: what the command line says, as a marketer may see it, and every bad question a named problem.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::process::Command;
use std::sync::LazyLock;
use std::thread;

use serde_json::{Value, json};
use smartpush::files::tables::read_parquet;

use crate::support::client::Reply;
use crate::support::sample::Sample;
use crate::support::server::Server;
use crate::support::world::{NOW, empty_workspace, take, workspace};
use crate::support::{smartpush, stdout_of};

const JSON: (&str, &str) = ("content-type", "application/json");

/// One server on the sample for all tests that change nothing.
static SHARED: LazyLock<(Sample, Server)> = LazyLock::new(|| {
    let sample = Sample::new();
    sample.save("frequent", "purchases_30d >= 2 and not opted_out");
    sample.save("deli", "interest(\"DELI\") > 0.02");
    sample.save("few", "lifecycle = \"new\"");
    sample.file("smartpush.toml", "[segments]\nids_over_http = true\n");
    let server = Server::kept(sample.root(), &[]);
    (sample, server)
});

fn sample() -> &'static Sample {
    &SHARED.0
}

fn server() -> &'static Server {
    &SHARED.1
}

fn preview(server: &Server, body: &Value) -> Reply {
    server.post("/v1/segments:preview", &[JSON], body.to_string().as_bytes())
}

fn put(server: &Server, id: &str, body: &Value, headers: &[(&str, &str)]) -> Reply {
    let headers = [&[JSON], headers].concat();
    server.send("PUT", &format!("/v1/segments/{id}"), &headers, body.to_string().as_bytes())
}

#[test]
fn a_preview_is_what_the_command_line_tells_a_marketer() {
    let texts = [
        "purchases_30d >= 2 and last_seen < 14d and not opted_out",
        "interest(\"DELI\") > 0.02 and last_seen between 7d and 60d",
        "lifecycle = \"new\"",
        "everybody",
        "bucket(\"x\") < 0",
    ];
    for text in texts {
        let by = ["purchases_7d", "consent"];
        let told = preview(server(), &json!({ "where": text, "by": by }));
        let arguments = ["count", "--for", "marketer", "--where", text, "--by", by[0], "--by", by[1]];
        assert_eq!((told.status, told.json()), (200, sample().json(&arguments)), "{text}");
        let tree = told.json()["expression"].clone();
        let of_tree = preview(server(), &json!({ "expression": tree, "by": by }));
        assert_eq!(of_tree.json(), told.json(), "the tree says what the text says");
    }
    let hidden = preview(server(), &json!({ "where": "lifecycle = \"new\"", "sample": 5 })).json();
    assert_eq!(
        (&hidden["members"], &hidden["sample"], &hidden["hidden_below"]),
        (&json!(null), &json!(null), &json!(50))
    );
    let told = preview(server(), &json!({ "where": "everybody", "sample": 5 })).json();
    let sampled = sample().json(&["sample", "--where", "everybody", "--limit", "5"]);
    assert_eq!(told["sample"], sampled["sample"]);
    assert_eq!(told["users"], 860, "865 rounded down to tens");
}

#[test]
fn fields_are_those_of_the_command_line() {
    assert_eq!(server().get("/v1/segment-fields").json(), sample().json(&["fields"]));
}

#[test]
fn an_overlap_is_what_the_command_line_tells_a_marketer() {
    let told = server().post("/v1/segments:overlap", &[JSON], br#"{"segments":["frequent","deli","few"]}"#);
    let expected = sample().json(&["overlap", "frequent", "deli", "few", "--for", "marketer"]);
    assert_eq!((told.status, told.json()), (200, expected));
    let overlap = |segments: Value| {
        let body = json!({ "segments": segments }).to_string();
        server().post("/v1/segments:overlap", &[JSON], body.as_bytes())
    };
    assert_eq!(overlap(json!(["deli"])).pointers(), ["/segments"]);
    assert_eq!(overlap(json!(["deli", "few", "deli"])).pointers(), ["/segments/2"]);
    assert_eq!(overlap(json!(["deli", "fewer"])).problem(), "unknown_segment");
    assert_eq!(overlap(json!("deli")).pointers(), ["/segments"]);
}

#[test]
fn members_are_those_of_an_export_byte_for_byte() {
    let directory = tempfile::tempdir().unwrap();
    for (format, media) in [
        ("csv", "text/csv"),
        ("jsonl", "application/x-ndjson"),
        ("parquet", "application/vnd.apache.parquet"),
    ] {
        let out = directory.path().join(format!("out.{format}"));
        sample().json(&["export", "--segment", "frequent", "--out", out.to_str().unwrap()]);
        let (status, content_type, bytes) =
            server().get_bytes(&format!("/v1/segments/frequent/members?format={format}"));
        assert_eq!(status, 200);
        assert!(content_type.starts_with(media), "{content_type}");
        assert!(bytes == fs::read(&out).unwrap(), "{format}");
    }
    let frame = read_parquet(&directory.path().join("out.parquet"), None).unwrap();
    assert!(frame.height() > 300);
    let refused = server().get("/v1/segments/frequent/members?format=xlsx");
    assert_eq!((refused.status, refused.pointers()), (422, vec!["/format".to_string()]));
    assert_eq!(server().get("/v1/segments/few/members").problem(), "too_few_members");
    assert_eq!(server().get("/v1/segments/none/members").status, 404);
}

/// Code, pointer, line and column, suggestion.
type ExpectedProblem = (&'static str, &'static str, Option<(u64, u64)>, Option<&'static str>);

#[test]
fn every_bad_segment_is_a_problem_with_its_position() {
    let field = |name: &str| json!({"condition": {"subject": {"field": name}, "test": {">=": 2}}});
    let cases: Vec<(Value, ExpectedProblem)> = vec![
        (json!({"where": "vip and\npurchases_30x >= 2"}), ("unknown_field", "/where", Some((1, 1)), None)),
        (
            json!({"where": "opted_out and\n  purchases_30x >= 2"}),
            ("unknown_field", "/where", Some((2, 3)), Some("purchases_30d")),
        ),
        (json!({"where": "purchases_30d >="}), ("unexpected", "/where", Some((1, 17)), None)),
        (json!({"where": ""}), ("unexpected", "/where", Some((1, 1)), None)),
        (
            json!({"where": "intrest(\"DELI\") > 0.1"}),
            ("unknown_function", "/where", Some((1, 1)), Some("interest")),
        ),
        (json!({"where": "purchases_30d = \"x\""}), ("wrong_type", "/where", Some((1, 17)), None)),
        (
            json!({"where": "created_at > 2017-02-30"}),
            ("no_such_moment", "/where", Some((1, 14)), Some("2017-02-28")),
        ),
        (
            json!({"where": "lifecycle = \"coolng\""}),
            ("unknown_value", "/where", Some((1, 13)), Some("\"cooling\"")),
        ),
        (json!({"where": "in_segment(\"nothing\")"}), ("unknown_segment", "/where", Some((1, 1)), None)),
        (json!({"where": "a".repeat(100_000)}), ("too_large", "/where", Some((1, 65_537)), None)),
        (
            json!({"where": "not ".repeat(10_000) + "opted_out"}),
            ("too_large", "/where", Some((1, 129)), None),
        ),
        (json!({"where": "(".repeat(10_000) + "opted_out"}), ("too_large", "/where", Some((1, 33)), None)),
        (
            json!({"where": "purchases_30d ≥ 2"}),
            ("unexpected_character", "/where", Some((1, 15)), Some(">=")),
        ),
        (
            json!({"where": "user_id; drop table users --"}),
            ("unexpected_character", "/where", Some((1, 8)), None),
        ),
        (json!({"where": "pl.read_csv(\"/etc/passwd\")"}), ("bad_number", "/where", Some((1, 3)), None)),
        (json!({"where": "{\"all\":[]}"}), ("empty_group", "/where", None, None)),
        (
            json!({"expression": {"all": [field("purchases_30d"), field("purchases_30x")]}}),
            ("unknown_field", "/expression/all/1/condition/subject", None, Some("purchases_30d")),
        ),
        (json!({"expression": {"any": []}}), ("empty_group", "/expression", None, None)),
        (
            json!({"expression": {"all": [field("a b")]}}),
            ("bad_json", "/expression/all/0/condition/subject/field", None, None),
        ),
        (json!({"expression": {"some": []}}), ("bad_json", "/expression", None, None)),
        (json!({"expression": 5}), ("bad_json", "/expression", None, None)),
    ];
    for (body, (code, pointer, position, suggestion)) in cases {
        for reply in [preview(server(), &body), put(server(), "bad", &body, &[])] {
            let told = reply.json();
            let shown: String = body.to_string().chars().take(80).collect();
            assert_eq!((reply.status, reply.problem().as_str()), (422, code), "{shown}: {reply:?}");
            assert_eq!(reply.pointers(), [pointer], "{shown}: {reply:?}");
            let found =
                told.get("position").map(|at| (at["line"].as_u64().unwrap(), at["column"].as_u64().unwrap()));
            assert_eq!(found, position, "{shown}: {reply:?}");
            assert_eq!(told.get("suggestion").and_then(Value::as_str), suggestion, "{shown}: {reply:?}");
            assert!(reply.text.len() < 4_000, "{} bytes", reply.text.len());
        }
    }
    assert_eq!(server().get("/v1/segments/bad").status, 404, "nothing of it was saved");
}

#[test]
fn every_bad_question_is_a_problem() {
    let ok = "everybody";
    let cases: Vec<(Value, u16, &str)> = vec![
        (json!({}), 422, "invalid_request"),
        (json!([]), 422, "invalid_request"),
        (json!({"where": ok, "segment": "deli"}), 422, "invalid_request"),
        (json!({"where": 5}), 422, "invalid_request"),
        (json!({"where": ok, "colour": 1}), 422, "invalid_request"),
        (json!({"where": ok, "sample": 101}), 422, "invalid_request"),
        (json!({"where": ok, "sample": -1}), 422, "invalid_request"),
        (json!({"where": ok, "by": vec!["consent"; 21]}), 422, "invalid_request"),
        (json!({"where": ok, "by": ["consnt"]}), 422, "unknown_field"),
        (json!({"where": ok, "by": ["consent or opted_out"]}), 422, "wrong_type"),
        (json!({"where": ok, "by": ["opted_out or opted_out"]}), 422, "bad_field"),
        (json!({"where": ok, "by": ["user_id"]}), 422, "names_people"),
        (
            json!({"where": (1..=201).map(|day| format!("count(\"purchase\", {day}d) > 1")).collect::<Vec<_>>().join(" or ")}),
            422,
            "too_large",
        ),
        (json!({"where": "user_id = \"1003\""}), 422, "names_people"),
        (json!({"where": "opted_out or not user_id contains \"1\""}), 422, "names_people"),
        (json!({"where": "propensity(\"purchase_7d\") > 0.5"}), 422, "no_model"),
        (json!({"where": "propensity(\"purchase_8d\") > 0.5"}), 422, "unknown_goal"),
        (json!({"segment": "dely"}), 404, "unknown_segment"),
        (json!({"segment": "../deli"}), 404, "unknown_segment"),
    ];
    for (body, status, code) in cases {
        let reply = preview(server(), &body);
        assert_eq!((reply.status, reply.problem().as_str()), (status, code), "{body}: {reply:?}");
    }
    assert_eq!(preview(server(), &json!({"where": ok, "by": ["consent", "consnt"]})).pointers(), ["/by/1"]);
    assert_eq!(preview(server(), &json!({"segment": "dely"})).json()["suggestion"], "deli");
    let huge = json!({ "where": "a".repeat(1 << 20) });
    assert_eq!(
        (preview(server(), &huge).status, preview(server(), &huge).problem().as_str()),
        (413, "body_too_large")
    );
    assert_eq!(server().post("/v1/segments:preview", &[], b"{}").status, 415);
    assert_eq!(server().post("/v1/segments:preview", &[JSON], b"{").problem(), "invalid_json");
    let deep =
        "{\"expression\":".to_string() + &"{\"not\":".repeat(10_000) + "\"everybody\"" + &"}".repeat(10_001);
    let reply = server().post("/v1/segments:preview", &[JSON], deep.as_bytes());
    assert!(matches!(reply.status, 400 | 422), "{reply:?}");
    assert_eq!(put(server(), "UPPER", &json!({"where": ok}), &[]).problem(), "bad_segment_id");
    assert_eq!(put(server(), "all", &json!({"where": ok}), &[]).problem(), "bad_segment_id");
    assert_eq!(put(server(), "x", &json!({"where": "user_id = \"1\""}), &[]).problem(), "names_people");
    assert_eq!(
        put(server(), "x", &json!({"where": ok}), &[("if-match", "nonsense")]).problem(),
        "invalid_header"
    );
    assert_eq!(server().send("DELETE", "/v1/segments/none", &[], b"").problem(), "unknown_segment");
    assert_eq!(server().send("DELETE", "/v1/segments", &[], b"").status, 405);
}

#[test]
fn a_segment_is_saved_read_changed_named_and_taken_out_of_use() {
    let sample = Sample::new();
    let campaign = r#"{"campaign_id":"spring","status":"running","audience":"cooling"}"#;
    take(sample.root(), "campaigns", "c.jsonl", campaign);
    let server = Server::start(sample.root(), &[]);
    let first =
        put(&server, "cooling", &json!({"where": "lifecycle = \"cooling\"", "description": "cool"}), &[]);
    assert_eq!((first.status, &first.json()["changed"]), (201, &json!(true)), "{first:?}");
    let version = first.json()["version"].as_str().unwrap().to_string();
    assert_eq!(first.etag.as_deref(), Some(format!("\"{version}\"").as_str()));
    let shown = server.get("/v1/segments/cooling");
    let told = shown.json();
    assert_eq!((&told["where"], &told["description"]), (&json!("lifecycle = \"cooling\""), &json!("cool")));
    assert_eq!(told["named_by"], json!({"campaigns": ["spring"], "segments": []}));
    let again = put(
        &server,
        "cooling",
        &json!({"expression": told["expression"]}),
        &[("if-match", &shown.etag.unwrap())],
    );
    assert_eq!(
        (again.status, &again.json()["changed"], &again.json()["version"]),
        (200, &json!(false), &json!(version))
    );
    let stale = put(&server, "cooling", &json!({"where": "everybody"}), &[("if-match", "\"000000000000\"")]);
    assert_eq!((stale.status, stale.problem().as_str()), (412, "precondition_failed"));
    assert_eq!(put(&server, "absent", &json!({"where": "everybody"}), &[("if-match", "*")]).status, 412);
    assert_eq!(
        put(&server, "cooling", &json!({"where": "everybody"}), &[("if-none-match", "*")]).status,
        412
    );
    let second = put(
        &server,
        "cooling",
        &json!({"where": "lifecycle in (\"cooling\", \"dormant\")"}),
        &[("if-match", "*")],
    );
    assert_eq!((second.status, second.json()["history"].as_array().unwrap().len()), (200, 2), "{second:?}");
    let cycle = put(&server, "cooling", &json!({"where": "in_segment(\"cooling\")"}), &[]);
    assert_eq!((cycle.status, cycle.problem().as_str()), (422, "segment_cycle"));
    let by_id = preview(&server, &json!({"segment": "cooling"})).json();
    let expected = sample.json(&["count", "--segment", "cooling", "--for", "marketer"]);
    assert_eq!(by_id, expected);
    let listed = server.get("/v1/segments").json();
    assert_eq!(listed, sample.json(&["list"]));
    let gone = server.send("DELETE", "/v1/segments/cooling", &[], b"");
    assert_eq!((gone.status, &gone.json()["named_by"]["campaigns"]), (200, &json!(["spring"])), "{gone:?}");
    assert_eq!(server.get("/v1/segments/cooling").problem(), "deleted_segment");
    assert_eq!(preview(&server, &json!({"segment": "cooling"})).status, 404);
    assert_eq!(server.send("DELETE", "/v1/segments/cooling", &[], b"").status, 404);
    assert_eq!(server.get("/v1/segments").json()["segments"][0]["segment_id"], "cooling");
    assert_eq!(
        put(&server, "cooling", &json!({"where": "everybody"}), &[]).status,
        201,
        "saving brings it back"
    );
}

#[test]
fn a_writer_elsewhere_is_waited_for_or_named() {
    let sample = Sample::new();
    let server = Server::start(sample.root(), &[]);
    let workspace = smartpush::files::workspace::Workspace::open(sample.root()).unwrap();
    let lock = workspace.lock().unwrap();
    let reply = put(&server, "x", &json!({"where": "everybody"}), &[]);
    assert_eq!((reply.status, reply.problem().as_str()), (503, "workspace_locked"));
    assert_eq!(preview(&server, &json!({"where": "everybody"})).status, 200, "reading needs no lock");
    drop(lock);
    assert_eq!(put(&server, "x", &json!({"where": "everybody"}), &[]).status, 201);
}

/// The versions of a segment, oldest first.
fn history(sample: &Sample, id: &str) -> Vec<String> {
    let shown = sample.json(&["show", id]);
    let savings = shown["history"].as_array().unwrap().iter();
    savings.map(|saving| saving["version"].as_str().unwrap().to_string()).collect()
}

#[test]
fn a_list_that_is_still_read_loses_no_version_that_the_server_saves_meanwhile() {
    let sample = Sample::new();
    let server = Server::start(sample.root(), &[]);
    let version = |reply: Reply| reply.json()["version"].as_str().unwrap().to_string();
    let first = version(put(&server, "friends", &json!({"where": "purchases_30d >= 2"}), &[]));
    let list = sample.path("list.csv");
    assert!(Command::new("mkfifo").arg(&list).status().unwrap().success());
    let mut upload = Command::new(env!("CARGO_BIN_EXE_smartpush"));
    upload.arg("--workspace").arg(sample.root()).args(["--json", "segment", "upload", "friends", "--file"]);
    upload.arg(&list).stdout(std::process::Stdio::piped());
    let upload = upload.spawn().unwrap();
    // Opens once the command has opened the other end: from here on it waits for the list.
    let mut pipe = fs::File::options().write(true).open(&list).unwrap();
    let second = version(put(&server, "friends", &json!({"where": "purchases_30d >= 5"}), &[]));
    pipe.write_all(b"user_id\n1003\n1008\n").unwrap();
    drop(pipe);
    let told: Value = serde_json::from_str(&stdout_of(&upload.wait_with_output().unwrap())).unwrap();
    let third = told["version"].as_str().unwrap().to_string();
    assert_eq!(history(&sample, "friends"), [first, second, third]);
}

#[test]
fn previews_while_profiles_are_rebuilt_come_from_one_build_or_ask_to_come_again() {
    let sample = Sample::new();
    let server = Server::start(sample.root(), &[]);
    let text = "purchases_30d >= 2 and consent = \"granted\"";
    let question = json!({"where": text, "by": ["purchases_7d"]});
    let before = preview(&server, &question).json();
    let mut profile = Command::new(env!("CARGO_BIN_EXE_smartpush"));
    profile.arg("--workspace").arg(sample.root()).arg("profile");
    let answers = thread::scope(|scope| {
        let ask = || {
            let mut answers = Vec::new();
            for round in 0..40 {
                // Another column each time, so that the table is read while it is exchanged.
                let by = format!("count(\"purchase\", {}d)", round + 1);
                let body = json!({"where": text, "by": ["purchases_7d", "events_7d", by]});
                answers.push(preview(&server, &body));
            }
            answers
        };
        let asking: Vec<_> = (0..3).map(|_| scope.spawn(ask)).collect();
        for _ in 0..4 {
            assert!(profile.output().unwrap().status.success());
        }
        asking.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<Reply>>()
    });
    assert!(answers.iter().any(|reply| reply.status == 200));
    for reply in answers {
        match reply.status {
            200 => assert_eq!(
                (&reply.json()["members"], &reply.json()["as_of"]),
                (&before["members"], &before["as_of"])
            ),
            503 => assert_eq!(reply.problem(), "profiles_changed"),
            _ => panic!("{reply:?}"),
        }
    }
    let more = "user_id,event,timestamp,message_id,content_id\n1003,purchase,2018-01-01T04:00:00Z,zz,x\n";
    take(sample.root(), "events", "more.csv", more);
    stdout_of(&smartpush(sample.root(), &["profile"]));
    let after = preview(&server, &question).json();
    assert_eq!(after, sample.json(&["count", "--where", text, "--by", "purchases_7d", "--for", "marketer"]));
    assert_ne!(after["as_of"], before["as_of"]);
}

#[test]
fn an_uploaded_list_is_asked_as_it_is_now() {
    let sample = Sample::new();
    let ids: Vec<String> = (0..200).map(|row| sample.ids()[row].clone()).collect();
    let upload = |ids: &[String]| {
        let file = sample.file("list.csv", &format!("user_id\n{}\n", ids.join("\n")));
        sample.json(&["upload", "friends", "--file", &file])
    };
    upload(&ids);
    sample.file("smartpush.toml", "[segments]\nids_over_http = true\n");
    let server = Server::start(sample.root(), &[]);
    assert_eq!(preview(&server, &json!({"where": "in_segment(\"friends\")"})).json()["members"], 200);
    upload(&ids[..100]);
    assert_eq!(preview(&server, &json!({"where": "in_segment(\"friends\")"})).json()["members"], 100);
    let members = server.get("/v1/segments/friends/members?format=jsonl");
    let found: BTreeSet<String> = members
        .text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["user_id"].as_str().unwrap().to_string())
        .collect();
    assert_eq!(found, ids[..100].iter().cloned().collect());
}

#[test]
fn ids_are_left_out_until_a_setting_gives_them() {
    let sample = Sample::new();
    sample.save("frequent", "purchases_30d >= 2");
    let server = Server::start(sample.root(), &[]);
    let told = preview(&server, &json!({ "segment": "frequent", "sample": 5 })).json();
    assert_eq!(told["sample"], Value::Null);
    assert!(told["members"].as_u64().unwrap() > 300, "the count is given: {told}");
    let refused = server.get("/v1/segments/frequent/members?format=jsonl");
    assert_eq!((refused.status, refused.problem().as_str()), (403, "ids_not_shown"));
    let detail = refused.json()["detail"].as_str().unwrap().to_string();
    assert!(
        detail.contains("smartpush segment export") && detail.contains("segments.ids_over_http"),
        "{detail}"
    );
}

#[test]
fn without_profiles_the_command_that_builds_them_is_named() {
    let empty = empty_workspace();
    let server = Server::start(empty.path(), &["--now", NOW]);
    let reply = preview(&server, &json!({"where": "everybody"}));
    assert_eq!((reply.status, reply.problem().as_str()), (409, "no_profiles"));
    assert!(reply.json()["detail"].as_str().unwrap().contains("smartpush profile"));
    assert_eq!(server.get("/v1/segments").json(), json!({"segments": []}));
    assert!(server.get("/v1/segment-fields").json()["fields"].as_array().unwrap().len() > 50);
    assert_eq!(put(&server, "early", &json!({"where": "everybody"}), &[]).status, 201);
    assert_eq!(server.get("/v1/segments/early/members").status, 403, "ids are not given");
}

#[test]
fn a_clock_that_stands_in_the_past_sees_no_later_profiles() {
    let town = workspace();
    stdout_of(&smartpush(town.path(), &["profile", "--as-of", "2026-02-01"]));
    stdout_of(&smartpush(town.path(), &["profile", "--as-of", "2026-03-01"]));
    let server = Server::start(town.path(), &["--now", "2026-02-10T00:00:00Z"]);
    let told = preview(&server, &json!({"where": "everybody"})).json();
    assert_eq!(told["as_of"], "2026-02-01T00:00:00Z");
}
