//! `smartpush outcomes` on a real workspace: decided, pushed, reported, joined.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};
use smartpush::config::Config;
use smartpush::domain::decision::{Action, Decision};
use smartpush::domain::time::MINUTE;

use super::world::{append, decide, files, outcomes, rows};
use crate::support::world::{NOW, take, workspace};
use crate::support::{smartpush, stdout_of};

const HEAD: &str = "message_id,user_id,event,content_id,campaign_id,decision_id,timestamp,value\n";

/// Some minutes after a decision's send.
fn after(decision: &Decision, minutes: i64) -> String {
    decision.send_at.unwrap().plus(minutes * MINUTE).to_string()
}

/// Decisions of one noon; one of the users is held out, by an engine that holds out everybody.
fn decided(workspace: &Path) -> [Decision; 4] {
    let mut config = Config::defaults();
    let sent = decide(workspace, &config, NOW, 1, &["morning", "evening", "denied"]);
    config.decisions.holdout_percent = 100.0;
    let held = decide(workspace, &config, NOW, 2, &["plain"]);
    let [morning, evening, denied] = <[Decision; 3]>::try_from(sent).unwrap();
    assert_eq!((morning.action, evening.action, denied.action), (Action::Send, Action::Send, Action::NoSend));
    assert!(held[0].holdout && held[0].action != Action::Send, "{held:?}");
    [morning, evening, denied, held.into_iter().next().unwrap()]
}

/// Morning's gateway names decisions, evening's does not; plain, held out, comes by himself.
fn report(workspace: &Path, [morning, evening, denied, held]: &[Decision; 4]) {
    let id = &morning.decision_id;
    let content = |decision: &Decision| decision.content_id.clone().unwrap();
    let (news, sport) = (content(morning), content(evening));
    let mut text = HEAD.to_string();
    for (minutes, name) in
        [(0, "push_sent"), (1, "push_delivered"), (2, "push_displayed"), (2, "push_displayed")]
    {
        text +=
            &format!("fb{}{minutes}{name},morning,{name},,,{id},{},\n", text.len(), after(morning, minutes));
    }
    text += &format!("fb-m5,morning,push_clicked,,,{id},{},\n", after(morning, 5));
    text += &format!("fb-m6,morning,view,{news},,,{},2.5\n", after(morning, 6));
    text += &format!("fb-e0,evening,push_sent,{sport},spring,,{},\n", after(evening, 0));
    text += &format!("fb-e1,evening,push_displayed,{sport},,,{},\n", after(evening, 1));
    text += &format!("fb-e2,evening,view,{sport},,,{},\n", after(evening, 90));
    text += &format!("fb-d0,denied,push_sent,,,{},{},\n", denied.decision_id, after(morning, 0));
    text += &format!("fb-x0,morning,push_sent,,,unknown,{},\n", after(morning, 0));
    text += &format!("fb-b0,morning,push_displayed,,,{id},2026-03-01T16:00:00Z,\n");
    text += "fb-p0,plain,view,news-1,,,2026-03-01T18:00:00Z,\n";
    assert!(held.send_at.is_none());
    take(workspace, "events", "pushes.csv", &text);
}

fn row<'a>(rows: &'a [Map<String, Value>], decision: &Decision) -> &'a Map<String, Value> {
    rows.iter().find(|row| row["decision_id"] == decision.decision_id.as_str()).unwrap()
}

