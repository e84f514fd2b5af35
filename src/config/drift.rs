//! `[drift]`: when a champion has drifted.

use serde::{Deserialize, Serialize};

use super::ranges::{BadSetting, whole_within, within};

/// `[drift]`: when a champion is no longer what it was.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DriftConfig {
    /// PSI of the probabilities.
    pub score_psi: f64,
    /// PSI of an input that carries weight.
    pub input_psi: f64,
    /// Share of the champion's weight that makes an input carry it.
    pub input_weight: f64,
    /// What observed over expected may differ from 1 by, beyond its interval.
    pub calibration_margin: f64,
    /// Rows that reached the goal, and that did not, from which calibration is judged.
    pub least_outcomes: usize,
    /// Newest moments that the champion was trained on, as the reference.
    pub reference_moments: usize,
}

impl DriftConfig {
    pub(super) fn check(&self) -> Result<(), BadSetting> {
        whole_within(&[
            ("drift.least_outcomes", self.least_outcomes as i64, 1, i64::MAX),
            ("drift.reference_moments", self.reference_moments as i64, 1, 1_000),
        ])?;
        within(&[
            ("drift.score_psi", self.score_psi, 0.0, 1e3),
            ("drift.input_psi", self.input_psi, 0.0, 1e3),
            ("drift.input_weight", self.input_weight, 0.0, 1.0),
            ("drift.calibration_margin", self.calibration_margin, 0.0, 1e3),
        ])
    }
}
