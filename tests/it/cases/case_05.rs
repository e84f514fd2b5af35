//! A nightly load brings yesterday's events: the plan is made as of now, and one of yesterday carries a warning.

use serde_json::Value;

use crate::files::{Case, hours_from_now};

fn town() -> Case {
    let case = Case::new("05");
    let yesterday = hours_from_now(-17);
    let events =
        format!("user_id,event,timestamp,content_id\nu1,view,{yesterday},c1\nu2,view,{yesterday},c1\n");
    case.ingest_text("events", "events.csv", &events);
    case.ingest("users", "users.csv");
    case.ingest("contents", "contents.csv");
    case.ingest("campaigns", "campaigns.jsonl");
    case
}

fn has_warning(report: &Value, code: &str) -> bool {
    report["warnings"].as_array().unwrap().iter().any(|warning| warning["code"] == code)
}

#[test]
fn a_plan_is_made_as_of_now_so_that_nothing_of_it_has_passed() {
    let case = town();
    let out = case.workspace().join("handoff.jsonl");
    let before = hours_from_now(0);
    let report = case.json(&["plan", "--campaigns", "spring", "--out", out.to_str().unwrap()]);
    assert!(report["as_of"].as_str().unwrap() >= before.trim_end_matches('Z'), "{before}: {report:#}");
    assert!(!has_warning(&report, "stale_plan"), "{report:#}");
    for line in std::fs::read_to_string(&out).unwrap().lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        assert!(row["send_at"].as_str().unwrap() >= before.as_str(), "{row}");
    }
}

#[test]
fn a_plan_of_yesterday_says_so_in_the_report_and_in_the_manifest() {
    let case = town();
    let out = case.workspace().join("handoff.csv");
    let moment = hours_from_now(-17);
    let arguments = ["plan", "--campaigns", "spring", "--as-of", &moment, "--out", out.to_str().unwrap()];
    let report = case.json(&arguments);
    assert!(has_warning(&report, "stale_plan"), "{report:#}");
    let manifest = std::fs::read_to_string(out.with_extension("csv.manifest.json")).unwrap();
    assert!(has_warning(&serde_json::from_str(&manifest).unwrap(), "stale_plan"), "{manifest}");
    let text = case.run(&["plan", "--campaigns", "spring", "--as-of", &moment]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("warning: stale_plan: ") && text.contains("17 hours before now"), "{text}");
    let recent = hours_from_now(0);
    let report = case.json(&["plan", "--campaigns", "spring", "--as-of", &recent]);
    assert!(!has_warning(&report, "stale_plan"), "{report:#}");
}
