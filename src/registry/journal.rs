//! A goal's journal, `champions.jsonl`: which version replaced which as champion, and what follows from it.
//!
//! A change is two writes, each of them atomic: its line in the journal, then the file `champion`, which everybody reads.
//! The second one is the change. A process that is killed between them leaves a last line that never came true; the file
//! `champion`, which still names the version that the line replaces, tells. Readers pass such a line over, and the next
//! promotion or rollback takes it away.

use std::path::Path;

use super::versions::{ChampionChange, ChangeAction, RegistryError};

/// Reads every line.
///
/// # Errors
/// Names the first line that cannot be read: which versions are withdrawn depends on each of them.
pub(crate) fn parse(text: &[u8], path: &Path) -> Result<Vec<ChampionChange>, RegistryError> {
    // Blank lines at the end are what an editor leaves behind; one in between may have been a change.
    let lines = text.trim_ascii_end();
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

/// Is this last line a change that was written down and then did not happen?
pub(crate) fn is_cut_short(last: &ChampionChange, champion: Option<&str>) -> bool {
    champion != Some(&last.to) && champion == last.from.as_deref()
}

/// The champion before the present one: promotions stack up, a rollback takes the top one off.
pub(crate) fn former(changes: &[ChampionChange]) -> Option<&str> {
    let mut stack: Vec<&str> = Vec::new();
    for change in changes {
        match change.action {
            // Journals of before say twice what a killed promotion was asked for twice.
            ChangeAction::Promote if stack.last() == Some(&change.to.as_str()) => (),
            ChangeAction::Promote => stack.push(&change.to),
            ChangeAction::Rollback => drop(stack.pop()),
        }
    }
    stack.pop();
    stack.pop()
}

/// Versions that were rolled back and not promoted since.
pub(crate) fn withdrawn(changes: &[ChampionChange]) -> Vec<&str> {
    let mut withdrawn: Vec<&str> = Vec::new();
    for change in changes {
        withdrawn.retain(|version| *version != change.to);
        if change.action == ChangeAction::Rollback {
            withdrawn.extend(change.from.as_deref());
        }
    }
    withdrawn
}
