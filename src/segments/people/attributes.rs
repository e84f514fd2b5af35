//! The attributes that users were declared with: the type of each, and its values as a column.
//!
//! Files bring most attributes as texts, so a type is learned from the values: of all declared users, whoever is asked about.
//! A saved segment keeps the type that it was saved with, and `[attributes]` in the settings declares one.

use std::collections::BTreeMap;

use polars::prelude::*;
use serde_json::Value;

use crate::language::fields::{AttributeTypes, FieldType};
use config::AttributeType;
use domain::time::{Day, Instant};
use domain::zone::Zone;
use events::columns::users;
use events::declared::{DeclaredTable, attributes_in};
use files::tables::TableError;
use files::workspace::Workspace;

/// The attributes of the users of a workspace and their types, by name.
///
/// # Errors
/// When the users cannot be read.
pub fn attribute_types(workspace: &Workspace) -> Result<AttributeTypes, TableError> {
    let censuses = attribute_censuses(workspace)?.into_iter();
    Ok(censuses.map(|(name, census)| (name, census.learned())).collect())
}

/// What cells each attribute of the users of a workspace has, by name: all declared users, in order of their ids.
///
/// # Errors
/// When the users cannot be read.
pub fn attribute_censuses(workspace: &Workspace) -> Result<BTreeMap<String, AttributeCensus>, TableError> {
    let table = DeclaredTable::read(workspace, &[users::ID, users::ATTRIBUTES])?;
    let mut censuses: BTreeMap<String, AttributeCensus> = BTreeMap::new();
    for (id, text) in table.texts(users::ID).iter().zip(table.texts(users::ATTRIBUTES).iter()) {
        for (name, value) in text.map(attributes_in).unwrap_or_default() {
            let census = censuses.entry(name).or_default();
            if let Some(kind) = kind_of(&value) {
                census.add(kind, id.unwrap_or_default(), &value);
            }
        }
    }
    Ok(censuses)
}

