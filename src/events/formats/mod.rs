//! Raw records out of foreign files: one file for each format, gzip or not, bounded memory.
//!
//! To add a format: one file here, one variant in [`Format`] and one in `Decoder`.

mod csv;
mod guard;
mod gzip;
mod jsonl;
mod parquet;

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use domain::error::{Coded, ErrorKind};
use domain::identity::whole_number;
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
#[derive(Clone, Copy, Debug)]
pub enum InputRow<'a> {
    /// A CSV record.
    Csv(csv::CsvRow<'a>),
    /// A JSON object.
    Json(&'a Map<String, Value>),
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
    /// The value in a column.
    pub fn get(&self, column: &InputColumn) -> RawValue<'a> {
        match self {
            InputRow::Csv(row) => row.get(column.index),
            InputRow::Json(object) => object.get(&column.name).map_or(RawValue::Missing, jsonl::raw_value),
            InputRow::Parquet(row) => row.get(column.index),
        }
    }

    /// Does this record have the column at all? (Fixed columns are always there.)
    pub fn has(&self, column: &InputColumn) -> bool {
        match self {
            InputRow::Csv(_) | InputRow::Parquet(_) => true,
            InputRow::Json(object) => object.contains_key(&column.name),
        }
    }

    /// The record as a JSON object, for dead letters.
    pub fn to_json(&self, header: &[String]) -> Value {
        match self {
            InputRow::Json(object) => Value::Object((*object).clone()),
            _ => {
                let column = |(index, name): (usize, &String)| InputColumn { name: name.clone(), index };
                let cells = header.iter().enumerate().map(column);
                Value::Object(
                    cells.map(|column| (column.name.clone(), self.get(&column).to_json())).collect(),
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
            _ => None,
        }
    }

    /// The value as JSON, losslessly but for non-finite numbers, which become text.
    pub fn to_json(&self) -> Value {
        match self {
            RawValue::Missing => Value::Null,
            RawValue::Text(text) => Value::String(text.to_string()),
            RawValue::Integer(value) => (*value).into(),
            RawValue::Number(value) if value.is_finite() => (*value).into(),
            RawValue::Number(value) => Value::String(value.to_string()),
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
        let bytes =
            gzip::Plain::open(path, progress.clone()).map_err(|error| InputError::from_io(path, &error))?;
        Reader::decode(bytes, path, format, limits, scratch)
    }

    fn decode(
        mut bytes: gzip::Plain,
        path: &Path,
        format: Option<Format>,
        limits: Limits,
        scratch: &Path,
    ) -> Result<Reader, InputError> {
        let io = |error: io::Error| InputError::from_io(path, &error);
        if bytes.text().fill_buf().map_err(io)?.is_empty() {
            return Err(InputError::new("empty_file", path, "the file holds no bytes"));
        }
        let format = match format.or_else(|| Format::by_name(path)) {
            Some(format) => format,
            None => Format::by_content(bytes.text().fill_buf().map_err(io)?),
        };
        let decoder = match format {
            Format::Csv => Decoder::Csv(Box::new(csv::CsvReader::new(bytes.into_text(), path, limits)?)),
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

    /// By the first bytes.
    fn by_content(start: &[u8]) -> Format {
        if start.starts_with(b"PAR1") {
            return Format::Parquet;
        }
        let mut lines = start.split(|byte| *byte == b'\n').skip_while(|line| line.starts_with(COMMENT));
        match lines.find_map(|line| line.iter().find(|byte| !byte.is_ascii_whitespace())) {
            Some(b'{' | b'[') => Format::Jsonl,
            _ => Format::Csv,
        }
    }
}

/// A text stream: decompressed bytes behind a buffer.
type Text = Box<dyn BufRead + Send>;

/// Drops a UTF-8 byte order mark at the start of a stream.
fn skip_byte_order_mark(text: &mut Text) -> io::Result<()> {
    if text.fill_buf()?.starts_with(b"\xEF\xBB\xBF") {
        text.consume(3);
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

/// A file that can be read from the start again, for formats that seek.
fn reopen(path: &Path) -> Result<File, InputError> {
    File::open(path).map_err(|error| InputError::from_io(path, &error))
}
