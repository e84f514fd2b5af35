//! Tree → text → tree and tree → JSON → tree lose nothing, and the same tree is always written the same way.

use proptest::prelude::*;
use segments::language::expression::Expression;
use segments::language::json;
use segments::language::text::parser::parse;

use super::trees::any_expression;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn a_tree_written_as_text_reads_as_the_same_tree(expression in any_expression()) {
        let text = expression.to_string();
        let read = parse(&text).map_err(|error| TestCaseError::fail(error.render(&text)))?;
        prop_assert_eq!(&read.expression, &expression, "{}", &text);
        prop_assert_eq!(read.expression.to_string(), text);
    }

    #[test]
    fn a_tree_written_as_json_reads_as_the_same_tree(expression in any_expression()) {
        let bytes = serde_json::to_vec(&expression).unwrap();
        let read = json::read(&bytes).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(&read, &expression);
        prop_assert_eq!(serde_json::to_vec(&read).unwrap(), bytes);
    }
}

fn tree(text: &str) -> Expression {
    parse(text).unwrap_or_else(|error| panic!("{}", error.render(text))).expression
}

#[test]
fn what_people_type_is_written_back_in_one_way() {
    let table = [
        ("a=1", "a = 1"),
        ("a == 1.50", "a = 1.5"),
        ("( ( a ) )", "a"),
        ("a AND b Or NOT c", "a and b or not c"),
        ("a or (b or c)", "a or (b or c)"),
        ("a and (b or c)", "a and (b or c)"),
        ("(a and b) or c", "a and b or c"),
        ("not (a and b)", "not (a and b)"),
        ("not not a", "not not a"),
        ("all(a, b)", "a and b"),
        ("all(a)", "all(a)"),
        ("any(a and b)", "any(a and b)"),
        ("last_seen < 2w", "last_seen < 14d"),
        ("last_seen < 24h", "last_seen < 1d"),
        ("last_seen < 90m", "last_seen < 90m"),
        ("created_at > 14d\n AGO", "created_at > 14d ago"),
        ("created_at > 2017-12-01T05:00:00+05:00", "created_at > 2017-12-01T00:00:00Z"),
        ("a in(1,2 ,3)", "a in (1, 2, 3)"),
        ("a IS Unknown", "a is unknown"),
        (r#"x contains "a\"b\u{202e}é""#, r#"x contains "a\"b\u{202e}é""#),
        ("EVERYBODY", "everybody"),
        ("x = 1e3 or y = -0", "x = 1000 or y = 0"),
    ];
    for (typed, written) in table {
        assert_eq!(tree(typed).to_string(), written, "{typed}");
    }
}

#[test]
fn and_binds_closer_than_or_and_not_closest() {
    assert_eq!(tree("a or b and not c"), tree("a or (b and (not c))"));
    assert_ne!(tree("a or b and c"), tree("(a or b) and c"));
    assert_ne!(tree("not a and b"), tree("not (a and b)"));
}

#[test]
fn the_json_of_the_documentation_is_the_text_of_the_documentation() {
    let json = serde_json::json!({"all": [
        {"condition": {"subject": {"field": "purchases_30d"}, "test": {">=": 2}}},
        {"condition": {"subject": {"interest": "dairy"}, "test": {">": 0.2}}},
        {"condition": {"subject": {"field": "last_seen"}, "test": {"<": {"duration": "14d"}}}},
        {"not": {"condition": {"subject": {"field": "opted_out"}, "test": "is_true"}}}
    ]});
    let text = r#"purchases_30d >= 2 and interest("dairy") > 0.2 and last_seen < 14d and not opted_out"#;
    assert_eq!(serde_json::to_value(tree(text)).unwrap(), json);
    assert_eq!(json::read(json.to_string().as_bytes()).unwrap().to_string(), text);
}
