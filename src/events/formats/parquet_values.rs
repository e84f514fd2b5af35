//! Columns of Parquet that a table of polars does not hold as they are: nested ones, bytes, times of day, INT96.
//!
//! They are read as Arrow arrays of the types that the file itself declares, and become text, numbers or JSON.

use std::borrow::Cow;
use std::fs::File;
use std::os::unix::fs::FileExt;

use polars::prelude::{ArrowDataType, Int64Chunked, NewChunkedArray, PolarsResult, StringChunked};
use polars_arrow::array::{
    Array, BinaryViewArray, BooleanArray, FixedSizeBinaryArray, ListArray, PrimitiveArray, StructArray,
    Utf8ViewArray,
};
use polars_arrow::datatypes::{Field, TimeUnit};
use polars_parquet::read::schema::{SchemaInferenceOptions, parquet_to_arrow_schema_with_options};
use polars_parquet::read::{
    BasicDecompressor, ColumnChunkMetadata, FileMetadata, Filter, PageReader, ParquetType, PhysicalType,
    RowGroupMetadata, column_iter_to_arrays, infer_schema,
};
use serde_json::{Map, Value};

use super::RawValue;
use super::parquet::Cells;
use domain::identity::hex;
use domain::time::{Day, Instant};

/// A column that is read without polars' tables.
#[derive(Debug)]
pub(super) struct OddColumn {
    /// Its position in the file.
    pub(super) index: usize,
    field: Field,
}

/// The names of all columns, and those columns that need this module.
pub(super) fn odd_columns(metadata: &FileMetadata) -> PolarsResult<(Vec<String>, Vec<OddColumn>)> {
    // INT96 in microseconds: in nanoseconds, the year 9999 would become 2262.
    let options = SchemaInferenceOptions { int96_coerce_to_timeunit: TimeUnit::Microsecond };
    let declared = metadata.schema().fields();
    let own = parquet_to_arrow_schema_with_options(declared, &Some(options));
    let inferred = infer_schema(metadata)?;
    let mut odd = Vec::new();
    for (index, (name, field)) in inferred.iter().enumerate() {
        let Some(own) = own.get(name) else { continue };
        let Some(column) = declared.iter().find(|column| column.name() == name.as_str()) else { continue };
        if is_int96(column) || !is_plain(&field.dtype) {
            let field = Field { dtype: with_maps(&own.dtype, column), ..own.clone() };
            odd.push(OddColumn { index, field });
        }
    }
    Ok((inferred.iter_names().map(ToString::to_string).collect(), odd))
}

fn is_int96(column: &ParquetType) -> bool {
    matches!(column, ParquetType::PrimitiveType(primitive) if primitive.physical_type == PhysicalType::Int96)
}

/// The type with the lists that are maps as maps: Arrow's reader makes lists of both.
fn with_maps(dtype: &ArrowDataType, column: &ParquetType) -> ArrowDataType {
    let ParquetType::GroupType { fields: parts, .. } = column else { return dtype.clone() };
    let inner =
        |field: &Field, part: &ParquetType| Field { dtype: with_maps(&field.dtype, part), ..field.clone() };
    match (dtype, &parts[..]) {
        (ArrowDataType::Struct(fields), _) => {
            let part = |field: &Field| parts.iter().find(|part| part.name() == field.name.as_str());
            let fields =
                fields.iter().map(|field| part(field).map_or(field.clone(), |part| inner(field, part)));
            ArrowDataType::Struct(fields.collect())
        }
        (ArrowDataType::LargeList(field), [entries]) if matches!(entries.name(), "key_value" | "map") => {
            ArrowDataType::Map(Box::new(inner(field, entries)), false)
        }
        (ArrowDataType::LargeList(field), [repeated]) => {
            let item = match repeated {
                ParquetType::GroupType { fields, .. } if fields.len() == 1 => &fields[0],
                other => other,
            };
            ArrowDataType::LargeList(Box::new(inner(field, item)))
        }
        _ => dtype.clone(),
    }
}

/// Types that polars' tables hold as the file means them.
fn is_plain(dtype: &ArrowDataType) -> bool {
    use ArrowDataType::*;
    match dtype {
        Null
        | Boolean
        | Int8
        | Int16
        | Int32
        | Int64
        | UInt8
        | UInt16
        | UInt32
        | UInt64
        | Float32
        | Float64
        | Utf8
        | LargeUtf8
        | Utf8View
        | Binary
        | LargeBinary
        | BinaryView
        | Date32
        | Date64
        | Timestamp(_, _)
        | Decimal(_, _) => true,
        Dictionary(_, values, _) => matches!(**values, Utf8 | LargeUtf8 | Utf8View),
        _ => false,
    }
}

