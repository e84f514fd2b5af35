//! CSV: a header line, then records; one bad record never costs its neighbours.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use csv_core::ReadRecordResult;

use super::super::missing_column::shown;
use super::cells::{is_blank, opens_late_quote, unquoted};
use super::header::{Headers, advice, looks_like_data};
use super::{
    InputError, InputRecord, InputRow, Limits, RawValue, Text, excerpt, not_utf8, skip_byte_order_mark,
    skip_comments,
};
use domain::rejection::{Rejection, RejectionCode};

/// Separators that a header line may show.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Reads records one by one. A record over the limit is passed over without being held in memory.
pub(super) struct CsvReader {
    path: PathBuf,
    text: Text,
    separator: u8,
    /// Are separators written twice (`::`)? Every second field is then the nothing between the two.
    is_double: bool,
    parser: csv_core::Reader,
    header: Vec<String>,
    /// The first line, when it is a record: its length in the buffers, its number of fields and its line.
    first: Option<(usize, usize, u64)>,
    limit: usize,
    /// Fields of the current record one after the other, and where each ends.
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Where the fields of the last record that could not be taken end.
    torn_ends: Vec<usize>,
    /// Line feeds that we took away from the parser.
    line_feeds: u64,
    /// Has the parser been given the line feed that ends the last line?
    ended: bool,
}

/// Fields of one record.
#[derive(Clone, Copy, Debug)]
pub struct CsvRow<'a> {
    text: &'a str,
    ends: &'a [usize],
}

impl<'a> CsvRow<'a> {
    pub(super) fn get(&self, index: usize) -> RawValue<'a> {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        match unquoted(&self.text[start..self.ends[index]]) {
            text if text.is_empty() => RawValue::Missing,
            text => RawValue::Text(text),
        }
    }
}

/// Length of a record in the buffers, or why it is not there.
enum Extent {
    End,
    Fields {
        bytes: usize,
        fields: usize,
    },
    /// Over the limit; the fields that ended within the first half of the buffers.
    TooLarge {
        fields: usize,
    },
    /// The file ended within quotes.
    Unclosed,
}

impl CsvReader {
    pub(super) fn new(
        mut text: Text,
        path: &Path,
        limits: Limits,
        headers: &Headers,
    ) -> Result<CsvReader, InputError> {
        let io = |error: io::Error| InputError::from_io(path, &error);
        skip_byte_order_mark(&mut text).map_err(io)?;
        let comments = skip_comments(&mut text).map_err(io)?;
        let declared = declared_separator(text.fill_buf().map_err(io)?);
        if let Some((_, length)) = declared {
            text.consume(length);
        }
        let (separator, is_double) = match declared {
            Some((separator, _)) => (separator, false),
            None => separator_of(text.fill_buf().map_err(io)?),
        };
        let mut reader = CsvReader {
            path: path.to_path_buf(),
            text,
            separator,
            is_double,
            parser: csv_core::ReaderBuilder::new().delimiter(separator).build(),
            header: Vec::new(),
            first: None,
            limit: limits.record_bytes,
            bytes: vec![0; limits.record_bytes.min(4_096)],
            ends: vec![0; 64],
            torn_ends: Vec::new(),
            line_feeds: comments + u64::from(declared.is_some()),
            ended: false,
        };
        let line = reader.skip_blank_lines().map_err(io)?;
        let (bytes, fields) = match reader.read_extent().map_err(io)? {
            Extent::End => return Err(InputError::new("empty_file", path, "there is no header line")),
            Extent::TooLarge { .. } => {
                let detail = format!("line {line} is over {} bytes", reader.limit);
                return Err(InputError::new("bad_header", path, detail));
            }
            Extent::Unclosed => return Err(unclosed(path, line)),
            Extent::Fields { bytes, fields } => (bytes, fields),
        };
        let names = names_of(&reader.bytes[..bytes], &reader.ends[..fields], path, line)?;
        match headers.instead_of(&names).map_err(|detail| InputError::new("bad_header", path, detail))? {
            Some(given) => {
                reader.header = given;
                reader.first = Some((bytes, fields, line));
            }
            None => {
                check_unique(&names, path, line)?;
                reader.header = names;
            }
        }
        Ok(reader)
    }

    pub(super) fn header(&self) -> &[String] {
        &self.header
    }

