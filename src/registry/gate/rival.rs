//! The champion as a rival: both models on rows whose outcome neither had known.

use serde::{Deserialize, Serialize};

use evaluation::bootstrap::Figure;

/// How a model compares with the champion of its day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rival {
    /// The champion's version.
    pub version: String,
    /// Rows of the test part whose outcome the champion had not known.
    pub rows: usize,
    /// Those that reached the goal.
    pub positives: usize,
    /// The model's log-loss less the champion's, paired. `None`: there was nothing to compare on.
    pub log_loss_difference: Option<Figure>,
    /// The model's AUC less the champion's, paired.
    pub auc_difference: Option<Figure>,
    /// Why the champion cannot score these rows, if it cannot.
    #[serde(rename = "fault")]
    pub error: Option<String>,
}

impl Rival {
    /// Why there is no figure.
    pub(super) fn why_not(&self) -> String {
        match &self.error {
            Some(error) => format!("champion {} cannot be compared: {error}", self.version),
            None => format!(
                "not compared: of the test part, champion {} had not known {} rows, {} positive",
                self.version, self.rows, self.positives
            ),
        }
    }
}
