//! Ten ids of which one user is left: placeholders are missing, floats are their digits, rounded numbers are rejected.

use crate::files::Case;

#[test]
fn placeholders_are_missing_and_all_spellings_of_a_number_are_one_user() {
    let case = Case::new("13");
    let taken = case.json(&["ingest", "ids.csv"]);
    assert_eq!(taken["read"], 10, "{taken}");
    assert_eq!(taken["reasons"], serde_json::json!({ "missing_value": 5, "bad_id": 1 }), "{taken}");
    // 12345, 12345.0 and " 12345" are one record; the one after the byte order mark is a second later.
    assert_eq!((&taken["accepted"], &taken["duplicate"]), (&2.into(), &2.into()), "{taken}");
    let said = taken["examples"]["bad_id"].as_str().unwrap();
    assert!(said.contains("1.23457E+11") && said.contains("a spreadsheet rounded"), "{said}");
    let profile = case.json(&["profile"]);
    assert_eq!(profile["rows"], 1, "{profile}");
}
