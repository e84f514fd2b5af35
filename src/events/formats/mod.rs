//! Raw records out of foreign files: one file for each format, gzip or not, bounded memory.
//!
//! To add a format: one file here, one variant in [`Format`] and one in `Decoder`.

mod cells;
mod csv;
mod encoding;
mod foreign_bytes;
mod guard;
mod gzip;
mod header;
mod jsonl;
mod jsonl_errors;
mod parquet;
mod parquet_values;
mod repeats;
mod torn;

pub(crate) use cells::tidied_json;
pub use jsonl_errors::UnreadLine;

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};

use serde_json::Value;

pub use header::Headers;
pub(crate) use header::{advice, is_value, looks_like_data};
pub(crate) use jsonl::{JsonRow, raw_value, spelled_value, with_spelled_exponents};
pub(crate) use torn::{TornRecord, ends_with_name, last_key, values_of};

use domain::error::{Coded, ErrorKind};
use domain::identity::{whole_number, whole_single};
use domain::rejection::Rejection;

/// The input formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A header line, then records; the separator (`,` `;` tab `|`) is read off the header.
    Csv,
    /// One JSON object a line.
    Jsonl,
    /// Apache Parquet.
    Parquet,
}

/// A whole file that cannot be taken; nothing of it is kept. The text begins with the stable code.
#[derive(Debug, thiserror::Error)]
#[error("{code}: {}: {detail}", .path.display())]
pub struct InputError {
    /// Stable snake_case code.
    pub code: &'static str,
    /// The file.
    pub path: PathBuf,
    /// What is wrong, with line or column where there is one.
    pub detail: String,
}

impl Coded for InputError {
    fn code(&self) -> &'static str {
        self.code
    }

    fn kind(&self) -> ErrorKind {
        ErrorKind::Caller
    }
}

impl InputError {
    /// An error about a file.
    pub fn new(code: &'static str, path: &Path, detail: impl Into<String>) -> Self {
        InputError { code, path: path.to_path_buf(), detail: detail.into() }
    }

    /// Names an I/O error: a truncated stream and damaged compression have codes of their own.
    pub fn from_io(path: &Path, error: &io::Error) -> Self {
        let code = match error.kind() {
            io::ErrorKind::NotFound => "no_such_file",
            io::ErrorKind::UnexpectedEof => "truncated_file",
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => "damaged_file",
            io::ErrorKind::IsADirectory => "not_a_file",
            _ => "unreadable_file",
        };
        InputError::new(code, path, error.to_string())
    }
}

/// Limits that keep memory bounded whatever the file holds.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Rows of Parquet decoded at a time.
    pub chunk_rows: usize,
    /// Largest record of a text format in bytes.
    pub record_bytes: usize,
}

