//! What a cell says once blanks, byte order marks and the words that programs write for nothing are taken off.

use std::borrow::Cow;

use serde_json::Value;

use super::RawValue;

/// Words that stand for a missing value, compared without case: of databases, spreadsheets, JavaScript, Python, Go, R's
/// packages and web analytics.
const PLACEHOLDERS: [&str; 24] = [
    "null",
    "nil",
    "none",
    "nan",
    "nat",
    "undefined",
    "n/a",
    "\\n",
    "-",
    "--",
    "—",
    "[object object]",
    "[object undefined]",
    "<na>",
    "<null>",
    "<nil>",
    "<none>",
    "(null)",
    "(none)",
    "(not set)",
    "#n/a",
    "#null!",
    "0000-00-00",
    "0000-00-00 00:00:00",
];

/// Does this text stand for a missing value?
fn is_placeholder(text: &str) -> bool {
    let may_be = matches!(
        text.as_bytes().first(),
        Some(b'n' | b'N' | b'u' | b'U' | b'\\' | b'-' | b'[' | b'<' | b'(' | b'#' | b'0' | 0xE2)
    );
    may_be && text.len() <= 19 && PLACEHOLDERS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Characters that carry no meaning at the ends of a text: blanks, byte order marks, and other marks without width.
pub(super) fn is_blank(character: char) -> bool {
    character.is_whitespace()
        || matches!(character, '\u{feff}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2060}')
}

/// A cell of CSV whose quotes follow a blank: the reader of CSV took them for text, and they are those of the cell.
pub(super) fn unquoted(cell: &str) -> Cow<'_, str> {
    if !cell.starts_with(is_blank) {
        return Cow::Borrowed(cell);
    }
    let inner = cell.trim_matches(is_blank).strip_prefix('"').and_then(|inner| inner.strip_suffix('"'));
    match inner {
        Some(inner) if inner.contains('"') => Cow::Owned(inner.replace("\"\"", "\"")),
        Some(inner) => Cow::Borrowed(inner),
        None => Cow::Borrowed(cell),
    }
}

/// Does a cell open a quote after a blank, and not close it?
pub(super) fn opens_late_quote(cell: &[u8]) -> bool {
    let inner = cell.trim_ascii();
    let is_late = cell.first().is_some_and(u8::is_ascii_whitespace) && inner.starts_with(b"\"");
    is_late && (inner.len() == 1 || !inner.ends_with(b"\""))
}

/// A text without blanks around it. Quotes that follow a byte order mark are those of the field: where files were put
/// together, the reader of CSV could not know them for quotes.
fn trimmed(text: &str) -> &str {
    let is_plain = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
    if is_plain(text.as_bytes().first()) && is_plain(text.as_bytes().last()) {
        return text;
    }
    let inner = text.trim_matches(is_blank);
    let quoted = inner.strip_prefix('"').and_then(|inner| inner.strip_suffix('"'));
    quoted.filter(|_| text.starts_with('\u{feff}')).unwrap_or(inner)
}

impl<'a> RawValue<'a> {
    /// The value without blanks around it; NaN, empty text and words that stand for nothing are missing.
    pub(crate) fn tidied(self) -> RawValue<'a> {
        match self {
            RawValue::Number(number) if number.is_nan() => RawValue::Missing,
            RawValue::Single(number) if number.is_nan() => RawValue::Missing,
            RawValue::Text(text) => tidied_text(text),
            other => other,
        }
    }
}

fn tidied_text(text: Cow<'_, str>) -> RawValue<'_> {
    let inner = match text {
        Cow::Borrowed(text) => Cow::Borrowed(trimmed(text)),
        Cow::Owned(text) => Cow::Owned(trimmed(&text).to_string()),
    };
    if inner.is_empty() || is_placeholder(&inner) { RawValue::Missing } else { RawValue::Text(inner) }
}

/// The same for a value of a JSON object; what it nests stays as it is.
pub(crate) fn tidied_json(value: &Value) -> Value {
    match value {
        Value::String(text) => {
            let inner = trimmed(text);
            if inner.is_empty() || is_placeholder(inner) { Value::Null } else { Value::from(inner) }
        }
        other => other.clone(),
    }
}
