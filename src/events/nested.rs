//! Values inside values: `context.timezone`, `items.0.item_id`, and lists of keys and values as BigQuery exports them.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::formats::{JsonRow, RawValue, raw_value, spelled_value, with_spelled_exponents};

/// The value at a dotted name: a key that is spelled so counts first, then the way inside.
pub(super) fn find<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    if let Some(value) = object.get(name) {
        return Some(value);
    }
    let dots = name.match_indices('.').map(|(dot, _)| dot);
    dots.filter_map(|dot| step(object.get(&name[..dot])?, &name[dot + 1..])).next()
}

/// The value at a dotted name of a record; a key may hold JSON as text.
pub(super) fn value<'a>(row: &JsonRow<'a>, name: &str) -> RawValue<'a> {
    let object = row.object;
    if let Some(value) = find(object, name) {
        return spelled_value(value, row.spelled.and_then(|spelled| find(spelled, name)));
    }
    let mut dots = name.match_indices('.').map(|(dot, _)| dot);
    let text = dots.find_map(|dot| match object.get(&name[..dot])? {
        Value::String(text) => Some((text, &name[dot + 1..])),
        _ => None,
    });
    text.map_or(RawValue::Missing, |(text, inside)| within(RawValue::Text(Cow::Borrowed(text)), inside))
}

/// The value at a dotted name inside another value.
fn step<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Object(object) => find(object, name),
        Value::Array(items) => {
            let (first, rest) =
                name.split_once('.').map_or((name, None), |(first, rest)| (first, Some(rest)));
            match first.parse::<usize>() {
                Ok(index) => {
                    let item = items.get(index)?;
                    rest.map_or(Some(item), |rest| step(item, rest))
                }
                Err(_) => keyed(items, name),
            }
        }
        _ => None,
    }
}

/// The value of a list `[{"key": …, "value": …}]`, where the value may name its type: `{"string_value": …}`.
fn keyed<'a>(items: &'a [Value], key: &str) -> Option<&'a Value> {
    let item = items.iter().find(|item| item.get("key").and_then(Value::as_str) == Some(key))?;
    let value = item.get("value")?;
    match value {
        Value::Object(typed) => typed.values().find(|value| !value.is_null()),
        plain => Some(plain),
    }
}

/// The value at a dotted name inside a cell: a nested one, or JSON as text.
pub(super) fn within<'a>(cell: RawValue<'a>, name: &str) -> RawValue<'a> {
    match cell {
        RawValue::Nested(value) => step(value, name).map_or(RawValue::Missing, raw_value),
        RawValue::Text(text) if text.trim_start().starts_with(['{', '[']) => {
            let parsed: Value = serde_json::from_str(&text).unwrap_or_default();
            let spelled: Option<Value> = with_spelled_exponents(&text);
            let spelled = spelled.as_ref().and_then(|spelled| step(spelled, name));
            step(&parsed, name).map_or(RawValue::Missing, |value| owned(value, spelled))
        }
        _ => RawValue::Missing,
    }
}

/// A JSON value as a raw value of its own; a nested one as its JSON.
fn owned(value: &Value, spelled: Option<&Value>) -> RawValue<'static> {
    match spelled_value(value, spelled) {
        RawValue::Scientific(number, written) => {
            RawValue::Scientific(number, Cow::Owned(written.into_owned()))
        }
        RawValue::Text(text) => RawValue::Text(Cow::Owned(text.into_owned())),
        RawValue::Integer(number) => RawValue::Integer(number),
        RawValue::Number(number) => RawValue::Number(number),
        RawValue::Boolean(flag) => RawValue::Boolean(flag),
        RawValue::Nested(value) => RawValue::Text(Cow::Owned(value.to_string())),
        _ => RawValue::Missing,
    }
}