/// One value as the format knows it, before any field gives it a meaning.
#[derive(Clone, Debug, PartialEq)]
pub enum RawValue<'a> {
    /// Null, absent, or empty text.
    Missing,
    /// Text.
    Text(Cow<'a, str>),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Number(f64),
    /// A number that is written with an exponent, and how: as an identifier, a program has rounded it.
    Scientific(f64, Cow<'a, str>),
    /// A number that the file holds with 24 binary digits.
    Single(f32),
    /// True or false.
    Boolean(bool),
    /// A stamp with a zone: microseconds since the epoch.
    Instant(i64),
    /// A stamp without a zone: microseconds since 1970-01-01 00:00 on an unnamed clock.
    Naive(i64),
    /// A date: days since 1970-01-01.
    Date(i32),
    /// A nested JSON value.
    Nested(&'a Value),
}

/// A column by which a row is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputColumn {
    /// Its name in the file.
    pub name: String,
    /// Its position; JSON objects have none.
    pub index: usize,
}

/// One record, borrowed from its reader.
#[derive(Clone, Debug)]
pub enum InputRow<'a> {
    /// A CSV record.
    Csv(csv::CsvRow<'a>),
    /// A JSON object.
    Json(JsonRow<'a>),
    /// A row of a decoded Parquet chunk.
    Parquet(parquet::ParquetRow<'a>),
}

/// What reading one more record came to.
#[derive(Debug)]
pub enum InputRecord<'a> {
    /// A record that the format could read, with its line (Parquet: row) from 1.
    Row(u64, InputRow<'a>),
    /// One that it could not, as text for the dead letter.
    Unreadable(u64, Rejection, String),
}

impl<'a> InputRow<'a> {
    /// The value in a column, without blanks around it; words that stand for nothing are missing.
    pub fn get(&self, column: &InputColumn) -> RawValue<'a> {
        self.written(column).tidied()
    }

    /// The value in a column as the file has it.
    pub fn written(&self, column: &InputColumn) -> RawValue<'a> {
        match self {
            InputRow::Csv(row) => row.get(column.index),
            InputRow::Json(row) => row.get(&column.name),
            InputRow::Parquet(row) => row.get(column.index),
        }
    }

    /// Does this record have the column at all? (Fixed columns are always there.)
    pub fn has(&self, column: &InputColumn) -> bool {
        match self {
            InputRow::Csv(_) | InputRow::Parquet(_) => true,
            InputRow::Json(row) => row.object.contains_key(&column.name),
        }
    }

    /// The record as a JSON object, for dead letters.
    pub fn to_json(&self, header: &[String]) -> Value {
        match self {
            InputRow::Json(row) => Value::Object(row.object.clone()),
            _ => {
                let column = |(index, name): (usize, &String)| InputColumn { name: name.clone(), index };
                let cells = header.iter().enumerate().map(column);
                Value::Object(
                    cells.map(|column| (column.name.clone(), self.written(&column).to_json())).collect(),
                )
            }
        }
    }
}

impl RawValue<'_> {
    /// The value as a whole number, if it is exactly one; text is not read.
    pub fn whole_number(&self) -> Option<i64> {
        match self {
            RawValue::Integer(value) => Some(*value),
            RawValue::Number(value) => whole_number(*value),
            RawValue::Single(value) => whole_single(*value),
            _ => None,
        }
    }

    /// The value as JSON, losslessly but for non-finite numbers, which become text.
    pub fn to_json(&self) -> Value {
        match self {
            RawValue::Missing => Value::Null,
            RawValue::Text(text) => Value::String(text.to_string()),
            RawValue::Integer(value) => (*value).into(),
            RawValue::Number(value) | RawValue::Scientific(value, _) if value.is_finite() => (*value).into(),
            RawValue::Number(value) | RawValue::Scientific(value, _) => Value::String(value.to_string()),
            // By way of its shortest text: 0.1 in 24 binary digits is 0.1 and not 0.10000000149.
            RawValue::Single(value) => {
                RawValue::Number(value.to_string().parse().unwrap_or(f64::NAN)).to_json()
            }
            RawValue::Boolean(value) => (*value).into(),
            RawValue::Instant(micros) => {
                Value::String(domain::time::Instant::from_micros(*micros).to_string())
            }
            RawValue::Naive(micros) => {
                let text = domain::time::Instant::from_micros(*micros).to_string();
                Value::String(text.trim_end_matches('Z').to_string())
            }
            RawValue::Date(days) => Value::String(domain::time::Day(*days).to_string()),
            RawValue::Nested(value) => (*value).clone(),
        }
    }
}

/// A foreign file, read record by record.
pub struct Reader {
    path: PathBuf,
    decoder: Decoder,
}

enum Decoder {
    Csv(Box<csv::CsvReader>),
    Jsonl(jsonl::JsonlReader),
    Parquet(parquet::ParquetRows),
}

/// How far a reader has come, for the progress bar.
#[derive(Clone, Debug, Default)]
pub struct Progress(std::sync::Arc<std::sync::atomic::AtomicU64>);

