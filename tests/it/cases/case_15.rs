//! Stamps as warehouses, languages and shops write them.

use serde_json::json;

use crate::files::Case;

#[test]
fn stamps_that_name_one_moment_are_read() {
    let case = Case::new("15");
    let taken = case.json(&["ingest", "stamps.csv", "--time-zone", "UTC"]);
    assert_eq!((&taken["accepted"], &taken["rejected"]), (&json!(10), &json!(0)), "{taken}");
    let stamps = case.stamps();
    let at = |user: &str| stamps[user].as_str();
    assert_eq!(at("bigquery_rees46"), "2019-10-01T00:00:00Z");
    assert_eq!(at("snowflake"), "2024-01-02T11:04:05.678Z");
    assert_eq!(at("shopify_ruby"), "2024-01-01T19:04:05Z");
    assert_eq!(at("gorse_go"), "2023-05-06T07:08:09Z");
    assert_eq!(at("python_time"), "2024-01-02T03:04:05.678Z");
    assert_eq!(at("pandas_float"), "2024-01-02T03:04:05Z");
    assert_eq!(at("java_zdt"), "2024-01-02T03:04:05.678Z");
    assert_eq!(at("rfc2822"), "2024-01-01T19:04:05Z");
    assert_eq!(at("slash"), "2024-01-02T03:04:05Z");
    assert_eq!(at("nanos"), "2024-01-02T03:04:05.678901Z");
}

#[test]
fn a_log_with_float_seconds_is_taken_whole_and_to_the_microsecond() {
    let case = Case::new("15");
    let taken = case.json(&["ingest", "python_log.jsonl"]);
    assert_eq!((&taken["read"], &taken["accepted"]), (&json!(2), &json!(2)), "{taken}");
    let stamps = case.stamps();
    assert_eq!(stamps["a"], "2024-01-02T03:04:05.678Z");
    assert_eq!(stamps["b"], "2024-01-02T03:04:05Z");
}
