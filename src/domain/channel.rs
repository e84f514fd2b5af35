//! Channels: how messages reach people, what they cost, and how long they may be.

use serde::{Deserialize, Serialize};

/// One channel (`[channels.NAME]` in the configuration).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelSettings {
    /// Characters of a headline that a reader sees.
    pub title_length: usize,
    /// Characters of a text that a reader sees.
    pub body_length: usize,
    /// What one message costs beyond `decisions.channel_cost`.
    #[serde(default)]
    pub cost: f64,
}
