//! The figures of a model: the parts of its examples, what was measured, what was tried.

use serde::{Deserialize, Serialize};

use super::model::ModelKind;
use domain::time::Instant;
use evaluation::bootstrap::Figure;

/// Bins of the calibration error.
pub const ECE_BINS: usize = 15;

/// One part of the examples.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SplitPart {
    /// Its first moment.
    pub from: Option<Instant>,
    /// Its last moment.
    pub to: Option<Instant>,
    /// Moments.
    pub moments: usize,
    /// Rows.
    pub rows: usize,
    /// Rows that reached the goal.
    pub positives: usize,
}

/// Train | calibrate | test, by time; examples whose label window reaches into the next part are left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SplitCard {
    /// Weights are learned here.
    pub train: SplitPart,
    /// Probabilities are calibrated here.
    pub calibrate: SplitPart,
    /// Figures are measured here.
    pub test: SplitPart,
    /// Rows left out because their label was not known when the next part begins.
    pub left_out: usize,
}

/// Figures on the test part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Mean −ln probability of what happened.
    pub log_loss: Figure,
    /// Probability that a positive is ranked above a negative.
    pub auc: Figure,
    /// Expected calibration error over 15 bins of equal mass.
    pub ece: Figure,
    /// Log-loss of giving everybody the share of positives before the test part.
    pub base_rate_log_loss: Figure,
    /// log_loss − base_rate_log_loss, paired.
    pub difference: Figure,
    /// Mean probability given on the test part.
    pub mean_probability: f64,
    /// Share of positives in it.
    pub test_rate: f64,
}

/// A candidate that was tried, with its log-loss on later moments within the training part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// What it is; cards of before there were several do not say.
    #[serde(default = "only_kind")]
    pub kind: ModelKind,
    /// Penalty.
    pub penalty: f64,
    /// Learning rate, of what is learned online and of trees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// Trees, of what has some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trees: Option<usize>,
    /// Leaves of each at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaves: Option<usize>,
    /// Mean log-loss, forward in time; a kept negative stands for those left out.
    pub log_loss: f64,
}

fn only_kind() -> ModelKind {
    ModelKind::LogisticRegression
}
