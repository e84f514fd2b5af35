//! A nightly users file that says "denied" in several ways, beside cells that cannot be read.

use serde_json::{Value, json};

use crate::files::Case;

/// Yesterday everybody consented; today's file is this.
fn after(today: &str) -> (Case, Value) {
    let case = Case::new("01");
    case.ingest("events", "events.csv");
    case.ingest("users", "users_day1.csv");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("today.csv");
    std::fs::write(&file, today).unwrap();
    let arguments = ["ingest", "--most-rejected", "100%", "--kind", "users", file.to_str().unwrap()];
    let summary = case.json(&arguments);
    case.run(&["profile"]);
    (case, summary)
}

fn consenting(case: &Case) -> Value {
    case.json(&["segment", "count", "--where", "consent = \"granted\""])["members"].clone()
}

#[test]
fn a_refusal_holds_whatever_else_of_the_row_cannot_be_read() {
    let today = std::fs::read_to_string(crate::support::root().join("tests/it/cases/01/users_day2.csv"));
    let (case, summary) = after(&today.unwrap());
    let counts = ["read", "accepted", "duplicate", "rejected"].map(|key| summary[key].as_u64().unwrap());
    assert_eq!(counts, [5, 5, 0, 0], "{summary}");
    assert_eq!(summary["consents"]["refused"], 5, "{summary}");
    assert_eq!(consenting(&case), 0);
    assert_eq!(case.json(&["segment", "count", "--segment", "ready:said-no"])["members"], 5);
    let reach = case.json(&["segment", "count", "--where", "everybody", "--by", "reach"]);
    assert!(!reach.to_string().contains("\"reachable\""), "{reach}");
}

#[test]
fn anything_but_a_clear_grant_takes_a_grant_away() {
    let today = "user_id,consent\nu1,maybe\nu2,\nu3,OPTED-OUT\nu4,0.0\nu5,Opted In\n";
    let (case, summary) = after(today);
    assert_eq!(summary["consents"], json!({"refused": 2, "unreadable": 1, "emptied": 1, "not_later": 0}));
    assert_eq!(summary["unreadable"], json!({"consent": 1}));
    let warnings = summary["warnings"].to_string();
    assert!(warnings.contains("unreadable_consent") && warnings.contains("today.csv:2"), "{warnings}");
    assert_eq!(consenting(&case), 1, "the last one");
    assert_eq!(case.json(&["segment", "count", "--where", "opted_out"])["members"], 4);
    assert_eq!(case.json(&["segment", "count", "--where", "consent = \"unreadable\""])["members"], 1);
}

#[test]
fn a_rejected_record_of_a_user_takes_the_grant_away_too() {
    let (case, summary) =
        after("user_id,time_zone,consent\nu1,Europe/Paris,denied,,\nu2,denied\nu3,UTC,granted\n");
    assert_eq!(
        (&summary["rejected"], &summary["consents"]["unreadable"]),
        (&2.into(), &2.into()),
        "{summary}"
    );
    assert_eq!(consenting(&case), 3);
}

/// Consents of two users who had agreed, after lines about them that came later.
fn consents_after(name: &str, lines: &str) -> Vec<serde_json::Value> {
    let case = Case::new("01");
    case.ingest_text("users", "before.csv", "user_id,consent\nu1,granted\nu2,granted\n");
    let inbox = tempfile::tempdir().unwrap();
    let file = inbox.path().join(name);
    std::fs::write(&file, lines).unwrap();
    case.run(&["ingest", "--kind", "users", file.to_str().unwrap()]);
    case.table("users").iter().map(|row| row["consent"].clone()).collect()
}

#[test]
fn a_refusal_in_a_line_that_cannot_be_read_ends_the_grant_of_that_user_alone() {
    let other = "{\"user_id\":\"u2\",\"consent\":\"granted\"}\n";
    let broken = [
        r#"{"user_id":"u1","consent":"denied","city":None}"#.to_string(),
        r#"{"consent":"denied","city":"\ud800","user_id":"u1"}"#.to_string(),
        r#"{"user_id":"u1","consent":"denied",}"#.to_string(),
        format!(r#"{{"user_id":"u1","consent":"denied","x":{}"#, "[".repeat(300)),
        format!(r#"{{"user_id":"u1","consent":"denied","city":"{}"}}"#, "x".repeat(1 << 21)),
    ];
    for line in broken {
        let consents = consents_after("after.jsonl", &format!("{line}\n{other}"));
        let shown: String = line.chars().take(60).collect();
        assert_ne!(consents[0], "granted", "{shown}");
        assert_eq!(consents[1], "granted", "{shown}");
    }
    let row = format!("user_id,consent,city\nu1,denied,{}\nu2,granted,Lyon\n", "x".repeat(1 << 21));
    let consents = consents_after("after.csv", &row);
    assert_ne!(consents[0], "granted");
    assert_eq!(consents[1], "granted");
}

#[test]
fn an_infinite_number_in_a_line_costs_its_cell_alone() {
    for number in ["Infinity", "-Infinity", "1e400", "NaN"] {
        let line = format!(r#"{{"user_id":"u1","consent":"denied","score":{number}}}"#);
        assert_eq!(consents_after("after.jsonl", &format!("{line}\n")), ["denied", "granted"], "{number}");
    }
}

#[test]
fn a_preference_that_cannot_be_read_keeps_pushes_and_exports_for_messaging_from_its_user_alone() {
    let today = "user_id,consent,quiet_from,quiet_until,max_per_day,time_zone\nu1,granted,xx,08:00,,UTC\n\
                 u2,granted,,,many,UTC\nu3,granted,,,,Mars/Base\nu4,granted,22:00,08:00,3,Europe/Paris\n\
                 u5,granted,,,,UTC\n";
    let (case, _) = after(today);
    assert_eq!(case.json(&["segment", "count", "--segment", "ready:can-be-pushed"])["members"], 2);
    let unreadable = "consent = \"granted\" and not can_be_pushed";
    assert_eq!(case.json(&["segment", "count", "--where", unreadable])["members"], 3);
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("messaging.csv");
    let export = ["segment", "export", "--where", "everybody", "--for", "messaging", "--out"];
    let report = case.json(&[&export[..], &[out.to_str().unwrap()]].concat());
    assert_eq!(report["left_out"], json!({ "without_consent": 0, "unreadable_preferences": 3 }));
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "user_id\nu4\nu5\n");
}
