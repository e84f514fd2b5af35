//! `[training]`: how models are trained.

use serde::{Deserialize, Serialize};

use super::ranges::{BadSetting, CENTURY, bad, whole_within};

/// A way to learn a goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Regularised logistic regression over all rows at once.
    LogisticRegression,
    /// Logistic regression online, one row after the other.
    Ftrl,
    /// Gradient-boosted trees.
    GradientBoosting,
}

/// `[training]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingConfig {
    /// What competes; the first wins unless another is clearly better.
    pub methods: Vec<Method>,
    /// Hours that an event may be late: labels count only when that much lies behind their window.
    pub allowed_lateness_hours: i64,
    /// Newest moments that examples are taken at.
    pub most_moments: usize,
    /// Newest days that goals about contents are learned from.
    pub most_days: usize,
    /// Contents that are candidates for one user.
    pub candidates: usize,
    /// Users at moments looked at, at most, for goals about contents.
    pub most_users: usize,
    /// Negative examples kept at most, for goals about contents.
    pub most_negatives: usize,
    /// Seed of draws.
    pub seed: u64,
    /// Users that no model learns from: staff, bots, tests.
    pub excluded_users: Vec<String>,
}

impl TrainingConfig {
    pub(super) fn check(&self) -> Result<(), BadSetting> {
        if self.methods.is_empty() {
            return Err(bad("training.methods", "names no method".to_string()));
        }
        whole_within(&[
            ("training.allowed_lateness_hours", self.allowed_lateness_hours, 0, CENTURY * 24),
            ("training.most_moments", self.most_moments as i64, 4, 1_000),
            ("training.most_days", self.most_days as i64, 4, 1_000),
            ("training.candidates", self.candidates as i64, 1, 5_000),
            ("training.most_users", self.most_users as i64, 1_000, 1_000_000_000),
            ("training.most_negatives", self.most_negatives as i64, 1_000, 100_000_000),
        ])
    }
}