impl Progress {
    /// Bytes of the file consumed so far.
    pub fn bytes(&self) -> u64 {
        self.0.load(std::sync::atomic::Ordering::Relaxed)
    }

    fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes as u64, std::sync::atomic::Ordering::Relaxed);
    }
}

/// Counts the bytes that pass through.
struct Counted<R> {
    inner: R,
    progress: Progress,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.progress.add(count);
        Ok(count)
    }
}

impl Reader {
    /// Opens a file; without a format, its name and then its first bytes tell.
    ///
    /// # Errors
    /// When there is no such file, it is empty, or its header cannot be read.
    pub fn open(
        path: &Path,
        format: Option<Format>,
        limits: Limits,
        progress: &Progress,
        scratch: &Path,
    ) -> Result<Reader, InputError> {
        Reader::open_with(path, format, limits, progress, scratch, &Headers::default())
    }

    /// Opens a file whose columns may have to be named.
    ///
    /// # Errors
    /// As [`Reader::open`]; and when names were asked for that do not fit the file.
    pub fn open_with(
        path: &Path,
        format: Option<Format>,
        limits: Limits,
        progress: &Progress,
        scratch: &Path,
        headers: &Headers,
    ) -> Result<Reader, InputError> {
        let bytes =
            gzip::Plain::open(path, progress.clone()).map_err(|error| InputError::from_io(path, &error))?;
        Reader::decode(bytes, path, format, limits, scratch, headers)
    }

    fn decode(
        mut bytes: gzip::Plain,
        path: &Path,
        format: Option<Format>,
        limits: Limits,
        scratch: &Path,
        headers: &Headers,
    ) -> Result<Reader, InputError> {
        let io = |error: io::Error| InputError::from_io(path, &error);
        if bytes.text().fill_buf().map_err(io)?.is_empty() {
            return Err(InputError::new("empty_file", path, "the file holds no bytes"));
        }
        bytes.decode_text().map_err(io)?;
        let start = bytes.text().fill_buf().map_err(io)?;
        let format = format
            .or_else(|| Format::by_mark(start))
            .or_else(|| Format::by_name(path))
            .unwrap_or_else(|| Format::by_content(start));
        foreign_bytes::check(start, format, path)?;
        if headers.given.is_some() && format != Format::Csv {
            let detail = "--header names the columns of CSV; this file names its own";
            return Err(InputError::new("bad_header", path, detail));
        }
        let decoder = match format {
            Format::Csv => {
                Decoder::Csv(Box::new(csv::CsvReader::new(bytes.into_text(), path, limits, headers)?))
            }
            Format::Jsonl => Decoder::Jsonl(jsonl::JsonlReader::new(bytes.into_text(), path, limits)?),
            Format::Parquet => Decoder::Parquet(parquet::ParquetRows::new(bytes, path, limits, scratch)?),
        };
        Ok(Reader { path: path.to_path_buf(), decoder })
    }

    /// The columns, when the file declares them up front.
    pub fn header(&self) -> Option<&[String]> {
        match &self.decoder {
            Decoder::Csv(reader) => Some(reader.header()),
            Decoder::Jsonl(_) => None,
            Decoder::Parquet(reader) => Some(reader.header()),
        }
    }

