//! JSON lines: one object a line; one bad line never costs its neighbours.

use std::borrow::Cow;
use std::io::{self, BufRead};
use std::path::Path;

use serde_json::{Map, Value};

use super::repeats::repeated_keys;
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
    /// The same with the spelling of numbers that are written with an exponent.
    spelled: Option<Map<String, Value>>,
}

/// The object of one line.
#[derive(Clone, Debug)]
pub struct JsonRow<'a> {
    /// Its values.
    pub(crate) object: &'a Map<String, Value>,
    /// The same with the text of each number that is written with an exponent, when there is one.
    pub(crate) spelled: Option<&'a Map<String, Value>>,
    /// The line as JSON.
    pub(crate) text: Cow<'a, str>,
}

impl<'a> JsonRow<'a> {
    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> RawValue<'a> {
        let spelled = self.spelled.and_then(|spelled| spelled.get(key));
        self.object.get(key).map_or(RawValue::Missing, |value| spelled_value(value, spelled))
    }

    /// Its keys, in the order in which JSON objects are kept.
    pub fn keys(&self) -> impl Iterator<Item = &'a str> {
        self.object.keys().map(String::as_str)
    }

    /// The dotted names of keys that occur more than once; of their values, the row has the last.
    pub(crate) fn repeated_keys(&self) -> Vec<String> {
        repeated_keys(&self.text)
    }
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
        Ok(JsonlReader {
            text,
            limit: limits.record_bytes,
            line,
            bytes: Vec::new(),
            object: Map::new(),
            spelled: None,
        })
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
        match parsed(text) {
            Ok((plain, Value::Object(object))) => {
                self.spelled = with_spelled_exponents(&plain);
                self.object = if object.values().any(is_beyond_64_bits) {
                    with_long_integers(&plain).unwrap_or(object)
                } else {
                    object
                };
                let (object, spelled) = (&self.object, self.spelled.as_ref());
                InputRecord::Row(line, InputRow::Json(JsonRow { object, spelled, text: plain }))
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

/// The text of a line as JSON, and its value.
fn parsed(text: &str) -> Result<(Cow<'_, str>, Value), serde_json::Error> {
    let error = match serde_json::from_str(text) {
        Ok(value) => return Ok((Cow::Borrowed(text), value)),
        Err(error) => error,
    };
    let plain = without_odd_numbers(text);
    serde_json::from_str(&plain).map(|value| (Cow::Owned(plain), value)).map_err(|_| error)
}

/// The text of a line in which Python has written NaN for missing numbers, and Infinity or more digits than a number can
/// have, which become text.
fn without_odd_numbers(text: &str) -> String {
    with_words(text, |word, _| number_word(word))
}

/// A text with each word outside of quotes replaced: `replace` is told how deep it is in objects and lists.
fn with_words<'t>(text: &'t str, mut replace: impl FnMut(&'t str, usize) -> Cow<'t, str>) -> String {
    let (mut plain, mut rest) = (String::with_capacity(text.len() + 8), text);
    let (mut quoted, mut escaped, mut depth) = (false, false, 0_usize);
    while let Some(character) = rest.chars().next() {
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        let length = if quoted { 0 } else { rest.bytes().take_while(is_word).count() };
        if length > 0 {
            plain.push_str(&replace(&rest[..length], depth));
            rest = &rest[length..];
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
    plain
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
    let is_long = |number: &str| {
        let digits = number.strip_prefix('-').unwrap_or(number);
        digits.len() >= SHORTEST
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && number.parse::<u64>().is_err()
            && number.parse::<i64>().is_err()
    };
    let plain = with_words(text, |word, depth| match depth == 1 && is_long(word) {
        true => Cow::Owned(format!("\"{word}\"")),
        false => Cow::Borrowed(word),
    });
    serde_json::from_str(&plain).ok()
}

/// The object of a text with numbers that are written with an exponent as the text that they are; `None` when there are none.
/// The value of a number does not show how it was written, and identifiers that a program wrote so are rounded.
pub(crate) fn with_spelled_exponents<T: serde::de::DeserializeOwned>(text: &str) -> Option<T> {
    let bytes = text.as_bytes();
    if !bytes.windows(2).any(|pair| pair[0].is_ascii_digit() && matches!(pair[1], b'e' | b'E')) {
        return None;
    }
    let mut is_any = false;
    let spelled = with_words(text, |word, _| {
        let is_number = word.starts_with(|first: char| first.is_ascii_digit() || first == '-');
        if !is_number || !word.contains(['e', 'E']) {
            return Cow::Borrowed(word);
        }
        is_any = true;
        Cow::Owned(format!("\"{word}\""))
    });
    if is_any { serde_json::from_str(&spelled).ok() } else { None }
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

/// The same of a value whose spelling is known: text where it is a number that is written with an exponent.
pub(crate) fn spelled_value<'a>(value: &'a Value, spelled: Option<&'a Value>) -> RawValue<'a> {
    match (raw_value(value), spelled) {
        (RawValue::Number(number), Some(Value::String(written))) => {
            RawValue::Scientific(number, written.into())
        }
        (plain, _) => plain,
    }
}
