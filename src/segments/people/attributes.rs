//! The attributes that users were declared with: the type of each, and its values as a column.
//!
//! Files bring most attributes as texts, so a type is read off the values: numbers, truths or moments when all are, else texts.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::*;
use serde_json::Value;

use crate::language::fields::FieldType;
use domain::time::{Day, Instant};
use domain::zone::Zone;
use events::columns::users;
use events::declared::{DeclaredTable, attributes_in};
use files::tables::TableError;
use files::workspace::Workspace;

/// The attributes of the users of a workspace and their types, by name.
pub fn attribute_types(workspace: &Workspace) -> Result<BTreeMap<String, FieldType>, TableError> {
    let table = DeclaredTable::read(workspace, &[users::ATTRIBUTES])?;
    let mut kinds: BTreeMap<String, BTreeSet<AttributeKind>> = BTreeMap::new();
    for text in table.texts(users::ATTRIBUTES).iter().flatten() {
        for (name, value) in attributes_in(text) {
            kinds.entry(name).or_default().extend(kind_of(&value));
        }
    }
    Ok(kinds.into_iter().map(|(name, kinds)| (name, type_of(&kinds))).collect())
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum AttributeKind {
    Number,
    Truth,
    Moment,
    Text,
    Set,
}

fn type_of(kinds: &BTreeSet<AttributeKind>) -> FieldType {
    match kinds.iter().collect::<Vec<_>>()[..] {
        [AttributeKind::Number] => FieldType::Number,
        [AttributeKind::Truth] => FieldType::Truth,
        [AttributeKind::Moment] => FieldType::Moment,
        [AttributeKind::Set] => FieldType::Set,
        _ => FieldType::Text,
    }
}

/// `None` of what says nothing: null, an empty text.
fn kind_of(value: &Value) -> Option<AttributeKind> {
    match value {
        Value::Null => None,
        Value::Bool(_) => Some(AttributeKind::Truth),
        Value::Number(_) => Some(AttributeKind::Number),
        Value::Array(_) => Some(AttributeKind::Set),
        Value::String(text) if text.trim().is_empty() => None,
        Value::String(text) => Some(match () {
            _ if number_in(text).is_some() => AttributeKind::Number,
            _ if truth_in(text).is_some() => AttributeKind::Truth,
            _ if Day::parse(text).is_some() || Instant::parse_rfc3339(text).is_some() => {
                AttributeKind::Moment
            }
            _ => AttributeKind::Text,
        }),
        Value::Object(_) => Some(AttributeKind::Text),
    }
}

/// A number as people write one; what begins with a zero is rather a code.
fn number_in(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_code = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.parse().ok().filter(|_| is_plain && !is_code && digits.starts_with(|c: char| c.is_ascii_digit()))
}

fn truth_in(text: &str) -> Option<bool> {
    match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// One attribute of each user out of their JSON, as its type; what cannot be read so is unknown. Dates are midnights of `zone`.
pub(super) fn column(written: &[Option<&str>], name: &str, zone: &Zone) -> Series {
    let values: Vec<Option<Value>> = written
        .iter()
        .map(|text| attributes_in((*text)?).remove(name).filter(|value| kind_of(value).is_some()))
        .collect();
    let kinds = values.iter().flatten().filter_map(kind_of).collect();
    let title = || "attribute".into();
    match type_of(&kinds) {
        FieldType::Number => {
            Float64Chunked::from_iter_options(title(), values.iter().map(number)).into_series()
        }
        FieldType::Truth => {
            BooleanChunked::from_iter_options(title(), values.iter().map(truth)).into_series()
        }
        FieldType::Moment => {
            let micros = values.iter().map(|value| moment(value.as_ref()?, zone));
            let micros = Int64Chunked::from_iter_options(title(), micros);
            micros.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_series()
        }
        FieldType::Set => super::declared::sets(values.iter().map(|value| value.as_ref().map(set))),
        FieldType::Text | FieldType::Money | FieldType::Duration => {
            StringChunked::from_iter_options(title(), values.iter().map(|value| value.as_ref().map(text)))
                .into_series()
        }
    }
}

fn number(value: &Option<Value>) -> Option<f64> {
    match value.as_ref()? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => number_in(text),
        _ => None,
    }
}

fn truth(value: &Option<Value>) -> Option<bool> {
    match value.as_ref()? {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) => truth_in(text),
        _ => None,
    }
}

fn moment(value: &Value, zone: &Zone) -> Option<i64> {
    let text = value.as_str()?;
    let midnight = || zone.instant_of(Day::parse(text)?.civil().at(0, 0, 0, 0));
    Instant::parse_rfc3339(text).or_else(midnight).map(Instant::micros)
}

fn set(value: &Value) -> Vec<String> {
    value.as_array().map(|elements| elements.iter().map(text).collect()).unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string)
}
