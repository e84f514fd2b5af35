//! A logged decision made again: the same context and scorer must give the same bytes.

use std::path::Path;

use serde_json::Value;

use super::EngineError;
use super::scorer::SnapshotScorer;
use decisions::decide;
use decisions::rule_names::present_name;
use domain::decision::Reason;
use domain::pointer::child;
use files::workspace::Workspace;
use store::decision_log::{self, Record, parse};

/// What became of a decision that was made again.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// The decision.
    pub decision_id: String,
    /// Are the record's bytes the same?
    pub identical: bool,
    /// Where not, as JSON pointers into the record, with both values.
    pub differences: Vec<Difference>,
    /// What was logged.
    pub logged: Record,
}

/// One value that differs between two records.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Difference {
    /// JSON pointer.
    pub pointer: String,
    /// What was logged; `null` for nothing.
    pub logged: Value,
    /// What came out now; `null` for nothing.
    pub now: Value,
}

/// Makes a logged decision again.
///
/// # Errors
/// When there is none of this id, its model is not here, or the log cannot be read.
pub fn replay(workspace: &Workspace, decision_id: &str) -> Result<Replay, EngineError> {
    let found = find(&workspace.decision_log(), decision_id)?;
    let (logged, line) = found.ok_or_else(|| EngineError::UnknownDecision(decision_id.to_string()))?;
    let scorer = scorer_of(workspace, &logged)?;
    let again = Record { decision: decide(&logged.context, &scorer), ..logged.clone() };
    let (line, text) = (by_present_names(&logged, &again).unwrap_or(line), again.to_line());
    let identical = text == line;
    let differences = if identical { Vec::new() } else { differences(&line, &text) };
    Ok(Replay { decision_id: decision_id.to_string(), identical, differences, logged })
}

/// The line of a record of a time when rules had other names, with the present ones and what they say now; `None` where no
/// name has changed since.
fn by_present_names(logged: &Record, again: &Record) -> Option<String> {
    let mut decision = logged.decision.clone();
    let mut is_renamed = false;
    for reason in &mut decision.reasons {
        let present = present_name(&reason.rule);
        if present == reason.rule {
            continue;
        }
        is_renamed = true;
        reason.rule = present.to_string();
        let same = |now: &&Reason| now.rule == reason.rule && now.subject == reason.subject;
        if let Some(now) = again.decision.reasons.iter().find(same) {
            reason.message.clone_from(&now.message);
        }
    }
    is_renamed.then(|| Record { decision, ..logged.clone() }.to_line())
}

/// A record and its line as the log holds it.
pub(super) fn find(directory: &Path, decision_id: &str) -> Result<Option<(Record, String)>, EngineError> {
    let Some((line, position)) = decision_log::find(directory, decision_id)? else { return Ok(None) };
    Ok(Some((parse(line.as_bytes(), &position.path)?, line)))
}

/// The scorer that a record was made with.
///
/// # Errors
/// When its model is not in the workspace any more.
pub fn scorer_of(workspace: &Workspace, record: &Record) -> Result<SnapshotScorer, EngineError> {
    let versions = &record.context.versions;
    SnapshotScorer::of_versions(workspace, versions).ok_or_else(|| EngineError::UnknownModel {
        decision_id: record.decision.decision_id.clone(),
        model: versions.get("model").cloned().unwrap_or_default(),
    })
}

fn differences(logged: &str, now: &str) -> Vec<Difference> {
    let value = |text: &str| serde_json::from_str(text).unwrap_or_default();
    let mut found = Vec::new();
    compare("", &value(logged), &value(now), &mut found);
    found
}

fn compare(pointer: &str, logged: &Value, now: &Value, found: &mut Vec<Difference>) {
    match (logged, now) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            for key in keys {
                let of = |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or_default();
                compare(&child(pointer, key), &of(a), &of(b), found);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&child(pointer, &index.to_string()), a, b, found);
            }
        }
        _ if logged != now => {
            let pointer = pointer.to_string();
            found.push(Difference { pointer, logged: logged.clone(), now: now.clone() });
        }
        _ => {}
    }
}
