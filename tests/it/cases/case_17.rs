//! "No end" as warehouses write it is no end, and a beginning of 1970 is one.

use serde_json::Value;

use crate::files::Case;

#[test]
fn an_end_beyond_the_calendar_is_no_end() {
    let case = Case::new("17");
    let taken =
        case.json(&["ingest", "--kind", "contents", "contents.csv", "int96.parquet", "--time-zone", "UTC"]);
    assert_eq!(taken["rejected"], 0, "{taken}");
    assert_eq!(taken["read"], taken["accepted"], "{taken}");
    let contents = case.table("contents");
    assert!(contents.len() >= 3, "{contents:?}");
    assert!(contents.iter().all(|content| content["expires_at"] == Value::Null), "{contents:?}");
    let published = |id: &str| {
        let content = contents.iter().find(|content| content["content_id"] == id).unwrap();
        content["published_at"].as_str().unwrap().to_string()
    };
    assert!(published("c1").starts_with("2020-01-01"), "{}", published("c1"));
    assert!(published("c3").starts_with("1970-01-01"), "{}", published("c3"));
}
