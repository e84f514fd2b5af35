//! `[send_time]`: send-time curves.

use serde::{Deserialize, Serialize};

use super::ranges::{BadSetting, bad};

/// `[send_time]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SendTimeConfig {
    /// Coverage of the interval, in (0, 1).
    pub interval: f64,
}

impl SendTimeConfig {
    pub(super) fn check(&self) -> Result<(), BadSetting> {
        match self.interval > 0.0 && self.interval < 1.0 {
            true => Ok(()),
            false => Err(bad("send_time.interval", format!("{} is not between 0 and 1", self.interval))),
        }
    }
}
