//! Ways to a reader: how much each shows, and what it costs.

use serde::{Deserialize, Serialize};

/// Most characters that a channel may be set to show.
pub const LONGEST_TEXT: usize = 1_000_000;

/// Settings of one channel (`[channels.NAME]` in the configuration).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelSettings {
    /// Characters of a title that are shown, as readers count them; 0: it has no titles.
    pub title_length: usize,
    /// Characters of a text that are shown.
    pub body_length: usize,
    /// What one message over it costs beyond the cost of every push, in the unit of values.
    #[serde(default)]
    pub cost: f64,
}

impl ChannelSettings {
    /// Ranges that types cannot say.
    ///
    /// # Errors
    /// The field, and what is wrong with it.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let lengths = [("title_length", self.title_length, 0), ("body_length", self.body_length, 1)];
        for (field, length, least) in lengths {
            if !(least..=LONGEST_TEXT).contains(&length) {
                return Err((
                    field,
                    format!("{length} is not a whole number from {least} to {LONGEST_TEXT}"),
                ));
            }
        }
        if !(0.0..=1e9).contains(&self.cost) {
            return Err(("cost", format!("{} is not a number from 0 to 1000000000", self.cost)));
        }
        Ok(())
    }
}
