//! What is wrong with a segment is reported at its span, with a code, and with what was probably meant.

use domain::error::Coded;
use domain::time::Instant;
use domain::zone::Zone;
use segments::language::compile::{Circumstances, Saved};
use segments::language::error::SegmentError;
use segments::language::expression::{Condition, Expression, Subject, Test, Value};
use segments::language::{compile_json, compile_text};

use super::trees::{catalogue, field};

fn nothing_saved(_: &str) -> Option<Saved<'static>> {
    None
}

fn error_of(text: &str) -> SegmentError {
    let (catalogue, zone) = (catalogue(), Zone::utc());
    let circumstances = Circumstances { catalogue: &catalogue, as_of: Instant::from_micros(0), zone: &zone };
    match compile_text(text, circumstances, None, &nothing_saved) {
        Ok((expression, _)) => panic!("{expression} is right"),
        Err(error) => error,
    }
}

/// text, what the carets stand under, code, suggestion
type Case = (&'static str, &'static str, &'static str, &'static str);

fn assert_cases(cases: &[Case]) {
    for (text, marked, code, suggestion) in cases {
        let error = error_of(text);
        let span = error.span.clone().expect("a text has spans");
        assert_eq!(&text[span], *marked, "{}", error.render(text));
        assert_eq!(error.cause.code(), *code, "{}", error.render(text));
        assert_eq!(error.suggestion.as_deref().unwrap_or_default(), *suggestion, "{}", error.render(text));
    }
}

#[test]
fn an_unknown_name_is_marked_and_the_nearest_is_named() {
    assert_cases(&[
        ("purchase_30d >= 2", "purchase_30d", "unknown_field", "purchases_30d"),
        ("opted_out or Purchases_30D > 1", "Purchases_30D", "unknown_field", "purchases_30d"),
        ("lastseen < 14d", "lastseen", "unknown_field", "last_seen"),
        ("vpi", "vpi", "unknown_field", "vip"),
        ("xyzzy = 1", "xyzzy", "unknown_field", ""),
        ("interest > 0.2", "interest", "unknown_field", "interest(\"dairy\")"),
        ("attribute(\"citty\") = \"x\"", "attribute(\"citty\")", "unknown_field", "attribute(\"city\")"),
        ("intrest(\"dairy\") > 0.2", "intrest", "unknown_function", "interest"),
        ("sql(\"x\")", "sql", "unknown_function", ""),
        ("propensity(\"purchase\") > 0.2", "propensity(\"purchase\")", "unknown_goal", ""),
        ("propensity(\"purchase_7\") > 0.2", "propensity(\"purchase_7\")", "unknown_goal", "\"purchase_7d\""),
        ("lifecycle in (\"new\", \"actve\")", "\"actve\"", "unknown_value", "\"active\""),
        ("consent = \"yes\"", "\"yes\"", "unknown_value", ""),
        ("not in_segment(\"gone\")", "in_segment(\"gone\")", "unknown_segment", ""),
        ("count(\"\", 30d) > 1", "\"\"", "bad_argument", ""),
        ("count(\"view\", 0d) > 1", "count(\"view\", 0d)", "bad_argument", ""),
    ]);
}

#[test]
fn a_value_of_another_type_is_marked() {
    assert_cases(&[
        ("vip and purchases_30d = \"two\"", "\"two\"", "wrong_type", ""),
        ("purchases_30d in (1, 2, \"3\")", "\"3\"", "wrong_type", ""),
        ("purchases_30d < 14d", "14d", "wrong_type", ""),
        ("purchases_30d", "purchases_30d", "wrong_type", ""),
        ("purchases_30d contains 2", "2", "wrong_type", ""),
        ("last_seen < 14", "14", "wrong_type", ""),
        ("last_seen = 14d", "14d", "wrong_type", ""),
        ("last_seen < 14d ago", "14d ago", "wrong_type", ""),
        ("created_at < 14d", "14d", "wrong_type", ""),
        ("created_at > \"2017-12-01\"", "\"2017-12-01\"", "wrong_type", ""),
        ("country > \"FR\"", "\"FR\"", "wrong_type", ""),
        ("country = 33", "33", "wrong_type", ""),
        ("opted_out = \"no\"", "\"no\"", "wrong_type", ""),
        ("opted_out > false", "false", "wrong_type", ""),
        ("hobbies = \"chess\"", "\"chess\"", "wrong_type", ""),
        ("hobbies contains true", "true", "wrong_type", ""),
        ("purchases_30d between 5 and 2", "2", "empty_range", ""),
        ("created_at between 2017-12-02 and 2017-12-01", "2017-12-01", "empty_range", ""),
    ]);
}

