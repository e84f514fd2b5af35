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
        match serde_json::from_str(text).or_else(|error| without_odd_numbers(text).ok_or(error)) {
            Ok(Value::Object(object)) => {
                self.object = object;
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