impl OddColumn {
    /// The cells of a slice of rows (first, length), and how many there are.
    pub(super) fn decode(
        &self,
        file: &File,
        metadata: &FileMetadata,
        (first, length): (usize, usize),
    ) -> PolarsResult<(usize, Cells)> {
        let (mut values, mut before) = (Vec::with_capacity(length), 0);
        for group in &metadata.row_groups {
            let rows = group.num_rows();
            let (start, end) = (first.max(before), (first + length).min(before + rows));
            if start < end {
                let slice = Filter::new_ranged(start - before, end - before);
                for array in self.arrays(file, group, slice)? {
                    values
                        .extend((0..array.len()).map(|row| json_at(array.as_ref(), row, &self.field.dtype)));
                }
            }
            before += rows;
        }
        Ok((values.len(), self.cells(values)))
    }

    fn arrays(
        &self,
        file: &File,
        group: &RowGroupMetadata,
        slice: Filter,
    ) -> PolarsResult<Vec<Box<dyn Array>>> {
        let Some(parts) = group.columns_under_root_iter(&self.field.name) else { return Ok(Vec::new()) };
        let (mut pages, mut types) = (Vec::new(), Vec::new());
        for part in parts {
            pages.push(BasicDecompressor::new(
                PageReader::new(std::io::Cursor::new(bytes_of(file, part)?.into()), part, vec![], usize::MAX),
                vec![],
            ));
            types.push(&part.descriptor().descriptor.primitive_type);
        }
        let field = Field { dtype: readable(&self.field.dtype), ..self.field.clone() };
        Ok(column_iter_to_arrays(pages, types, field, Some(slice))?.0)
    }

    /// Stamps and texts keep their kinds; everything else is a value of JSON.
    fn cells(&self, values: Vec<Value>) -> Cells {
        match &self.field.dtype {
            ArrowDataType::Timestamp(_, zone) => {
                let micros = values.iter().map(Value::as_i64);
                let micros = Int64Chunked::from_iter_options("".into(), micros);
                if zone.is_some() { Cells::Instant(micros) } else { Cells::Naive(micros) }
            }
            ArrowDataType::FixedSizeBinary(_) => {
                Cells::Text(StringChunked::from_iter_options("".into(), values.iter().map(Value::as_str)))
            }
            _ => Cells::Nested(values),
        }
    }
}

/// The compressed bytes of one column in one group of rows.
fn bytes_of(file: &File, part: &ColumnChunkMetadata) -> PolarsResult<Vec<u8>> {
    let (range, whole) = (part.byte_range(), file.metadata()?.len());
    // A damaged file may claim more than there is.
    let length = range.end.min(whole).saturating_sub(range.start);
    let mut bytes = vec![0; length as usize];
    file.read_exact_at(&mut bytes, range.start)?;
    Ok(bytes)
}

/// The type by which a column is decoded: intervals as bytes, maps as lists of their entries.
fn readable(dtype: &ArrowDataType) -> ArrowDataType {
    let inner = |field: &Field| Box::new(Field { dtype: readable(&field.dtype), ..field.clone() });
    match dtype {
        ArrowDataType::Interval(_) => ArrowDataType::FixedSizeBinary(12),
        ArrowDataType::LargeList(field) | ArrowDataType::Map(field, _) => {
            ArrowDataType::LargeList(inner(field))
        }
        ArrowDataType::Struct(fields) => {
            ArrowDataType::Struct(fields.iter().map(|field| *inner(field)).collect())
        }
        other => other.clone(),
    }
}

/// A value of an array as JSON. Top-level stamps are microseconds; nested ones are RFC 3339.
fn json_at(array: &dyn Array, row: usize, dtype: &ArrowDataType) -> Value {
    match dtype {
        ArrowDataType::Timestamp(unit, _) => {
            let ticks = primitive::<i64>(array, row);
            ticks.map_or(Value::Null, |ticks| micros_of(ticks, *unit).into())
        }
        _ => nested_at(array, row, dtype).unwrap_or(Value::Null),
    }
}

