//! `[gates]`: what models must show.

use serde::{Deserialize, Serialize};

use super::ranges::{BadSetting, bad, whole_within};

/// `[gates]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct GatesConfig {
    /// Rows of the test part.
    pub least_rows: usize,
    /// Rows of either outcome in the test part, and in a slice that is judged.
    pub least_positives: usize,
    /// Share of the rows that one user may have.
    pub most_of_one_user: f64,
    /// AUC that one input may have alone.
    pub most_auc_of_one_input: f64,
    /// Calibration error that always passes.
    pub most_ece: f64,
    /// Calibration error that passes, as a share of the base rate.
    pub most_ece_of_base_rate: f64,
    /// PSI that an input may move by from calibrate to test part.
    pub most_psi_of_one_input: f64,
    /// PSI that probabilities may move by.
    pub most_psi_of_scores: f64,
}

impl GatesConfig {
    pub(super) fn check(&self) -> Result<(), BadSetting> {
        whole_within(&[
            ("gates.least_rows", self.least_rows as i64, 1, i64::MAX),
            ("gates.least_positives", self.least_positives as i64, 1, i64::MAX),
        ])?;
        let limits = [
            ("gates.most_of_one_user", self.most_of_one_user),
            ("gates.most_auc_of_one_input", self.most_auc_of_one_input),
            ("gates.most_ece", self.most_ece),
            ("gates.most_ece_of_base_rate", self.most_ece_of_base_rate),
            ("gates.most_psi_of_one_input", self.most_psi_of_one_input),
            ("gates.most_psi_of_scores", self.most_psi_of_scores),
        ];
        match limits.into_iter().find(|(_, value)| value.is_nan() || *value < 0.0) {
            Some((key, value)) => Err(bad(key, format!("{value} is not a number from 0"))),
            None => Ok(()),
        }
    }
}
