//! Case 08: texts in the syntax of other template languages.

use serde_json::{Value, json};

use crate::files::Case;
use crate::support::stdout_of;

fn case() -> (Case, Vec<String>) {
    let case = Case::new("08");
    let told = case.ingest("contents", "contents.jsonl");
    case.ingest("users", "users.jsonl");
    let warnings = told["warnings"].as_array().unwrap().iter();
    let warnings = warnings.map(|warning| warning.as_str().unwrap().to_string()).collect();
    (case, warnings)
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
fn what_is_no_placeholder_of_ours_is_refused_with_its_position() {
    let (case, warnings) = case();
    let wrong = [
        ("liquid-filter", "title, character 4: a filter"),
        ("unclosed", "title, character 4: {{ without }}"),
        ("if", "title, character 1: a tag of Liquid"),
        ("fullwidth", "title, character 4: full-width braces"),
        ("zero-width", "title, character 4: a zero-width character"),
    ];
    for (content, what) in wrong {
        for user in ["ann", "cid"] {
            let variant = shown(&case, content, user);
            assert_eq!(variant["refused"], true, "{content}: {variant}");
            assert!(variant["faults"][0].as_str().unwrap().starts_with(what), "{variant}");
        }
        let named = format!("bad_template: content {content:?}, variant \"default\", {what}");
        assert!(
            warnings.iter().any(|warning| warning.starts_with(&named)),
            "{named} is not in {warnings:#?}"
        );
    }
    let bad = warnings.iter().filter(|warning| warning.starts_with("bad_template")).count();
    assert!(
        bad >= wrong.len()
            && !warnings.iter().any(|one| one.contains("\"liquid\", variant \"default\", title, character"))
    );
}

#[test]
fn a_field_that_no_user_has_is_named_with_the_one_that_was_meant() {
    let (case, _) = case();
    let output = case.run(&["preview", "unknown", "--user", "ann"]);
    let text = stdout_of(&output);
    let line = "    warning  title: no declared user has \"First_Name\"; did you mean \"first_name\"?";
    assert!(text.lines().any(|own| own == line), "{text}");
    let told = case.ingest("contents", "contents.jsonl");
    assert_eq!(told["duplicate"], 7);
    // Users came after contents, so the first ingest of contents could not know their fields.
    let workspace = Case::new("08");
    workspace.ingest("users", "users.jsonl");
    let told = workspace.ingest("contents", "contents.jsonl")["warnings"].to_string();
    assert!(told.contains("unknown_field: content \\\"unknown\\\""), "{told}");
    assert!(!told.contains("has \\\"first_name\\\""), "{told}");
}