#[test]
fn a_text_that_cannot_go_on_so_is_marked_where_it_stops() {
    assert_cases(&[
        ("", "", "unexpected", ""),
        ("vip and", "", "unexpected", ""),
        ("vip vip", "vip", "unexpected", ""),
        ("(vip", "", "unexpected", ""),
        ("vip)", ")", "unexpected", ""),
        ("and vip", "and", "unexpected", ""),
        ("country = FR", "FR", "unexpected", "\"FR\""),
        ("count(purchase, 30d) > 1", "purchase", "unexpected", "\"purchase\""),
        ("count(\"purchase\", 30) > 1", "30", "unexpected", ""),
        ("country not in (\"FR\")", "not", "unexpected", ""),
        ("country is not known", "not", "unexpected", ""),
        ("purchases_30d between 2 or 3", "or", "unexpected", ""),
        ("14d < last_seen", "14d", "unexpected", ""),
        ("all()", "all()", "empty_group", ""),
        ("vip or any( )", "any( )", "empty_group", ""),
        ("country in ()", "()", "empty_list", ""),
        ("country = \"FR", "\"", "bad_text", ""),
        ("country = \"F\\R\"", "\\R", "bad_text", ""),
        ("country = \"F\u{202e}R\"", "\u{202e}", "bad_text", "\\u{202e}"),
        ("purchases_30d > 1.5.2", "1.5.2", "bad_number", ""),
        ("purchases_30d > 1e999", "1e999", "bad_number", ""),
        ("last_seen < 1.5d", "1.5d", "bad_number", ""),
        ("last_seen < 99999d", "99999d", "bad_number", ""),
        ("created_at > 2017-02-30", "2017-02-30", "no_such_moment", "2017-02-28"),
        ("created_at > 2017-13-01", "2017-13-01", "no_such_moment", ""),
        ("created_at > 2017-12-01T05:00:00", "2017-12-01T05:00:00", "no_such_moment", ""),
        ("created_at > 9999-12-31", "9999-12-31", "no_such_moment", ""),
        ("purchases_30d ≥ 2", "≥", "unexpected_character", ">="),
        ("country = “FR”", "“", "unexpected_character", "\""),
        ("country = 'FR'", "'", "unexpected_character", "\""),
        ("vip & opted_out", "&", "unexpected_character", "and"),
        ("vip; drop table users", ";", "unexpected_character", ""),
    ]);
}

#[test]
fn the_error_is_drawn_under_its_line() {
    let text = "opted_out = false\n  and purchase_30d >= 2";
    let drawn = "unknown_field: there is no field \"purchase_30d\"; did you mean purchases_30d?\n  \
                 line 2, column 7\n    and purchase_30d >= 2\n        ^^^^^^^^^^^^";
    assert_eq!(error_of(text).render(text), drawn);
    let text = "country = \"É\" and vpi";
    assert!(error_of(text).render(text).ends_with("\n  country = \"É\" and vpi\n                    ^^^"));
}

#[test]
fn a_long_line_is_drawn_around_the_span() {
    let text = format!("{} and vpi and {}", vec!["vip"; 100].join(" and "), vec!["vip"; 100].join(" and "));
    let error = error_of(&text);
    let drawn = error.render(&text);
    assert!(drawn.lines().all(|line| line.chars().count() < 110), "{drawn}");
    let lines: Vec<&str> = drawn.lines().collect();
    let column = lines[3].find('^').expect("carets");
    assert_eq!(&lines[2][column..column + 3], "vpi", "{drawn}");
}

fn pointer_of(json: &serde_json::Value) -> (&'static str, String) {
    let (catalogue, zone) = (catalogue(), Zone::utc());
    let circumstances = Circumstances { catalogue: &catalogue, as_of: Instant::from_micros(0), zone: &zone };
    let error = compile_json(json.to_string().as_bytes(), circumstances, None, &nothing_saved).unwrap_err();
    assert_eq!(error.span, None);
    (error.cause.code(), error.pointer)
}

