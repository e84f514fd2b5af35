//! Identifiers, placeholders and zones as other systems write them.

use std::borrow::Cow;

use domain::rejection::RejectionCode;
use domain::zone::Zone;
use domain::zone_names::understood;
use events::clean::EVENT_FIELDS;
use events::formats::RawValue;
use events::identifiers::{optional_id, required_id};
use events::mapping::Renames;

use crate::taking::Taken;

fn id(value: RawValue<'_>) -> Result<String, (RejectionCode, String)> {
    let found = required_id("user_id", value).map(Cow::into_owned);
    found.map_err(|rejection| (rejection.code, rejection.detail))
}

#[test]
fn whole_numbers_are_their_digits_and_texts_stay_as_they_are() {
    for (written, expected) in [
        ("12345.0", "12345"),
        ("12345.000", "12345"),
        ("-5.0", "-5"),
        ("0.0", "0"),
        ("007", "007"),
        ("007.0", "007.0"),
        ("1.5", "1.5"),
        ("1.0.0", "1.0.0"),
        ("12345678901234567890", "12345678901234567890"),
        ("9007199254740993", "9007199254740993"),
        ("1e10", "1e10"),
        ("7e12345678", "7e12345678"),
        ("2E5-AB", "2E5-AB"),
    ] {
        assert_eq!(id(RawValue::Text(written.into())).as_deref(), Ok(expected), "{written}");
    }
    assert_eq!(id(RawValue::Number(12345.0)).as_deref(), Ok("12345"));
    assert_eq!(id(RawValue::Integer(9_007_199_254_740_993)).as_deref(), Ok("9007199254740993"));
    assert_eq!(id(RawValue::Single(16_777_215.0)).as_deref(), Ok("16777215"));
}

#[test]
fn rounded_numbers_are_no_identifiers_and_the_reason_is_given() {
    for written in
        ["1.23457E+11", "1.23457e+11", "1E+11", "-1.5E+12", "1.2345678901234568e+18", "1,23457E+11"]
    {
        let (code, detail) = id(RawValue::Text(written.into())).unwrap_err();
        assert_eq!(code, RejectionCode::BadId, "{written}");
        assert!(detail.contains("a spreadsheet rounded") && detail.contains(written), "{detail}");
    }
    for (value, reason) in [
        (RawValue::Single(16_777_216.0), "32-bit float beyond 2^24"),
        (RawValue::Number(9_007_199_254_740_992.0), "64-bit float beyond 2^53"),
        (RawValue::Text("12345678901234567890.0".into()), "64-bit float beyond 2^53"),
        (RawValue::Number(1.5), "neither text nor a whole number"),
    ] {
        let (code, detail) = id(value).unwrap_err();
        assert_eq!(code, RejectionCode::BadId);
        assert!(detail.contains(reason), "{detail}");
    }
    assert_eq!(optional_id("content_id", RawValue::Missing).unwrap(), None);
}

#[test]
fn zones_are_understood_as_systems_write_them() {
    for (written, name) in [
        ("Europe/Paris", "Europe/Paris"),
        ("europe/paris", "Europe/Paris"),
        ("AMERICA/NEW_YORK", "America/New_York"),
        ("America/New York", "America/New_York"),
        ("utc", "UTC"),
        ("GMT+08:00", "Etc/GMT-8"),
        ("UTC+8", "Etc/GMT-8"),
        ("utc -3", "Etc/GMT+3"),
        ("+08:00", "Etc/GMT-8"),
        ("-0500", "Etc/GMT+5"),
        ("+05:30", "Asia/Kolkata"),
        ("UTC+05:45", "Asia/Kathmandu"),
        ("+00:00", "UTC"),
        ("China Standard Time", "Asia/Shanghai"),
        ("Z", "UTC"),
        ("(UTC+08:00) Beijing, Chongqing, Hong Kong, Urumqi", "Etc/GMT-8"),
        ("pacific standard time", "America/Los_Angeles"),
        ("W. Europe Standard Time", "Europe/Berlin"),
    ] {
        assert_eq!(understood(written), Some(name), "{written}");
        assert!(Zone::find(name).is_ok(), "{name}");
    }
    for written in [
        "Etc/Unknown",
        "etc/unknown",
        "Mars/Olympus",
        "CST",
        "EST5EDT4",
        "+25:00",
        "+480",
        "+08:15",
        "8",
        "",
        "(UTC-05:00) Eastern Time",
    ] {
        assert_eq!(understood(written), None, "{written}");
    }
}

#[test]
fn every_zone_of_windows_is_in_the_database() {
    let table = include_str!("../../../src/domain/windows_zones.csv");
    for line in table.lines() {
        let (theirs, name) = line.split_once(',').unwrap();
        // UTC is a name of its own.
        assert_eq!(understood(theirs), Some(if theirs == "UTC" { theirs } else { name }));
        assert!(Zone::find(name).is_ok(), "{name}");
    }
    assert!(table.lines().count() > 130);
}

#[test]
fn a_number_of_json_with_an_exponent_is_no_identifier_and_a_number_where_one_is_wanted() {
    let line =
        |fields: &str| format!("{{\"timestamp\":\"2024-01-01T10:00:00Z\",\"event\":\"view\",{fields}}}\n");
    let text = [
        line(r#""user_id":1.23457E+11"#),
        line(r#""user_id":1e5"#),
        line(r#""user_id":"1.23457E+11""#),
        line(r#""user_id":"u1","content_id":1.2e+3"#),
        line(r#""user_id":"u2","value":1.5e2,"note":"2e4","weight":1e2"#),
        line(r#""user_id":100000.0,"value":1e5"#),
    ]
    .concat();
    let taken = Taken::text("a.jsonl", &text, Renames::default());
    let summary = &taken.summary;
    assert_eq!((summary.accepted, summary.reasons.get("bad_id")), (2, Some(&4)), "{:?}", summary.reasons);
    assert!(
        summary.examples["bad_id"].contains("\"1.23457E+11\" looks like a number that a spreadsheet rounded")
    );
    let events = taken.events();
    let of = |user: &str| events.iter().find(|event| event[0] == user).unwrap()[3].clone();
    assert_eq!((of("u2"), of("100000")), ("150".to_string(), "100000".to_string()));
}

#[test]
fn a_nested_identifier_with_an_exponent_is_none_either() {
    let text = "{\"user\":{\"id\":1.23457E+11},\"event\":\"view\",\"timestamp\":1704103200}\n\
                {\"user\":{\"id\":12345.0},\"event\":\"view\",\"timestamp\":1.7041032e9}\n";
    let map = || Renames::parse("user.id=user_id", EVENT_FIELDS).unwrap();
    let taken = Taken::text("a.jsonl", text, map());
    assert_eq!(taken.summary.reasons.get("bad_id"), Some(&1), "{:?}", taken.summary.reasons);
    assert_eq!(taken.events()[0][0], "12345");
    let cells = "user,event,timestamp\n\"{\"\"id\"\":1.2E+11}\",view,1704103200\n\"{\"\"id\"\":7}\",view,1704103200\n";
    let taken = Taken::text("a.csv", cells, map());
    assert_eq!(taken.summary.reasons.get("bad_id"), Some(&1), "{:?}", taken.summary.reasons);
    assert_eq!(taken.events()[0][0], "7");
}
