//! Whom a broken JSON line is about: a lenient look for a key, for what such a line says cannot be known any more.

use serde_json::Value;

/// A place where a name stands as a key, how deep in objects, and its value.
struct NamedValue {
    depth: usize,
    value: Value,
}

/// The values that a name has in a line which is no JSON: those outside of nested objects, else all.
pub(crate) fn values_of(line: &str, name: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let (mut depth, mut passed) = (0_usize, 0);
    for (start, _) in line.match_indices(name).filter(|_| !name.is_empty()) {
        for byte in line[passed..start].bytes() {
            match byte {
                b'{' => depth += 1,
                b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        passed = start;
        let is_within = line[..start].ends_with(|last: char| last.is_alphanumeric() || "_-.$".contains(last));
        if let Some(value) = value_after(&line[start + name.len()..]).filter(|_| !is_within) {
            found.push(NamedValue { depth, value });
        }
    }
    let outermost = found.iter().any(|found| found.depth <= 1);
    found.into_iter().filter(|found| !outermost || found.depth <= 1).map(|found| found.value).collect()
}

/// The text or number behind the end of a key: its quote, a colon, a value.
fn value_after(rest: &str) -> Option<Value> {
    let rest = rest.strip_prefix(['"', '\'']).unwrap_or(rest);
    let rest = rest.trim_start().strip_prefix(':')?.trim_start();
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
