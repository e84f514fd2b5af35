//! A file of which no line is a JSON object: what it is instead, and the command that makes lines of it.

use std::path::Path;

use serde_json::{Deserializer, Value};

use super::InputError;

/// A record that could not be read: its line, what was wrong, and its text.
pub struct UnreadLine {
    /// Its line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub detail: String,
    /// Its text, or the beginning of it.
    pub text: String,
}

/// The error about a file of which none of `lines` lines could be read.
pub(super) fn not_json_lines(path: &Path, first: &UnreadLine, lines: u64) -> InputError {
    let (file, line, detail) = (path.display(), first.line, &first.detail);
    let what = kind_of(&first.text);
    let advice = what.advice().replace("{}", &file.to_string());
    let detail = format!("line {line}, {detail}; none of {lines} lines is a JSON object. {advice}");
    InputError::new("not_json_lines", path, detail)
}

/// The error about a file that is one array.
pub(super) fn array(path: &Path, start: &[u8]) -> InputError {
    let text = String::from_utf8_lossy(&start[..start.len().min(4_096)]).into_owned();
    let what = if is_python(&text) { JsonKind::Python } else { JsonKind::Array };
    let advice = what.advice().replace("{}", &path.display().to_string());
    InputError::new("not_json_lines", path, format!("line 1 begins an array, not a JSON object. {advice}"))
}

/// What a text is that is not a line of JSON.
#[derive(Clone, Copy)]
enum JsonKind {
    Array,
    Pretty,
    Concatenated,
    Python,
    Other,
}

impl JsonKind {
    fn advice(self) -> &'static str {
        match self {
            JsonKind::Array => "It is a JSON array: `jq -c '.[]' {} > events.jsonl` writes one object a line",
            JsonKind::Pretty => {
                "It is JSON over several lines: `jq -c . {} > events.jsonl` writes one object a line"
            }
            JsonKind::Concatenated => {
                "It has several JSON objects on a line: `jq -c . {} > events.jsonl` writes one object a line"
            }
            JsonKind::Python => {
                "It is Python literals (single quotes, None, True), not JSON: `python3 -c 'import ast, json, sys; \
                 [print(json.dumps(ast.literal_eval(line))) for line in sys.stdin]' < {} > events.jsonl` converts them"
            }
            JsonKind::Other => "Expected one JSON object a line; `jq -c . {}` shows where it is not JSON",
        }
    }
}

fn kind_of(text: &str) -> JsonKind {
    let text = text.trim();
    if is_python(text) {
        return JsonKind::Python;
    }
    let mut objects = 0;
    for value in Deserializer::from_str(text).into_iter::<Value>() {
        match value {
            Ok(Value::Object(_)) => objects += 1,
            Err(error) if error.is_eof() && objects == 0 && text.starts_with(['{', '[']) => {
                return JsonKind::Pretty;
            }
            _ => break,
        }
    }
    if objects > 0 { JsonKind::Concatenated } else { JsonKind::Other }
}

/// Does a text begin as Python prints a dictionary, or use Python's words where JSON has others?
fn is_python(text: &str) -> bool {
    let inner = text.trim_start_matches(['[', '(', '{', ' ', '\n', '\r', '\t']);
    let is_quoted = ["'", "u'", "b'"].iter().any(|quote| inner.starts_with(quote));
    let has_word = [": None", ": True", ": False"].iter().any(|word| text.contains(word));
    text.starts_with(['{', '[', '('])
        && (is_quoted || (has_word && serde_json::from_str::<Value>(text).is_err()))
}