    /// What there is of the last record, where it is one that the format could not read or that names a column twice.
    pub(crate) fn torn(&self) -> Option<TornRecord<'_>> {
        match &self.decoder {
            Decoder::Jsonl(reader) => Some(TornRecord::Line(reader.text_of_line())),
            Decoder::Csv(reader) => Some(TornRecord::Cells(reader.torn_cells())),
            Decoder::Parquet(_) => None,
        }
    }

    /// Why no record of the file could be read, where its format can tell.
    pub fn explain(&self, first: &UnreadLine, records: u64) -> Option<InputError> {
        match &self.decoder {
            Decoder::Jsonl(_) => Some(jsonl_errors::not_json_lines(&self.path, first, records)),
            Decoder::Csv(_) | Decoder::Parquet(_) => None,
        }
    }

    /// The next record; `None` at the end.
    ///
    /// # Errors
    /// When the stream breaks off or its compression is damaged.
    pub fn next_record(&mut self) -> Result<Option<InputRecord<'_>>, InputError> {
        let path = &self.path;
        match &mut self.decoder {
            Decoder::Csv(reader) => reader.next_record(),
            Decoder::Jsonl(reader) => reader.next_record().map_err(|error| InputError::from_io(path, &error)),
            Decoder::Parquet(reader) => reader.next_record(),
        }
    }
}

impl Format {
    /// By extension, `.gz` set aside.
    fn by_name(path: &Path) -> Option<Format> {
        let name = path.file_name()?.to_str()?.to_lowercase();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        match name.rsplit_once('.')?.1 {
            "csv" | "tsv" => Some(Format::Csv),
            "jsonl" | "ndjson" => Some(Format::Jsonl),
            "parquet" => Some(Format::Parquet),
            _ => None,
        }
    }

    /// By the first bytes alone, whatever the name.
    fn by_mark(start: &[u8]) -> Option<Format> {
        start.starts_with(b"PAR1").then_some(Format::Parquet)
    }

    /// By the first character.
    fn by_content(start: &[u8]) -> Format {
        let start = start.strip_prefix(BYTE_ORDER_MARK).unwrap_or(start);
        let mut lines = start.split(|byte| *byte == b'\n').skip_while(|line| line.starts_with(COMMENT));
        match lines.find_map(|line| line.iter().find(|byte| !byte.is_ascii_whitespace())) {
            Some(b'{' | b'[' | &jsonl::RECORD_SEPARATOR) => Format::Jsonl,
            _ => Format::Csv,
        }
    }
}

/// A text stream: decompressed bytes behind a buffer.
type Text = Box<dyn BufRead + Send>;

/// The byte order mark in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Drops a UTF-8 byte order mark at the start of a stream.
fn skip_byte_order_mark(text: &mut Text) -> io::Result<()> {
    if text.fill_buf()?.starts_with(BYTE_ORDER_MARK) {
        text.consume(BYTE_ORDER_MARK.len());
    }
    Ok(())
}

/// What a comment line begins with. Without the blank it may be a column's name.
const COMMENT: &[u8] = b"# ";

/// Skips comment lines at the start of a stream, as example files have them; how many there were.
fn skip_comments(text: &mut Text) -> io::Result<u64> {
    let mut lines = 0;
    while text.fill_buf()?.starts_with(COMMENT) {
        loop {
            let input = text.fill_buf()?;
            let end = input.iter().position(|byte| *byte == b'\n');
            let (length, is_over) =
                (end.map_or(input.len(), |end| end + 1), end.is_some() || input.is_empty());
            text.consume(length);
            if is_over {
                break;
            }
        }
        lines += 1;
    }
    Ok(lines)
}

/// The first bytes of an unreadable record, for the dead letter.
fn excerpt(bytes: &[u8]) -> String {
    const LONGEST: usize = 4_096;
    let cut = &bytes[..bytes.len().min(LONGEST)];
    let text = String::from_utf8_lossy(cut).into_owned();
    if cut.len() < bytes.len() { text + "…" } else { text }
}

/// What is wrong with a record that is not UTF-8.
fn not_utf8(bytes: &[u8]) -> String {
    match encoding::guessed(bytes) {
        Some(encoding) => {
            format!("not UTF-8, it looks like {encoding}; `iconv -f {encoding} -t UTF-8` converts a file")
        }
        None => "not UTF-8".to_string(),
    }
}

/// A file that can be read from the start again, for formats that seek.
fn reopen(path: &Path) -> Result<File, InputError> {
    File::open(path).map_err(|error| InputError::from_io(path, &error))
}
