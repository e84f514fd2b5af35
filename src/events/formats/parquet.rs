//! Parquet from anywhere: pandas, Spark, DuckDB; decoded a slice of rows at a time.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use polars::prelude::*;
use polars_parquet::read::{FileMetadata, read_metadata};
use serde_json::Value;

use super::guard::guarded;
use super::gzip::Plain;
use super::parquet_values::{OddColumn, binary_text, decimal_value, odd_columns, size_of};
use super::{InputError, InputRecord, InputRow, Limits, RawValue, excerpt, jsonl, reopen};
use domain::rejection::{Rejection, RejectionCode};

/// Reads rows one by one out of decoded slices.
pub(super) struct ParquetRows {
    path: std::path::PathBuf,
    file: File,
    metadata: Arc<FileMetadata>,
    header: Vec<String>,
    /// Columns that polars reads, and those that are read without it.
    plain: Vec<usize>,
    odd: Arc<Vec<OddColumn>>,
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
    /// Numbers of 24 binary digits.
    Single(Float32Chunked),
    /// Decimal numbers as text.
    Decimal(StringChunked),
    /// True or false.
    Boolean(BooleanChunked),
    /// Microseconds since the epoch.
    Instant(Int64Chunked),
    /// Microseconds on an unnamed clock.
    Naive(Int64Chunked),
    /// Days since 1970-01-01.
    Date(Int32Chunked),
    /// Nested values.
    Nested(Vec<Value>),
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
            Cells::Single(cells) => cells.get(row).map(RawValue::Single),
            Cells::Decimal(cells) => cells.get(row).map(decimal_value),
            Cells::Nested(cells) => Some(jsonl::raw_value(&cells[row])),
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
        let mut source = clone_of(&file, path)?;
        let described = guarded(|| {
            let metadata = read_metadata(&mut source)?;
            let columns = odd_columns(&metadata)?;
            Ok((metadata, columns))
        });
        let (metadata, (header, odd)) = described.map_err(|detail| bad_parquet(path, &detail))?;
        let is_plain = |index: &usize| !odd.iter().any(|column| column.index == *index);
        Ok(ParquetRows {
            path: path.to_path_buf(),
            file,
            plain: (0..header.len()).filter(is_plain).collect(),
            header,
            rows: metadata.num_rows,
            metadata: Arc::new(metadata),
            odd: Arc::new(odd),
            chunk_rows: limits.chunk_rows,
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
        if self.may_exceed && self.length_of(row) > self.limit {
            let detail = format!("a record over {} bytes", self.limit);
            let rejection = Rejection::new(RejectionCode::RecordTooLarge, detail);
            let text: Vec<&str> = self.text_of(row).collect();
            return Ok(Some(InputRecord::Unreadable(line, rejection, excerpt(text.join(" ").as_bytes()))));
        }
        Ok(Some(InputRecord::Row(line, InputRow::Parquet(ParquetRow { chunk: &self.chunk, row }))))
    }

    /// Bytes of the texts and nested values of a row of the chunk.
    fn length_of(&self, row: usize) -> usize {
        let nested = self.chunk.iter().map(|cells| match cells {
            Cells::Nested(cells) => size_of(&cells[row]),
            _ => 0,
        });
        nested.sum::<usize>() + self.text_of(row).map(str::len).sum::<usize>()
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
        let (metadata, plain, odd) = (self.metadata.clone(), self.plain.clone(), self.odd.clone());
        Ok(move || guarded(|| decode(file, &metadata, plain, &odd, slice)))
    }
}

fn longest_text(cells: &Cells) -> usize {
    match cells {
        Cells::Text(cells) => cells.iter().flatten().map(str::len).max().unwrap_or_default(),
        Cells::Nested(cells) => cells.iter().map(size_of).max().unwrap_or_default(),
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
        DataType::Float32 => Cells::Single(series.f32()?.clone()),
        DataType::Binary => {
            let texts = series.binary()?.iter().map(|bytes| bytes.map(binary_text));
            Cells::Text(StringChunked::from_iter_options("".into(), texts))
        }
        dtype if dtype.is_decimal() => Cells::Decimal(series.cast(&DataType::String)?.str()?.clone()),
        dtype if dtype.is_float() => Cells::Number(series.cast(&DataType::Float64)?.f64()?.clone()),
        _ => Cells::Text(series.cast(&DataType::String)?.str()?.clone()),
    })
}

/// Rows of a file as cells, and how many there are.
fn decode(
    file: File,
    metadata: &Arc<FileMetadata>,
    plain: Vec<usize>,
    odd: &[OddColumn],
    slice: (usize, usize),
) -> PolarsResult<(usize, Vec<Cells>)> {
    let mut cells: BTreeMap<usize, Cells> = BTreeMap::new();
    // A damaged file may bring columns of different lengths; the shortest says how far they can be read.
    let mut height = usize::MAX;
    for column in odd {
        let (length, values) = column.decode(&file, metadata, slice)?;
        height = height.min(length);
        cells.insert(column.index, values);
    }
    if !plain.is_empty() {
        let mut reader = ParquetReader::new(file).with_slice(Some(slice)).set_rechunk(true);
        reader.set_metadata(metadata.clone());
        let frame = reader.with_projection(Some(plain.clone())).finish()?;
        height = frame.columns().iter().map(Column::len).min().unwrap_or_default().min(height);
        for (index, column) in plain.into_iter().zip(frame.columns()) {
            cells.insert(index, narrow(column.as_materialized_series())?);
        }
    }
    Ok((if cells.is_empty() { 0 } else { height }, cells.into_values().collect()))
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
