//! `[evaluation]`: how models and policies are evaluated.

use serde::{Deserialize, Serialize};

use super::ranges::{BadSetting, CENTURY, whole_within};

/// `[evaluation]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationConfig {
    /// Days held out when no cut is given.
    pub held_out_days: i64,
    /// Bootstrap draws.
    pub bootstrap_draws: usize,
    /// Seed of the draws.
    pub seed: u64,
}

impl EvaluationConfig {
    pub(super) fn check(&self) -> Result<(), BadSetting> {
        whole_within(&[
            ("evaluation.held_out_days", self.held_out_days, 1, CENTURY),
            ("evaluation.bootstrap_draws", self.bootstrap_draws as i64, 1, 1_000_000),
        ])
    }
}
