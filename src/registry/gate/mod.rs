//! The gate that a trained model passes to become champion: what must hold, line by line, and what was seen.
//!
//! Facts are gathered once, when the model is trained, and kept in its card; a line is a named question to them. `promote`
//! refuses with the first line that does not hold, and asks again what needs no data: numbers and golden rows.

mod checks;
pub mod facts;
pub mod golden;
pub mod rival;

use std::fmt;

use serde::{Deserialize, Serialize};

use checks::CHECKS;
use config::GatesConfig;
use domain::identity::sha256_hex;
use facts::Facts;

/// One line of the gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateLine {
    /// The question's name.
    pub name: String,
    /// Does it hold?
    pub passed: bool,
    /// What was seen.
    pub found: String,
    /// What is asked.
    pub wanted: String,
}

impl fmt::Display for GateLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; asked is {}", self.name, self.found, self.wanted)
    }
}

/// What the gate saw and said of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    /// Every line, in the order asked.
    pub lines: Vec<GateLine>,
    /// What they were answered from.
    pub facts: Facts,
}

impl Gate {
    /// Asks every question; `others` are lines that were answered elsewhere, such as those of the data's health.
    pub fn judge(facts: Facts, settings: &GatesConfig, others: &[GateLine]) -> Gate {
        let asked = CHECKS.iter().map(|(name, question)| {
            let checks::CheckResult { passed, found, wanted } = question(&facts, settings);
            GateLine { name: name.to_string(), passed, found, wanted }
        });
        let lines = asked.chain(others.iter().cloned()).collect();
        Gate { lines, facts }
    }

    /// Identity of what was seen and said.
    pub fn sha256(&self) -> String {
        sha256_hex(serde_json::to_string(self).unwrap_or_default().as_bytes())
    }

    /// The lines that do not hold.
    pub fn failed(&self) -> Vec<&GateLine> {
        self.lines.iter().filter(|line| !line.passed).collect()
    }

    /// Do all lines hold?
    pub fn is_passed(&self) -> bool {
        self.lines.iter().all(|line| line.passed)
    }
}

/// Names of the lines that every model is asked.
pub fn names() -> Vec<&'static str> {
    CHECKS.iter().map(|(name, _)| *name).collect()
}