    pub(super) fn next_record(&mut self) -> Result<Option<InputRecord<'_>>, InputError> {
        let (line, extent) = match self.first.take() {
            Some((bytes, fields, line)) => (line, Extent::Fields { bytes, fields }),
            None => self.next_extent().map_err(|error| InputError::from_io(&self.path, &error))?,
        };
        let (bytes, fields) = match extent {
            Extent::End => return Ok(None),
            Extent::Unclosed => return Err(unclosed(&self.path, line)),
            Extent::TooLarge { fields } => {
                let detail = format!("a record over {} bytes", self.limit);
                let rejection = Rejection::new(RejectionCode::RecordTooLarge, detail);
                let kept = self.bytes.len() / 2;
                let ends = self.ends[..fields].iter().copied().take_while(|end| *end <= kept);
                self.torn_ends = ends.chain([kept]).collect();
                let text = rejoined(&self.bytes, &self.torn_ends, self.separator);
                return Ok(Some(InputRecord::Unreadable(line, rejection, text)));
            }
            Extent::Fields { bytes, fields } => (&self.bytes[..bytes], &self.ends[..fields]),
        };
        if fields.len() != self.header.len() {
            self.torn_ends = fields.to_vec();
            let detail = wrong_count(bytes, fields, self.header.len());
            let rejection = Rejection::new(RejectionCode::WrongFieldCount, detail);
            return Ok(Some(InputRecord::Unreadable(
                line,
                rejection,
                rejoined(bytes, fields, self.separator),
            )));
        }
        Ok(Some(match std::str::from_utf8(bytes) {
            Ok(text) if on_boundaries(text, fields) => {
                InputRecord::Row(line, InputRow::Csv(CsvRow { text, ends: fields }))
            }
            _ => {
                self.torn_ends = fields.to_vec();
                let rejection = Rejection::new(RejectionCode::BadUtf8, not_utf8(bytes));
                InputRecord::Unreadable(line, rejection, rejoined(bytes, fields, self.separator))
            }
        }))
    }

    /// The fields of the last record that could not be taken.
    pub(super) fn torn_cells(&self) -> Vec<Cow<'_, str>> {
        cells(&self.bytes, &self.torn_ends).map(String::from_utf8_lossy).collect()
    }

    /// The next record and its line. Files that were put together bring their header again; it is no record.
    fn next_extent(&mut self) -> io::Result<(u64, Extent)> {
        loop {
            let line = self.skip_blank_lines()?;
            let extent = self.read_extent()?;
            if !matches!(extent, Extent::Fields { bytes, fields } if self.is_header(bytes, fields)) {
                return Ok((line, extent));
            }
        }
    }

    /// Is the record in the buffers the header again?
    fn is_header(&self, bytes: usize, fields: usize) -> bool {
        if fields != self.header.len() {
            return false;
        }
        let mut start = 0;
        self.header.iter().zip(&self.ends[..fields]).enumerate().all(|(index, (name, end))| {
            let field = &self.bytes[..bytes][start..*end];
            start = *end;
            let field = std::str::from_utf8(field).unwrap_or_default().trim_matches(is_blank);
            field == name
                || field.strip_prefix('"').and_then(|field| field.strip_suffix('"')) == Some(name)
                || (field.is_empty() && *name == unnamed(index))
        })
    }

    /// Parses one record into the buffers, growing them up to the limit.
    fn read_extent(&mut self) -> io::Result<Extent> {
        let (mut bytes, mut fields, mut too_large) = (0, 0, false);
        loop {
            let input = self.text.fill_buf()?;
            let at_end = input.is_empty();
            // One more line feed ends every record but one whose quote is open.
            let input = if at_end && !self.ended { b"\n" } else { input };
            let within_quotes = at_end && self.ended;
            let (result, read, written, ended) =
                self.parser.read_record(input, &mut self.bytes[bytes..], &mut self.ends[fields..]);
            let after_return = read > 0 && input[read - 1] == b'\r';
            if at_end {
                self.ended |= read > 0;
            } else {
                self.text.consume(read);
            }
            bytes += written;
            fields += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.bytes.len() >= self.limit => {
                    too_large = true;
                    // The first half stays for the dead letter.
                    bytes = self.bytes.len() / 2;
                }
                ReadRecordResult::OutputFull => self.bytes.resize((self.bytes.len() * 2).min(self.limit), 0),
                ReadRecordResult::OutputEndsFull if self.ends.len() >= self.limit => {
                    too_large = true;
                    fields = self.ends.len() / 2;
                }
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::End => return Ok(Extent::End),
                ReadRecordResult::Record if within_quotes => return Ok(Extent::Unclosed),
                ReadRecordResult::Record => {
                    if after_return {
                        self.skip_line_feed()?;
                    }
                    if self.is_double {
                        fields = keep_every_second(&mut self.ends[..fields]);
                    }
                    return Ok(match too_large {
                        true => Extent::TooLarge { fields },
                        false => Extent::Fields { bytes, fields },
                    });
                }
            }
        }
    }

    /// Passes over blank lines, which are no records; the line at which the next record begins.
    fn skip_blank_lines(&mut self) -> io::Result<u64> {
        loop {
            let input = self.text.fill_buf()?;
            let blank = input.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            self.line_feeds += input[..blank].iter().filter(|byte| **byte == b'\n').count() as u64;
            self.text.consume(blank);
            if blank == 0 {
                return Ok(self.parser.line() + self.line_feeds);
            }
        }
    }

    /// Takes the LF of a CRLF at once, so that the parser's line number is the next record's.
    fn skip_line_feed(&mut self) -> io::Result<()> {
        if self.text.fill_buf()?.first() == Some(&b'\n') {
            self.text.consume(1);
            self.line_feeds += 1;
        }
        Ok(())
    }
}

