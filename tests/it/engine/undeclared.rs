//! A content without a text is never sent: not one that only events know, not one that a campaign misspells, not one that has
//! neither title nor variants.

use std::path::Path;

use smartpush::config::Config;
use smartpush::domain::decision::{Action, Decision};
use smartpush::domain::time::Instant;
use smartpush::engine::{DecisionQuestion, Engine};
use smartpush::files::workspace::Workspace;

use crate::support::world::{NOW, take, workspace_of_campaigns};

const CAMPAIGNS: &str = r#"{"campaign_id":"typo","status":"running","contents":["news_1"]}
{"campaign_id":"mixed","status":"running","contents":["events-only","news-1"]}
{"campaign_id":"blank","status":"running","contents":["bare"]}
"#;

fn decide(directory: &Path, question: DecisionQuestion) -> Decision {
    let mut config = Config::defaults();
    config.decisions.goal_value = 1_000.0;
    let now = Instant::parse_rfc3339(NOW).unwrap();
    let engine = Engine::open(Workspace::open(directory).unwrap(), config, now, true, [7; 32]).unwrap();
    let answer = engine.decide(&question, None, now).unwrap();
    engine.close();
    serde_json::from_str(&answer.text).unwrap()
}

fn ask(campaign_id: Option<&str>, content_ids: Option<&[&str]>) -> DecisionQuestion {
    DecisionQuestion {
        user_id: "evening".into(),
        campaign_id: campaign_id.map(str::to_string),
        content_ids: content_ids.map(|ids| ids.iter().map(ToString::to_string).collect()),
        ..DecisionQuestion::default()
    }
}

#[test]
fn contents_without_a_text_are_refused_by_name_and_the_others_are_sent() {
    let directory = workspace_of_campaigns(CAMPAIGNS);
    take(directory.path(), "contents", "bare.jsonl", r#"{"content_id":"bare","category":"news"}"#);
    let cases = [
        (ask(Some("typo"), None), "is_declared", "the nearest declared content is ‘news-1’"),
        (ask(Some("typo"), Some(&["news_1"])), "is_declared", "‘news_1’ was never declared"),
        (ask(None, Some(&["events-only"])), "is_declared", "‘events-only’ was never declared"),
        (ask(Some("blank"), None), "has_variant", "‘bare’ has no title and no variants"),
    ];
    for (question, rule, message) in cases {
        let decision = decide(directory.path(), question);
        assert_eq!(decision.action, Action::NoSend, "{:?}", decision.reasons);
        assert_eq!(decision.reasons[0].rule, rule);
        assert!(decision.reasons[0].message.contains(message), "{}", decision.reasons[0].message);
    }
    let mixed = decide(directory.path(), ask(Some("mixed"), None));
    assert_eq!((mixed.action, mixed.content_id.as_deref()), (Action::Send, Some("news-1")));
    assert!(mixed.variant_id.is_some());
}

#[test]
fn without_any_declared_content_nothing_is_sent() {
    let directory = tempfile::tempdir().unwrap();
    let users = "user_id,time_zone,consent\nevening,America/New_York,granted\n";
    take(directory.path(), "users", "users.csv", users);
    let events = "user_id,event,content_id,timestamp\nevening,view,news-1,2026-02-28T20:00:00Z\n";
    take(directory.path(), "events", "events.csv", events);
    let decision = decide(directory.path(), ask(None, None));
    assert_eq!((decision.action, decision.content_id), (Action::NoSend, None));
    assert_eq!(decision.reasons[0].rule, "is_declared", "{:?}", decision.reasons);
}
