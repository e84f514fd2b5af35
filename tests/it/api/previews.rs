//! `GET /v1/contents/{id}/preview`: variants as a reader would see them.

use std::fs;

use serde_json::json;

use crate::support::server::Server;
use crate::support::world::{NOW, workspace};

#[test]
fn a_content_is_shown_as_its_reader_sees_it() {
    let workspace = workspace();
    let server = Server::start(workspace.path(), &["--now", NOW]);
    let reply = server.get("/v1/contents/news-1/preview?user_id=plain&locale=en-GB&channel=in_app");
    assert_eq!(reply.status, 200, "{reply:?}");
    let variant = json!({
        "variant_id": "en", "locale": "en", "chosen": true, "title": "News", "body": "you", "title_cut": false,
        "body_cut": false, "refused": false, "missing": [], "faults": [],
    });
    let expected = json!({
        "content_id": "news-1", "user_id": "plain", "locale": "en-GB", "channel": "in_app", "variant_id": "en",
        "wordings": [variant],
    });
    assert_eq!(reply.json(), expected);
    let reply = server.get("/v1/contents/sport-1/preview");
    assert_eq!((&reply.json()["channel"], &reply.json()["user_id"]), (&json!("push"), &json!(null)));
}

#[test]
fn a_preview_is_answered_from_the_snapshot_and_not_from_the_tables() {
    let workspace = workspace();
    let settings = [("SERVE__REFRESH_SECONDS", "86400")];
    let server = Server::start_with(workspace.path(), &["--now", NOW], &settings);
    let before = server.get("/v1/contents/news-1/preview?locale=en-GB");
    assert_eq!(before.status, 200, "{before:?}");
    let of_user = server.get("/v1/contents/news-1/preview?user_id=plain").text;
    for table in ["contents", "campaigns"] {
        fs::write(workspace.path().join(format!("data/{table}.parquet")), "no table").unwrap();
    }
    assert_eq!(server.get("/v1/contents/news-1/preview?user_id=plain").text, of_user);
    fs::write(workspace.path().join("data/users.parquet"), "no table").unwrap();
    assert_eq!(server.get("/v1/contents/news-1/preview?locale=en-GB").text, before.text);
}

#[test]
fn what_cannot_be_shown_is_named() {
    let workspace = workspace();
    let server = Server::start(workspace.path(), &["--now", NOW]);
    let unknown = server.get("/v1/contents/nothing/preview");
    assert_eq!((unknown.status, unknown.problem()), (404, "unknown_content".to_string()), "{unknown:?}");
    let long = "x".repeat(129);
    for (query, pointer) in [
        ("user_id=nobody", "/user_id"),
        ("user_id=", "/user_id"),
        ("channel=pigeon", "/channel"),
        ("channel=%00", "/channel"),
        (format!("locale={long}").as_str(), "/locale"),
        ("colour=red", ""),
    ] {
        let reply = server.get(&format!("/v1/contents/news-1/preview?{query}"));
        assert_eq!(
            (reply.status, reply.problem()),
            (422, "invalid_request".to_string()),
            "{query}: {reply:?}"
        );
        assert_eq!(reply.pointers(), [pointer], "{query}: {reply:?}");
    }
    assert_eq!(server.get("/v1/contents/%ff/preview").status, 400);
}
