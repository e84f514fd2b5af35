//! A campaign whose contents are misspelled: nothing is sent, and the plan names the content that was probably meant.

use serde_json::Value;

use crate::files::Case;

/// The campaigns come before the contents: what they name may still be declared then.
fn town() -> Case {
    let case = Case::new("03");
    for (kind, file) in [("campaigns", "campaigns.csv"), ("contents", "contents.csv")] {
        case.ingest(kind, file);
    }
    case.ingest("users", "users.jsonl");
    case.ingest("events", "events.csv");
    case
}

#[test]
fn a_content_that_was_never_declared_is_not_handed_off_and_the_nearest_one_is_named() {
    let case = town();
    for campaign in ["typo", "commas"] {
        let out = case.workspace().join(format!("{campaign}.csv"));
        let arguments = ["plan", "--campaigns", campaign, "--as-of", "2026-12-01T04:00:00Z", "--out"];
        let report = case.json(&[&arguments[..], &[out.to_str().unwrap()]].concat());
        assert_eq!(report["sends"], 0, "{report:#}");
        assert_eq!(report["campaigns"][0]["unsent"]["is_declared"], 2, "{report:#}");
        let handed_off = std::fs::read_to_string(&out).unwrap();
        assert_eq!(handed_off.lines().count(), 1, "the names of the columns: {handed_off}");
        let manifest = std::fs::read_to_string(out.with_extension("csv.manifest.json")).unwrap();
        let manifest: Value = serde_json::from_str(&manifest).unwrap();
        for warnings in [&report["warnings"], &manifest["warnings"]] {
            let found = warnings.as_array().unwrap().iter().find(|one| one["code"] == "unknown_content");
            let detail = found.unwrap()["detail"].as_str().unwrap();
            assert!(detail.contains("did you mean \"spring-sale\"?"), "{detail}");
        }
    }
}
