//! The journal of a refresh: which steps are done, and from what they were made.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use domain::time::Instant;
use files::tables::{self, TableError};
use files::workspace::Workspace;

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// It was made.
    Done,
    /// There was nothing to make.
    Skipped,
    /// The gate said no.
    Refused,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Its name.
    pub(super) step: String,
    /// Identity of what it was made from.
    pub(super) input: String,
    /// How it ended.
    pub(super) state: State,
    /// What came of it.
    pub(super) said: serde_json::Value,
    /// Was it made by an earlier run?
    #[serde(skip_deserializing)]
    pub(super) again: bool,
}

impl Entry {
    /// The model that a training came to.
    pub(super) fn version(&self) -> Option<&str> {
        self.said["version"].as_str()
    }

    /// The step for people.
    pub(super) fn line(&self) -> String {
        let state = match self.state {
            State::Done if self.again => "done before",
            State::Done => "done",
            State::Skipped => "nothing to do",
            State::Refused => "refused",
        };
        let text = |value: &serde_json::Value| match value {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Number(number) if !number.is_u64() => {
                format!("{:.4}", number.as_f64().unwrap_or_default())
            }
            serde_json::Value::Array(items) => items.len().to_string(),
            other => other.to_string(),
        };
        let said = self.said.as_object().into_iter().flatten();
        let said: Vec<String> = said.map(|(key, value)| format!("{key} {}", text(value))).collect();
        format!("{:<22} {state:<14} {}", self.step, said.join(", "))
    }
}

/// The file `data/refresh/T.json`.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    entries: Vec<Entry>,
    /// Names of the steps of this run, in order.
    told: Vec<String>,
}

impl Journal {
    /// Reads the journal of a moment; one that cannot be read is begun anew, and every step made again.
    pub(super) fn open(workspace: &Workspace, as_of: Instant) -> Result<Journal, TableError> {
        let path = workspace.data().join("refresh").join(format!("{}.json", as_of.file_name()));
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        Ok(Journal { path, entries: serde_json::from_str(&text).unwrap_or_default(), told: Vec::new() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A step that was made from this input.
    pub(super) fn find(&self, step: &str, input: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.step == step && entry.input == input)
    }

    /// A step whose product somebody removed is made anew.
    pub(super) fn forget_unless(&mut self, step: &str, is_there: impl Fn(&Entry) -> bool) {
        self.entries.retain(|entry| entry.step != step || is_there(entry));
    }

    /// The same as [`Journal::find`], noted as a step of this run.
    pub(super) fn done(&mut self, step: &str, input: &str) -> Option<Entry> {
        let place = self.entries.iter().position(|entry| entry.step == step && entry.input == input)?;
        self.entries[place].again = true;
        self.told.push(step.to_string());
        Some(self.entries[place].clone())
    }

    /// Writes a step; it takes the place of the one of its name.
    pub(super) fn write(&mut self, entry: Entry) -> Result<Entry, TableError> {
        self.entries.retain(|other| other.step != entry.step);
        self.entries.push(entry.clone());
        self.told.push(entry.step.clone());
        let text = serde_json::to_string_pretty(&self.entries).unwrap_or_default();
        tables::write_atomically(&self.path, |file| writeln!(file, "{text}"))?;
        Ok(entry)
    }

    /// The steps of this run, in order.
    pub(super) fn told(&self) -> Vec<&Entry> {
        self.told.iter().filter_map(|step| self.entries.iter().find(|entry| entry.step == *step)).collect()
    }
}
