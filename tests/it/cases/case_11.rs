//! A cell of one new user that is no number, in an attribute that a saved segment compares with one.

use serde_json::Value;

use crate::files::Case;

fn town() -> Case {
    let case = Case::new("11");
    case.ingest("events", "events.csv");
    case.ingest("users", "users1.csv");
    assert!(case.run(&["profile"]).status.success());
    assert!(case.run(&["segment", "save", "big", "--where", "points >= 100"]).status.success());
    case.ingest("campaigns", "campaigns.jsonl");
    case
}

fn plan(case: &Case, campaigns: &str) -> Value {
    case.json(&["plan", "--campaigns", campaigns, "--as-of", "2026-12-01T00:00:00Z"])
}

fn take(case: &Case, users: &str) -> Value {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("users.csv");
    std::fs::write(&file, users).unwrap();
    case.ingest("users", file.to_str().unwrap())
}

#[test]
fn a_placeholder_changes_no_type() {
    let case = town();
    let summary = case.ingest("users", "users2.csv");
    assert_eq!(summary["warnings"].as_array().unwrap().len(), 0, "{summary}");
    assert_eq!(case.json(&["segment", "count", "--segment", "big"])["members"], 1);
    assert_eq!(plan(&case, "vip,all")["campaigns"][0]["members"], 1);
}

#[test]
fn a_saved_segment_keeps_its_type_and_the_ingest_names_it_with_its_campaign() {
    let case = town();
    let summary = take(&case, "user_id,points\nu2,lots\nu3,many\n");
    let warnings = summary["warnings"].to_string();
    for part in ["attribute_type_changed", "points", "lots", "big (campaigns vip)"] {
        assert!(warnings.contains(part), "{part}: {warnings}");
    }
    assert_eq!(case.json(&["segment", "count", "--segment", "big"])["members"], 1);
    assert_eq!(plan(&case, "vip,all")["campaigns"][0]["members"], 1);
}

#[test]
fn a_campaign_whose_audience_is_gone_is_skipped_and_named_and_the_others_are_planned() {
    let case = town();
    assert!(case.run(&["segment", "delete", "big"]).status.success());
    let report = plan(&case, "vip,all");
    assert_eq!(report["campaigns"].as_array().unwrap().len(), 1, "{report:#}");
    assert_eq!(
        (&report["skipped"][0]["campaign_id"], &report["skipped"][0]["code"]),
        (&"vip".into(), &"unknown_audience".into())
    );
    let alone = case.run(&["plan", "--campaigns", "vip", "--as-of", "2026-12-01T00:00:00Z"]);
    assert_eq!(alone.status.code(), Some(2));
    let out = case.workspace().join("handoff");
    let arguments = ["refresh", "--as-of", "2026-12-01T00:00:00Z", "--out", out.to_str().unwrap()];
    let nightly = case.json(&arguments);
    let steps = nightly["steps"].as_array().unwrap();
    let planned = steps.iter().find(|step| step["step"] == "plan").unwrap();
    assert_eq!(planned["said"]["skipped"], "vip", "{planned}");
}

/// Twenty users with a number.
fn numbers() -> String {
    (0..20).map(|user| format!("n{user},{}\n", user % 8)).collect()
}

#[test]
fn a_few_bad_cells_change_no_type_and_are_counted() {
    let case = town();
    let summary = take(&case, &format!("user_id,points\n{}u4,lots\nu5,inf\n", numbers()));
    let warnings = summary["warnings"].to_string();
    assert!(warnings.contains("attribute_unfit: points is a number, and 2 of 23 cells"), "{warnings}");
    assert_eq!(case.json(&["segment", "count", "--where", "points >= 100"])["members"], 1);
}

#[test]
fn truths_are_read_in_any_case() {
    let case = town();
    take(&case, "user_id,vip\nu1,False\nu2,TRUE\nu3,True\n");
    assert_eq!(case.json(&["segment", "count", "--where", "vip = false"])["members"], 1);
}
