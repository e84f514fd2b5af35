//! A content whose stored variants cannot be read is never sent, and never shown as if it would be.

use std::fs;
use std::path::Path;

use polars::prelude::*;
use serde_json::{Value, json};
use smartpush::files::tables::{read_parquet, write_parquet};
use tempfile::TempDir;

use crate::support::server::Server;
use crate::support::world::{NOW, take, workspace};
use crate::support::{smartpush, stdout_of};

/// Puts a text into the table as the variants of a content, as a newer or an older build might have left it there.
fn store_variants(workspace: &Path, content_id: &str, written: &str) {
    let path = workspace.join("data/contents.parquet");
    let mut frame = read_parquet(&path, None).unwrap();
    let texts = |name: &str| frame.column(name).unwrap().str().unwrap().clone();
    let (ids, before) = (texts("content_id"), texts("variants"));
    let after = ids.iter().zip(before.iter());
    let after = after.map(|(id, before)| if id == Some(content_id) { Some(written) } else { before });
    let column = StringChunked::from_iter_options("variants".into(), after).into_column();
    frame.with_column(column).unwrap();
    write_parquet(&path, &mut frame).unwrap();
}

/// The made-up workspace, in which the campaign's weightiest content, `sport-1` with the title `Goal`, cannot be read.
fn town(written: &str) -> TempDir {
    let town = workspace();
    let only_sport = "{\"campaign_id\":\"sports\",\"status\":\"running\",\"contents\":[\"sport-1\"]}\n";
    take(town.path(), "campaigns", "sports.jsonl", only_sport);
    store_variants(town.path(), "sport-1", written);
    town
}

const NONSENSE: [&str; 4] =
    ["[1,2]", "[{\"headline\":\"Goal\"}]", "[{\"variant_id\":\"en\",\"title\":5}]", "not JSON"];

#[test]
fn a_row_whose_variants_are_nonsense_is_pointed_out_at_the_door_and_never_sent() {
    let town = workspace();
    let text = "{\"content_id\":\"a\",\"title\":\"Milk\",\"variants\":[1,2]}\n\
                {\"content_id\":\"b\",\"title\":\"Milk\",\"variants\":[{\"title\":\"Milk\"},{\"headline\":\"Milk\"}]}\n\
                {\"content_id\":\"c\",\"title\":\"Milk\",\"variants\":[{\"title\":\"Milk\"}]}\n";
    let file = town.path().join("contents.jsonl");
    fs::write(&file, text).unwrap();
    let output = smartpush(town.path(), &["--json", "ingest", "--kind", "contents", file.to_str().unwrap()]);
    let summary: Value = serde_json::from_str(&stdout_of(&output)).unwrap();
    assert_eq!((&summary["accepted"], &summary["rejected"]), (&json!(3), &json!(0)));
    let warning = summary["warnings"][0].as_str().unwrap();
    assert!(warning.starts_with("bad_variants: 2 contents have variants that cannot be read"), "{warning}");
    let first = ":1: variants[0] is not an object with variant_id, locale, title, body";
    assert!(warning.ends_with(first), "{warning}");
    // They are known, so that what events say of them does not make them contents without rules.
    let server = Server::start(town.path(), &["--now", NOW]);
    let decision = server.ask(&json!({ "user_id": "morning", "content_ids": ["a", "b"] })).json();
    assert_eq!(decision["action"], "no_send", "{decision}");
    let refused = |id: &str| {
        let candidates = decision["candidates"].as_array().unwrap();
        // At night the hour refuses it as well, and is named alone.
        let mut own = candidates.iter().filter(|candidate| candidate["content_id"] == id);
        own.any(|candidate| candidate["refused_by"].to_string().contains("content_is_readable"))
    };
    assert!(refused("a") && refused("b"), "{decision}");
}

#[test]
fn a_content_with_unreadable_variants_keeps_its_expiry_and_one_with_a_blank_translation_is_sent() {
    let town = workspace();
    let text = "{\"content_id\":\"news-1\",\"expires_at\":\"2026-02-01T00:00:00Z\",\"variants\":[{\"title\":5}]}\n\
                {\"content_id\":\"sport-1\",\"variants\":[{\"variant_id\":\"en\",\"title\":\"Goal\",\"body\":null},{\"locale\":\"zh\",\"title\":\"\"}]}\n";
    take(town.path(), "contents", "contents.jsonl", text);
    let server = Server::start(town.path(), &["--now", NOW]);
    let decision = server.ask(&json!({ "user_id": "evening", "campaign_id": "spring" })).json();
    assert_eq!(
        (&decision["content_id"], &decision["variant_id"]),
        (&json!("sport-1"), &json!("en")),
        "{decision}"
    );
    let decision = server.ask(&json!({ "user_id": "morning", "content_ids": ["news-1"] })).json();
    assert_eq!(decision["action"], "no_send", "{decision}");
}

#[test]
fn a_decision_does_not_send_it_although_it_has_a_title() {
    for written in NONSENSE {
        let town = town(written);
        let server = Server::start(town.path(), &["--now", NOW]);
        let question = json!({ "user_id": "morning", "campaign_id": "sports" });
        let decision = server.ask(&question).json();
        assert_eq!(decision["action"], "no_send", "{written}: {decision}");
        let reason = &decision["reasons"][0];
        assert_eq!(
            (&reason["rule"], &reason["subject"]),
            (&json!("content_is_readable"), &json!("content:sport-1"))
        );
        // The other content of the other campaign goes out.
        let decision = server.ask(&json!({ "user_id": "morning", "campaign_id": "spring" })).json();
        assert_eq!((&decision["action"], &decision["content_id"]), (&json!("send"), &json!("news-1")));
    }
}

#[test]
fn a_plan_does_not_send_it() {
    let town = town(NONSENSE[0]);
    let file = town.path().join("handoff.jsonl").display().to_string();
    let arguments = ["plan", "--as-of", NOW, "--json", "--campaigns", "spring,sports", "--out", &file];
    let report: Value = serde_json::from_str(&stdout_of(&smartpush(town.path(), &arguments))).unwrap();
    let rows = fs::read_to_string(&file).unwrap();
    assert!(rows.contains("news-1") && !rows.contains("sport-1"), "{rows}");
    let sports =
        report["campaigns"].as_array().unwrap().iter().find(|one| one["campaign_id"] == "sports").unwrap();
    assert_eq!(sports["sends"], 0);
    assert!(sports["unsent"]["content_is_readable"].as_u64().unwrap() > 0, "{sports}");
}

#[test]
fn a_preview_says_that_nothing_would_be_sent() {
    for written in NONSENSE {
        let town = town(written);
        let text = stdout_of(&smartpush(town.path(), &["preview", "sport-1", "--user", "morning"]));
        let line = "  nothing would be sent: a field of the content cannot be read (content_is_readable)";
        assert!(text.lines().any(|own| own == line) && !text.contains("Goal"), "{text}");
        let output = smartpush(town.path(), &["preview", "sport-1", "--json"]);
        let found: Value = serde_json::from_str(&stdout_of(&output)).unwrap();
        assert_eq!(
            (&found["variant_id"], &found["refused_by"], &found["wordings"]),
            (&Value::Null, &json!("content_is_readable"), &json!([]))
        );
    }
}
