//! JSON lines: one object a line; one bad line never costs its neighbours.

use std::borrow::Cow;
use std::io::{self, BufRead};
use std::path::Path;

use serde_json::{Map, Value};

use super::{
    InputError, InputRecord, InputRow, Limits, RawValue, Text, excerpt, jsonl_errors, not_utf8,
    skip_byte_order_mark, skip_comments,
};
use domain::rejection::{Rejection, RejectionCode};

/// What RFC 7464 (JSON text sequences) writes before each record.
pub(super) const RECORD_SEPARATOR: u8 = 0x1e;

/// Reads lines one by one. A line over the limit is passed over without being held in memory.
pub(super) struct JsonlReader {
    text: Text,
    limit: usize,
    line: u64,
    bytes: Vec<u8>,
    object: Map<String, Value>,
}

impl JsonlReader {
    pub(super) fn new(mut text: Text, path: &Path, limits: Limits) -> Result<JsonlReader, InputError> {
        let io = |error: io::Error| InputError::from_io(path, &error);
        skip_byte_order_mark(&mut text).map_err(io)?;
        let line = skip_comments(&mut text).map_err(io)?;
        let start = text.fill_buf().map_err(io)?;
        if start.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
            return Err(jsonl_errors::array(path, start));
        }
        Ok(JsonlReader { text, limit: limits.record_bytes, line, bytes: Vec::new(), object: Map::new() })
    }

    pub(super) fn next_record(&mut self) -> io::Result<Option<InputRecord<'_>>> {
        loop {
            self.line += 1;
            match self.read_line()? {
                None => return Ok(None),
                Some(true) if self.bytes == [RECORD_SEPARATOR] => {}
                Some(true) if self.bytes.iter().all(u8::is_ascii_whitespace) => {}
                Some(fits) => return Ok(Some(self.parse(fits))),
            }
        }
    }

    /// The last line as far as it was read, be it what it may.
    pub(super) fn text_of_line(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }

    /// Reads one line; `Some(false)` when it was too long, `None` at the end.
    fn read_line(&mut self) -> io::Result<Option<bool>> {
        self.bytes.clear();
        let (mut length, mut any) = (0, false);
        loop {
            let input = self.text.fill_buf()?;
            if input.is_empty() {
                return Ok(any.then_some(length <= self.limit));
            }
            any = true;
            let line_feed = input.iter().position(|byte| *byte == b'\n');
            let taken = line_feed.unwrap_or(input.len());
            length += taken;
            let room = (self.limit + 1).saturating_sub(self.bytes.len());
            self.bytes.extend_from_slice(&input[..taken.min(room)]);
            self.text.consume(taken + usize::from(line_feed.is_some()));
            if line_feed.is_some() {
                return Ok(Some(length <= self.limit));
            }
        }
    }

    fn parse(&mut self, fits: bool) -> InputRecord<'_> {
        let line = self.line;
        let unreadable = |code, detail: String| {
            let rejection = Rejection::new(code, detail);
            InputRecord::Unreadable(line, rejection, excerpt(&self.bytes))
        };
        if !fits {
            return unreadable(RejectionCode::RecordTooLarge, format!("a record over {} bytes", self.limit));
        }
        let Ok(text) = std::str::from_utf8(&self.bytes) else {
            return unreadable(RejectionCode::BadUtf8, not_utf8(&self.bytes));
        };
        let text = text.trim_start_matches(char::from(RECORD_SEPARATOR));
        match serde_json::from_str(text).or_else(|error| without_odd_numbers(text).ok_or(error)) {
            Ok(Value::Object(object)) => {
                self.object = if object.values().any(is_beyond_64_bits) {
                    with_long_integers(text).unwrap_or(object)
                } else {
                    object
                };
                InputRecord::Row(line, InputRow::Json(&self.object))
            }
            Ok(_) => unreadable(RejectionCode::BadJson, "not a JSON object".into()),
            Err(error) => {
                let (column, said) = (error.column(), error.to_string());
                // The parser counts the lines of this one line.
                let said = said.split(" at line ").next().unwrap_or_default();
                unreadable(RejectionCode::BadJson, format!("column {column}: {said}"))
            }
        }
    }
}

