//! What a push service would refuse, and what a reader would see of a template of another language, is not sent.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::world::{NOW, take, workspace};
use crate::support::{smartpush, stdout_of};

/// The made-up workspace with a campaign of one content, over one channel.
fn town(content: &Value, channel: &str) -> TempDir {
    let town = workspace();
    let text = format!("{content}\n");
    take(town.path(), "contents", "contents.jsonl", &text);
    let campaign =
        json!({ "campaign_id": "one", "status": "running", "contents": ["sport-1"], "channels": [channel] });
    take(town.path(), "campaigns", "campaigns.jsonl", &format!("{campaign}\n"));
    town
}

/// Sends, and members that are not sent to, by rule.
fn planned(town: &TempDir) -> (u64, Value) {
    let arguments = ["plan", "--as-of", NOW, "--json", "--campaigns", "one"];
    let report: Value = serde_json::from_str(&stdout_of(&smartpush(town.path(), &arguments))).unwrap();
    let campaign = &report["campaigns"][0];
    (campaign["sends"].as_u64().unwrap(), campaign["unsent"].clone())
}

fn content(body: &str) -> Value {
    json!({ "content_id": "sport-1", "variants": [{ "variant_id": "a", "title": "Goal", "body": body }] })
}

#[test]
fn a_push_over_4096_bytes_is_refused_and_one_of_4096_is_sent() {
    // {"aps":{"alert":{"body":"","title":"Goal"}}}
    let around = 44;
    let (sends, unsent) = planned(&town(&content(&"x".repeat(4096 - around)), "push"));
    assert!(sends > 0 && unsent.get("payload_fits").is_none(), "{unsent}");
    let (sends, unsent) = planned(&town(&content(&"x".repeat(4097 - around)), "push"));
    assert_eq!(sends, 0);
    assert!(unsent["payload_fits"].as_u64().unwrap() > 0, "{unsent}");
    // In UTF-8 each of these has three bytes.
    let (sends, _) = planned(&town(&content(&"奶".repeat(1400)), "push"));
    assert_eq!(sends, 0);
    let (sends, unsent) = planned(&town(&content(&"x".repeat(5000)), "email"));
    assert!(sends > 0 && unsent.get("payload_fits").is_none(), "an e-mail may be longer: {unsent}");
}

#[test]
fn a_link_counts_and_the_size_is_named_at_ingest_and_in_a_preview() {
    let link = format!("shop://{}", "a".repeat(4100));
    let content = json!({ "content_id": "sport-1", "title": "Goal", "deep_link": link });
    let town = town(&content, "push");
    assert_eq!(planned(&town).0, 0);
    let file = town.path().join("again.jsonl");
    std::fs::write(&file, format!("{}\n", json!({ "content_id": "sport-1", "category": "football" })))
        .unwrap();
    let output = smartpush(town.path(), &["--json", "ingest", "--kind", "contents", file.to_str().unwrap()]);
    let told = stdout_of(&output);
    assert!(
        told.contains("payload_too_large: content \\\"sport-1\\\"")
            && told.contains("push services accept 4096"),
        "{told}"
    );
    let text = stdout_of(&smartpush(town.path(), &["preview", "sport-1"]));
    assert!(
        text.contains("nothing would be sent: its push is larger than push services accept (payload_fits)"),
        "{text}"
    );
}

#[test]
fn a_filled_field_may_make_a_push_too_large() {
    let town = town(&json!({ "content_id": "sport-1", "title": "Hi {{note|you}}" }), "push");
    let users = [("long", "n".repeat(4200)), ("short", "Ann".to_string())];
    let users =
        users.map(|(id, note)| format!("{}\n", json!({ "user_id": id, "consent": "granted", "note": note })));
    take(town.path(), "users", "more.jsonl", &users.concat());
    let refused = |user: &str| {
        let output = smartpush(town.path(), &["preview", "sport-1", "--user", user, "--json"]);
        serde_json::from_str::<Value>(&stdout_of(&output)).unwrap()["wordings"][0]["refused"].clone()
    };
    assert_eq!((refused("short"), refused("long")), (json!(false), json!(true)));
}

#[test]
fn a_text_with_a_template_error_is_rejected_and_its_campaign_too() {
    for title in [
        "Hi {{first_name}!",
        "{% if vip %}Gold{% endif %}",
        "你好，｛｛name｝｝",
        "{{#if a}}x{{/if}}",
        "Hi {{name | upcase}}",
    ] {
        let town = workspace();
        let ingest = |kind: &str, record: Value| {
            let file = town.path().join(format!("{kind}.jsonl"));
            std::fs::write(&file, format!("{record}\n")).unwrap();
            smartpush(town.path(), &["--json", "ingest", "--kind", kind, file.to_str().unwrap()])
        };
        let output = ingest("contents", json!({ "content_id": "new-1", "title": title }));
        assert_eq!(output.status.code(), Some(2), "{title}");
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(told["reasons"], json!({ "bad_template": 1 }), "{title}");
        let campaign = json!({ "campaign_id": "one", "status": "running", "contents": ["new-1"] });
        let output = ingest("campaigns", campaign);
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(told["reasons"], json!({ "unknown_content": 1 }), "{title}");
    }
}