#[test]
fn decisions_meet_the_events_they_caused() {
    let workspace = workspace();
    let decisions = decided(workspace.path());
    report(workspace.path(), &decisions);
    let told = outcomes(workspace.path(), &[]);
    let [morning, evening, denied, held] = &decisions;
    let rows = rows(&workspace.path().join("data/outcomes"), "outcomes.parquet");
    assert_eq!(rows.len(), 4);
    let first = row(&rows, morning);
    assert_eq!(first["sent_at"], after(morning, 0));
    assert_eq!(first["displayed_at"], after(morning, 2));
    assert_eq!(first["clicked_at"], after(morning, 5));
    assert_eq!(first["goal_at"], after(morning, 6));
    assert_eq!((&first["goal"], &first["attribution"]), (&json!("engage_24h"), &json!("direct")));
    assert_eq!(
        (&first["reward"], &first["goal_events"], &first["goal_value"]),
        (&json!(1), &json!(1), &json!(2.5))
    );
    assert_eq!(first["model"], "popularity");
    let second = row(&rows, evening);
    assert_eq!((&second["sent_at"], &second["delivered_at"]), (&json!(after(evening, 0)), &Value::Null));
    assert_eq!((&second["attribution"], &second["clicked_at"]), (&json!("influenced"), &Value::Null));
    let third = row(&rows, denied);
    assert_eq!(
        (&third["action"], &third["sent_at"], &third["reward"]),
        (&json!("no_send"), &Value::Null, &json!(0))
    );
    let fourth = row(&rows, held);
    assert_eq!((&fourth["holdout"], &fourth["goal_in_window"]), (&json!(true), &json!(true)));
    assert_eq!((&fourth["attribution"], &fourth["reward"]), (&Value::Null, &json!(0)));
    assert_eq!(
        [&told["decisions"], &told["sends"], &told["holdout"], &told["explored"]],
        [&json!(4), &json!(2), &json!(1), &json!(0)]
    );
    let counts = ["sent", "delivered", "displayed", "clicked", "goal_direct", "goal_influenced"];
    assert_eq!(counts.map(|name| told["outcomes"][name].as_u64().unwrap()), [2, 2, 2, 1, 1, 1], "{told}");
    assert_eq!(
        told["outcomes"]["strays"],
        json!({"unknown_decision": 2, "before_decision": 1, "unclaimed_push": 0})
    );
    assert_eq!(told["outcomes"]["campaigns"]["spring"]["sends"], 2, "{told}");
}

#[test]
fn people_read_rates_beside_what_they_are_rates_of() {
    let workspace = workspace();
    let decisions = decided(workspace.path());
    report(workspace.path(), &decisions);
    let output = smartpush(workspace.path(), &["outcomes"]);
    let text = stdout_of(&output);
    println!("{text}");
    for word in [
        "spring",
        "2/2 100.0%",
        "1/2 50.0%",
        "1/1 100.0%",
        "0.00/2 0.00",
        "Explored: 0/2 0.0%",
        "arms.parquet",
    ] {
        assert!(text.contains(word), "{word:?} is missing:\n{text}");
    }
    let warnings = String::from_utf8(output.stderr).unwrap();
    assert!(warnings.contains("2 events name a decision that is not in the log"), "{warnings}");
}

#[test]
fn what_happens_at_t_or_later_changes_nothing() {
    let workspace = workspace();
    let decisions = decided(workspace.path());
    let [morning, ..] = &decisions;
    report(workspace.path(), &decisions);
    // The click is at T.
    let as_of = after(morning, 5);
    outcomes(workspace.path(), &["--as-of", &as_of]);
    let directory = workspace.path().join("data/outcomes");
    let before = files(&directory);
    let rows = rows(&directory, "outcomes.parquet");
    let first = row(&rows, morning);
    assert_eq!((&first["displayed_at"], &first["clicked_at"]), (&json!(after(morning, 2)), &Value::Null));
    assert_eq!((&first["attribution"], &first["reward"]), (&Value::Null, &json!(0)));
    let late = format!("{HEAD}late,morning,push_dismissed,,,{},{as_of},\n", morning.decision_id);
    take(workspace.path(), "events", "late.csv", &late);
    decide(workspace.path(), &Config::defaults(), &as_of, 9, &["morning"]);
    outcomes(workspace.path(), &["--as-of", &as_of]);
    assert!(files(&directory) == before);
}