/// The value of a text in which Python has written NaN for missing numbers, and Infinity or more digits than a number can
/// have, which become text; `None` when that is not all that is wrong.
fn without_odd_numbers(text: &str) -> Option<Value> {
    let (mut plain, mut rest, mut quoted, mut escaped) =
        (String::with_capacity(text.len() + 8), text, false, false);
    while let Some(character) = rest.chars().next() {
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        let length = if quoted { 0 } else { rest.bytes().take_while(is_word).count() };
        if length > 0 {
            plain.push_str(&number_word(&rest[..length]));
            rest = &rest[length..];
            continue;
        }
        quoted ^= character == '"' && !escaped;
        escaped = character == '\\' && !escaped;
        plain.push(character);
        rest = &rest[character.len_utf8()..];
    }
    serde_json::from_str(&plain).ok()
}

/// A word outside of quotes as JSON can have it.
fn number_word(word: &str) -> Cow<'_, str> {
    let is_number = word.trim_start_matches('-').starts_with(|first: char| first.is_ascii_digit());
    match word {
        "NaN" | "-NaN" => Cow::Borrowed("null"),
        "Infinity" | "-Infinity" | "+Infinity" => Cow::Owned(format!("\"{word}\"")),
        _ if is_number && word.parse().is_ok_and(f64::is_infinite) => Cow::Owned(format!("\"{word}\"")),
        _ => Cow::Borrowed(word),
    }
}

/// Was this number rounded because 64 bits do not hold it?
fn is_beyond_64_bits(value: &Value) -> bool {
    value.as_f64().is_some_and(|number| value.is_f64() && number.abs() >= i64::MAX as f64)
}

/// The object of a text with its own whole numbers that 64 bits do not hold as the text of their digits: identifiers
/// are not rounded.
fn with_long_integers(text: &str) -> Option<Map<String, Value>> {
    const SHORTEST: usize = 19;
    let (mut plain, mut rest, mut quoted, mut escaped, mut depth) =
        (String::with_capacity(text.len() + 8), text, false, false, 0_usize);
    while let Some(character) = rest.chars().next() {
        let is_of_number =
            |letter: char| letter.is_ascii_digit() || matches!(letter, '-' | '+' | '.' | 'e' | 'E');
        let end = rest.find(|letter| !is_of_number(letter)).unwrap_or(rest.len());
        if !quoted && depth == 1 && matches!(character, '0'..='9' | '-') {
            let (number, after) = rest.split_at(end);
            let digits = number.strip_prefix('-').unwrap_or(number);
            let is_long = digits.len() >= SHORTEST && digits.bytes().all(|byte| byte.is_ascii_digit());
            let mark = if is_long && number.parse::<u64>().is_err() && number.parse::<i64>().is_err() {
                "\""
            } else {
                ""
            };
            plain.extend([mark, number, mark]);
            rest = after;
            continue;
        }
        quoted ^= character == '"' && !escaped;
        escaped = character == '\\' && !escaped;
        match character {
            '{' | '[' if !quoted => depth += 1,
            '}' | ']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        plain.push(character);
        rest = &rest[character.len_utf8()..];
    }
    serde_json::from_str(&plain).ok()
}

/// A JSON value as a raw value.
pub(crate) fn raw_value(value: &Value) -> RawValue<'_> {
    match value {
        Value::Null => RawValue::Missing,
        Value::String(text) if text.is_empty() => RawValue::Missing,
        Value::String(text) => RawValue::Text(Cow::Borrowed(text)),
        Value::Bool(value) => RawValue::Boolean(*value),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => RawValue::Integer(integer),
            // Identifiers may use all 64 bits.
            (None, _) if number.is_u64() => RawValue::Text(Cow::Owned(number.to_string())),
            (None, Some(float)) => RawValue::Number(float),
            (None, None) => RawValue::Missing,
        },
        nested => RawValue::Nested(nested),
    }
}
