//! Case 08: texts in the syntax of other template languages.

use serde_json::{Value, json};

use crate::files::Case;
use crate::support::stdout_of;

/// A workspace with the case's contents and users, and what was told of the contents.
fn case() -> (Case, Value) {
    let case = Case::new("08");
    let told = with_contents(&case);
    case.ingest("users", "users.jsonl");
    (case, told)
}

fn with_contents(case: &Case) -> Value {
    case.json(&["ingest", "--kind", "contents", "--most-rejected", "100%", "contents.jsonl"])
}

fn shown(case: &Case, content: &str, user: &str) -> Value {
    case.json(&["preview", content, "--user", user])["wordings"][0].clone()
}

#[test]
fn a_default_as_liquid_writes_it_is_the_default_that_it_is() {
    let (case, _) = case();
    let told = |user| {
        let variant = shown(&case, "liquid", user);
        (variant["title"].clone(), variant["refused"].clone())
    };
    assert_eq!(told("ann"), (json!("Hi Ann!"), json!(false)));
    assert_eq!(told("cid"), (json!("Hi there!"), json!(false)));
}

#[test]
fn what_is_no_placeholder_of_ours_is_rejected_with_its_position() {
    let (case, told) = case();
    let counts = ["read", "accepted", "duplicate", "rejected"].map(|key| told[key].as_u64().unwrap());
    assert_eq!((counts, &told["reasons"]), ([7, 2, 0, 5], &json!({"bad_template": 5})), "{told}");
    let letters: Vec<Value> = std::fs::read_to_string(told["dead_letters"].as_str().unwrap())
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let wrong = [
        ("liquid-filter", "title, character 4: a filter"),
        ("unclosed", "title, character 4: {{ without }}"),
        ("if", "title, character 1: a tag of Liquid"),
        ("fullwidth", "title, character 4: full-width braces"),
        ("zero-width", "title, character 4: a zero-width character"),
    ];
    for (content, what) in wrong {
        let letter = letters.iter().find(|letter| letter["record"]["content_id"] == content).unwrap();
        assert!(letter["detail"].as_str().unwrap().starts_with(what), "{letter}");
        let variant = shown(&case, content, "ann");
        assert_eq!(variant["refused"], true, "{content}: {variant}");
        assert!(variant["faults"][0].as_str().unwrap().starts_with(what), "{variant}");
    }
    let strict = Case::new("08").run(&["ingest", "--kind", "contents", "contents.jsonl"]);
    assert_eq!(strict.status.code(), Some(3), "more than one in ten was rejected");
}

#[test]
fn a_field_that_many_texts_ask_for_is_named_once() {
    let case = Case::new("08");
    case.ingest("users", "users.jsonl");
    let content = |number: usize| {
        format!("{{\"content_id\":\"c{number:02}\",\"title\":\"Hi {{{{frist_name|you}}}}\"}}\n")
    };
    let mut text: String = (0..44).map(content).collect();
    text += "{\"content_id\":\"d\",\"title\":\"{{town|here}}\"}\n";
    let told = case.ingest_text("contents", "many.jsonl", &text);
    let expected = [
        "unknown_field: content \"c00\", variant \"default\", title: no declared user has \"frist_name\"; did you mean \
         \"first_name\"? (44 texts ask for this field; this is the first)",
        "unknown_field: content \"d\", variant \"default\", title: no declared user has \"town\"",
    ];
    assert_eq!(told["warnings"], json!(expected));
}

#[test]
fn a_field_that_no_user_has_is_named_with_the_one_that_was_meant() {
    let (case, _) = case();
    let output = case.run(&["preview", "unknown", "--user", "ann"]);
    let text = stdout_of(&output);
    let line = "    warning  title: no declared user has \"First_Name\"; did you mean \"first_name\"?";
    assert!(text.lines().any(|own| own == line), "{text}");
    assert_eq!(with_contents(&case)["duplicate"], 2);
    // Users came after contents, so the first ingest of contents could not know their fields.
    let workspace = Case::new("08");
    workspace.ingest("users", "users.jsonl");
    let told = with_contents(&workspace)["warnings"].to_string();
    assert!(told.contains("unknown_field: content \\\"unknown\\\""), "{told}");
    assert!(!told.contains("has \\\"first_name\\\""), "{told}");
}