/// What follows an open quote cannot be told from the field: the file is refused, not swallowed.
fn unclosed(path: &Path, line: u64) -> InputError {
    let detail = format!("the record at line {line} opens a quote that the file never closes");
    InputError::new("unclosed_quote", path, detail)
}

/// The fields of a record that cannot be taken, with their separators back, for its dead letter.
fn rejoined(bytes: &[u8], ends: &[usize], separator: u8) -> String {
    excerpt(&cells(bytes, ends).collect::<Vec<_>>().join(&separator))
}

fn cells<'a>(bytes: &'a [u8], ends: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    let starts = std::iter::once(0).chain(ends.iter().copied());
    starts.zip(ends).map(|(start, end)| &bytes[start..*end])
}

/// What is wrong with a record that has more or fewer fields than the header.
fn wrong_count(bytes: &[u8], ends: &[usize], expected: usize) -> String {
    let counts = format!("{} fields, the header has {expected}", ends.len());
    if !cells(bytes, ends).any(opens_late_quote) {
        return counts;
    }
    format!(
        "{counts}; a quote opens after a blank, where it is part of the text, so that the text was cut at its separators: \
         leave out the blanks before opening quotes"
    )
}

/// Does no field end inside a character? (The record may be UTF-8 as a whole and its fields not.)
fn on_boundaries(text: &str, ends: &[usize]) -> bool {
    ends.iter().all(|end| text.is_char_boundary(*end))
}

/// The name of a column without one.
fn unnamed(index: usize) -> String {
    format!("column_{}", index + 1)
}

/// The separator of a first line such as `sep=;`, as Excel writes it, and the length of that line.
fn declared_separator(start: &[u8]) -> Option<(u8, usize)> {
    let end = start.iter().position(|byte| *byte == b'\n')? + 1;
    let line = start[..end].trim_ascii_end();
    // A tab is blank itself.
    let line = if line.len() == 4 && start[4] == b'\t' { &start[..5] } else { line };
    let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    let (name, separator) = line.split_at_checked(4)?;
    match separator {
        [separator] if name.eq_ignore_ascii_case(b"sep=") => Some((*separator, end)),
        _ => None,
    }
}

/// The separator seen most often in the first line, the comma on ties; and is it written twice, as `::` is?
fn separator_of(start: &[u8]) -> (u8, bool) {
    let line = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |separator: u8| line.iter().filter(|byte| **byte == separator).count();
    if line.windows(2).any(|pair| pair == b"::")
        && SEPARATORS.into_iter().all(|separator| count(separator) == 0)
    {
        return (b':', true);
    }
    // `max_by_key` takes the last of equals, so the comma goes last.
    (SEPARATORS.into_iter().rev().max_by_key(|separator| count(*separator)).unwrap_or(b','), false)
}

/// Keeps the ends of the first, third, fifth … field, and how many there are.
fn keep_every_second(ends: &mut [usize]) -> usize {
    let kept = ends.len().div_ceil(2);
    (0..kept).for_each(|index| ends[index] = ends[index * 2]);
    kept
}

/// The cells of the first line; one without text is named by its position.
fn names_of(bytes: &[u8], ends: &[usize], path: &Path, line: u64) -> Result<Vec<String>, InputError> {
    let not_utf8 = |_| InputError::new("bad_header", path, format!("line {line} is not UTF-8"));
    let text = std::str::from_utf8(bytes).map_err(not_utf8)?;
    let mut names = Vec::with_capacity(ends.len());
    let mut start = 0;
    for (index, end) in ends.iter().enumerate() {
        let cell = unquoted(text.get(start..*end).unwrap_or_default());
        let name = cell.trim_matches(is_blank);
        names.push(if name.is_empty() { unnamed(index) } else { name.to_string() });
        start = *end;
    }
    Ok(names)
}

/// No two columns have one name.
fn check_unique(names: &[String], path: &Path, line: u64) -> Result<(), InputError> {
    let mut seen = HashSet::new();
    let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) else { return Ok(()) };
    let mut detail = format!("line {line} names column \"{}\" twice", shown(twice));
    if looks_like_data(names) {
        detail += &format!("; {}", advice(names));
    }
    Err(InputError::new("duplicate_column", path, detail))
}
