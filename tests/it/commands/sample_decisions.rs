//! Decisions on the sample that a marketer can read: real households, real contents, in words.

use std::fmt::Write;

use smartpush::config::Config;
use smartpush::domain::decision::Decision;
use smartpush::domain::time::Instant;
use smartpush::engine::{DecisionQuestion, Engine};
use smartpush::files::workspace::Workspace;

use crate::support::{root, smartpush, stdout_of};

const GOLDEN: &str = include_str!("../../data/sample_decisions.txt");

/// The evening on which the sample ends.
const NOW: &str = "2018-01-01T03:44:39Z";

/// The sample without models: what is decided rests on popularity and the households' hours alone.
fn engine(directory: &std::path::Path) -> Engine {
    let zone = ["--time-zone", "America/New_York"];
    let kinds = [
        ("users", "users.csv"),
        ("contents", "contents.jsonl"),
        ("campaigns", "campaigns.jsonl"),
        ("events", "purchases.parquet"),
        ("events", "campaign_events.csv"),
    ];
    for (kind, file) in kinds {
        let file = root().join("data/sample").join(file);
        let arguments = ["ingest", "--kind", kind, file.to_str().unwrap(), zone[0], zone[1]];
        stdout_of(&smartpush(directory, &arguments));
    }
    let now = Instant::parse_rfc3339(NOW).unwrap();
    Engine::open(Workspace::open(directory).unwrap(), Config::defaults(), now, true, [7; 32]).unwrap()
}

/// A household's decision in words, both languages.
fn story(engine: &Engine, user_id: &str, channel: Option<&str>) -> String {
    let now = Instant::parse_rfc3339(NOW).unwrap();
    let channel = channel.map(str::to_string);
    let question = DecisionQuestion { user_id: user_id.into(), channel, ..DecisionQuestion::default() };
    let answer = engine.decide(&question, None, now).unwrap();
    let decision: Decision = serde_json::from_str(&answer.text).unwrap();
    let explanation = engine.explain(&decision.decision_id).unwrap();
    let mut text = format!("household {user_id}\n");
    for sentence in explanation.sentences.en.iter().chain(&explanation.sentences.zh) {
        writeln!(text, "  {sentence}").unwrap();
    }
    text
}

#[test]
fn decisions_on_the_sample_read_as_they_are_written_down() {
    let directory = tempfile::tempdir().unwrap();
    let engine = engine(directory.path());
    let asked = [
        ("1001", None),
        ("1008", None),
        ("1014", None),
        ("1030", None),
        ("1038", None),
        ("1115", None),
        ("1012", Some("fax")),
    ];
    let stories: Vec<String> = asked.iter().map(|(user, channel)| story(&engine, user, *channel)).collect();
    engine.close();
    let text = stories.join("\n");
    assert_eq!(text, GOLDEN, "tests/data/sample_decisions.txt should read:\n{text}");
}
