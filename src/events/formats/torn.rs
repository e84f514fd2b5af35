//! Whom a broken record is about: a lenient look for a key, for what such a record says cannot be known any more.

use std::borrow::Cow;

use serde_json::Value;

/// A record that the format could not read, as far as it was read.
pub(crate) enum TornRecord<'a> {
    /// The fields of a record of CSV; there may be too many or too few of them.
    Cells(Vec<Cow<'a, str>>),
    /// A line that is not one JSON object.
    Line(Cow<'a, str>),
}

/// A place where a name stands as a key, how deep in objects, and its value.
struct NamedValue {
    depth: usize,
    value: Value,
}

/// The values of a key in a line which is no JSON: those outside of nested objects, else all. `is_key` is asked with the text
/// before a colon, without a closing quote.
pub(crate) fn values_of(line: &str, is_key: impl Fn(&str) -> bool) -> Vec<Value> {
    let mut found = Vec::new();
    let (mut depth, mut passed) = (0_usize, 0);
    for (colon, _) in line.match_indices(':') {
        for byte in line[passed..colon].bytes() {
            match byte {
                b'{' => depth += 1,
                b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        passed = colon;
        let before = line[..colon].trim_end();
        if is_key(before.strip_suffix(['"', '\'']).unwrap_or(before)) {
            found.extend(value_in(&line[colon + 1..]).map(|value| NamedValue { depth, value }));
        }
    }
    let outermost = found.iter().any(|found| found.depth <= 1);
    found.into_iter().filter(|found| !outermost || found.depth <= 1).map(|found| found.value).collect()
}

/// Does a text end with this name as a word of its own?
pub(crate) fn ends_with_name(text: &str, name: &str) -> bool {
    let before = text.strip_suffix(name).filter(|_| !name.is_empty());
    before
        .is_some_and(|before| !before.ends_with(|last: char| last.is_alphanumeric() || "_-.$".contains(last)))
}

/// The key that a text ends with: what follows the last quote, brace, comma or colon.
pub(crate) fn last_key(text: &str) -> &str {
    text.rsplit(['"', '\'', '{', '[', ',', ':']).next().unwrap_or_default().trim()
}

/// The text or number at the beginning of what follows a colon.
fn value_in(rest: &str) -> Option<Value> {
    let rest = rest.trim_start();
    if let Some(quote) = rest.chars().next().filter(|first| matches!(first, '"' | '\'')) {
        let text = quoted(&rest[1..], quote);
        let parsed = serde_json::from_str(&format!("\"{text}\"")).ok();
        return Some(parsed.unwrap_or_else(|| Value::String(text.to_string())));
    }
    let word = rest.split([',', '}', ']', '{', '[']).next().unwrap_or_default().trim();
    let value = serde_json::from_str(word).unwrap_or_else(|_| Value::String(word.to_string()));
    (!word.is_empty()).then_some(value)
}

/// The text up to a quote that no backslash is before, or all of it.
fn quoted(text: &str, quote: char) -> &str {
    let mut escaped = false;
    let end = text.char_indices().find(|(_, character)| {
        let is_end = *character == quote && !escaped;
        escaped = *character == '\\' && !escaped;
        is_end
    });
    &text[..end.map_or(text.len(), |(end, _)| end)]
}
