//! What people are told of the columns: the list for help, and example files with a comment for each column.

use serde_json::{Map, Value};

use super::columns::columns_of;
use super::request::InputKind;
use domain::event::StandardEvent;

/// One column as help and example files show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaughtColumn {
    /// Its name.
    pub name: &'static str,
    /// What a value looks like.
    pub form: String,
    /// What it means.
    pub meaning: &'static str,
    /// A value as a file holds it; empty when example files leave the column out.
    pub example: &'static str,
}

/// The columns of events: name, form, meaning, example.
const EVENTS: &[[&str; 4]] = &[
    ["message_id", "id", "Unique; without one, equal records are one event", "m-1"],
    ["user_id", "id, required", "Whose event it is", "u-1042"],
    [
        "event",
        "text, required",
        "What happened; `ingest --help` lists the names with a meaning",
        StandardEvent::Purchase.name(),
    ],
    [
        "timestamp",
        "moment, required",
        "RFC 3339, an epoch, or naive with --time-zone",
        "2024-02-01T18:05:00+01:00",
    ],
    ["time_zone", "IANA time zone", "Where the user's clock was", "Europe/Paris"],
    ["value", "number", "Money or any other amount", "12.5"],
    ["content_id", "id", "What was viewed, bought, shown", "c-2001"],
    ["session_id", "id", "The visit or basket", "s-77"],
    ["campaign_id", "id", "The campaign of a push event", "spring-news"],
    ["decision_id", "id", "The decision that caused a push event", ""],
    ["channel", "text", "Of a push event", "push"],
    ["actor_id", "id", "Who acted, when it was not the user", ""],
    [
        "properties",
        "JSON object",
        "Any other column is kept in it under its own name",
        r#"{"device":"phone"}"#,
    ],
];

/// The form of an example file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateFormat {
    /// Commas and a header line.
    Csv,
    /// One JSON object a line.
    Jsonl,
}

/// The columns of a kind of file, in order.
pub fn taught(kind: InputKind) -> Vec<TaughtColumn> {
    match kind {
        InputKind::Events => EVENTS
            .iter()
            .map(|[name, form, meaning, example]| TaughtColumn {
                name,
                form: form.to_string(),
                meaning,
                example,
            })
            .collect(),
        _ => columns_of(kind)
            .iter()
            .map(|column| TaughtColumn {
                name: column.field.name,
                form: column.holds.described(),
                meaning: column.meaning,
                example: column.example,
            })
            .collect(),
    }
}

/// The columns of a kind of file as aligned lines.
pub fn columns_text(kind: InputKind) -> String {
    let columns = taught(kind);
    let width = columns.iter().map(|column| column.name.len()).max().unwrap_or_default();
    let line = |column: &TaughtColumn| {
        let example =
            if column.example.is_empty() { String::new() } else { format!("  e.g. {}", column.example) };
        format!("  {:<width$}  {} ({}){example}\n", column.name, column.meaning, column.form)
    };
    columns.iter().map(line).collect()
}

/// An example file of a kind: comments, and one record that can be ingested as it is.
pub fn template(kind: InputKind, format: TemplateFormat) -> String {
    let head = format!(
        "# An example file of {kind}. Lines that begin with \"# \" before the first record are skipped.\n\
         # smartpush ingest --kind {kind} FILE; every column but the required ones may be left out.\n",
        kind = kind.as_str()
    );
    let comments: String = columns_text(kind).lines().map(|line| format!("#{line}\n")).collect();
    let columns = taught(kind);
    let attribute = attribute_example(kind);
    let shown: Vec<&TaughtColumn> =
        columns.iter().filter(|column| !column.example.is_empty()).chain(&attribute).collect();
    let record = match format {
        TemplateFormat::Csv => {
            let names: Vec<&str> = shown.iter().map(|column| column.name).collect();
            let cells: Vec<String> = shown.iter().map(|column| quoted(column.example)).collect();
            format!("{}\n{}", names.join(","), cells.join(","))
        }
        TemplateFormat::Jsonl => {
            let field = |column: &&TaughtColumn| (column.name.to_string(), json_of(column));
            Value::Object(shown.iter().map(field).collect::<Map<_, _>>()).to_string()
        }
    };
    format!("{head}{comments}{record}\n")
}

/// A column of the users' own, for the placeholder in the example of contents.
fn attribute_example(kind: InputKind) -> Option<TaughtColumn> {
    let meaning = "An attribute, for segments and for {{name}} in texts";
    let column = TaughtColumn { name: "name", form: "text".into(), meaning, example: "Ann" };
    (kind == InputKind::Users).then_some(column)
}

fn quoted(cell: &str) -> String {
    match cell.contains([',', '"', '\n']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.to_string(),
    }
}

/// Nested values and numbers as JSON has them; everything else is text.
fn json_of(column: &TaughtColumn) -> Value {
    let is_plain = !column.form.contains("number") && !column.form.starts_with("JSON");
    let text = || Value::from(column.example);
    if is_plain { text() } else { serde_json::from_str(column.example).unwrap_or_else(|_| text()) }
}
