//! A goal's journal, `champions.jsonl`: who took whose place as champion, and what follows from it.

use std::path::Path;

use super::versions::{Change, ChangeAction, RegistryError};

/// Reads every line.
///
/// # Errors
/// Names the first line that cannot be read: which versions are withdrawn depends on each of them.
pub(crate) fn parse(text: &[u8], path: &Path) -> Result<Vec<Change>, RegistryError> {
    let lines = text.strip_suffix(b"\n").unwrap_or(text);
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    let change = |(index, line): (usize, &[u8])| {
        serde_json::from_slice(line).map_err(|error| RegistryError::BadJournal {
            path: path.to_path_buf(),
            line: index + 1,
            detail: error.to_string(),
        })
    };
    lines.split(|byte| *byte == b'\n').enumerate().map(change).collect()
}

/// The champion before the present one: promotions stack up, a rollback takes the top one off.
pub(crate) fn former(changes: &[Change]) -> Option<&str> {
    let mut stack: Vec<&str> = Vec::new();
    for change in changes {
        match change.action {
            ChangeAction::Promote => stack.push(&change.to),
            ChangeAction::Rollback => drop(stack.pop()),
        }
    }
    stack.pop();
    stack.pop()
}

/// Versions that were rolled back and not promoted since.
pub(crate) fn withdrawn(changes: &[Change]) -> Vec<&str> {
    let mut withdrawn: Vec<&str> = Vec::new();
    for change in changes {
        withdrawn.retain(|version| *version != change.to);
        if change.action == ChangeAction::Rollback {
            withdrawn.extend(change.from.as_deref());
        }
    }
    withdrawn
}
