//! Contents that were rejected for their texts, so that a preview shows what is wrong with them.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::request::InputKind;
use domain::content::{Content, Variant};
use domain::rejection::RejectionCode;
use files::workspace::Workspace;

/// The content of the newest record that was rejected for its texts; `None` also where its columns have other names than ours,
/// or where rejects cannot be read: they are only looked at to help.
pub fn rejected_content(workspace: &Workspace, content_id: &str) -> Option<Content> {
    let entries = fs::read_dir(workspace.rejected()).ok()?.flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    // Rejects of events may be many, and hold no texts.
    let ending = format!("-{}.jsonl", InputKind::Contents.as_str());
    files.retain(|path| path.to_string_lossy().ends_with(&ending));
    // Names begin with the moment of the ingest.
    files.sort();
    files.iter().rev().find_map(|path| {
        let text = fs::read_to_string(path).ok()?;
        text.lines().rev().find_map(|line| content_of(line, content_id))
    })
}

fn content_of(letter: &str, content_id: &str) -> Option<Content> {
    let letter: Value = serde_json::from_str(letter).ok()?;
    let record = &letter["record"];
    let is_it = letter["reason"] == RejectionCode::BadTemplate.as_str() && record["content_id"] == content_id;
    let variants = is_it.then(|| variants_of(record)).flatten()?;
    Some(Content { content_id: content_id.to_string(), variants, ..Content::default() })
}

fn variants_of(record: &Value) -> Option<Vec<Variant>> {
    match &record["variants"] {
        Value::Null => {
            let text = |name: &str| record[name].as_str().unwrap_or_default().to_string();
            Some(vec![Variant::of_texts(text("title"), text("body"))])
        }
        Value::String(text) => Variant::read_all(&serde_json::from_str(text).ok()?).ok(),
        list => Variant::read_all(list).ok(),
    }
}
