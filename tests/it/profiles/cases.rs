//! The hand-written cases of `tests/data/profile_cases.txt`.

use std::collections::BTreeSet;

use domain::time::{HOURS_OF_WEEK, hour_of_week_name};
use events::request::InputKind;
use profiles::features::FEATURES;
use serde_json::{Map, Value, json};

use super::world::{Shop, at, is_same};

const CASES: &str = include_str!("../../data/profile_cases.txt");

#[derive(Debug, Default)]
struct Case {
    title: String,
    as_of: String,
    naive_zone: Option<String>,
    default_zone: Option<String>,
    users: Vec<Value>,
    contents: Vec<Value>,
    events: Vec<Value>,
    expected: Vec<(String, String, Value)>,
    absent: Vec<String>,
}

/// `id field=value …` as a record.
fn record(key: &str, words: &[&str]) -> Value {
    let mut record = json!({ key: words[0] });
    for word in &words[1..] {
        let (field, text) = word.split_once('=').unwrap_or_else(|| panic!("{word}: field=value"));
        let number = (field == "value").then(|| text.parse::<f64>().expect("a number"));
        record[field] = number.map_or_else(|| json!(text), |number| json!(number));
    }
    record
}

fn event(number: usize, words: &[&str]) -> Value {
    let mut fields = record("user_id", &[&[words[0]], &words[3..]].concat());
    fields["event"] = json!(words[1]);
    fields["timestamp"] = json!(words[2]);
    if fields.get("message_id").is_none() {
        fields["message_id"] = json!(format!("case-{number}"));
    }
    fields
}

fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for (number, line) in CASES.lines().enumerate() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let words: Vec<&str> = rest.split_whitespace().collect();
        if word == "case" {
            cases.push(Case { title: rest.to_string(), ..Case::default() });
        }
        let Some(case) = cases.last_mut() else { continue };
        match word {
            "" | "#" | "case" => {}
            "as_of" => case.as_of = rest.to_string(),
            "naive_zone" => case.naive_zone = Some(rest.to_string()),
            "default_zone" => case.default_zone = Some(rest.to_string()),
            "user" => case.users.push(record("user_id", &words)),
            "content" => case.contents.push(record("content_id", &words)),
            "event" => case.events.push(event(number, &words)),
            "absent" => case.absent.push(rest.to_string()),
            "expect" => {
                let value = rest.splitn(3, ' ').nth(2).and_then(|text| serde_json::from_str(text).ok());
                let value = value.unwrap_or_else(|| panic!("{line}: the value is JSON"));
                case.expected.push((words[0].to_string(), words[1].to_string(), value));
            }
            other => panic!("line {}: {other} is no word of a case", number + 1),
        }
    }
    cases
}

/// 168 numbers out of the named ones.
fn whole_week(hours: &Map<String, Value>) -> Value {
    let hour = |hour| hours.get(&hour_of_week_name(hour)).cloned().unwrap_or(json!(0.0));
    (0..HOURS_OF_WEEK).map(hour).collect::<Vec<Value>>().into()
}

/// What differs from the expectation, as text.
fn failures_of(case: &Case) -> Vec<String> {
    let mut shop = Shop::new();
    if let Some(zone) = &case.default_zone {
        shop.config.default_time_zone = zone.clone();
    }
    shop.take(InputKind::Events, &case.events, case.naive_zone.as_deref());
    for (kind, records) in [(InputKind::Users, &case.users), (InputKind::Contents, &case.contents)] {
        if !records.is_empty() {
            shop.take(kind, records, None);
        }
    }
    let table = shop.table(at(&case.as_of));
    let mut failures = Vec::new();
    for (user, feature, expected) in &case.expected {
        let found = table.get(user).and_then(|profile| profile.get(feature).cloned());
        let expected = expected.as_object().map_or_else(|| expected.clone(), whole_week);
        if !found.as_ref().is_some_and(|found| is_same(found, &expected)) {
            failures.push(format!("{}: {user} {feature}: expected {expected}, found {found:?}", case.title));
        }
    }
    let present = case.absent.iter().filter(|user| table.row_of(user).is_some());
    failures.extend(present.map(|user| format!("{}: {user} has a profile", case.title)));
    failures
}

#[test]
fn every_case_comes_out_as_written() {
    let failures: Vec<String> = cases().iter().flat_map(failures_of).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Zeros, nothing and empty lists are what a feature without any meaning would give too.
fn is_telling(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::String(_) | Value::Bool(_) => true,
    }
}

#[test]
fn every_feature_is_decided_by_a_case() {
    let cases = cases();
    let decided: BTreeSet<&str> = cases
        .iter()
        .flat_map(|case| &case.expected)
        .filter(|(_, _, value)| is_telling(value))
        .map(|(_, feature, _)| feature.as_str())
        .collect();
    let undecided: Vec<&str> =
        FEATURES.iter().map(|feature| feature.name).filter(|name| !decided.contains(name)).collect();
    assert!(
        undecided.is_empty(),
        "no case of tests/data/profile_cases.txt expects a telling value of {undecided:?}: write one"
    );
}

#[test]
fn cases_name_features_that_exist() {
    for case in cases() {
        for (_, feature, _) in &case.expected {
            let is_known = FEATURES.iter().any(|known| known.name == feature);
            assert!(is_known, "{}: {feature} is no feature", case.title);
        }
    }
}
