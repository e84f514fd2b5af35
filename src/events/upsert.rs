//! Users, contents and campaigns: one table each, one row a key, the later line wins.
//!
//! A column that a file does not have keeps its former value; an empty cell clears it. To add a field: one
//! line in the kind's list in `columns`.

use std::collections::BTreeMap;
use std::path::Path;

use polars::prelude::*;
use serde_json::Value;

use super::clean::{canonical_json, number, object, optional_id, required_id};
use super::columns::{Holds, Stored, TableColumn, columns_of, fields_of};
use super::dead_letters::DeadLetters;
use super::declared::read_columns;
use super::formats::{InputRow, RawValue};
use super::mapping::Mapping;
use super::reading::IngestSource;
use super::request::{FilesError, IngestStage, IngestSummary, InputKind, PendingChange, UnreadableCells};
use super::stamps::StampReader;
use domain::content::Variant;
use domain::device::Device;
use domain::error::Coded;
use domain::frequency::FrequencyRule;
use domain::rejection::{Rejection, RejectionCode};
use domain::time::{Day, Instant};
use domain::zone::{UnknownZone, Zones};
use files::tables::TableError;
use files::workspace::Workspace;

/// A clean value.
#[derive(Clone, Debug, PartialEq)]
enum Cell {
    Text(String),
    Whole(i64),
    Number(f64),
}

/// What a record says about a column.
#[derive(Clone, Debug, PartialEq)]
enum FieldUpdate {
    /// Nothing: the former value stays.
    Nothing,
    /// That it is empty, or this.
    Cell(Option<Cell>),
    /// Something about these attributes; null clears one, the others stay.
    Attributes(BTreeMap<String, Value>),
}

/// What a record says about each column but the key.
type Patch = Vec<FieldUpdate>;

/// Rows by key.
type RowsByKey = BTreeMap<String, Vec<Option<Cell>>>;

