//! Postcodes: one that begins with a zero comes with a user whom the profiles do not know yet.

use crate::files::Case;

#[test]
fn an_attribute_has_one_type_whoever_has_a_profile() {
    let case = Case::new("12");
    case.ingest("events", "events.csv");
    case.ingest("users", "users1.csv");
    assert!(case.run(&["profile"]).status.success());
    assert_eq!(case.json(&["segment", "count", "--where", "zip = 10001"])["members"], 1);
    let summary = case.ingest("users", "users2.csv");
    assert!(summary["warnings"].to_string().contains("attribute_type_changed"), "{summary}");
    let output = case.run(&["--json", "segment", "count", "--where", "zip = \"10001\""]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["members"], 1, "{report}");
}

#[test]
fn a_declared_type_is_not_learned_from_cells() {
    let case = Case::new("12");
    std::fs::write(case.workspace().join("smartpush.toml"), "[attributes]\nzip = \"text\"\n").unwrap();
    case.ingest("events", "events.csv");
    case.ingest("users", "users1.csv");
    assert!(case.run(&["profile"]).status.success());
    assert_eq!(case.json(&["segment", "count", "--where", "zip = \"10001\""])["members"], 1);
    assert_eq!(case.ingest("users", "users2.csv")["warnings"].as_array().unwrap().len(), 0);
}