fn nested_at(array: &dyn Array, row: usize, dtype: &ArrowDataType) -> Option<Value> {
    use ArrowDataType::*;
    if array.is_null(row) {
        return None;
    }
    Some(match dtype {
        Boolean => downcast::<BooleanArray>(array)?.value(row).into(),
        Int8 => primitive::<i8>(array, row)?.into(),
        Int16 => primitive::<i16>(array, row)?.into(),
        Int32 => primitive::<i32>(array, row)?.into(),
        Int64 => primitive::<i64>(array, row)?.into(),
        UInt8 => primitive::<u8>(array, row)?.into(),
        UInt16 => primitive::<u16>(array, row)?.into(),
        UInt32 => primitive::<u32>(array, row)?.into(),
        UInt64 => primitive::<u64>(array, row)?.into(),
        Float32 => RawValue::Single(primitive::<f32>(array, row)?).to_json(),
        Float64 => RawValue::Number(primitive::<f64>(array, row)?).to_json(),
        Utf8View => downcast::<Utf8ViewArray>(array)?.value(row).into(),
        BinaryView => binary_text(downcast::<BinaryViewArray>(array)?.value(row)).into(),
        FixedSizeBinary(_) => fixed_text(downcast::<FixedSizeBinaryArray>(array)?.value(row)).into(),
        Interval(_) => interval_text(downcast::<FixedSizeBinaryArray>(array)?.value(row))?.into(),
        Date32 => self::Day(primitive::<i32>(array, row)?).to_string().into(),
        Time32(_) => clock_text(i64::from(primitive::<i32>(array, row)?) * 1_000).into(),
        Time64(unit) => clock_text(micros_of(primitive::<i64>(array, row)?, *unit)).into(),
        Timestamp(unit, zone) => {
            let micros = micros_of(primitive::<i64>(array, row)?, *unit);
            let value = if zone.is_some() { RawValue::Instant(micros) } else { RawValue::Naive(micros) };
            value.to_json()
        }
        Decimal(_, scale) => decimal_value(&decimal_text(primitive::<i128>(array, row)?, *scale)).to_json(),
        LargeList(field) => {
            let items = downcast::<ListArray<i64>>(array)?.value(row);
            Value::Array((0..items.len()).map(|item| item_at(items.as_ref(), item, field)).collect())
        }
        Map(field, _) => map_of(downcast::<ListArray<i64>>(array)?.value(row).as_ref(), field)?,
        Struct(fields) => {
            let columns = downcast::<StructArray>(array)?.values();
            let entries = fields.iter().zip(columns);
            let entries =
                entries.map(|(field, column)| (field.name.to_string(), item_at(column.as_ref(), row, field)));
            Value::Object(entries.filter(|(_, value)| !value.is_null()).collect())
        }
        _ => return None,
    })
}

fn item_at(array: &dyn Array, row: usize, field: &Field) -> Value {
    nested_at(array, row, &field.dtype).unwrap_or(Value::Null)
}

/// A map as an object, its keys as text.
fn map_of(entries: &dyn Array, field: &Field) -> Option<Value> {
    let ArrowDataType::Struct(fields) = &field.dtype else { return None };
    let ([key, value], [keys, values]) = (&fields[..], downcast::<StructArray>(entries)?.values()) else {
        return None;
    };
    let mut object = Map::new();
    for row in 0..entries.len() {
        let name = match item_at(keys.as_ref(), row, key) {
            Value::String(text) => text,
            other => other.to_string(),
        };
        object.insert(name, item_at(values.as_ref(), row, value));
    }
    Some(Value::Object(object))
}

fn downcast<T: 'static>(array: &dyn Array) -> Option<&T> {
    array.as_any().downcast_ref()
}

fn primitive<T: polars_arrow::types::NativeType>(array: &dyn Array, row: usize) -> Option<T> {
    let values = downcast::<PrimitiveArray<T>>(array)?;
    (!values.is_null(row)).then(|| values.value(row))
}

fn micros_of(ticks: i64, unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => ticks.saturating_mul(1_000_000),
        TimeUnit::Millisecond => ticks.saturating_mul(1_000),
        TimeUnit::Microsecond => ticks,
        TimeUnit::Nanosecond => ticks.div_euclid(1_000),
    }
}

/// `HH:MM:SS`, with a fraction where there is one.
fn clock_text(micros: i64) -> String {
    let stamp = Instant::from_micros(micros).to_string();
    stamp.split_once('T').map_or("", |(_, time)| time.trim_end_matches('Z')).to_string()
}

/// Text as it is, other bytes in hexadecimal.
pub(super) fn binary_text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Cow::Borrowed(text),
        _ => Cow::Owned(hex(bytes)),
    }
}

/// Sixteen bytes that are no text are a UUID.
fn fixed_text(bytes: &[u8]) -> String {
    let digits = binary_text(bytes);
    if bytes.len() != 16 || matches!(digits, Cow::Borrowed(_)) {
        return digits.into_owned();
    }
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    parts.join("-")
}

/// Months, days and milliseconds.
fn interval_text(bytes: &[u8]) -> Option<String> {
    let number = |index: usize| Some(u32::from_le_bytes(bytes.get(index..index + 4)?.try_into().ok()?));
    Some(format!("{} months {} days {} ms", number(0)?, number(4)?, number(8)?))
}

fn decimal_text(number: i128, scale: usize) -> String {
    let sign = if number < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", number.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// A decimal number: whole ones keep every digit.
pub(super) fn decimal_value(text: &str) -> RawValue<'_> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.bytes().any(|byte| byte != b'0') {
        return text.parse().map_or(RawValue::Missing, RawValue::Number);
    }
    whole.parse().map_or_else(|_| RawValue::Text(Cow::Borrowed(whole)), RawValue::Integer)
}

/// About as many bytes as the value has as JSON.
pub(super) fn size_of(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(|item| size_of(item) + 1).sum(),
        Value::Object(entries) => entries.iter().map(|(name, value)| name.len() + 4 + size_of(value)).sum(),
        _ => 8,
    }
}