impl From<AttributeType> for FieldType {
    fn from(declared: AttributeType) -> FieldType {
        match declared {
            AttributeType::Number => FieldType::Number,
            AttributeType::Text => FieldType::Text,
            AttributeType::Truth => FieldType::Truth,
            AttributeType::Moment => FieldType::Moment,
            AttributeType::Set => FieldType::Set,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum CellKind {
    Number,
    /// An infinity: it says nothing of the type, and is unknown in a number.
    Boundless,
    /// Digits that begin with a zero: a postcode, an article number.
    Code,
    Truth,
    Moment,
    Text,
    Set,
}

impl CellKind {
    /// The type that takes only cells of this kind.
    fn own_type(self) -> FieldType {
        match self {
            CellKind::Number => FieldType::Number,
            CellKind::Truth => FieldType::Truth,
            CellKind::Moment => FieldType::Moment,
            CellKind::Set => FieldType::Set,
            CellKind::Boundless | CellKind::Code | CellKind::Text => FieldType::Text,
        }
    }

    /// Can it be read as this type? Everything can be read as a text.
    fn fits(self, field_type: FieldType) -> bool {
        field_type == FieldType::Text || self.own_type() == field_type
    }
}

/// The cells of an attribute, by what they look like; empty ones and placeholders are not counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttributeCensus {
    /// How many there are of each kind, and the first one: user and value.
    kinds: BTreeMap<CellKind, (u64, String)>,
}

impl AttributeCensus {
    fn add(&mut self, kind: CellKind, user_id: &str, value: &Value) {
        let first = || (0, format!("user {user_id:?} has {}", shown(value)));
        self.kinds.entry(kind).or_insert_with(first).0 += 1;
    }

    /// How many cells there are.
    pub fn cells(&self) -> u64 {
        self.kinds.values().map(|(count, _)| count).sum()
    }

    /// The type that nine in ten of the cells have, so that a few bad ones change it for nobody else, and a column of sizes
    /// such as "5+" keeps its own. One code that begins with a
    /// zero makes all of them texts, since as a number it would be another code.
    pub fn learned(&self) -> FieldType {
        let has_codes = self.kinds.contains_key(&CellKind::Code);
        let telling = || self.kinds.iter().filter(|(kind, _)| **kind != CellKind::Boundless);
        let cells: u64 = telling().map(|(_, (count, _))| count).sum();
        match telling().max_by_key(|(_, (count, _))| *count) {
            Some((kind, (count, _))) if !has_codes && count * 10 >= cells * 9 => kind.own_type(),
            _ => FieldType::Text,
        }
    }

    /// How many cells cannot be read as a type, and the first one for people; these users count as unknown.
    pub fn unfit(&self, field_type: FieldType) -> (u64, Option<&str>) {
        let unfit = || self.kinds.iter().filter(|(kind, _)| !kind.fits(field_type)).map(|(_, cells)| cells);
        (unfit().map(|(count, _)| count).sum(), unfit().next().map(|(_, first)| first.as_str()))
    }
}

fn shown(value: &Value) -> String {
    value.to_string().chars().take(64).collect()
}

/// `None` of what says nothing: null, an empty text, a placeholder.
fn kind_of(value: &Value) -> Option<CellKind> {
    match value {
        Value::Null => None,
        Value::Bool(_) => Some(CellKind::Truth),
        Value::Number(_) => Some(CellKind::Number),
        Value::Array(_) => Some(CellKind::Set),
        Value::String(text) if is_placeholder(text) => None,
        Value::String(text) => Some(match () {
            () if number_in(text).is_some() => CellKind::Number,
            () if is_boundless(text) => CellKind::Boundless,
            () if is_code(text) => CellKind::Code,
            () if truth_in(text).is_some() => CellKind::Truth,
            () if Day::parse(text).is_some() || Instant::parse_rfc3339(text).is_some() => CellKind::Moment,
            () => CellKind::Text,
        }),
        Value::Object(_) => Some(CellKind::Text),
    }
}

/// What tools write for a missing value.
fn is_placeholder(text: &str) -> bool {
    const WORDS: [&str; 13] =
        ["", "-", "--", "null", "(null)", "<null>", "none", "nil", "nan", "undefined", "n/a", "#n/a", "\\n"];
    let word = text.trim().to_lowercase();
    WORDS.contains(&word.as_str()) || word == "[object object]"
}

/// Digits that begin with a zero and are no number.
fn is_code(text: &str) -> bool {
    text.len() > 1 && text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `inf`, `-Infinity`, `+∞`.
fn is_boundless(text: &str) -> bool {
    let word = text.trim().trim_start_matches(['+', '-']).to_lowercase();
    ["inf", "infinity", "∞"].contains(&word.as_str())
}

/// A number as people write one; what begins with a zero is rather a code.
fn number_in(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_code = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.parse().ok().filter(|_| is_plain && !is_code && digits.starts_with(|c: char| c.is_ascii_digit()))
}

fn truth_in(text: &str) -> Option<bool> {
    match () {
        () if text.eq_ignore_ascii_case("true") => Some(true),
        () if text.eq_ignore_ascii_case("false") => Some(false),
        () => None,
    }
}

/// One attribute of each user out of their JSON, as a type; what cannot be read so is unknown. Dates are midnights of `zone`.
pub(super) fn column(written: &[Option<&str>], name: &str, field_type: FieldType, zone: &Zone) -> Series {
    let values: Vec<Option<Value>> = written
        .iter()
        .map(|text| attributes_in((*text)?).remove(name).filter(|value| kind_of(value).is_some()))
        .collect();
    let title = || "attribute".into();
    match field_type {
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
        FieldType::Set => super::declared::sets(values.iter().map(|value| set(value.as_ref()?))),
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

fn set(value: &Value) -> Option<Vec<String>> {
    value.as_array().map(|elements| elements.iter().map(text).collect())
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string)
}
