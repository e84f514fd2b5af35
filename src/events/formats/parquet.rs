//! Parquet from anywhere: pandas, Spark, DuckDB; decoded a slice of rows at a time.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::path::Path;
use std::thread::JoinHandle;

use polars::prelude::*;

use super::guard::guarded;
use super::gzip::Plain;
use super::{InputError, InputRecord, InputRow, Limits, RawValue, excerpt, reopen};
use domain::rejection::{Rejection, RejectionCode};

/// Reads rows one by one out of decoded slices.
pub(super) struct ParquetRows {
    path: std::path::PathBuf,
    file: File,
    header: Vec<String>,
    chunk_rows: usize,
    rows: usize,
    /// Rows decoded before and up to the current chunk.
    decoded: usize,
    chunk: Vec<Cells>,
    chunk_length: usize,
    next: usize,
    /// The chunk after this one, being decoded while this one is read.
    ahead: Option<JoinHandle<Decoded>>,
    /// Largest record in bytes of text, and whether this chunk may hold a larger one.
    limit: usize,
    may_exceed: bool,
}

/// Rows of a chunk and its columns, or what went wrong.
type Decoded = Result<(usize, Vec<Cells>), String>;

/// One decoded column, its type narrowed to what a raw value can be.
#[derive(Clone, Debug)]
pub(super) enum Cells {
    /// Text, dictionary columns among it.
    Text(StringChunked),
    /// Whole numbers.
    Integer(Int64Chunked),
    /// Other numbers.
    Number(Float64Chunked),
    /// True or false.
    Boolean(BooleanChunked),
    /// Microseconds since the epoch.
    Instant(Int64Chunked),
    /// Microseconds on an unnamed clock.
    Naive(Int64Chunked),
    /// Days since 1970-01-01.
    Date(Int32Chunked),
    /// A column of nulls.
    Empty,
}

/// A row of a chunk.
#[derive(Clone, Copy, Debug)]
pub struct ParquetRow<'a> {
    chunk: &'a [Cells],
    row: usize,
}

impl<'a> ParquetRow<'a> {
    pub(super) fn get(&self, index: usize) -> RawValue<'a> {
        let row = self.row;
        let value = match &self.chunk[index] {
            Cells::Text(cells) => {
                cells.get(row).filter(|text| !text.is_empty()).map(|text| RawValue::Text(Cow::Borrowed(text)))
            }
            Cells::Integer(cells) => cells.get(row).map(RawValue::Integer),
            Cells::Number(cells) => cells.get(row).map(RawValue::Number),
            Cells::Boolean(cells) => cells.get(row).map(RawValue::Boolean),
            Cells::Instant(cells) => cells.get(row).map(RawValue::Instant),
            Cells::Naive(cells) => cells.get(row).map(RawValue::Naive),
            Cells::Date(cells) => cells.get(row).map(RawValue::Date),
            Cells::Empty => None,
        };
        value.unwrap_or(RawValue::Missing)
    }
}

impl ParquetRows {
    pub(super) fn new(
        bytes: Plain,
        path: &Path,
        limits: Limits,
        scratch: &Path,
    ) -> Result<ParquetRows, InputError> {
        let file = if bytes.compressed { unpacked(bytes, path, scratch)? } else { reopen(path)? };
        let mut reader = ParquetReader::new(clone_of(&file, path)?);
        let described = guarded(|| Ok((reader.schema()?, reader.num_rows()?)));
        let (schema, rows) = described.map_err(|detail| bad_parquet(path, &detail))?;
        for field in schema.iter_values() {
            if !is_supported(&field.dtype) {
                let detail =
                    format!("column {:?} is {:?}; flatten it or leave it out", field.name, field.dtype);
                return Err(InputError::new("unsupported_column_type", path, detail));
            }
        }
        Ok(ParquetRows {
            path: path.to_path_buf(),
            file,
            header: schema.iter_names().map(|name| name.to_string()).collect(),
            chunk_rows: limits.chunk_rows,
            rows,
            decoded: 0,
            chunk: Vec::new(),
            chunk_length: 0,
            next: 0,
            ahead: None,
            limit: limits.record_bytes,
            may_exceed: false,
        })
    }

    pub(super) fn header(&self) -> &[String] {
        &self.header
    }

