//! Segments within segments: members come along, cycles are found, sizes stay bounded.

use std::collections::BTreeMap;

use domain::error::Coded;
use domain::time::Instant;
use domain::zone::Zone;
use segments::language::compile::{Circumstances, Saved};
use segments::language::compile_text;
use segments::language::error::SegmentError;
use segments::language::expression::Expression;
use segments::language::fields::{AttributeTypes, FieldType};
use segments::language::keys::{LookupKey, needs};
use segments::language::predicate::Predicate;
use segments::language::text::parser::parse;

use super::trees::catalogue;

fn compiled(saved: &[(&str, &str)], own: Option<&str>, text: &str) -> Result<Predicate, SegmentError> {
    let saved: BTreeMap<String, Option<Expression>> = saved
        .iter()
        .map(|(id, text)| (id.to_string(), parse(text).ok().map(|parsed| parsed.expression)))
        .collect();
    let (catalogue, zone) = (catalogue(), Zone::utc());
    let circumstances = Circumstances { catalogue: &catalogue, as_of: Instant::from_micros(0), zone: &zone };
    let types = AttributeTypes::new();
    let as_saved = |expression| Saved::Expression(expression, &types);
    let find = |id: &str| saved.get(id).map(|expression| expression.as_ref().map_or(Saved::List, as_saved));
    compile_text(text, circumstances, own, &find).map(|(_, predicate)| predicate)
}

/// `=` begins no expression: what stands behind such an id is a list.
const LIST: &str = "=";

#[test]
fn a_named_segment_stands_for_its_expression() {
    let saved = [("buyers", "purchases_30d > 0"), ("rich", "in_segment(\"buyers\") and revenue_90d > 100")];
    let table = [
        ("in_segment(\"rich\")", "purchases_30d > 0 and revenue_90d > 100"),
        ("not in_segment(\"buyers\") or vip", "not purchases_30d > 0 or vip"),
        ("in_segment(\"buyers\") = false", "not purchases_30d > 0"),
        ("in_segment(\"buyers\") != true", "not purchases_30d > 0"),
        ("in_segment(\"buyers\") is known", "everybody"),
        ("in_segment(\"buyers\") is unknown", "not everybody"),
    ];
    for (named, spelled_out) in table {
        assert_eq!(compiled(&saved, None, named), compiled(&[], None, spelled_out), "{named}");
    }
}

#[test]
fn the_members_of_a_list_have_to_be_looked_up() {
    let predicate = compiled(&[("seeds", LIST)], None, "vip and not in_segment(\"seeds\")").unwrap();
    let keys: Vec<LookupKey> = needs(&predicate).keys.into_iter().collect();
    assert_eq!(keys, [LookupKey::Attribute("vip".into(), FieldType::Truth), LookupKey::List("seeds".into())]);
}

#[test]
fn a_segment_that_contains_itself_is_refused_with_the_way_round() {
    let saved =
        [("a", "vip or in_segment(\"b\")"), ("b", "in_segment(\"c\")"), ("c", "not in_segment(\"a\")")];
    let error = compiled(&saved, None, "vip and in_segment(\"a\")").unwrap_err();
    assert_eq!(error.cause.to_string(), "segment_cycle: a segment cannot contain itself: a → b → c → a");
    assert_eq!(error.span, Some(8..23));
    let error = compiled(&saved[..2], Some("c"), "not in_segment(\"a\")").unwrap_err();
    assert_eq!(error.cause.to_string(), "segment_cycle: a segment cannot contain itself: c → a → b → c");
    let error = compiled(&[], Some("me"), "in_segment(\"me\")").unwrap_err();
    assert_eq!(error.cause.code(), "segment_cycle");
}

#[test]
fn a_fault_of_a_named_segment_is_shown_where_it_is_named() {
    let error =
        compiled(&[("old", "vip and gone_field = 1")], None, "vip or in_segment(\"old\")").unwrap_err();
    let cause =
        "bad_segment: segment \"old\" is wrong itself: unknown_field: there is no field \"gone_field\"";
    assert_eq!((error.cause.to_string(), error.span), (cause.to_string(), Some(7..24)));
}

#[test]
fn segments_that_double_each_other_stay_bounded() {
    let names: Vec<String> = (0..10).map(|level| format!("s{level}")).collect();
    let texts: Vec<String> = (0..10)
        .map(|level| match level {
            9 => "vip".to_string(),
            level => vec![format!("in_segment(\"s{}\")", level + 1); 8].join(" and "),
        })
        .collect();
    let saved: Vec<(&str, &str)> = names.iter().zip(&texts).map(|(name, text)| (&**name, &**text)).collect();
    let error = compiled(&saved, None, "in_segment(\"s0\")").unwrap_err();
    assert_eq!(error.cause.code(), "too_large");
}
