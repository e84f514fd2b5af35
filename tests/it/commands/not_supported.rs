//! What a campaign asks for and nothing obeys yet is refused when it is taken in.

use serde_json::Value;

use crate::support::smartpush;

fn taken(column: &str, word: &str) -> Value {
    let workspace = tempfile::tempdir().unwrap();
    let file = workspace.path().join("campaigns.csv");
    std::fs::write(&file, format!("campaign_id,{column}\nspring,{word}\n")).unwrap();
    let output =
        smartpush(workspace.path(), &["--json", "ingest", "--kind", "campaigns", file.to_str().unwrap()]);
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn triggers_and_timings_that_nothing_obeys_are_refused_as_not_supported() {
    let words = [
        ("trigger", "recurring"),
        ("trigger", "event"),
        ("trigger", "profile_change"),
        ("trigger", "date_attribute"),
        ("timing", "now"),
        ("timing", "at"),
    ];
    for (column, word) in words {
        let summary = taken(column, word);
        assert_eq!(summary["reasons"]["not_supported"], 1, "{column} {word}: {summary:#}");
    }
}

#[test]
fn what_is_obeyed_is_taken_and_an_unknown_word_is_a_bad_value() {
    for (column, word) in [("trigger", "manual"), ("trigger", "api"), ("timing", "best_time"), ("timing", "")]
    {
        assert_eq!(taken(column, word)["accepted"], 1, "{column} {word}");
    }
    assert_eq!(taken("timing", "soon")["reasons"]["bad_value"], 1);
}

#[test]
fn an_unknown_word_is_told_what_is_supported() {
    for (column, word, supported) in
        [("timing", "immediate", "best_time"), ("trigger", "schedule", "manual and api")]
    {
        let examples = taken(column, word)["examples"].to_string();
        let said = format!("is not supported; supported: {supported}");
        assert!(examples.contains(&said), "{examples}");
    }
}