    pub(super) fn next_record(&mut self) -> Result<Option<InputRecord<'_>>, InputError> {
        if self.next == self.chunk_length {
            if self.decoded >= self.rows {
                return Ok(None);
            }
            self.decode_chunk()?;
        }
        let row = self.next;
        self.next += 1;
        let line = (self.decoded - self.chunk_length + row + 1) as u64;
        if self.may_exceed && self.text_of(row).map(str::len).sum::<usize>() > self.limit {
            let detail = format!("a record over {} bytes", self.limit);
            let rejection = Rejection::new(RejectionCode::RecordTooLarge, detail);
            let text: Vec<&str> = self.text_of(row).collect();
            return Ok(Some(InputRecord::Unreadable(line, rejection, excerpt(text.join(" ").as_bytes()))));
        }
        Ok(Some(InputRecord::Row(line, InputRow::Parquet(ParquetRow { chunk: &self.chunk, row }))))
    }

    /// The texts of a row of the chunk.
    fn text_of(&self, row: usize) -> impl Iterator<Item = &str> {
        self.chunk.iter().filter_map(move |cells| match cells {
            Cells::Text(cells) => cells.get(row),
            _ => None,
        })
    }

    fn decode_chunk(&mut self) -> Result<(), InputError> {
        let wanted = self.chunk_rows.min(self.rows - self.decoded);
        let decoded = match self.ahead.take() {
            Some(ahead) => ahead.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            None => self.decoding(self.decoded)?(),
        };
        let (height, chunk) = decoded.map_err(|detail| bad_parquet(&self.path, &detail))?;
        if height != wanted || chunk.len() != self.header.len() {
            let (first, last) = (self.decoded + 1, self.decoded + wanted);
            let detail = format!("rows {first} to {last}: only {height} could be read");
            return Err(InputError::new("truncated_file", &self.path, detail));
        }
        self.chunk = chunk;
        self.may_exceed = self.chunk.iter().map(longest_text).sum::<usize>() > self.limit;
        self.decoded += wanted;
        self.chunk_length = wanted;
        self.next = 0;
        if self.decoded < self.rows {
            self.ahead = Some(std::thread::spawn(self.decoding(self.decoded)?));
        }
        Ok(())
    }

    /// The work of decoding the chunk that starts at a row.
    fn decoding(&self, first: usize) -> Result<impl FnOnce() -> Decoded + Send + 'static, InputError> {
        let file = clone_of(&self.file, &self.path)?;
        let slice = (first, self.chunk_rows.min(self.rows - first));
        Ok(move || guarded(|| decode(file, slice)))
    }
}

/// Column types that a raw value can carry. Others would be lost silently, so the file is refused.
fn is_supported(dtype: &ArrowDataType) -> bool {
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
        | Date32
        | Date64
        | Timestamp(_, _)
        | Decimal(_, _) => true,
        Dictionary(_, values, _) => matches!(**values, Utf8 | LargeUtf8 | Utf8View),
        _ => false,
    }
}

fn longest_text(cells: &Cells) -> usize {
    match cells {
        Cells::Text(cells) => cells.iter().flatten().map(str::len).max().unwrap_or_default(),
        _ => 0,
    }
}

fn narrow(series: &Series) -> PolarsResult<Cells> {
    Ok(match series.dtype() {
        DataType::Null => Cells::Empty,
        DataType::Boolean => Cells::Boolean(series.bool()?.clone()),
        DataType::String => Cells::Text(series.str()?.clone()),
        DataType::Date => Cells::Date(series.to_physical_repr().i32()?.clone()),
        DataType::Datetime(_, zone) => {
            let zoned = zone.is_some();
            let micros = series.cast(&DataType::Datetime(TimeUnit::Microseconds, None))?;
            let micros = micros.to_physical_repr().i64()?.clone();
            if zoned { Cells::Instant(micros) } else { Cells::Naive(micros) }
        }
        // Identifiers may use all 64 bits.
        DataType::UInt64 => Cells::Text(series.cast(&DataType::String)?.str()?.clone()),
        dtype if dtype.is_integer() => Cells::Integer(series.cast(&DataType::Int64)?.i64()?.clone()),
        dtype if dtype.is_float() || dtype.is_decimal() => {
            Cells::Number(series.cast(&DataType::Float64)?.f64()?.clone())
        }
        _ => Cells::Text(series.cast(&DataType::String)?.str()?.clone()),
    })
}

/// Rows of a file as cells, and how many there are.
fn decode(file: File, slice: (usize, usize)) -> PolarsResult<(usize, Vec<Cells>)> {
    let frame = ParquetReader::new(file).with_slice(Some(slice)).set_rechunk(true).finish()?;
    // A damaged file may bring columns of different lengths; the shortest says how far they can be read.
    let height = frame.columns().iter().map(Column::len).min().unwrap_or_default();
    let narrowed = frame.columns().iter().map(|column| narrow(column.as_materialized_series()));
    Ok((height, narrowed.collect::<PolarsResult<_>>()?))
}

fn bad_parquet(path: &Path, detail: &str) -> InputError {
    InputError::new("damaged_file", path, format!("not readable as Parquet: {detail}"))
}

fn clone_of(file: &File, path: &Path) -> Result<File, InputError> {
    file.try_clone().map_err(|error| InputError::from_io(path, &error))
}

/// Parquet is read from its end, so a compressed file is unpacked beside the staging area first.
fn unpacked(bytes: Plain, path: &Path, scratch: &Path) -> Result<File, InputError> {
    let unpacked = scratch.join("unpacked.parquet");
    let copy = || -> io::Result<File> {
        let mut file = File::create(&unpacked)?;
        io::copy(&mut bytes.into_text(), &mut file)?;
        File::open(&unpacked)
    };
    copy().map_err(|error| InputError::from_io(path, &error))
}