#[test]
fn the_same_log_gives_the_same_bytes_and_days_that_are_not_in_it_go() {
    let workspace = workspace();
    let decisions = decided(workspace.path());
    report(workspace.path(), &decisions);
    let export = || ["data/outcomes", "data/decisions"].map(|name| files(&workspace.path().join(name)));
    outcomes(workspace.path(), &["--as-of", "2026-03-04"]);
    let first = export();
    assert_eq!(first[0].len() + first[1].len(), 5, "{:?}", first[1].keys());
    outcomes(workspace.path(), &["--as-of", "2026-03-04"]);
    assert!(export() == first, "the same again");
    decide(workspace.path(), &Config::defaults(), "2026-03-06T17:00:00Z", 3, &["morning", "evening"]);
    let second = workspace.path().join("data/outcomes/date=2026-03-06");
    fs::create_dir_all(&second).unwrap();
    fs::write(second.join(".outcomes.parquet.1.tmp"), "left by a crash").unwrap();
    assert_eq!(outcomes(workspace.path(), &[])["decisions"], 6);
    assert_eq!(files(&second).len(), 1, "{:?}", files(&second).keys());
    let dates = export();
    assert!(dates[0].keys().any(|path| path.starts_with("date=2026-03-06")));
    outcomes(workspace.path(), &["--as-of", "2026-03-04"]);
    assert!(export() == first, "and after another day came and went");
}

#[test]
fn the_log_lives_beside_its_export() {
    let workspace = workspace();
    let decisions = decided(workspace.path());
    outcomes(workspace.path(), &[]);
    let replayed = smartpush(workspace.path(), &["replay", &decisions[0].decision_id]);
    assert!(stdout_of(&replayed).contains("the same bytes"));
    append(workspace.path(), &[r#"{"decision_id":"gone","erased":true}"#.to_string()]);
    assert_eq!(outcomes(workspace.path(), &[])["decisions"], 4);
}

#[test]
fn a_window_of_one_hour_lets_go_what_came_later() {
    let workspace = workspace();
    let decisions = decided(workspace.path());
    report(workspace.path(), &decisions);
    fs::write(workspace.path().join("smartpush.toml"), "[feedback]\nattribution_window_hours = 1\n").unwrap();
    let told = outcomes(workspace.path(), &[]);
    assert_eq!(
        (&told["outcomes"]["goal_direct"], &told["outcomes"]["goal_influenced"]),
        (&json!(1), &json!(0))
    );
    for wrong in ["0", "8761", "-1", "\"a day\""] {
        let text = format!("[feedback]\nattribution_window_hours = {wrong}\n");
        fs::write(workspace.path().join("smartpush.toml"), text).unwrap();
        let output = smartpush(workspace.path(), &["outcomes"]);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2));
        assert!(error.contains("feedback.attribution_window_hours"), "{error}");
    }
}

#[test]
fn a_date_is_that_of_the_decision_in_utc() {
    let workspace = workspace();
    for (entropy, at) in [(1, "2026-03-01T23:59:59.999999Z"), (2, "2026-03-02T00:00:00Z")] {
        decide(workspace.path(), &Config::defaults(), at, entropy, &["morning"]);
    }
    outcomes(workspace.path(), &[]);
    let exported = files(&workspace.path().join("data/outcomes"));
    let names: Vec<String> = exported.keys().map(|path| path.display().to_string()).collect();
    assert_eq!(
        names,
        ["_manifest.json", "date=2026-03-01/outcomes.parquet", "date=2026-03-02/outcomes.parquet"]
    );
    let manifest: Value = serde_json::from_slice(&exported[Path::new("_manifest.json")]).unwrap();
    assert_eq!(manifest["files"][1], json!({"path": "date=2026-03-02/outcomes.parquet", "rows": 1}));
    assert_eq!(manifest["attribution_window_hours"], 24);
    let later = smartpush::domain::time::Instant::parse_rfc3339("2026-03-02T00:00:00Z").unwrap().plus(1);
    assert_eq!(manifest["as_of"], later.to_string(), "1 µs after whatever is newest");
}