#[test]
fn an_error_in_json_has_the_pointer_of_its_value() {
    use serde_json::json;
    let on = |subject: serde_json::Value, test: serde_json::Value| json!({"condition": {"subject": subject, "test": test}});
    let vip = on(json!({"field": "vip"}), json!("is_true"));
    let table = [
        (
            json!({"all": [vip, on(json!({"field": "vpi"}), json!("is_true"))]}),
            "unknown_field",
            "/all/1/condition/subject",
        ),
        (
            json!({"not": {"any": [on(json!({"field": "kids"}), json!({">=": "2"}))]}}),
            "wrong_type",
            "/not/any/0/condition/test/>=",
        ),
        (on(json!({"field": "kids"}), json!({"in": [1, true]})), "wrong_type", "/condition/test/in/1"),
        (
            on(json!({"field": "kids"}), json!({"between": [2, 1]})),
            "empty_range",
            "/condition/test/between/1",
        ),
        (json!({"all": [vip, {"any": []}]}), "empty_group", "/all/1"),
        (on(json!({"field": "kids"}), json!({"in": []})), "empty_list", "/condition/test/in/0"),
    ];
    for (json, code, pointer) in table {
        assert_eq!(pointer_of(&json), (code, pointer.to_string()), "{json}");
    }
}

#[test]
fn json_that_is_no_expression_is_refused_where_it_is_none() {
    use serde_json::json;
    let condition = |more: serde_json::Value| {
        let mut condition = json!({"subject": {"field": "vip"}, "test": "is_true"});
        condition.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"all": [{ "condition": condition }]})
    };
    let table = [
        (json!({"every": []}), ""),
        (json!({"all": [], "any": []}), ""),
        (json!(null), ""),
        (condition(json!({"comment": "x"})), "/all/0/condition"),
        (condition(json!({"subject": {"field": "in"}})), "/all/0/condition/subject"),
        (condition(json!({"subject": {"field": "a b"}})), "/all/0/condition/subject"),
        (condition(json!({"subject": {"count": {"within": "30d"}}})), "/all/0/condition/subject/count"),
        (
            condition(json!({"subject": {"count": {"event": "x", "within": "1y"}}})),
            "/all/0/condition/subject/count/within",
        ),
        (condition(json!({"test": {"=": null}})), "/all/0/condition/test/="),
        (condition(json!({"test": {"=": {"moment": "2017-02-30"}}})), "/all/0/condition/test/="),
        (
            condition(json!({"test": {"=": {"moment": "2017-02-03", "zone": "UTC"}}})),
            "/all/0/condition/test/=",
        ),
        (condition(json!({"test": {"like": "x"}})), "/all/0/condition/test"),
    ];
    for (json, pointer) in table {
        let (code, found) = pointer_of(&json);
        assert_eq!(code, "bad_json", "{json}");
        assert!(found.starts_with(pointer), "{json}: {found}");
    }
}

#[test]
fn a_tree_made_by_hand_is_checked_as_strictly() {
    let (catalogue, zone) = (catalogue(), Zone::utc());
    let circumstances = Circumstances { catalogue: &catalogue, as_of: Instant::from_micros(0), zone: &zone };
    let code = |expression: &Expression| {
        let compiled = segments::language::compile::compile(expression, circumstances, None, &nothing_saved);
        compiled.unwrap_err().cause.code()
    };
    let kids = |test| Expression::Condition(Condition { subject: field("kids"), test });
    assert_eq!(code(&kids(Test::Equal(Value::Number(f64::NAN)))), "bad_number");
    assert_eq!(code(&kids(Test::In(Vec::new()))), "empty_list");
    assert_eq!(code(&kids(Test::In(vec![Value::Number(1.0); 1_001]))), "too_large");
    let long = Expression::Condition(Condition {
        subject: Subject::Attribute("city".into()),
        test: Test::Equal(Value::Text("x".repeat(1_025))),
    });
    assert_eq!(code(&long), "too_large");
    let deep = (0..40).fold(kids(Test::IsKnown), |inner, _| Expression::Not(Box::new(inner)));
    assert_eq!(code(&deep), "too_large");
    assert_eq!(code(&Expression::Any(vec![Expression::Everybody; 2_001])), "too_large");
}