/// Reads files of users, contents or campaigns over their table.
pub(super) fn take_rows(
    workspace: &Workspace,
    source: &IngestSource<'_>,
    letters: &mut DeadLetters,
    watch: &impl Fn(IngestStage<'_>),
) -> Result<(IngestSummary, PendingChange), FilesError> {
    let kind = source.request.kind;
    let columns = columns_of(kind);
    let path = workspace.table(kind.as_str());
    let mut rows = read_rows(&path, columns)?;
    let mut cleaner = Cleaner::new(columns, source);
    let mut summary = IngestSummary::default();
    for file in source.request.files {
        let (mut patches, mut unreadable) = (Vec::new(), UnreadableCells::default());
        let taken = source.read(file, fields_of(kind), letters, watch, |line, row, mapping| {
            let (key, patch) = cleaner.clean(mapping, row)?;
            if kind == InputKind::Users {
                source.erased.refuse(&key)?;
            }
            patches.push((key, patch));
            if let Some(detail) = cleaner.unreadable.take() {
                unreadable.add(format!("{}:{line}: {detail}", file.display()));
            }
            Ok(())
        })?;
        match taken {
            Ok(part) => {
                summary.add(part);
                summary.unreadable.merge(unreadable);
            }
            Err(error) => {
                summary.refused.push(error);
                continue;
            }
        }
        for (key, patch) in patches {
            let changed = apply(&mut rows, key, patch, columns.len());
            *(if changed { &mut summary.accepted } else { &mut summary.duplicate }) += 1;
        }
    }
    if summary.accepted == 0 {
        return Ok((summary, PendingChange::Nothing));
    }
    let frame = frame_of(&rows, columns).map_err(TableError::parquet(&path))?;
    Ok((summary, PendingChange::Table(path, frame)))
}

/// Puts a patch over the row of its key; does that change anything?
fn apply(rows: &mut RowsByKey, key: String, patch: Patch, width: usize) -> bool {
    let is_new = !rows.contains_key(&key);
    let row = rows.entry(key).or_insert_with(|| vec![None; width - 1]);
    let mut changed = is_new;
    for (cell, said) in row.iter_mut().zip(patch) {
        let value = match said {
            FieldUpdate::Nothing => continue,
            FieldUpdate::Cell(value) => value,
            FieldUpdate::Attributes(entries) => merged(cell.as_ref(), entries),
        };
        if value != *cell {
            *cell = value;
            changed = true;
        }
    }
    changed
}

/// The former attributes with some set or cleared.
fn merged(former: Option<&Cell>, entries: BTreeMap<String, Value>) -> Option<Cell> {
    let mut all: BTreeMap<String, Value> = match former {
        Some(Cell::Text(text)) => serde_json::from_str(text).unwrap_or_default(),
        _ => BTreeMap::new(),
    };
    all.extend(entries);
    all.retain(|_, value| !value.is_null());
    attributes(all)
}

fn attributes(entries: BTreeMap<String, Value>) -> Option<Cell> {
    if entries.is_empty() {
        return None;
    }
    Some(Cell::Text(canonical_json(&Value::Object(entries.into_iter().collect()))))
}

/// Reads the cells of a kind's records.
struct Cleaner {
    columns: &'static [TableColumn],
    past: StampReader,
    any: StampReader,
    zones: Zones,
    /// What is wrong with a cell of the last record that was kept although it cannot be read.
    unreadable: Option<String>,
}

impl Cleaner {
    fn new(columns: &'static [TableColumn], source: &IngestSource<'_>) -> Cleaner {
        /// Windows and expiries lie ahead, but not further than two centuries.
        const HOURS_AHEAD: i64 = 200 * 366 * 24;
        let any = StampReader::new(source.request.zone.clone(), source.request.now, HOURS_AHEAD);
        Cleaner { columns, past: source.stamp_reader(), any, zones: Zones::default(), unreadable: None }
    }

    fn clean(&mut self, mapping: &Mapping, row: &InputRow<'_>) -> Result<(String, Patch), Rejection> {
        self.unreadable = None;
        let key = required_id(self.columns[0].field.name, mapping.get(row, 0))?;
        let mut patch = Patch::with_capacity(self.columns.len() - 1);
        for (index, column) in self.columns.iter().enumerate().skip(1) {
            let value = mapping.get(row, index);
            patch.push(if column.holds == Holds::Others {
                others(mapping, row, mapping.has(row, index).then_some((column.field.name, value)))?
            } else if mapping.has(row, index) {
                FieldUpdate::Cell(self.cell(column, value)?)
            } else {
                FieldUpdate::Nothing
            });
        }
        Ok((key.into_owned(), patch))
    }

    fn cell(&mut self, column: &TableColumn, value: RawValue<'_>) -> Result<Option<Cell>, Rejection> {
        if value == RawValue::Missing {
            return Ok(None);
        }
        let name = column.field.name;
        Ok(Some(match column.holds {
            Holds::Key | Holds::Id => {
                return Ok(optional_id(name, value)?.map(|id| Cell::Text(id.into_owned())));
            }
            Holds::Text => Cell::Text(text_of(&value)),
            Holds::OneOf(words) => Cell::Text(one_of(name, &value, words)?),
            Holds::Zone => Cell::Text(self.zone(name, &value)?),
            Holds::Past => Cell::Whole(self.past.read(name, &value)?.instant.micros()),
            Holds::From => Cell::Whole(self.any.read(name, &value)?.instant.micros()),
            Holds::Until => Cell::Whole(self.until(name, &value)?.micros()),
            Holds::ClockTime => Cell::Text(clock_time(name, &value)?),
            Holds::Whole(least, most) => Cell::Whole(whole(name, &value, least, most)?),
            Holds::Number(least, most) => Cell::Number(bounded(name, &value, least, most)?),
            Holds::List => return list(name, &value),
            Holds::JsonArray => Cell::Text(json_array(name, &value)?),
            Holds::Variants => Cell::Text(self.variants(&value)),
            Holds::Devices => Cell::Text(array_of::<Device>(name, &value)?),
            Holds::FrequencyRules => Cell::Text(array_of::<FrequencyRule>(name, &value)?),
            Holds::JsonObject | Holds::Others => {
                let object = object(name, &value)?;
                Cell::Text(canonical_json(&Value::Object(object.into_iter().collect())))
            }
        }))
    }

    /// The variants as they were written: a newer build may know more of them than this one. What cannot be read is kept
    /// too, so that the content is known and never sent; without its row, it would be one that only events know.
    fn variants(&mut self, value: &RawValue<'_>) -> String {
        let parsed = json_in(value);
        self.unreadable = Variant::read_all(&parsed).err().map(|rejection| rejection.detail);
        if parsed.is_null() { text_of(value) } else { canonical_json(&parsed) }
    }

    fn zone(&mut self, name: &str, value: &RawValue<'_>) -> Result<String, Rejection> {
        let text = text_of(value);
        let unknown = |error: UnknownZone| {
            Rejection::new(RejectionCode::UnknownTimeZone, format!("{name}: {}", error.detail()))
        };
        self.zones.code(&text).map_err(unknown)?;
        Ok(text)
    }

    /// The end of something: of a bare date, the first instant of the day after.
    fn until(&self, name: &str, value: &RawValue<'_>) -> Result<Instant, Rejection> {
        let stamp = self.any.read(name, value)?;
        if !stamp.date_only {
            return Ok(stamp.instant);
        }
        let day = match value {
            RawValue::Date(days) => Some(Day(*days)),
            other => Day::parse(text_of(other).trim()),
        };
        let Some(day) = day else { return Ok(stamp.instant) };
        Ok(self.any.read(name, &RawValue::Date(day.0 + 1))?.instant)
    }
}

/// Unknown columns set or clear one attribute each; a declared object stands for all of them.
fn others(
    mapping: &Mapping,
    row: &InputRow<'_>,
    declared: Option<(&str, RawValue<'_>)>,
) -> Result<FieldUpdate, Rejection> {
    let unknown = mapping.unclaimed(row);
    let Some((name, value)) = declared else {
        return Ok(if unknown.is_empty() { FieldUpdate::Nothing } else { FieldUpdate::Attributes(unknown) });
    };
    let mut all = unknown;
    all.extend(object(name, &value)?);
    all.retain(|_, value| !value.is_null());
    Ok(FieldUpdate::Cell(attributes(all)))
}

fn bad(name: &str, value: &RawValue<'_>, wanted: &str) -> Rejection {
    let shown: String = text_of(value).chars().take(48).collect();
    Rejection::new(RejectionCode::BadValue, format!("{name} {shown:?} is not {wanted}"))
}

fn text_of(value: &RawValue<'_>) -> String {
    match value.to_json() {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn one_of(name: &str, value: &RawValue<'_>, words: &[&str]) -> Result<String, Rejection> {
    let text = text_of(value);
    if words.contains(&text.as_str()) { Ok(text) } else { Err(bad(name, value, &words.join(" or "))) }
}

fn clock_time(name: &str, value: &RawValue<'_>) -> Result<String, Rejection> {
    let text = text_of(value);
    let below = |digits: &str, limit: &str| {
        // Two digits sort as the numbers they write.
        digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit()) && digits < limit
    };
    match text.split_once(':') {
        Some((hour, minute)) if below(hour, "24") && below(minute, "60") => Ok(text),
        _ => Err(bad(name, value, "HH:MM")),
    }
}

fn whole(name: &str, value: &RawValue<'_>, least: i64, most: i64) -> Result<i64, Rejection> {
    let wanted = || bad(name, value, &format!("a whole number from {least} to {most}"));
    let number = match value {
        RawValue::Text(text) => text.trim().parse().map_err(|_| wanted())?,
        other => other.whole_number().ok_or_else(wanted)?,
    };
    if (least..=most).contains(&number) { Ok(number) } else { Err(wanted()) }
}

fn bounded(name: &str, value: &RawValue<'_>, least: f64, most: f64) -> Result<f64, Rejection> {
    let number = number(name, value)?.unwrap_or_default();
    if (least..=most).contains(&number) {
        return Ok(number);
    }
    Err(bad(name, value, &format!("a number from {least} to {most}")))
}

/// Texts without empty ones and repetitions, joined by semicolons; an empty list is nothing.
fn list(name: &str, value: &RawValue<'_>) -> Result<Option<Cell>, Rejection> {
    let items: Vec<String> = match value {
        RawValue::Nested(Value::Array(items)) => {
            let text = |item: &Value| item.as_str().map(str::to_string);
            items
                .iter()
                .map(text)
                .collect::<Option<_>>()
                .ok_or_else(|| bad(name, value, "a list of texts"))?
        }
        RawValue::Text(text) if text.starts_with('[') => {
            serde_json::from_str(text).map_err(|_| bad(name, value, "a JSON array of texts"))?
        }
        RawValue::Text(text) => text.split(';').map(str::to_string).collect(),
        _ => return Err(bad(name, value, "a list of texts")),
    };
    let mut kept: Vec<&str> = Vec::new();
    for item in items.iter().map(|item| item.trim()).filter(|item| !item.is_empty()) {
        if item.contains(';') {
            return Err(bad(name, value, "a list of texts without semicolons"));
        }
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    Ok((!kept.is_empty()).then(|| Cell::Text(kept.join(";"))))
}

/// A JSON array whose entries can be read as what they are meant to be.
fn array_of<T: serde::de::DeserializeOwned>(name: &str, value: &RawValue<'_>) -> Result<String, Rejection> {
    let text = json_array(name, value)?;
    match serde_json::from_str::<Vec<T>>(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(Rejection::new(RejectionCode::BadValue, format!("{name}: {error}"))),
    }
}

/// The JSON that a value holds, nested or as text; null when it is none.
fn json_in(value: &RawValue<'_>) -> Value {
    match value {
        RawValue::Nested(nested) => (*nested).clone(),
        RawValue::Text(text) => serde_json::from_str(text).unwrap_or_default(),
        _ => Value::Null,
    }
}

fn json_array(name: &str, value: &RawValue<'_>) -> Result<String, Rejection> {
    let parsed = json_in(value);
    if parsed.is_array() { Ok(canonical_json(&parsed)) } else { Err(bad(name, value, "a JSON array")) }
}

fn frame_of(rows: &RowsByKey, columns: &[TableColumn]) -> PolarsResult<DataFrame> {
    let keys = StringChunked::from_iter_values(columns[0].field.name.into(), rows.keys().map(String::as_str));
    let mut frame = vec![keys.into_column()];
    for (index, column) in columns.iter().skip(1).enumerate() {
        let cells = || rows.values().map(|row| row[index].as_ref());
        let name: PlSmallStr = column.field.name.into();
        let whole =
            |cell: Option<&Cell>| if let Some(Cell::Whole(value)) = cell { Some(*value) } else { None };
        frame.push(match column.holds.stored() {
            Stored::Moments => Int64Chunked::from_iter_options(name, cells().map(whole))
                .into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC))
                .into_column(),
            Stored::Wholes => Int64Chunked::from_iter_options(name, cells().map(whole)).into_column(),
            Stored::Numbers => {
                let number = |cell: Option<&Cell>| {
                    if let Some(Cell::Number(value)) = cell { Some(*value) } else { None }
                };
                Float64Chunked::from_iter_options(name, cells().map(number)).into_column()
            }
            Stored::Texts => {
                let text = |cell: Option<&'_ Cell>| {
                    if let Some(Cell::Text(text)) = cell { Some(text.clone()) } else { None }
                };
                StringChunked::from_iter_options(name, cells().map(text)).into_column()
            }
        });
    }
    DataFrame::new(rows.len(), frame)
}

fn read_rows(path: &Path, columns: &[TableColumn]) -> Result<RowsByKey, TableError> {
    rows_of(&read_columns(path, columns)?, columns).map_err(TableError::parquet(path))
}

fn rows_of(frame: &DataFrame, columns: &[TableColumn]) -> PolarsResult<RowsByKey> {
    let keys = frame.column(columns[0].field.name)?.str()?;
    let mut rows: Vec<(String, Vec<Option<Cell>>)> =
        keys.iter().map(|key| (key.unwrap_or_default().to_string(), vec![None; columns.len() - 1])).collect();
    for (index, column) in columns.iter().skip(1).enumerate() {
        let stored = frame.column(column.field.name)?;
        let cells: Vec<Option<Cell>> = match column.holds.stored() {
            Stored::Wholes | Stored::Moments => {
                stored.i64()?.iter().map(|value| value.map(Cell::Whole)).collect()
            }
            Stored::Numbers => stored.f64()?.iter().map(|value| value.map(Cell::Number)).collect(),
            Stored::Texts => {
                stored.str()?.iter().map(|text| text.map(|text| Cell::Text(text.to_string()))).collect()
            }
        };
        for ((_, row), cell) in rows.iter_mut().zip(cells) {
            row[index] = cell;
        }
    }
    Ok(rows.into_iter().collect())
}
