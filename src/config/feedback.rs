//! `[feedback]`: what became of decisions.

use serde::{Deserialize, Serialize};

use super::ranges::{BadSetting, whole_within};

/// `[feedback]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FeedbackConfig {
    /// Hours after a push reached its user in which an event may belong to it.
    pub attribution_window_hours: i64,
}

impl FeedbackConfig {
    pub(super) fn check(&self) -> Result<(), BadSetting> {
        whole_within(&[("feedback.attribution_window_hours", self.attribution_window_hours, 1, 8_760)])
    }
}
