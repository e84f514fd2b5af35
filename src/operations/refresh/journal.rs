//! The journal of a refresh: which steps are done, from what they were made, and what came of them.

use std::path::{Path, PathBuf};

use domain::time::Instant;
use files::tables::{self, TableError};
use files::workspace::Workspace;
use serde::{Deserialize, Serialize};

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// It was made.
    Done,
    /// There was nothing to make.
    Skipped,
    /// The gate said no.
    Refused,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RefreshStep {
    /// Its name.
    pub step: String,
    /// Identity of what it was made from.
    pub input: String,
    /// How it ended.
    pub state: StepState,
    /// What came of it.
    pub said: Product,
    /// Was it made by an earlier run?
    #[serde(skip_deserializing)]
    pub again: bool,
}

/// What came of a step. Fields are in order of the alphabet, as JSON objects are; a figure that is NaN is missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Product {
    /// Counts of an ingest.
    Records {
        /// New to the workspace.
        accepted: u64,
        /// Known already.
        duplicate: u64,
        /// In the files.
        read: u64,
        /// Kept as dead letters.
        rejected: u64,
    },
    /// A profile table.
    Profiles {
        /// Users.
        rows: u64,
        /// Of the table.
        sha256: String,
    },
    /// A model.
    Model {
        /// Its AUC on the test part.
        auc: Option<f64>,
        /// The base rate's log-loss there.
        base_rate_log_loss: Option<f64>,
        /// Lines of the gate that do not hold.
        failed: Vec<String>,
        /// Its log-loss there.
        log_loss: Option<f64>,
        /// Its kind.
        model: String,
        /// Its version.
        version: String,
    },
    /// A promotion.
    Champion {
        /// The new champion.
        champion: String,
    },
    /// A plan.
    Plan {
        /// Its hand-off.
        path: String,
        /// Its id.
        plan_id: String,
        /// Messages that it sends.
        sends: u64,
        /// Due campaigns that cannot be planned.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        skipped: Option<String>,
    },
    /// Nothing was made.
    Nothing {
        /// The reason.
        why: String,
    },
}

impl RefreshStep {
    /// The version that a training came to.
    pub(super) fn version(&self) -> Option<&str> {
        match &self.said {
            Product::Model { version, .. } => Some(version),
            _ => None,
        }
    }
}

/// A step as the file holds it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StepRecord {
    #[serde(flatten)]
    pub(super) step: RefreshStep,
    /// Of a step that the gate refused: the reason, without its code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<String>,
}

impl StepRecord {
    /// A file of an older smartpush does not name the reason of a refusal.
    fn is_whole(&self) -> bool {
        self.step.state != StepState::Refused || self.refusal.is_some()
    }
}

/// The file `data/refresh/T.json`.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    records: Vec<StepRecord>,
    /// Names of the steps of this run, in order.
    told: Vec<String>,
}

impl Journal {
    /// Reads the journal of a moment; one that cannot be read is begun anew, and every step made again.
    pub(super) fn open(workspace: &Workspace, as_of: Instant) -> Journal {
        let path = workspace.data().join("refresh").join(format!("{}.json", as_of.file_name()));
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let mut records: Vec<StepRecord> = serde_json::from_str(&text).unwrap_or_default();
        records.retain(StepRecord::is_whole);
        Journal { path, records, told: Vec::new() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A step whose product somebody removed is made anew.
    pub(super) fn forget_unless(&mut self, step: &str, is_there: impl Fn(&RefreshStep) -> bool) {
        self.records.retain(|record| record.step.step != step || is_there(&record.step));
    }

    /// A step that was made from this input, noted as a step of this run.
    pub(super) fn done(&mut self, step: &str, input: &str) -> Option<StepRecord> {
        let is_it = |record: &StepRecord| record.step.step == step && record.step.input == input;
        let index = self.records.iter().position(is_it)?;
        self.records[index].step.again = true;
        self.told.push(step.to_string());
        Some(self.records[index].clone())
    }

    /// Writes a step; it replaces the one of its name.
    pub(super) fn write(&mut self, record: StepRecord) -> Result<StepRecord, TableError> {
        self.records.retain(|other| other.step.step != record.step.step);
        self.records.push(record.clone());
        self.told.push(record.step.step.clone());
        let text = serde_json::to_string_pretty(&self.records).unwrap_or_default();
        tables::write_atomically(&self.path, |file| writeln!(file, "{text}"))?;
        Ok(record)
    }

    /// The steps of this run, in order.
    pub(super) fn told(&self) -> Vec<RefreshStep> {
        let step = |name: &String| self.records.iter().find(|record| record.step.step == *name);
        self.told.iter().filter_map(step).map(|record| record.step.clone()).collect()
    }
}
